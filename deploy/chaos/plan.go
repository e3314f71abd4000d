package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A fault is one that the seed dealt.
type fault struct {
	number  int
	kind    kind
	seed    uint64
	gap     time.Duration
	lasting time.Duration
}

// fresh is the chance that decides what is left open: the same at each call.
func (f fault) fresh() *rand.Rand { return rand.New(rand.NewPCG(f.seed, uint64(f.number))) }

// An injection is a fault about to happen.
type injection struct {
	what string // for people, as in "gw-a: kill -9"
	// lock names what the fault takes for itself; two faults never share one.
	lock  string
	begin func() (heal func() error, err error)
}

// A kind of fault makes injections.
type kind struct {
	name   string
	inject func(s *site, chance *rand.Rand) injection
}

const (
	shortest = 500 * time.Millisecond
	longest  = 5 * time.Second
	// One fault of a dozen lasts long enough for everybody to give up.
	longOneIn, longTimes = 12, 4
	gapLeast, gapMost    = 400 * time.Millisecond, 2200 * time.Millisecond
)

// deal deals faults: every kind once before any comes again, so that a short
// campaign has them all.
func deal(seed uint64, n int, all []kind) []fault {
	chance := rand.New(rand.NewPCG(seed, 0))
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(chance.Int64N(int64(most-least)))
	}
	var faults []fault
	for len(faults) < n {
		for _, i := range chance.Perm(len(all)) {
			f := fault{number: len(faults) + 1, kind: all[i], gap: between(gapLeast, gapMost), lasting: between(shortest, longest), seed: seed}
			if chance.IntN(longOneIn) == 0 {
				f.lasting *= longTimes
			}
			if faults = append(faults, f); len(faults) == n {
				break
			}
		}
	}
	return faults
}

// A busy keeps who has taken what.
type busy struct {
	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

func (b *busy) lock(name string) *sync.Mutex {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.locks[name] == nil {
		b.locks[name] = &sync.Mutex{}
	}
	return b.locks[name]
}

// inject lets all faults happen and returns how many did when the last has
// healed. One that could not be injected or healed is an error, and the last.
func (s *site) inject(ctx context.Context, faults []fault) (int, error) {
	taken := busy{locks: map[string]*sync.Mutex{}}
	var running sync.WaitGroup
	var injected atomic.Int64
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, f := range faults {
		if !pause(ctx, f.gap) {
			break
		}
		injection := f.kind.inject(s, f.fresh())
		mine := taken.lock(injection.lock)
		mine.Lock()
		s.say("%4d/%d  %s, for %s", f.number, len(faults), injection.what, f.lasting.Round(100*time.Millisecond))
		running.Go(func() {
			defer mine.Unlock()
			if err := s.suffer(ctx, injection, f.lasting); err != nil {
				select {
				case failed <- fmt.Errorf("fault %d, %s: %w", f.number, injection.what, err):
				default:
				}
				cancel()
				return
			}
			injected.Add(1)
		})
	}
	running.Wait()
	select {
	case err := <-failed:
		return int(injected.Load()), err
	default:
		return int(injected.Load()), nil
	}
}

// suffer lets one fault happen and heals it.
func (s *site) suffer(ctx context.Context, i injection, lasting time.Duration) error {
	heal, err := i.begin()
	pause(ctx, lasting)
	if heal != nil {
		if healing := heal(); err == nil {
			err = healing
		}
	}
	return err
}
