package consumption

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// fetchMonths asks for the stay's months, and for the days of those alone that a
// meter's months do not tell whole: where it was hung up or taken down, where
// somebody moved, where the collector found no month, and the one that is not over.
func (r *Reader) fetchMonths(ctx context.Context, stay premises.Stay, spans []span, _ time.Time) (found stored, err error) {
	ids := idsOf(spans, byMonth)
	if len(ids) == 0 {
		return found, nil
	}
	start, end := stay.Bounds()
	if found.monthly, err = r.consumption(ctx, influx.Monthly, spans, ids, start, end); err != nil {
		return stored{}, err
	}
	ids, found.daily = idsOf(spans, byDay), map[metering.MeterID][]influx.Consumption{}
	for _, days := range rest(stay, spans, found.monthly) {
		some, err := r.consumption(ctx, influx.Daily, spans, ids, days[0], days[1])
		if err != nil {
			return stored{}, err
		}
		for id, known := range some {
			found.daily[id] = append(found.daily[id], known...)
		}
	}
	return found, nil
}

// rest returns the stretches of months, as instants from and to, in which a meter that
// may be read by day has no whole month.
func rest(stay premises.Stay, spans []span, monthly map[metering.MeterID][]influx.Consumption) (stretches [][2]time.Time) {
	short := map[civil.Month]bool{}
	for _, s := range spans {
		if byDay(s) {
			s.shortMonths(monthly[s.hanging.Meter.ID], short)
		}
	}
	last := civil.Month{}
	for m := stay.From.MonthOf(); m.First().Before(stay.To); m = m.Next() {
		if !short[m] {
			continue
		}
		from, to := m.Bounds(stay.Zone)
		if n := len(stretches); n > 0 && last.Next() == m {
			stretches[n-1][1] = to
		} else {
			stretches = append(stretches, [2]time.Time{from, to})
		}
		last = m
	}
	start, end := stay.Bounds() // not a day before or after
	for i := range stretches {
		stretches[i] = [2]time.Time{latest(stretches[i][0], start), earliest(stretches[i][1], end)}
	}
	return stretches
}

// shortMonths notes the months of the span that are not known whole.
func (s span) shortMonths(monthly []influx.Consumption, short map[civil.Month]bool) {
	whole := map[civil.Month]bool{}
	pieces, _ := s.closed(monthly, monthBounds)
	for _, p := range pieces {
		whole[p.date.MonthOf()] = p.coverage >= 1
	}
	for m := civil.DateIn(s.start, s.zone).MonthOf(); m.First().Start(s.zone).Before(s.end); m = m.Next() {
		if !whole[m] {
			short[m] = true
		}
	}
}
