// Package clock gives readings their instants, and only true ones.
//
// A board without a battery clock boots in the past, and a reading with a wrong
// date is worse than none. The package therefore keeps a time of its own: the
// kernel's monotonic clock, which counts from the boot and never steps, laid
// onto the wall clock while that one is known to be right. A reading that is
// taken before bears the time since the boot; [Hold] keeps it until it can be
// placed, and drops it where that never happens. No boot id has to travel with
// it, because what is held lives in the memory of one process of one boot.
//
// # What is believed
//
// With "kernel" the wall clock counts while the kernel says that a time daemon
// has synchronised it, and for a week afterwards by the monotonic clock alone.
// With "rtc" the hardware clock is believed too, once at the boot, unless it
// stands before what the spool has seen already. With "always" the wall clock
// is believed at every moment. None believes a clock of before 2026.
//
// # Steps
//
// While nobody vouches for the wall clock its steps change nothing: instants go
// on by the monotonic clock. A clock that is vouched for is followed, forwards
// and backwards, because it is then that instants are true. After a step back
// readings would interleave with earlier ones whose instants were too late, at
// worst on the same millisecond, with a larger index before a smaller: [Hold]
// drops and counts them until the meter's last instant has passed. The next
// index keeps totals exact.
package clock

import (
	"fmt"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// What a clock is believed by, as the configuration names it.
const (
	TrustKernel = "kernel" // the kernel's sync state
	TrustRTC    = "rtc"    // the hardware clock at the boot, then the kernel's sync state
	TrustAlways = "always" // the wall clock, whatever it says
)

const (
	// holdover is how long the monotonic clock alone is believed after the last
	// synchronisation: a crystal of 100 ppm is then off by a minute.
	holdover = 7 * 24 * time.Hour
	// stepped is the least change of the wall clock that counts as a step;
	// daemons slew less than half a second away.
	stepped = time.Second
)

// earliest is before any reading of this product: a wall clock that stands
// before it is wrong, whoever vouches for it.
var earliest = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bootEpoch is where provisional instants count from. They lie so far in the
// past that no encoder of packs lets one through by mistake.
var bootEpoch = time.Unix(0, 0).UTC()

// A Clock gives the instants of readings. Its methods may be called from several
// goroutines.
type Clock struct {
	trust string
	read  Source

	mu     sync.Mutex
	floor  time.Time     // an "rtc" that stands before is not believed
	known  bool          // origin is known
	origin time.Time     // the wall clock when the monotonic one began
	seen   time.Duration // when the wall clock was believed last
	steps  Steps
}

// Steps are the changes of a believed wall clock by more than a second.
type Steps struct {
	Count uint64
	Last  time.Duration // positive forwards; 0 without any
}

// New returns the machine's clock, believed by one of [TrustKernel], [TrustRTC]
// and [TrustAlways]. Any other trust is an error.
func New(trust string) (*Clock, error) { return NewFrom(trust, Kernel) }

// NewFrom is [New] with the time of another source.
func NewFrom(trust string, read Source) (*Clock, error) {
	switch trust {
	case TrustKernel, TrustRTC, TrustAlways:
		return &Clock{trust: trust, read: read}, nil
	default:
		return nil, fmt.Errorf("clock trust %q: want kernel, rtc or always", trust)
	}
}

// NotBefore tells the clock an instant that has passed for certain, such as that
// of the newest pack of the spool. A hardware clock that stands before it has
// lost its battery and is not believed. It is to be called before the first
// reading.
func (c *Clock) NotBefore(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.floor = at
}

// Now is the instant in UTC, in whole milliseconds as readings carry it. While
// the clock is not believed it is provisional: the time since the boot, counted
// from 1970; [Clock.Place] makes it the true one later.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.read()
	if c.observe(s) {
		return instant(c.origin, s.Monotonic)
	}
	return instant(bootEpoch, s.Monotonic)
}

// Place returns the true instant of one that [Clock.Now] gave, and false while it
// is not known. An instant that is not provisional is returned as it is, for
// ever: a later step does not change it.
func (c *Clock) Place(at time.Time) (time.Time, bool) {
	if !Provisional(at) {
		return at, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.observe(c.read()) {
		return at, false
	}
	return instant(c.origin, at.Sub(bootEpoch)), true
}

// Provisional reports whether an instant is a time since the boot, still to be
// placed.
func Provisional(at time.Time) bool { return at.Before(earliest) }

// State says whether [Clock.Now] is a true instant at the moment.
func (c *Clock) State() wire.ClockState {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.observe(c.read()) {
		return wire.ClockTrusted
	}
	return wire.ClockUntrusted
}

// Steps returns how often and by what the believed wall clock has stepped.
func (c *Clock) Steps() Steps {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps
}

// observe takes over the wall clock where it may be believed, and reports
// whether an instant can be given.
func (c *Clock) observe(s Sample) bool {
	switch {
	case s.Wall.Before(earliest):
	case s.Synced || c.trust == TrustAlways:
		c.follow(s)
	case c.trust == TrustRTC && !c.known && !s.Wall.Before(c.floor):
		c.follow(s)
	}
	return c.known && (c.trust != TrustKernel || s.Monotonic-c.seen <= holdover)
}

func (c *Clock) follow(s Sample) {
	origin := s.Wall.Add(-s.Monotonic)
	if step := origin.Sub(c.origin); c.known && step.Abs() >= stepped {
		c.steps.Count++
		c.steps.Last = step
	}
	c.known, c.origin, c.seen = true, origin, s.Monotonic
}

func instant(origin time.Time, monotonic time.Duration) time.Time {
	return origin.Add(monotonic).UTC().Truncate(time.Millisecond)
}
