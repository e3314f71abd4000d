package rollup_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// An hoursCase feeds readings in steps and says the hours they leave; nil where
// only the sums matter.
type hoursCase struct {
	name string
	feed [][]metering.Reading
	want []influx.Consumption
}

func hoursCases() []hoursCase {
	regular := func(to time.Duration) []metering.Reading {
		return every(base, base.Add(to), 10*minute, 1000, 10)
	}
	return []hoursCase{
		{"exact boundaries, the open hour is not written",
			[][]metering.Reading{regular(150 * minute)},
			[]influx.Consumption{hour(0, 1060, 60, measured), hour(1, 1120, 60, measured)}},
		{"one by one as all at once",
			slices.Collect(slices.Chunk(regular(150*minute), 1)),
			[]influx.Consumption{hour(0, 1060, 60, measured), hour(1, 1120, 60, measured)}},
		{"interpolated in integers, the first hour from its first reading",
			[][]metering.Reading{{reading(5*minute, 1000), reading(55*minute, 1050), reading(65*minute, 1061), reading(115*minute, 1100), reading(125*minute, 1103)}},
			[]influx.Consumption{hour(0, 1055, 55, estimated), hour(1, 1101, 46, measured)}},
		{"a gap: totals exact, shape estimated",
			[][]metering.Reading{{reading(0, 1000), reading(10*minute, 1010), reading(190*minute, 1190), reading(240*minute, 1240)}},
			[]influx.Consumption{hour(0, 1060, 60, estimated), hour(1, 1120, 60, estimated), hour(2, 1180, 60, estimated), hour(3, 1240, 60, estimated)}},
		{"a rollover is counted on",
			[][]metering.Reading{{reading(0, 999_900), reading(60*minute, 999_990), reading(70*minute, 5), reading(120*minute, 50), reading(180*minute, 60)}},
			[]influx.Consumption{hour(0, 999_990, 90, measured), hour(1, 1_000_050, 60, measured), hour(2, 1_000_060, 10, measured)}},
		{"a rollover goes on in later batches",
			[][]metering.Reading{
				{reading(0, 999_900), reading(60*minute, 999_990)}, {reading(120*minute, 50)}, {reading(180*minute, 60)},
				{reading(240*minute, 70)}, {reading(300*minute, 85)}},
			[]influx.Consumption{hour(0, 999_990, 90, measured), hour(1, 1_000_050, 60, measured), hour(2, 1_000_060, 10, measured),
				hour(3, 1_000_070, 10, measured), hour(4, 1_000_085, 15, measured)}},
		{"a decrease is never booked",
			[][]metering.Reading{{reading(0, 1000), reading(60*minute, 1100), reading(90*minute, 3), reading(120*minute, 13), reading(180*minute, 23)}},
			[]influx.Consumption{hour(0, 1100, 100, measured), hour(1, 1110, 10, estimated), hour(2, 1120, 10, measured)}},
		{"a slip to zero is skipped",
			[][]metering.Reading{{reading(0, 1000), reading(60*minute, 0), reading(70*minute, 1070), reading(120*minute, 1120)}},
			[]influx.Consumption{hour(0, 1060, 60, estimated), hour(1, 1120, 60, estimated)}},
		{"a slip that is explained only by the next batch",
			[][]metering.Reading{{reading(0, 1000), reading(55*minute, 1055)}, {reading(60*minute, 0)}, {reading(65*minute, 1065)}, {reading(120*minute, 1120)}},
			[]influx.Consumption{hour(0, 1060, 60, measured), hour(1, 1120, 60, measured)}},
		{"a slip upwards is skipped",
			[][]metering.Reading{{reading(0, 1000), reading(55*minute, 1055)}, {reading(60*minute, 900_000)}, {reading(65*minute, 1065)}, {reading(120*minute, 1120)}},
			[]influx.Consumption{hour(0, 1060, 60, measured), hour(1, 1120, 60, measured)}},
		{"a reset that is explained later changes all later hours",
			[][]metering.Reading{
				{reading(0, 999_900), reading(50*minute, 999_950)}, // then the middle is missing: too much for one rollover
				{reading(120*minute, 40_000), reading(180*minute, 40_010), reading(240*minute, 40_020), reading(600*minute, 40_080)},
				{reading(60*minute, 999_990), reading(70*minute, 40)},
			},
			nil}, // only that sums telescope: see below
	}
}

