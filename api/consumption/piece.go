package consumption

import (
	"time"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A span is the time in which one meter counted for a stay.
type span struct {
	hanging meters.Hanging
	zone    *time.Location
	// The stay's part that was asked for, and the time the meter hung there
	// within it.
	stayStart, stayEnd time.Time
	start, end         time.Time
	// since is from when on readings of the meter are the household's, be it before
	// what was asked for.
	since  time.Time
	weight float64 // one part in the stay's points of the kind
	number int     // tells the spans of a home apart
}

// newSpan returns the part of a hanging that falls within the stay, or false.
func newSpan(stay premises.Stay, h meters.Hanging, weight float64) (span, bool) {
	s := span{hanging: h, zone: stay.Zone, weight: weight}
	s.stayStart, s.stayEnd = stay.Bounds()
	s.start, s.end = s.stayStart, s.stayEnd
	s.since = latest(stay.MovedIn.Start(stay.Zone), h.From)
	if h.From.After(s.start) {
		s.start = h.From
	}
	if !h.To.IsZero() && h.To.Before(s.end) {
		s.end = h.To
	}
	return s, s.start.Before(s.end)
}

// live reports whether the meter hangs there and the person lives there at now.
func (s span) live(now time.Time) bool { return !now.Before(s.start) && now.Before(s.end) }

// A piece is what one meter counted in one period, or in a part of it.
type piece struct {
	date     civil.Date // the period's first day
	part     metering.Part
	coverage float64 // share of the period
	weight   float64
	span     int  // number of the span: two times of a meter in a home are not one
	open     bool // the period is not over
	loose    bool // spans several periods, so that only a total may use it
}

// bounds returns the period in which an instant lies.
type bounds func(at time.Time, zone *time.Location) (first civil.Date, start, end time.Time)

func dayBounds(at time.Time, zone *time.Location) (civil.Date, time.Time, time.Time) {
	date := civil.DateIn(at, zone)
	start, end := date.Bounds(zone)
	return date, start, end
}

func monthBounds(at time.Time, zone *time.Location) (civil.Date, time.Time, time.Time) {
	month := civil.DateIn(at, zone).MonthOf()
	start, end := month.Bounds(zone)
	return month.First(), start, end
}

// closed returns the pieces of the closed periods that lie within the stay, and
// the last boundary that is known at or after the stay's start: the stay's first
// boundary is also the end of the day before, which is somebody else's.
func (s span) closed(periods []influx.Consumption, of bounds) (pieces []piece, last *metering.Boundary) {
	pieces = make([]piece, 0, len(periods)+1) // and what came since, of days
	var end metering.Boundary                 // the last that is known; without a meter none
	for _, c := range periods {
		date, begun, over := of(c.Start, s.zone)
		if over.Equal(s.stayStart) && !s.hanging.From.After(over) {
			end = metering.Boundary{Meter: c.Meter, At: over, Index: c.Index, Quality: c.Quality}
		}
		if begun.Before(s.stayStart) || over.After(s.stayEnd) || !begun.Before(s.end) || !over.After(s.start) {
			continue
		}
		part := s.part(c, begun, over)
		if part.Used() < 0 || c.Quality == metering.Missing {
			continue
		}
		pieces = append(pieces, piece{date: date, part: part, weight: s.weight, span: s.number,
			coverage: share(part, begun, over)})
		end = part.To
	}
	if end.Meter == "" && s.hanging.FirstIndex != nil && !s.hanging.From.Before(s.stayStart) {
		end = metering.Boundary{Meter: s.hanging.Meter.ID, At: s.hanging.From, Index: *s.hanging.FirstIndex}
	}
	if end.Meter == "" {
		return pieces, nil
	}
	return pieces, &end
}

// part makes the boundaries of a closed period, at the dial where the meter was
// hung up or taken down within it.
func (s span) part(c influx.Consumption, start, end time.Time) metering.Part {
	from := metering.Boundary{Meter: c.Meter, At: start, Index: c.Index - c.Used, Quality: c.Quality}
	to := metering.Boundary{Meter: c.Meter, At: end, Index: c.Index, Quality: c.Quality}
	h := s.hanging
	if h.From.After(start) {
		from.At = h.From
		if h.FirstIndex != nil && *h.FirstIndex <= c.Index {
			from.Index, from.Quality = *h.FirstIndex, metering.Measured
		}
	}
	if !h.To.IsZero() && h.To.Before(end) {
		to.At = h.To
		if h.LastIndex != nil {
			to.Index, to.Quality = s.unroll(*h.LastIndex, from.Index), metering.Measured
		}
	}
	return metering.Part{From: from, To: to}
}

// unroll adds rollovers to what a dial shows until it is not below the
// continuous index before it.
func (s span) unroll(shown, before metering.Amount) metering.Amount {
	modulus := s.hanging.Meter.IndexModulus
	if modulus <= 0 || shown >= before {
		return shown
	}
	rollovers := (before - shown + modulus - 1) / modulus
	return shown + rollovers*modulus
}

// head is the newest that is known of a meter: the dial when it was taken down,
// or its last reading within the stay. The reading's zero value means none.
func (s span) head(latest metering.Reading, last metering.Boundary) (metering.Boundary, bool) {
	h := s.hanging
	if !h.To.IsZero() && h.LastIndex != nil && h.To.After(s.stayStart) && !h.To.After(s.stayEnd) {
		return metering.Boundary{Meter: h.Meter.ID, At: h.To, Index: s.unroll(*h.LastIndex, last.Index)}, true
	}
	if latest.At.IsZero() || latest.At.Before(s.start) || !latest.At.Before(s.end) {
		return metering.Boundary{}, false
	}
	return metering.Boundary{Meter: h.Meter.ID, At: latest.At, Index: s.unroll(latest.Amount, last.Index)}, true
}

// sinceClosed returns what was counted after the last closed day: so far today,
// the rest of a replaced meter, or a loose piece over several days.
func (s span) sinceClosed(last *metering.Boundary, latest metering.Reading, now time.Time) (piece, bool) {
	if last == nil {
		return piece{}, false
	}
	head, ok := s.head(latest, *last)
	if !ok || !head.At.After(last.At) || !s.plausible(*last, head) {
		return piece{}, false
	}
	p := piece{part: metering.Part{From: *last, To: head}, weight: s.weight, span: s.number}
	date, start, end := dayBounds(last.At, s.zone)
	slack := s.hanging.Meter.Interval * 3 / 2
	switch {
	case !head.At.After(end):
	case !head.At.After(end.Add(slack)): // the reading that closes the day
		p.part.To.At = end
	default:
		p.loose = true
	}
	p.date, p.coverage = date, share(p.part, start, end)
	p.open = now.Before(end)
	// What is read once a day tells nothing of the day that has begun.
	fine := s.hanging.Meter.Resolution.Allows(metering.Hour) || !s.hanging.To.IsZero()
	return p, fine || !p.open
}

// plausible refuses what a glitch or a reverse flow makes of a rollover.
func (s span) plausible(last, head metering.Boundary) bool {
	used := head.Index - last.Index
	m := s.hanging.Meter
	switch {
	case used < 0:
		return false
	case m.MaxPerHour > 0:
		hours := head.At.Sub(last.At).Hours() + 1
		return float64(used) <= hours*float64(m.MaxPerHour)
	case m.IndexModulus > 0:
		return used <= m.IndexModulus/2
	default:
		return true
	}
}

func share(p metering.Part, start, end time.Time) float64 {
	return max(0, min(1, float64(p.To.At.Sub(p.From.At))/float64(end.Sub(start))))
}
