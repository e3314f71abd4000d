package check

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Times of a check.
const (
	// typing is how long ago a dial may have been read that is sent now.
	typing = 2 * time.Minute
	// leastNear is how near a reading must be, where the meter is polled often.
	leastNear = 15 * time.Minute
	// tapAtMost is when a tap that nobody closed counts no more.
	tapAtMost = 30 * time.Minute
	// mostRivals is among how many meters another one is looked for.
	mostRivals = 500
	// mostNamed is how many that moved instead are named.
	mostNamed = 3
	// patience is how long a person waits for InfluxDB.
	patience = 8 * time.Second
)

// near is how far a reading may lie from a dial and still speak of it.
func near(m meters.Meter) time.Duration { return max(leastNear, 3*m.Interval) }

// Find returns the check of a meter that the person may change, with its last
// index; the household that lives there is shown that it was looked at. It fails
// with [meters.ErrNone], [meters.ErrNotBound], and the problem Unavailable
// "service.away" where InfluxDB does not answer.
func (s *Store) Find(ctx context.Context, who accounts.PersonID, id metering.MeterID, now time.Time) (Sheet, error) {
	e, err := s.meters.WritableMeter(ctx, who, id)
	if err != nil {
		return Sheet{}, err
	}
	sh, err := s.sheet(ctx, e)
	if err != nil {
		return Sheet{}, err
	}
	if err := s.noteLook(ctx, who, e, now); err != nil {
		return Sheet{}, err
	}
	found, err := s.latest(ctx, []metering.MeterID{id}, e.Place.Since)
	if r, ok := found[id]; ok {
		sh.Last = &r
	}
	return sh, err
}

// Dial holds what a dial shows at now against what was read. Where readings
// cannot tell yet, the dial waits for the next one. It fails as [Store.Find]
// does, and with [meters.ErrNotRead].
func (s *Store) Dial(ctx context.Context, who accounts.PersonID, id metering.MeterID, d meters.Dial, now time.Time) (Sheet, error) {
	sh, err := s.Find(ctx, who, id, now)
	if err != nil {
		return Sheet{}, err
	}
	sh.Waiting, sh.open, sh.openBy = now, d, who
	changed, verdict, err := s.judge(ctx, sh, now)
	switch {
	case err != nil:
		return Sheet{}, err
	case verdict == NotRead:
		return Sheet{}, meters.ErrNotRead
	case verdict == Wait:
		return s.reread(ctx, sh, s.put(ctx, sh))
	}
	return s.reread(ctx, sh, s.put(ctx, changed.sheet, changed.step))
}

// Typed is [Store.Dial] with the digits as they were typed; what they are not is
// a fault of the field "dial".
func (s *Store) Typed(ctx context.Context, who accounts.PersonID, id metering.MeterID, digits string, now time.Time) (Sheet, error) {
	e, err := s.meters.WritableMeter(ctx, who, id)
	if err != nil {
		return Sheet{}, err
	}
	d, err := meters.ParseDial(digits, e.Kind)
	if err != nil {
		return Sheet{}, problem.OfFields([]problem.Field{{Name: "dial", Message: meters.ErrDialMalformed.Message}})
	}
	return s.Dial(ctx, who, id, d, now)
}

// OpenTap says that the tap of the meter's point runs from now on.
func (s *Store) OpenTap(ctx context.Context, who accounts.PersonID, id metering.MeterID, now time.Time) (Sheet, error) {
	sh, err := s.Find(ctx, who, id, now)
	if err != nil {
		return Sheet{}, err
	}
	if sh.Last == nil || now.Sub(sh.Last.At) > near(sh.Meter) {
		return Sheet{}, meters.ErrNotRead
	}
	sh.Running, sh.openBy = now, who
	return s.reread(ctx, sh, s.put(ctx, sh))
}

