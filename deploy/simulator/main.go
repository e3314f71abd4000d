// Command simulator is a residence of meters that does not exist: it serves
// their registers over Modbus as if gateways could be wired to them, writes the
// history that they would have, and tells who lives there.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := notified(context.Background())
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// notified ends the context on an interrupt or a SIGTERM.
func notified(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	var line commandLine
	helped := false
	parser, err := kong.New(&line,
		kong.Name("simulator"),
		kong.Description("A residence of 48 flats whose water, electricity and temperature are made up. "+
			"The same seed and epoch always make the same residence."),
		kong.Writers(stdout, os.Stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	command, err := parser.Parse(args)
	if helped {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: see simulator --help", err)
	}
	level := slog.LevelInfo
	if getenv("XNET_LOG") == "debug" {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(stdout, (*io.Writer)(nil))
	return command.Run(log)
}

// commandLine is what can be asked of the program.
type commandLine struct {
	Run       runCommand       `cmd:"" help:"Serve the meters over Modbus until interrupted."`
	History   historyCommand   `cmd:"" help:"Write what the meters of a gateway showed, as CSV."`
	Residence residenceCommand `cmd:"" help:"Print the flats, who lives there and what happens there."`
}
