package consumption

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Lodging is a stay with the meters that hung in its dwelling.
type Lodging struct {
	Stay   premises.Stay
	Points []meters.Fitted
}

// Together returns what each of the lodgings used, clipped to its stay, with one
// question for all of their meters. It is for programs that work through a
// residence, never for a person: nobody's right to look is asked. Only closed days
// and months are in it, and no last readings. Errors are those of InfluxDB.
func (r *Reader) Together(ctx context.Context, now time.Time, lodgings []Lodging) ([]Home, error) {
	spans := make([][]span, len(lodgings))
	var all []span
	var start, end time.Time
	for i, l := range lodgings {
		spans[i] = spansOf(l.Stay, l.Points)
		all = append(all, spans[i]...)
		from, to := l.Stay.From.AddDays(-1).Start(l.Stay.Zone), l.Stay.To.Start(l.Stay.Zone)
		if i == 0 || from.Before(start) {
			start = from
		}
		end = latest(end, to)
	}
	var found stored
	for _, p := range []struct {
		period influx.Period
		need   metering.Resolution
		into   *map[metering.MeterID][]influx.Consumption
	}{{influx.Daily, metering.Day, &found.daily}, {influx.Monthly, metering.Month, &found.monthly}} {
		ids := idsOf(all, func(s span) bool { return s.hanging.Meter.Resolution.Allows(p.need) })
		if len(ids) == 0 {
			continue
		}
		var err error
		if *p.into, err = r.influx.Consumption(ctx, p.period, ids, start, end); err != nil {
			return nil, err
		}
	}
	homes := make([]Home, len(lodgings))
	for i, l := range lodgings {
		homes[i] = Home{Zone: l.Stay.Zone, Today: civil.DateIn(now, l.Stay.Zone), Stays: []premises.Stay{l.Stay}}
		homes[i].Series = seriesOf(l.Stay, spans[i], found, now)
	}
	return homes, nil
}

func seriesOf(stay premises.Stay, spans []span, found stored, now time.Time) (all []Series) {
	for _, kind := range metering.Kinds {
		mine := slices.DeleteFunc(slices.Clone(spans), func(s span) bool { return s.hanging.Meter.Kind != kind })
		if len(mine) == 0 {
			continue
		}
		g := &gathered{kind: kind, stays: []premises.Stay{stay}}
		for _, s := range mine {
			g.spans++
			s.number = g.spans
			g.add(s, found, now)
		}
		all = append(all, g.series(kind, now))
	}
	return all
}
