package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	yearMonths = 13 // a year and the month a year before its last
	mostYearMs = 150
	yearAsked  = 100 // times
)

// A yearRow is how the months of a residence are asked for.
type yearRow struct {
	name  string
	kinds []metering.Kind
	read  reading
	of    string // what is read, for the note
}

// reading is how [influx.Client] reads periods.
type reading func(context.Context, influx.Period, []metering.MeterID, time.Time, time.Time) (map[metering.MeterID][]influx.Consumption, error)

// residenceYear asks for the months of every dwelling's meters and adds them up by
// month, as a page of the residence's year has to: of one kind with all that is
// known of a month, as the API asks, and of all kinds at once from the indexes at the
// ends of the months, which say as much of a year's sums.
func (c *commands) residenceYear(ctx context.Context) (rows []bench.Row, err error) {
	r, err := c.residence(ctx)
	if err != nil {
		return nil, err
	}
	for _, asked := range []yearRow{
		{"residence-year", residence.Kinds[:1], r.Store.Consumption, "all that is known of the months"},
		{"residence-year-all", residence.Kinds, r.Store.Indexes, "the indexes alone"},
	} {
		times, err := c.years(ctx, r, asked)
		if err != nil {
			return nil, err
		}
		note := fmt.Sprintf("%d months of %d meters of %d dwellings, half of %d times; longest %.0f ms; the question to InfluxDB and its sums; read: %s",
			yearMonths, r.Dwellings*len(asked.kinds), r.Dwellings, len(times), slices.Max(times), asked.of)
		rows = append(rows, bench.New(bench.Row{Bench: asked.name, Ours: bench.Median(times), Unit: "ms", Note: note}, bench.AtMost(mostYearMs, "ms")))
	}
	return rows, nil
}

// years times the question again and again, in ms; the first time does not count.
func (c *commands) years(ctx context.Context, r *residence.Residence, asked yearRow) (times []float64, err error) {
	for n := range yearAsked + 1 {
		begun := time.Now()
		sums, err := yearOf(ctx, r, asked)
		spent := time.Since(begun).Seconds() * 1000
		if err != nil {
			return nil, err
		}
		if err := checkYear(r, asked.kinds, sums); err != nil {
			return nil, err
		}
		if n > 0 {
			times = append(times, spent)
		}
	}
	c.say("  months of %d kinds: first half within %.0f ms, longest %.0f", len(asked.kinds), bench.Median(times), slices.Max(times))
	return times, nil
}

// A total is what a residence used of a kind in a month, and of how many meters.
type total struct {
	used   metering.Amount
	meters int
}

type monthOf struct {
	kind  metering.Kind
	month civil.Month
}

// yearOf takes what was used in a month from the two indexes that bound it.
func yearOf(ctx context.Context, r *residence.Residence, asked yearRow) (map[monthOf]total, error) {
	kindOf := map[metering.MeterID]metering.Kind{}
	for n := range r.Dwellings {
		for _, k := range asked.kinds {
			kindOf[residence.Meter(k, n)] = k
		}
	}
	from, to := r.First.Prev().First().Start(r.Zone), r.Today.MonthOf().First().Start(r.Zone)
	found, err := asked.read(ctx, influx.Monthly, r.Meters(asked.kinds...), from, to)
	if err != nil {
		return nil, err
	}
	sums := map[monthOf]total{}
	for id, ends := range found {
		for i, end := range ends[1:] {
			of := monthOf{kindOf[id], civil.DateIn(end.Start, r.Zone).MonthOf()}
			if before := civil.DateIn(ends[i].Start, r.Zone).MonthOf(); before != of.month.Prev() {
				return nil, fmt.Errorf("meter %s: %s comes after %s", id, of.month, before)
			}
			sums[of] = total{sums[of].used + end.Index - ends[i].Index, sums[of].meters + 1}
		}
	}
	return sums, nil
}

// checkYear holds the sums against what the meters show.
func checkYear(r *residence.Residence, kinds []metering.Kind, sums map[monthOf]total) error {
	if len(sums) != yearMonths*len(kinds) {
		return fmt.Errorf("sums of %d months, want %d", len(sums), yearMonths*len(kinds))
	}
	for of, sum := range sums {
		from, to := of.month.Bounds(r.Zone)
		want := total{meters: r.Dwellings}
		for n := range r.Dwellings {
			want.used += r.Index(n, to) - r.Index(n, from)
		}
		if sum != want {
			return fmt.Errorf("%s of %s: %d of %d meters, want %d of %d", of.kind, of.month, sum.used, sum.meters, want.used, want.meters)
		}
	}
	return nil
}
