package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

type commands struct {
	Only      []string      `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	Repeat    int           `help:"Imports of each kind of which the median counts." default:"3"`
	Dwellings int           `help:"Dwellings of the registry that is read." default:"60000"`
	Rate      int           `help:"Reads that begin in each second." default:"300"`
	Span      time.Duration `help:"How long they go on." default:"30s"`
	Verbose   bool          `help:"Show what the program says." short:"v"`

	stderr  io.Writer
	dir     string
	program string // path of the API
}

func (c *commands) benchmarks() []bench.Benchmark {
	return []bench.Benchmark{
		{Names: []string{"registry-read"}, Run: c.registryRead},
		{Names: []string{"registration-check"}, Run: c.registrationCheck},
		{Names: []string{"indicators"}, Run: c.indicators},
		{Names: []string{"import-600"}, Run: c.importOf(600, 2)},
		{Names: []string{"import-60000"}, Run: c.importOf(60_000, 60)},
	}
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Repeat < 1 || c.Dwellings < 1 || c.Rate < 1 || c.Rate > 100_000 || c.Span < time.Second || c.Span > time.Hour {
		return errors.New("--repeat and --dwellings must be at least 1, --rate from 1 to 100000, --span from 1s to 1h")
	}
	return nil
}

// Run runs the benchmarks that were asked for; see [bench.Suite].
func (c *commands) Run(ctx context.Context, stdout io.Writer) (err error) {
	if c.dir, err = os.MkdirTemp("", "xnet-bench-api-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	if c.program, err = bench.Build(ctx, c.dir, "api"); err != nil {
		return err
	}
	return bench.Suite{Benchmarks: c.benchmarks(), Stdout: stdout, Stderr: c.stderr}.Run(ctx, c.Only)
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
