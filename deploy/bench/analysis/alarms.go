package main

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
)

// monthDays is what a household-month has.
const monthDays = 30

// A tally counts what was opened where nothing leaks.
type tally struct {
	months        float64
	opened, asked int
}

func (t tally) plus(o tally) tally {
	return tally{t.months + o.months, t.opened + o.opened, t.asked + o.asked}
}

// falseAlarms watches homes without a leak, from their first day on, for six
// months each, and the real one throughout. The row is the worst way of reading,
// in cases per 100 household-months.
func (c *commands) falseAlarms(ctx context.Context) ([]bench.Row, error) {
	kinds, real, note, err := c.watched()
	if err != nil {
		return nil, err
	}
	worst := 0.0
	for _, w := range homes.Ways {
		all, err := c.watchAll(ctx, w, kinds, real)
		if err != nil {
			return nil, err
		}
		low, high := rate(all.opened, all.months/100)
		share := float64(all.opened) / all.months * 100
		c.say("%s: %.2f cases [%.2f, %.2f] and %.2f questions per 100 household-months, of %.0f", w, share, low, high,
			float64(all.asked)/all.months*100, all.months)
		note += fmt.Sprintf("%s: %d in %.0f, 95 %% [%.2f, %.2f]; ", w, all.opened, all.months, low, high)
		worst = max(worst, share)
	}
	return []bench.Row{bench.New(bench.Row{Bench: "leaks-false-alarms", Ours: worst, Unit: "cases/100 months", Note: note},
		bench.AtMost(1, "per 100 household-months"))}, nil
}

// watchAll watches the homes of every habit in one way.
func (c *commands) watchAll(ctx context.Context, w homes.Way, kinds []homes.Habit, real homes.Home) (all tally, err error) {
	each := (c.Months + 6*len(homes.Habits) - 1) / (6 * len(homes.Habits))
	for _, kind := range kinds {
		of, n := func(i int) homes.Home { return homes.Of(c.Seed, kind, i) }, each
		if kind == homes.Measured {
			of, n = func(int) homes.Home { return real }, 1
		}
		t, err := inParallel(ctx, n, func(i int) tally { return c.watch(w, of(i), i) })
		if err != nil {
			return tally{}, err
		}
		c.say("  %-15s %-31s %d cases, %d questions in %.0f months", w, kind, t.opened, t.asked, t.months)
		all = all.plus(t)
	}
	return all, nil
}

// watch watches a home without a leak.
func (c *commands) watch(w homes.Way, h homes.Home, i int) tally {
	watcher := homes.NewWatcher(w, h, homes.Chance(c.Seed, h.Habit, i, 2))
	watcher.Run(h.From, h.To, homes.Draw{}, time.Time{})
	return tally{h.To.Sub(h.From).Hours() / 24 / monthDays, len(watcher.Opened), len(watcher.Asked)}
}
