package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

type commands struct {
	Only          []string      `help:"Run these benchmarks only, by name; an unknown name lists them." sep:","`
	NoPeer        bool          `help:"Leave Telegraf out; its first build takes minutes."`
	Repeat        int           `help:"Cycles of which the median counts." default:"5"`
	CampaignReads int           `help:"Reads of the campaign, on RTU and again on TCP." default:"1000000"`
	Memory        time.Duration `help:"How long memory and processor time are watched." default:"2m"`

	stderr io.Writer
}

// A benchmark gives the rows of one subject.
type benchmark struct {
	name string
	run  func(ctx context.Context, c *commands) ([]bench.Row, error)
}

var benchmarks = []benchmark{
	{"poll-9600", cycleAt(9600, 1.05)},
	{"poll-19200", cycleAt(19200, 1.05)},
	{"poll-38400", cycleAt(38400, 1.05)},
	{"poll-115200", cycleAt(115200, 1.08)},
	{"poll-dead-meters", deadMeters},
	{"poll-memory", memory},
	{"poll-tcp", tcp},
	{"campaign", faults},
	{"replay", replay},
}

// names are those of all benchmarks.
func names() []string {
	var all []string
	for _, b := range benchmarks {
		all = append(all, b.name)
	}
	return all
}

// Run runs the benchmarks that were asked for and prints their rows. A goal that
// is not met is an error.
func (c *commands) Run(ctx context.Context, stdout io.Writer) error {
	for _, name := range c.Only {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("no benchmark %q: there are %s", name, strings.Join(names(), ", "))
		}
	}
	var rows []bench.Row
	var errs []error
	for _, b := range benchmarks {
		if len(c.Only) > 0 && !slices.Contains(c.Only, b.name) {
			continue
		}
		c.say("%s …", b.name)
		start := time.Now()
		more, err := b.run(ctx, c)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
			c.say("%s: %v", b.name, err)
		}
		rows = append(rows, more...)
		c.say("%s: %s", b.name, time.Since(start).Round(time.Second))
		if ctx.Err() != nil {
			break
		}
	}
	met, err := bench.Print(stdout, rows)
	if errs = append(errs, err); !met {
		errs = append(errs, errors.New("not every goal was met"))
	}
	return errors.Join(errs...)
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
