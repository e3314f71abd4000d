package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// spans are three days each: ordinary ones, and those around each change of the
// clock.
var spans = []struct {
	name  string
	first civil.Date
}{
	{"ordinary days", civil.Date{Year: 2025, Month: time.June, Day: 10}},
	{"a day of 23 hours", civil.Date{Year: 2025, Month: time.March, Day: 29}},
	{"a day of 25 hours", civil.Date{Year: 2025, Month: time.October, Day: 25}},
}

const spanDays = 3

// phantom lets every event happen to indexes, has the collector's rollup book
// them on a real InfluxDB, and sums what is booked beyond what was drawn.
func (c *commands) phantom(ctx context.Context) (rows []bench.Row, err error) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, fmt.Errorf("zone of Paris: %w: install tzdata", err)
	}
	children := &bench.Children{}
	defer children.Stop()
	dir, err := os.MkdirTemp("", "xnet-bench-analysis-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := c.startInflux(ctx, children, dir)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	all := ledger{}
	for i, span := range spans {
		from, to := span.first.Start(zone), span.first.AddDays(spanDays).Start(zone)
		happened := lives(c.Seed, int(to.Sub(from)/pollEach)+1, c.Events)
		if err := book(ctx, store, fmt.Sprintf("s%d", i), zone, from, happened); err != nil {
			return nil, err
		}
		one, err := compare(ctx, store, fmt.Sprintf("s%d", i), from, to, happened)
		if err != nil {
			return nil, err
		}
		c.say("  %-17s %s", span.name, one)
		all.add(one)
	}
	for _, fault := range all.faults {
		c.say("  %s", fault)
	}
	note := fmt.Sprintf("%d events, %d not booked of %d mL", all.lives, all.lost, all.drawn)
	return []bench.Row{bench.New(bench.Row{Bench: "phantom", Ours: float64(all.phantom), Unit: "mL", Note: note}, bench.AtMost(0, "mL"))}, nil
}

// startInflux starts an InfluxDB of the benchmark's own in a folder.
func (c *commands) startInflux(ctx context.Context, children *bench.Children, dir string) (*influx.Client, error) {
	path, err := peer.Influxd(ctx, c.stderr)
	if err != nil {
		return nil, err
	}
	addr, err := influxd.FreeAddr()
	if err != nil {
		return nil, err
	}
	command, err := influxd.Server{Path: path, Data: dir, Addr: addr}.Command(ctx)
	if err != nil {
		return nil, err
	}
	if err := children.Start(command); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := influxd.WaitHealthy(waiting, addr); err != nil {
		return nil, err
	}
	config := influx.DefaultConfig()
	config.URL, config.Keep = "http://"+addr, influx.Retention{}
	store, err := influx.Open(config)
	if err != nil {
		return nil, err
	}
	return store, store.SetUp(ctx)
}

// book stores what was read and has it rolled up.
func book(ctx context.Context, store *influx.Client, prefix string, zone *time.Location, from time.Time, all []life) error {
	registry := wire.Registry{Site: metering.SiteID(prefix), Zone: zone.String(), EarliestMs: from.AddDate(0, 0, -2).UnixMilli()}
	var read []metering.Reading
	for n, l := range all {
		rs, meters := l.readings(prefix, n, from)
		read, registry.Meters = append(read, rs...), append(registry.Meters, meters...)
	}
	directory := &sites.Directory{}
	if _, err := directory.Update(registry); err != nil {
		return err
	}
	if err := store.WriteReadings(ctx, read); err != nil {
		return err
	}
	_, err := rollup.Touch(ctx, store, directory, read)
	return err
}

// A ledger sums what was drawn, what of it was not booked, and what was booked
// beyond it, in mL.
type ledger struct {
	lives                int
	drawn, lost, phantom metering.Amount
	faults               []string
}

func (l *ledger) add(o ledger) {
	l.lives, l.drawn, l.lost, l.phantom = l.lives+o.lives, l.drawn+o.drawn, l.lost+o.lost, l.phantom+o.phantom
	l.faults = append(l.faults, o.faults...)
}

func (l ledger) String() string {
	return fmt.Sprintf("%d events: %d mL drawn, %d mL not booked, %d mL phantom", l.lives, l.drawn, l.lost, l.phantom)
}

// enter holds what was booked of one life in periods of one length against what
// was drawn.
func (l *ledger) enter(of string, p influx.Period, truth metering.Amount, booked []influx.Consumption) {
	var sum, negative metering.Amount
	for _, b := range booked {
		sum += b.Used
		negative -= min(0, b.Used) // what is booked below zero hides a phantom
	}
	l.drawn += truth
	l.lost += max(0, truth-sum)
	if beyond := max(0, sum-truth) + negative; beyond > 0 {
		l.phantom += beyond
		l.faults = append(l.faults, fmt.Sprintf("%s: %s: %d mL were booked, %d drawn, %d below zero", of, p, sum, truth, negative))
	}
}

// compare reads the booked hours and days of every life.
func compare(ctx context.Context, store *influx.Client, prefix string, from, to time.Time, all []life) (ledger, error) {
	var meters []metering.MeterID
	for n := range all {
		first, second := ids(prefix, n)
		meters = append(meters, first, second)
	}
	total := ledger{lives: len(all)}
	for _, p := range []influx.Period{influx.Hourly, influx.Daily} {
		booked, err := store.Consumption(ctx, p, meters, from.AddDate(0, 0, -1), to.AddDate(0, 0, 1))
		if err != nil {
			return ledger{}, err
		}
		if len(booked) < len(all) {
			return ledger{}, fmt.Errorf("%s: %d of %d meters were booked: %s", p, len(booked), len(all), missing(booked, prefix, all))
		}
		for n, l := range all {
			first, second := ids(prefix, n)
			total.enter(l.of, p, l.truth(), append(booked[first], booked[second]...))
		}
	}
	return total, nil
}

// missing names the events of which nothing was booked.
func missing(booked map[metering.MeterID][]influx.Consumption, prefix string, all []life) string {
	var names []string
	for n, l := range all {
		if first, _ := ids(prefix, n); len(booked[first]) == 0 {
			names = append(names, l.of)
		}
	}
	return strings.Join(names, ", ")
}
