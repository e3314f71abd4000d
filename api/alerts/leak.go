package alerts

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// tolerated is the chance of a false case that a household's own past may
	// leave: one in 10,000 such series of days.
	tolerated = 1e-4
	// patient is the same for what only long windows show: a drip of a litre or
	// two an hour can wait some days, and most homes that never sleep look like it.
	patient = 1e-6
	// leastLong is on how many days in a row long windows have to flow at the
	// least: two are often a weekend with visitors.
	leastLong = 3
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

// longWindow is from which length on a window without water is not found in
// every home on every day.
const longWindow = 45 * time.Minute

// prior is how often a day of a home without a leak has at least two pulses in
// every window of that length. Half an hour without water is found in every
// home, every day; an hour or four are not.
func prior(window time.Duration) float64 {
	if window < longWindow {
		return 1e-4
	}
	return 0.03
}

// Leak judges the quiet days of a meter up to the last one. They are in order of
// time, of one source and about one window; days that are not known are left
// out. Three weeks of them are enough, more are better: they tell how quiet this
// home is without a leak.
//
// A leak is alarmed when the last days each had two pulses or more in every
// window, on so many days in a row that this household does so by chance less
// than once in 10,000, and once in a million where a leak of 5 L/h would show in
// windows half as long. A flow that a hose gives is asked about first.
func Leak(m Meter, days []QuietDay) Verdict {
	if r := m.fit(); r != nil {
		return refused(r)
	}
	if len(days) == 0 {
		return refused(m.refusal(ErrTooFewDays))
	}
	last := days[len(days)-1]
	// A home that is never quiet is judged by what exceeds its own habit.
	for _, level := range m.levels(days) {
		first := runFrom(days, m.Count, level)
		needed, chance := nightsNeeded(days[:first], m.Count, level, last)
		if nights := len(days) - first; nights >= needed {
			return m.found(days, first, level, math.Pow(chance, float64(nights)))
		}
	}
	if last.pulses(m.Count) == leakPulses-1 {
		return m.doubtful(days)
	}
	return Verdict{Outcome: Nothing}
}

// levels are the numbers of pulses that the last day reaches and at which another
// set of days flows, the least first: from two pulses on, and from 1 L/h on, since
// a fine meter counts drops that nobody calls a leak.
func (m Meter) levels(days []QuietDay) []int {
	last := days[len(days)-1]
	least := QuietDay{Draw: volume(leastDrip, last.Window)}
	levels := []int{max(leakPulses, least.pulses(m.Count))}
	for _, d := range days[max(0, len(days)-historyDays):] {
		levels = append(levels, max(levels[0], d.pulses(m.Count)+1))
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	above := slices.IndexFunc(levels, func(level int) bool { return level > last.pulses(m.Count) })
	return levels[:above] // the last day's own pulses and one more is above
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
// at a level before it is no chance, and the chance of one such day. The days are
// about the same window as the last.
func nightsNeeded(past []QuietDay, count metering.Amount, level int, last QuietDay) (nights int, chance float64) {
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
	limit := tolerated
	if last.About >= 2*Windows(count)[0] {
		limit = patient
	}
	chance = (flowing + priorDays*prior(last.Window)) / (known + priorDays)
	nights = int(math.Ceil(math.Log(limit)/math.Log(chance) - 1e-9))
	if last.Window >= longWindow {
		nights = max(nights, leastLong)
	}
	return nights, chance
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
		Level: level, DayWindow: quietest.About, Window: quietest.Window, Smallest: Smallest(m.Count, quietest.Window),
		Why: quietest.explain(m.Kind),
	}
	f.Since.Latest, f.Last = days[first].Start, days[len(days)-1].End
	if first > 0 { // it was quiet at some moment of that day, which may have been its first
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
	needed, _ := nightsNeeded(days[:first], m.Count, leakPulses-1, last)
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
