// Command gateway reads the meters of a site over Modbus and sends their
// readings to the broker, losing none of those that it has written to disk.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("gateway", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	})
}

// commands is the command line.
type commands struct {
	Config string `help:"Configuration file (YAML)." default:"/etc/xnet/gateway.yaml" type:"path" short:"c"`

	Run         runCommand      `cmd:"" help:"Read the meters and send their readings, until interrupted."`
	Import      importCommand   `cmd:"" help:"Bring readings that a site logged to a CSV file into the spool."`
	Scan        scanCommand     `cmd:"" help:"Find the slaves of a line and say which profiles fit them."`
	Read        readCommand     `cmd:"" help:"Read meters once and print what they show."`
	Profiles    profilesCommand `cmd:"" help:"List the kinds of meter that the gateway can read."`
	Spool       spoolCommand    `cmd:"" help:"Show what waits to be stored."`
	Check       dialCommand     `cmd:"" help:"Hold one meter against its dial, then its tap, standing in the flat."`
	Enrol       enrolCommand    `cmd:"" help:"Fetch this gateway's access to the broker with the code of its page, and write its configuration."`
	CheckConfig checkCommand    `cmd:"" help:"Check the configuration: exit status 0 if it can be run, 1 with every fault otherwise."`
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
		Name:     "gateway",
		About:    "Reads water and energy meters over Modbus and sends their readings by MQTT.",
		Commands: &c,
		Given: func() any {
			return &environment{ctx: ctx, config: c.Config, getenv: getenv, stdout: stdout, stderr: stderr}
		},
	}.Run(ctx, args, stdout, stderr)
}
