// Command poll measures the gateway's way from the meters: the time of a cycle
// on simulated serial lines beside what the line allows and beside Telegraf, the
// campaign of faults, memory, and Modbus TCP. It uses loopback only.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-poll", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name:     "bench-poll",
		About:    "Measures the gateway's polling beside its peer and the physical limit. Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
