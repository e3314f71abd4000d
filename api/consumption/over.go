package consumption

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Over explains what was used on the days [from, to), any two dates that the
// series was asked for. Days and months that are known are taken together: per
// meter the figure is one difference of indexes, from the first that is known to
// the last. Its coverage is the share of all the days that the indexes span, those
// before moving in, after moving out and still to come included; its quality is
// Missing where nothing is known.
func (s Series) Over(from, to civil.Date) metering.Explanation {
	if s.known == nil || len(s.known.stays) == 0 || !from.Before(to) {
		return metering.Explain(s.Kind, time.Time{}, time.Time{}, nil)
	}
	zone := s.known.stays[0].Zone
	start, end := from.Start(zone), to.Start(zone)
	return totalOfEach(s.Kind, within(start, end, s.known.days, s.known.months), start, end)
}

// Zone is where the series' days begin; UTC for one without stays.
func (s Series) Zone() *time.Location {
	if s.known == nil || len(s.known.stays) == 0 {
		return time.UTC
	}
	return s.known.stays[0].Zone
}

// Meters lists the meters whose indexes the series knows, each once, in no order
// that means anything.
func (s Series) Meters() []metering.MeterID {
	if s.known == nil {
		return nil
	}
	var all []metering.MeterID
	seen := map[metering.MeterID]bool{}
	for _, pieces := range [][]piece{s.known.days, s.known.months} {
		for _, p := range pieces {
			if id := p.part.From.Meter; !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	return all
}

// Whole is what was used in a month of which at least nine tenths are known; nil
// for another.
func (s Series) Whole(month civil.Month) *metering.Amount {
	why := s.Over(month.First(), month.Next().First())
	if why.Coverage < leastCoverage {
		return nil
	}
	return &why.Used
}

// Stays returns the parts of the viewer's stays within [from, to), as
// [premises.Store.During] does.
func (r *Reader) Stays(ctx context.Context, v premises.Viewer, now time.Time, from, to civil.Date) ([]premises.Stay, error) {
	return r.homes.During(ctx, v, now, from, to)
}
