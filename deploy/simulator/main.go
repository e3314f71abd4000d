// Command simulator is a residence of meters that does not exist: it serves
// their registers over Modbus as if gateways could be wired to them, writes the
// history that they would have, and tells who lives there.
package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("simulator", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Getenv, os.Stdout) })
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	return commandline.Program{
		Name: "simulator",
		About: "A residence of 48 flats whose water, electricity and temperature are made up. " +
			"The same seed and epoch always make the same residence.",
		Commands: &commandLine{},
		Given:    func() any { return logger(getenv) },
	}.Run(ctx, args, stdout, os.Stderr)
}

// logger writes text lines for people, of level Debug where XNET_LOG says so.
func logger(getenv func(string) string) *slog.Logger {
	level := slog.LevelInfo
	if getenv("XNET_LOG") == "debug" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// commandLine is what can be asked of the program.
type commandLine struct {
	Run       runCommand       `cmd:"" help:"Serve the meters over Modbus until interrupted."`
	History   historyCommand   `cmd:"" help:"Write what the meters of a gateway showed, as CSV."`
	Residence residenceCommand `cmd:"" help:"Print the flats, who lives there and what happens there."`
}
