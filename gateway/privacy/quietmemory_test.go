package privacy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A life is how a gateway lives through three days of polls every ten minutes.
type life struct {
	t      *testing.T
	dir    string
	filter *privacy.Filter
	// figures are the quiet flows that left, by their day.
	figures map[civil.Date]metering.Amount
}

func (l *life) start() {
	l.t.Helper()
	f, err := privacy.Open(polled(metering.Day), l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := f.Remember(); err != nil {
		l.t.Fatal(err)
	}
	l.filter = f
}

// poll reads the cold water meter once, at the n-th ten minutes of 10 July 2026:
// a leak of 6 L/h, and 60 L/h more from 6 in the morning to 2 in the night. It
// shows whole litres.
func (l *life) poll(n int) {
	l.t.Helper()
	zone := zoneOf(l.t, "Europe/Paris")
	at := civil.Date{Year: 2026, Month: 7, Day: 10}.Start(zone).Add(time.Duration(n) * 10 * time.Minute)
	index := metering.Amount(n) * 1000
	for i := range n {
		if hour := i / 6 % 24; hour < 2 || hour >= 6 {
			index += 10_000
		}
	}
	err := l.filter.Sift([]wire.UnitReading{{Unit: metering.Millilitre, Reading: metering.Reading{Meter: "cold_water",
		Quantity: metering.Index, At: at, Amount: index}}}, func(rs []wire.UnitReading) error {
		for _, r := range rs {
			if r.Quantity == metering.QuietFlow {
				l.figures[civil.DateIn(r.At, zone)] = r.Amount
			}
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// TestRestartsCostNoQuietFlow: however a gateway ends, the days go on, as long as
// it is back before a gap that hides a quiet moment.
func TestRestartsCostNoQuietFlow(t *testing.T) {
	first := civil.Date{Year: 2026, Month: 7, Day: 10}
	whole := map[civil.Date]metering.Amount{first: 6_000, first.AddDays(1): 6_000, first.AddDays(2): 6_000}
	without := func(n int) map[civil.Date]metering.Amount {
		days := map[civil.Date]metering.Amount{}
		for day, flow := range whole {
			if day != first.AddDays(n) {
				days[day] = flow
			}
		}
		return days
	}
	const noon = 144 + 72 // of the second day
	for _, tt := range []struct {
		name string
		ends func(n int) bool // before the n-th poll
		kill bool
		off  int // polls that are missed then
		want map[civil.Date]metering.Amount
	}{
		{"runs through", func(int) bool { return false }, false, 0, whole},
		{"started again at noon", func(n int) bool { return n == noon }, false, 0, whole},
		{"started again every two hours", func(n int) bool { return n%12 == 0 }, false, 0, whole},
		{"killed every hour", func(n int) bool { return n%6 == 0 }, true, 0, whole},
		{"away for one poll at noon", func(n int) bool { return n == noon }, false, 1, whole},
		{"killed, and away for one poll at noon", func(n int) bool { return n == noon }, true, 1, whole},
		{"away at midnight", func(n int) bool { return n == 144 }, false, 1, whole},
		{"away for an hour at noon", func(n int) bool { return n == noon }, false, 6, without(1)},
		{"away over a midnight", func(n int) bool { return n == 144-3 }, true, 6, without(0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &life{t: t, dir: t.TempDir(), figures: map[civil.Date]metering.Amount{}}
			l.start()
			for n := 0; n <= 3*144; n++ {
				if tt.ends(n) {
					if !tt.kill {
						if err := l.filter.Close(); err != nil {
							t.Fatal(err)
						}
					}
					l.start()
					n += tt.off
				}
				l.poll(n)
			}
			if tt.name == "away over a midnight" { // of the second day the first quarter of an hour is missing
				delete(tt.want, first.AddDays(1))
			}
			if diff := cmp.Diff(tt.want, l.figures); diff != "" {
				t.Errorf("quiet flows (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWrittenDaysAreNoTrap: what is torn, belongs to another way of working, or was
// written under a clock of another year costs a day and no more.
func TestWrittenDaysAreNoTrap(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(string) string
		days   int
	}{
		{"as written", func(text string) string { return text }, 3},
		{"torn", func(text string) string { return text[:len(text)/2] }, 2},
		{"empty", func(string) string { return "" }, 2},
		{"another window", func(text string) string { return strings.Replace(text, `"window_ns":1`, `"window_ns":2`, 1) }, 2},
		{"another day", func(text string) string { return strings.Replace(text, "2026-07-10", "2026-07-09", 1) }, 2},
		{"no starts", func(text string) string { return strings.Replace(text, `"starts":[`, `"starts":[],"x":[`, 1) }, 2},
		{"a clock of another year", func(string) string {
			return `{"cold_water":{"window_ns":1440000000000,"gap_ns":1440000000000,"day":"2031-01-01","last":[1925000000000,5],"starts":[[1925000000000,5]],"flow_ml_h":0,"flow_window_ns":0}}`
		}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &life{t: t, dir: t.TempDir(), figures: map[civil.Date]metering.Amount{}}
			l.start()
			for n := range 72 {
				l.poll(n)
			}
			if err := l.filter.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(l.dir, "quiet.json")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.change(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			l.start()
			for n := 72; n <= 3*144; n++ {
				l.poll(n)
			}
			if len(l.figures) != tt.days {
				t.Errorf("figures of %v, want of %d days", l.figures, tt.days)
			}
		})
	}
}

// TestNothingIsWrittenOfAMeterThatIsOff: consent that is withdrawn takes the
// readings of the day with it, from the disk too.
func TestNothingIsWrittenOfAMeterThatIsOff(t *testing.T) {
	l := &life{t: t, dir: t.TempDir(), figures: map[civil.Date]metering.Amount{}}
	l.start()
	l.poll(0)
	kept := func() string {
		text, err := os.ReadFile(filepath.Join(l.dir, "quiet.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if !strings.Contains(kept(), "cold_water") {
		t.Errorf("kept %s, want the day of the meter", kept())
	}
	err := l.filter.Apply(wire.Registry{Site: "s", Zone: "Europe/Paris", Meters: []wire.RegistryMeter{
		{Meter: "cold_water", Kind: metering.ColdWater, IntervalS: 600, Resolution: metering.Off}}})
	if err != nil {
		t.Fatal(err)
	}
	l.poll(1)
	if strings.Contains(kept(), "cold_water") {
		t.Errorf("kept %s of a meter that is off", kept())
	}
}
