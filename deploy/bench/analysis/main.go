// Command analysis measures what the detectors find in simulated homes and in a
// real one: how many of the leaks that are let into their water, and how many
// where there are none; what the rollup books that nobody drew; whether what a
// family is told of a tip is true; and how soon a tenant sees the first page and a
// landlord could see a residence's year. Nothing but the seed and the flags moves
// its figures, times apart.
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
			"and how often one is found where there is none (leaks-recall, leaks-false-alarms: a minute); lets indexes roll over, slip and stand " +
			"still and counts what is booked that nobody drew (phantom: half a minute); lets homes take up tips and counts how often what they " +
			"are told holds the truth, and how often a drop is seen where nothing fell (verification: a quarter of a minute). Fills an InfluxDB " +
			"with thirteen months of 600 dwellings, runs the API before it and asks for tenants' first pages: the first of all, 100 a second, " +
			"and one whose readings come in late (tenant-home: four minutes); and for the months of the whole residence (residence-year: half a " +
			"minute more). Times want a machine that does nothing else. Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