// TestHours compares the hours that readings leave with those wanted.
func TestHours(t *testing.T) {
	t.Parallel()
	for _, tt := range hoursCases() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, meter(metering.Fine))
			for _, rs := range tt.feed {
				b.feed(rs...)
			}
			got := b.stored(influx.Hourly)
			if tt.want != nil {
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("hours (-want +got):\n%s", diff)
				}
			}
			checkTelescopes(t, got)
		})
	}
}

// checkTelescopes holds that each period begins with the index at which the one
// before ended.
func checkTelescopes(t *testing.T, cs []influx.Consumption) {
	t.Helper()
	if len(cs) == 0 {
		t.Error("no periods")
	}
	for i := 1; i < len(cs); i++ {
		if cs[i].Index-cs[i].Used != cs[i-1].Index || cs[i].Used < 0 {
			t.Errorf("period %v does not continue %v", cs[i], cs[i-1])
		}
	}
}

func TestLateReadingTouchesOnlyItsHours(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Fine))
	all := every(base, base.Add(8*time.Hour), 10*minute, 1000, 10)
	without := slices.DeleteFunc(slices.Clone(all), func(r metering.Reading) bool {
		return r.At.After(base.Add(2*time.Hour)) && r.At.Before(base.Add(5*time.Hour))
	})
	b.feed(without...)
	before := b.stored(influx.Hourly)
	b.feed(reading(3*time.Hour+7*minute, 1195))
	after := b.stored(influx.Hourly)
	for i := range before {
		if touched := i >= 2 && i < 5; (before[i] == after[i]) == touched && i != 4 {
			t.Errorf("hour %d: %v became %v", i, before[i], after[i])
		}
	}
	checkTelescopes(t, after)
	b.feed(all...) // what was missing arrives: as if nothing had been
	want := newBench(t, meter(metering.Fine))
	want.feed(all...)
	if diff := cmp.Diff(want.stored(influx.Hourly), b.stored(influx.Hourly), cmp.FilterValues(
		func(a, b influx.Consumption) bool { return a.Start.Equal(base.Add(3 * time.Hour)) }, cmp.Ignore())); diff != "" {
		t.Errorf("hours after the late ones (-want +got):\n%s", diff)
	}
}

func TestDaysOfClockChanges(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		day   time.Time
		hours metering.Amount
	}{
		{"spring, 23 hours", time.Date(2026, 3, 29, 0, 0, 0, 0, paris), 23},
		{"autumn, 25 hours", time.Date(2025, 10, 26, 0, 0, 0, 0, paris), 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, meter(metering.Fine))
			b.feed(every(tt.day.AddDate(0, 0, -1), tt.day.AddDate(0, 0, 2), 10*minute, 0, 100)...)
			days := b.stored(influx.Daily)
			if len(days) != 3 || !days[1].Start.Equal(tt.day) || days[1].Used != tt.hours*600 || days[1].Quality != measured {
				t.Fatalf("days %v, want the second of %d", days, tt.hours*600)
			}
			if days[0].Used != 24*600 || days[2].Used != 24*600 {
				t.Errorf("neighbours %v", days)
			}
			if got := len(b.stored(influx.Hourly)); got != 48+int(tt.hours) {
				t.Errorf("%d hours", got)
			}
			checkTelescopes(t, days)
		})
	}
}

