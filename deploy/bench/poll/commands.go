package main

import (
	"context"
	"fmt"
	"io"
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

func (c *commands) benchmarks() []bench.Benchmark {
	return []bench.Benchmark{
		{Names: []string{"poll-9600"}, Run: c.cycleAt(9600, 1.05)},
		{Names: []string{"poll-19200"}, Run: c.cycleAt(19200, 1.05)},
		{Names: []string{"poll-38400"}, Run: c.cycleAt(38400, 1.05)},
		{Names: []string{"poll-115200"}, Run: c.cycleAt(115200, 1.08)},
		{Names: []string{"poll-dead-meters"}, Run: c.deadMeters},
		{Names: []string{"poll-memory"}, Run: c.memory},
		{Names: []string{"poll-tcp"}, Run: c.tcp},
		{Names: []string{"campaign"}, Run: c.faults},
		{Names: []string{"replay"}, Run: c.replay},
	}
}

// Run runs the benchmarks that were asked for; see [bench.Suite].
func (c *commands) Run(ctx context.Context, stdout io.Writer) error {
	return bench.Suite{Benchmarks: c.benchmarks(), Stdout: stdout, Stderr: c.stderr}.Run(ctx, c.Only)
}

// say tells whoever waits.
func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
