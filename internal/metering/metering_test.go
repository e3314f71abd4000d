package metering_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/metering"
)

var noon = time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)

func reading(after time.Duration, n metering.Amount) metering.Reading {
	return metering.Reading{Meter: "M1", Quantity: metering.Index, At: noon.Add(after), Amount: n}
}

func TestBetween(t *testing.T) {
	other := reading(time.Hour, 5)
	other.Meter = "M2"
	power := reading(time.Hour, 5)
	power.Quantity = metering.Power
	earlierPower := power
	earlierPower.At = noon
	for _, tt := range []struct {
		name string
		a, b metering.Reading
		used metering.Amount
		want error
	}{
		{"an hour", reading(0, 40), reading(time.Hour, 42), 2, nil},
		{"nothing used", reading(0, 42), reading(time.Hour, 42), 0, nil},
		{"from nought", reading(0, 0), reading(time.Millisecond, math.MaxInt64), math.MaxInt64, nil},
		{"another meter", reading(0, 1), other, 0, metering.ErrOtherMeter},
		{"another quantity", reading(0, 1), power, 0, metering.ErrOtherMeter},
		{"power does not sum", earlierPower, power, 0, metering.ErrNotCumulative},
		{"same instant", reading(0, 1), reading(0, 2), 0, metering.ErrNotAfter},
		{"backwards", reading(time.Hour, 1), reading(0, 2), 0, metering.ErrNotAfter},
		{"negative first", reading(0, -1), reading(time.Hour, 2), 0, metering.ErrIndexNegative},
		{"negative last", reading(0, 1), reading(time.Hour, -2), 0, metering.ErrIndexNegative},
		{"decreased", reading(0, 2), reading(time.Hour, 1), 0, metering.ErrIndexDecreased},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := metering.Between(tt.a, tt.b)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err != nil {
				checkPairError(t, err, tt.a, tt.b)
				return
			}
			want := metering.IntervalConsumption{Start: tt.a.At, End: tt.b.At, Used: tt.used, Quality: metering.Measured}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("consumption (-want +got):\n%s", diff)
			}
		})
	}
}

func checkPairError(t *testing.T, err error, a, b metering.Reading) {
	t.Helper()
	pair, ok := errors.AsType[*metering.PairError](err)
	if !ok || pair.From != a || pair.To != b {
		t.Errorf("error %#v does not bear both readings", err)
	}
	if !strings.Contains(err.Error(), "meter M1") {
		t.Errorf("error %q does not name the meter", err)
	}
}

func FuzzBetween(f *testing.F) {
	f.Add(int64(math.MinInt64), int64(math.MaxInt64), int64(1))
	f.Add(int64(0), int64(math.MaxInt64), int64(600))
	f.Add(int64(5), int64(4), int64(-1))
	f.Fuzz(func(t *testing.T, from, to, seconds int64) {
		seconds %= 1 << 32 // a duration holds 292 years
		a, b := reading(0, metering.Amount(from)), reading(time.Duration(seconds)*time.Second, metering.Amount(to))
		c, err := metering.Between(a, b)
		if err == nil && (c.Used < 0 || !c.End.After(c.Start) || a.Amount+c.Used != b.Amount) {
			t.Errorf("Between(%v, %v) = %v", a, b, c)
		}
	})
}

func TestValidID(t *testing.T) {
	for _, id := range []string{"M", "roseraie-12.A_3", "...", strings.Repeat("m", 64)} {
		if !metering.ValidID(id) || metering.CheckID("meter", id) != nil {
			t.Errorf("%q is refused", id)
		}
	}
	for _, id := range []string{"", ".", "..", "a/b", "a b", "é", "a+", "#", "a\n", `a"`, strings.Repeat("m", 65)} {
		if metering.ValidID(metering.MeterID(id)) {
			t.Errorf("%q is taken", id)
		}
		if err := metering.CheckID("meter", id); err == nil || !strings.HasPrefix(err.Error(), "meter ") {
			t.Errorf("CheckID(%q) = %v, want an error that names the thing", id, err)
		}
	}
}

func TestNamesParse(t *testing.T) {
	for _, k := range metering.Kinds {
		if got, err := metering.ParseKind(string(k)); got != k || err != nil {
			t.Errorf("ParseKind(%s) = %s, %v", k, got, err)
		}
	}
	for _, q := range metering.Quantities {
		if got, err := metering.ParseQuantity(string(q)); got != q || err != nil {
			t.Errorf("ParseQuantity(%s) = %s, %v", q, got, err)
		}
	}
	for _, r := range metering.Resolutions {
		if got, err := metering.ParseResolution(string(r)); got != r || err != nil {
			t.Errorf("ParseResolution(%s) = %s, %v", r, got, err)
		}
	}
	var k metering.Kind
	var q metering.Quantity
	var r metering.Resolution
	var worth metering.Quality
	for what, err := range map[string]error{
		"cold_water": k.UnmarshalText([]byte("steam")), "quiet_window": q.UnmarshalText([]byte("Index")),
		"month": r.UnmarshalText([]byte("week")), "estimated": worth.UnmarshalText([]byte("good")),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want one that lists what is known, such as %s", err, what)
		}
	}
}

func TestQuality(t *testing.T) {
	for _, q := range []metering.Quality{metering.Measured, metering.Estimated, metering.Missing} {
		text, err := q.MarshalText()
		var back metering.Quality
		if err != nil || back.UnmarshalText(text) != nil || back != q {
			t.Errorf("quality %d is written %s and read %d", q, text, back)
		}
		if q.Worse(metering.Missing) != metering.Missing || metering.Measured.Worse(q) != q {
			t.Errorf("the worse of %s and another is wrong", q)
		}
	}
	if got := metering.Quality(7).String(); got != "quality(7)" {
		t.Errorf("an unknown quality is called %s", got)
	}
}

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		kind     metering.Kind
		quantity metering.Quantity
		want     metering.Unit
	}{
		{metering.Electricity, metering.Index, metering.WattHour}, {metering.Heat, metering.Index, metering.WattHour},
		{metering.ColdWater, metering.Index, metering.Millilitre}, {metering.HotWater, metering.Index, metering.Millilitre},
		{metering.Gas, metering.Index, metering.Millilitre}, {metering.Electricity, metering.Power, metering.Watt},
		{metering.Heat, metering.Flow, metering.MillilitrePerHour}, {metering.ColdWater, metering.QuietFlow, metering.MillilitrePerHour},
		{metering.ColdWater, metering.QuietWindow, metering.Second}, {metering.Temperature, metering.Celsius, metering.MilliCelsius},
		{metering.ColdWater, metering.Alarm, metering.Bits},
	} {
		if got := metering.UnitOf(tt.kind, tt.quantity); got != tt.want {
			t.Errorf("%s of %s is in %s, want %s", tt.quantity, tt.kind, got, tt.want)
		}
	}
}
