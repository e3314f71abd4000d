package poll_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// TestWhatHangsIsNoticed: a bus whose readings cannot be kept hangs; one whose
// meters are dead does not.
func TestWhatHangsIsNoticed(t *testing.T) {
	t.Parallel()
	const grace = 3 * interval
	source := &observed{}
	source.dead.Store(byte(1), true)
	stuck := make(chan struct{})
	var full atomic.Bool
	sink := func([]wire.UnitReading) error {
		if full.Load() {
			<-stuck
		}
		return nil
	}
	g, stop := start(t, sink, busOf(serve(t, source), counter(1), counter(2)))
	source.wait(t, 2, 5, time.Now())
	if err := g.Advances(); err != nil {
		t.Errorf("a bus that is read: %v", err)
	}
	full.Store(true)
	testkit.Eventually(t, time.Minute, func() error {
		if g.AdvancesWithin(grace) == nil {
			return errors.New("nobody notices that the bus hangs")
		}
		return nil
	})
	if err := g.Advances(); err != nil {
		t.Errorf("before its grace is over: %v", err)
	}
	full.Store(false)
	close(stuck)
	testkit.Eventually(t, time.Minute, func() error { return g.AdvancesWithin(grace) })
	stop()
	if err := g.AdvancesWithin(0); err != nil {
		t.Errorf("a group that has ended: %v", err)
	}
}
