// Command pages measures the pages in a real Chromium against the demo's data: what
// they weigh, when a slow computer on a slow line shows them, how soon the server
// answers a hundred a second, and whether everybody can use them.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-pages", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "bench-pages",
		About: "Starts a demo and goes through its pages in Debian's Chromium, as each of the people whom the demo introduces. " +
			"Counts all bytes of every page of a tenant, on a first visit and on the next (page-weight, page-weight-next); shows the first page on a computer six " +
			"times slower, by a line of 1.5 Mbit/s and 80 ms (largest-paint); has axe-core and our own checks judge every page of every role in both languages " +
			"(accessibility); and asks a program with 600 homes for a hundred first pages a second (home-server). About fifteen minutes; " +
			"times want a machine that does nothing else. Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
