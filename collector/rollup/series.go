package rollup

import (
	"math/bits"
	"slices"
	"sort"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A point is one kept reading with its continuous index: it goes on over
// rollovers, and stays where it is over a decrease or a jump that nothing
// explains. Of a flow that goes back and comes again it counts neither.
type point struct {
	at    time.Time
	index metering.Amount
}

// A series is what a run of readings of one meter says, cleaned of glitches.
type series struct {
	meter  *sites.Meter
	points []point
	// broken holds the points that end a decrease or a jump that nothing
	// explains.
	broken []int
	// origin: the first point is the meter's first reading.
	origin bool
}

// newSeries cleans rs, which are in order of time. Its continuous index begins
// with the first point's own index. Unless the first reading is the meter's very
// first, nobody knows whether it is a slip: it only helps to judge the second.
func newSeries(m *sites.Meter, rs []metering.Reading, origin bool) *series {
	s := &series{meter: m, origin: origin, points: make([]point, 0, len(rs))}
	if origin && len(rs) > 0 {
		s.points = append(s.points, point{rs[0].At, rs[0].Amount})
	}
	last := 0                  // the last kept reading
	owed := metering.Amount(0) // what flowed back and has not flowed again
	for i := 1; i < len(rs); i++ {
		if i+1 < len(rs) && s.glitch(rs[last], rs[i], rs[i+1]) {
			continue
		}
		if len(s.points) == 0 {
			s.points, last = append(s.points, point{rs[i].At, rs[i].Amount}), i
			continue
		}
		step, event := s.step(rs[last], rs[i])
		switch event {
		case back:
			owed, step = owed-step, 0
		case reset:
			owed = 0
		}
		if event != onward {
			s.broken = append(s.broken, len(s.points))
		}
		paid := min(owed, step)
		owed -= paid
		s.points = append(s.points, point{rs[i].At, s.points[len(s.points)-1].index + step - paid})
		last = i
	}
	return s
}

// glitch reports whether b is a slip between a and c: below both, where c has
// come back to a, or above both, where c would else be a decrease.
func (s *series) glitch(a, b, c metering.Reading) bool {
	if c.Amount < a.Amount {
		return false
	}
	return b.Amount < a.Amount || (b.Amount > c.Amount && !s.rolledOver(b, c))
}

// An event is what lies between two readings.
type event int

const (
	onward event = iota // the index went on, over a rollover or not
	back                // the flow went backwards: it is not counted when it comes again
	reset               // the index is another one now: counting goes on from it
)

// step returns what was counted from a to b, below zero for what flowed back,
// and what happened. A reset counts nothing.
func (s *series) step(a, b metering.Reading) (metering.Amount, event) {
	counted := b.Amount - a.Amount
	elapsed := b.At.Sub(a.At)
	switch {
	case counted >= 0 && s.possible(counted, elapsed):
		return counted, onward
	case counted >= 0:
		return 0, reset
	case s.rolledOver(a, b):
		return counted + s.meter.IndexModulus, onward
	case s.meter.MaxPerHour > 0 && -counted <= a.Amount/10 && s.possible(-counted, elapsed):
		return counted, back
	default:
		return 0, reset
	}
}

// possible reports whether a meter of this size can count so much in that time.
// An hour is granted besides: a pulse may be large and a poll soon.
func (s *series) possible(counted metering.Amount, elapsed time.Duration) bool {
	return s.meter.MaxPerHour == 0 || counted <= scale(s.meter.MaxPerHour, elapsed+time.Hour, time.Hour)
}

// rolledOver reports whether the decrease from a to b is plausibly the register
// starting again at zero.
func (s *series) rolledOver(a, b metering.Reading) bool {
	modulus := s.meter.IndexModulus
	if modulus <= a.Amount || b.Amount < 0 {
		return false
	}
	counted := b.Amount + modulus - a.Amount
	if s.meter.MaxPerHour == 0 {
		return counted < modulus/10
	}
	return counted <= scale(s.meter.MaxPerHour, b.At.Sub(a.At), time.Hour)
}

// scale returns n·part/whole, rounded down, for amounts and spans of any size;
// a result that does not fit is the largest amount.
func scale(n metering.Amount, part, whole time.Duration) metering.Amount {
	const most = metering.Amount(1<<63 - 1)
	high, low := bits.Mul64(uint64(n), uint64(part))
	if high >= uint64(whole) {
		return most
	}
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return metering.Amount(min(quotient, uint64(most)))
}

// boundary returns the continuous index at an instant, interpolated in integers
// between its neighbours; false where the instant is outside the series.
func (s *series) boundary(at time.Time) (metering.Amount, metering.Quality, bool) {
	i := sort.Search(len(s.points), func(i int) bool { return !s.points[i].at.Before(at) })
	if i == len(s.points) {
		return 0, metering.Missing, false
	}
	n := s.points[i]
	if n.at.Equal(at) {
		return n.index, metering.Measured, true
	}
	if i == 0 {
		return 0, metering.Missing, false
	}
	p := s.points[i-1]
	index := p.index + scale(n.index-p.index, at.Sub(p.at), n.at.Sub(p.at))
	return index, s.quality(at.Sub(p.at), n.at.Sub(at)), true
}

// quality judges a boundary by how far its neighbours are. A meter that is read
// once an hour, day or month is read right after the boundary, so that one side
// is enough.
func (s *series) quality(before, after time.Duration) metering.Quality {
	near := s.meter.Interval() * 3 / 2
	sides := before <= near && after <= near
	if s.meter.Resolution != metering.Fine {
		sides = before <= near || after <= near
	}
	if sides {
		return metering.Measured
	}
	return metering.Estimated
}

// period returns the consumption of [start, end); false where it is not closed
// by a reading, or its start is not known. The meter's first period counts from
// its first reading.
func (s *series) period(start, end time.Time) (influx.Consumption, bool) {
	first, q, ok := s.boundary(start)
	if !ok && s.origin && len(s.points) > 0 && s.points[0].at.After(start) && !s.points[0].at.After(end) {
		first, q, ok = s.points[0].index, metering.Estimated, true
	}
	if !ok {
		return influx.Consumption{}, false
	}
	last, closing, ok := s.boundary(end)
	if !ok {
		return influx.Consumption{}, false
	}
	if s.breaks(start, end) {
		q = q.Worse(metering.Estimated)
	}
	return influx.Consumption{Meter: s.meter.Meter, Start: start.UTC(), Index: last, Used: last - first, Quality: q.Worse(closing)}, true
}

// breaks reports whether a step that nothing explains touches [start, end].
func (s *series) breaks(start, end time.Time) bool {
	return slices.ContainsFunc(s.broken, func(i int) bool {
		return s.points[i].at.After(start) && s.points[i-1].at.Before(end)
	})
}

// periods returns the closed periods of p that touch [lo, hi].
func (s *series) periods(p influx.Period, lo, hi time.Time, offset metering.Amount) []influx.Consumption {
	var listed []influx.Consumption
	for start := s.meter.Floor(p, lo); !start.After(hi); {
		end := s.meter.Next(p, start)
		if c, ok := s.period(start, end); ok {
			c.Index += offset
			listed = append(listed, c)
		} else if len(s.points) == 0 || end.After(s.points[len(s.points)-1].at) {
			break // open, and so are all after it
		}
		start = end
	}
	return listed
}

// cut returns the starts of the periods that begin before the first reading.
func (s *series) cut(periods map[influx.Period][]influx.Consumption) map[influx.Period]time.Time {
	cut := map[influx.Period]time.Time{}
	for p, cs := range periods {
		if len(cs) > 0 && cs[0].Start.Before(s.points[0].at) {
			cut[p] = cs[0].Start
		}
	}
	return cut
}
