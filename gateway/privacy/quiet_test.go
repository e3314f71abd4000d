package privacy_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestWindowGivesTwoPulsesOfTheSmallestLeak(t *testing.T) {
	for count, want := range map[metering.Amount]time.Duration{
		1: 24 * time.Minute, 1000: 24 * time.Minute, 2500: time.Hour, 10_000: 4 * time.Hour,
	} {
		if got := privacy.WindowFor(count); got != want {
			t.Errorf("%d mL a pulse: window %s, want %s", count, got, want)
		}
	}
}

// A tap is the litres an hour that a flat draws in each hour of a day.
type tap [26]metering.Amount

// run polls a meter of count mL a pulse through a civil day and the midnight
// after it, without the polls that skip names, and returns what the day gave.
func (d tap) run(t testing.TB, q *privacy.Quiet, day civil.Date, count metering.Amount, skip func(n int) bool) (days []privacy.QuietDay) {
	t.Helper()
	zone := zoneOf(t, "Europe/Paris")
	start, end := day.Bounds(zone)
	sixths := metering.Amount(6 * 7_000_000) // of a mL, so that nothing is rounded away
	for n := 0; ; n++ {
		at := start.Add(time.Duration(n) * 10 * time.Minute)
		if at.After(end) {
			return days
		}
		if !skip(n) {
			if got, ok := q.Observe(at.Add(300*time.Millisecond), sixths/6/count*count); ok {
				days = append(days, got)
			}
		}
		sixths += d[int(at.Sub(start).Hours())] * 1000
	}
}

func all(int) bool { return false }

func TestQuietFlow(t *testing.T) {
	summer := civil.Date{Year: 2026, Month: 7, Day: 10}
	autumn, spring := civil.Date{Year: 2026, Month: 10, Day: 25}, civil.Date{Year: 2026, Month: 3, Day: 29}
	var nothing, leak, busy tap
	for h := range leak {
		leak[h], busy[h] = 5, 12
		if h == 7 || h == 20 {
			leak[h] = 200
		}
	}
	night := busy
	night[3], night[4], night[5], night[6] = 0, 0, 0, 0
	for _, tt := range []struct {
		name  string
		tap   tap
		day   civil.Date
		count metering.Amount
		flow  metering.Amount
	}{
		{"nobody at home", nothing, summer, 1000, 0},
		{"smallest leak, 1 L", leak, summer, 1000, 4000}, // 2 pulses in 30 min
		{"smallest leak, 10 L", leak, summer, 10_000, 5000},
		{"no quiet hour", busy, summer, 1000, 12_000},
		{"four quiet hours", night, summer, 1000, 0},
		{"four quiet hours, 10 L", night, summer, 10_000, 0},
		{"day of 25 hours", leak, autumn, 10_000, 5000},
		{"day of 23 hours", leak, spring, 10_000, 5000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := zoneOf(t, "Europe/Paris")
			days := tt.tap.run(t, privacy.NewQuiet(zone, tt.count, 10*time.Minute), tt.day, tt.count, all)
			if len(days) != 1 {
				t.Fatalf("%d days, want one at midnight", len(days))
			}
			if got := days[0]; got.Flow != tt.flow || !got.Start.Equal(tt.day.Start(zone)) || got.Window < privacy.WindowFor(tt.count) {
				t.Errorf("%+v, want %d mL/h over at least %s", got, tt.flow, privacy.WindowFor(tt.count))
			}
		})
	}
}

// TestNoFigureRatherThanAWrongOne: what cannot be known is not told.
func TestNoFigureRatherThanAWrongOne(t *testing.T) {
	day := civil.Date{Year: 2026, Month: 7, Day: 10}
	for _, tt := range []struct {
		name string
		skip func(n int) bool
		want int
	}{
		{"whole day", all, 1},
		{"one poll missed", func(n int) bool { return n == 20 }, 1},
		{"an hour missed", func(n int) bool { return n >= 20 && n < 26 }, 0},
		{"began at eight", func(n int) bool { return n < 48 }, 0},
		{"ended at eight", func(n int) bool { return n > 120 && n < 144 }, 0},
		{"midnight missed", func(n int) bool { return n == 144 }, 0}, // told at the next poll, which is not in this run
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := privacy.NewQuiet(zoneOf(t, "Europe/Paris"), 1000, 10*time.Minute)
			if got := len(tap{}.run(t, q, day, 1000, tt.skip)); got != tt.want {
				t.Errorf("%d figures, want %d", got, tt.want)
			}
		})
	}
	q := privacy.NewQuiet(zoneOf(t, "Europe/Paris"), 1000, 10*time.Minute)
	start := day.Start(zoneOf(t, "Europe/Paris"))
	for n := range 145 { // one poll shows 0, as some meters do after a restart
		index := metering.Amount(5_000_000)
		if n == 30 {
			index = 0
		}
		if got, ok := q.Observe(start.Add(time.Duration(n)*10*time.Minute), index); ok {
			t.Errorf("a day whose index went down gave %+v", got)
		}
	}
}

