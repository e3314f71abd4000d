package influx_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// start is a Sunday in the past whose times need no retention.
var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func open(t testing.TB, c influx.Config) *influx.Client {
	t.Helper()
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

func reading(m metering.MeterID, after time.Duration, index metering.Amount) metering.Reading {
	return metering.Reading{Meter: m, Quantity: metering.Index, At: start.Add(after), Amount: index}
}

func write(t testing.TB, c *influx.Client, rs ...metering.Reading) {
	t.Helper()
	if err := c.WriteReadings(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
}

func TestReadingsAreHalfOpenOrderedAndIdempotent(t *testing.T) {
	client := influxtest.Open(t)
	ms := time.Millisecond
	first, second, last := reading("M1", 0, 10), reading("M1", time.Hour-ms, -20), reading("M1", time.Hour, 30)
	other := reading("M2", 30*time.Minute+7*ms, 1<<62)
	power := metering.Reading{Meter: "M1", Quantity: metering.Power, At: start, Amount: 7}
	for range 2 { // twice equals once
		write(t, client, last, first, power, second, other)
	}

	got, err := client.Readings(t.Context(), []metering.MeterID{"M1", "M2", "M3"}, metering.Index, start, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	// The reading exactly at the end is the next tenant's first index.
	want := map[metering.MeterID][]metering.Reading{"M1": {first, second}, "M2": {other}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
	got, err = client.Readings(t.Context(), []metering.MeterID{"M1"}, metering.Power, start, start.Add(ms))
	if diff := cmp.Diff(map[metering.MeterID][]metering.Reading{"M1": {power}}, got); diff != "" || err != nil {
		t.Errorf("power: %v (-want +got):\n%s", err, diff)
	}
}

func TestNeighbours(t *testing.T) {
	client := influxtest.Open(t)
	far, near, exact := reading("M1", -200*24*time.Hour, 1), reading("M1", -time.Millisecond, 2), reading("M1", 0, 3)
	alone := reading("M2", -100*24*time.Hour, 4)
	write(t, client, far, near, exact, alone)
	meters := []metering.MeterID{"M1", "M2", "M3"}
	year := 365 * 24 * time.Hour
	type neighbours = map[metering.MeterID]metering.Reading
	for _, tt := range []struct {
		name string
		ask  func(context.Context) (neighbours, error)
		want neighbours
	}{
		{"before is strict", func(ctx context.Context) (neighbours, error) {
			return client.Before(ctx, meters, metering.Index, start, start.Add(-year))
		}, neighbours{"M1": near, "M2": alone}},
		{"not before its bound", func(ctx context.Context) (neighbours, error) {
			return client.Before(ctx, meters, metering.Index, near.At, far.At)
		}, neighbours{"M1": far, "M2": alone}},
		{"older than its bound", func(ctx context.Context) (neighbours, error) {
			return client.Before(ctx, meters, metering.Index, near.At, far.At.Add(time.Millisecond))
		}, neighbours{"M2": alone}},
		{"after includes its instant", func(ctx context.Context) (neighbours, error) {
			return client.After(ctx, meters, metering.Index, start, start.Add(year))
		}, neighbours{"M1": exact}},
		{"after far ahead", func(ctx context.Context) (neighbours, error) {
			return client.After(ctx, meters, metering.Index, start.Add(-year), start.Add(year))
		}, neighbours{"M1": far, "M2": alone}},
		{"after up to its bound", func(ctx context.Context) (neighbours, error) {
			return client.After(ctx, meters, metering.Index, alone.At.Add(time.Millisecond), near.At)
		}, neighbours{"M1": near}},
		{"latest", func(ctx context.Context) (neighbours, error) {
			return client.Latest(ctx, meters, metering.Index, start.Add(-year))
		}, neighbours{"M1": exact, "M2": alone}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.ask(t.Context())
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestConsumption(t *testing.T) {
	client := influxtest.Open(t)
	hour := func(m metering.MeterID, n int, q metering.Quality) influx.Consumption {
		return influx.Consumption{Meter: m, Start: start.Add(time.Duration(n) * time.Hour),
			Index: metering.Amount(100 + n), Used: metering.Amount(n), Quality: q}
	}
	cs := []influx.Consumption{hour("M1", 0, metering.Measured), hour("M1", 1, metering.Estimated), hour("M1", 2, metering.Measured), hour("M2", 1, metering.Measured)}
	for range 2 {
		if err := client.WriteConsumption(t.Context(), influx.Hourly, cs); err != nil {
			t.Fatal(err)
		}
	}
	meters := []metering.MeterID{"M1", "M2"}
	got, err := client.Consumption(t.Context(), influx.Hourly, meters, start, start.Add(2*time.Hour))
	want := map[metering.MeterID][]influx.Consumption{"M1": cs[:2], "M2": cs[3:]}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	last, err := client.LastConsumption(t.Context(), influx.Hourly, meters, start, start.Add(3*time.Hour))
	if diff := cmp.Diff(map[metering.MeterID]influx.Consumption{"M1": cs[2], "M2": cs[3]}, last); diff != "" || err != nil {
		t.Errorf("last: %v (-want +got):\n%s", err, diff)
	}
	if days, err := client.Consumption(t.Context(), influx.Daily, meters, start, start.Add(3*time.Hour)); err != nil || len(days) != 0 {
		t.Errorf("hours appear among the days: %v, %v", days, err)
	}
	if err := client.WriteConsumption(t.Context(), "weekly", cs); err == nil || !strings.Contains(err.Error(), `"weekly"`) {
		t.Errorf("unknown period: %v", err)
	}
}

func TestManyMetersAreChunked(t *testing.T) {
	client := influxtest.Open(t)
	var meters []metering.MeterID
	var all []metering.Reading
	want := map[metering.MeterID][]metering.Reading{}
	for i := range 430 {
		m := metering.MeterID(fmt.Sprintf("M%03d", i))
		r := reading(m, time.Duration(i)*time.Second, metering.Amount(i))
		meters, want[m] = append(meters, m), []metering.Reading{r}
		all = append(all, r)
	}
	write(t, client, all...)
	got, err := client.Readings(t.Context(), meters, metering.Index, start, start.Add(time.Hour))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestEraseLeavesDaysAndOthers(t *testing.T) {
	client := influxtest.Open(t)
	kept, other := reading("M1", time.Hour, 2), reading("M2", 0, 3)
	write(t, client, reading("M1", 0, 1), kept, other)
	c := []influx.Consumption{{Meter: "M1", Start: start, Index: 1}}
	for _, p := range influx.Periods {
		if err := client.WriteConsumption(t.Context(), p, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Erase(t.Context(), []metering.MeterID{"M1"}, start, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got, err := client.Readings(t.Context(), []metering.MeterID{"M1", "M2"}, metering.Index, start, start.Add(2*time.Hour))
	want := map[metering.MeterID][]metering.Reading{"M1": {kept}, "M2": {other}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for p, n := range map[influx.Period]int{influx.Hourly: 0, influx.Daily: 1, influx.Monthly: 1} {
		if left, err := client.Consumption(t.Context(), p, []metering.MeterID{"M1"}, start, start.Add(time.Hour)); err != nil || len(left["M1"]) != n {
			t.Errorf("%s: %v, %v; want %d periods", p, left, err, n)
		}
	}
}

func TestSetUpChangesRetention(t *testing.T) {
	c := influxtest.Config(t)
	c.Keep = influx.Retention{Readings: 400, Hourly: 731, Daily: 1096}
	for _, tt := range []struct {
		name  string
		days  int
		allow bool
		want  error
		left  int // days that are kept then
	}{
		{"new", 400, false, nil, 400}, {"again", 400, false, nil, 400}, {"longer", 500, false, nil, 500},
		{"shorter", 499, false, influx.ErrShortens, 500}, {"for ever", 0, false, nil, 0},
		{"no longer for ever", 5000, false, influx.ErrShortens, 0}, {"still for ever", 0, true, nil, 0},
		{"shorter, as said", 300, true, nil, 300},
	} {
		c.Keep.Readings, c.AllowShorter = tt.days, tt.allow
		client := open(t, c)
		err := client.SetUp(t.Context())
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		kept, err2 := client.Retention(t.Context())
		if err2 != nil || kept[0].Is != time.Duration(tt.left)*24*time.Hour || kept[1].Is != 731*24*time.Hour {
			t.Errorf("%s: keeps %v, %v; want %d days", tt.name, kept, err2, tt.left)
		}
		if tt.want == nil {
			continue
		}
		for _, word := range []string{c.Prefix + "_readings", fmt.Sprintf("to %d days", tt.days), "raise influx.keep.readings_days", "--allow-shorter"} {
			if !strings.Contains(fmt.Sprint(err), word) {
				t.Errorf("%s: %v does not say %q", tt.name, err, word)
			}
		}
	}
}

// A bucket that may not be changed keeps the others from being changed too.
func TestSetUpChangesAllOrNothing(t *testing.T) {
	c := influxtest.Config(t)
	c.Keep = influx.Retention{Readings: 400, Hourly: 731, Daily: 1096}
	influxtest.OpenWith(t, c)
	c.Keep = influx.Retention{Readings: 800, Hourly: 731, Daily: 1000}
	client := open(t, c)
	if err := client.SetUp(t.Context()); !errors.Is(err, influx.ErrShortens) || !strings.Contains(fmt.Sprint(err), "_daily") {
		t.Fatal(err)
	}
	kept, err := client.Retention(t.Context())
	if err != nil || kept[0].Is != 400*24*time.Hour {
		t.Errorf("keeps %v, %v", kept, err)
	}
}

func TestErrorsSayWhetherToTryAgain(t *testing.T) {
	server := testkit.Influx(t)
	c := influx.DefaultConfig()
	c.URL, c.Keep.Readings = server.URL, 7
	client := open(t, c)
	if err := client.WriteReadings(t.Context(), []metering.Reading{reading("M1", 0, 1)}); !errors.Is(err, influx.ErrTemporary) {
		t.Errorf("before the set-up: %v, want temporary", err)
	}
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := client.WriteReadings(t.Context(), []metering.Reading{reading("M1", -10_000*time.Hour, 1)})
	if !errors.Is(err, influx.ErrRejected) || !strings.Contains(fmt.Sprint(err), "retention") {
		t.Errorf("older than the retention: %v, want rejected", err)
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	server.Kill()
	for name, err := range map[string]error{
		"write": client.WriteReadings(t.Context(), []metering.Reading{reading("M1", 0, 1)}),
		"ping":  client.Ping(t.Context()),
		"setup": client.SetUp(t.Context()),
	} {
		if !errors.Is(err, influx.ErrTemporary) || errors.Is(err, influx.ErrRejected) {
			t.Errorf("%s without a server: %v, want temporary", name, err)
		}
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	c := influx.Config{URL: "localhost:8086", Prefix: "X Y", Keep: influx.Retention{Hourly: -1}}
	_, err := influx.Open(c)
	for _, want := range []string{"influx.url", "influx.prefix", "influx.keep.hourly_days"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := influx.DefaultConfig().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
}
