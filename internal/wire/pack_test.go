package wire_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A packVector is one entry of testdata/packs.json.
type packVector struct {
	Name      string
	Payload   string
	Spool     wire.SpoolID // "" where the header cannot be read
	Seq       wire.Seq
	Readings  []readingVector
	Canonical bool   // the payload is what AppendPack writes
	Error     string // the reason, where the pack is refused
}

type readingVector struct {
	Meter    metering.MeterID
	Quantity metering.Quantity
	AtMs     int64 `json:"at_ms"`
	Amount   metering.Amount
	Unit     metering.Unit
}

func (v packVector) pack() wire.Pack {
	p := wire.Pack{Spool: v.Spool, Seq: v.Seq}
	for _, r := range v.Readings {
		p.Readings = append(p.Readings, wire.UnitReading{Unit: r.Unit, Reading: metering.Reading{
			Meter: r.Meter, Quantity: r.Quantity, At: time.UnixMilli(r.AtMs).UTC(), Amount: r.Amount}})
	}
	return p
}

// reasons are the errors that a vector may name.
var reasons = map[string]error{
	"ErrMalformed": wire.ErrMalformed, "ErrTooLarge": wire.ErrTooLarge, "ErrNoHeader": wire.ErrNoHeader,
	"ErrName": wire.ErrName, "ErrUnit": wire.ErrUnit, "ErrInexact": wire.ErrInexact, "ErrRange": wire.ErrRange,
}

func packVectors(t testing.TB) []packVector {
	t.Helper()
	text, err := os.ReadFile("testdata/packs.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []packVector
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func TestDecodePackVectors(t *testing.T) {
	for _, v := range packVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			got, err := wire.DecodePack([]byte(v.Payload))
			if !errors.Is(err, reasons[v.Error]) {
				t.Fatalf("DecodePack error %v, want %q", err, v.Error)
			}
			if diff := cmp.Diff(v.pack(), got); diff != "" {
				t.Errorf("pack (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVectorsNameEachReason(t *testing.T) {
	named := map[string]bool{"ErrTooLarge": true} // has tests of its own: such a vector is a megabyte
	for _, v := range packVectors(t) {
		named[v.Error] = true
	}
	for name := range reasons {
		if !named[name] {
			t.Errorf("no vector is refused for %s", name)
		}
	}
}

func TestCanonicalVectorsAreWhatIsWritten(t *testing.T) {
	canonical := 0
	for _, v := range packVectors(t) {
		if !v.Canonical {
			continue
		}
		canonical++
		got, err := wire.AppendPack([]byte("before"), v.pack())
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if diff := cmp.Diff("before"+v.Payload, string(got)); diff != "" {
			t.Errorf("%s: payload (-want +got):\n%s", v.Name, diff)
		}
	}
	if canonical < 4 {
		t.Errorf("%d canonical vectors, want at least 4", canonical)
	}
}

func reading(meter metering.MeterID, n metering.Amount) wire.UnitReading {
	return wire.UnitReading{Unit: metering.WattHour, Reading: metering.Reading{
		Meter: meter, Quantity: metering.Index, At: time.UnixMilli(1_764_000_000_000), Amount: n}}
}

func TestAppendPackRefusesWhatCannotBeDecoded(t *testing.T) {
	with := func(change func(*wire.UnitReading)) wire.Pack {
		r := reading("M1", 1)
		change(&r)
		return wire.Pack{Spool: "s", Seq: 1, Readings: []wire.UnitReading{r}}
	}
	long := wire.Pack{Spool: "s", Seq: 1}
	for range wire.MaxPackReadings {
		long.Readings = append(long.Readings, reading(metering.MeterID(strings.Repeat("m", 64)), 1))
	}
	for _, tt := range []struct {
		name string
		pack wire.Pack
		want error
	}{
		{"no spool", wire.Pack{Seq: 1}, wire.ErrNoHeader},
		{"spool not an id", wire.Pack{Spool: `a"b`, Seq: 1}, wire.ErrNoHeader},
		{"seq nought", wire.Pack{Spool: "s"}, wire.ErrNoHeader},
		{"seq past int64", wire.Pack{Spool: "s", Seq: 1 << 63}, wire.ErrNoHeader},
		{"too many readings", wire.Pack{Spool: "s", Seq: 1, Readings: make([]wire.UnitReading, wire.MaxPackReadings+1)}, wire.ErrTooLarge},
		{"too many bytes", long, wire.ErrTooLarge},
		{"meter not an id", with(func(r *wire.UnitReading) { r.Meter = "M/1" }), wire.ErrName},
		{"unknown quantity", with(func(r *wire.UnitReading) { r.Quantity = "voltage" }), wire.ErrUnit},
		{"unknown unit", with(func(r *wire.UnitReading) { r.Unit = "kWh" }), wire.ErrUnit},
		{"unit of another quantity", with(func(r *wire.UnitReading) { r.Unit = metering.Watt }), wire.ErrUnit},
		{"no instant", with(func(r *wire.UnitReading) { r.At = time.Time{} }), wire.ErrRange},
		{"clock at 1970", with(func(r *wire.UnitReading) { r.At = time.Unix(42, 0) }), wire.ErrRange},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.AppendPack([]byte("before"), tt.pack)
			if !errors.Is(err, tt.want) || string(got) != "before" {
				t.Errorf("AppendPack = %.20q, %v, want dst as it was and %v", got, err, tt.want)
			}
		})
	}
}

func TestDecodePackLimits(t *testing.T) {
	full := wire.Pack{Spool: "s", Seq: 1}
	for range wire.MaxPackReadings {
		full.Readings = append(full.Readings, reading("M1", 1))
	}
	payload, err := wire.AppendPack(nil, full)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wire.DecodePack(payload); err != nil || len(got.Readings) != wire.MaxPackReadings {
		t.Errorf("a full pack: %d readings, %v", len(got.Readings), err)
	}
	over := strings.TrimSuffix(string(payload), "]") + `,{"n":"M1/index","u":"Wh","t":1764000000.000,"v":1}]`
	got, err := wire.DecodePack([]byte(over))
	if !errors.Is(err, wire.ErrTooLarge) || got.Seq != 1 || len(got.Readings) != 0 {
		t.Errorf("one reading more: pack %d with %d readings, %v", got.Seq, len(got.Readings), err)
	}
	if _, err := wire.DecodePack(make([]byte, wire.MaxPackBytes+1)); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("one byte too many: %v, want %v", err, wire.ErrTooLarge)
	}
}

func TestInstantsAreCutToMilliseconds(t *testing.T) {
	r := reading("M1", 1)
	r.At = time.Unix(1_764_000_000, 123_999_999).In(time.FixedZone("", 3600))
	payload, err := wire.AppendPack(nil, wire.Pack{Spool: "s", Seq: 1, Readings: []wire.UnitReading{r}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.DecodePack(payload)
	if err != nil {
		t.Fatal(err)
	}
	r.At = time.UnixMilli(1_764_000_000_123).UTC()
	if diff := cmp.Diff([]wire.UnitReading{r}, got.Readings, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
}
