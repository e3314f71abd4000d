// Command collector takes the readings of all gateways from the broker, stores
// them in InfluxDB exactly once, and rolls them up into hours, days and months.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("collector", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	})
}

// commands is the command line.
type commands struct {
	Config string `help:"Configuration file (YAML). Without it the defaults and the variables XNET_COLLECTOR_… hold." type:"path" short:"c"`

	Run         runCommand        `cmd:"" help:"Store the readings that arrive and roll them up, until interrupted."`
	Rollup      rollupCommand     `cmd:"" help:"Compute the hours, days and months of a range anew from its readings."`
	Quarantine  quarantineCommand `cmd:"" help:"Look at the packs that were refused, or take them in after all."`
	CheckConfig checkCommand      `cmd:"" help:"Check the configuration: exit status 0 if it can be run, 1 with every fault otherwise."`
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
	return commandline.Program{
		Name:     "collector",
		About:    "Stores the meters' readings in InfluxDB and answers their gateways.",
		Commands: &c,
		Given: func() any {
			return &environment{ctx: ctx, config: c.Config, getenv: getenv, stdout: stdout, stderr: stderr}
		},
	}.Run(ctx, args, stdout, stderr)
}
