package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

type commands struct {
	Only    []string `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	Repeat  int      `help:"Runs of which the median counts." default:"5"`
	Packs   int      `help:"Packs of 100 readings a run." default:"15000"`
	Singles int      `help:"Messages of one reading a run." default:"150000"`
	NoPeer  bool     `help:"Leave Telegraf out; its first build takes minutes."`
	Verbose bool     `help:"Show what the programs say." short:"v"`

	stderr    io.Writer
	dir       string
	collector string // path of the program
}

func (c *commands) benchmarks() []bench.Benchmark {
	return []bench.Benchmark{
		{Names: []string{"ingest-packs", "ingest-memory"}, Run: c.packs},
		{Names: []string{"ingest-single"}, Run: c.singles},
		{Names: []string{"rollup-day"}, Run: c.rollupDay},
		{Names: []string{"storage"}, Run: c.storage},
	}
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Repeat < 1 || c.Packs < 2000 || c.Singles < 2000 {
		return errors.New("--repeat must be at least 1, --packs and --singles at least 2000")
	}
	return nil
}

// Run runs the benchmarks that were asked for; see [bench.Suite].
func (c *commands) Run(ctx context.Context, stdout io.Writer) (err error) {
	if c.dir, err = os.MkdirTemp("", "xnet-ingest-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	if c.collector, err = bench.Build(ctx, c.dir, "collector"); err != nil {
		return err
	}
	return bench.Suite{Benchmarks: c.benchmarks(), Stdout: stdout, Stderr: c.stderr}.Run(ctx, c.Only)
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