// TestQuietFlowIsTheSmallestOfAllWindows holds the worker, which keeps few
// readings, against a search over all pairs of them.
func TestQuietFlowIsTheSmallestOfAllWindows(t *testing.T) {
	zone := zoneOf(t, "Europe/Paris")
	day := civil.Date{Year: 2026, Month: 7, Day: 10}
	start, end := day.Bounds(zone)
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.SampledFrom([]metering.Amount{1000, 10_000}).Draw(t, "count")
		window := privacy.WindowFor(count)
		q := privacy.NewQuiet(zone, count, 10*time.Minute)
		type sample struct {
			at    time.Time
			index metering.Amount
		}
		var samples []sample
		best := metering.Amount(-1)
		s := sample{start.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "late")) * time.Second), 1e6}
		for {
			samples = append(samples, s)
			for i := len(samples) - 1; i >= 0; i-- {
				if span := s.at.Sub(samples[i].at); span >= window {
					flow := (s.index - samples[i].index) * 3_600_000 / metering.Amount(span.Milliseconds())
					if best < 0 || flow < best {
						best = flow
					}
					break // longer windows that end here hold this one's draw and more
				}
			}
			got, ok := q.Observe(s.at, s.index)
			if !s.at.Before(end) {
				if !ok || got.Flow != best {
					t.Fatalf("day gave %+v, %v, want %d mL/h", got, ok, best)
				}
				return
			}
			if ok {
				t.Fatalf("figure at %s, before the day ends", s.at)
			}
			s.at = s.at.Add(time.Duration(rapid.IntRange(480, 900).Draw(t, "pause")) * time.Second)
			s.index += count * rapid.SampledFrom([]metering.Amount{0, 0, 0, 1, 1, 2, 30}).Draw(t, "pulses")
		}
	})
}

// TestQuietFlowOfAFlatInNaples takes what one person really drew over eight
// months: without a leak nearly every day shows a quiet moment, and a leak of
// 5 L/h shows on every day.
func TestQuietFlowOfAFlatInNaples(t *testing.T) {
	zone := zoneOf(t, "Europe/Rome")
	from, to := time.Date(2019, 3, 2, 0, 0, 0, 0, zone), time.Date(2019, 10, 1, 0, 0, 0, 0, zone)
	draws := naples(t)
	for _, count := range []metering.Amount{1000, 10_000} {
		for _, leak := range []metering.Amount{0, 5000} {
			t.Run(fmt.Sprintf("%d mL a pulse, %d mL/h", count, leak), func(t *testing.T) {
				q := privacy.NewQuiet(zone, count, 10*time.Minute)
				var index metering.Amount
				days, seen := 0, 0
				for at := from; !at.After(to); at = at.Add(10 * time.Minute) {
					if day, ok := q.Observe(at, index/count*count); ok {
						if days++; day.Flow > 0 {
							seen++
						}
						if leak > 0 && day.Flow*metering.Amount(day.Window/time.Second) < 2*count*3600-3600*3600 {
							t.Errorf("%s: %+v, want at least two pulses in the window", day.Start, day)
						}
					}
					index += draws[at.Unix()] + (leak+5)/6
				}
				if want := int(to.Sub(from).Hours()/24 + 0.5); days != want {
					t.Errorf("%d days, want %d", days, want)
				}
				t.Logf("%d of %d days show a draw that never ends", seen, days)
				if leak > 0 && seen != days || leak == 0 && seen*50 > days {
					t.Errorf("%d of %d days show a draw that never ends, with a leak of %d mL/h", seen, days, leak)
				}
			})
		}
	}
}

// naples reads what was drawn in the ten minutes that begin at each instant.
func naples(t *testing.T) map[int64]metering.Amount {
	t.Helper()
	file, err := os.Open("../../../shared/data/water_naples_2019.csv")
	if err != nil {
		t.Skip("the measurements of Naples are not here")
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	draws := map[int64]metering.Amount{}
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02T15:04Z", row[0])
		ml, err2 := strconv.ParseInt(row[1], 10, 64)
		if err = errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		draws[at.Unix()] = metering.Amount(ml)
	}
	return draws
}

// polled is the configuration of one meter of each kind that is polled.
func polled(resolution metering.Resolution) *firmwareconfig.Gateway {
	c := firmwareconfig.DefaultGateway()
	d := firmwareconfig.Device{Slave: 1, Profile: "pulse-counter-4"}
	for i, k := range []metering.Kind{metering.ColdWater, metering.HotWater, metering.Gas} {
		d.Meters = append(d.Meters, firmwareconfig.Meter{ID: metering.MeterID(k), Kind: k, Channel: i + 1, PulseML: 1000, Resolution: resolution})
	}
	c.Buses = []firmwareconfig.Bus{{Interval: 10 * time.Minute, Devices: []firmwareconfig.Device{d}}}
	return &c
}

