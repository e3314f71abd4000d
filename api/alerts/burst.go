package alerts

import (
	"slices"
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
	began, since := m.burstBegan(curve, now)
	f := Finding{
		Cause: Cause{Subject: Water, Point: m.Point}, Source: FromCurve, Class: Burst, Flow: flow,
		Since: since, Last: now, Level: leakPulses, DayWindow: day.About, Window: day.Window,
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

// burstBegan is when the last half hour before now with 60 L/h or less ended, and
// what that tells of the begin; where there is none, the curve's first instant.
func (m Meter) burstBegan(curve []metering.Reading, now time.Time) (time.Time, Since) {
	part := within(curve, curve[0].At, now)
	below, ok := lastWindow(part, burstWindow, func(d QuietDay) bool { return d.flow(m.Count).Low <= mostOpenTap })
	if !ok {
		return part[0].At, Since{Latest: part[0].At}
	}
	return below.To.At, Since{Earliest: below.From.At, Latest: below.To.At.Add(mostGap)}
}

const (
	// burstTimes is how many times a usual day a day has to be.
	burstTimes = 4
	// leastExcess is what 60 L/h let out in a night of eight hours.
	leastExcess metering.Amount = 480_000
	// leastUsual is how many days have to be known to tell what is usual.
	leastUsual = 14
	// awayDay is what a day uses at the most on which nobody is at home. Such days
	// tell nothing of what is usual: else the first day back would be a burst.
	awayDay metering.Amount = 5_000
	// leastLived is how many other days are enough to say that somebody lives
	// there.
	leastLived = 7
)

// BurstDays is how many of a meter's last days [BurstInDays] looks at.
const BurstDays = historyDays + 1

// BurstInDays looks at the last of a meter's days, for homes whose curve does not
// leave the flat: a day of more than four times the median of the days before it,
// and 480 L more, is asked about the next morning. It never alarms: a filled pool
// or a feast looks the same. The days are whole, in order of time, and those that
// are not known are left out.
func BurstInDays(m Meter, days []metering.IntervalConsumption) Verdict {
	if r := m.fit(); r != nil {
		return refused(r)
	}
	if len(days) <= leastUsual {
		return refused(m.refusal(ErrTooFewDays))
	}
	last, past := days[len(days)-1], days[max(0, len(days)-BurstDays):len(days)-1]
	usual := usualOf(past)
	excess := last.Used - usual
	if last.Used <= burstTimes*usual || excess < leastExcess {
		return Verdict{Outcome: Nothing}
	}
	whole := last.End.Sub(last.Start)
	return Verdict{Outcome: Ask, Finding: Finding{
		Cause: Cause{Subject: Water, Point: m.Point}, Source: FromDays, Class: Burst, Nights: 1,
		Flow:  Flow{Low: perHour(excess, whole), Likely: perHour(excess, whole), High: perHour(excess, burstSpan)},
		Since: Since{Earliest: last.Start, Latest: last.End}, Last: last.End, Level: leakPulses, DayWindow: whole, Window: whole,
		Smallest: Smallest(m.Count, whole),
		Why:      metering.Explanation{Kind: m.Kind, Unit: m.Kind.IndexUnit(), Used: last.Used, Quality: last.Quality, Coverage: 1},
	}}
}

// usualOf is the middle of what the days used on which somebody was at home, the
// lower of two; of an empty flat it is that of all.
func usualOf(days []metering.IntervalConsumption) metering.Amount {
	var all, lived []metering.Amount
	for _, d := range days {
		all = append(all, d.Used)
		if d.Used > awayDay {
			lived = append(lived, d.Used)
		}
	}
	if len(lived) >= leastLived {
		all = lived
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}
