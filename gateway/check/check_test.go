package check_test

import (
	"testing"

	"github.com/xnetroseraie/xnet/gateway/check"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func TestParseDial(t *testing.T) {
	for _, tt := range []struct {
		name, text, unit string
		kind             metering.Kind
		want             check.Dial
		ok               bool
	}{
		{"litres on the dial", "00123.456", "m3", metering.ColdWater, check.Dial{Index: 123_456_000, Digit: 1000}, true},
		{"comma", "123,4", "m3", metering.HotWater, check.Dial{Index: 123_400_000, Digit: 100_000}, true},
		{"whole cubic metres", "123", "m3", metering.Gas, check.Dial{Index: 123_000_000, Digit: 1_000_000}, true},
		{"space as on many dials", "00123 456", "L", metering.ColdWater, check.Dial{Index: 123_456_000, Digit: 1000}, true},
		{"kilowatt-hours", "4711.5", "kWh", metering.Electricity, check.Dial{Index: 4_711_500, Digit: 100}, true},
		{"megawatt-hours", "4.711", "MWh", metering.Heat, check.Dial{Index: 4_711_000, Digit: 1000}, true},
		{"finer than the unit", "1.2345678", "m3", metering.ColdWater, check.Dial{}, false},
		{"negative", "-1", "m3", metering.ColdWater, check.Dial{}, false},
		{"power of ten", "1e3", "m3", metering.ColdWater, check.Dial{}, false},
		{"nothing", "", "m3", metering.ColdWater, check.Dial{}, false},
		{"energy on a water meter", "1", "kWh", metering.ColdWater, check.Dial{}, false},
		{"no unit", "1", "litre", metering.ColdWater, check.Dial{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := check.ParseDial(tt.text, tt.unit, tt.kind)
			if (err == nil) != tt.ok || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestFitsWithinOnePulse(t *testing.T) {
	dial := check.Dial{Index: 123_456_000, Digit: 1000}
	for _, tt := range []struct {
		index, count metering.Amount
		want         bool
	}{
		{123_456_000, 1000, true},
		{123_455_000, 1000, true},  // the pulse is still to come
		{123_457_000, 1000, true},  // a litre went through since it was typed
		{123_454_000, 1000, false}, // two pulses
		{123_458_001, 1000, false},
		{123_450_000, 10_000, true},
		{123_440_000, 10_000, false},
		{123_456_789, 1, true}, // within the last digit
	} {
		if got := dial.Fits(tt.index, tt.count); got != tt.want {
			t.Errorf("index %d in steps of %d: %v, want %v", tt.index, tt.count, got, tt.want)
		}
	}
}

func FuzzParseDial(f *testing.F) {
	f.Add("00123,456", "m3")
	f.Add("9223372036854775807", "Wh")
	f.Fuzz(func(t *testing.T, text, unit string) {
		for _, k := range []metering.Kind{metering.ColdWater, metering.Electricity} {
			d, err := check.ParseDial(text, unit, k)
			if err == nil && (d.Index < 0 || d.Digit < 1 || !d.Fits(d.Index, 1)) {
				t.Errorf("dial %q %s is %+v, which does not fit itself", text, unit, d)
			}
		}
	})
}
