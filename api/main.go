// Command api serves the tenants' pages and JSON, knows the residences, and
// publishes which meters exist.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is what the program can be told to do.
type commands struct {
	Run         runCommand    `cmd:"" help:"Serve pages and JSON until interrupted."`
	CheckConfig checkCommand  `cmd:"" name:"check-config" help:"Read the configuration, name every fault with its remedy, and change nothing."`
	Load        loadCommand   `cmd:"" help:"Make the database say what a residence's file says: dwellings, households, meters. All of it or nothing; doing it again changes nothing."`
	Invite      inviteCommand `cmd:"" help:"Print a new sign-in code for each person, for a letter. The person's code before it stops working."`
}

// program is what commands are given besides their own arguments.
type program struct {
	getenv func(string) string
	stdout io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "api: %v\n", err)
		os.Exit(1)
	}
}

// run does what args say and returns when it is done or ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	helped := false
	parser, err := kong.New(&commands{}, kong.Name("api"), kong.UsageOnError(),
		kong.Description("The XnetRoseraie API: tenants' pages, JSON, and the registry of meters."),
		kong.Writers(stdout, stdout), kong.Exit(func(int) { helped = true }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(program{getenv, stdout}))
	if err != nil {
		return fmt.Errorf("read the command line: %w", err)
	}
	command, err := parser.Parse(args)
	if helped {
		return nil // what comes after --help counts no more
	}
	if err != nil {
		return fmt.Errorf("%w: see api --help", err)
	}
	return command.Run()
}
