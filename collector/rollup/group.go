package rollup

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A loaded group is the items of one group with what the store has in their
// common window, and what became of them.
type loaded struct {
	store     *influx.Client
	directory *sites.Directory
	items     []*item
	window    bounds
	readings  map[metering.MeterID][]metering.Reading
	stored    map[metering.MeterID][]influx.Consumption // indexes only

	kept      map[metering.MeterID][]influx.Consumption // written, of the finest length
	written   int
	overtaken []*item
}

// settle computes and writes the periods of the group. It returns the items that
// need a wider window.
func (g *loaded) settle(ctx context.Context) (again []*item, err error) {
	for _, it := range g.items {
		g.window = g.window.with(it.window)
	}
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	results := map[influx.Period][]influx.Consumption{}
	settled, pending := []*item(nil), g.items
	for len(pending) > 0 {
		lacking := map[need][]*item{}
		for _, it := range pending {
			periods, need := it.judge(g.readings[it.meter.Meter], g.stored[it.meter.Meter])
			lacking[need] = append(lacking[need], it)
			if need == nothing {
				settled = append(settled, it)
			}
			for p, cs := range periods {
				results[p] = append(results[p], cs...)
			}
		}
		var wider []*item
		if pending, wider, err = g.supply(ctx, lacking); err != nil {
			return nil, err
		}
		again = append(again, wider...)
	}
	if err := g.write(ctx, settled, results); err != nil {
		return nil, err
	}
	g.overtaken, err = g.compare(ctx, settled)
	return again, err
}

func (g *loaded) load(ctx context.Context) (err error) {
	g.readings, err = g.store.Readings(ctx, ids(g.items), metering.Index, g.window.from, g.window.to)
	if err != nil {
		return err
	}
	g.stored, err = g.indexes(ctx, g.items)
	return err
}

// indexes returns the boundaries of the finest length that are stored in the
// window.
func (g *loaded) indexes(ctx context.Context, items []*item) (map[metering.MeterID][]influx.Consumption, error) {
	finest := g.items[0].meter.Periods()[0]
	return g.store.Indexes(ctx, finest, ids(items), g.items[0].meter.Floor(finest, g.window.from), g.window.to)
}

// write stores the results, but for what must not or better not stand there. The
// boundary by which an item tells that later ones are right is written last: what
// a kill leaves half done is then seen and done again.
func (g *loaded) write(ctx context.Context, settled []*item, results map[influx.Period][]influx.Consumption) error {
	spared, err := g.spare(ctx, settled)
	if err != nil {
		return err
	}
	now, finest := g.directory.Now(), g.items[0].meter.Periods()[0]
	g.kept = map[metering.MeterID][]influx.Consumption{}
	for _, p := range slices.Backward(influx.Periods) {
		kept := slices.DeleteFunc(results[p], func(c influx.Consumption) bool {
			return spared[spot{c.Meter, p, c.Start.UnixMilli()}] || !mayStand(now, p, c)
		})
		slices.SortStableFunc(kept, func(a, b influx.Consumption) int { return b.Start.Compare(a.Start) })
		if err := g.store.WriteConsumption(ctx, p, kept); err != nil {
			return err
		}
		for _, c := range kept {
			if p == finest {
				g.kept[c.Meter] = append(g.kept[c.Meter], c)
			}
		}
		g.written += len(kept)
	}
	return nil
}

// mayStand reports whether the period may be kept as the registry is now: while
// it was computed its hours may have been erased, or a consent withdrawn.
func mayStand(now *sites.Snapshot, p influx.Period, c influx.Consumption) bool {
	m, known := now.Meter(c.Meter)
	if !known {
		return true
	}
	return slices.Contains(m.Periods(), p) &&
		(p != influx.Hourly || !m.Erased(c.Start.Add(time.Hour-time.Millisecond)))
}

// A spot is the place of one period.
type spot struct {
	meter  metering.MeterID
	period influx.Period
	start  int64 // ms since 1970
}

// spare returns the periods of which the first readings are gone by now, and
// that were computed while they were there.
func (g *loaded) spare(ctx context.Context, settled []*item) (map[spot]bool, error) {
	spared := map[spot]bool{}
	gone := time.Time{}
	if keep := g.store.KeepsReadings(); keep > 0 {
		gone = time.Now().Add(-keep)
	}
	for _, it := range settled {
		for p, start := range it.cut {
			if !start.Before(gone) && !it.meter.Erased(start) {
				continue
			}
			found, err := g.store.Consumption(ctx, p, ids([]*item{it}), start, start.Add(time.Millisecond))
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				spared[spot{it.meter.Meter, p, start.UnixMilli()}] = true
			}
		}
	}
	return spared, nil
}

// compare returns the items for which the store holds now what they did not know
// of: other readings, or other boundaries before or after them. Whoever writes
// last of two collectors sees here all that the other had written.
func (g *loaded) compare(ctx context.Context, settled []*item) ([]*item, error) {
	if len(settled) == 0 {
		return nil, nil
	}
	now, err := g.store.Tallies(ctx, ids(settled), metering.Index, g.window.from, g.seen())
	if err != nil {
		return nil, err
	}
	stored, err := g.indexes(ctx, settled)
	if err != nil {
		return nil, err
	}
	moved, err := g.moved(ctx, settled)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(settled), func(it *item) bool {
		m := it.meter.Meter
		return !moved[it] && now[m] == influx.TallyOf(g.readings[m]) && expected(stored[m], g.stored[m], g.kept[m])
	}), nil
}

// seen is the end of what the readings told. What came after them bounds no
// period that was written, and is marked by itself.
func (g *loaded) seen() time.Time {
	newest := g.window.from
	for _, rs := range g.readings {
		if len(rs) > 0 {
			newest = later(newest, rs[len(rs)-1].At)
		}
	}
	return newest.Add(time.Millisecond)
}

// expected reports whether the boundaries that are stored now are those that were
// loaded, with what was written over them. What is gone was erased or is too old.
func expected(now, loaded, written []influx.Consumption) bool {
	index := make(map[int64]metering.Amount, len(loaded)+len(written))
	for _, c := range loaded {
		index[c.Start.UnixMilli()] = c.Index
	}
	for _, c := range written {
		index[c.Start.UnixMilli()] = c.Index
	}
	return !slices.ContainsFunc(now, func(c influx.Consumption) bool {
		was, known := index[c.Start.UnixMilli()]
		return !known || was != c.Index
	})
}

// moved returns the items of which the boundaries outside the window are not
// those that were found.
func (g *loaded) moved(ctx context.Context, settled []*item) (map[*item]bool, error) {
	moved := map[*item]bool{}
	var before, after []*item
	was := map[*item]anchor{}
	for _, it := range settled {
		if it.anchor != nil && !it.anchor.at.After(g.window.from) {
			before, was[it], it.anchor = append(before, it), *it.anchor, nil
		}
		if it.last {
			after = append(after, it)
		}
	}
	if len(before) > 0 {
		if err := g.seek(ctx, before); err != nil {
			return nil, err
		}
	}
	for _, it := range before {
		moved[it] = it.anchor == nil || *it.anchor != was[it]
	}
	if len(after) == 0 {
		return moved, nil
	}
	found, err := g.store.LastConsumption(ctx, after[0].meter.Periods()[0], ids(after), g.window.to, time.Now())
	for _, it := range after {
		_, later := found[it.meter.Meter]
		moved[it] = moved[it] || later
	}
	return moved, err
}
