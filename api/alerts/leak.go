package alerts

import (
	"math"
	"sort"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// tolerated is the chance of a false case that a household's own past may
	// leave: one in 10,000 such series of days.
	tolerated = 1e-4
	// priorDays is how many days of the household itself weigh as much as what
	// is known of homes in general.
	priorDays = 10
	// historyDays is how far back habits are looked at.
	historyDays = 60
	// mostPause is the longest pause between two days of a series.
	mostPause = 60 * time.Hour
	// hoseFlow is the least flow, in mL/h, of a hose or a tap that somebody may
	// have opened on purpose: 5 L/min.
	hoseFlow metering.Amount = 300_000
	// askedFlow is from which flow on, in mL/h, a single day is asked about first:
	// a filling that ends late in the day leaves a part of its flow.
	askedFlow metering.Amount = 100_000
	// fillingNights is from how many such days in a row nobody fills a pool.
	fillingNights = 2
)

// prior is how often a day of a home without a leak has at least two pulses in
// every window of that length. Half an hour without water is found in every
// home, every day; an hour or four are not.
func prior(window time.Duration) float64 {
	switch {
	case window < 45*time.Minute:
		return 1e-4
	default:
		return 0.03
	}
}

// Leak judges the quiet days of a meter up to the last one. They are in order of
// time, of one source and about one window; days that are not known are left
// out. Three weeks of them are enough, more are better: they tell how quiet this
// home is without a leak.
//
// A leak is alarmed when the last days each had two pulses or more in every
// window, on so many days in a row that this household does so by chance less
// than once in 10,000. A flow that a hose gives is asked about first.
func Leak(m Meter, days []QuietDay) Verdict {
	if r := m.fit(); r != nil {
		return refused(r)
	}
	if len(days) == 0 {
		return refused(m.refusal(ErrTooFewDays))
	}
	last := days[len(days)-1]
	// A home that is never quiet is judged by what exceeds its own habit.
	for level := leakPulses; level <= last.pulses(m.Count); level++ {
		first := runFrom(days, m.Count, level)
		needed, chance := nightsNeeded(days[:first], m.Count, level, last.Window)
		if nights := len(days) - first; nights >= needed {
			return m.found(days, first, level, math.Pow(chance, float64(nights)))
		}
	}
	if last.pulses(m.Count) == leakPulses-1 {
		return m.doubtful(days)
	}
	return Verdict{Outcome: Nothing}
}

// runFrom returns where the series of days that flow at a level, and that the
// last day ends, begins.
func runFrom(days []QuietDay, count metering.Amount, level int) int {
	first := len(days)
	for first > 0 && days[first-1].pulses(count) >= level {
		if first < len(days) && days[first].Start.Sub(days[first-1].End) > mostPause {
			break
		}
		first--
	}
	return first
}

// nightsNeeded returns how many days in a row a home with that past has to flow
// at a level before it is no chance, and the chance of one such day.
func nightsNeeded(past []QuietDay, count metering.Amount, level int, window time.Duration) (nights int, chance float64) {
	var known, flowing float64
	for i := len(past) - 1; i >= 0 && known < historyDays; i-- {
		if past[i].Leak {
			continue
		}
		known++
		if past[i].pulses(count) >= level {
			flowing++
		}
	}
	chance = (flowing + priorDays*prior(window)) / (known + priorDays)
	return int(math.Ceil(math.Log(tolerated)/math.Log(chance) - 1e-9)), chance
}

// found is the verdict on the days from first on.
func (m Meter) found(days []QuietDay, first, level int, chance float64) Verdict {
	quietest := days[len(days)-1]
	for _, d := range days[max(first, len(days)-3):] { // of the last days: leaks grow
		if perHour(d.Draw, d.Window) < perHour(quietest.Draw, quietest.Window) {
			quietest = d
		}
	}
	f := Finding{
		Cause: Cause{Subject: Water, Point: m.Point}, Source: quietest.Source,
		Flow: quietest.flow(m.Count), Nights: len(days) - first, Chance: chance,
		Level: level, DayWindow: quietest.Window, Window: quietest.Window, Smallest: Smallest(m.Count, quietest.Window),
		Why: quietest.explain(m.Kind),
	}
	// The day before was quiet at some moment, which may have been its first.
	f.Since = Since{Earliest: days[first].Start.Add(-24 * time.Hour), Latest: days[first].Start}
	if first > 0 && days[first].Start.Sub(days[first-1].Start) > 24*time.Hour {
		f.Since.Earliest = days[first-1].Start
	}
	return m.judge(f)
}

// judge turns a finding into a verdict: the least that is claimed is what the
// meter can show, and what a hose gives is asked about.
func (m Meter) judge(f Finding) Verdict {
	class, ok := Classify(f.Flow.Likely)
	if err := m.Claim(f.Flow.High, f.Window); err != nil || !ok {
		r := m.refusal(ErrBelowDrip)
		r.Flow, r.Window, r.Smallest = f.Flow.Likely, f.Window, f.Smallest
		return refused(r)
	}
	f.Class = class
	if f.Flow.Low >= askedFlow && f.Nights < fillingNights {
		return Verdict{Outcome: Ask, Finding: f}
	}
	return Verdict{Outcome: Alarm, Finding: f}
}

// doubtful refuses a series of days with one pulse in every window: something
// may drip, and this meter cannot tell.
func (m Meter) doubtful(days []QuietDay) Verdict {
	first := runFrom(days, m.Count, leakPulses-1)
	last := days[len(days)-1]
	needed, _ := nightsNeeded(days[:first], m.Count, leakPulses-1, last.Window)
	if len(days)-first < max(needed, 2) {
		return Verdict{Outcome: Nothing}
	}
	r := m.refusal(ErrBelowResolution)
	r.Flow, r.Window, r.Smallest = last.flow(m.Count).Likely, last.Window, Smallest(m.Count, last.Window)
	return refused(r)
}

// firstAt returns the first reading that is not before an instant.
func firstAt(curve []metering.Reading, at time.Time) int {
	return sort.Search(len(curve), func(i int) bool { return !curve[i].At.Before(at) })
}
