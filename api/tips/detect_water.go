package tips

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	mlPerL     = 1000
	mlPerM3    = 1_000_000
	hoursOfDay = 24
	// leastPulses is how many steps of the meter a leak must make within the
	// window, so that one step on the edge is not taken for a flow.
	leastPulses = 2
	// longestWindow is how long somebody may be expected to use no water at all
	// on a day.
	longestWindow = 5 * time.Hour
)

// continuousFlow finds water that never stops: on each of the last nights' days
// the smallest draw over a window lies in [min, max). The curve tells, or the
// quiet flow where there is no curve. The smallest of the days is what is
// claimed. A flow that the meter cannot resolve within the window is not.
func continuousFlow(h Home, k metering.Kind, with numbers) (Finding, bool) {
	m, ok := h.meter(k)
	if !ok {
		return Finding{}, false
	}
	nights := int(with["nights"])
	dates := lastNights(h.Today, nights)
	least := 0.0
	for i, date := range dates {
		flow, known := h.quietest(k, m, date, with["min_l_per_h"]*mlPerL)
		if !known || flow < with["min_l_per_h"]*mlPerL || flow >= with["max_l_per_h"]*mlPerL {
			return Finding{}, false
		}
		if i == 0 || flow < least {
			least = flow
		}
	}
	return found(dates[0], h.Today, nights, flowFigures(least), k)
}

func flowFigures(mlPerHour float64) numbers {
	return numbers{"flow_l_per_h": mlPerHour / mlPerL, "l_per_day": mlPerHour * hoursOfDay / mlPerL,
		"m3_per_year": mlPerHour * hoursOfDay * daysOfYear / mlPerM3}
}

// quietest is the smallest draw of a day in mL/h, over a window in which least
// mL/h makes two steps of the meter; false where it is not known.
func (h Home) quietest(k metering.Kind, m Meter, date civil.Date, least float64) (float64, bool) {
	needed := time.Duration(leastPulses * float64(max(1, m.Pulse)) / least * float64(time.Hour))
	window := max(time.Hour, needed)
	if curve := h.curve(k, date, date.AddDays(1)); len(curve) > 0 {
		if window > longestWindow {
			return 0, false
		}
		return smallestDraw(curve, window, fullLength(date, h.Zone))
	}
	for _, q := range m.Quiet {
		// A shorter window finds less, so that it never claims too much.
		if q.Date == date && q.Window >= needed {
			return float64(q.Flow), true
		}
	}
	return 0, false
}

func fullLength(date civil.Date, zone *time.Location) time.Duration {
	start, end := date.Bounds(zone)
	return end.Sub(start)
}

// smallestDraw slides a window over a day's curve. It knows nothing where the
// curve has a gap or an estimate.
func smallestDraw(curve []metering.IntervalConsumption, window, day time.Duration) (float64, bool) {
	if !gapless(curve, day) {
		return 0, false
	}
	least, known := 0.0, false
	var sum metering.Amount
	first := 0
	for _, c := range curve {
		sum += c.Used
		for c.End.Sub(curve[first].End) >= window {
			sum -= curve[first].Used
			first++
		}
		if span := c.End.Sub(curve[first].Start); span >= window {
			if flow := float64(sum) / span.Hours(); !known || flow < least {
				least, known = flow, true
			}
		}
	}
	return least, known
}

// gapless reports whether the measured intervals fill the length without a hole.
func gapless(curve []metering.IntervalConsumption, length time.Duration) bool {
	var sum time.Duration
	for _, c := range curve {
		if c.Quality != metering.Measured {
			return false
		}
		sum += c.End.Sub(c.Start)
	}
	return sum >= time.Duration(fullDay*float64(length))
}

// burst finds a large leak: hours of flow in the night without a pause, or a day
// far above the home's own, whose quiet flow, where it is known, does not say
// that the water stood still.
func burst(h Home, k metering.Kind, with numbers) (Finding, bool) {
	m, ok := h.meter(k)
	if !ok {
		return Finding{}, false
	}
	last, least := h.Today.AddDays(-1), with["min_l_per_h"]*mlPerL
	if curve := h.curve(k, last, h.Today); len(curve) > 0 {
		night := before(curve, last.Start(h.Zone).Add(6*time.Hour))
		flow, known := smallestDraw(night, 30*time.Minute, 6*time.Hour)
		if longest := longestRun(night, least); known && longest >= time.Duration(with["hours"]*float64(time.Hour)) {
			return found(last, h.Today, 1, flowFigures(max(flow, least)), k)
		}
		return Finding{}, false
	}
	return burstDay(h, k, m, with)
}

