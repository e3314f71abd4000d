package alerts

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// judgingHour is when the nights are judged, when few have begun to draw.
const judgingHour = 7

// Morning is the instant at which the night before a civil day is judged, 7
// o'clock in the zone; the days of a curve that is judged each morning go from
// one to the next and have 23 or 25 hours where the clock changes.
func Morning(date civil.Date, zone *time.Location) time.Time {
	return time.Date(date.Year, date.Month, date.Day, judgingHour, 0, 0, 0, zone)
}

// DaysOfCurve returns the quiet days of a curve about one window: those of 24
// hours that end at now, a day before, and so on back to its begin, the oldest
// first. Days with a gap are left out.
func DaysOfCurve(curve []metering.Reading, now time.Time, window time.Duration) []QuietDay {
	if len(curve) == 0 {
		return nil
	}
	var days []QuietDay
	known := int(now.Sub(curve[0].At)/(24*time.Hour)) + 1
	for n := min(known, historyDays); n > 0; n-- {
		from := now.Add(-time.Duration(n) * 24 * time.Hour)
		if day, ok := Quietest(curve, from, from.Add(24*time.Hour), window); ok {
			days = append(days, day)
		}
	}
	return days
}

// Nights are a meter's quiet days about each of [Windows], the shortest window
// and the oldest day first; with the quiet_flow alone there is one list.
type Nights [][]QuietDay

// LastAbout returns the last day that tells whether the finding still shows: one
// about the same window. It returns false where there is none.
func (n Nights) LastAbout(f Finding) (day QuietDay, known bool) {
	for _, about := range n {
		if len(about) > 0 && (!known || about[len(about)-1].About <= f.DayWindow) {
			day, known = about[len(about)-1], true
		}
	}
	return day, known
}

// LeakInCurve judges the index curve of a water meter, of ten minutes or finer,
// up to now. It is [Leak] about each of [Windows], the shortest first, with the
// begin and the flow as narrow as the curve tells them.
func LeakInCurve(m Meter, curve []metering.Reading, now time.Time) Verdict {
	var nights Nights
	for _, window := range Windows(m.Count) {
		nights = append(nights, DaysOfCurve(curve, now, window))
	}
	return LeakInWindows(m, nights, curve)
}

// LeakInWindows is [LeakInCurve] for who has the quiet days already: those kept
// from run to run, or the daily quiet_flow alone, which costs a run over many
// homes one figure a day each. Of the curve it needs the days that flow and the
// one before, and none where nothing flows.
func LeakInWindows(m Meter, nights Nights, curve []metering.Reading) Verdict {
	verdict := Verdict{Outcome: Nothing}
	for _, about := range nights {
		v := Leak(m, about)
		switch {
		case v.Outcome == Alarm || v.Outcome == Ask:
			v.Finding = narrow(m, v.Finding, curve, about[len(about)-1].End)
			return m.judge(v.Finding)
		case v.Outcome == Refused && verdict.Outcome == Nothing:
			verdict = v
		}
	}
	return verdict
}

// narrow tells the begin and the flow of a finding more closely.
func narrow(m Meter, f Finding, curve []metering.Reading, now time.Time) Finding {
	if quiet, ok := lastQuiet(m, f, curve, now); ok {
		// From then on each window flows, so that it began before the next was over.
		f.Source, f.Since = FromCurve, Since{Earliest: quiet.From.At, Latest: quiet.To.At.Add(f.DayWindow)}
	}
	from := f.Since.Latest
	if recent := now.Add(-72 * time.Hour); recent.After(from) {
		from = recent // leaks grow
	}
	for _, window := range []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour} {
		if window <= f.Window {
			continue
		}
		// Over a longer window a pulse more or less weighs less, but people draw.
		if day, ok := Quietest(curve, from, now, window); ok && day.flow(m.Count).High < f.Flow.High {
			f.Flow, f.Window, f.Why = day.flow(m.Count), day.Window, day.explain(m.Kind)
			f.Source, f.Smallest = FromCurve, Smallest(m.Count, day.Window)
		}
	}
	return f
}

// lastQuiet is the last window of the finding's length before now that did not
// flow, if it lies after the finding's earliest begin.
func lastQuiet(m Meter, f Finding, curve []metering.Reading, now time.Time) (QuietDay, bool) {
	return lastWindow(within(curve, f.Since.Earliest, now), f.DayWindow, func(d QuietDay) bool {
		return d.pulses(m.Count) < f.Level
	})
}
