// Command screenshots takes pictures of every page of a demo, for each of the people
// whom the demo introduces: 1280 and 360 pixels wide, in both languages.
package main

import (
	"context"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("screenshots", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "screenshots",
		About: "Starts a demo, goes through its pages in Debian's Chromium as each of the people whom it introduces, and keeps a picture of each page: " +
			"1280 and 360 pixels wide, in both languages. The people are invented. About twenty minutes. Run it in the repository's root.",
		Commands: &commands{},
	}.Run(ctx, args, stdout, stderr)
}
