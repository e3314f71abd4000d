package alerts_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	day   = 24 * time.Hour
	litre = metering.Amount(1000)
)

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// midnight is that of a day of 2026 in Paris.
func midnight(t testing.TB, month time.Month, day int) time.Time {
	return civil.Date{Year: 2026, Month: month, Day: day}.Start(paris(t))
}

func meter(t testing.TB, count metering.Amount) alerts.Meter {
	return alerts.Meter{Point: "P-1", Kind: metering.ColdWater, Count: count, Zone: paris(t), Checked: true}
}

// regular is a home that draws at the same hours each day: 60 L at seven, 20 L
// at noon, 40 L at seven in the evening.
func regular(t testing.TB, from time.Time, days int) homes.Home {
	var draws []homes.Draw
	first := civil.DateIn(from, paris(t))
	for n := range days {
		for hour, litres := range map[int]metering.Amount{7: 60, 12: 20, 19: 40} {
			draws = append(draws, homes.Draw{Start: first.AddDays(n).Start(paris(t)).Add(time.Duration(hour) * time.Hour),
				Length: 15 * time.Minute, Flow: litres * 4 * litre})
		}
	}
	return homes.Home{Habit: homes.Ordinary, Zone: paris(t), From: from, To: from.Add(time.Duration(days) * day),
		Drawn: func(at time.Time) (drawn metering.Amount) {
			for _, d := range draws {
				drawn += d.Until(at)
			}
			return drawn
		}}
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		flow metering.Amount
		want alerts.Class
	}{
		{0, ""}, {999, ""}, {1_000, alerts.Drip}, {4_999, alerts.Drip}, {5_000, alerts.RunningCistern},
		{25_000, alerts.RunningCistern}, {39_999, alerts.RunningCistern}, {40_000, alerts.OpenTap},
		{60_000, alerts.OpenTap}, {60_001, alerts.Burst},
	} {
		got, ok := alerts.Classify(tt.flow)
		if got != tt.want || ok != (tt.want != "") || got.Urgent() != (tt.want == alerts.Burst) {
			t.Errorf("%d mL/h is %q, %v, urgent %v; want %q", tt.flow, got, ok, got.Urgent(), tt.want)
		}
	}
}

// Each class, in each way of reading, over the day of 25 hours: what it is, how
// much, since when, and that it is over when two nights were quiet.
func TestLeaks(t *testing.T) {
	from := midnight(t, time.October, 1)
	for _, w := range homes.Ways {
		for _, tt := range []struct {
			flow  metering.Amount
			class alerts.Class
		}{{2_500, alerts.Drip}, {16_000, alerts.RunningCistern}, {50_000, alerts.OpenTap}, {90_000, alerts.Burst}} {
			if tt.class == alerts.Drip && (!w.Curve || w.Count > litre) {
				continue // see TestDripBelowTheMeter
			}
			t.Run(fmt.Sprint(w, " ", tt.class), func(t *testing.T) {
				h := regular(t, from, 40)
				leak := homes.Draw{Start: from.Add(22*day + 15*time.Hour), Length: 6 * day, Flow: tt.flow}
				watcher := homes.NewWatcher(w, h, homes.Chance(1, h.Habit, 0, 0))
				watcher.Run(h.From, h.To, leak, time.Time{})
				if len(watcher.Opened) != 1 || len(watcher.Book) != 1 {
					t.Fatalf("%d cases were opened, want 1: %+v", len(watcher.Opened), watcher.Opened)
				}
				checkLeak(t, w, tt.class, leak, watcher.Opened[0], watcher.Book[0])
			})
		}
	}
}

