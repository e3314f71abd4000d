package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// A benchmark gives one row.
type benchmark struct {
	name string
	run  func(ctx context.Context, c *commands) (bench.Row, error)
}

func benchmarks() []benchmark {
	return []benchmark{
		{"registry-read", registryRead},
		{"import-600", importOf(600, 2)},
		{"import-60000", importOf(60_000, 60)},
	}
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Repeat < 1 || c.Dwellings < 1 || c.Rate < 1 || c.Rate > 100_000 || c.Span < time.Second || c.Span > time.Hour {
		return errors.New("--repeat and --dwellings must be at least 1, --rate from 1 to 100000, --span from 1s to 1h")
	}
	return nil
}

// Run runs the benchmarks that were asked for and prints their rows. A goal that
// is not met is an error.
func (c *commands) Run(ctx context.Context, stdout io.Writer) (err error) {
	var known []string
	for _, b := range benchmarks() {
		known = append(known, b.name)
	}
	for _, name := range c.Only {
		if !slices.Contains(known, name) {
			return fmt.Errorf("no benchmark %q: there are %s", name, strings.Join(known, ", "))
		}
	}
	if c.dir, err = os.MkdirTemp("", "xnet-bench-api-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	if err := c.build(ctx); err != nil {
		return err
	}
	rows, errs := c.rows(ctx)
	met, err := bench.Print(stdout, rows)
	if errs = append(errs, err); !met {
		errs = append(errs, errors.New("not every goal was met"))
	}
	return errors.Join(errs...)
}

func (c *commands) rows(ctx context.Context) (rows []bench.Row, errs []error) {
	for _, b := range benchmarks() {
		if ctx.Err() != nil || len(c.Only) > 0 && !slices.Contains(c.Only, b.name) {
			continue
		}
		c.say("%s …", b.name)
		start := time.Now()
		row, err := b.run(ctx, c)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
			c.say("%s: %v", b.name, err)
			continue
		}
		rows = append(rows, row)
		c.say("%s: %s", b.name, time.Since(start).Round(time.Second))
	}
	return rows, errs
}

func (c *commands) build(ctx context.Context) error {
	c.program = filepath.Join(c.dir, "api")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", c.program, "./api")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the API: %w: run this in the repository's root\n%s", err, said)
	}
	return nil
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
