package clock_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A drawer takes what a hold lets through.
type drawer struct {
	readings []wire.UnitReading
	broken   error
}

func (d *drawer) keep(readings []wire.UnitReading) error {
	if d.broken == nil {
		d.readings = append(d.readings, slices.Clone(readings)...)
	}
	return d.broken
}

// A rig is a board whose meter M1 shows the seconds since the boot.
type rig struct {
	*board
	clock  *clock.Clock
	hold   *clock.Hold
	drawer *drawer
}

func newRig(t *testing.T, b *board, trust string, limit int) *rig {
	t.Helper()
	r := &rig{board: b, clock: on(t, b, trust), drawer: &drawer{}}
	r.hold = clock.NewHold(r.clock, time.Time{}, limit, r.drawer.keep, testkit.Logger(t))
	return r
}

// poll reads the meter once.
func (r *rig) poll() error {
	return r.hold.Keep([]wire.UnitReading{{Unit: metering.WattHour, Reading: metering.Reading{Meter: "M1",
		Quantity: metering.Index, At: r.clock.Now(), Amount: metering.Amount(r.up / time.Second)}}})
}

// polls reads the meter so often, ten seconds apart.
func (r *rig) polls(t *testing.T, times int) {
	t.Helper()
	for range times {
		if err := r.poll(); err != nil {
			t.Fatal(err)
		}
		r.pass(10 * time.Second)
	}
}

// checkTrue demands that every reading bears the instant at which the meter
// showed it, given that the board booted at boot.
func (r *rig) checkTrue(t *testing.T, boot time.Time, want int) {
	t.Helper()
	if len(r.drawer.readings) != want {
		t.Errorf("%d readings came through, want %d", len(r.drawer.readings), want)
	}
	for _, reading := range r.drawer.readings {
		if true := boot.Add(time.Duration(reading.Amount) * time.Second); !reading.At.Equal(true) {
			t.Fatalf("%d s after the boot bears %s, want %s", reading.Amount, reading.At, true)
		}
	}
}

func TestHeldUntilTheClockIsRight(t *testing.T) {
	for _, start := range []time.Time{in1970, noon.Add(-14 * 24 * time.Hour)} {
		t.Run(start.Format(time.DateOnly), func(t *testing.T) {
			r := newRig(t, booted(start), "kernel", 0)
			r.polls(t, 30)
			if len(r.drawer.readings) > 0 || r.hold.Held() != 30 {
				t.Fatalf("%d readings came through and %d are held before the clock is right", len(r.drawer.readings), r.hold.Held())
			}
			boot := noon.Add(-r.up)
			r.set(noon, true)
			r.polls(t, 3)
			r.checkTrue(t, boot, 33)
			if l := r.hold.Losses(); l != (clock.Losses{}) || r.hold.Held() != 0 {
				t.Errorf("losses %+v, %d held", l, r.hold.Held())
			}
		})
	}
}

func TestBootThatIsNeverSynchronised(t *testing.T) {
	r := newRig(t, booted(in1970), "kernel", 0)
	r.polls(t, 7)
	if err := r.hold.Close(); err != nil {
		t.Fatal(err)
	}
	if l := r.hold.Losses(); l.End != 7 || len(r.drawer.readings) > 0 {
		t.Errorf("losses %+v and %d readings out, want 7 dropped and none out", l, len(r.drawer.readings))
	}
}

func TestHoldIsBounded(t *testing.T) {
	r := newRig(t, booted(in1970), "kernel", 5)
	r.polls(t, 12)
	boot := noon.Add(-r.up)
	r.set(noon, true)
	if err := r.hold.Close(); err != nil { // a last chance to place them
		t.Fatal(err)
	}
	r.checkTrue(t, boot, 5)
	if l := r.hold.Losses(); l.Full != 7 || l.End != 0 {
		t.Errorf("losses %+v, want the 7 oldest", l)
	}
	if first := r.drawer.readings[0].Amount; first != 10+7*10 {
		t.Errorf("the first kept was read %d s after the boot, want the newest kept", first)
	}
}

func TestBrokenSinkLosesNothingHeld(t *testing.T) {
	r := newRig(t, booted(in1970), "kernel", 0)
	r.polls(t, 4)
	boot := noon.Add(-r.up)
	r.set(noon, true)
	r.drawer.broken = errors.New("no space left on device")
	if err := r.poll(); !errors.Is(err, r.drawer.broken) {
		t.Fatalf("keep: %v, want the sink's error", err)
	}
	r.pass(10 * time.Second)
	r.drawer.broken = nil
	r.polls(t, 1)
	r.checkTrue(t, boot, 5) // the one between is lost, which its poller counts
}

// TestStepBack: what would stand among or on earlier readings is dropped and
// counted, until the clock has passed them.
func TestStepBack(t *testing.T) {
	for _, back := range []time.Duration{95 * time.Second, 100 * time.Second, time.Hour} {
		t.Run(back.String(), func(t *testing.T) {
			b := booted(noon)
			b.synced = true
			r := newRig(t, b, "kernel", 0)
			r.polls(t, 20)
			r.set(r.wall.Add(-back), true)
			r.polls(t, 400)
			checkOrder(t, r.drawer.readings)
			skipped := int(back / (10 * time.Second))
			if l := r.hold.Losses(); int(l.Step) != skipped || len(r.drawer.readings) != 420-skipped {
				t.Errorf("losses %+v, %d readings came through, want %d dropped of 420", l, len(r.drawer.readings), skipped)
			}
			if r.clock.Steps().Count != 1 {
				t.Errorf("%d steps counted", r.clock.Steps().Count)
			}
		})
	}
}

