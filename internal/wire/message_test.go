package wire_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	firstOf2025 = 1_735_689_600_000 // 2025-01-01T00:00:00Z
	now         = 1_764_000_000_000
)

// wholeRegistry is what testdata/registry.json says.
func wholeRegistry() wire.Registry {
	return wire.Registry{Site: "roseraie", Zone: "Europe/Paris", EarliestMs: firstOf2025, Meters: []wire.RegistryMeter{
		{Meter: "M1", Gateway: "gw-1", Kind: metering.ColdWater, IndexModulus: 100_000_000_000, MaxPerHour: 3_000_000,
			IntervalS: 600, Resolution: metering.Day, FromMs: firstOf2025, ToMs: now},
		{Meter: "M2", Gateway: "gw-1", Kind: metering.Electricity, IntervalS: 600, Resolution: metering.Off, FromMs: now},
		{Meter: "M3", Gateway: "gw-1", Kind: metering.HotWater, IntervalS: 600, Resolution: metering.Month, FromMs: firstOf2025, ErasedUntilMs: now},
	}}
}

func TestMessageVectors(t *testing.T) {
	checkVector(t, "stored.json", wire.DecodeStored, wire.Stored{Spool: "8f2c", Stored: []wire.Seq{7, 8, 10},
		Refused: []wire.Refusal{{Seq: 9, Reason: "meter M1: unit does not fit the quantity"}}})
	checkVector(t, "stored-nothing.json", wire.DecodeStored, wire.Stored{Spool: "8f2c", Stored: []wire.Seq{},
		Refused: []wire.Refusal{{Seq: 9, Reason: "not a SenML pack"}}})
	checkVector(t, "registry.json", wire.DecodeRegistry, wholeRegistry())
	checkVector(t, "meters.json", wire.DecodeMeters, wire.Meters{AtMs: now, Meters: []wire.MeterReport{
		{Meter: "M1", Serial: "30112233", Kind: metering.ColdWater, Unit: metering.Millilitre,
			IndexModulus: 100_000_000_000, Resolution: metering.Day, LastGoodMs: now - 10_000,
			Errors: map[string]uint64{"crc": 2, "timeout": 1}},
		{Meter: "M2", Kind: metering.Electricity, Unit: metering.WattHour, Resolution: metering.Fine},
	}})
	checkVector(t, "state.json", wire.DecodeState, wire.State{Online: true, Version: "1.2.0", Boot: "c0ffee",
		Clock: wire.ClockTrusted, AtMs: now, SpoolPacks: 3, SpoolOldestMs: now - 600_000, Config: "2026-11-23.1"})
	checkVector(t, "state-config-fault.json", wire.DecodeState, wire.State{Online: true, Version: "1.2.0", Boot: "c0ffee",
		Clock: wire.ClockTrusted, AtMs: now, Config: "41", ConfigFault: "version 42: bus bus-1: slave 7 stands twice"})
	checkVector(t, "config.json", wire.DecodeSignedConfig, wire.SignedConfig{Version: "2026-11-23.1",
		Document: []byte("meters: []\n"), Signature: []byte{0, 1, 2, 3, 4}})
}

// vector is the text of a file of testdata.
func vector(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkVector holds that the file decodes to want, and want encodes to the file.
func checkVector[M interface{ Encode() ([]byte, error) }](t *testing.T, file string, decode func([]byte) (M, error), want M) {
	t.Run(file, func(t *testing.T) {
		text := vector(t, file)
		got, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decoded (-want +got):\n%s", diff)
		}
		payload, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSpace(string(text)), string(payload)); diff != "" {
			t.Errorf("encoded (-want +got):\n%s", diff)
		}
	})
}

func TestMessagesRefuseWhatIsNotThem(t *testing.T) {
	for _, payload := range []string{"", "{", "[]", `{"spool":1,"site":1,"at_ms":"x","version":1}`} {
		_, stored := wire.DecodeStored([]byte(payload))
		_, registry := wire.DecodeRegistry([]byte(payload))
		_, meters := wire.DecodeMeters([]byte(payload))
		_, state := wire.DecodeState([]byte(payload))
		_, config := wire.DecodeSignedConfig([]byte(payload))
		for what, err := range map[string]error{"stored": stored, "registry": registry,
			"meters": meters, "state": state, "config": config} {
			if err == nil || !strings.Contains(err.Error(), "decode "+what) {
				t.Errorf("decode %s of %q: error %v, want one that names what was decoded", what, payload, err)
			}
		}
	}
}

