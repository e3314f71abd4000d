package rollup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// catchUp makes dirty what newly bound meters have between their last stored
// period and their latest reading.
func (r *Rollup) catchUp(ctx context.Context) error {
	meters := r.takeBound()
	var failed error
	for chunk := range slices.Chunk(meters, metersPerGroup) {
		missing, err := unrolled(ctx, r.store, chunk)
		if err != nil {
			failed = fmt.Errorf("catch up with %d meters: %w", len(meters), err)
			r.Bound(ids(asItems(meters)))
			break
		}
		r.mu.Lock()
		for id, s := range missing {
			r.add(id, []span{s}, time.Now())
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	r.seeking = false
	r.mu.Unlock()
	return failed
}

// takeBound empties the set of bound meters and returns those that are rolled
// up at all.
func (r *Rollup) takeBound() []sites.Meter {
	r.mu.Lock()
	defer r.mu.Unlock()
	var meters []sites.Meter
	for _, id := range slices.Sorted(maps.Keys(r.bound)) {
		if m, ok := r.sites.Now().Meter(id); ok && len(m.Periods()) > 0 {
			meters = append(meters, m)
		}
	}
	clear(r.bound)
	r.seeking = len(meters) > 0
	return meters
}

func asItems(meters []sites.Meter) []*item {
	items := make([]*item, len(meters))
	for i, m := range meters {
		items[i] = &item{meter: m}
	}
	return items
}

// unrolled returns for each meter the range that no stored period covers, where
// a period could be closed in it.
func unrolled(ctx context.Context, store *influx.Client, meters []sites.Meter) (map[metering.MeterID]span, error) {
	names := ids(asItems(meters))
	now := time.Now().Add(clockAhead)
	latest, err := store.Before(ctx, names, metering.Index, now, dawn)
	if err != nil {
		return nil, err
	}
	begin, err := store.After(ctx, names, metering.Index, dawn, now)
	if err != nil {
		return nil, err
	}
	from := make(map[metering.MeterID]time.Time, len(begin))
	for id, first := range begin {
		from[id] = first.At
	}
	for _, p := range influx.Periods {
		stored, err := store.LastConsumption(ctx, p, names, dawn, now)
		if err != nil {
			return nil, err
		}
		for _, m := range meters {
			if c, ok := stored[m.Meter]; ok {
				from[m.Meter] = later(from[m.Meter], m.Next(p, c.Start))
			}
		}
	}
	missing := map[metering.MeterID]span{}
	for _, m := range meters {
		last, ok := latest[m.Meter]
		if ok && !m.Next(m.Periods()[0], from[m.Meter]).After(last.At) {
			missing[m.Meter] = span{from: from[m.Meter], to: last.At}
		}
	}
	return missing, nil
}

// ErrGone: the readings of a range to be rebuilt have been given up.
var ErrGone = errors.New("readings of this range are no longer kept: begin later")

// Rebuild recomputes the periods of meters that touch [from, to]. It fails with
// [ErrGone] where keep, the retention of the readings (0 for ever), has passed
// over from: the periods would be written from what is left.
func Rebuild(ctx context.Context, store *influx.Client, meters []sites.Meter, from, to time.Time, keep time.Duration) (periods int, err error) {
	if keep > 0 && from.Before(time.Now().Add(-keep)) {
		return 0, fmt.Errorf("rebuild from %s: %w", from.Format(time.RFC3339), ErrGone)
	}
	var items []*item
	for _, m := range meters {
		if len(m.Periods()) > 0 {
			items = append(items, newItem(m, span{from: from, to: to}))
		}
	}
	done, err := settle(ctx, store, items)
	return done.periods, errors.Join(append(done.lost, err)...)
}
