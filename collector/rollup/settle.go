package rollup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Bounds of one group of items: what is read at once stays small in memory, and
// two groups are worked on at a time.
const (
	metersPerGroup   = 100
	readingsPerGroup = 400_000
	parallelGroups   = 2
)

// maxRounds ends items whose window would grow for ever, which none does.
const maxRounds = 10

var errUnsettled = errors.New("readings and periods contradict each other")

// An outcome is what became of items.
type outcome struct {
	mu      sync.Mutex
	periods int     // written
	lost    []error // of groups that trying again does not mend
}

// settle recomputes and writes what items call for. The error is temporary:
// everything is then to be settled again. What is not goes to the outcome, and
// does not keep others from being settled.
func settle(ctx context.Context, store *influx.Client, items []*item) (*outcome, error) {
	done := &outcome{}
	for range maxRounds {
		if len(items) == 0 {
			return done, nil
		}
		groups := group(items)
		again := make([][]*item, len(groups))
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(parallelGroups)
		for i, g := range groups {
			work.Go(func() (err error) {
				again[i], err = done.settleGroup(ctx, store, g)
				return err
			})
		}
		if err := work.Wait(); err != nil {
			return done, fmt.Errorf("roll up %d ranges: %w", len(items), err)
		}
		items = slices.Concat(again...)
	}
	done.lose(items, errUnsettled)
	return done, nil
}

func (o *outcome) lose(items []*item, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = append(o.lost, fmt.Errorf("roll up meters %v: %w", ids(items), err))
}

func (o *outcome) settleGroup(ctx context.Context, store *influx.Client, items []*item) (again []*item, err error) {
	periods, again, err := settleGroup(ctx, store, items)
	switch {
	case err == nil:
		o.mu.Lock()
		o.periods += periods
		o.mu.Unlock()
		return again, nil
	case errors.Is(err, influx.ErrTemporary) || ctx.Err() != nil:
		return nil, err
	default:
		o.lose(items, err)
		return nil, nil
	}
}

// group puts items with the same periods and similar windows together, at most
// one of each meter.
func group(items []*item) [][]*item {
	slices.SortFunc(items, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.meter.Periods()[0], b.meter.Periods()[0]), a.window.from.Compare(b.window.from))
	})
	var groups [][]*item
	var open *opened
	for _, it := range items {
		if open == nil || !open.takes(it) {
			if open != nil {
				groups = append(groups, open.items)
			}
			open = &opened{meters: map[metering.MeterID]bool{}}
		}
		open.add(it)
	}
	if open != nil {
		groups = append(groups, open.items)
	}
	return groups
}

type opened struct {
	items    []*item
	meters   map[metering.MeterID]bool
	window   bounds
	readings int
}

func (o *opened) takes(it *item) bool {
	return len(o.items) < metersPerGroup && !o.meters[it.meter.Meter] &&
		it.meter.Periods()[0] == o.items[0].meter.Periods()[0] &&
		o.window.with(it.window).length() <= 2*it.window.length()+48*time.Hour &&
		o.readings+it.estimate() <= readingsPerGroup
}

func (o *opened) add(it *item) {
	o.items = append(o.items, it)
	o.meters[it.meter.Meter] = true
	o.window = o.window.with(it.window)
	o.readings += it.estimate()
}

// A loaded group is the items of one group with what the store has in their
// common window.
type loaded struct {
	store    *influx.Client
	items    []*item
	window   bounds
	readings map[metering.MeterID][]metering.Reading
	stored   map[metering.MeterID][]influx.Consumption
}

func settleGroup(ctx context.Context, store *influx.Client, items []*item) (written int, again []*item, err error) {
	g := &loaded{store: store, items: items}
	for _, it := range items {
		g.window = g.window.with(it.window)
	}
	if err := g.load(ctx); err != nil {
		return 0, nil, err
	}
	results := map[influx.Period][]influx.Consumption{}
	pending := items
	for len(pending) > 0 {
		lacking := map[need][]*item{}
		for _, it := range pending {
			periods, need := it.judge(g.readings[it.meter.Meter], g.stored[it.meter.Meter])
			lacking[need] = append(lacking[need], it)
			for p, cs := range periods {
				results[p] = append(results[p], cs...)
			}
		}
		var wider []*item
		if pending, wider, err = g.supply(ctx, lacking); err != nil {
			return written, nil, err
		}
		again = append(again, wider...)
	}
	for _, p := range influx.Periods {
		if err := store.WriteConsumption(ctx, p, results[p]); err != nil {
			return written, nil, err
		}
		written += len(results[p])
	}
	return written, again, nil
}

func (g *loaded) load(ctx context.Context) (err error) {
	g.readings, err = g.store.Readings(ctx, ids(g.items), metering.Index, g.window.from, g.window.to)
	if err != nil {
		return err
	}
	finest := g.items[0].meter.Periods()[0]
	g.stored, err = g.store.Consumption(ctx, finest, ids(g.items), g.items[0].meter.Floor(finest, g.window.from), g.window.to)
	return err
}
