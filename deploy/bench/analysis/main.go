// Command analysis measures what the detectors find in simulated homes and in a
// real one: how many of the leaks that are let into their water, and how many
// where there are none; and what the rollup books that nobody drew. Nothing but
// the seed and the flags moves its figures.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-analysis", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "bench-analysis",
		About: "Lets leaks into the water of simulated homes and of a real one and counts which are found, " +
			"and how often one is found where there is none; lets indexes roll over, slip and stand still and counts what is " +
			"booked that nobody drew. Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
