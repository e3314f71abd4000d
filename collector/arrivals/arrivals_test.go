package arrivals_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/arrivals"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

var base = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

func directory(t *testing.T) *sites.Snapshot {
	t.Helper()
	var d sites.Directory
	fine := wire.RegistryMeter{Meter: "M1", Gateway: "G1", Kind: metering.ColdWater, IntervalS: 600, Resolution: metering.Fine}
	coarse := fine
	coarse.Meter, coarse.Resolution = "M2", metering.Day
	if _, err := d.Update(wire.Registry{Site: "S1", Zone: "Europe/Paris", Meters: []wire.RegistryMeter{fine, coarse}}); err != nil {
		t.Fatal(err)
	}
	return d.Now()
}

func index(m metering.MeterID, minutes int) metering.Reading {
	return metering.Reading{Meter: m, Quantity: metering.Index, At: base.Add(time.Duration(minutes) * time.Minute)}
}

func TestWatch(t *testing.T) {
	w, s := arrivals.New(), directory(t)
	g1, g2 := wire.Source{Site: "S1", Gateway: "G1"}, wire.Source{Site: "S1", Gateway: "G2"}
	now := base.Add(2 * time.Hour)
	w.Note(s, g1, []metering.Reading{index("M1", 0), index("M1", 10), index("M1", 30), index("M1", 60)}, now)
	w.Note(s, g1, []metering.Reading{index("M2", 0), index("M2", 24*60), index("M1", 50)}, now) // a day's step is no gap; the late one neither
	w.Note(s, g2, []metering.Reading{index("UNKNOWN", 0), index("UNKNOWN", 600)}, now)
	w.Note(s, g2, nil, now.Add(time.Hour))

	want := []influx.Arrival{
		{Site: "S1", Gateway: "G1", Last: base.Add(24 * time.Hour), Delay: 70 * time.Minute, Gaps: 1},
		{Site: "S1", Gateway: "G2", Last: base.Add(10 * time.Hour), Delay: -8 * time.Hour},
	}
	if diff := cmp.Diff(want, w.Fresh()); diff != "" {
		t.Errorf("arrivals (-want +got):\n%s", diff)
	}
	if again := w.Fresh(); len(again) > 0 {
		t.Errorf("nothing arrived since, got %v", again)
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(w); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] = append(got[f.GetName()], m.GetGauge().GetValue()+m.GetCounter().GetValue())
		}
	}
	const name = "xnet_collector_"
	wanted := map[string][]float64{
		name + "gateway_last_reading_timestamp_seconds": {float64(base.Unix() + 86400), float64(base.Unix() + 36000)},
		name + "gateway_delay_seconds":                  {4200, -28800}, name + "gateway_gaps_total": {1, 0},
		name + "meter_last_reading_timestamp_seconds": {float64(base.Unix() + 3600), float64(base.Unix() + 86400)},
		name + "meter_delay_seconds":                  {4200, -79200}, name + "meter_gaps_total": {1, 0},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}
