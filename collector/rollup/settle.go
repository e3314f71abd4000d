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

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Bounds of one group of items: what is read at once stays small in memory, and
// some groups are worked on at a time, because InfluxDB answers each from one
// core.
const (
	metersPerGroup   = 100
	readingsPerGroup = 200_000
	parallelGroups   = 4
)

// maxRounds ends items whose window would grow for ever, which none does.
const maxRounds = 10

var errUnsettled = errors.New("readings and periods contradict each other")

// An outcome is what became of items.
type outcome struct {
	progress func(items int) // is told how many more are done; nil for nobody

	mu      sync.Mutex
	periods int     // written
	lost    []error // of groups that trying again does not mend
	// Items of which readings arrived while they were worked on: another
	// collector may have written newer periods before the older ones of here.
	overtaken []*item
}

// settle recomputes and writes what items call for, and tells progress, unless it
// is nil, how many are done. The error is temporary: everything is then to be
// settled again. What is not goes to the outcome, and does not keep others from
// being settled.
func settle(ctx context.Context, store *influx.Client, directory *sites.Directory, items []*item, progress func(items int)) (*outcome, error) {
	done := &outcome{progress: progress}
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
				again[i], err = done.settleGroup(ctx, &loaded{store: store, directory: directory, items: g})
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
	if len(items) > 0 {
		o.lost = append(o.lost, fmt.Errorf("roll up %s: %w", some(items), err))
	}
}

// some names the first few of the items' meters.
func some(items []*item) string {
	const few = 5
	if len(items) <= few {
		return fmt.Sprintf("meters %v", ids(items))
	}
	return fmt.Sprintf("meters %v and %d more", ids(items[:few]), len(items)-few)
}

func (o *outcome) settleGroup(ctx context.Context, g *loaded) (again []*item, err error) {
	again, err = g.settle(ctx)
	switch {
	case err == nil:
		o.mu.Lock()
		o.periods += g.written
		o.overtaken = append(o.overtaken, g.overtaken...)
		if o.progress != nil {
			o.progress(len(g.items) - len(again))
		}
		o.mu.Unlock()
		return again, nil
	case errors.Is(err, influx.ErrTemporary) || ctx.Err() != nil:
		return nil, err
	default:
		o.lose(g.items, err)
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
