package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// What a viewer ($1) sees on a day ($2): the trainings that they owe themselves,
// or those of who gave them a mandate, in the household $3, none of which began
// before what they may see. $4 is 1 where they are to decide.
const isMine = `
EXISTS (SELECT 1
          FROM sight
         WHERE sight.viewer_id = $1
           AND sight.household_id = training_duty.household_id
           AND sight.giver_id = training_duty.person_id
           AND (sight.household_id = $3 OR ($3 = '' AND sight.scope = 'own'))
           AND sight.since_date <= $2
           AND (sight.until_date IS NULL OR sight.until_date > $2)
           AND sight.shown_from <= training_duty.since_date
           AND ($4 = 0 OR sight.scope IN ('own', 'act')))`

const zonesOfMine = `
SELECT DISTINCT residence.zone
  FROM training_duty
  JOIN residence ON residence.id = training_duty.residence_id
  JOIN sight ON sight.household_id = training_duty.household_id
 WHERE sight.viewer_id = $1
 ORDER BY residence.zone`

const listMine = dutyColumns + `
 WHERE residence.zone = $5
   AND` + isMine + `
 ORDER BY training_duty.since_date DESC, training_duty.id DESC`

// Mine lists the trainings that the viewer owes, or owed, the last first; none
// for who has none. Days are those of the residence's zone.
func (s *Store) Mine(ctx context.Context, v premises.Viewer, now time.Time) ([]Duty, error) {
	return s.mine(ctx, s.db, v, false, now)
}

func (s *Store) mine(ctx context.Context, q sqldb.Querier, v premises.Viewer, act bool, now time.Time) ([]Duty, error) {
	rows, err := q.QueryContext(ctx, zonesOfMine, string(v.Person))
	if err != nil {
		return nil, fmt.Errorf("trainings of person %s: %w", v.Person, err)
	}
	zones, err := sqldb.Zones(rows)
	if err != nil {
		return nil, fmt.Errorf("trainings of person %s: %w", v.Person, err)
	}
	deciding := 0
	if act {
		deciding = 1
	}
	var all []Duty
	for _, zone := range zones {
		rows, err := q.QueryContext(ctx, listMine, string(v.Person), civil.DateIn(now, zone).String(), string(v.Household), deciding, zone.String())
		if err != nil {
			return nil, fmt.Errorf("trainings of person %s: %w", v.Person, err)
		}
		some, err := sqldb.Collect(rows, scanDuty)
		if err != nil {
			return nil, fmt.Errorf("trainings of person %s: %w", v.Person, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// MineByID returns one of the viewer's trainings; it fails with [ErrNoDuty].
func (s *Store) MineByID(ctx context.Context, v premises.Viewer, id DutyID, now time.Time) (Duty, error) {
	return s.toSee(v, id, false, now)(ctx, s.db)
}

// toSee finds a duty for a viewer, who is to decide where act is true.
func (s *Store) toSee(v premises.Viewer, id DutyID, act bool, now time.Time) finder {
	return func(ctx context.Context, q sqldb.Querier) (Duty, error) {
		all, err := s.mine(ctx, q, v, act, now)
		if err != nil {
			return Duty{}, err
		}
		for _, d := range all {
			if d.ID == id {
				return d, nil
			}
		}
		return Duty{}, ErrNoDuty
	}
}

const sessionOfWay = sessionColumns + `
 WHERE training_session.id = $1`

// SessionOf returns the session of a way, as the buyer sees it, or false where
// there is none. Its duty must have been found for who asks.
func (s *Store) SessionOf(ctx context.Context, w Way) (Session, bool, error) {
	if w.Session == "" {
		return Session{}, false, nil
	}
	session, err := sessionFor(ctx, s.db, sessionOfWay, string(w.Session))
	return session, err == nil, err
}

const setWish = `
UPDATE training_duty
   SET asked_ms = $2,
       asked = $3,
       version = version + 1
 WHERE id = $1`

// longestWish is that of the schema.
const longestWish = 300

// AskAnotherDate notes that the viewer cannot come and would like another date,
// with what they write about it: their way ends, and the place goes to who waits.
// Asked again in the same words, nothing changes. It fails with a fault of the
// field "wish", with [ErrNoDuty], [ErrNotOwed], and with [ErrPast] where the
// session has begun.
func (s *Store) AskAnotherDate(ctx context.Context, v premises.Viewer, id DutyID, wish string, now time.Time) error {
	if err := problem.OfFields(checkText("wish", &wish, 0, longestWish)); err != nil {
		return err
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		d, err := s.toSee(v, id, true, now)(ctx, tx)
		switch {
		case err != nil:
			return err
		case d.State != Open:
			return ErrNotOwed
		}
		w, err := openWayFor(ctx, tx, id)
		if err != nil {
			return err
		}
		if w.State == "" && !d.Asked.IsZero() && d.Wish == wish {
			return nil
		}
		if w.State != "" {
			if err := mayLeave(w, now); err != nil {
				return err
			}
			if err := leave(ctx, tx, id, Excused, "", string(v.Person), now); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, setWish, string(id), sqldb.Ms(now), wish)
		return err
	})
	if err != nil {
		return fmt.Errorf("another date for duty %s: %w", id, err)
	}
	return nil
}

// PositionOf keeps where the viewer puts themselves; it fails as
// [Store.PositionFor].
func (s *Store) PositionOf(ctx context.Context, v premises.Viewer, id DutyID, p Position, now time.Time) error {
	return s.put(ctx, s.toSee(v, id, true, now), p, now)
}

// FollowUpOf keeps what the viewer says a month after the training; it fails as
// [Store.FollowUpFor].
func (s *Store) FollowUpOf(ctx context.Context, v premises.Viewer, id DutyID, f FollowUp, now time.Time) error {
	return s.follow(ctx, s.toSee(v, id, true, now), f, now)
}
