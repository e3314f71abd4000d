package nightly

import (
	"context"
	"sync"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// readAhead is how many groups of homes are being read while one is judged:
// InfluxDB answers one question while another answer is taken apart.
const readAhead = 3

// A group is some homes that are read, judged and stored together.
type group struct {
	all  int     // homes
	todo []*home // those that this day's run has not done
	err  error
}

// A reader reads groups ahead, in order of their homes.
type reader struct {
	*Runner
	n      *night
	j      *journal
	groups chan chan group
	work   sync.WaitGroup
}

// ahead begins to read. Each group comes when the ones before it were taken; the
// channel is closed after the last, after a fault, and once ctx is done. The caller
// ends ctx and then waits for the work.
func (r *Runner) ahead(ctx context.Context, n *night, j *journal) *reader {
	a := &reader{Runner: r, n: n, j: j, groups: make(chan chan group, readAhead-1)}
	a.work.Go(func() {
		defer close(a.groups)
		for last, more := premises.DwellingID(""), true; more; {
			last, more = a.next(ctx, last)
		}
	})
	return a
}

// next has the group after a home read; more is false where there is none.
func (a *reader) next(ctx context.Context, after premises.DwellingID) (last premises.DwellingID, more bool) {
	all, err := a.load(ctx, a.n, after)
	if err == nil && len(all) == 0 {
		return after, false
	}
	promised := make(chan group, 1)
	select {
	case <-ctx.Done():
		return after, false
	case a.groups <- promised:
	}
	if err != nil {
		promised <- group{err: err}
		return after, false
	}
	a.work.Go(func() { promised <- a.read(ctx, all) })
	return all[len(all)-1].dwelling.ID, true
}

// read reads what is known of the homes that are left of some.
func (a *reader) read(ctx context.Context, all []*home) group {
	todo, err := a.j.left(ctx, all)
	if err == nil && len(todo) > 0 {
		err = a.furnishAll(ctx, a.n, todo)
	}
	return group{len(all), todo, err}
}

// furnish reads what InfluxDB and the database hold of the homes, many meters a
// question.
func (r *Runner) furnish(ctx context.Context, n *night, all []*home) error {
	for _, read := range []func(context.Context, *night, []*home) error{
		r.readDays, r.readQuiet, r.readRooms, r.readNights, r.readCurves, r.readTips, r.readBudgets} {
		if err := read(ctx, n, all); err != nil {
			return err
		}
	}
	return nil
}

// homes does the homes that are left, a few at a time, then what is of the whole
// residence.
func (r *Runner) homes(ctx context.Context, residence premises.Residence, date civil.Date, j *journal) (total Counts, err error) {
	n, err := r.night(ctx, residence, date)
	if err != nil {
		return total, err
	}
	of, err := r.homeCount(ctx, residence.ID)
	if err != nil {
		return total, err
	}
	reading, stop := context.WithCancel(ctx)
	a := r.ahead(reading, n, j)
	defer a.work.Wait()
	defer stop()
	done := 0
	for promised := range a.groups {
		g := <-promised
		if g.err == nil {
			g.err = r.judge(ctx, n, g, j, &total)
		}
		if g.err != nil {
			return total, g.err
		}
		if done += g.all; r.Progress != nil {
			r.Progress(residence.ID, done, of)
		}
	}
	if err := ctx.Err(); err != nil {
		return total, err
	}
	late, err := j.overtaken(ctx)
	if err != nil || late {
		total.Late = late
		return total, err
	}
	rest, err := r.whole(ctx, n)
	total.add(rest)
	return total, err
}

// judge does a group of homes. What came of them is stored together: cases where
// they are found, because others may change them, the rest at the end.
func (r *Runner) judge(ctx context.Context, n *night, g group, j *journal, total *Counts) error {
	late, err := j.overtaken(ctx)
	if err != nil {
		return err
	}
	for _, h := range g.todo {
		if h.failed {
			continue
		}
		if err := r.home(ctx, n, h, late); err != nil {
			if err := r.excuse(ctx, h, err); err != nil {
				return err
			}
		}
	}
	if err := r.keepAll(ctx, n, g.todo); err != nil {
		return err
	}
	if err := j.note(ctx, g.todo); err != nil {
		return err
	}
	total.Unchanged += g.all - len(g.todo)
	for _, h := range g.todo {
		total.add(h.counts)
	}
	return nil
}

// home judges a home. Of an earlier day than one that was run it only observes; of who
// lives there no more nothing is concluded.
func (r *Runner) home(ctx context.Context, n *night, h *home, late bool) (err error) {
	h.counts.Homes = 1
	steps := []func(context.Context, *night, *home, *Counts) error{r.leave, r.judgeWater, r.judgeRooms, r.judgeSilence, r.advise}
	switch {
	case h.past():
		h.fresh, steps = nil, steps[:1]
		if late {
			return nil
		}
	case late:
		if h.household != "" && h.movedIn.Before(n.date) {
			h.changed, err = r.observe(ctx, n, h, h.tipsHome(n), nil)
		}
		return err
	}
	for _, p := range h.points {
		if err := n.broken[p.ID]; err != nil {
			return err
		}
	}
	for _, do := range steps {
		if err := do(ctx, n, h, &h.counts); err != nil {
			return err
		}
	}
	return nil
}

// keep stores what the homes' morning came to: quiet days, why nothing is claimed,
// and tips.
func (r *Runner) keep(ctx context.Context, n *night, all []*home) error {
	var judged []alerts.Judged
	changed := make([][]tips.Kept, len(all))
	for i, h := range all {
		judged, changed[i] = append(judged, h.judged...), h.changed
	}
	if err := r.keepDays(ctx, n, all); err != nil {
		return err
	}
	if err := n.alerts.Refuse(ctx, judged, n.date); err != nil {
		return err
	}
	stored, err := n.tips.KeepAll(ctx, changed, n.morning)
	if err != nil {
		return err
	}
	for i, h := range all {
		if stored[i] {
			h.countTips()
		}
	}
	return nil
}

// countTips counts the tips that were stored.
func (h *home) countTips() {
	for _, k := range h.changed {
		if k.ID == "" {
			h.counts.Proposed++
		} else {
			h.counts.Changed++
		}
	}
}
