package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/pages/tour"
)

type commands struct {
	Only   []string `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	Dir    string   `help:"Folder of the demo; a new one that is thrown away unless given." type:"path"`
	Months int      `help:"How many months of history the demo has." default:"13"`
	OfEach int      `help:"How many pages of each kind are looked at, as one meter's and another's." default:"1"`
	Axe    string   `help:"File axe.min.js of axe-core, where npm cannot bring it." type:"path"`
	Paints int      `help:"How often the first page is shown by the slow line; the middle one counts." default:"5"`

	Dwellings int           `help:"Homes of the residence whose first pages are asked for (home-server)." default:"600"`
	Rate      int           `help:"First pages that are asked for in each second (home-server)." default:"100"`
	Span      time.Duration `help:"How long they go on (home-server)." default:"30s"`

	stderr  io.Writer
	demo    *tour.Demo
	browser *tour.Browser
	folder  string // to be thrown away
}

func (c *commands) benchmarks() []bench.Benchmark {
	return []bench.Benchmark{
		{Names: []string{"page-weight", "page-weight-next"}, Run: c.weights},
		{Names: []string{"largest-paint"}, Run: c.largestPaint},
		{Names: []string{"accessibility"}, Run: c.accessibility},
		{Names: []string{"home-server"}, Run: c.homeServer},
	}
}

// Validate says what is wrong with the numbers.
func (c *commands) Validate() error {
	if c.Months < 1 || c.Months > 36 || c.OfEach < 1 || c.OfEach > 20 || c.Paints < 1 || c.Paints > 100 {
		return errors.New("--months must be from 1 to 36, --of-each from 1 to 20, --paints from 1 to 100")
	}
	if c.Dwellings < 1 || c.Dwellings > 9999 || c.Rate < 1 || c.Rate > 10_000 || c.Span < time.Second || c.Span > time.Hour {
		return errors.New("--dwellings must be from 1 to 9999, --rate from 1 to 10000, --span from 1s to 1h")
	}
	return nil
}

// Run runs the benchmarks that were asked for; see [bench.Suite].
func (c *commands) Run(ctx context.Context, stdout io.Writer) (err error) {
	defer func() { err = errors.Join(err, c.close()) }()
	return bench.Suite{Benchmarks: c.benchmarks(), Stdout: stdout, Stderr: c.stderr}.Run(ctx, c.Only)
}

// open starts the demo and the browser, and has everybody find their pages.
func (c *commands) open(ctx context.Context) (err error) {
	if c.demo != nil {
		return nil
	}
	if c.Dir == "" {
		if c.folder, err = os.MkdirTemp("", "xnet-pages-"); err != nil {
			return err
		}
		c.Dir = c.folder
	}
	if c.browser, err = tour.OpenBrowser(ctx); err != nil {
		return err
	}
	demo, err := tour.StartDemo(ctx, c.Dir, c.Months, c.stderr)
	if err != nil {
		return err
	}
	c.demo, demo.Visitors = demo, append(demo.Visitors, tour.Stranger())
	for i := range demo.Visitors {
		v := &demo.Visitors[i]
		if err := v.Enter(ctx, demo.URL, c.OfEach); err != nil {
			return err
		}
		c.say("  %s: %d pages", v.About, len(v.Pages))
	}
	return nil
}

func (c *commands) close() error {
	if c.browser != nil {
		c.browser.Close()
	}
	if c.demo != nil {
		c.demo.Stop()
	}
	if c.folder != "" {
		return os.RemoveAll(c.folder)
	}
	return nil
}

// tenants are the visitors who live there.
func (c *commands) tenants() []tour.Visitor {
	return slices.DeleteFunc(slices.Clone(c.demo.Visitors), func(v tour.Visitor) bool { return v.Role != tour.Tenant })
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
