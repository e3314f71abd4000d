// Package verification measures whether the result that a family is told after
// it took a tip up can be trusted: how often the interval holds the truth, and
// how often a drop is called visible when nothing changed.
package verification

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Changes are the true changes that are tried, relative.
var Changes = []float64{-0.10, -0.05, 0, 0.05}

// A Result is what came of the trials of one noise and one change.
type Result struct {
	Noise string // whose, in words
	// Unlike says that the home's noise is not that of the homes it is compared
	// with: nothing promises the interval's share there.
	Unlike  bool
	Change  float64 // the truth, relative
	Runs    int     // trials that came to a result
	Early   int     // trials in which it was too early
	Held    int     // runs in which the interval held the truth
	Visible int     // runs in which a drop was called visible
	// Ever counts the runs in which it was at this or an earlier look; told where
	// nothing changed only.
	Ever int
}

// Coverage is the share of runs in which the interval held the truth.
func (r Result) Coverage() float64 { return float64(r.Held) / float64(max(1, r.Runs)) }

// VisibleShare is the share of runs in which a drop was called visible.
func (r Result) VisibleShare() float64 { return float64(r.Visible) / float64(max(1, r.Runs)) }

// EverShare is the share of runs in which a drop was called visible at any look.
func (r Result) EverShare() float64 { return float64(r.Ever) / float64(max(1, r.Runs)) }

// plus adds the counts of another result.
func (r Result) plus(o Result) Result {
	r.Runs, r.Early, r.Held, r.Visible, r.Ever = r.Runs+o.Runs, r.Early+o.Early, r.Held+o.Held, r.Visible+o.Visible, r.Ever+o.Ever
	return r
}

// ByChange pools the results of each change over every noise, unlike homes left
// out, in the order of [Changes].
func ByChange(results []Result) []Result {
	pooled := make([]Result, len(Changes))
	for i, change := range Changes {
		pooled[i] = Result{Noise: "every noise", Change: change}
		for _, r := range results {
			if r.Change == change && !r.Unlike {
				pooled[i] = pooled[i].plus(r)
			}
		}
	}
	return pooled
}

// Worst are the figures of several results that are farthest from what they
// should be: of coverage that with the greatest distance from 0.90, of false
// visible the greatest share where nothing fell. Results of unlike homes are left
// out.
func Worst(results []Result) (coverage, falseVisible float64) {
	coverage = 0.90
	for _, r := range results {
		if r.Unlike {
			continue
		}
		if c := r.Coverage(); math.Abs(c-0.90) > math.Abs(coverage-0.90) {
			coverage = c
		}
		if r.Change >= 0 {
			falseVisible = max(falseVisible, r.VisibleShare())
		}
	}
	return coverage, falseVisible
}

// Verify tries each of [Changes] so many times with each noise: that of simulated
// homes, and that of the real homes whose measurements are in a folder. The same
// seed gives the same results. progress is told after each result how many there
// are. An error names the file that could not be read, or is that of ctx.
//
// A few runs have a luck of their own: 1,000 of an interval that holds in 90 of
// 100 tell less than 88 or more than 92 once in thirty times.
func Verify(ctx context.Context, folder string, seed uint64, runs int, progress func(done, of int)) ([]Result, error) {
	settings, err := settingsOf(ctx, folder, seed)
	if err != nil {
		return nil, err
	}
	var results []Result
	for i, s := range settings {
		for j, change := range Changes {
			r, err := s.measure(ctx, change, seed<<16|uint64(i<<8|j), runs)
			if err != nil {
				return nil, err
			}
			results = append(results, r)
			progress(len(results), len(settings)*len(Changes))
		}
	}
	return results, nil
}

// residences is how many simulated ones a seed makes: the homes of one are few
// enough that their own luck would show.
const residences = 4

func settingsOf(ctx context.Context, folder string, seed uint64) ([]setting, error) {
	kinds := []metering.Kind{metering.Electricity, metering.ColdWater}
	homes := [2][][][]float64{}
	for n := range uint64(residences) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := household.New(seed*residences+n, epoch)
		for i, kind := range kinds {
			homes[i] = append(homes[i], homesOf(r, kind))
		}
	}
	settings := []setting{simulated("electricity of simulated homes", homes[0]), simulated("cold water of simulated homes", homes[1])}
	for i, source := range sources {
		s, err := source.load(folder)
		if err != nil {
			return nil, err
		}
		settings = append(settings, alike(s), among(s, homes[i][0]))
	}
	return settings, nil
}

// measure runs the trials of one change on all cores; each has its own chance, so
// that the number of cores changes nothing.
func (s setting) measure(ctx context.Context, change float64, seed uint64, runs int) (Result, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := Result{Noise: s.name, Unlike: s.unlike, Change: change}
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			part := Result{Change: change}
			for n := w; n < runs && ctx.Err() == nil; n += workers {
				rng := rand.New(rand.NewPCG(seed, uint64(n)))
				part.count(s.trial(rng, change))
			}
			mu.Lock()
			defer mu.Unlock()
			total = total.plus(part)
		})
	}
	wg.Wait()
	return total, ctx.Err()
}

// count adds the result of a trial that is looked at on a day.
func (r *Result) count(t tips.Trial, today civil.Date) {
	o := tips.Observe(t, today)
	if o.Verdict == tips.TooEarly {
		r.Early++
		return
	}
	r.Runs++
	if o.Low <= r.Change && r.Change <= o.High {
		r.Held++
	}
	if o.Verdict == tips.Visible {
		r.Visible++
	}
	if r.Change == 0 && everVisible(t, today) {
		r.Ever++
	}
}

// everVisible reports whether a drop was called visible at any look until today.
func everVisible(t tips.Trial, today civil.Date) bool {
	for _, weeks := range tips.Looks() {
		look := t.Adopted.AddDays(1 + 7*weeks)
		if !today.Before(look) && tips.Observe(t, look).Verdict == tips.Visible {
			return true
		}
	}
	return false
}