func checkLeak(t *testing.T, w homes.Way, class alerts.Class, leak homes.Draw, opened homes.Alarm, c alerts.Case) {
	t.Helper()
	f := c.Finding // the latest
	if f.Class != class || f.Flow.Low > leak.Flow || f.Flow.High < leak.Flow {
		t.Errorf("%s of %d to %d mL/h, want %s of %d", f.Class, f.Flow.Low, f.Flow.High, class, leak.Flow)
	}
	late := 4 * day
	if w.Count == litre && class != alerts.Drip {
		late = 2 * day
	}
	if took := opened.At.Sub(leak.Start); took < 0 || took > late {
		t.Errorf("opened after %s, want within %s", took, late)
	}
	if f.Since.Earliest.After(leak.Start) || f.Since.Latest.Before(leak.Start.Add(-day)) || f.Since.Latest.Sub(leak.Start) > 2*day {
		t.Errorf("since %v to %v, it began %v", f.Since.Earliest, f.Since.Latest, leak.Start)
	}
	if f.Flow.Low < alerts.Smallest(w.Count, f.Window) || f.Smallest != alerts.Smallest(w.Count, f.Window) {
		t.Errorf("%d mL/h is claimed, the meter shows no less than %d in %s", f.Flow.Low, f.Smallest, f.Window)
	}
	if len(f.Why.Parts) != map[bool]int{true: 1, false: 0}[w.Curve] || f.Why.Used <= 0 {
		t.Errorf("the curve explains by two indexes, quiet_flow by none: %+v", f.Why)
	}
	if least, most := f.Lost(leak.End()); least > leak.Until(leak.End()) || most < leak.Until(leak.End())*9/10 {
		t.Errorf("lost %d to %d mL, want about %d", least, most, leak.Until(leak.End()))
	}
	over := c.Steps[len(c.Steps)-1]
	if c.State != alerts.Stopped || over.At.Before(leak.End().Add(day)) || over.At.After(leak.End().Add(4*day)) {
		t.Errorf("%s at %v; it ended at %v, two quiet nights stop it", c.State, over.At, leak.End())
	}
	if i := len(c.Steps) - 2; i < 0 || c.Steps[i].State != alerts.Confirmed {
		t.Errorf("six days did not confirm it: %v", c.Steps)
	}
}

// What the meter cannot show is not claimed, and the refusal says what it could.
func TestDripBelowTheMeter(t *testing.T) {
	from := midnight(t, time.May, 4)
	for _, tt := range []struct {
		way   homes.Way
		flow  metering.Amount
		wants []string
	}{
		{homes.Way{Curve: false, Count: litre}, 2_100, []string{"below what the meter can show", "1000 mL a pulse", "fit a finer meter"}},
		{homes.Way{Curve: false, Count: 10 * litre}, 3_000, []string{"10000 mL a pulse"}},
		{homes.Way{Curve: true, Count: 10 * litre}, 3_000, []string{"10000 mL a pulse"}},
	} {
		t.Run(tt.way.String(), func(t *testing.T) {
			h := regular(t, from, 40)
			watcher := homes.NewWatcher(tt.way, h, homes.Chance(2, h.Habit, 0, 0))
			watcher.Run(h.From, h.To, homes.Draw{Start: from.Add(20 * day), Length: 30 * day, Flow: tt.flow}, time.Time{})
			if len(watcher.Opened) > 0 {
				t.Fatalf("claimed: %+v", watcher.Opened[0])
			}
			r := watcher.Refused
			if r == nil || !errors.Is(r, alerts.ErrBelowResolution) || r.Message() != "alerts.below_resolution" || r.Flow >= r.Smallest {
				t.Fatalf("refusal %+v", r)
			}
			for _, want := range tt.wants {
				if !strings.Contains(r.Error(), want) {
					t.Errorf("%q does not say %q", r, want)
				}
			}
		})
	}
}

func TestClaim(t *testing.T) {
	for _, tt := range []struct {
		count, flow metering.Amount
		window      time.Duration
		want        error
	}{
		{litre, 4_000, 30 * time.Minute, nil}, {litre, 3_999, 30 * time.Minute, alerts.ErrBelowResolution},
		{litre, 1_000, 2 * time.Hour, nil}, {litre, 999, 8 * time.Hour, alerts.ErrBelowDrip},
		{10 * litre, 5_000, 4 * time.Hour, nil}, {10 * litre, 4_999, 4 * time.Hour, alerts.ErrBelowResolution},
		{10 * litre, 18_000, 30 * time.Minute, alerts.ErrBelowResolution},
	} {
		if err := meter(t, tt.count).Claim(tt.flow, tt.window); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%d mL/h in %s at %d mL a pulse: %v, want %v", tt.flow, tt.window, tt.count, err, tt.want)
		}
	}
}

// Meters that may not be judged, and what is too little to judge.
func TestRefusals(t *testing.T) {
	start := midnight(t, time.May, 4)
	flowing := []alerts.QuietDay{alerts.OfFigure(start, 30_000, 30*time.Minute, paris(t))}
	unchecked, heat := meter(t, litre), meter(t, litre)
	unchecked.Checked = false
	heat.Kind = metering.Heat
	for _, tt := range []struct {
		name  string
		meter alerts.Meter
		days  []alerts.QuietDay
		want  error
	}{
		{"not checked", unchecked, flowing, alerts.ErrUnchecked},
		{"heat", heat, flowing, alerts.ErrNotWater},
		{"no day", meter(t, litre), nil, alerts.ErrTooFewDays},
	} {
		v := alerts.Leak(tt.meter, tt.days)
		if v.Outcome != alerts.Refused || !errors.Is(v.Refusal, tt.want) || v.Refusal.Message() == "" || v.Refusal.Error() == "" {
			t.Errorf("%s: %+v, want a refusal because of %v", tt.name, v, tt.want)
		}
		if v := alerts.BurstInCurve(tt.meter, nil, start); v.Outcome != alerts.Refused {
			t.Errorf("%s: burst %+v, want a refusal", tt.name, v)
		}
	}
}

