// Command gateway reads the meters of a site over Modbus and sends their
// readings to the broker, losing none of those that it has written to disk.
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
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// commands is the command line.
type commands struct {
	Config string `help:"Configuration file (YAML)." default:"/etc/xnet/gateway.yaml" type:"path" short:"c"`

	Run         runCommand    `cmd:"" help:"Read the meters and send their readings, until interrupted."`
	Import      importCommand `cmd:"" help:"Bring readings that a site logged to a CSV file into the spool."`
	Spool       spoolCommand  `cmd:"" help:"Show what waits to be stored."`
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
	parser, err := kong.New(&c, kong.Name("gateway"), kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { exit = status }),
		kong.Description("Reads water and energy meters over Modbus and sends their readings by MQTT."))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if exit == 0 { // --help was printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (see gateway --help)", err)
	}
	return parsed.Run(&environment{ctx: ctx, config: c.Config, getenv: getenv, stdout: stdout, stderr: stderr})
}
