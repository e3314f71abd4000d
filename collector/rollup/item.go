package rollup

import (
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// clockAhead is how far in the future a reading may lie, with a margin.
const clockAhead = 25 * time.Hour

// dawn is before every reading.
var dawn = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// An item is one dirty range of one meter, and the window of readings that is
// looked at to recompute it. The window begins small and grows until it holds
// what the judgement needs.
type item struct {
	meter  *sites.Meter
	dirty  span
	window bounds

	origin bool    // no reading lies before the window
	end    bool    // no reading lies after the window
	sought bool    // anchor was looked for outside the window
	anchor *anchor // what was found
	redo   bool    // the offset of all later periods changed
	last   bool    // no period is stored after the window
	// cut holds the periods that begin before the meter's first reading.
	cut map[influx.Period]time.Time

	since, until time.Time // what the window must cover, where that is known
}

// An anchor is a stored boundary: the continuous index goes on from it.
type anchor struct {
	at    time.Time
	index metering.Amount
}

func newItem(m *sites.Meter, dirty span) *item {
	it := &item{meter: m, dirty: dirty}
	near := bounds{dirty.from.Add(-2 * m.Interval()), dirty.to.Add(2 * m.Interval())}
	it.window = bounds{dirty.from.Add(-it.reach()), dirty.to.Add(it.reach())}
	for _, p := range m.Periods() { // a boundary in the range changes the periods on both of its sides
		if m.Next(p, near.from).After(near.to) {
			continue
		}
		it.window = it.window.with(bounds{m.Floor(p, near.from).Add(-2 * m.Interval()), it.window.to})
		if end := m.Next(p, near.to); end.Before(time.Now()) {
			it.window = it.window.with(bounds{it.window.from, end.Add(2 * m.Interval())})
		}
	}
	it.limit()
	return it
}

// bounds are half-open.
type bounds struct{ from, to time.Time }

func (b bounds) length() time.Duration { return b.to.Sub(b.from) }

// with returns the smallest bounds that hold both.
func (b bounds) with(o bounds) bounds {
	if b.from.IsZero() {
		return o
	}
	return bounds{earlier(b.from, o.from), later(b.to, o.to)}
}

// estimate is about how many readings the window holds: those that were marked,
// and around them as many as stand there in the same time, but not more than the
// meter's interval allows.
func (it *item) estimate() int {
	window, dirty := it.window.length(), it.dirty.to.Sub(it.dirty.from)
	step := max(it.meter.Interval(), time.Second)
	if it.dirty.readings == 0 {
		return int(window / step)
	}
	step = max(step, dirty/time.Duration(it.dirty.readings))
	return it.dirty.readings + int((window-dirty)/step)
}

// limit ends the window where no reading can lie any more.
func (it *item) limit() {
	if now := time.Now(); !it.window.to.Before(now) {
		it.window.to, it.end = later(it.window.to, now.Add(clockAhead)), true
	}
}

// reach is the width in which the neighbours of a reading mostly lie.
func (it *item) reach() time.Duration {
	switch it.meter.Resolution {
	case metering.Day:
		return 4 * 24 * time.Hour
	case metering.Month:
		return 70 * 24 * time.Hour
	default:
		return max(3*time.Hour, 6*it.meter.Interval())
	}
}

// A need is what a window lacks.
type need int

const (
	nothing    need = iota
	moreBefore      // readings before the window
	anAnchor        // a stored boundary before the dirty range
	moreAfter       // readings after the window
	sameAfter       // whether periods are stored after the window
	everything      // all later readings: the offset changed
)

// judge returns the periods to write, or what the window lacks to tell.
func (it *item) judge(rs []metering.Reading, stored []influx.Consumption) (map[influx.Period][]influx.Consumption, need) {
	if len(rs) == 0 {
		return nil, nothing // erased meanwhile
	}
	s := newSeries(it.meter, rs, it.origin)
	first := sortedIndex(rs, it.dirty.from)
	after := sortedIndex(rs, it.dirty.to.Add(time.Millisecond))
	lo, hi := rs[max(first-2, 0)].At, rs[min(after+1, len(rs)-1)].At
	switch {
	case !it.origin && (first < 3 || len(s.points) == 0):
		return nil, moreBefore
	case !it.end && len(rs)-after < 2:
		return nil, moreAfter
	case it.redo:
		hi = s.points[len(s.points)-1].at
	}
	affected := it.affected(s, lo, hi)
	if need := it.cover(s, affected, lo, hi); need != nothing {
		return nil, need
	}
	offset, found := it.offset(s, stored, lo)
	switch {
	case !found && it.anchor != nil: // known, but no reading before it is at hand
		return nil, moreBefore
	case !found:
		return nil, anAnchor
	}
	if need := it.checkLater(s, stored, hi, offset); need != nothing && !it.redo {
		return nil, need
	}
	periods := map[influx.Period][]influx.Consumption{}
	for _, p := range affected {
		periods[p] = s.periods(p, lo, hi, offset)
	}
	it.cut = s.cut(periods)
	return periods, nothing
}

func sortedIndex(rs []metering.Reading, at time.Time) int {
	i, _ := slices.BinarySearchFunc(rs, at, func(r metering.Reading, at time.Time) int { return r.At.Compare(at) })
	return i
}

// affected returns the lengths of which a period can have changed: those with a
// boundary between lo and hi, and all where the index broke or began there.
func (it *item) affected(s *series, lo, hi time.Time) []influx.Period {
	if it.redo || s.breaks(lo, hi) || (it.origin && !lo.After(s.points[0].at)) {
		return it.meter.Periods()
	}
	var ps []influx.Period
	for _, p := range it.meter.Periods() {
		if !it.meter.Next(p, lo).After(hi) {
			ps = append(ps, p)
		}
	}
	return ps
}

// cover returns what the series lacks to compute the affected periods whole:
// the first begins before lo, the last ends after hi.
func (it *item) cover(s *series, affected []influx.Period, lo, hi time.Time) need {
	last := s.points[len(s.points)-1].at
	for _, p := range affected {
		if start := it.meter.Floor(p, lo); !it.origin && start.Before(s.points[0].at) {
			it.since = start
			return moreBefore
		}
		if end := it.meter.Next(p, hi); !it.end && end.After(last) {
			it.until = later(it.until, end)
		}
	}
	if it.until.After(last) && !it.end {
		return moreAfter
	}
	return nothing
}

// offset is what the stored continuous index exceeds the series' own by, at the
// last stored boundary that the dirty range cannot have touched.
func (it *item) offset(s *series, stored []influx.Consumption, lo time.Time) (metering.Amount, bool) {
	finest := it.meter.Periods()[0]
	best := it.anchor
	for i := range stored {
		end := it.meter.Next(finest, stored[i].Start)
		if !end.After(lo) && !end.Before(s.points[0].at) && (best == nil || end.After(best.at)) {
			best = &anchor{end, stored[i].Index}
		}
	}
	if best == nil {
		return 0, it.sought // a meter without periods starts with its own index
	}
	index, _, ok := s.boundary(best.at)
	switch {
	case ok:
		return best.index - index, true
	case it.origin: // the readings of that time are gone: at least never go back
		return max(0, best.index-s.points[0].index), true
	default:
		return 0, false
	}
}

// checkLater compares the first stored boundary after the range with what it
// would be now. Where they differ, all later periods are to be recomputed.
func (it *item) checkLater(s *series, stored []influx.Consumption, hi time.Time, offset metering.Amount) need {
	for i := range stored {
		end := it.meter.Next(it.meter.Periods()[0], stored[i].Start)
		if end.Before(hi) {
			continue
		}
		index, _, ok := s.boundary(end)
		switch {
		case ok && index+offset == stored[i].Index:
			return nothing
		case ok:
			return everything
		}
	}
	if it.end {
		return nothing
	}
	return sameAfter
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
