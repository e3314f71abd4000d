package influx_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// TestIndexesAreExact holds that what no float64 can hold comes back as it was
// written, whichever way it is asked for.
func TestIndexesAreExact(t *testing.T) {
	client := influxtest.Open(t)
	odd := []metering.Amount{1<<53 + 1, 1<<62 + 1, math.MaxInt64, math.MinInt64, -(1<<53 + 1)}
	var rs []metering.Reading
	for i, n := range odd {
		rs = append(rs, reading("M1", time.Duration(i)*time.Minute, n))
	}
	write(t, client, rs...)
	meters, end := []metering.MeterID{"M1"}, start.Add(time.Hour)
	got, err := client.Readings(t.Context(), meters, metering.Index, start, end)
	if diff := cmp.Diff(rs, got["M1"]); diff != "" || err != nil {
		t.Errorf("readings: %v (-want +got):\n%s", err, diff)
	}
	last, err := client.Before(t.Context(), meters, metering.Index, end, start)
	if last["M1"] != rs[len(rs)-1] || err != nil {
		t.Errorf("last: %v, %v", last, err)
	}
	first, err := client.After(t.Context(), meters, metering.Index, start, end)
	if first["M1"] != rs[0] || err != nil {
		t.Errorf("first: %v, %v", first, err)
	}
	tallies, err := client.Tallies(t.Context(), meters, metering.Index, start, end)
	if want := influx.TallyOf(rs); tallies["M1"] != want || err != nil {
		t.Errorf("tally: %v, %v, want %v", tallies, err, want)
	}
	hour := influx.Consumption{Meter: "M1", Start: start, Index: 1<<62 + 1, Used: 1<<53 + 1}
	if err := client.WriteConsumption(t.Context(), influx.Hourly, []influx.Consumption{hour}); err != nil {
		t.Fatal(err)
	}
	hours, err := client.Consumption(t.Context(), influx.Hourly, meters, start, end)
	if diff := cmp.Diff([]influx.Consumption{hour}, hours["M1"]); diff != "" || err != nil {
		t.Errorf("hours: %v (-want +got):\n%s", err, diff)
	}
}

// TestEveryRangeIsHalfOpen asks for [start, end) in every way there is, where a
// point stands at start, just before end, and at end: the last is the next
// tenant's first index and never appears.
func TestEveryRangeIsHalfOpen(t *testing.T) {
	client := influxtest.Open(t)
	end := start.AddDate(0, 0, 40)
	meters := []metering.MeterID{"M1", "M2"} // M2 has nothing but the next tenant's
	mine := []metering.Reading{reading("M1", 0, 1), reading("M1", end.Sub(start)-time.Millisecond, 2)}
	theirs := []metering.Reading{reading("M1", end.Sub(start), 1_000_000), reading("M2", end.Sub(start), 1_000_000)}
	write(t, client, append(theirs, mine...)...)
	only := map[metering.MeterID][]metering.Reading{"M1": mine}

	got, err := client.Readings(t.Context(), meters, metering.Index, start, end)
	if diff := cmp.Diff(only, got); diff != "" || err != nil {
		t.Errorf("readings: %v (-want +got):\n%s", err, diff)
	}
	every, err := client.EveryReading(t.Context(), "M1", start, end)
	if diff := cmp.Diff(mine, every); diff != "" || err != nil {
		t.Errorf("every reading: %v (-want +got):\n%s", err, diff)
	}
	before, err := client.Before(t.Context(), meters, metering.Index, end, start)
	if diff := cmp.Diff(map[metering.MeterID]metering.Reading{"M1": mine[1]}, before); diff != "" || err != nil {
		t.Errorf("before: %v (-want +got):\n%s", err, diff)
	}
	tallies, err := client.Tallies(t.Context(), meters, metering.Index, start, end)
	if diff := cmp.Diff(map[metering.MeterID]influx.Tally{"M1": influx.TallyOf(mine)}, tallies); diff != "" || err != nil {
		t.Errorf("tallies: %v (-want +got):\n%s", err, diff)
	}
	for _, p := range influx.Periods {
		t.Run(string(p), func(t *testing.T) { periodsAreHalfOpen(t, client, p, end) })
	}
}

func periodsAreHalfOpen(t *testing.T, client *influx.Client, p influx.Period, end time.Time) {
	period := func(m metering.MeterID, at time.Time, index metering.Amount) influx.Consumption {
		return influx.Consumption{Meter: m, Start: at, Index: index}
	}
	mine := []influx.Consumption{period("M1", start, 1), period("M1", end.Add(-time.Millisecond), 2)}
	theirs := []influx.Consumption{period("M1", end, 1_000_000), period("M2", end, 1_000_000)}
	if err := client.WriteConsumption(t.Context(), p, append(theirs, mine...)); err != nil {
		t.Fatal(err)
	}
	meters, only := []metering.MeterID{"M1", "M2"}, map[metering.MeterID][]influx.Consumption{"M1": mine}
	got, err := client.Consumption(t.Context(), p, meters, start, end)
	if diff := cmp.Diff(only, got); diff != "" || err != nil {
		t.Errorf("consumption: %v (-want +got):\n%s", err, diff)
	}
	if got, err = client.Indexes(t.Context(), p, meters, start, end); !cmp.Equal(only, got) || err != nil {
		t.Errorf("indexes: %v (-want +got):\n%s", err, cmp.Diff(only, got))
	}
	last, err := client.LastConsumption(t.Context(), p, meters, start, end)
	if diff := cmp.Diff(map[metering.MeterID]influx.Consumption{"M1": mine[1]}, last); diff != "" || err != nil {
		t.Errorf("last: %v (-want +got):\n%s", err, diff)
	}
}

// A tally tells a reading that came and one that was overwritten.
func TestTallySeesWhatChanged(t *testing.T) {
	client := influxtest.Open(t)
	end := start.Add(time.Hour)
	ask := func() influx.Tally {
		tallies, err := client.Tallies(t.Context(), []metering.MeterID{"M1"}, metering.Index, start, end)
		if err != nil {
			t.Fatal(err)
		}
		return tallies["M1"]
	}
	seen := map[influx.Tally]string{ask(): "nothing"}
	for _, step := range []struct {
		name string
		r    metering.Reading
	}{{"one", reading("M1", 0, 0)}, {"another of the same index", reading("M1", time.Minute, 0)}, {"overwritten", reading("M1", time.Minute, 1)}} {
		write(t, client, step.r)
		got := ask()
		if was, ok := seen[got]; ok {
			t.Errorf("%s has the tally of %s: %v", step.name, was, got)
		}
		seen[got] = step.name
	}
}

// A dot in an id is a dot, and an id is never the beginning of another.
func TestMetersAreAskedForByTheirWholeID(t *testing.T) {
	client := influxtest.Open(t)
	asked := []metering.MeterID{"M.1", "a-b_c"}
	want := map[metering.MeterID][]metering.Reading{}
	for i, m := range []metering.MeterID{"M.1", "Mx1", "M.12", "aM.1", "M", "a-b_c", "a-b_cc", "A-B_C"} {
		r := reading(m, 0, metering.Amount(i))
		write(t, client, r)
		if m == asked[0] || m == asked[1] {
			want[m] = []metering.Reading{r}
		}
	}
	got, err := client.Readings(t.Context(), asked, metering.Index, start, start.Add(time.Hour))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
