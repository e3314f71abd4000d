package privacy

import (
	"math/big"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	// smallestLeak is the smallest leak that is claimed to be seen.
	smallestLeak metering.Amount = 5_000 // mL/h
	// leakPulses is how many pulses it must give in a window: with one alone a
	// single pulse in a quiet night could be anything.
	leakPulses = 2
	// leastWindow is that of a meter of 1 L a pulse. Finer meters use it too: a
	// shorter window would find a quiet moment beside almost any leak.
	leastWindow = 24 * time.Minute
	// mostDraw is more than any meter passes in a day, and keeps the sums exact.
	mostDraw metering.Amount = 1e12 // mL
	// unknownCount is taken for meters whose register does not say how finely it
	// counts, such as a float: the coarsest that is common.
	unknownCount metering.Amount = 10_000 // mL
)

// WindowFor returns the window over which the smallest leak that is claimed,
// 5 L/h, gives at least two pulses of a meter that counts so many mL a pulse:
// 24 min for 1 L, 4 h for 10 L.
func WindowFor(count metering.Amount) time.Duration {
	return max(leastWindow, time.Duration(leakPulses*count)*time.Hour/time.Duration(smallestLeak))
}

// A Quiet works out the quiet flow of a water meter, day by day, from its
// indexes: the smallest draw over any window of the day, which a leak keeps
// above nought and people do not, because they sleep or go out.
//
// A window goes from one reading to another at least the window's length later,
// both of the same civil day or at the midnight that ends it. A day gives no
// figure where a gap between its readings might hide its quietest moment, or
// where the index went down. It keeps a few dozen readings, however often the
// meter is read. It is not safe for concurrent use.
type Quiet struct {
	zone        *time.Location
	window, gap time.Duration

	day        civil.Date // zero before the first reading
	start, end time.Time
	last       sample
	starts     []sample // where windows may begin, oldest first
	best       QuietDay // of the day so far; its Window is 0 where there is none
	broken     bool
}

type sample struct {
	at    time.Time
	index metering.Amount
}

// A QuietDay is the quiet flow of one civil day.
type QuietDay struct {
	Start  time.Time       // the day's first instant, which names it
	Flow   metering.Amount // mL/h, rounded down
	Window time.Duration   // over which it was found
}

// NewQuiet works on the days of zone for a meter that counts so many mL a pulse
// and is read each interval.
func NewQuiet(zone *time.Location, count metering.Amount, interval time.Duration) *Quiet {
	window := WindowFor(count)
	// One missed poll is no gap, as long as windows do not become much longer.
	gap := max(interval*3/2, min(interval*5/2, window))
	return &Quiet{zone: zone, window: window, gap: gap}
}

// Observe takes the next reading, in order of time, and returns the day that it
// ends, if any. Readings that are not after the last are passed over, but for one
// so much before it that the clock must have been wrong then.
func (q *Quiet) Observe(at time.Time, index metering.Amount) (day QuietDay, ok bool) {
	now := sample{at, index}
	switch {
	case q.day.IsZero(), q.last.at.Sub(at) > clockWasWrong: // else nothing would be seen until it is passed
		q.begin(now)
		return day, false
	case !at.After(q.last.at):
		return day, false
	}
	ended := !at.Before(q.end)
	if at.Sub(q.last.at) > q.gap || index < q.last.index {
		q.broken = true
	}
	if !ended || at.Sub(q.end) <= q.gap {
		q.close(now)
	}
	q.last = now
	if !ended {
		q.open(now)
		return day, false
	}
	day, ok = q.best, !q.broken && q.best.Window > 0
	q.begin(now)
	return day, ok
}

// Forget drops what is known of the day.
func (q *Quiet) Forget() { *q = Quiet{zone: q.zone, window: q.window, gap: q.gap} }

// begin starts the day of a reading.
func (q *Quiet) begin(now sample) {
	q.day = civil.DateIn(now.at, q.zone)
	q.start, q.end = q.day.Bounds(q.zone)
	q.last, q.starts, q.best = now, append(q.starts[:0], now), QuietDay{Start: q.start}
	q.broken = now.at.Sub(q.start) > q.gap
}

// startsInWindow is how many beginnings of windows are kept in a window.
const startsInWindow = 32

// open keeps a reading as one where windows may begin.
func (q *Quiet) open(now sample) {
	if latest := q.starts[len(q.starts)-1]; now.at.Sub(latest.at) >= q.window/startsInWindow {
		q.starts = append(q.starts, now)
	}
}

// close looks at the shortest window that ends with a reading.
func (q *Quiet) close(now sample) {
	latest := -1
	for i, s := range q.starts {
		if now.at.Sub(s.at) < q.window {
			break
		}
		latest = i
	}
	if latest < 0 {
		return
	}
	from := q.starts[latest]
	q.starts = append(q.starts[:0], q.starts[latest:]...)
	draw, span := now.index-from.index, now.at.Sub(from.at)
	if draw > mostDraw {
		q.broken = true
		return
	}
	flow := draw * metering.Amount(time.Hour/time.Millisecond) / metering.Amount(span/time.Millisecond)
	if q.best.Window == 0 || flow < q.best.Flow {
		q.best.Flow, q.best.Window = flow, span
	}
}

// sameAs reports whether both work on the same days in the same way.
func (q *Quiet) sameAs(other *Quiet) bool {
	return q.zone.String() == other.zone.String() && q.window == other.window && q.gap == other.gap
}

// readings are the day's two figures. They bear the day's first instant, as
// points of the rollup do: the figure is of whoever lived there on that day, not
// of who moves in at the midnight that ends it.
func (d QuietDay) readings(meter metering.MeterID) []wire.UnitReading {
	reading := func(q metering.Quantity, u metering.Unit, n metering.Amount) wire.UnitReading {
		return wire.UnitReading{Unit: u, Reading: metering.Reading{Meter: meter, Quantity: q, At: d.Start.UTC(), Amount: n}}
	}
	return []wire.UnitReading{
		reading(metering.QuietFlow, metering.MillilitrePerHour, d.Flow),
		reading(metering.QuietWindow, metering.Second, metering.Amount(d.Window/time.Second)),
	}
}

// quietMeters returns a worker for each water meter that is polled.
func quietMeters(c *firmwareconfig.Gateway, zone *time.Location) map[metering.MeterID]*Quiet {
	all := map[metering.MeterID]*Quiet{}
	for _, b := range c.Buses {
		for _, d := range b.Devices {
			interval := d.Interval
			if interval == 0 {
				interval = b.Interval
			}
			for _, m := range d.Meters {
				if m.Kind == metering.ColdWater || m.Kind == metering.HotWater {
					all[m.ID] = NewQuiet(zone, countOf(d, m), interval)
				}
			}
		}
	}
	return all
}

// countOf is what one count of a meter's index register stands for, in mL.
func countOf(d firmwareconfig.Device, m firmwareconfig.Meter) metering.Amount {
	profile, err := d.Map()
	if err != nil {
		return unknownCount
	}
	for _, r := range profile.Of(m.Channel, d.DoubtfulRegisters) {
		factor, err := r.Factor()
		if r.Quantity != metering.Index || err != nil || r.Type == "f32" || r.Type == "f64" {
			continue
		}
		if r.Weighed() {
			factor.Mul(factor, new(big.Rat).SetInt64(m.Pulse()))
		}
		count, _ := factor.Float64()
		return metering.Amount(max(1, count))
	}
	return unknownCount
}