func TestGapOfADayAndAHalf(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Fine))
	midnight := time.Date(2026, 5, 3, 22, 0, 0, 0, time.UTC) // in Paris
	gap := midnight.Add(10 * time.Hour)
	b.feed(every(midnight, gap, 10*minute, 0, 10)...)
	resumed := gap.Add(38 * time.Hour)
	b.feed(every(resumed, midnight.Add(72*time.Hour), 10*minute, 10_000, 10)...)
	days := b.stored(influx.Daily)
	if len(days) != 3 {
		t.Fatalf("days: %v", days)
	}
	last := metering.Amount(10_000 + 24*6*10)
	sum := metering.Amount(0)
	for i, d := range days {
		sum += d.Used
		if want := i < 2; (d.Quality == estimated) != want {
			t.Errorf("day %d is %s", i, d.Quality)
		}
	}
	if sum != last || days[2].Index != last {
		t.Errorf("days sum to %d and end at %d, want %d", sum, days[2].Index, last)
	}
	checkTelescopes(t, b.stored(influx.Hourly))
}

func TestResolutionLimitsThePeriods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		resolution          metering.Resolution
		hours, days, months int
	}{
		{metering.Fine, 90 * 24, 90, 3}, {metering.Hour, 90 * 24, 90, 3}, {metering.Day, 0, 90, 3}, {metering.Month, 0, 0, 3}, {metering.Off, 0, 0, 0},
	} {
		t.Run(string(tt.resolution), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, meter(tt.resolution))
			from := time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC) // midnight in Paris
			b.feed(every(from, from.AddDate(0, 0, 90).Add(-time.Hour), time.Hour, 0, 100)...)
			b.feed(at(from.AddDate(0, 0, 90).Add(-time.Hour), 90*24*100-100)) // April begins an hour earlier
			got := []int{len(b.stored(influx.Hourly)), len(b.stored(influx.Daily)), len(b.stored(influx.Monthly))}
			want := []int{max(0, tt.hours-1), tt.days, tt.months}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("hours, days, months (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMonthsGrowReadingByReading(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Month))
	paris, _ := time.LoadLocation("Europe/Paris")
	for m := range 5 {
		b.feed(at(time.Date(2025, time.Month(9+m), 1, 0, 0, 20, 0, paris).UTC(), metering.Amount(1000*m)))
	}
	months := b.stored(influx.Monthly)
	if len(months) != 4 {
		t.Fatalf("months: %v", months)
	}
	for i, m := range months[1:] {
		if m.Quality != measured || m.Used < 999 || m.Used > 1001 {
			t.Errorf("month %d: %v", i+1, m)
		}
	}
	checkTelescopes(t, months)
}

func TestMeterThatIsBoundLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rs := every(base, base.Add(3*time.Hour), 10*minute, 1000, 10)
	b.feed(rs...)
	if got := b.stored(influx.Hourly); len(got) != 0 {
		t.Fatalf("an unknown meter has hours: %v", got)
	}
	b.bind(meter(metering.Fine))
	b.settle()
	want := []influx.Consumption{hour(0, 1060, 60, measured), hour(1, 1120, 60, measured), hour(2, 1180, 60, measured)}
	if diff := cmp.Diff(want, b.stored(influx.Hourly)); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
}

func TestCrashBetweenWriteAndRollup(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Fine))
	all := every(base, base.Add(48*time.Hour), 10*minute, 1000, 10)
	middle := all[6*20 : 6*30]
	b.feed(slices.Concat(all[:6*20], all[6*30:])...)
	b.stop() // nobody rolls up any more
	b.start()
	b.stop()
	r, err := rollup.New(rollup.Config{Journal: b.journal}, b.store, b.directory, testkit.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	b.write(middle...)
	if err := r.Mark(middle); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil { // killed before it rolled up
		t.Fatal(err)
	}
	b.start()
	b.settle()
	hours := b.stored(influx.Hourly)
	for i, h := range hours {
		if h.Quality != measured || h.Used != 60 {
			t.Errorf("hour %d: %v", i, h)
		}
	}
	if len(hours) != 48 {
		t.Errorf("%d hours, want 48", len(hours))
	}
}

func TestJournalBelongsToOneProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := rollup.New(rollup.Config{Journal: b.journal}, b.store, b.directory, testkit.Logger(t), prometheus.NewRegistry()); err == nil {
		t.Error("a second process opened the journal")
	}
}
