package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	dwellings    = 600
	mostSeconds  = 3.0
	pendingGauge = "xnet_collector_rollup_pending_meters"
)

// dayOf is a day of all meters, with an hour before and after it.
type dayOf struct {
	from, to time.Time
	meters   []metering.MeterID
}

func wholeDay(now time.Time) dayOf {
	d := dayOf{from: now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -3)}
	d.to = d.from.Add(24 * time.Hour)
	for n := range dwellings {
		for _, kind := range []string{"CW", "HW", "EL"} {
			d.meters = append(d.meters, metering.MeterID(fmt.Sprintf("%s-%04d", kind, n)))
		}
	}
	return d
}

func (d dayOf) reading(meter, step int) metering.Reading {
	return metering.Reading{Meter: d.meters[meter], Quantity: metering.Index, At: d.from.Add(-time.Hour).Add(time.Duration(step) * interval),
		Amount: metering.Amount(1_000_000 + 300*meter + 45*step + (meter*step)%40)}
}

func (d dayOf) readings() []metering.Reading {
	var all []metering.Reading
	for step := range 26 * 6 {
		for m := range d.meters {
			all = append(all, d.reading(m, step))
		}
	}
	return all
}

func (d dayOf) registry() ([]byte, error) {
	r := wire.Registry{Site: siteID, Zone: "Etc/UTC", EarliestMs: d.from.AddDate(0, 0, -2).UnixMilli()}
	for i, m := range d.meters {
		kind := []metering.Kind{metering.ColdWater, metering.HotWater, metering.Electricity}[i%3]
		r.Meters = append(r.Meters, wire.RegistryMeter{Meter: m, Gateway: "gw-00", Kind: kind, IntervalS: int64(interval.Seconds()),
			Resolution: metering.Fine, FromMs: r.EarliestMs})
	}
	return r.Encode()
}

// rollupDay computes hours, days and months of a day of a large residence from
// its readings, and sums them by hours in Flux.
func (c *commands) rollupDay(ctx context.Context) ([]bench.Row, error) {
	s, err := c.newSystem(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	d := wholeDay(time.Now())
	store, err := s.store()
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if err := store.WriteReadings(ctx, d.readings()); err != nil {
		return nil, err
	}
	payload, err := d.registry()
	if err != nil {
		return nil, err
	}
	if err := s.publish(wire.RegistryTopic(siteID), payload); err != nil {
		return nil, err
	}
	var took, flux []float64
	var queries int64
	for range c.Repeat {
		before, err := s.queries()
		if err != nil {
			return nil, err
		}
		own, err := s.rebuild(ctx, d)
		if err != nil {
			return nil, err
		}
		if queries, err = s.queries(); err != nil {
			return nil, err
		}
		queries -= before
		other, err := s.fluxDay(ctx, d)
		if err != nil {
			return nil, err
		}
		c.say("  rollup %.2f s with %d queries, Flux %.2f s", own, queries, other)
		took, flux = append(took, own), append(flux, other)
	}
	if err := d.check(ctx, store); err != nil {
		return nil, err
	}
	late, err := s.late(ctx, d)
	if err != nil {
		return nil, err
	}
	return []bench.Row{bench.New(bench.Row{Bench: "rollup-day", Ours: bench.Median(took), Peer: median(flux), Unit: "s",
		Note: fmt.Sprintf("%d meters, %d readings; the whole command, start and reading of the registry included; "+
			"a late reading rewrote %d of %d hours", len(d.meters), len(d.readings()), late, 24*len(d.meters))},
		bench.All("at most 3 s, and a late reading costs its own meter and hours", func(r bench.Row) bool { return r.Ours <= mostSeconds },
			func(bench.Row) bool { return late >= 1 && late <= 3 }))}, nil
}

// rebuild times the command that computes a range anew.
func (s *system) rebuild(ctx context.Context, d dayOf) (float64, error) {
	config, err := s.collectorFile()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	command := exec.CommandContext(ctx, s.collector, "rollup", "--config", config,
		"--from", d.from.Format(time.DateOnly), "--to", d.from.Format(time.DateOnly))
	if said, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("rollup: %w: %s", err, said)
	}
	return time.Since(start).Seconds(), nil
}

