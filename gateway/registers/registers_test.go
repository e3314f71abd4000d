package registers_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func profile(t *testing.T, text string) firmwareconfig.Profile {
	t.Helper()
	p, err := firmwareconfig.ParseProfile("test", []byte("source: test\nconfidence: A\nfunction: 3\nlimit: 20\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func plan(t *testing.T, p firmwareconfig.Profile, meters ...firmwareconfig.Meter) []registers.Request {
	t.Helper()
	requests, err := registers.Plan(firmwareconfig.Device{Slave: 7, Meters: meters}, p)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

func TestAmount(t *testing.T) {
	electricity := firmwareconfig.Meter{ID: "M1", Kind: metering.Electricity}
	water := firmwareconfig.Meter{ID: "M1", Kind: metering.ColdWater, PulseML: 10_000, StartIndex: 500}
	room := firmwareconfig.Meter{ID: "M1", Kind: metering.Temperature}
	for _, tt := range []struct {
		name     string
		meter    firmwareconfig.Meter
		register string
		answer   string
		want     metering.Amount
		err      error
	}{
		{"i64 Wh", electricity, "type: i64, unit: Wh, quantity: index", "00000000004B5A3C", 4_938_300, nil},
		{"u64 hundredths of a kWh", electricity, `type: u64, unit: kWh, scale: "0.01", quantity: index`, "0000000000000003", 30, nil},
		{"f32 kWh", electricity, "type: f32, unit: kWh, quantity: index", "42F6E979", 123_456, nil},
		{"f32 tenth", electricity, "type: f32, unit: kW, quantity: power", "3DCCCCCD", 100, nil},
		{"f64 Wh", electricity, "type: f64, unit: Wh, quantity: index", "40FE240C9FBE76C9", 123_456, nil},
		{"i32 words swapped", electricity, `type: i32, order: CDAB, unit: kWh, scale: "0.1", quantity: index`, "E2400001", 12_345_600, nil},
		{"u32 bytes swapped", electricity, "type: u32, order: BADC, unit: Wh, quantity: index", "010040E2", 123_456, nil},
		{"u32 all swapped", electricity, "type: u32, order: DCBA, unit: Wh, quantity: index", "40E20100", 123_456, nil},
		{"i64 words swapped", electricity, "type: i64, order: CDAB, unit: Wh, quantity: index", "5A3C004B00000000", 4_938_300, nil},
		{"u16", electricity, "type: u16, unit: W, quantity: power", "FFFF", 65_535, nil},
		{"i16 below zero, tenths", room, `type: i16, unit: Cel, scale: "0.1", quantity: temperature`, "FFCE", -5_000, nil},
		{"pulses and a start index", water, "type: u32, unit: pulse, quantity: index", "0000002A", 420_500, nil},
		{"u32 whole range", water, "type: u32, unit: pulse, quantity: index", "FFFFFFFF", 42_949_672_950_500, nil},
		{"sentinel", room, `type: i16, unit: Cel, none: ["8000"], quantity: temperature`, "8000", 0, registers.ErrNoValue},
		{"not a number", electricity, "type: f32, unit: kWh, quantity: index", "7FC00000", 0, registers.ErrNoValue},
		{"infinite of 64 bits", electricity, "type: f64, unit: kWh, quantity: index", "7FF0000000000000", 0, registers.ErrNoValue},
		{"u48", electricity, "type: u48, unit: Wh, quantity: index", "0001E2400000", 0x1E2400000, nil},
		{"i48 below zero", electricity, "type: i48, unit: W, quantity: power", "FFFFFFFFFFFE", -2, nil},
		{"u48 words swapped", electricity, "type: u48, order: CDAB, unit: Wh, quantity: index", "000300020001", 0x000100020003, nil},
		{"alarm number below zero", room, `type: i16, unit: Cel, none_numbers: ["-1"], quantity: temperature`, "FFFF", 0, registers.ErrNoValue},
		{"bcd16", water, "type: bcd16, unit: count, quantity: index", "0042", 420_500, nil},
		{"bcd32", water, "type: bcd32, unit: L, quantity: index", "12345678", 12_345_678_500, nil},
		{"bcd32 all swapped", water, "type: bcd32, order: DCBA, unit: L, quantity: index", "78563412", 12_345_678_500, nil},
		{"bcd64", water, "type: bcd64, unit: mL, quantity: index", "0000123456789012", 123_456_789_512, nil},
		{"bcd with a letter", water, "type: bcd32, unit: L, quantity: index", "1234567F", 0, registers.ErrNoValue},
		{"alarm number as an integer", electricity, `type: u32, unit: kWh, none_numbers: ["999999"], quantity: index`, "000F423F", 0, registers.ErrNoValue},
		{"alarm number as a float", electricity, `type: f32, unit: kWh, none_numbers: ["999999"], quantity: index`, "497423F0", 0, registers.ErrNoValue},
		{"next to the alarm number", electricity, `type: u32, unit: kWh, none_numbers: ["999999"], quantity: index`, "000F4240", 1_000_000_000, nil},
		{"infinite", electricity, "type: f32, unit: kWh, quantity: index", "FF800000", 0, registers.ErrNoValue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requests := plan(t, profile(t, "registers: [{address: 16, "+tt.register+"}]"), tt.meter)
			answer, err := hex.DecodeString(tt.answer)
			if err != nil || len(answer) != 2*int(requests[0].Quantity) {
				t.Fatalf("answer %s for %d registers: %v", tt.answer, requests[0].Quantity, err)
			}
			got, err := requests[0].Fields[0].Amount(requests[0], answer)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %d, %v, want %d, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestAmountOutOfRange(t *testing.T) {
	requests := plan(t, profile(t, "registers: [{address: 0, type: u64, unit: MWh, quantity: index}]"),
		firmwareconfig.Meter{ID: "M1", Kind: metering.Electricity})
	_, err := requests[0].Fields[0].Amount(requests[0], []byte{0x7F, 0xFF, 0, 0, 0, 0, 0, 0})
	if err == nil || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("got %v, want out of range", err)
	}
}

func TestPlanSharesRequestsWithinTheLimit(t *testing.T) {
	p := profile(t, `registers:
- {channel: 1, address: 0, type: u32, unit: Wh, quantity: index}
- {channel: 2, address: 4, type: u32, unit: Wh, quantity: index}
- {channel: 3, address: 19, type: u32, unit: Wh, quantity: index}
- {channel: 4, address: 100, type: u32, unit: Wh, quantity: index}`)
	meter := func(id metering.MeterID, channel int) firmwareconfig.Meter {
		return firmwareconfig.Meter{ID: id, Kind: metering.Electricity, Channel: channel}
	}
	got := plan(t, p, meter("M4", 4), meter("M1", 1), meter("M2", 2), meter("M3", 3))
	type extent struct{ address, quantity, fields int }
	want := []extent{{0, 6, 2}, {19, 2, 1}, {100, 2, 1}}
	if len(got) != len(want) {
		t.Fatalf("%d requests, want %d: %+v", len(got), len(want), got)
	}
	for i, r := range got {
		if e := (extent{int(r.Address), int(r.Quantity), len(r.Fields)}); e != want[i] || r.Slave != 7 || r.Function != 3 {
			t.Errorf("request %d is %+v of slave %d, want %+v of slave 7", i, e, r.Slave, want[i])
		}
	}
	answer := make([]byte, 12)
	answer[11] = 9
	if amount, err := got[0].Fields[1].Amount(got[0], answer); amount != 9 || err != nil {
		t.Errorf("second field of the first request: %d, %v, want 9", amount, err)
	}
}

// FuzzAmount: whatever a device answers, an amount comes out or an error.
func FuzzAmount(f *testing.F) {
	f.Add("f32", "ABCD", []byte{0x7F, 0xC0, 0, 0})
	f.Add("i64", "DCBA", []byte{0x80, 0, 0, 0, 0, 0, 0, 0})
	f.Add("u64", "CDAB", []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Add("bcd64", "BADC", []byte{0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56})
	f.Add("i48", "CDAB", []byte{0x80, 0, 0, 0, 0, 1})
	f.Add("f64", "ABCD", []byte{0x7F, 0xEF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, kind, order string, answer []byte) {
		p, err := firmwareconfig.ParseProfile("fuzz", []byte("source: test\nconfidence: A\nfunction: 3\nlimit: 20\n"+
			"registers: [{address: 0, unit: kWh, quantity: index, type: "+kind+", order: "+order+"}]"))
		if err != nil {
			return
		}
		requests, err := registers.Plan(firmwareconfig.Device{Slave: 1,
			Meters: []firmwareconfig.Meter{{ID: "M1", Kind: metering.Electricity}}}, p)
		if err != nil {
			return
		}
		if _, err := requests[0].Fields[0].Amount(requests[0], answer); err == nil && len(answer) < 2*int(requests[0].Quantity) {
			t.Errorf("%d bytes are too few for %s", len(answer), kind)
		}
	})
}
