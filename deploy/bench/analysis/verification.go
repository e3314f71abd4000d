package main

import (
	"context"
	"fmt"
	"math"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/verification"
)

// What a family is told has to hold the truth in 90 of 100 runs, of which chance
// takes or gives three, and to call a drop visible where nothing fell in five at
// most.
const (
	leastHeld, mostHeld = 0.87, 0.93
	mostFalse           = 0.05
)

// verify tries whether what a family is told of an adopted tip is true. Coverage
// is judged by change over all noises; that of the homes unlike their neighbours
// is told and not judged, because nothing promises it. A false "visible" is judged
// for each noise.
func (c *commands) verify(ctx context.Context) ([]bench.Row, error) {
	results, err := verification.Verify(ctx, c.Data, c.Seed, c.Runs, func(done, of int) {
		if done%len(verification.Changes) == 0 {
			c.say("  %d of %d noises and changes are tried", done, of)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, unlike := range []bool{false, true} {
		for _, r := range results {
			if r.Unlike == unlike {
				c.sayResult(r)
			}
		}
	}
	pooled := verification.ByChange(results)
	for _, r := range pooled {
		c.sayResult(r)
	}
	return judged(results, pooled), nil
}

func (c *commands) sayResult(r verification.Result) {
	low, high := proportion(r.Held, r.Runs)
	name, more := r.Noise, ""
	if r.Unlike {
		name += " (not judged)"
	}
	if r.Change == 0 {
		more = fmt.Sprintf(", at any look in %.1f %%", 100*r.EverShare())
	}
	c.say("  %-68s %+3.0f %%: held in %.1f %% [%.1f, %.1f] of %d, visible in %.1f %%%s, too early in %d", name, 100*r.Change,
		100*r.Coverage(), 100*low, 100*high, r.Runs, 100*r.VisibleShare(), more, r.Early)
}

// judged are the two rows: of coverage the change that is farthest from 90 %, of
// false "visible" the worst noise.
func judged(results, pooled []verification.Result) []bench.Row {
	held, note := 0.90, ""
	for _, r := range pooled {
		if math.Abs(r.Coverage()-0.90) > math.Abs(held-0.90) {
			held = r.Coverage() // 0 where no run came to a result
		}
		low, high := proportion(r.Held, r.Runs)
		note += fmt.Sprintf("%+.0f %%: %.1f %% of %d, 95 %% [%.1f, %.1f]; ", 100*r.Change, 100*r.Coverage(), r.Runs, 100*low, 100*high)
	}
	one, falsely := verification.Worst(results)
	overall := ""
	for _, r := range pooled {
		if r.Change >= 0 {
			overall += fmt.Sprintf("; at %+.0f %% over every noise %.1f %%", 100*r.Change, 100*r.VisibleShare())
		}
	}
	note += fmt.Sprintf("the worst of single noises %.1f %%, of homes unlike the others, not judged, %.1f %%", 100*one, 100*unlikeHeld(results))
	inside := func(r bench.Row) bool { return r.Ours >= leastHeld && r.Ours <= mostHeld }
	return []bench.Row{
		bench.New(bench.Row{Bench: "verification", Ours: held, Unit: "of runs", Note: note}, bench.All("0.87 to 0.93, for each change", inside)),
		bench.New(bench.Row{Bench: "verification-false", Ours: falsely, Unit: "of runs",
			Note: fmt.Sprintf("the worst noise%s; at any look, unchanged, the worst noise %.1f %%", overall, 100*everSeen(results))},
			bench.AtMost(mostFalse, "called visible where nothing fell")),
	}
}

// unlikeHeld is the least coverage among homes unlike those they are compared
// with; 1 without any.
func unlikeHeld(results []verification.Result) float64 {
	least := 1.0
	for _, r := range results {
		if r.Unlike {
			least = min(least, r.Coverage())
		}
	}
	return least
}

// everSeen is the greatest share of runs without a change in which a drop was
// called visible at one of several looks, unlike homes left out.
func everSeen(results []verification.Result) (most float64) {
	for _, r := range results {
		if !r.Unlike {
			most = max(most, r.EverShare())
		}
	}
	return most
}
