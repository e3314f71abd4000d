package main

import (
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/collector/ingest"
	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type rollupCommand struct {
	From  string   `help:"First day, as in 2026-03-01." required:""`
	To    string   `help:"Last day, as in 2026-03-31." required:""`
	Meter []string `help:"Only this meter; may be repeated. Without it all meters of all registries."`
}

// Run rebuilds the rollups. It may run beside a collector.
func (r *rollupCommand) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	first, last, err := r.days()
	if err != nil {
		return err
	}
	store, err := influx.Open(c.Influx)
	if err != nil {
		return err
	}
	defer store.Close()
	var directory sites.Directory
	if err := ingest.Registries(e.ctx, c.Broker, e.logger(c), &directory); err != nil {
		return err
	}
	meters, err := r.chosen(directory.Now())
	if err != nil {
		return err
	}
	periods := 0
	err = e.insist(func() (err error) {
		rebuild := rollup.Rebuild{Store: store, Directory: &directory, Meters: meters, First: first, Last: last, Progress: e.progress("meters", len(meters))}
		periods, err = rebuild.Run(e.ctx)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d periods of %d meters computed from %s to %s\n", periods, len(meters), first, last)
	return err
}

// progress returns what tells standard error how much of whole is done.
func (e *environment) progress(what string, whole int) func(more int) {
	done := 0
	return func(more int) {
		done += more
		fmt.Fprintf(e.stderr, "%d of %d %s\n", done, whole, what)
	}
}

// days returns the first and the last civil day.
func (r *rollupCommand) days() (first, last civil.Date, err error) {
	if first, err = civil.ParseDate(r.From); err != nil {
		return first, last, fmt.Errorf("--from: %w", err)
	}
	if last, err = civil.ParseDate(r.To); err != nil {
		return first, last, fmt.Errorf("--to: %w", err)
	}
	if last.Before(first) {
		err = fmt.Errorf("--to %s is before --from %s: exchange them", last, first)
	}
	return first, last, err
}

func (r *rollupCommand) chosen(s *sites.Snapshot) ([]*sites.Meter, error) {
	names := s.Meters()
	if len(r.Meter) > 0 {
		names = nil
		for _, name := range r.Meter {
			names = append(names, metering.MeterID(name))
		}
	}
	meters := make([]*sites.Meter, 0, len(names))
	for _, id := range slices.Compact(slices.Sorted(slices.Values(names))) {
		m, ok := s.Meter(id)
		if !ok {
			return nil, fmt.Errorf("meter %s stands in no registry: see collector rollup without --meter", id)
		}
		meters = append(meters, m)
	}
	return meters, nil
}
