package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/nightly"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	mostNightS  = 5
	mostGrowth  = 1.5 // of a home's cost, and of the memory, from the first tenth to the last
	nightlySite = "nightly"
	figureDays  = 60 // of the daily quiet flow
	manyDays    = 35 // of the daily figures of the many homes
)

// nights runs the nights of the residence of the pages, three meters a home and
// thirteen months; then those of a hundred times as many homes of one meter, whose
// figures of five weeks are prepared before.
func (c *commands) nights(ctx context.Context) (rows []bench.Row, err error) {
	r, err := c.residence(ctx)
	if err != nil {
		return nil, err
	}
	few := &nightHomes{r: r, homes: r.Dwellings, kinds: residence.Kinds, meter: residence.Meter}
	many := &nightHomes{r: r, homes: c.NightlyHomes, kinds: residence.Kinds[:1], prepared: true, meter: func(_ metering.Kind, n int) metering.MeterID {
		return metering.MeterID(fmt.Sprintf("night-%06d", n))
	}}
	first, err := c.night(ctx, few)
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("%d homes of %d meters, none of which is read more finely than by day; processors worked %s; again, when each is done over: %.1f s",
		few.homes, len(few.kinds), first.worked, few.again)
	rows = append(rows, bench.New(bench.Row{Bench: "nightly-600", Ours: first.seconds, Unit: "s", Note: note}, bench.AtMost(mostNightS, "s")))
	all, err := c.night(ctx, many)
	if err != nil {
		return nil, err
	}
	note = fmt.Sprintf("how much dearer the last tenth of %d homes is than the second, in processor time, and how much larger the heap was at most in the second half than in the first, whichever is more: "+
		"%.2f and %.2f times, to %d MB at most; in all %.0f s, all of them measured; processors worked %s; one meter a home, figures of %d days prepared once",
		many.homes, all.growth, all.heap, all.peak>>20, all.seconds, all.worked, manyDays)
	return append(rows, bench.New(bench.Row{Bench: "nightly-60000", Ours: max(all.growth, all.heap), Unit: "times", Note: note}, bench.AtMost(mostGrowth, "times"))), nil
}

// nightHomes are homes of one residence in a database of their own.
type nightHomes struct {
	r        *residence.Residence
	homes    int
	kinds    []metering.Kind
	meter    func(metering.Kind, int) metering.MeterID
	prepared bool // their daily figures are still to be written
	again    float64
}

// cost is what a run took.
type cost struct {
	seconds, growth, heap float64
	peak                  uint64
	worked                string // by processors
}