func burstDay(h Home, k metering.Kind, m Meter, with numbers) (Finding, bool) {
	last, least := h.Today.AddDays(-1), with["min_l_per_h"]*mlPerL
	usual := h.days(k, h.Today.AddDays(-29), last)
	today := h.days(k, last, h.Today)
	if !enough(len(usual), 28) || len(today) == 0 {
		return Finding{}, false
	}
	for _, q := range m.Quiet {
		if q.Date == last && float64(q.Flow) < least {
			return Finding{}, false
		}
	}
	middle := median(used(usual))
	extra := (float64(today[0].Used) - middle) / hoursOfDay
	if float64(today[0].Used) <= with["times_median"]*middle || extra < least {
		return Finding{}, false
	}
	return found(last, h.Today, 1, flowFigures(extra), k)
}

func before(curve []metering.IntervalConsumption, at time.Time) []metering.IntervalConsumption {
	for i, c := range curve {
		if !c.Start.Before(at) {
			return curve[:i]
		}
	}
	return curve
}

// longestRun is the longest time in which every half hour flows faster than
// least mL/h. A half hour, because a meter of 10 L a step counts a leak of
// 80 L/h as ten minutes with one step and ten with two.
func longestRun(curve []metering.IntervalConsumption, least float64) time.Duration {
	const window = 30 * time.Minute
	var longest time.Duration
	var sum metering.Amount
	var since time.Time
	first := 0
	for _, c := range curve {
		sum += c.Used
		for c.End.Sub(curve[first].End) >= window {
			sum -= curve[first].Used
			first++
		}
		span := c.End.Sub(curve[first].Start)
		switch {
		case span < window:
		case float64(sum) <= least*span.Hours():
			since = time.Time{}
		case since.IsZero():
			since = curve[first].Start
			longest = max(longest, span)
		default:
			longest = max(longest, c.End.Sub(since))
		}
	}
	return longest
}

// awayFlow finds water that ran on declared days of absence; the first and the
// last day are left out, on which people still or already wash.
func awayFlow(h Home, k metering.Kind, with numbers) (Finding, bool) {
	for _, a := range h.Absences {
		from, to := a.From.AddDays(1), a.To.AddDays(-1)
		if h.Today.Before(to) {
			to = h.Today
		}
		if !from.Before(to) || to.Before(h.Today.AddDays(-7)) {
			continue
		}
		days := h.days(k, from, to)
		sum := mean(days) * float64(len(days))
		steps := leastPulses * float64(max(1, h.Meters[k].Pulse))
		if len(days) == 0 || mean(days) <= with["min_l_per_day"]*mlPerL || sum < steps {
			continue
		}
		return found(from, to, len(days), numbers{"days": float64(len(days)), "litres": sum / mlPerL,
			"l_per_day": mean(days) / mlPerL}, k)
	}
	return Finding{}, false
}

// levelShift finds weeks well above the home's own level: by the mean, and on
// most of the days, so that one filled pool is not a new level.
func levelShift(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n, base := int(with["days"]), int(with["base_days"])
	from := h.Today.AddDays(-n)
	now, past := h.last(k, n), h.days(k, from.AddDays(-base), from)
	if !enough(len(now), n) || !enough(len(past), base) {
		return Finding{}, false
	}
	for _, d := range past {
		if h.away(d.Date) { // the level before was not the usual one
			return Finding{}, false
		}
	}
	usual, above := median(used(past)), 0
	for _, d := range now {
		if float64(d.Used) > usual {
			above++
		}
	}
	rise := 100 * (median(used(now))/usual - 1)
	if usual == 0 || rise < with["rise_percent"] || 4*above < 3*len(now) {
		return Finding{}, false
	}
	return found(from, h.Today, len(now), numbers{"rise_percent": rise,
		"l_per_day": median(used(now)) / mlPerL, "usual_l_per_day": usual / mlPerL}, k)
}
