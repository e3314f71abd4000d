// Command demo runs the whole system on this machine, with nothing to install
// but Go: a simulated residence over real Modbus, gateways, a broker, InfluxDB, a
// collector and the API, each a process of its own as in production.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("demo", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout) })
}

// commands is the command line.
type commands struct {
	Run    demo          `cmd:"" default:"withargs" help:"Run the whole system until interrupted."`
	Broker brokerCommand `cmd:"" hidden:"" help:"Run the embedded broker alone."`
}

// environment is what a command needs of the world.
type environment struct {
	ctx    context.Context
	stdout io.Writer
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	return commandline.Program{
		Name:     "demo",
		About:    "The whole of XnetRoseraie on this machine, with a simulated residence.",
		Commands: &commands{},
		Given:    func() any { return &environment{ctx: ctx, stdout: stdout} },
	}.Run(ctx, args, stdout, os.Stderr)
}
