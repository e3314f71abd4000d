// Command ingest measures the way of readings from the broker into InfluxDB: our
// collector beside Telegraf and beside what the store and the broker themselves
// can do, with the same readings and on the same machine.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-ingest", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "bench-ingest",
		About: "Measures the collector's ingest, memory, rollup and storage beside Telegraf and the physical limits. " +
			"Every run has a Mosquitto and an InfluxDB 1.8.10 of its own. Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
