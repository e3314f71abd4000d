package main

import (
	"context"
	"math"
	"runtime"
	"sync"
)

// A sum can be added to another.
type summed[T any] interface{ plus(T) T }

// inParallel adds up what of gives for 0 to n-1, on all cores; ctx ends it.
func inParallel[T summed[T]](ctx context.Context, n int, of func(int) T) (total T, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				one := of(i)
				mu.Lock()
				total = total.plus(one)
				mu.Unlock()
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
	return total, ctx.Err()
}

// outside is the probability that a 95 % interval leaves on each side.
const outside = 0.025

// rate is the exact 95 % interval of a Poisson rate of which n were counted in an
// exposure (Garwood 1936).
func rate(n int, exposure float64) (low, high float64) {
	// The chance of at most n, which falls as the mean grows.
	atMost := func(n int, mean float64) float64 {
		term, total := math.Exp(-mean), 0.0
		for i := range n + 1 {
			if i > 0 {
				term *= mean / float64(i)
			}
			total += term
		}
		return total
	}
	most := float64(n)*2 + 50
	if n > 0 {
		low = bisect(0, most, func(mean float64) bool { return atMost(n-1, mean) > 1-outside })
	}
	high = bisect(0, most, func(mean float64) bool { return atMost(n, mean) > outside })
	return low / exposure, high / exposure
}

// proportion is the exact 95 % interval of a share of which k of n were counted
// (Clopper and Pearson 1934).
func proportion(k, n int) (low, high float64) {
	// The chance of at most k of n, which falls as the share grows.
	atMost := func(k int, share float64) (total float64) {
		all, _ := math.Lgamma(float64(n + 1))
		for i := range k + 1 {
			a, _ := math.Lgamma(float64(i + 1))
			b, _ := math.Lgamma(float64(n - i + 1))
			total += math.Exp(all - a - b + float64(i)*math.Log(share) + float64(n-i)*math.Log1p(-share))
		}
		return total
	}
	low, high = 0, 1
	if k > 0 {
		low = bisect(0, 1, func(share float64) bool { return atMost(k-1, share) > 1-outside })
	}
	if k < n {
		high = bisect(0, 1, func(share float64) bool { return atMost(k, share) > outside })
	}
	return low, high
}

// bisect returns where below, true at low and false at high, changes.
func bisect(low, high float64, below func(float64) bool) float64 {
	for range 60 {
		if middle := (low + high) / 2; below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
