package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// A Sample is what the clocks of a machine show at one moment.
type Sample struct {
	// Monotonic is the time since the boot. It never steps and goes on while
	// the machine sleeps.
	Monotonic time.Duration
	Wall      time.Time
	// Synced says that a time daemon vouches for Wall.
	Synced bool
}

// A Source reads the clocks. It must be quick: it is called once a reading, by
// one goroutine at a time.
type Source func() Sample

// steady is how close together the two clocks have to be read.
const steady = 200 * time.Microsecond

// Kernel reads the machine's clocks: CLOCK_BOOTTIME, the wall clock, and the
// flag that every time daemon sets, adjtimex(2). Setting the wall clock by hand
// clears the flag.
func Kernel() Sample {
	var s Sample
	for range 5 { // another process may run between the two
		before := boottime()
		s.Wall = time.Now()
		s.Monotonic = boottime()
		if s.Monotonic-before < steady {
			break
		}
	}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	s.Synced = err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
	return s
}

func boottime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("clock: the kernel has no CLOCK_BOOTTIME, which Linux has since 2.6.39: " + err.Error())
	}
	return time.Duration(t.Nano())
}
