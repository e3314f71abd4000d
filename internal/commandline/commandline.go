// Package commandline is what all programs do with their command line: help for
// people, an error that names the remedy, exit status 1, and an end by signal.
package commandline

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Main runs the program of that name until it ends or an interrupt or SIGTERM
// ends its context, and exits with status 1 where it failed. It is for main
// functions.
func Main(name string, run func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// A Program is what a command line is for.
type Program struct {
	Name  string
	About string // a sentence or two
	// Commands points to a struct whose fields are flags and commands, as kong
	// reads them; each command has a Run method.
	Commands any
	// Given returns what the Run methods take besides the context and standard
	// output (an io.Writer), once the command line has been read; nil for
	// nothing.
	Given func() any
}

// Run reads args and runs the command that they name. Asked for help it prints
// it and does nothing else. It may be called once.
func (p Program) Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	helped := false
	parser, err := kong.New(p.Commands, kong.Name(p.Name), kong.Description(p.About),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	command, err := parser.Parse(args)
	if helped {
		return nil // what comes after --help counts no more
	}
	if err != nil {
		return fmt.Errorf("%w (see %s --help)", err, p.Name)
	}
	if p.Given == nil {
		return command.Run()
	}
	return command.Run(p.Given())
}
