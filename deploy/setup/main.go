// Command xnet-setup sets up a server of XnetRoseraie on one machine: secrets,
// the broker's certificates, InfluxDB's users and databases, configuration files,
// and the first administrator. Run again it adds what lacks, renews what is due,
// and leaves everything else as it is.
package main

import (
	"context"
	"io"
	"os"
	"syscall"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	syscall.Umask(0o077) // also for the programs that it runs: what they write is nobody else's
	commandline.Main("xnet-setup", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "xnet-setup",
		About: "Sets up this machine as a server of XnetRoseraie, by the answers of a small file or by flags, which it keeps in that file. " +
			"Run it again at any time: it makes what lacks, renews the broker's certificate when it is due, and changes nothing else.",
		Commands: &setup{},
	}.Run(ctx, args, stdout, stderr)
}
