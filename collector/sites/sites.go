// Package sites remembers what the registries say: which meters exist, how they
// count, how finely they may be read, and in which zone their days begin.
package sites

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Meter is a meter of a registry with the zone of its site.
type Meter struct {
	wire.RegistryMeter
	Site metering.SiteID
	Zone *time.Location
}

// Floor returns the start of the period of p in which at lies: hours in UTC,
// days and months in the meter's zone.
func (m *Meter) Floor(p influx.Period, at time.Time) time.Time {
	switch p {
	case influx.Hourly:
		return at.UTC().Truncate(time.Hour)
	case influx.Daily:
		return civil.DateIn(at, m.Zone).Start(m.Zone).UTC()
	default:
		return civil.DateIn(at, m.Zone).MonthOf().First().Start(m.Zone).UTC()
	}
}

// Next returns the end of the period of p in which at lies, always after at.
func (m *Meter) Next(p influx.Period, at time.Time) time.Time {
	switch p {
	case influx.Hourly:
		return at.UTC().Truncate(time.Hour).Add(time.Hour)
	case influx.Daily:
		return civil.DateIn(at, m.Zone).AddDays(1).Start(m.Zone).UTC()
	default:
		return civil.DateIn(at, m.Zone).MonthOf().Next().First().Start(m.Zone).UTC()
	}
}

// Periods returns the periods that the meter's resolution allows to be kept, the
// shortest first; none for a meter that may not be read.
func (m *Meter) Periods() []influx.Period {
	switch {
	case m.Resolution.Allows(metering.Hour):
		return influx.Periods
	case m.Resolution.Allows(metering.Day):
		return influx.Periods[1:]
	case m.Resolution.Allows(metering.Month):
		return influx.Periods[2:]
	default:
		return nil
	}
}

// A Directory holds the registries of all sites. Its methods may be called
// concurrently; the zero value is empty and ready.
type Directory struct {
	mu      sync.Mutex // one change at a time
	current atomic.Pointer[Snapshot]
}

// A Snapshot is the directory at one moment. It does not change.
type Snapshot struct {
	earliest map[metering.SiteID]time.Time
	meters   map[metering.MeterID]*Meter
}

var empty = &Snapshot{}

// Now returns the directory as it is now.
func (d *Directory) Now() *Snapshot {
	if s := d.current.Load(); s != nil {
		return s
	}
	return empty
}

// Earliest returns the earliest plausible instant of a reading of the site, and
// whether the site's registry is known.
func (s *Snapshot) Earliest(site metering.SiteID) (time.Time, bool) {
	at, ok := s.earliest[site]
	return at, ok
}

// Meter returns the meter, and whether a registry knows it: else it is a zero
// one, never nil. It is not to be changed.
func (s *Snapshot) Meter(id metering.MeterID) (*Meter, bool) {
	if m := s.meters[id]; m != nil {
		return m, true
	}
	return &Meter{}, false
}

// Meters lists every known meter, in order of id.
func (s *Snapshot) Meters() []metering.MeterID { return slices.Sorted(maps.Keys(s.meters)) }

// Erasures returns, by meter, the instant in milliseconds since 1970 before which
// what it showed was erased. Meters without an erasure are absent.
func (s *Snapshot) Erasures() map[metering.MeterID]int64 {
	erased := map[metering.MeterID]int64{}
	for id, m := range s.meters {
		if m.ErasedUntilMs > 0 {
			erased[id] = m.ErasedUntilMs
		}
	}
	return erased
}

// Update replaces what is known of the registry's site. It returns the meters
// that are new or count or may be read otherwise than before. An unknown zone
// is an error and changes nothing.
func (d *Directory) Update(r wire.Registry) ([]metering.MeterID, error) {
	zone, err := r.Location()
	if err != nil {
		return nil, fmt.Errorf("apply registry: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.Now()
	after := &Snapshot{earliest: maps.Clone(before.earliest), meters: maps.Clone(before.meters)}
	if after.earliest == nil {
		after.earliest, after.meters = map[metering.SiteID]time.Time{}, map[metering.MeterID]*Meter{}
	}
	maps.DeleteFunc(after.meters, func(_ metering.MeterID, m *Meter) bool { return m.Site == r.Site })
	after.earliest[r.Site] = time.UnixMilli(r.EarliestMs).UTC()
	var changed []metering.MeterID
	for _, m := range r.Meters {
		known := &Meter{RegistryMeter: m, Site: r.Site, Zone: zone}
		after.meters[m.Meter] = known
		if old, ok := before.meters[m.Meter]; !ok || counts(old) != counts(known) {
			changed = append(changed, m.Meter)
		}
	}
	d.current.Store(after)
	return changed, nil
}

// counts is what of a meter its rollup depends on.
func counts(m *Meter) any {
	return [5]any{m.Zone.String(), m.Resolution, m.IndexModulus, m.MaxPerHour, m.IntervalS}
}
