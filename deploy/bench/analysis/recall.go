package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	leastLeak, mostLeak = 2_000, 60_000 // mL/h
	shortest, longest   = time.Hour, 10 * 24 * time.Hour
	// claimed is from which flow on leaks have to be found.
	claimed metering.Amount = 5_000
	// How long a home has been read before its leak begins.
	leastPast, mostPast = 10, 30 // days
	// After a leak's end it may be found the next morning but one.
	aftermath = 36 * time.Hour
)

// within is how soon a leak of 5 L/h or more has to be found: 48 hours, and where
// a pulse is 10 L the day of its begin and four whole ones. A home that hardly
// sleeps draws the two pulses of such a leak in every four hours of one day of
// ten, so that only the fourth day in a row tells a leak from its people.
func within(w homes.Way) time.Duration {
	if w.Count > 1000 {
		return 120 * time.Hour
	}
	return 48 * time.Hour
}

// A score counts leaks.
type score struct {
	due, found     int // those that have to be found
	classed, sized int // of the found: of the true class, of a flow that holds the truth
	others, seen   int // those below 5 L/h or shorter, and how many of them were found
	early          int // of the found: a day before they had to be
	latest         time.Duration
}

func (s score) share() float64 {
	if s.due == 0 {
		return 0
	}
	return float64(s.found) / float64(s.due)
}

func (s score) plus(o score) score {
	return score{s.due + o.due, s.found + o.found, s.classed + o.classed, s.sized + o.sized,
		s.others + o.others, s.seen + o.seen, s.early + o.early, max(s.latest, o.latest)}
}

// recall lets leaks of 2 to 60 L/h into the water of homes, for one hour to ten
// days from a random moment on. The row is the worst way of reading.
func (c *commands) recall(ctx context.Context) ([]bench.Row, error) {
	kinds, real, note, err := c.watched()
	if err != nil {
		return nil, err
	}
	worst := 1.0
	for _, w := range homes.Ways {
		all, err := c.injectAll(ctx, w, kinds, real)
		if err != nil {
			return nil, err
		}
		c.say("%s: %.4f [%s] within %v, %.2f of them a day earlier, latest after %v; class right %.2f, flow's band holds the truth %.2f; "+
			"of %d smaller or shorter ones %d", w, all.share(), interval(all), within(w), ratio(all.early, all.found), all.latest.Round(time.Hour),
			ratio(all.classed, all.found), ratio(all.sized, all.found), all.others, all.seen)
		note += fmt.Sprintf("%s: %d/%d within %.0f h; ", w, all.found, all.due, within(w).Hours())
		worst = min(worst, all.share())
	}
	return []bench.Row{bench.New(bench.Row{Bench: "leaks-recall", Ours: worst, Unit: "of leaks", Note: note},
		bench.AtLeast(0.98, "of leaks of 5 L/h within 48 h, at 10 L a pulse 120 h"))}, nil
}

// injectAll lets leaks into the homes of every habit: half into the real one.
func (c *commands) injectAll(ctx context.Context, w homes.Way, kinds []homes.Habit, real homes.Home) (all score, err error) {
	for _, kind := range kinds {
		of := func(int) homes.Home { return real }
		n := c.Leaks / 2
		if kind != homes.Measured {
			of = func(i int) homes.Home { return homes.Of(c.Seed, kind, i) }
			n = (c.Leaks - n + len(homes.Habits) - 1) / len(homes.Habits)
		}
		s, err := inParallel(ctx, n, func(i int) score { return c.inject(w, of(i), i) })
		if err != nil {
			return score{}, err
		}
		c.say("  %-15s %-31s %3d of %3d leaks of at least 5 L/h that last %v found within it", w, kind, s.found, s.due, within(w))
		all = all.plus(s)
	}
	return all, nil
}

func ratio(a, b int) float64 { return float64(a) / float64(max(1, b)) }

func interval(s score) string {
	low, high := proportion(s.found, s.due)
	return fmt.Sprintf("%.4f, %.4f", low, high)
}

// inject lets the i-th leak into a home and says whether it was found.
func (c *commands) inject(w homes.Way, h homes.Home, i int) score {
	chance := homes.Chance(c.Seed, h.Habit, i, 1)
	past := time.Duration(leastPast+chance.IntN(mostPast-leastPast)) * 24 * time.Hour
	room := h.To.Sub(h.From) - past - longest - 24*time.Hour - aftermath
	from := h.From.Add(time.Duration(chance.Int64N(int64(room)))).Truncate(time.Minute)
	leak := homes.Draw{
		Start:  from.Add(past + time.Duration(chance.Int64N(int64(24*time.Hour)))).Truncate(time.Second),
		Length: shortest + time.Duration(chance.Int64N(int64(longest-shortest))),
		Flow:   metering.Amount(leastLeak * math.Pow(mostLeak/leastLeak, chance.Float64())),
	}
	watcher := homes.NewWatcher(w, h, chance)
	watcher.Run(from, leak.End().Add(aftermath), leak, leak.Start)
	if n := len(watcher.Opened); n > 0 && watcher.Opened[n-1].At.After(leak.Start) {
		return scoreOf(w, leak, &watcher.Opened[n-1])
	}
	return scoreOf(w, leak, nil)
}

// scoreOf counts one leak and the case that was opened after its begin, if any.
func scoreOf(w homes.Way, leak homes.Draw, hit *homes.Alarm) (s score) {
	if leak.Flow < claimed || leak.Length < within(w) {
		s.others = 1
		if hit != nil {
			s.seen = 1
		}
		return s
	}
	s.due = 1
	if hit == nil || hit.At.Sub(leak.Start) > within(w) {
		return s
	}
	f := hit.Verdict.Finding
	s.found, s.latest = 1, hit.At.Sub(leak.Start)
	if s.latest <= within(w)-24*time.Hour {
		s.early = 1
	}
	if class, _ := alerts.Classify(leak.Flow); class == f.Class {
		s.classed = 1
	}
	if f.Flow.Low <= leak.Flow && leak.Flow <= f.Flow.High {
		s.sized = 1
	}
	return s
}
