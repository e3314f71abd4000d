package clock_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A board is a machine whose clocks a test sets.
type board struct {
	up     time.Duration // since the boot
	wall   time.Time
	synced bool
}

func (b *board) read() clock.Sample {
	return clock.Sample{Monotonic: b.up, Wall: b.wall, Synced: b.synced}
}

// pass lets time go by.
func (b *board) pass(d time.Duration) { b.up, b.wall = b.up+d, b.wall.Add(d) }

// set does what a person or a daemon does: the wall clock jumps.
func (b *board) set(wall time.Time, synced bool) { b.wall, b.synced = wall, synced }

var (
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	in1970 = time.Date(1970, 1, 1, 0, 0, 10, 0, time.UTC)
)

// booted is a board that booted ten seconds ago.
func booted(wall time.Time) *board { return &board{up: 10 * time.Second, wall: wall} }

func on(t *testing.T, b *board, trust string) *clock.Clock {
	t.Helper()
	c, err := clock.NewFrom(trust, b.read)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTrust(t *testing.T) {
	c, err := clock.New("always")
	if err != nil {
		t.Fatal(err)
	}
	if c.State() != wire.ClockTrusted {
		t.Errorf("state %s, want trusted", c.State())
	}
	if now := c.Now(); now.Location() != time.UTC || now.Nanosecond()%int(time.Millisecond) != 0 {
		t.Errorf("now is %s, want whole milliseconds in UTC", now)
	}
	if off := time.Since(c.Now()).Abs(); off > time.Second {
		t.Errorf("the machine's own clock is off by %s", off)
	}
	if _, err := clock.New("hope"); err == nil {
		t.Error("trust in hope was taken")
	}
	kernel, err := clock.New("kernel")
	if err != nil {
		t.Fatal(err)
	}
	if s := kernel.State(); s != wire.ClockTrusted && s != wire.ClockUntrusted {
		t.Errorf("the kernel says %q", s)
	}
}

func TestTheMonotonicClockOnlyGrows(t *testing.T) {
	last := clock.Kernel()
	for range 1000 {
		s := clock.Kernel()
		if s.Monotonic < last.Monotonic || s.Monotonic <= 0 {
			t.Fatalf("monotonic %s after %s", s.Monotonic, last.Monotonic)
		}
		last = s
	}
}

// TestWhatIsBelieved goes through what each trust makes of a board's clock.
func TestWhatIsBelieved(t *testing.T) {
	weeksBack := noon.Add(-14 * 24 * time.Hour)
	for _, tt := range []struct {
		name   string
		trust  string
		wall   time.Time
		synced bool
		floor  time.Time
		want   wire.ClockState
	}{
		{"kernel, 1970", "kernel", in1970, false, time.Time{}, wire.ClockUntrusted},
		{"kernel, two weeks back", "kernel", weeksBack, false, noon, wire.ClockUntrusted},
		{"kernel, synchronised", "kernel", noon, true, time.Time{}, wire.ClockTrusted},
		{"kernel, vouches for 1970", "kernel", in1970, true, time.Time{}, wire.ClockUntrusted},
		{"kernel, knows better than the spool", "kernel", weeksBack, true, noon, wire.ClockTrusted},
		{"rtc, right", "rtc", noon, false, weeksBack, wire.ClockTrusted},
		{"rtc, without battery", "rtc", in1970, false, time.Time{}, wire.ClockUntrusted},
		{"rtc, two weeks back", "rtc", weeksBack, false, noon, wire.ClockUntrusted},
		{"rtc, two weeks back, nothing in the spool", "rtc", weeksBack, false, time.Time{}, wire.ClockTrusted},
		{"always", "always", weeksBack, false, noon, wire.ClockTrusted},
		{"always, 1970", "always", in1970, false, time.Time{}, wire.ClockUntrusted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := booted(tt.wall)
			b.synced = tt.synced
			c := on(t, b, tt.trust)
			c.NotBefore(tt.floor)
			if got := c.State(); got != tt.want {
				t.Errorf("state %s, want %s", got, tt.want)
			}
			now := c.Now()
			if clock.Provisional(now) != (tt.want == wire.ClockUntrusted) {
				t.Errorf("now is %s", now)
			}
			if _, placed := c.Place(now); placed != (tt.want == wire.ClockTrusted) {
				t.Errorf("placed %v", placed)
			}
		})
	}
}

func TestInstantsFromBeforeTheClockWasRight(t *testing.T) {
	for _, start := range []time.Time{in1970, noon.Add(-14 * 24 * time.Hour), noon.Add(48 * time.Hour)} {
		b := booted(start)
		c := on(t, b, "kernel")
		first := c.Now()
		b.pass(5 * time.Minute)
		second := c.Now()
		b.pass(time.Minute)
		b.set(noon, true)
		for _, tt := range []struct{ at, want time.Time }{
			{first, noon.Add(-6 * time.Minute)},
			{second, noon.Add(-time.Minute)},
			{c.Now(), noon},
		} {
			if got, ok := c.Place(tt.at); !ok || !got.Equal(tt.want) {
				t.Errorf("booted at %s: placed at %s, %v, want %s", start, got, ok, tt.want)
			}
		}
	}
}

// TestStepsThatNobodyVouchesFor: once right, a clock goes on by itself for a
// week, whatever is done to the wall clock.
func TestStepsThatNobodyVouchesFor(t *testing.T) {
	b := booted(noon)
	b.synced = true
	c := on(t, b, "kernel")
	c.Now()
	for _, step := range []time.Duration{-14 * 24 * time.Hour, time.Hour, 30 * 24 * time.Hour} {
		b.pass(time.Hour)
		b.set(b.wall.Add(step), false)
		want := noon.Add(b.up - 10*time.Second)
		if now := c.Now(); !now.Equal(want) {
			t.Errorf("after a step of %s it is %s, want %s", step, now, want)
		}
	}
	if c.Steps().Count != 0 {
		t.Errorf("%d steps of a clock that was not believed", c.Steps().Count)
	}
	b.pass(8 * 24 * time.Hour)
	if c.State() != wire.ClockUntrusted {
		t.Error("believed a week after the last synchronisation")
	}
	before := c.Now()
	b.set(noon.Add(b.up-10*time.Second).Add(40*time.Second), true) // the crystal was slow
	if got, ok := c.Place(before); !ok || !got.Equal(b.wall) {
		t.Errorf("placed at %s, %v, want %s", got, ok, b.wall)
	}
}

func TestStepsOfABelievedClockAreFollowedAndCounted(t *testing.T) {
	b := booted(noon)
	b.synced = true
	c := on(t, b, "kernel")
	stamped := c.Now()
	b.set(noon.Add(time.Hour), true)
	if now := c.Now(); !now.Equal(noon.Add(time.Hour)) {
		t.Errorf("it is %s after a step of an hour from noon", now)
	}
	if s := c.Steps(); s.Count != 1 || s.Last != time.Hour {
		t.Errorf("steps %+v, want one of an hour", s)
	}
	if again, _ := c.Place(stamped); !again.Equal(stamped) {
		t.Errorf("an instant changed from %s to %s", stamped, again)
	}
	b.pass(time.Minute)
	b.set(b.wall.Add(300*time.Millisecond), true) // a daemon that slews
	c.Now()
	if c.Steps().Count != 1 {
		t.Error("slewing counts as a step")
	}
}
