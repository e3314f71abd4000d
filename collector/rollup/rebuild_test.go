package rollup_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func date(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func (b *bench) rebuild(first, last string) (int, error) {
	b.t.Helper()
	m, ok := b.directory.Now().Meter("M1")
	if !ok {
		b.t.Fatal("M1 is not bound")
	}
	r := rollup.Rebuild{Store: b.store, Directory: b.directory, Meters: []*sites.Meter{m}, First: date(first), Last: date(last)}
	return r.Run(b.t.Context())
}

func (b *bench) all() map[influx.Period][]influx.Consumption {
	all := map[influx.Period][]influx.Consumption{}
	for _, p := range influx.Periods {
		all[p] = b.stored(p)
	}
	return all
}

// A rebuild gives the figures that the readings gave as they arrived, and mends
// those that are wrong.
func TestRebuild(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Fine))
	from := time.Date(2026, 3, 30, 5, 0, 0, 0, time.UTC)
	b.feed(every(from, from.AddDate(0, 0, 40), 30*minute, 1000, 10)...)
	want := b.all()
	b.stop()
	wrong := want[influx.Daily][10]
	wrong.Index, wrong.Used = 7, 7
	if err := b.store.WriteConsumption(t.Context(), influx.Daily, []influx.Consumption{wrong}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n, err := b.rebuild("2026-04-05", "2026-04-20")
		if err != nil || n < 16*24 {
			t.Errorf("%d periods, %v", n, err)
		}
		if diff := cmp.Diff(want, b.all()); diff != "" {
			t.Errorf("periods (-as they arrived +rebuilt):\n%s", diff)
		}
	}
	if _, err := b.rebuild("2026-03-20", "2026-05-20"); err != nil { // wider than the readings
		t.Error(err)
	}
	if diff := cmp.Diff(want, b.all()); diff != "" {
		t.Errorf("periods after the whole (-as they arrived +rebuilt):\n%s", diff)
	}
}

// Where readings are gone a rebuild refuses rather than empty what they gave.
func TestRebuildRefusesWhatIsGone(t *testing.T) {
	t.Parallel()
	erased := meter(metering.Fine)
	erased.ErasedUntilMs = base.UnixMilli()
	b := newBench(t, erased)
	b.stop()
	for first, refused := range map[string]bool{"2026-05-03": true, "2026-05-04": true, "2026-05-05": false} {
		if _, err := b.rebuild(first, "2026-05-06"); errors.Is(err, rollup.ErrGone) != refused {
			t.Errorf("from %s: %v", first, err)
		}
	}

	c := influxtest.Config(t)
	c.Keep.Readings = 100
	short := &bench{t: t, store: influxtest.OpenWith(t, c), directory: b.directory}
	today := civil.DateIn(time.Now(), time.UTC)
	for ago, refused := range map[int]bool{102: true, 98: false} {
		m := meter(metering.Fine)
		if _, err := short.directory.Update(registry(m)); err != nil {
			t.Fatal(err)
		}
		if _, err := short.rebuild(today.AddDays(-ago).String(), today.String()); errors.Is(err, rollup.ErrGone) != refused {
			t.Errorf("from %d days ago: %v", ago, err)
		}
	}
}

// A day and a month whose first readings were erased or outlived stay as they
// were computed while all were there.
func TestWhatWasComputedFromMoreStays(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Fine))
	from := time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC) // April begins in Paris
	b.feed(every(from, from.AddDate(0, 0, 32), time.Hour, 1000, 10)...)
	want := b.all()
	erasedUntil := from.AddDate(0, 0, 9).Add(12 * time.Hour)
	m := meter(metering.Fine)
	m.ErasedUntilMs = erasedUntil.UnixMilli()
	b.bind(m)
	if err := b.store.Erase(t.Context(), []metering.MeterID{"M1"}, dawn, erasedUntil); err != nil {
		t.Fatal(err)
	}
	b.feed(at(erasedUntil.Add(90*minute), 1000+228*10-1)) // a late one, beside the gap
	for _, p := range []influx.Period{influx.Daily, influx.Monthly} {
		if diff := cmp.Diff(want[p], b.stored(p)); diff != "" {
			t.Errorf("%s (-before +after the erasure):\n%s", p, diff)
		}
	}
	for _, h := range b.stored(influx.Hourly) {
		if h.Start.Before(erasedUntil) {
			t.Fatalf("an erased hour is back: %v", h)
		}
	}
}

// TestCostOfALateReading holds that a late reading has its own meter computed
// again, in its own hours.
func TestCostOfALateReading(t *testing.T) {
	t.Parallel()
	var meters []wireMeter
	for i := range 5 {
		m := meter(metering.Fine)
		m.Meter = metering.MeterID(fmt.Sprintf("M%d", i+1))
		meters = append(meters, m)
	}
	b := newBench(t, meters...)
	var all []metering.Reading
	for _, m := range meters {
		rs := every(base, base.AddDate(0, 0, 10), 10*minute, 1000, 10)
		for i := range rs {
			rs[i].Meter = m.Meter
		}
		all = append(all, rs...)
	}
	late := all[700]
	b.feed(append(all[:700:700], all[701:]...)...)
	ranges, periods := b.figure("rollup_ranges_total"), b.figure("rollup_periods_total")
	b.feed(late)
	if got := b.figure("rollup_ranges_total") - ranges; got != 1 {
		t.Errorf("%v ranges were computed, want that of the meter", got)
	}
	if got := b.figure("rollup_periods_total") - periods; got < 1 || got > 3 {
		t.Errorf("%v periods were written, want the hours it touches", got)
	}
}

// Two collectors roll up one meter: whichever writes last, the newer readings
// count. The second's readings arrive while the first is at work.
func TestTwoCollectorsOnOneMeter(t *testing.T) {
	t.Parallel()
	b := newBench(t, meter(metering.Fine))
	other := &bench{t: t, store: b.store, directory: b.directory, journal: b.journal + "2"}
	other.start()
	t.Cleanup(func() { other.stop() })
	all := every(base, base.AddDate(0, 0, 6), 10*minute, 1000, 10)
	for i := 0; i < len(all); i += 30 { // each has a part of every hour
		part := all[i:min(i+30, len(all))]
		for j, r := range part {
			who := []*bench{b, other}[j%2]
			who.write(r)
			if err := who.rollup.Mark([]metering.Reading{r}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.settle()
	other.settle()
	want := newBench(t, meter(metering.Fine))
	want.feed(all...)
	if diff := cmp.Diff(want.all(), b.all()); diff != "" {
		t.Errorf("periods (-one collector +two):\n%s", diff)
	}
}
