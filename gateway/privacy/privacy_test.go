package privacy_test

import (
	"fmt"
	"testing"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func open(t *testing.T, dir string) *privacy.Filter {
	t.Helper()
	c := firmwareconfig.DefaultGateway()
	for _, r := range metering.Resolutions {
		c.Imported = append(c.Imported, firmwareconfig.Meter{ID: metering.MeterID(r), Kind: metering.ColdWater, Resolution: r})
	}
	f, err := privacy.Open(&c, dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// left counts the readings that leave when a meter is read every ten minutes
// over the two days around the end of summer time, from 24 to 26 October 2026.
func left(f *privacy.Filter, meter metering.MeterID, q metering.Quantity) (n int) {
	start := time.Date(2026, 10, 23, 22, 0, 0, 0, time.UTC) // midnight in Paris
	for i := range 6 * (24 + 25) {
		if f.Pass(metering.Reading{Meter: meter, Quantity: q, At: start.Add(time.Duration(i) * 10 * time.Minute)}) {
			n++
		}
	}
	return n
}

func TestOnlyWhatTheResolutionAllowsLeaves(t *testing.T) {
	for _, tt := range []struct {
		meter       metering.MeterID
		index, flow int
	}{
		{"fine", 294, 294},
		{"hour", 49, 0},
		{"day", 2, 0},
		{"month", 1, 0},
		{"off", 0, 0},
		{"unknown", 0, 0},
	} {
		f := open(t, t.TempDir())
		if got := left(f, tt.meter, metering.Index); got != tt.index {
			t.Errorf("%s: %d indexes leave, want %d", tt.meter, got, tt.index)
		}
		if got := left(f, tt.meter, metering.Flow); got != tt.flow {
			t.Errorf("%s: %d flows leave, want %d", tt.meter, got, tt.flow)
		}
	}
}

func TestRegistryDecidesAndIsKept(t *testing.T) {
	dir := t.TempDir()
	meter := wire.RegistryMeter{Meter: "fine", Kind: metering.ColdWater, IntervalS: 600, Resolution: metering.Off}
	stranger := meter
	stranger.Meter, stranger.Resolution = "other", metering.Fine
	err := open(t, dir).Apply(wire.Registry{Site: "s", Zone: "Europe/Paris", Meters: []wire.RegistryMeter{meter, stranger}})
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, dir) // after a restart, before the broker is heard
	if got := left(f, "fine", metering.Index); got != 0 {
		t.Errorf("%d readings leave though the registry says off", got)
	}
	if got := f.Resolution("other"); got != metering.Off {
		t.Errorf("a meter of another gateway has resolution %s here, want off", got)
	}
}

// What a document from afar says of a resolution never raises what the registry
// says, nor, for a meter that the registry does not know, what the law allows
// without consent; after a restart neither.
func TestDocumentNeverRaisesAResolution(t *testing.T) {
	own := firmwareconfig.DefaultGateway()
	own.Site, own.Gateway = "s", "g"
	document := "site: s\ngateway: g\nimported:\n"
	want := map[metering.MeterID]metering.Resolution{}
	registry := wire.Registry{Site: "s", Zone: "Europe/Paris"}
	for _, said := range metering.Resolutions {
		for _, allowed := range metering.Resolutions {
			id := metering.MeterID(said + "-" + allowed)
			document += fmt.Sprintf("  - {id: %s, kind: cold_water, resolution: %s}\n", id, said)
			registry.Meters = append(registry.Meters, wire.RegistryMeter{Meter: id, Kind: metering.ColdWater, IntervalS: 600, Resolution: allowed})
			want[id] = allowed
		}
		stranger := metering.MeterID(said + "-stranger")
		document += fmt.Sprintf("  - {id: %s, kind: cold_water, resolution: %s}\n", stranger, said)
		want[stranger] = metering.Day
		if !said.Allows(metering.Day) {
			want[stranger] = said
		}
	}
	dir := t.TempDir()
	f, err := privacy.Open(&own, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(registry); err != nil {
		t.Fatal(err)
	}
	c, err := own.With([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Configure(c); err != nil {
		t.Fatal(err)
	}
	again, err := privacy.Open(c, dir)
	if err != nil {
		t.Fatal(err)
	}
	for id, resolution := range want {
		if got := f.Resolution(id); got != resolution {
			t.Errorf("meter %s has resolution %s, want %s", id, got, resolution)
		}
		if got := again.Resolution(id); got != resolution {
			t.Errorf("after a restart meter %s has resolution %s, want %s", id, got, resolution)
		}
	}
}
