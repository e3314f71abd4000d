package alerts

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// burstWindow is how long more than 60 L/h have to run in every window.
	burstWindow = 30 * time.Minute
	// burstSpan is for how long they have to run without a break.
	burstSpan = 3 * time.Hour
	// fillingSpan is from how long on nobody fills a pool any more.
	fillingSpan = 36 * time.Hour
	// Homes sleep from nightBegins to nightEnds; nobody opens a hose from
	// deepNight on.
	nightBegins, nightEnds, deepNight = 22, 6, 23
)

// BurstInCurve looks for more than 60 L/h in every half hour of the last three
// hours before now. At night that is a burst, at once. By day people may draw as
// much: below 5 L/min nothing is said before the night, and from there on the
// household is asked, for a hose or a forgotten tap looks the same. What began
// in the deep of night or has run for 36 hours is no filling.
func BurstInCurve(m Meter, curve []metering.Reading, now time.Time) Verdict {
	if r := m.fit(); r != nil {
		return refused(r)
	}
	from := now.Add(-burstSpan)
	day, ok := Quietest(curve, from, now, burstWindow)
	if !ok {
		return refused(m.refusal(ErrTooFewDays))
	}
	flow := day.flow(m.Count)
	part := within(curve, from, now)
	mean := perHour(part[len(part)-1].Amount-part[0].Amount, part[len(part)-1].At.Sub(part[0].At))
	if flow.Low <= mostOpenTap || flow.High < mean/2 { // people, or a filling that ends
		return Verdict{Outcome: Nothing}
	}
	began := lastBelow(m, curve, now)
	f := Finding{
		Cause: Cause{Subject: Water, Point: m.Point}, Source: FromCurve, Class: Burst, Flow: flow,
		Since: Since{Earliest: began, Latest: from}, Level: leakPulses, DayWindow: day.Window, Window: day.Window,
		Smallest: Smallest(m.Count, day.Window), Why: day.explain(m.Kind),
	}
	lasted := now.Sub(began)
	f.Nights = int(lasted / (24 * time.Hour))
	hour := began.In(m.Zone).Hour()
	deep := hour >= deepNight || hour < nightEnds-1
	switch {
	case lasted >= fillingSpan || deep, flow.Likely < hoseFlow && m.night(from, now):
		return Verdict{Outcome: Alarm, Finding: f}
	case flow.Likely >= hoseFlow:
		return Verdict{Outcome: Ask, Finding: f}
	default:
		return Verdict{Outcome: Nothing}
	}
}

// night reports whether [from, to] lies in one night.
func (m Meter) night(from, to time.Time) bool {
	for at := from; !at.After(to); at = at.Add(30 * time.Minute) {
		if h := at.In(m.Zone).Hour(); h < nightBegins && h >= nightEnds {
			return false
		}
	}
	return true
}

// lastBelow is the end of the last half hour before now with 60 L/h or less, or
// the curve's begin.
func lastBelow(m Meter, curve []metering.Reading, now time.Time) time.Time {
	part := within(curve, curve[0].At, now)
	below, ok := lastWindow(part, burstWindow, func(d QuietDay) bool { return d.flow(m.Count).Low <= mostOpenTap })
	if !ok {
		return part[0].At
	}
	return below.To.At
}
