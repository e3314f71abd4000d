// Command api measures the API as its people use it: a manager who reads a
// dwelling's registry data among 60,000, and the import of a housing stock. It
// runs the real program as a child, on SQLite and on loopback, with a broker that
// takes the registry; InfluxDB is away, which the program bears.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-api", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "bench-api",
		About: "Measures reads of the registry and imports of a housing stock beside what the database alone can do. " +
			"Run it in the repository's root.",
		Commands: &commands{stderr: stderr},
	}.Run(ctx, args, stdout, stderr)
}
