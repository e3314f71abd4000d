package sites_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func meter(id metering.MeterID, r metering.Resolution) wire.RegistryMeter {
	return wire.RegistryMeter{Meter: id, Kind: metering.Heat, IntervalS: 600, Resolution: r}
}

func update(t *testing.T, d *sites.Directory, site metering.SiteID, meters ...wire.RegistryMeter) []metering.MeterID {
	t.Helper()
	changed, err := d.Update(wire.Registry{Site: site, Zone: "Europe/Paris", EarliestMs: 1000, Meters: meters})
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func TestUpdateTellsWhatChanged(t *testing.T) {
	d := &sites.Directory{}
	if _, known := d.Now().Earliest("S1"); known {
		t.Error("an empty directory knows a site")
	}
	before := d.Now()
	moved := meter("M2", metering.Day)
	moved.Gateway = "G2"
	for _, tt := range []struct {
		name string
		site metering.SiteID
		now  []wire.RegistryMeter
		want []metering.MeterID
		all  []metering.MeterID
	}{
		{"new", "S1", []wire.RegistryMeter{meter("M1", metering.Fine), meter("M2", metering.Day)}, []metering.MeterID{"M1", "M2"}, []metering.MeterID{"M1", "M2"}},
		{"the same again", "S1", []wire.RegistryMeter{meter("M1", metering.Fine), moved}, nil, []metering.MeterID{"M1", "M2"}},
		{"consent withdrawn", "S1", []wire.RegistryMeter{meter("M1", metering.Month), moved}, []metering.MeterID{"M1"}, []metering.MeterID{"M1", "M2"}},
		{"another site", "S2", []wire.RegistryMeter{meter("M3", metering.Fine)}, []metering.MeterID{"M3"}, []metering.MeterID{"M1", "M2", "M3"}},
		{"a meter gone", "S1", []wire.RegistryMeter{moved}, nil, []metering.MeterID{"M2", "M3"}},
	} {
		got := update(t, d, tt.site, tt.now...)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: changed (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.all, d.Now().Meters()); diff != "" {
			t.Errorf("%s: meters (-want +got):\n%s", tt.name, diff)
		}
	}
	if at, known := d.Now().Earliest("S1"); !known || at.UnixMilli() != 1000 {
		t.Errorf("earliest %v, %v", at, known)
	}
	if len(before.Meters()) != 0 {
		t.Error("a snapshot changed")
	}
	if _, err := d.Update(wire.Registry{Site: "S1", Zone: "Mars/Base"}); err == nil || len(d.Now().Meters()) != 2 {
		t.Errorf("unknown zone: %v", err)
	}
}

func TestPeriodsBeginInTheZone(t *testing.T) {
	d := &sites.Directory{}
	update(t, d, "S1", meter("M1", metering.Fine))
	m, _ := d.Now().Meter("M1")
	instant := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	for _, tt := range []struct {
		period          influx.Period
		at, start, next string
	}{
		{influx.Hourly, "2026-03-29T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		{influx.Daily, "2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{influx.Daily, "2025-10-26T22:59:59Z", "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"}, // 25 hours
		{influx.Monthly, "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{influx.Monthly, "2025-12-31T23:00:00Z", "2025-12-31T23:00:00Z", "2026-01-31T23:00:00Z"},
	} {
		got := []time.Time{m.Floor(tt.period, instant(tt.at)), m.Next(tt.period, instant(tt.at))}
		if diff := cmp.Diff([]time.Time{instant(tt.start), instant(tt.next)}, got); diff != "" {
			t.Errorf("%s at %s (-want +got):\n%s", tt.period, tt.at, diff)
		}
	}
}
