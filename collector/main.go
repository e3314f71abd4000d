// Command collector takes the readings of all gateways from the broker, stores
// them in InfluxDB exactly once, and rolls them up into hours, days and months.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "collector:", err)
		os.Exit(1)
	}
}

// commands is the command line.
type commands struct {
	Config string `help:"Configuration file (YAML). Without it the defaults and the variables XNET_COLLECTOR_… hold." type:"path" short:"c"`

	Run         runCommand    `cmd:"" help:"Store the readings that arrive and roll them up, until interrupted."`
	Rollup      rollupCommand `cmd:"" help:"Compute the hours, days and months of a range anew from its readings."`
	CheckConfig checkCommand  `cmd:"" help:"Check the configuration: exit status 0 if it can be run, 1 with every fault otherwise."`
}

// environment is what a command needs of the world.
type environment struct {
	ctx            context.Context
	config         string
	getenv         func(string) string
	stdout, stderr io.Writer
}

// run parses args and runs the command they name.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("collector"), kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { exit = status }),
		kong.Description("Stores the meters' readings in InfluxDB and answers their gateways."))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if exit == 0 { // --help was printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (see collector --help)", err)
	}
	return parsed.Run(&environment{ctx: ctx, config: c.Config, getenv: getenv, stdout: stdout, stderr: stderr})
}