// check demands every hour of every meter, with the difference of the readings
// at its bounds.
func (d dayOf) check(ctx context.Context, store *influx.Client) error {
	found, err := store.Consumption(ctx, influx.Hourly, d.meters, d.from, d.to)
	if err != nil {
		return err
	}
	for m, id := range d.meters {
		if len(found[id]) != 24 {
			return fmt.Errorf("meter %s has %d hours, want 24", id, len(found[id]))
		}
		for h, hour := range found[id] {
			if want := d.reading(m, 6*(h+2)).Amount - d.reading(m, 6*(h+1)).Amount; hour.Used != want {
				return fmt.Errorf("meter %s used %d in hour %d, want %d", id, hour.Used, h, want)
			}
		}
	}
	return nil
}

const fluxTotals = `from(bucket: "xnet_readings/autogen")
  |> range(start: %s, stop: %s)
  |> filter(fn: (r) => r._measurement == "reading" and r._field == "index")
  |> aggregateWindow(every: 1h, fn: spread)`

// fluxDay times the same totals by hours as Flux computes them.
func (s *system) fluxDay(ctx context.Context, d dayOf) (float64, error) {
	query := fmt.Sprintf(fluxTotals, d.from.Format(time.RFC3339), d.to.Format(time.RFC3339))
	body, err := json.Marshal(map[string]any{"query": query, "type": "flux"})
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.influx+"/api/v2/query", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	start := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	rows := csv.NewReader(response.Body)
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	count := 0
	for {
		if _, err := rows.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, fmt.Errorf("flux: %w", err)
		}
		count++
	}
	if response.StatusCode != http.StatusOK || count < 24*len(d.meters) {
		return 0, fmt.Errorf("flux: %s, %d rows, want %d", response.Status, count, 24*len(d.meters))
	}
	return time.Since(start).Seconds(), nil
}

// late lets a running collector take one reading between two others and returns
// how many hours were written because of it.
func (s *system) late(ctx context.Context, d dayOf) (int64, error) {
	if _, err := s.runCollector(ctx); err != nil {
		return 0, err
	}
	if err := s.rolledUp(ctx); err != nil {
		return 0, err
	}
	before, err := s.points("xnet_hourly")
	if err != nil {
		return 0, err
	}
	r := d.reading(700, 6*10-1) // a little before the full hour, which it then bounds
	r.At = r.At.Add(7 * time.Minute)
	r.Amount++
	payload, err := wire.AppendPack(nil, wire.Pack{Spool: spoolID, Seq: 1, Readings: []wire.UnitReading{{Reading: r, Unit: metering.Millilitre}}})
	if err != nil {
		return 0, err
	}
	answered, stop, err := countAnswers(s)
	if err != nil {
		return 0, err
	}
	defer stop()
	if err := s.publish(topic(0), payload); err != nil {
		return 0, err
	}
	// What is answered is marked for the rollup.
	heard := bench.Within(ctx, time.Minute, func() error {
		if answered() == 0 {
			return errors.New("the late reading is not answered")
		}
		return nil
	})
	if err := errors.Join(heard, s.rolledUp(ctx)); err != nil {
		return 0, err
	}
	after, err := s.points("xnet_hourly")
	return after - before, err
}

// rolledUp returns once the running collector has nothing left to roll up.
func (s *system) rolledUp(ctx context.Context) error {
	return bench.Within(ctx, time.Minute, func() error {
		n, err := figure(s.figures, pendingGauge)
		if err == nil && n != 0 {
			err = fmt.Errorf("%v meters are still to be rolled up", n)
		}
		return err
	})
}

func (s *system) publish(topic string, payload []byte) error {
	publisher, err := connect(s.broker, "once")
	if err != nil {
		return err
	}
	defer publisher.close()
	return publisher.retain(topic, payload)
}
