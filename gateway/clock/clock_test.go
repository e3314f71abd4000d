package clock_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/internal/wire"
)

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
