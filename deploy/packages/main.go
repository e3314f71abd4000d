// Command packages builds what is installed: stripped static programs and Debian
// packages of the server, of InfluxDB and of the gateway. The same commit gives the
// same bytes.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("packages", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name:     "packages",
		About:    "Builds the programs and their Debian packages for amd64, arm64 and armhf. Run it in the repository's root; it needs Go, git and dpkg-deb.",
		Commands: &dist{},
	}.Run(ctx, args, stdout, stderr)
}
