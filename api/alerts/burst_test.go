package alerts_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// curve reads a home every ten minutes from an instant on.
func curve(h homes.Home, from time.Time, length time.Duration, besides homes.Draw, count metering.Amount) []metering.Reading {
	var rs []metering.Reading
	for at := from; !at.After(from.Add(length)); at = at.Add(10 * time.Minute) {
		index := h.Drawn(at) + besides.Until(at)
		rs = append(rs, metering.Reading{Meter: "cw-1", Quantity: metering.Index, At: at, Amount: index / count * count})
	}
	return rs
}

// What runs is a burst, a question or nobody's business by how much, when and how
// long.
func TestBurst(t *testing.T) {
	zero := midnight(t, time.July, 6)
	h := regular(t, zero, 6)
	for _, tt := range []struct {
		name       string
		flow       metering.Amount // L/h
		from, asof float64         // hours after midnight
		want       alerts.Outcome
	}{
		{"too soon to tell", 400, 26, 28.5, alerts.Nothing},
		{"a pipe at night, a day's draw besides", 80, 25, 29.5, alerts.Alarm},
		{"below 60 L/h is left to the nights", 55, 25, 29.5, alerts.Nothing},
		{"the garden by day", 120, 34, 38, alerts.Nothing},
		{"the same still at night", 120, 34, 51, alerts.Alarm},
		{"a hose by day", 800, 33, 37, alerts.Ask},
		{"a hose into the night", 800, 41, 50, alerts.Ask},
		{"a hose that nobody opens at two in the morning", 800, 50, 54, alerts.Alarm},
		{"a hose for two days", 800, 33, 70, alerts.Alarm},
		{"a hose that was closed", 800, 33, 48, alerts.Nothing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			length := 100 * time.Hour
			if tt.name == "a hose that was closed" {
				length = 10 * time.Hour
			}
			water := homes.Draw{Start: zero.Add(time.Duration(tt.from * float64(time.Hour))), Length: length, Flow: tt.flow * litre}
			now := zero.Add(time.Duration(tt.asof * float64(time.Hour)))
			v := alerts.BurstInCurve(meter(t, litre), curve(h, zero, now.Sub(zero), water, litre), now)
			if v.Outcome != tt.want {
				t.Fatalf("%s, want %s: %+v", v.Outcome, tt.want, v)
			}
			f := v.Finding
			if tt.want != alerts.Nothing && (f.Class != alerts.Burst || f.Flow.Low > water.Flow || f.Since.Earliest.After(water.Start) ||
				f.Since.Latest.Before(water.Start) || f.Since.Latest.Sub(f.Since.Earliest) > 90*time.Minute) {
				t.Errorf("of %d L/h from %v: %+v", tt.flow, water.Start, f)
			}
		})
	}
}

