package household

import (
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// A utility is one of the three things a dwelling draws.
type utility int

const (
	cold  utility = iota // thousandths of a mL
	hot                  // thousandths of a mL
	power                // thousandths of a Wh
	utilities
)

// perUnit is how many of a utility's steps make a mL or a Wh.
const perUnit = 1000

// A draw takes an amount evenly over a length of time.
type draw struct {
	start, length int32 // ms since the civil day began
	amount        int32 // thousandths of a mL or a Wh
}

// until is what the draw has taken ms after the day began: it never decreases,
// and ends at the amount exactly.
func (w draw) until(ms int32) int64 {
	switch {
	case ms <= w.start:
		return 0
	case ms >= w.start+w.length:
		return int64(w.amount)
	default:
		return int64(w.amount) * int64(ms-w.start) / int64(w.length)
	}
}

// watts is the power of a draw of electricity while it lasts.
func (w draw) watts() float64 { return float64(w.amount) * 3600 / float64(w.length) }

// dayDraws is what a dwelling draws on one civil day.
type dayDraws struct {
	before [utilities]int64 // the sum of all days before
	draws  [utilities][]draw
}

func (d *dayDraws) until(u utility, ms int32) int64 {
	sum := d.before[u]
	for _, w := range d.draws[u] {
		sum += w.until(ms)
	}
	return sum
}

// A stream is all that a dwelling draws, from the epoch on. Days are made once,
// in order, when they are first asked for, and kept.
type stream struct {
	residence *Residence
	dwelling  *Dwelling

	mu   sync.RWMutex
	days []*dayDraws
	sum  [utilities]int64 // of all days made
}

func newStream(r *Residence, d *Dwelling) *stream { return &stream{residence: r, dwelling: d} }

// drawn is what the dwelling has drawn of u from the epoch until the instant,
// in thousandths of a mL or a Wh; 0 before the epoch.
func (s *stream) drawn(u utility, at time.Time) int64 {
	n, ms := s.residence.calendar.locate(at)
	if n < 0 {
		return 0
	}
	return s.day(n).until(u, ms)
}

// watts is the dwelling's power at the instant.
func (s *stream) watts(at time.Time) float64 {
	n, ms := s.residence.calendar.locate(at)
	if n < 0 {
		return 0
	}
	var sum float64
	for _, w := range s.day(n).draws[power] {
		if ms >= w.start && ms < w.start+w.length {
			sum += w.watts()
		}
	}
	return sum
}

// day returns the n-th day after the epoch.
func (s *stream) day(n int) *dayDraws {
	s.mu.RLock()
	made := s.days
	s.mu.RUnlock()
	if n < len(made) {
		return made[n]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.days) <= n {
		s.addDay()
	}
	return s.days[n]
}

// addDay makes the next day. The caller holds the lock.
func (s *stream) addDay() {
	day := &dayDraws{before: s.sum, draws: s.residence.plan(s.dwelling, len(s.days))}
	for u := range day.draws {
		for _, w := range day.draws[u] {
			s.sum[u] += int64(w.amount)
		}
	}
	s.days = append(s.days, day)
}

// A calendar finds the civil day of an instant, counted from the epoch.
type calendar struct {
	zone *time.Location
	from civil.Date
	unix int64 // the epoch as days since 1970
}

func newCalendar(epoch civil.Date, zone *time.Location) calendar {
	return calendar{zone: zone, from: epoch, unix: unixDay(epoch)}
}

// locate returns the number of the civil day of an instant and the milliseconds
// since that day began; the number is negative before the epoch.
func (c calendar) locate(at time.Time) (n int, ms int32) {
	date := civil.DateIn(at, c.zone)
	n = int(unixDay(date) - c.unix)
	return n, int32(at.Sub(date.Start(c.zone)).Milliseconds())
}

// length is how many milliseconds the n-th day has: those of 23, 24 or 25 hours.
func (c calendar) length(n int) int32 {
	start, end := c.from.AddDays(n).Bounds(c.zone)
	return int32(end.Sub(start).Milliseconds())
}

func unixDay(d civil.Date) int64 {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}
