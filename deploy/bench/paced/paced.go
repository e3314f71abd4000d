// Package paced sends requests at a pace of its own: each begins at its planned
// instant, however long those before it take, as people do who know nothing of
// each other.
package paced

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A Tally is what came of requests.
type Tally struct {
	Times  []time.Duration // from the planned instant to the answer, sorted
	Errors int
	First  error // one of them, the first that came; nil for none
}

// Run begins rate requests a second, at least one, evenly, for as long as span,
// and returns once all are answered. A request that waits behind others has
// waited since the instant it was planned for. request is called from several
// goroutines with 0, 1, 2 …; ctx ends the planning.
func Run(ctx context.Context, rate int, span time.Duration, request func(n int) error) Tally {
	var t Tally
	var mu sync.Mutex
	var under sync.WaitGroup
	every := time.Second / time.Duration(rate)
	begin := time.Now()
	for n := 0; n < int(span/every) && ctx.Err() == nil; n++ {
		planned := begin.Add(time.Duration(n) * every)
		wakeAt(planned)
		under.Go(func() {
			err := request(n)
			spent := time.Since(planned)
			mu.Lock()
			defer mu.Unlock()
			t.note(spent, err)
		})
	}
	under.Wait()
	slices.Sort(t.Times)
	return t
}

func (t *Tally) note(spent time.Duration, err error) {
	t.Times = append(t.Times, spent)
	if err != nil {
		t.Errors++
		t.First = cmp.Or(t.First, err)
	}
}

// wakeAt asks the kernel: the runtime's timers may be a millisecond late where
// nothing else runs, which is a share of what is measured.
func wakeAt(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		span := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&span, nil) // a signal ends it early: it is asked again
	}
}

// Quantile is the least time within which the share q of requests was answered,
// in milliseconds; 0 without any.
func (t Tally) Quantile(q float64) float64 {
	if len(t.Times) == 0 {
		return 0
	}
	rank := max(1, int(math.Ceil(q*float64(len(t.Times)))))
	return float64(t.Times[rank-1]) / float64(time.Millisecond)
}
