package influx_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What a household takes back goes, and nothing else: not the first index of a
// day that totals begin with, not another meter's, not what lies outside.
func TestCoarsen(t *testing.T) {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	const days = 5
	from, to := begin.AddDate(0, 0, 1), begin.AddDate(0, 0, 4)
	var starts []time.Time
	for at := from; at.Before(to); at = at.AddDate(0, 0, 1) {
		starts = append(starts, at)
	}
	for _, tt := range []struct {
		keep                             metering.Resolution
		starts                           []time.Time
		readings, hourly, daily, monthly int // of M1 in [from, to)
	}{
		{metering.Fine, nil, 3 * 24, 3 * 24, 3, 1},
		{metering.Day, starts, 3, 0, 3, 1},
		{metering.Month, starts[:1], 1, 0, 0, 1},
		{metering.Off, nil, 0, 0, 0, 0},
	} {
		t.Run(string(tt.keep), func(t *testing.T) {
			client := influxtest.Open(t)
			fill(t, client, begin, days)
			for range 2 { // it may be interrupted and done again
				if err := client.Coarsen(t.Context(), "M1", from, to, tt.keep, tt.starts); err != nil {
					t.Fatal(err)
				}
			}
			got := count(t, client, "M1", from, to)
			if diff := cmp.Diff([4]int{tt.readings, tt.hourly, tt.daily, tt.monthly}, got); diff != "" {
				t.Errorf("readings, hours, days, months (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([4]int{24, 24, 1, 0}, count(t, client, "M1", begin, from)); diff != "" {
				t.Errorf("the day before (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([4]int{24, 24, 1, 0}, count(t, client, "M1", to, to.AddDate(0, 0, 1))); diff != "" {
				t.Errorf("the day after (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([4]int{72, 72, 3, 1}, count(t, client, "M2", from, to)); diff != "" {
				t.Errorf("another meter (-want +got):\n%s", diff)
			}
			kept, err := client.Readings(t.Context(), []metering.MeterID{"M1"}, metering.Index, from, to)
			if err != nil {
				t.Fatal(err)
			}
			for i, start := range tt.starts {
				if r := kept["M1"][i]; !r.At.Equal(start.Add(7 * time.Second)) {
					t.Errorf("kept index %d is of %s, want the first after %s", i, r.At, start)
				}
			}
		})
	}
}

// fill writes a reading, an hour and a power each hour, and each day.
func fill(t *testing.T, client *influx.Client, begin time.Time, days int) {
	t.Helper()
	for _, m := range []metering.MeterID{"M1", "M2"} {
		var readings []metering.Reading
		periods := map[influx.Period][]influx.Consumption{}
		for hour := range days * 24 {
			at := begin.Add(time.Duration(hour) * time.Hour)
			readings = append(readings, metering.Reading{Meter: m, Quantity: metering.Index, At: at.Add(7 * time.Second), Amount: metering.Amount(hour)},
				metering.Reading{Meter: m, Quantity: metering.Power, At: at.Add(9 * time.Second), Amount: 5})
			periods[influx.Hourly] = append(periods[influx.Hourly], influx.Consumption{Meter: m, Start: at})
			if hour%24 == 0 {
				periods[influx.Daily] = append(periods[influx.Daily], influx.Consumption{Meter: m, Start: at})
			}
		}
		periods[influx.Monthly] = []influx.Consumption{{Meter: m, Start: begin.AddDate(0, 0, 1)}}
		if err := client.WriteReadings(t.Context(), readings); err != nil {
			t.Fatal(err)
		}
		for p, cs := range periods {
			if err := client.WriteConsumption(t.Context(), p, cs); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// count returns how many readings, hours, days and months of the meter lie
// within [from, to). A power that stayed without its index fails the test.
func count(t *testing.T, client *influx.Client, m metering.MeterID, from, to time.Time) (n [4]int) {
	t.Helper()
	of := func(q metering.Quantity) int {
		found, err := client.Readings(t.Context(), []metering.MeterID{m}, q, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return len(found[m])
	}
	n[0] = of(metering.Index)
	if powers := of(metering.Power); powers != 0 && powers != n[0] {
		t.Errorf("%d powers of %s stay", powers, m)
	}
	for i, p := range influx.Periods {
		found, err := client.Consumption(t.Context(), p, []metering.MeterID{m}, from, to)
		if err != nil {
			t.Fatal(err)
		}
		n[1+i] = len(found[m])
	}
	return n
}

func TestEveryReading(t *testing.T) {
	client := influxtest.Open(t)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	fill(t, client, begin, 1)
	got, err := client.EveryReading(t.Context(), "M1", begin, begin.Add(2*time.Hour))
	want := []metering.Reading{
		{Meter: "M1", Quantity: metering.Index, At: begin.Add(7 * time.Second)},
		{Meter: "M1", Quantity: metering.Power, At: begin.Add(9 * time.Second), Amount: 5},
		{Meter: "M1", Quantity: metering.Index, At: begin.Add(time.Hour + 7*time.Second), Amount: 1},
		{Meter: "M1", Quantity: metering.Power, At: begin.Add(time.Hour + 9*time.Second), Amount: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestRetention(t *testing.T) {
	c := influxtest.Config(t)
	c.Keep = influx.Retention{Readings: 400, Hourly: 731, Daily: 0}
	kept, err := influxtest.OpenWith(t, c).Retention(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	want := []influx.Kept{{"readings", 400 * day, 400 * day}, {"hourly", 731 * day, 731 * day}, {"daily", 0, 0}, {"monthly", 0, 0}}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("retention (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		kept influx.Kept
		want bool
	}{{influx.Kept{Is: day, Wanted: day}, true}, {influx.Kept{Is: 0, Wanted: day}, false}, {influx.Kept{Is: 2 * day, Wanted: day}, false}, {influx.Kept{Is: day}, true}} {
		if got := tt.kept.Right(); got != tt.want {
			t.Errorf("%v is right: %v", tt.kept, got)
		}
	}
}