// CloseTap gives the tap up, without an outcome. It fails with [meters.ErrNoTap]
// where none runs.
func (s *Store) CloseTap(ctx context.Context, who accounts.PersonID, id metering.MeterID, now time.Time) (Sheet, error) {
	sh, err := s.Find(ctx, who, id, now)
	if err != nil {
		return Sheet{}, err
	}
	if sh.Running.IsZero() {
		return Sheet{}, meters.ErrNoTap
	}
	sh.Running = time.Time{}
	return s.reread(ctx, sh, s.put(ctx, sh))
}

// reread returns the sheet as it is stored now, with the index that is known.
func (s *Store) reread(ctx context.Context, before Sheet, err error) (Sheet, error) {
	if err != nil {
		return Sheet{}, err
	}
	sh, err := s.sheet(ctx, before.Equipment)
	sh.Last = before.Last
	return sh, err
}

// Settle holds every dial and tap that waits against what was read since. What
// fails is tried again at the next call.
func (s *Store) Settle(ctx context.Context, now time.Time) error {
	open, err := s.openMeters(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, id := range open {
		if err := s.settle(ctx, id, now); err != nil && !errors.Is(err, resource.ErrStale) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// Run settles every few seconds until ctx ends.
func (s *Store) Run(ctx context.Context, every time.Duration, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.Settle(ctx, now()); err != nil && ctx.Err() == nil {
			log.Warn("checks not settled", "error", err)
		}
	}
}

func (s *Store) settle(ctx context.Context, id metering.MeterID, now time.Time) error {
	e, err := s.meters.Hanging(ctx, id)
	if err != nil {
		return err
	}
	sh, err := s.sheet(ctx, e)
	if err != nil {
		return err
	}
	if !sh.Waiting.IsZero() {
		changed, verdict, err := s.judge(ctx, sh, now)
		switch {
		case err != nil:
			return err
		case verdict == Yes || verdict == No:
			return s.put(ctx, changed.sheet, changed.step)
		case now.Sub(sh.Waiting) > near(sh.Meter):
			sh.Waiting = time.Time{} // nothing was read: it says nothing
			return s.put(ctx, sh)
		}
	}
	if !sh.Running.IsZero() {
		return s.watchTap(ctx, sh, now)
	}
	return nil
}

// A change is a sheet after a step.
type change struct {
	sheet Sheet
	step  record
}

// after is the sheet after a step with this outcome.
func (sh Sheet) after(r record) change {
	progress := sh.Progress.After(r.Outcome, r.At)
	sh.Progress = progress
	return change{sh, r}
}

// judge holds the dial that waits against the readings around it.
func (s *Store) judge(ctx context.Context, sh Sheet, now time.Time) (change, Verdict, error) {
	b, err := s.bracket(ctx, sh, now)
	if err != nil {
		return change{}, NotRead, err
	}
	verdict := Judge(sh.open, b, sh.Pulse)
	r := record{Step: Step{At: sh.Waiting, Outcome: Agrees}, by: sh.openBy, what: "dial", dial: number(&sh.open.Index), read: number(b.Until)}
	switch verdict {
	case Yes:
	case No:
		r.Outcome = Differs
	default:
		return change{}, verdict, nil
	}
	sh.Waiting = time.Time{}
	return sh.after(r), verdict, nil
}

func number(a *metering.Amount) sql.NullInt64 {
	if a == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: int64(*a), Valid: true}
}

func (s *Store) bracket(ctx context.Context, sh Sheet, now time.Time) (b Bracket, err error) {
	id, at, within := []metering.MeterID{sh.ID}, sh.Waiting, near(sh.Meter)
	since := later(sh.Place.Since, at.Add(-within-typing))
	before, err := s.before(ctx, id, at.Add(-typing), since)
	if err != nil {
		return b, err
	}
	until, err := s.before(ctx, id, at.Add(time.Millisecond), since)
	if err != nil {
		return b, err
	}
	b.Before, b.Until = index(before, sh.ID), index(until, sh.ID)
	if b.Before == nil && b.Until != nil {
		b.Before = b.Until // the meter began to be read while it was typed
	}
	if !now.After(at) {
		return b, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	after, err := s.influx.After(ctx, id, metering.Index, at.Add(time.Millisecond), at.Add(within))
	b.After = index(after, sh.ID)
	return b, away(err)
}

func index(found map[metering.MeterID]metering.Reading, id metering.MeterID) *metering.Amount {
	r, ok := found[id]
	if !ok {
		return nil
	}
	return &r.Amount
}

// watchTap looks what has moved since the tap was opened.
func (s *Store) watchTap(ctx context.Context, sh Sheet, now time.Time) error {
	if now.Sub(sh.Running) > tapAtMost {
		sh.Running = time.Time{}
		return s.put(ctx, sh)
	}
	own, at, err := s.movement(ctx, []metering.MeterID{sh.ID}, sh.Running, near(sh.Meter))
	if err != nil {
		return err
	}
	r := record{Step: Step{At: now, Outcome: Moved}, by: sh.openBy, what: "tap", read: number(own[sh.ID].Last)}
	switch {
	case own[sh.ID].Moved(sh.Pulse):
	case at[sh.ID].Before(sh.Running.Add(Run(sh.Kind, sh.Pulse))):
		return nil // the tap has not run for long enough
	default:
		if r.Others, err = s.others(ctx, sh); err != nil || len(r.Others) == 0 {
			return err // nothing moved: perhaps no tap runs
		}
		r.Outcome = OtherMoved
	}
	sh.Running = time.Time{}
	changed := sh.after(r)
	return s.put(ctx, changed.sheet, changed.step)
}

// others returns the meters of the same kind and gateway that moved since the tap
// was opened, a few at most. Only those are looked at that may be read finely.
func (s *Store) others(ctx context.Context, sh Sheet) ([]metering.MeterID, error) {
	rivals, err := s.meters.Rivals(ctx, sh.Meter, mostRivals)
	if err != nil || len(rivals) == 0 {
		return nil, err
	}
	ids := make([]metering.MeterID, len(rivals))
	for i, r := range rivals {
		ids[i] = r.ID
	}
	found, _, err := s.movement(ctx, ids, sh.Running, near(sh.Meter))
	if err != nil {
		return nil, err
	}
	var moved []metering.MeterID
	for _, r := range rivals {
		if found[r.ID].Moved(r.Pulse) && len(moved) < mostNamed {
			moved = append(moved, r.ID)
		}
	}
	return moved, nil
}

// movement returns what meters showed before an instant and last, and when that
// was.
func (s *Store) movement(ctx context.Context, ids []metering.MeterID, from time.Time, within time.Duration) (map[metering.MeterID]Movement, map[metering.MeterID]time.Time, error) {
	before, err := s.before(ctx, ids, from, from.Add(-within))
	if err != nil {
		return nil, nil, err
	}
	last, err := s.latest(ctx, ids, from)
	if err != nil {
		return nil, nil, err
	}
	moved, at := map[metering.MeterID]Movement{}, map[metering.MeterID]time.Time{}
	for _, id := range ids {
		moved[id] = Movement{index(before, id), index(last, id)}
		at[id] = last[id].At
	}
	return moved, at, nil
}

func (s *Store) before(ctx context.Context, ids []metering.MeterID, at, since time.Time) (map[metering.MeterID]metering.Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := s.influx.Before(ctx, ids, metering.Index, at, since)
	return found, away(err)
}

func (s *Store) latest(ctx context.Context, ids []metering.MeterID, since time.Time) (map[metering.MeterID]metering.Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := s.influx.Latest(ctx, ids, metering.Index, since)
	return found, away(err)
}

// away turns a fault of InfluxDB into what a person is told.
func away(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, influx.ErrTemporary), errors.Is(err, context.DeadlineExceeded):
		return &problem.Error{Kind: problem.Unavailable, Message: "service.away", Err: err}
	default:
		return fmt.Errorf("read indexes: %w", err)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
