package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
)

type commands struct {
	Only   []string `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	Seed   uint64   `help:"From which homes, leaks and moments are drawn; the same seed gives the same figures." default:"1"`
	Leaks  int      `help:"Leaks that are let in for each way of reading: half into simulated homes, half into the real one." default:"600"`
	Months int      `help:"Household-months without a leak, at least 300." default:"1200"`
	Events int      `help:"How often each event happens to an index, on each of three spans of days." default:"8"`
	Runs   int      `help:"Adopted tips that are tried for each true change and each noise." default:"1000"`
	Data   string   `help:"Folder of the real measurements; ../shared/data unless given." env:"XNET_DATA"`

	Dwellings    int           `help:"Dwellings of the residence whose pages are asked for, each with three meters." default:"600"`
	HourlyDays   int           `help:"For how many days hours are stored beside its days and months; thirteen months take some minutes." default:"60"`
	Rate         int           `help:"First pages that are asked for in each second." default:"100"`
	Span         time.Duration `help:"How long they go on; more than 45s lets what the program keeps run out meanwhile." default:"60s"`
	NightlyHomes int           `help:"Homes whose nights are judged to see whether a hundred times as many cost a hundred times as much." default:"60000"`
	Verbose      bool          `help:"Show what the program says." short:"v"`

	stderr io.Writer
	made   *residence.Residence // by whatever asked for it first
}

func (c *commands) benchmarks() []bench.Benchmark {
	return []bench.Benchmark{
		{Names: []string{"leaks-recall"}, Run: c.recall},
		{Names: []string{"leaks-false-alarms"}, Run: c.falseAlarms},
		{Names: []string{"phantom"}, Run: c.phantom},
		{Names: []string{"verification", "verification-false"}, Run: c.verify},
		{Names: []string{"tenant-home", "tenant-home-cold", "tenant-home-late"}, Run: c.tenantHome},
		{Names: []string{"residence-year", "residence-year-all"}, Run: c.residenceYear},
		{Names: []string{"nightly-600", "nightly-60000"}, Run: c.nights},
	}
}

// dataFolder is beside the checkout.
const dataFolder = "../shared/data"

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Leaks < 20 || c.Leaks > 100_000 || c.Months < 300 || c.Months > 100_000 || c.Events < 1 || c.Events > 200 {
		return errors.New("--leaks must be from 20 to 100000, --months from 300 to 100000, --events from 1 to 200")
	}
	if c.Runs < 20 || c.Runs > 100_000 || c.Dwellings < 1 || c.Dwellings > 9999 || c.HourlyDays < 0 || c.HourlyDays > 396 {
		return errors.New("--runs must be from 20 to 100000, --dwellings from 1 to 9999, --hourly-days from 0 to 396")
	}
	if c.Rate < 1 || c.Rate > 10_000 || c.Span < time.Second || c.Span > time.Hour {
		return errors.New("--rate must be from 1 to 10000, --span from 1s to 1h")
	}
	return nil
}

// Run runs the benchmarks that were asked for; see [bench.Suite].
func (c *commands) Run(ctx context.Context, stdout io.Writer) (err error) {
	c.Data = cmp.Or(c.Data, dataFolder)
	defer func() {
		if c.made != nil {
			err = errors.Join(err, c.made.Close())
		}
	}()
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

// residence returns the one that all rows of pages share.
func (c *commands) residence(ctx context.Context) (*residence.Residence, error) {
	if c.made != nil {
		return c.made, nil
	}
	made, err := residence.New(ctx, residence.Plan{Dwellings: c.Dwellings, HourlyDays: c.HourlyDays, Verbose: c.Verbose, Said: c.stderr})
	if err != nil {
		return nil, err
	}
	c.made = made
	c.say("  InfluxDB writes it into its data files")
	return made, made.Rest(ctx)
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
