// Command load measures a server under the load of a large landlord, and at rest:
// the real API, the real collector and an InfluxDB 1.8.10 on this machine.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-load", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// commands is the command line.
type commands struct {
	Only      []string `arg:"" optional:"" help:"Rows to measure, by name; all without. An unknown name lists them." name:"ROW"`
	Dwellings int      `default:"10000" help:"How many dwellings, three meters each."`
	Minutes   int      `default:"15" help:"How long the load lasts."`
	Rate      int      `default:"50" help:"Pages a second."`
	People    int      `default:"500" help:"How many tenants look at pages."`
	Rest      int      `default:"180" help:"Seconds of rest before memory is looked at, and for which a residence is read."`
	Verbose   bool     `help:"Show what the programs say."`

	stderr io.Writer
}

// Run measures what was asked for.
func (c *commands) Run(ctx context.Context, stdout io.Writer) error {
	suite := bench.Suite{Stdout: stdout, Stderr: c.stderr, Benchmarks: []bench.Benchmark{
		{Names: []string{"idle-memory", "idle-memory-all"}, Run: c.idle},
		{Names: []string{"residence-core"}, Run: c.steady},
		{Names: []string{"load-10000"}, Run: c.load},
	}}
	return suite.Run(ctx, c.Only)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "bench-load",
		About: "Measures pages and lag while readings of 10,000 dwellings come in, and the memory of the programs at rest. " +
			"Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
