// Command replay measures how fast a gateway makes up for a day without a
// broker, and how late what it reads meanwhile gets through: its spool and its
// uplink, Mosquitto, the collector and InfluxDB, on this machine's loopback.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/internal/commandline"
)

func main() {
	commandline.Main("bench-replay", func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return commandline.Program{
		Name: "bench-replay",
		About: "Measures the replay of an outage. Run it in the repository's root. It prints how long the backlog took, " +
			"from the broker's return on, beside the time that InfluxDB alone needs for the same readings.",
		Commands: &commands{stdout: stdout, stderr: stderr},
		Given:    func() any { return ctx },
	}.Run(ctx, args, stdout, stderr)
}

type commands struct {
	Outage  time.Duration `help:"How long the broker was away, in the time of the readings." default:"24h"`
	Away    time.Duration `help:"How long the broker is really away: long enough for everybody to try as rarely as they ever do." default:"30s"`
	Meters  int           `help:"Meters, each read once a minute." default:"150"`
	Within  time.Duration `help:"Goal for the backlog." default:"2m"`
	Late    time.Duration `help:"Goal for what is read meanwhile." default:"5s"`
	Verbose bool          `help:"Show what the programs say." short:"v"`

	stdout, stderr io.Writer
}

// Run measures and prints the row.
func (c *commands) Run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "xnet-replay-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := c.start(ctx, dir)
	if err != nil {
		return err
	}
	defer s.Stop()
	bare, err := s.bare(ctx)
	if err != nil {
		return err
	}
	m, err := s.replay(ctx)
	if err != nil {
		return err
	}
	met, err := bench.Print(c.stdout, []bench.Row{c.row(m, bare)})
	if err == nil && !met {
		err = errors.New("the goal is not met")
	}
	return err
}
