package alerts_test

import (
	"errors"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// storied is the cold water of the first flat of a story, for 50 days that end on
// a day after the epoch.
func storied(t *testing.T, s household.Story, until int) (homes.Home, *household.Meter) {
	t.Helper()
	epoch := civil.Date{Year: 2025, Month: time.October, Day: 23}
	r := household.New(3, epoch)
	for _, d := range r.Dwellings {
		for _, m := range d.Meters {
			if d.Has(s) && m.Kind == metering.ColdWater {
				return homes.Home{Habit: homes.Ordinary, Zone: r.Zone, From: epoch.AddDays(until - 50).Start(r.Zone), To: epoch.AddDays(until).Start(r.Zone),
					Drawn: func(at time.Time) metering.Amount { return r.Index(m, at) }}, m
			}
		}
	}
	t.Fatalf("no flat of the story %s", s)
	return homes.Home{}, nil
}

// The flat whose toilet leaks 25 L/h from day 340 on has its case within two days.
func TestLeakingToilet(t *testing.T) {
	h, m := storied(t, household.LeakingToilet, 350)
	begins := h.To.Add(-10 * day)
	for _, w := range []homes.Way{{Curve: true, Count: m.Count()}, {Curve: false, Count: m.Count()}} {
		watcher := homes.NewWatcher(w, h, homes.Chance(1, h.Habit, 0, 0))
		watcher.Run(h.From, h.To, homes.Draw{}, time.Time{})
		if len(watcher.Opened) != 1 {
			t.Fatalf("%s: %d cases", w, len(watcher.Opened))
		}
		c := watcher.Book[0]
		if took := watcher.Opened[0].At.Sub(begins); took < 0 || took > 2*day {
			t.Errorf("%s: opened after %s", w, took)
		}
		if f := c.Finding; f.Class != alerts.RunningCistern || f.Flow.Low > 25*litre || f.Flow.High < 25*litre || c.State != alerts.Confirmed {
			t.Errorf("%s: %s, %+v", w, c.State, f)
		}
	}
}

// Whoever works at night and whoever is careful has no leak.
func TestStoriesWithoutLeak(t *testing.T) {
	for _, s := range []household.Story{household.NightWorker, household.Careful, household.Empty} {
		h, m := storied(t, s, 200)
		for _, curve := range []bool{true, false} {
			watcher := homes.NewWatcher(homes.Way{Curve: curve, Count: m.Count()}, h, homes.Chance(1, h.Habit, 0, 0))
			watcher.Run(h.From, h.To, homes.Draw{}, time.Time{})
			if len(watcher.Opened)+len(watcher.Asked) > 0 {
				t.Errorf("%s: %d cases, %d questions", s, len(watcher.Opened), len(watcher.Asked))
			}
		}
	}
}

// With the daily figure of many days and the curve of a few the flow and the
// begin are as narrow as with the whole curve; a meter that is not checked, as in
// the two flats whose meters are swapped, has no case.
func TestQuietFlowThenCurve(t *testing.T) {
	h, m := storied(t, household.LeakingToilet, 344)
	rs := curve(h, h.From, h.To.Sub(h.From), homes.Draw{}, m.Count())
	quiet := privacy.NewQuiet(h.Zone, m.Count(), 10*time.Minute)
	var days []alerts.QuietDay
	for _, r := range rs {
		if d, ok := quiet.Observe(r.At, r.Amount); ok {
			days = append(days, alerts.OfFigure(d.Start, d.Flow, d.Window, h.Zone))
		}
	}
	short := rs[len(rs)-6*144:]
	of := alerts.Meter{Point: "P-1", Kind: m.Kind, Count: m.Count(), Zone: h.Zone, Checked: true}
	alone, both := alerts.Leak(of, days), alerts.LeakInWindows(of, alerts.Nights{days}, short)
	if alone.Outcome != alerts.Alarm || both.Outcome != alerts.Alarm || both.Finding.Source != alerts.FromCurve || len(both.Finding.Why.Parts) != 1 {
		t.Fatalf("%+v\n%+v", alone, both)
	}
	a, b, begins := alone.Finding, both.Finding, h.To.Add(-4*day)
	if width := b.Flow.High - b.Flow.Low; width*4 > a.Flow.High-a.Flow.Low || b.Flow.Low > 25*litre || b.Flow.High < 25*litre {
		t.Errorf("%+v, from the figure alone %+v", b.Flow, a.Flow)
	}
	if b.Since.Earliest.After(begins) || b.Since.Latest.Before(begins) || b.Since.Latest.Sub(b.Since.Earliest) > 2*time.Hour {
		t.Errorf("%+v, from the figure alone %+v; it began %s", b.Since, a.Since, begins)
	}
	of.Checked = false
	if v := alerts.LeakInWindows(of, alerts.Nights{days}, short); v.Outcome != alerts.Refused || !errors.Is(v.Refusal, alerts.ErrUnchecked) {
		t.Errorf("a meter that was not checked: %+v", v)
	}
}

// Budget: 0.1 ms a home, so that 60,000 homes take seconds.
func BenchmarkLeak(b *testing.B) {
	start := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	m := alerts.Meter{Point: "P-1", Kind: metering.ColdWater, Count: litre, Zone: time.UTC, Checked: true}
	var days []alerts.QuietDay
	for n := range 60 {
		days = append(days, alerts.OfFigure(start.AddDate(0, 0, n), metering.Amount(n/58)*30_000, 30*time.Minute, time.UTC))
	}
	for b.Loop() {
		if v := alerts.Leak(m, days); v.Outcome != alerts.Alarm {
			b.Fatalf("%+v", v)
		}
	}
}
