package main

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// row judges a measurement. What is read meanwhile counts as well as the backlog.
func (c *commands) row(m measurement, bare time.Duration) bench.Row {
	goal := bench.All(fmt.Sprintf("%s of %d meters a minute within %s, live at most %s late", c.Outage, c.Meters, c.Within, c.Late),
		func(r bench.Row) bool { return r.Ours <= c.Within.Seconds() },
		func(bench.Row) bool { return m.live > 0 && m.latest <= c.Late })
	return bench.New(bench.Row{Bench: "replay", Ours: round(m.backlog), Limit: bench.Figure(round(bare)), Unit: "s",
		Note: fmt.Sprintf("%d readings, %d live packs at most %s late, none missing", m.readings, m.live, m.latest.Round(time.Millisecond))}, goal)
}

func round(d time.Duration) float64 { return d.Round(10 * time.Millisecond).Seconds() }

func (c *commands) say(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }
