package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Row is a line of an attendance sheet: a name and nothing else of a person.
type Row struct {
	ID    EnrolmentID
	Seat  int
	Name  string
	State State // enrolled, reminded, attended or absent
}

const rowsOf = `
SELECT training_enrolment.id, training_enrolment.seat, person.name, training_enrolment.state, training_enrolment.duty_id
  FROM training_enrolment
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
  JOIN person ON person.id = training_duty.person_id
 WHERE training_enrolment.session_id = $1
   AND training_enrolment.seat IS NOT NULL
 ORDER BY training_enrolment.seat`

// A seated row has its duty, which no sheet shows.
type seated struct {
	Row
	duty DutyID
}

func seatedOf(ctx context.Context, q sqldb.Querier, session SessionID) ([]seated, error) {
	rows, err := q.QueryContext(ctx, rowsOf, string(session))
	if err != nil {
		return nil, fmt.Errorf("sheet of session %s: %w", session, err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (s seated, err error) {
		return s, rows.Scan(&s.ID, &s.Seat, &s.Name, &s.State, &s.duty)
	})
}

// Sheet returns a session with the names of who has a place, for its trainer and
// for advisors and administrators of its residence. It fails with [ErrNoSession].
func (s *Store) Sheet(ctx context.Context, staff accounts.PersonID, id SessionID) (Session, []Row, error) {
	session, err := sessionFor(ctx, s.db, sessionToHold, string(staff), string(id))
	if err != nil {
		return Session{}, nil, err
	}
	all, err := seatedOf(ctx, s.db, id)
	rows := make([]Row, len(all))
	for i, one := range all {
		rows[i] = one.Row
	}
	return session, rows, err
}

// A Mark says whether somebody was there.
type Mark struct {
	Enrolment EnrolmentID
	Present   bool
}

// Record enters who was there, once the session has begun, and may correct what
// was entered. Who was there is trained: the duty is done, and a month later they
// are asked how it goes. Who was not there is invited anew. Rows without a mark
// stay as they are; entered twice, nothing changes. It fails with [ErrNoSession],
// [ErrCalledOff], [ErrNotYet], with [ErrNoWay] where a mark is not on the sheet,
// and with [ErrTrained] where an absence was made good elsewhere.
func (s *Store) Record(ctx context.Context, staff accounts.PersonID, id SessionID, marks []Mark, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		session, err := sessionFor(ctx, tx, sessionToHold, string(staff), string(id))
		switch {
		case err != nil:
			return err
		case !session.CalledOff.IsZero():
			return ErrCalledOff
		case session.Starts.After(now):
			return ErrNotYet
		}
		all, err := seatedOf(ctx, tx, id)
		if err != nil {
			return err
		}
		byID := map[EnrolmentID]seated{}
		for _, one := range all {
			byID[one.ID] = one
		}
		for _, m := range marks {
			one, ok := byID[m.Enrolment]
			if !ok {
				return ErrNoWay
			}
			if err := s.mark(ctx, tx, session, one, m.Present, string(staff), now); err != nil {
				return err
			}
			one.State = marked(m.Present)
			byID[m.Enrolment] = one
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("attendance of session %s: %w", id, err)
	}
	return nil
}

func marked(present bool) State {
	if present {
		return Attended
	}
	return Absent
}

func (s *Store) mark(ctx context.Context, tx *sql.Tx, session Session, one seated, present bool, by string, now time.Time) error {
	next := marked(present)
	if one.State == next {
		return nil
	}
	if present {
		if err := stillOwed(ctx, tx, one.duty); err != nil {
			return err
		}
		// What was proposed after an absence that was none is taken back.
		if one.State == Absent {
			if err := leave(ctx, tx, one.duty, Withdrawn, "", by, now); err != nil {
				return err
			}
		}
	}
	if err := step(ctx, tx, Way{ID: one.ID, State: one.State}, next, "", by, now); err != nil {
		return err
	}
	if present {
		if err := finish(ctx, tx, one.duty, Done, session.Day(), ""); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, putFollowUp, string(one.ID), followUpDate(session.Day()).String())
		return err
	}
	if one.State == Attended {
		if _, err := tx.ExecContext(ctx, `DELETE FROM training_follow_up WHERE enrolment_id = $1`, string(one.ID)); err != nil {
			return err
		}
		if err := finish(ctx, tx, one.duty, Open, session.Day(), ""); err != nil {
			return err
		}
	}
	return s.propose(ctx, tx, one.duty, kindMissed, by, now)
}

const putFollowUp = `
INSERT INTO training_follow_up (enrolment_id, due_date)
VALUES ($1, $2)`

// stillOwed keeps a buyer from being trained twice, or after an exemption.
func stillOwed(ctx context.Context, tx *sql.Tx, duty DutyID) error {
	var state DutyState
	err := tx.QueryRowContext(ctx, `SELECT state FROM training_duty WHERE id = $1`, string(duty)).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("duty %s: %w", duty, err)
	}
	if state != Open {
		return ErrTrained
	}
	return nil
}
