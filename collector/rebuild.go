package main

import (
	"fmt"
	"slices"
	"time"

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
	from, to, err := r.days()
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
	keep := time.Duration(c.Influx.Keep.Readings) * 24 * time.Hour
	periods, err := rollup.Rebuild(e.ctx, store, meters, from, to, keep)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d periods of %d meters computed from %s to %s\n", periods, len(meters), r.From, r.To)
	return err
}

// days returns the bounds of the civil days; a few hours more at both ends do no
// harm, so that the zone of each site need not be asked for.
func (r *rollupCommand) days() (from, to time.Time, err error) {
	first, err := civil.ParseDate(r.From)
	if err != nil {
		return from, to, fmt.Errorf("--from: %w", err)
	}
	last, err := civil.ParseDate(r.To)
	if err != nil {
		return from, to, fmt.Errorf("--to: %w", err)
	}
	if last.Before(first) {
		return from, to, fmt.Errorf("--to %s is before --from %s: exchange them", last, first)
	}
	return first.Start(time.UTC).Add(-14 * time.Hour), last.AddDays(1).Start(time.UTC).Add(12 * time.Hour), nil
}

func (r *rollupCommand) chosen(s *sites.Snapshot) ([]sites.Meter, error) {
	names := s.Meters()
	if len(r.Meter) > 0 {
		names = nil
		for _, name := range r.Meter {
			names = append(names, metering.MeterID(name))
		}
	}
	meters := make([]sites.Meter, 0, len(names))
	for _, id := range slices.Compact(names) {
		m, ok := s.Meter(id)
		if !ok {
			return nil, fmt.Errorf("meter %s stands in no registry: see collector rollup without --meter", id)
		}
		meters = append(meters, m)
	}
	return meters, nil
}