func TestMetersWithoutKindAreRefused(t *testing.T) {
	if m, err := wire.DecodeMeters([]byte(`{"meters":[{"meter":"M1","resolution":"day"}]}`)); err == nil || !strings.Contains(err.Error(), "meter M1") {
		t.Errorf("decoded %v, %v, want an error that names the meter", m, err)
	}
	m := wire.Meters{Meters: []wire.MeterReport{{Meter: "M1", Kind: metering.Heat}}}
	if payload, err := m.Encode(); err == nil {
		t.Errorf("a meter without a resolution is written %s", payload)
	}
}

func TestStoredNeverSaysNull(t *testing.T) {
	payload, err := wire.Stored{Spool: "8f2c"}.Encode()
	if got, want := string(payload), `{"spool":"8f2c","stored":[]}`; err != nil || got != want {
		t.Errorf("encoded %s, %v, want %s", got, err, want)
	}
}

func TestRegistryFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*wire.Registry)
		want   string
	}{
		{"site", func(r *wire.Registry) { r.Site = "a/b" }, "site"},
		{"no zone", func(r *wire.Registry) { r.Zone = "" }, "IANA"},
		{"zone of the machine", func(r *wire.Registry) { r.Zone = "Local" }, "IANA"},
		{"unknown zone", func(r *wire.Registry) { r.Zone = "Europe/Angers" }, "IANA"},
		{"meter", func(r *wire.Registry) { r.Meters[0].Meter = "M 1" }, "meter \"M 1\""},
		{"meter twice", func(r *wire.Registry) { r.Meters[1].Meter = "M1" }, "M1 stands twice"},
		{"kind", func(r *wire.Registry) { r.Meters[0].Kind = "steam" }, "steam"},
		{"resolution", func(r *wire.Registry) { r.Meters[0].Resolution = "week" }, "week"},
		{"modulus", func(r *wire.Registry) { r.Meters[0].IndexModulus = -1 }, "index_modulus"},
		{"most an hour", func(r *wire.Registry) { r.Meters[0].MaxPerHour = -1 }, "max_per_hour"},
		{"interval", func(r *wire.Registry) { r.Meters[0].IntervalS = 0 }, "interval_s"},
		{"erased before 1970", func(r *wire.Registry) { r.Meters[0].ErasedUntilMs = -1 }, "erased_until_ms"},
		{"ends before it begins", func(r *wire.Registry) { r.Meters[0].ToMs = r.Meters[0].FromMs }, "to_ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := wholeRegistry()
			tt.change(&r)
			err := r.Validate()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate = %v, want an error with %q", err, tt.want)
			}
			if _, err := r.Encode(); err == nil {
				t.Error("a faulty registry was encoded")
			}
		})
	}
}

func TestErased(t *testing.T) {
	end := time.UnixMilli(now)
	for _, tt := range []struct {
		name  string
		until int64
		at    time.Time
		want  bool
	}{
		{"nothing was erased", 0, time.UnixMilli(-1), false},
		{"before", now, end.Add(-time.Millisecond), true},
		{"the first instant that counts", now, end, false},
	} {
		if got := (wire.RegistryMeter{ErasedUntilMs: tt.until}).Erased(tt.at); got != tt.want {
			t.Errorf("%s: erased %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestRegistryJoinsItsFaults(t *testing.T) {
	r := wholeRegistry()
	r.Zone, r.Meters[0].IntervalS, r.Meters[1].Kind = "", 0, "steam"
	err := r.Validate()
	for _, want := range []string{"zone", "meter M1", "meter M2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, want it to name %q", err, want)
		}
	}
}

func TestMillisAndInstant(t *testing.T) {
	for _, ms := range []int64{0, 1, -1, now, firstOf2025} {
		if got := wire.Millis(wire.Instant(ms)); got != ms {
			t.Errorf("Millis(Instant(%d)) = %d", ms, got)
		}
	}
	if got := wire.Instant(0); !got.IsZero() {
		t.Errorf("Instant(0) = %s, want the zero time", got)
	}
	if got := wire.Instant(now).Location(); got != time.UTC {
		t.Errorf("Instant in %s, want UTC", got)
	}
}