func TestBurstNeedsTheCurve(t *testing.T) {
	zero := midnight(t, time.July, 6)
	h := regular(t, zero, 3)
	whole := curve(h, zero, 30*time.Hour, homes.Draw{Start: zero, Length: 99 * time.Hour, Flow: 500 * litre}, litre)
	gap := append(append([]metering.Reading{}, whole[:170]...), whole[174:]...)
	back := append([]metering.Reading{}, whole...)
	back[178].Amount = 0
	for name, rs := range map[string][]metering.Reading{"none": nil, "a gap": gap, "an index that went down": back, "an hour": whole[174:]} {
		if v := alerts.BurstInCurve(meter(t, litre), rs, zero.Add(30*time.Hour)); v.Outcome != alerts.Refused || !errors.Is(v.Refusal, alerts.ErrTooFewDays) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A day far above the usual is asked about where the curve stays at home.
func TestBurstInDays(t *testing.T) {
	first := civil.Date{Year: 2026, Month: time.October, Day: 5}
	days := func(n int, litres ...metering.Amount) (all []metering.IntervalConsumption) {
		for i := range n + len(litres) {
			used := 150 + metering.Amount(i%7)*10
			if i >= n {
				used = litres[i-n]
			}
			start, end := first.AddDays(i).Bounds(paris(t))
			all = append(all, metering.IntervalConsumption{Start: start, End: end, Used: used * litre})
		}
		return all
	}
	for _, tt := range []struct {
		name string
		days []metering.IntervalConsumption
		want alerts.Outcome
	}{
		{"usual", days(20, 210), alerts.Nothing},
		{"four times the usual", days(20, 4*180), alerts.Nothing},
		{"more", days(20, 4*180+1), alerts.Ask},
		{"more, on the day of 25 hours", days(20, 2000), alerts.Ask},
		{"it was the day before", days(20, 2000, 200), alerts.Nothing},
		{"much for an empty flat, and yet little", days(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 300), alerts.Nothing},
		{"in an empty flat", days(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 500), alerts.Ask},
		{"back from three weeks of holidays", append(days(9), days(9, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 650)[9:]...), alerts.Nothing},
		{"two weeks are not known", days(13, 2000), alerts.Refused},
	} {
		v := alerts.BurstInDays(meter(t, litre), tt.days)
		if v.Outcome != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, v.Outcome, tt.want)
		}
		if f := v.Finding; tt.want == alerts.Ask && (f.Class != alerts.Burst || f.Flow.Low >= f.Flow.High || f.Why.Used < 480*litre) {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
}

// The mean of each of two full days in a row has to be below 18 °C, by hours.
func TestColdFlat(t *testing.T) {
	first := civil.Date{Year: 2026, Month: time.October, Day: 23} // the 25th has 25 hours
	zone := paris(t)
	sensor := alerts.Meter{Point: "P-T", Kind: metering.Temperature, Count: 100, Zone: zone}
	for _, tt := range []struct {
		name   string
		days   []metering.Amount // m°C of each day, the last one yesterday; 0: not known
		want   alerts.Outcome
		nights int
	}{
		{"warm", []metering.Amount{19_000, 19_500, 20_000}, alerts.Nothing, 0},
		{"just warm enough", []metering.Amount{18_000, 18_000}, alerts.Nothing, 0},
		{"one cold day", []metering.Amount{19_000, 16_000}, alerts.Nothing, 0},
		{"two", []metering.Amount{19_000, 17_999, 17_999}, alerts.Alarm, 2},
		{"three", []metering.Amount{16_000, 16_100, 16_200}, alerts.Alarm, 3},
		{"warm again", []metering.Amount{16_000, 16_000, 18_500}, alerts.Nothing, 0},
		{"yesterday is not known", []metering.Amount{16_000, 16_000, 0}, alerts.Refused, 0},
		{"nothing is known", nil, alerts.Refused, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rs []metering.Reading
			for i, celsius := range tt.days {
				start, end := first.AddDays(i).Bounds(zone)
				for at := start; celsius != 0 && at.Before(end); at = at.Add(20 * time.Minute) {
					rs = append(rs, metering.Reading{Meter: "t-1", Quantity: metering.Celsius, At: at, Amount: celsius})
				}
			}
			v := alerts.ColdFlat(sensor, rs, first.AddDays(len(tt.days)).Start(zone).Add(8*time.Hour))
			if v.Outcome != tt.want || v.Finding.Nights != tt.nights {
				t.Errorf("%s of %d days, want %s of %d: %+v", v.Outcome, v.Finding.Nights, tt.want, tt.nights, v)
			}
			if want := tt.days; tt.want == alerts.Alarm && (v.Finding.Cause.Subject != alerts.Cold || v.Finding.MilliCelsius != want[len(want)-1]) {
				t.Errorf("%+v", v.Finding)
			}
		})
	}
	if v := alerts.ColdFlat(meter(t, litre), nil, midnight(t, time.May, 1)); !errors.Is(v.Refusal, alerts.ErrNotSensor) {
		t.Errorf("a water meter: %+v", v)
	}
}

// A radiator that is read often for an hour does not make a cold day warm.
func TestColdFlatCountsHours(t *testing.T) {
	zone := paris(t)
	sensor := alerts.Meter{Point: "P-T", Kind: metering.Temperature, Count: 100, Zone: zone}
	start := midnight(t, time.January, 10)
	var rs []metering.Reading
	for at := start; at.Before(start.Add(48 * time.Hour)); at = at.Add(time.Minute) {
		switch warm := at.In(zone).Hour() == 18; {
		case warm:
			rs = append(rs, metering.Reading{At: at, Amount: 24_000})
		case at.Minute() == 0:
			rs = append(rs, metering.Reading{At: at, Amount: 16_000})
		}
	}
	if v := alerts.ColdFlat(sensor, rs, start.Add(50*time.Hour)); v.Outcome != alerts.Alarm || v.Finding.MilliCelsius != (23*16_000+24_000)/24 {
		t.Errorf("%+v", v)
	}
}

func TestSilent(t *testing.T) {
	now := midnight(t, time.May, 20)
	read := func(gateway metering.GatewayID, ago time.Duration, quiet bool) watch.Facts {
		return watch.Facts{Gateway: gateway, Interval: 10 * time.Minute, Hung: now.Add(-99 * day), Reported: true, LastGood: now.Add(-ago), Quiet: quiet}
	}
	facts := []watch.Facts{read("gw-1", time.Minute, false), read("gw-1", 25*time.Hour, false), read("gw-1", 2*time.Hour, false),
		read("gw-2", 30*time.Hour, true), read("gw-2", 31*time.Hour, true), {Gateway: "gw-1"}}
	points := []metering.PointID{"fine", "silent", "late", "a", "b", "unbound"}
	var got []alerts.Cause
	for _, f := range alerts.Silent(facts, points, now) {
		got = append(got, f.Cause)
	}
	want := []alerts.Cause{{Subject: alerts.Silence, Point: "silent"}, {Subject: alerts.Silence, Gateway: "gw-2"}} // once, not for each meter
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("silent (-want +got):\n%s", diff)
	}
}