func (c *commands) night(ctx context.Context, h *nightHomes) (spent cost, err error) {
	dir, err := os.MkdirTemp("", "xnet-bench-nights-")
	if err != nil {
		return spent, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := sqldb.Open(ctx, filepath.Join(dir, "api.db"))
	if err != nil {
		return spent, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := h.settle(ctx, db); err != nil {
		return spent, err
	}
	if err := h.furnish(ctx, c.say); err != nil {
		return spent, err
	}
	catalogue, err := tips.Open()
	if err != nil {
		return spent, err
	}
	runner := &nightly.Runner{DB: db, Influx: h.r.Store, Catalogue: catalogue, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	if spent, err = h.run(ctx, runner, false); err != nil || h.prepared {
		return spent, err
	}
	over, err := h.run(ctx, runner, true)
	h.again = over.seconds
	return spent, err
}

// run times a run, and what its first and its last tenth cost.
func (h *nightHomes) run(ctx context.Context, runner *nightly.Runner, again bool) (spent cost, err error) {
	all, err := runner.Residences(ctx, nightlySite)
	if err != nil {
		return spent, err
	}
	var tenths []time.Duration // of processors, whatever else the machine does
	var unknown error
	var heaps []uint64
	runner.Progress = func(_ metering.SiteID, done, of int) {
		if done*10 < (len(tenths)+1)*of {
			return
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		at, err := h.r.Spent()
		unknown = errors.Join(unknown, err)
		tenths, heaps = append(tenths, at.Program+at.InfluxDB), append(heaps, m.HeapInuse)
		spent.peak = max(spent.peak, m.HeapInuse)
	}
	before, err := h.r.Spent()
	if err != nil {
		return spent, err
	}
	begun := time.Now()
	counts, err := runner.Residence(ctx, all[0], nightly.Day(begun, all[0].Zone), again)
	if err != nil {
		return spent, err
	}
	spent.seconds = time.Since(begun).Seconds()
	after, err := h.r.Spent()
	if err != nil {
		return spent, err
	}
	if unknown != nil {
		return spent, unknown
	}
	spent.worked = fmt.Sprintf("%.1f s in the run and %.1f s in InfluxDB",
		(after.Program - before.Program).Seconds(), (after.InfluxDB - before.InfluxDB).Seconds())
	if counts.Homes != h.homes || counts.Judged == 0 {
		return spent, fmt.Errorf("the run did %d of %d homes, %d water meters", counts.Homes, h.homes, counts.Judged)
	}
	if last := len(tenths) - 1; last >= 2 { // the first tenth also reads what is of the residence
		spent.growth = float64(tenths[last]-tenths[last-1]) / float64(tenths[1]-tenths[0])
		half := len(heaps) / 2
		spent.heap = float64(slices.Max(heaps[half:])) / float64(slices.Max(heaps[:half]))
	}
	return spent, nil
}

// settle makes the homes: one household of two each, who agreed to advice, behind
// checked meters.
func (h *nightHomes) settle(ctx context.Context, db *sql.DB) error {
	since := h.r.First.First().String()
	from, now := h.r.First.First().Start(h.r.Zone).UnixMilli(), time.Now()
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) (err error) {
		exec := func(statement string, args ...any) {
			if err == nil {
				_, err = tx.ExecContext(ctx, statement, args...)
			}
		}
		exec(`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ($1, 'Residence', $2, 0)`, nightlySite, h.r.Zone.String())
		exec(`INSERT INTO gateway (id, residence_id) VALUES ('gw', $1)`, nightlySite)
		for n := range h.homes {
			id := fmt.Sprintf("%06d", n)
			exec(`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2, heating_kind, hot_water_kind)
			      VALUES ($1, $2, 'A', '1', $1, 0, 3, 60, 'collective', 'collective')`, "D"+id, nightlySite)
			exec(`INSERT INTO household (id, occupants, language) VALUES ($1, 2, 'fr')`, "F"+id)
			exec(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $2, $3, $4)`, "T"+id, "F"+id, "D"+id, since)
			exec(`INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
			      VALUES ($1, $2, $3, 'personal_advice', 1, 'fr', 'paper', '', 'staff', $4, $5)`, "C"+id, "F"+id, "T"+id, from, now.AddDate(1, 0, 0).UnixMilli())
			for _, k := range h.kinds {
				point, meter := id+"-"+string(k), string(h.meter(k, n))
				exec(`INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $2, $3)`, point, "D"+id, string(k))
				exec(`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, pulse) VALUES ($1, 'gw', $2, 0, 0, 600, 'day', 1000)`, meter, string(k))
				exec(`INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $2, $3)`, meter, point, from)
				exec(`INSERT INTO meter_check (meter_id, point_id, bound_ms, state) VALUES ($1, $2, $3, 'verified')`, meter, point, from)
			}
		}
		return err
	})
}

// furnish writes the quiet flow of each water meter: one home in a hundred leaks. Of
// prepared homes it writes the days too.
func (h *nightHomes) furnish(ctx context.Context, say func(string, ...any)) error {
	var readings []metering.Reading
	var days []influx.Consumption
	flush := func() error {
		err := errors.Join(h.r.Store.WriteReadings(ctx, readings), h.r.Store.WriteConsumption(ctx, influx.Daily, days))
		readings, days = readings[:0], days[:0]
		return err
	}
	back := figureDays
	if h.prepared {
		back = manyDays
	}
	for n := range h.homes {
		for _, k := range h.kinds {
			if k != metering.ColdWater && k != metering.HotWater {
				continue
			}
			for d := back; d > 0; d-- {
				start := h.r.Today.AddDays(-d).Start(h.r.Zone)
				var flow metering.Amount
				if n%100 == 7 && d <= 3 {
					flow = 20_000
				}
				id := h.meter(k, n)
				readings = append(readings, metering.Reading{Meter: id, Quantity: metering.QuietFlow, At: start.UTC(), Amount: flow},
					metering.Reading{Meter: id, Quantity: metering.QuietWindow, At: start.UTC(), Amount: 1800})
				if h.prepared {
					used := metering.Amount(150_000 + 1000*(n%50))
					days = append(days, influx.Consumption{Meter: id, Start: start.UTC(), Used: used, Index: 1_000_000_000 + used*metering.Amount(back-d+1)})
				}
			}
		}
		if n%500 == 499 || n == h.homes-1 {
			if err := flush(); err != nil {
				return err
			}
		}
		if n%10_000 == 9_999 {
			say("  figures of %d of %d homes are written", n+1, h.homes)
		}
	}
	return nil
}
