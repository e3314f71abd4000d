// Command chaos reads a residence of simulated meters without a pause while it
// kills, cuts, fills and confuses everything between them and InfluxDB, and then
// proves that every reading that had reached a gateway's disk is stored once.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("chaos", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "chaos",
		About: "The fault campaign. Real gateways read simulated meters, whose index is another at every read; a real broker, " +
			"two real collectors and a real InfluxDB take the readings on; faults hit all of them at random. " +
			"At the end what is stored is compared with what the gateways wrote to disk and sent. Run it in the repository's root. " +
			"It ends with status 0 where nothing is missing, wrong or double.",
		Commands: &commands{},
		Given:    func() any { return &console{out: stdout} },
	}.Run(ctx, args, stdout, stderr)
}
