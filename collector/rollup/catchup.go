package rollup

import (
	"context"
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
func (r *Rollup) takeBound() []*sites.Meter {
	r.mu.Lock()
	defer r.mu.Unlock()
	var meters []*sites.Meter
	for _, id := range slices.Sorted(maps.Keys(r.bound)) {
		if m, ok := r.sites.Now().Meter(id); ok && len(m.Periods()) > 0 {
			meters = append(meters, m)
		}
	}
	clear(r.bound)
	r.seeking = len(meters) > 0
	return meters
}

func asItems(meters []*sites.Meter) []*item {
	items := make([]*item, len(meters))
	for i, m := range meters {
		items[i] = &item{meter: m}
	}
	return items
}

// unrolled returns for each meter the range that no stored period covers, where
// a period could be closed in it.
func unrolled(ctx context.Context, store *influx.Client, meters []*sites.Meter) (map[metering.MeterID]span, error) {
	names := ids(asItems(meters))
	now := time.Now().Add(clockAhead)
	latest, err := store.Before(ctx, names, metering.Index, now, dawn)
	if err != nil {
		return nil, err
	}
	from := make(map[metering.MeterID]time.Time, len(names))
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
	// The first reading ever is far to seek: only where no period tells.
	untold := slices.DeleteFunc(slices.Clone(names), func(id metering.MeterID) bool { return !from[id].IsZero() })
	begin, err := store.After(ctx, untold, metering.Index, dawn, now)
	if err != nil {
		return nil, err
	}
	for id, first := range begin {
		from[id] = first.At
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