func TestStepForward(t *testing.T) {
	b := booted(noon)
	b.synced = true
	r := newRig(t, b, "kernel", 0)
	r.polls(t, 20)
	r.set(r.wall.Add(time.Hour), true)
	r.polls(t, 20)
	checkOrder(t, r.drawer.readings)
	if len(r.drawer.readings) != 40 {
		t.Errorf("%d readings came through, want 40", len(r.drawer.readings))
	}
}

// TestClockThatWasTwoWeeksAhead must not silence the meters for two weeks: what
// it stamped is refused by collectors, so that nothing can be overwritten.
func TestClockThatWasTwoWeeksAhead(t *testing.T) {
	b := booted(noon.Add(14 * 24 * time.Hour))
	b.synced = true
	r := newRig(t, b, "kernel", 0)
	r.polls(t, 5)
	r.set(noon, true)
	r.polls(t, 5)
	if len(r.drawer.readings) != 10 || !r.drawer.readings[5].At.Equal(noon) {
		t.Errorf("came through: %v", r.drawer.readings)
	}
}

// TestAfterARestart: the spool's newest pack bounds what a new process stamps.
func TestAfterARestart(t *testing.T) {
	b := booted(noon)
	b.synced = true
	r := newRig(t, b, "kernel", 0)
	r.hold = clock.NewHold(r.clock, noon.Add(25*time.Second), 0, r.drawer.keep, testkit.Logger(t))
	r.polls(t, 5)
	if len(r.drawer.readings) != 2 || r.hold.Losses().Step != 3 {
		t.Errorf("%d readings came through, losses %+v", len(r.drawer.readings), r.hold.Losses())
	}
}

// checkOrder demands instants that grow strictly with the index.
func checkOrder(t interface {
	Helper()
	Fatalf(string, ...any)
}, readings []wire.UnitReading) {
	t.Helper()
	for i := 1; i < len(readings); i++ {
		a, b := readings[i-1], readings[i]
		if !b.At.After(a.At) || b.Amount <= a.Amount {
			t.Fatalf("%d at %s is followed by %d at %s", a.Amount, a.At, b.Amount, b.At)
		}
	}
}

// TestAnythingThatClocksDo: whatever a board's clock does within a day, no
// reading bears a date of nobody's word, and instants only grow.
func TestAnythingThatClocksDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := booted(rapid.SampledFrom([]time.Time{in1970, noon, noon.Add(-14 * 24 * time.Hour)}).Draw(t, "boot"))
		c, err := clock.NewFrom("kernel", b.read)
		if err != nil {
			t.Fatal(err)
		}
		d := &drawer{}
		r := &rig{board: b, clock: c, drawer: d, hold: clock.NewHold(c, time.Time{}, 50, d.keep, slog.New(slog.DiscardHandler))}
		given, vouched := 0, false
		t.Repeat(map[string]func(*rapid.T){
			"poll": func(t *rapid.T) {
				if err := r.poll(); err != nil {
					t.Fatal(err)
				}
				given++
				r.pass(time.Second)
			},
			"pass": func(t *rapid.T) { r.pass(time.Duration(rapid.IntRange(0, 600).Draw(t, "s")) * time.Second) },
			"set by hand": func(t *rapid.T) {
				r.set(noon.Add(time.Duration(rapid.IntRange(-1e6, 1e6).Draw(t, "s"))*time.Second), false)
			},
			"synchronise": func(t *rapid.T) {
				off := time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "s")) * time.Second
				r.set(noon.Add(r.up).Add(off), true)
				vouched = true
			},
			"": func(t *rapid.T) {
				checkOrder(t, d.readings)
				l := r.hold.Losses()
				if sum := len(d.readings) + r.hold.Held() + int(l.Full+l.Step); sum != given {
					t.Fatalf("%d readings taken, %d accounted for: %+v", given, sum, l)
				}
				if !vouched && len(d.readings) > 0 {
					t.Fatalf("nobody vouched for the clock, and out went %v", d.readings)
				}
				for _, reading := range d.readings {
					true := noon.Add(time.Duration(reading.Amount) * time.Second)
					if off := reading.At.Sub(true).Abs(); off > time.Hour {
						t.Fatalf("an instant is off by %s", off)
					}
				}
			},
		})
	})
}

func TestWhatAHoldTells(t *testing.T) {
	var log bytes.Buffer
	b := booted(in1970)
	c := on(t, b, "kernel")
	d := &drawer{}
	r := &rig{board: b, clock: c, drawer: d, hold: clock.NewHold(c, time.Time{}, 0, d.keep, slog.New(slog.NewTextHandler(&log, nil)))}
	figures := prometheus.NewRegistry()
	r.hold.Register(figures)
	r.polls(t, 3)
	if got := figure(t, figures, "xnet_gateway_readings_held"); got != 3 {
		t.Errorf("figure of readings held: %g, want 3", got)
	}
	r.set(noon, true)
	r.polls(t, 1)
	r.set(noon.Add(-time.Hour), true)
	r.polls(t, 1)
	for _, want := range []string{"not synchronised", "clock is right", "placed", "stepped"} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("log says %q %d times, want once:\n%s", want, n, log.String())
		}
	}
	if got := figure(t, figures, "xnet_gateway_clock_trusted"); got != 1 {
		t.Errorf("figure of trust: %g, want 1", got)
	}
	if got := figure(t, figures, "xnet_gateway_readings_unplaced_total"); got != 1 {
		t.Errorf("figure of readings unplaced: %g, want the one after the step", got)
	}
}

// figure sums a metric over its labels.
func figure(t *testing.T, r *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
		return sum
	}
	t.Fatal(fmt.Errorf("no figure %s", name))
	return 0
}
