package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A finder finds the duty that an answer belongs to, for who may give it.
type finder func(ctx context.Context, q sqldb.Querier) (Duty, error)

// toWork finds a duty for staff.
func toWork(staff accounts.PersonID, id DutyID, now time.Time) finder {
	return func(ctx context.Context, q sqldb.Querier) (Duty, error) {
		return dutyFor(ctx, q, dutyToWork, string(staff), today(now), string(id))
	}
}

const setPosition = `
INSERT INTO training_position (duty_id, at_ms, computer, internet, mail, forms, safety)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (duty_id) DO UPDATE
   SET at_ms = excluded.at_ms,
       computer = excluded.computer,
       internet = excluded.internet,
       mail = excluded.mail,
       forms = excluded.forms,
       safety = excluded.safety`

// PositionFor writes down where a buyer put themselves, in place of an earlier
// answer. It fails with faults of the five fields and with [ErrNoDuty].
func (s *Store) PositionFor(ctx context.Context, staff accounts.PersonID, id DutyID, p Position, now time.Time) error {
	return s.put(ctx, toWork(staff, id, now), p, now)
}

func (s *Store) put(ctx context.Context, find finder, p Position, now time.Time) error {
	if err := problem.OfFields(p.Check()); err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		d, err := find(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, setPosition, string(d.ID), sqldb.Ms(now), p.Computer, p.Internet, p.Mail, p.Forms, p.Safety)
		if err != nil {
			return fmt.Errorf("position of duty %s: %w", d.ID, err)
		}
		return nil
	})
}

// Only from a week before its day on is the question answered: nobody knows
// earlier whether the computer is still used.
const setFollowUp = `
UPDATE training_follow_up
   SET answered_ms = $2,
       still_used = $3,
       job_search = $4,
       blocked = $5
 WHERE due_date <= $6
   AND enrolment_id IN (SELECT id
                          FROM training_enrolment
                         WHERE duty_id = $1
                           AND state = 'attended')`

// daysEarly is how long before its day a follow-up may be answered.
const daysEarly = 7

// FollowUpFor writes down what a buyer says a month after the training, in place
// of an earlier answer. It fails with faults of the fields, with [ErrNoDuty],
// with [ErrNotTrained], and with [ErrNotYet] more than a week before its day.
func (s *Store) FollowUpFor(ctx context.Context, staff accounts.PersonID, id DutyID, f FollowUp, now time.Time) error {
	return s.follow(ctx, toWork(staff, id, now), f, now)
}

func (s *Store) follow(ctx context.Context, find finder, f FollowUp, now time.Time) error {
	if err := problem.OfFields(f.Check()); err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		d, err := find(ctx, tx)
		switch {
		case err != nil:
			return err
		case d.State != Done:
			return ErrNotTrained
		}
		latest := civil.DateIn(now, d.Zone).AddDays(daysEarly).String()
		done, err := tx.ExecContext(ctx, setFollowUp, string(d.ID), sqldb.Ms(now), string(f.StillUsed), string(f.JobSearch), f.Blocked, latest)
		if err != nil {
			return fmt.Errorf("follow-up of duty %s: %w", d.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return orElse(err, ErrNotYet)
		}
		return nil
	})
}

const dueFollowUps = dutyColumns + `
 WHERE training_duty.state = 'done'
   AND EXISTS (SELECT 1
                 FROM training_follow_up
                WHERE training_follow_up.enrolment_id = way.id
                  AND training_follow_up.answered_ms IS NULL
                  AND training_follow_up.due_date <= $2)
   AND ($3 = '' OR training_duty.id > $3)
   AND` + mayWork + `
 ORDER BY training_duty.id
 LIMIT $4`

// FollowUps lists the duties of trained buyers who are to be asked how it goes,
// one more than the page holds where the list goes on.
func (s *Store) FollowUps(ctx context.Context, staff accounts.PersonID, p resource.Page, now time.Time) ([]Duty, error) {
	rows, err := s.db.QueryContext(ctx, dueFollowUps, string(staff), today(now), p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("follow-ups: %w", err)
	}
	return sqldb.Collect(rows, scanDuty)
}
