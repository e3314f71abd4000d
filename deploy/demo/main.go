// Command demo runs the whole system on this machine, with nothing to install
// but Go: a simulated residence over real Modbus, gateways, a broker, InfluxDB, a
// collector and the API, each a process of its own as in production.
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
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
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

func run(ctx context.Context, args []string, _ func(string) string, stdout io.Writer) error {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("demo"), kong.Writers(stdout, os.Stderr),
		kong.Exit(func(status int) { exit = status }),
		kong.Description("The whole of XnetRoseraie on this machine, with a simulated residence."))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if exit == 0 { // --help was printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (see demo --help)", err)
	}
	return parsed.Run(&environment{ctx: ctx, stdout: stdout})
}
