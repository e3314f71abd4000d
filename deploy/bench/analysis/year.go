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

// residenceYear asks for the months of every dwelling's meters and adds them up by
// month, as a page of the residence's year has to: of one kind, as such a page
// shows it, and of all kinds at once.
func (c *commands) residenceYear(ctx context.Context) (rows []bench.Row, err error) {
	r, err := c.residence(ctx)
	if err != nil {
		return nil, err
	}
	for _, asked := range []struct {
		name  string
		kinds []metering.Kind
	}{{"residence-year", residence.Kinds[:1]}, {"residence-year-all", residence.Kinds}} {
		times, err := c.years(ctx, r, asked.kinds)
		if err != nil {
			return nil, err
		}
		note := fmt.Sprintf("%d months of %d meters of %d dwellings, half of %d times; longest %.0f ms; the question and its sums, which no route of the API asks yet",
			yearMonths, r.Dwellings*len(asked.kinds), r.Dwellings, len(times), slices.Max(times))
		rows = append(rows, bench.New(bench.Row{Bench: asked.name, Ours: bench.Median(times), Unit: "ms", Note: note}, bench.AtMost(mostYearMs, "ms")))
	}
	return rows, nil
}

// years times the question again and again, in ms; the first time does not count.
func (c *commands) years(ctx context.Context, r *residence.Residence, kinds []metering.Kind) (times []float64, err error) {
	for n := range yearAsked + 1 {
		begun := time.Now()
		sums, err := yearOf(ctx, r, kinds)
		spent := time.Since(begun).Seconds() * 1000
		if err != nil {
			return nil, err
		}
		if err := checkYear(r, kinds, sums); err != nil {
			return nil, err
		}
		if n > 0 {
			times = append(times, spent)
		}
	}
	c.say("  months of %d kinds: first half within %.0f ms, longest %.0f", len(kinds), bench.Median(times), slices.Max(times))
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

func yearOf(ctx context.Context, r *residence.Residence, kinds []metering.Kind) (map[monthOf]total, error) {
	kindOf := map[metering.MeterID]metering.Kind{}
	for n := range r.Dwellings {
		for _, k := range kinds {
			kindOf[residence.Meter(k, n)] = k
		}
	}
	found, err := r.Store.Consumption(ctx, influx.Monthly, r.Meters(kinds...), r.First.First().Start(r.Zone), r.Today.MonthOf().First().Start(r.Zone))
	if err != nil {
		return nil, err
	}
	sums := map[monthOf]total{}
	for id, months := range found {
		for _, m := range months {
			of := monthOf{kindOf[id], civil.DateIn(m.Start, r.Zone).MonthOf()}
			sums[of] = total{sums[of].used + m.Used, sums[of].meters + 1}
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