// sift polls all meters of a filter over two days and returns what left.
func sift(t *testing.T, f *privacy.Filter, keep func([]wire.UnitReading) error) {
	t.Helper()
	start := civil.Date{Year: 2026, Month: 7, Day: 10}.Start(zoneOf(t, "Europe/Paris"))
	for n := range 2*144 + 1 {
		var readings []wire.UnitReading
		for _, k := range []metering.Kind{metering.ColdWater, metering.HotWater, metering.Gas} {
			readings = append(readings, wire.UnitReading{Unit: metering.Millilitre, Reading: metering.Reading{Meter: metering.MeterID(k),
				Quantity: metering.Index, At: start.Add(time.Duration(n) * 10 * time.Minute), Amount: metering.Amount(n) * 6000}})
		}
		if err := f.Sift(readings, keep); err != nil && !errors.Is(err, errFull) {
			t.Fatal(err)
		}
	}
}

var errFull = errors.New("disk full")

func TestQuietFlowLeavesWithEveryResolutionButOff(t *testing.T) {
	for _, r := range metering.Resolutions {
		f, err := privacy.Open(polled(r), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var left []wire.UnitReading
		sift(t, f, func(rs []wire.UnitReading) error { left = append(left, slices.Clone(rs)...); return nil })
		counted := map[string]int{}
		for _, reading := range left {
			counted[string(reading.Meter)+"/"+string(reading.Quantity)]++
			if reading.Quantity == metering.QuietFlow && (reading.Amount != 36_000 || reading.Unit != metering.MillilitrePerHour) {
				t.Errorf("%s: quiet flow %+v, want 36 L/h", r, reading)
			}
			if reading.Quantity == metering.QuietWindow && (reading.Amount != 1800 || reading.Unit != metering.Second) {
				t.Errorf("%s: window %+v, want 30 min", r, reading)
			}
		}
		want := 2
		if r == metering.Off {
			want = 0
		}
		for name, n := range map[string]int{"cold_water/quiet_flow": want, "cold_water/quiet_window": want, "hot_water/quiet_flow": want,
			"gas/quiet_flow": 0, "cold_water/index": map[metering.Resolution]int{metering.Fine: 289, metering.Hour: 49, metering.Day: 3, metering.Month: 1}[r]} {
			if counted[name] != n {
				t.Errorf("%s: %d of %s left, want %d", r, counted[name], name, n)
			}
		}
	}
}

// TestWhatTheDiskRefusedHasNotLeft: a full disk at midnight must not cost a
// meter's only reading of the day.
func TestWhatTheDiskRefusedHasNotLeft(t *testing.T) {
	f, err := privacy.Open(polled(metering.Day), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	calls, counted := 0, map[metering.Quantity]int{}
	sift(t, f, func(rs []wire.UnitReading) error {
		if calls++; calls%3 != 0 {
			return errFull
		}
		for _, r := range rs {
			counted[r.Quantity]++
		}
		return nil
	})
	if counted[metering.Index] != 3*3-3 || counted[metering.QuietFlow] != 2 {
		t.Errorf("left: %v, want indexes of two days and quiet flows of one, the last ones waiting", counted)
	}
}

// TestRestartsLetNothingMoreOut: a gateway that is started all the time is no
// finer than one that runs through.
func TestRestartsLetNothingMoreOut(t *testing.T) {
	dir, n := t.TempDir(), 0
	for range 5 {
		f, err := privacy.Open(polled(metering.Month), dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Remember(); err != nil {
			t.Fatal(err)
		}
		sift(t, f, func(rs []wire.UnitReading) error {
			for _, r := range rs {
				if r.Quantity == metering.Index {
					n++
				}
			}
			return nil
		})
	}
	if n != 3 {
		t.Errorf("%d indexes of three meters left in one month, want 3", n)
	}
}

func TestConsentWithdrawnAtNoonStopsTheFigure(t *testing.T) {
	f, err := privacy.Open(polled(metering.Day), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	off := wire.Registry{Site: "s", Zone: "Europe/Paris", Meters: []wire.RegistryMeter{
		{Meter: "cold_water", Kind: metering.ColdWater, IntervalS: 600, Resolution: metering.Off}}}
	sift(t, f, func([]wire.UnitReading) error { return errFull }) // the figures still wait to leave
	if err := f.Apply(off); err != nil {
		t.Fatal(err)
	}
	next := wire.UnitReading{Unit: metering.Millilitre, Reading: metering.Reading{Meter: "hot_water", Quantity: metering.Index,
		At: time.Date(2026, 7, 12, 1, 0, 0, 0, time.UTC), Amount: 9e9}}
	err = f.Sift([]wire.UnitReading{next}, func(rs []wire.UnitReading) error {
		for _, r := range rs {
			if r.Meter == "cold_water" {
				t.Errorf("left after the consent was withdrawn: %+v", r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
