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
	Only    []string `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	Repeat  int      `help:"Runs of which the median counts." default:"5"`
	Packs   int      `help:"Packs of 100 readings a run." default:"15000"`
	Singles int      `help:"Messages of one reading a run." default:"150000"`
	NoPeer  bool     `help:"Leave Telegraf out; its first build takes minutes."`
	Verbose bool     `help:"Show what the programs say." short:"v"`
	Profile string   `help:"Folder for processor profiles of the collector, one a run." placeholder:"DIR" type:"path" hidden:""`

	stderr    io.Writer
	dir       string
	collector string // path of the program
}

// A benchmark gives the rows of one subject.
type benchmark struct {
	names []string
	run   func(ctx context.Context, c *commands) ([]bench.Row, error)
}

func benchmarks() []benchmark {
	return []benchmark{
		{[]string{"ingest-packs", "ingest-memory"}, packs},
		{[]string{"ingest-single"}, singles},
		{[]string{"rollup-day"}, rollupDay},
		{[]string{"storage"}, storage},
	}
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Repeat < 1 || c.Packs < 2000 || c.Singles < 2000 {
		return errors.New("--repeat must be at least 1, --packs and --singles at least 2000")
	}
	return nil
}

// Run runs the benchmarks that were asked for and prints their rows. A goal that
// is not met is an error.
func (c *commands) Run(ctx context.Context, stdout io.Writer) (err error) {
	var known []string
	for _, b := range benchmarks() {
		known = append(known, b.names...)
	}
	for _, name := range c.Only {
		if !slices.Contains(known, name) {
			return fmt.Errorf("no benchmark %q: there are %s", name, strings.Join(known, ", "))
		}
	}
	if c.dir, err = os.MkdirTemp("", "xnet-ingest-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	if err := c.build(ctx); err != nil {
		return err
	}
	var rows []bench.Row
	var errs []error
	for _, b := range benchmarks() {
		if ctx.Err() != nil || len(c.Only) > 0 && !slices.ContainsFunc(b.names, func(n string) bool { return slices.Contains(c.Only, n) }) {
			continue
		}
		start := time.Now()
		more, err := b.run(ctx, c)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.names[0], err))
		}
		rows = append(rows, more...)
		c.say("%s: %s", b.names[0], time.Since(start).Round(time.Second))
	}
	met, err := bench.Print(stdout, rows)
	if errs = append(errs, err); !met {
		errs = append(errs, errors.New("not every goal was met"))
	}
	return errors.Join(errs...)
}

func (c *commands) build(ctx context.Context) error {
	c.collector = filepath.Join(c.dir, "collector")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", c.collector, "./collector")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the collector: %w: run this in the repository's root\n%s", err, said)
	}
	return nil
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
