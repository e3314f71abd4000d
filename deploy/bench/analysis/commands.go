package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
)

type commands struct {
	Only   []string `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	Seed   uint64   `help:"From which homes, leaks and moments are drawn; the same seed gives the same figures." default:"1"`
	Leaks  int      `help:"Leaks that are let in for each way of reading: half into simulated homes, half into the real one." default:"600"`
	Months int      `help:"Household-months without a leak, at least 300." default:"1200"`
	Events int      `help:"How often each event happens to an index, on each of three spans of days." default:"8"`
	Data   string   `help:"Folder of the real measurements; ../shared/data unless given." env:"XNET_DATA"`

	stderr io.Writer
}

func (c *commands) benchmarks() []bench.Benchmark {
	return []bench.Benchmark{
		{Names: []string{"leaks-recall"}, Run: c.recall},
		{Names: []string{"leaks-false-alarms"}, Run: c.falseAlarms},
		{Names: []string{"phantom"}, Run: c.phantom},
	}
}

// dataFolder is beside the checkout.
const dataFolder = "../shared/data"

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Leaks < 20 || c.Leaks > 100_000 || c.Months < 300 || c.Months > 100_000 || c.Events < 1 || c.Events > 200 {
		return errors.New("--leaks must be from 20 to 100000, --months from 300 to 100000, --events from 1 to 200")
	}
	return nil
}

// Run runs the benchmarks that were asked for; see [bench.Suite].
func (c *commands) Run(ctx context.Context, stdout io.Writer) error {
	c.Data = cmp.Or(c.Data, dataFolder)
	return bench.Suite{Benchmarks: c.benchmarks(), Stdout: stdout, Stderr: c.stderr}.Run(ctx, c.Only)
}

// watched are the habits of the homes that are read, the real one where its file is
// at hand, and what the note of a row has to say where it is not.
func (c *commands) watched() (kinds []homes.Habit, real homes.Home, note string, err error) {
	real, err = homes.Real(filepath.Join(c.Data, homes.RealFile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Data == dataFolder:
		c.say("  the real home is left out: %v", err)
		return homes.Habits, real, "WITHOUT THE REAL HOME; ", nil
	case err != nil:
		return nil, real, "", err
	}
	return append([]homes.Habit{homes.Measured}, homes.Habits...), real, "", nil
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
