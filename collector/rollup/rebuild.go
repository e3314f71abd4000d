package rollup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// ErrGone: the readings of a range to be rebuilt have been given up.
var ErrGone = errors.New("readings of this range are no longer kept: begin later")

// A Rebuild computes the periods of whole days anew.
type Rebuild struct {
	Store       *influx.Client
	Directory   *sites.Directory
	Meters      []*sites.Meter
	First, Last civil.Date // in each meter's own zone
	// Progress is told how many more meters are done, one call at a time; nil for
	// nobody.
	Progress func(meters int)
}

// Run recomputes the periods of the meters that touch the days, to the same
// figures however often, and returns how many it wrote. It may run beside a
// collector. It fails with [ErrGone], before it writes anything, where the
// retention of the readings or an erasure has passed over the first day of a
// meter: the periods would be written from what is left.
func (r *Rebuild) Run(ctx context.Context) (periods int, err error) {
	items, err := r.items(ctx)
	if err != nil {
		return 0, err
	}
	done, err := r.settle(ctx, items)
	return done.periods, errors.Join(append(done.lost, err)...)
}

// Touch computes the periods that readings touch, which must be stored. It may
// run beside a collector. It returns how many it wrote.
func Touch(ctx context.Context, store *influx.Client, directory *sites.Directory, rs []metering.Reading) (periods int, err error) {
	touched := map[metering.MeterID][]span{}
	for _, r := range rs {
		if r.Quantity == metering.Index {
			touched[r.Meter] = extend(touched[r.Meter], r.At)
		}
	}
	var items []*item
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		if m, known := directory.Now().Meter(id); known && len(m.Periods()) > 0 {
			items = append(items, newItem(m, hull(touched[id])))
		}
	}
	r := Rebuild{Store: store, Directory: directory}
	done, err := r.settle(ctx, items)
	return done.periods, errors.Join(append(done.lost, err)...)
}

// maxOvertaken is how often a range is computed again because readings arrive:
// the collector that stores them does the rest.
const maxOvertaken = 3

func (r *Rebuild) settle(ctx context.Context, items []*item) (*outcome, error) {
	done, err := settle(ctx, r.Store, r.Directory, items, r.Progress)
	for range maxOvertaken {
		if err != nil || len(done.overtaken) == 0 {
			break
		}
		var again []*item
		for _, it := range done.overtaken {
			again = append(again, newItem(it.meter, it.dirty))
		}
		var more *outcome
		more, err = settle(ctx, r.Store, r.Directory, again, nil)
		done.lost, done.overtaken = append(done.lost, more.lost...), more.overtaken
	}
	return done, err
}

func (r *Rebuild) items(ctx context.Context) ([]*item, error) {
	gone, err := r.gone(ctx)
	if err != nil {
		return nil, fmt.Errorf("rebuild: %w", err)
	}
	var items []*item
	for _, m := range r.Meters {
		from, to := r.First.Start(m.Zone), r.Last.AddDays(1).Start(m.Zone)
		if from.Before(gone) || m.Erased(from) {
			until := later(gone, time.UnixMilli(m.ErasedUntilMs))
			return nil, fmt.Errorf("rebuild meter %s from %s: %w: not before %s", m.Meter, r.First, ErrGone,
				civil.DateIn(until, m.Zone).AddDays(1))
		}
		if len(m.Periods()) > 0 {
			items = append(items, newItem(m, span{from: from, to: to}))
		}
	}
	return items, nil
}

// gone returns the instant before which InfluxDB may have given readings up: by
// the configuration or, where that was shorter, by its own word.
func (r *Rebuild) gone(ctx context.Context) (time.Time, error) {
	keep := r.Store.KeepsReadings()
	kept, err := r.Store.Retention(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, k := range kept {
		if k.Bucket == "readings" && k.Is > 0 && (keep == 0 || k.Is < keep) {
			keep = k.Is
		}
	}
	if keep == 0 {
		return time.Time{}, nil
	}
	return time.Now().Add(-keep), nil
}
