package residence

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// readEach is how often meters are read today.
const readEach = 10 * time.Minute

// fill writes each dwelling's periods and readings, four dwellings at once, and
// says how far it has come.
func (r *Residence) fill(ctx context.Context) error {
	begun := time.Now()
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for n := range r.Dwellings {
		group.Go(func() error {
			if err := r.fillDwelling(ctx, n); err != nil {
				return fmt.Errorf("fill dwelling %d: %w", n, err)
			}
			if d := done.Add(1); d%100 == 0 {
				fmt.Fprintf(r.Said, "  %d of %d dwellings are written, %s\n", d, r.Dwellings, time.Since(begun).Round(time.Second))
			}
			return nil
		})
	}
	return group.Wait()
}

func (r *Residence) fillDwelling(ctx context.Context, n int) error {
	var readings []metering.Reading
	for _, k := range Kinds {
		id := Meter(k, n)
		until := r.Today
		if r.isLate(id, n) {
			until = until.AddDays(-1)
		}
		for p, starts := range map[influx.Period][]time.Time{
			influx.Hourly:  r.hours(until.Start(r.Zone)),
			influx.Daily:   r.days(until.Start(r.Zone)),
			influx.Monthly: r.months(),
		} {
			if err := r.Store.WriteConsumption(ctx, p, r.between(id, n, starts)); err != nil {
				return err
			}
		}
		readings = append(readings, r.midnights(id, n, r.days(until.Start(r.Zone)))...)
		if !r.isLate(id, n) {
			readings = append(readings, r.readings(id, n, until.Start(r.Zone), r.now)...)
		}
	}
	return r.Store.WriteReadings(ctx, readings)
}

// between are the periods from each start to the next.
func (r *Residence) between(id metering.MeterID, n int, starts []time.Time) []influx.Consumption {
	var all []influx.Consumption
	for i := 0; i+1 < len(starts); i++ {
		index := r.Index(n, starts[i+1])
		all = append(all, influx.Consumption{Meter: id, Start: starts[i], Index: index, Used: index - r.Index(n, starts[i])})
	}
	return all
}

func (r *Residence) hours(until time.Time) (starts []time.Time) {
	for at := r.Today.AddDays(-r.HourlyDays).Start(r.Zone); !at.After(until); at = at.Add(time.Hour) {
		starts = append(starts, at)
	}
	return starts
}

func (r *Residence) days(until time.Time) (starts []time.Time) {
	for day := r.First.First(); !day.Start(r.Zone).After(until); day = day.AddDays(1) {
		starts = append(starts, day.Start(r.Zone))
	}
	return starts
}

// months begin a month early, for the index at which the first one starts.
func (r *Residence) months() (starts []time.Time) {
	for month := r.First.Prev(); !r.Today.Before(month.First()); month = month.Next() {
		starts = append(starts, month.First().Start(r.Zone))
	}
	return starts
}

// midnights are what stays of the readings of a meter that is shown by day, for as
// long as readings are kept.
func (r *Residence) midnights(id metering.MeterID, n int, starts []time.Time) (all []metering.Reading) {
	kept := r.now.Add(-r.Store.KeepsReadings() + 24*time.Hour)
	for _, at := range starts {
		if at.Before(kept) {
			continue
		}
		all = append(all, metering.Reading{Meter: id, Quantity: metering.Index, At: at.UTC(), Amount: r.Index(n, at)})
	}
	return all
}

// readings are every ten minutes within [from, to).
func (r *Residence) readings(id metering.MeterID, n int, from, to time.Time) (all []metering.Reading) {
	for at := from; at.Before(to); at = at.Add(readEach) {
		all = append(all, metering.Reading{Meter: id, Quantity: metering.Index, At: at.UTC(), Amount: r.Index(n, at)})
	}
	return all
}
