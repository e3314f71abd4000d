package alerts

import (
	"iter"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A QuietDay is the quietest window of a day of about 24 hours: the smallest
// draw over any window of that length.
type QuietDay struct {
	Start, End time.Time // of the day, [Start, End)
	Draw       metering.Amount
	Window     time.Duration
	// About is the length that was looked for; Window is that of the readings, as
	// long or a little longer.
	About  time.Duration
	Source Source
	// From and To are the indexes at the window's edges, from the curve only.
	From, To metering.Boundary
	// Leak says that the day lies in a case that was a leak, so that it tells
	// nothing of the household's habits.
	Leak bool
}

// OfFigure makes the day of the figures that a gateway reports: the quiet_flow in
// mL/h, the quiet_window over which it was found, and the day's first instant.
// What no meter can show is taken for the nearest that one can.
func OfFigure(start time.Time, flow metering.Amount, window time.Duration, zone *time.Location) QuietDay {
	_, end := civil.DateIn(start, zone).Bounds(zone)
	flow, window = min(max(0, flow), mostFlow), min(max(0, window), 25*time.Hour)
	draw := flow * metering.Amount(window/time.Second)
	return QuietDay{Start: start, End: end, Window: window, About: window, Source: FromQuietFlow,
		Draw: (draw + 1800) / 3600} // the figure is rounded down
}

// mostFlow is more than any meter passes, in mL/h.
const mostFlow metering.Amount = 1e9

// pulses is how many whole pulses the window held.
func (d QuietDay) pulses(count metering.Amount) int {
	count = max(1, count)
	return int((d.Draw + count/2) / count)
}

// flow is what the window tells of a leak. Over a whole day some window holds
// the fewest pulses that the leak allows, so that its flow lies between that
// number and one more.
func (d QuietDay) flow(count metering.Amount) Flow {
	n := metering.Amount(d.pulses(count))
	return Flow{
		Low:    perHour(n*count, d.Window),
		Likely: perHour(n*count+count/2, d.Window),
		High:   perHour((n+1)*count, d.Window),
	}
}

// explain is the window's draw as a figure that can explain itself.
func (d QuietDay) explain(kind metering.Kind) metering.Explanation {
	if d.Source == FromCurve {
		return metering.Explain(kind, d.From.At, d.To.At, []metering.Part{{From: d.From, To: d.To}})
	}
	return metering.Explanation{Kind: kind, Unit: kind.IndexUnit(), Used: d.Draw, Coverage: 1}
}

// Windows are the lengths over which the quietest draw of a day of the curve is
// looked at, the shortest first. In the first a leak of 5 L/h gives at least two
// pulses, as in the gateway's own figure; longer ones show smaller leaks, as long
// as most homes are quiet for so long.
func Windows(count metering.Amount) []time.Duration {
	first := max(30*time.Minute, time.Duration(leakPulses*count)*time.Hour/time.Duration(leastCistern))
	windows := []time.Duration{first}
	for _, longer := range []time.Duration{time.Hour, 2 * time.Hour} {
		if longer > first {
			windows = append(windows, longer)
		}
	}
	return windows
}

// mostGap is the longest pause between readings of a curve.
const mostGap = 25 * time.Minute

// A stretch without a hose has to be so many windows long, and at least that
// long, to hold the home's quietest moment as the day without the hose would.
const (
	undisturbedWindows = 3
	leastUndisturbed   = 6 * time.Hour
	// hoseRun is from which length on a hose's flow is no shower.
	hoseRun = time.Hour
)

// Quietest finds the quietest window of at least that length in the part of the
// curve that lies in [from, to]. The curve holds indexes of one meter in order
// of time. It returns false where readings are missing or the index went down,
// since the quietest moment may have been then, and where a hose ran for so long
// that it hides it.
func Quietest(curve []metering.Reading, from, to time.Time, window time.Duration) (day QuietDay, found bool) {
	part := within(curve, from, to)
	if !whole(part, from, to) || undisturbed(part) < max(leastUndisturbed, undisturbedWindows*window) && to.Sub(from) > leastUndisturbed {
		return QuietDay{}, false
	}
	for w := range windowsOf(part, window) {
		if !found || quieter(w, day) {
			found, w.Start, w.End, w.About = true, from, to, window
			day = w
		}
	}
	return day, found
}

// windowsOf goes through a curve's shortest windows of at least a length, one for
// each reading that may end it.
func windowsOf(part []metering.Reading, length time.Duration) iter.Seq[QuietDay] {
	return func(yield func(QuietDay) bool) {
		begin := 0
		for end := range part {
			for begin+1 < end && part[end].At.Sub(part[begin+1].At) >= length {
				begin++
			}
			w := QuietDay{Draw: part[end].Amount - part[begin].Amount, Window: part[end].At.Sub(part[begin].At),
				Source: FromCurve, From: boundary(part[begin]), To: boundary(part[end])}
			if w.Window >= length && !yield(w) {
				return
			}
		}
	}
}

// lastWindow is the last of a curve's windows that is so, or false.
func lastWindow(part []metering.Reading, length time.Duration, is func(QuietDay) bool) (last QuietDay, found bool) {
	for w := range windowsOf(part, length) {
		if is(w) {
			last, found = w, true
		}
	}
	return last, found
}

// quieter reports whether a is the smaller flow.
func quieter(a, b QuietDay) bool {
	return float64(a.Draw)*float64(b.Window) < float64(b.Draw)*float64(a.Window)
}

func boundary(r metering.Reading) metering.Boundary {
	return metering.Boundary{Meter: r.Meter, At: r.At, Index: r.Amount}
}

// mostIndex is more than any meter counts in its life, and keeps products exact.
const mostIndex metering.Amount = 1e15

// whole reports whether a part of a curve covers [from, to] without a gap, never
// goes down and shows nothing that no meter can.
func whole(part []metering.Reading, from, to time.Time) bool {
	if len(part) == 0 || part[0].At.Sub(from) > mostGap || to.Sub(part[len(part)-1].At) > mostGap {
		return false
	}
	if part[0].Amount < 0 || part[len(part)-1].Amount > mostIndex {
		return false
	}
	for i := 1; i < len(part); i++ {
		if part[i].At.Sub(part[i-1].At) > mostGap || part[i].Amount < part[i-1].Amount {
			return false
		}
	}
	return true
}

// undisturbed is the longest stretch in which no hose runs.
func undisturbed(part []metering.Reading) (longest time.Duration) {
	quietFrom, hoseFrom := part[0].At, part[0].At
	for i := 1; i < len(part); i++ {
		a, b := part[i-1], part[i]
		if perHour(b.Amount-a.Amount, b.At.Sub(a.At)) < hoseFlow {
			if a.At.Sub(hoseFrom) >= hoseRun {
				longest, quietFrom = max(longest, hoseFrom.Sub(quietFrom)), a.At
			}
			hoseFrom = b.At
		}
	}
	last := part[len(part)-1].At
	if last.Sub(hoseFrom) >= hoseRun {
		last = hoseFrom
	}
	return max(longest, last.Sub(quietFrom))
}

// within cuts the readings of [from, to] out of a curve.
func within(curve []metering.Reading, from, to time.Time) []metering.Reading {
	first := firstAt(curve, from)
	rest := curve[first:]
	return rest[:firstAt(rest, to.Add(1))]
}
