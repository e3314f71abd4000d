package main

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A tally is what came of an open loop.
type tally struct {
	times  []time.Duration // from the planned instant to the answer, sorted
	errors int
	first  error // the first of them
}

// openLoop begins rate requests a second, evenly, for as long as span, however
// long the answers take: a request that must wait behind others has waited since
// the instant it was planned for.
func openLoop(ctx context.Context, rate int, span time.Duration, request func(n int) error) tally {
	var t tally
	var mu sync.Mutex
	var under sync.WaitGroup
	every := time.Second / time.Duration(rate)
	begin := time.Now()
	for n := 0; n < int(span/every) && ctx.Err() == nil; n++ {
		planned := begin.Add(time.Duration(n) * every)
		sleepUntil(planned)
		under.Go(func() {
			err := request(n)
			spent := time.Since(planned)
			mu.Lock()
			defer mu.Unlock()
			t.times = append(t.times, spent)
			if err != nil {
				t.errors++
				t.first = cmp.Or(t.first, err)
			}
		})
	}
	under.Wait()
	slices.Sort(t.times)
	return t
}

// sleepUntil asks the kernel to wake this thread: the runtime's own timers may be
// a millisecond late where nothing else runs.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		span := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&span, nil) // a signal ends it early: it is asked again
	}
}

// quantile is the least time within which the share q of requests was answered,
// in milliseconds; 0 without any.
func (t tally) quantile(q float64) float64 {
	if len(t.times) == 0 {
		return 0
	}
	rank := max(1, int(math.Ceil(q*float64(len(t.times)))))
	return float64(t.times[rank-1]) / float64(time.Millisecond)
}
