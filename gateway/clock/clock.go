// Package clock tells whether the board's clock may be believed. A board
// without a battery clock boots in the past, and a reading with a wrong date is
// worse than none.
package clock

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Clock gives the instant of readings.
type Clock struct {
	trusted func() bool
}

// New returns a clock that is trusted "always", or while the "kernel" says that
// it is synchronised.
func New(trust string) (*Clock, error) {
	switch trust {
	case "always":
		return &Clock{trusted: func() bool { return true }}, nil
	case "kernel":
		return &Clock{trusted: synchronised}, nil
	default:
		return nil, fmt.Errorf("clock trust %q: want kernel or always", trust)
	}
}

// Now is the instant in UTC, cut to whole milliseconds as readings carry it.
func (c *Clock) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// State says whether [Clock.Now] may be believed at the moment.
func (c *Clock) State() wire.ClockState {
	if c.trusted() {
		return wire.ClockTrusted
	}
	return wire.ClockUntrusted
}

// synchronised asks the kernel, whose flag every time daemon sets: adjtimex(2).
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}
