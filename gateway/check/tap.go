package check

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Move is by how much a meter went on while it was watched.
type Move struct {
	Meter *Meter
	By    metering.Amount // mL or Wh; W where Power
	Power bool            // a rise of the power, which shows sooner than the index
}

// A Watch looks at a meter, and at the others that it might be taken for, while
// something is drawn in the flat.
type Watch struct {
	meter  *Meter
	rivals []*Meter // those that answered at the start
	before map[*Meter]state
}

type state struct {
	index, power metering.Amount
	hasPower     bool
}

// strongW is the rise of power that a kettle or an oven makes and a fridge does
// not.
const strongW metering.Amount = 500

// Begin reads the meters once. Meters other than m that do not answer are left
// out of the watch.
func Begin(ctx context.Context, m *Meter, rivals []*Meter) (*Watch, error) {
	w := &Watch{meter: m, before: map[*Meter]state{}}
	s, err := read(ctx, m)
	if err != nil {
		return nil, err
	}
	w.before[m] = s
	for _, r := range rivals {
		if s, err := read(ctx, r); err == nil {
			w.rivals = append(w.rivals, r)
			w.before[r] = s
		}
	}
	return w, ctx.Err()
}

func read(ctx context.Context, m *Meter) (state, error) {
	shown, err := m.Read(ctx)
	if err != nil {
		return state{}, err
	}
	s := state{index: shown.Index}
	s.power, s.hasPower = m.Power(ctx)
	return s, nil
}

// Rivals is how many other meters are watched.
func (w *Watch) Rivals() int { return len(w.rivals) }

// Moved reads the meter and reports whether it has moved since [Begin].
func (w *Watch) Moved(ctx context.Context) (Move, bool, error) {
	now, err := read(ctx, w.meter)
	if err != nil {
		return Move{}, false, err
	}
	move, ok := w.moveOf(w.meter, now)
	return move, ok, nil
}

// Others reads the rivals and returns those that have moved, the farthest first.
func (w *Watch) Others(ctx context.Context) (moved []Move) {
	for _, r := range w.rivals {
		now, err := read(ctx, r)
		if err != nil {
			continue
		}
		if move, ok := w.moveOf(r, now); ok {
			moved = append(moved, move)
		}
	}
	slices.SortFunc(moved, func(a, b Move) int { return cmp.Compare(b.By, a.By) })
	return moved
}

// moveOf compares a meter with what it showed before. One that shows its power
// must show a strong rise of it: its index always moves.
func (w *Watch) moveOf(m *Meter, now state) (Move, bool) {
	before := w.before[m]
	if before.hasPower && now.hasPower {
		by := now.power - before.power
		return Move{m, by, true}, by >= strongW
	}
	by := now.index - before.index
	return Move{m, by, false}, by >= m.Count && by > 0
}

// Until calls look again and again, a pause apart, until it returns true or an
// error, or within has passed; then it returns false.
func Until(ctx context.Context, within, pause time.Duration, look func(left time.Duration) (bool, error)) (bool, error) {
	deadline := time.Now().Add(within)
	for {
		left := time.Until(deadline)
		done, err := look(max(0, left))
		if done || err != nil {
			return done, err
		}
		if left <= 0 {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(min(pause, left)):
		}
	}
}
