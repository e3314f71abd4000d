package paced_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench/paced"
)

// What hangs must not slow the asking down, and those planned meanwhile have
// waited: a loop that asks again only once it was answered shows one slow answer.
func TestTheWaitCounts(t *testing.T) {
	opened := make(chan struct{})
	var begun atomic.Int64
	time.AfterFunc(300*time.Millisecond, func() { close(opened) })
	got := paced.Run(t.Context(), 100, time.Second, func(int) error {
		begun.Add(1)
		<-opened
		return nil
	})
	if len(got.Times) != 100 || begun.Load() != 100 || got.Errors != 0 {
		t.Fatalf("%d answers to %d requests, %d errors; want 100, 100 and none", len(got.Times), begun.Load(), got.Errors)
	}
	// A quarter and more of a second's requests were planned while all hung.
	if ms := got.Quantile(0.75); ms < 40 || got.Quantile(1) < 280 {
		t.Errorf("three quarters within %.0f ms, all within %.0f ms: those planned while one hung do not count", ms, got.Quantile(1))
	}
	if slow := got.Quantile(0.85); slow < 100 {
		t.Errorf("85 of 100 within %.0f ms: those planned while one hung do not count", slow)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	odd := errors.New("odd")
	got := paced.Run(t.Context(), 1000, 10*time.Millisecond, func(n int) error {
		if n%2 == 1 {
			return odd
		}
		return nil
	})
	if got.Errors != 5 || !errors.Is(got.First, odd) || len(got.Times) != 10 {
		t.Errorf("%d errors, first %v, of %d; want 5 of 10", got.Errors, got.First, len(got.Times))
	}
}

func TestQuantile(t *testing.T) {
	var all paced.Tally
	for ms := 1; ms <= 200; ms++ {
		all.Times = append(all.Times, time.Duration(ms)*time.Millisecond)
	}
	for _, tt := range []struct {
		name  string
		tally paced.Tally
		q     float64
		want  float64
	}{
		{"half", all, 0.5, 100},
		{"99 of 100", all, 0.99, 198},
		{"all", all, 1, 200},
		{"one", paced.Tally{Times: all.Times[:1]}, 0.99, 1},
		{"none", paced.Tally{}, 0.99, 0},
	} {
		if got := tt.tally.Quantile(tt.q); got != tt.want {
			t.Errorf("%s: %g ms, want %g", tt.name, got, tt.want)
		}
	}
}
