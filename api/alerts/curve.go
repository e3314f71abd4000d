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

// LeakInCurve judges the index curve of a water meter, of ten minutes or finer,
// up to now. It is [Leak] about each of [Windows], the shortest first, with the
// begin and the flow as narrow as the curve tells them.
func LeakInCurve(m Meter, curve []metering.Reading, now time.Time) Verdict {
	var days [][]QuietDay
	for _, window := range Windows(m.Count) {
		days = append(days, DaysOfCurve(curve, now, window))
	}
	return LeakInWindows(m, days, curve)
}

// LeakInWindows is [LeakInCurve] for who keeps the quiet days of each of
// [Windows]: a run each morning then looks at one new day only. Of the curve it
// needs the days that flow and the one before.
func LeakInWindows(m Meter, days [][]QuietDay, curve []metering.Reading) Verdict {
	verdict := Verdict{Outcome: Nothing}
	for _, about := range days {
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
		f.Since.Earliest = quiet.From.At
		if quiet.To.At.After(f.Since.Latest) {
			f.Since.Latest = quiet.To.At
		}
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
			f.Smallest = Smallest(m.Count, day.Window)
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