// People are no leak: each difficult home, in each way of reading, for six
// months, and the real one for eight. Rates over many homes are the benchmark's.
func TestPeopleAreNoLeak(t *testing.T) {
	real, err := homes.Real(filepath.Join("..", "..", "..", "shared", "data", homes.RealFile))
	if err != nil {
		t.Logf("without the real home: %v", err)
	}
	for _, kind := range append([]homes.Habit{homes.Measured}, homes.Habits...) {
		if kind == homes.Measured && err != nil {
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := real
			if kind != homes.Measured {
				h = homes.Of(11, kind, 0)
			}
			for _, w := range homes.Ways {
				watcher := homes.NewWatcher(w, h, homes.Chance(11, kind, 0, 0))
				watcher.Run(h.From, h.To, homes.Draw{}, time.Time{})
				if len(watcher.Opened) > 0 {
					t.Errorf("%s: a case at %v: %+v", w, watcher.Opened[0].At, watcher.Opened[0].Verdict.Finding)
				}
				if kind != homes.Pool && len(watcher.Asked) > 0 {
					t.Errorf("%s: asked at %v", w, watcher.Asked[0].At)
				}
				if kind == homes.Pool && w.Curve && len(watcher.Asked) != 6 {
					t.Errorf("%s: %d questions to who filled a pool six times", w, len(watcher.Asked))
				}
			}
		})
	}
}

// A home that is never quiet for half an hour has its leak found by what exceeds
// its own habit, and not before.
func TestHabitCounts(t *testing.T) {
	start := midnight(t, time.May, 1)
	of := func(n int, litres metering.Amount) alerts.QuietDay {
		return alerts.OfFigure(civil.DateIn(start, paris(t)).AddDays(n).Start(paris(t)), litres*2*litre, 30*time.Minute, paris(t))
	}
	var days []alerts.QuietDay
	for n := range 40 {
		days = append(days, of(n, 2+metering.Amount(n%2))) // two or three pulses in every half hour
	}
	if v := alerts.Leak(meter(t, litre), days); v.Outcome != alerts.Alarm || v.Finding.Nights != 40 || !v.Finding.Since.Earliest.IsZero() {
		t.Errorf("never quiet from the first day on: %+v", v) // as a leak that is older than the meter
	}
	for i := range days {
		if i%5 == 0 {
			days[i] = of(i, 0)
		}
	}
	days = days[:36] // the last is quiet
	if v := alerts.Leak(meter(t, litre), append(days, of(36, 3))); v.Outcome != alerts.Nothing {
		t.Errorf("a day as four of five: %+v", v)
	}
	v := alerts.Leak(meter(t, litre), append(days, of(36, 15), of(37, 16), of(38, 15)))
	if v.Outcome != alerts.Alarm || v.Finding.Level < 4 || v.Finding.Nights != 3 || v.Finding.Chance > 1e-4 {
		t.Errorf("30 L/h besides: %+v", v)
	}
	for i := range days { // what was a leak is no habit
		days[i].Leak = days[i].Draw > 0
	}
	if v := alerts.Leak(meter(t, litre), append(days, of(36, 3))); v.Outcome != alerts.Alarm {
		t.Errorf("a day as those of the last leak: %+v", v)
	}
}

// A meter that counts millilitres: drops are no leak, however long they fall, and
// what comes besides has begun when it came.
func TestFineMeter(t *testing.T) {
	start := midnight(t, time.May, 1)
	m := meter(t, 1)
	var days []alerts.QuietDay
	for n := range 40 {
		flow := metering.Amount(400) // mL/h
		if n >= 38 {
			flow = 5_500_000
		}
		days = append(days, alerts.OfFigure(civil.DateIn(start, paris(t)).AddDays(n).Start(paris(t)), flow, 30*time.Minute, paris(t)))
	}
	if v := alerts.Leak(m, days[:38]); v.Outcome != alerts.Nothing {
		t.Errorf("drops: %+v", v)
	}
	v := alerts.Leak(m, days)
	if v.Outcome != alerts.Alarm || v.Finding.Nights != 2 || !v.Finding.Since.Latest.Equal(days[38].Start) {
		t.Errorf("a burst besides: %+v", v)
	}
	// No figure of a gateway, however wrong, makes the judgement long.
	wrong := append(days, alerts.OfFigure(days[39].End, math.MaxInt64/4000, 4*time.Hour, paris(t)))
	if v := alerts.Leak(m, wrong); v.Outcome == "" {
		t.Errorf("%+v", v)
	}
}
