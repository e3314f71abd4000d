package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

const updateSession = `
UPDATE training_session
   SET trainer_id = $3,
       place = $4,
       partner = $5,
       language = $6,
       childcare = $7,
       transport = $8,
       waiting = $9,
       version = version + 1
 WHERE id = $1
   AND version = $2`

const dropSeats = `
DELETE FROM training_seat
 WHERE session_id = $1
   AND number > $2`

// UpdateSession changes what may change of a session that is to come, and gives
// places that are added to those who wait. It fails with [ErrNoSession], with
// [resource.ErrStale] where version is not the session's, with [ErrPast],
// [ErrCalledOff], and with [ErrSeatsTaken] where more people have a place.
func (s *Store) UpdateSession(ctx context.Context, staff accounts.PersonID, id SessionID, n Notes, version int64, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		session, err := sessionFor(ctx, tx, sessionToPlan, string(staff), string(id))
		if err != nil {
			return err
		}
		switch {
		case session.Version != version:
			return resource.ErrStale
		case !session.CalledOff.IsZero():
			return ErrCalledOff
		case !session.Starts.After(now):
			return ErrPast
		case session.Taken > n.Capacity:
			return ErrSeatsTaken
		}
		if err := checkTrainer(ctx, tx, n.Trainer, session.Residence); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, updateSession, string(id), version, orNull(string(n.Trainer)), n.Place, n.Partner,
			n.Language, n.Childcare, n.Transport, n.MayWait); err != nil {
			return err
		}
		if err := resize(ctx, tx, session, n.Capacity); err != nil {
			return err
		}
		return promote(ctx, tx, id, now)
	})
	if err != nil {
		return fmt.Errorf("update session %s: %w", id, err)
	}
	return nil
}

const takenBeyond = `
SELECT id
  FROM training_enrolment
 WHERE session_id = $1
   AND seat > $2
 ORDER BY seat`

const moveSeat = `
UPDATE training_enrolment
   SET seat = (SELECT MIN(training_seat.number)
                 FROM training_seat
                WHERE training_seat.session_id = $2
                  AND NOT EXISTS (SELECT 1
                                    FROM training_enrolment AS other
                                   WHERE other.session_id = $2
                                     AND other.seat = training_seat.number))
 WHERE id = $1`

// resize adds places, or takes the last ones away; who sits there moves up.
func resize(ctx context.Context, tx *sql.Tx, session Session, capacity int) error {
	for number := session.Capacity + 1; number <= capacity; number++ {
		if _, err := tx.ExecContext(ctx, putSeat, string(session.ID), number); err != nil {
			return err
		}
	}
	if capacity >= session.Capacity {
		return nil
	}
	rows, err := tx.QueryContext(ctx, takenBeyond, string(session.ID), capacity)
	if err != nil {
		return err
	}
	moved, err := sqldb.Collect(rows, scanText)
	if err != nil {
		return err
	}
	for _, id := range moved {
		if _, err := tx.ExecContext(ctx, moveSeat, id, string(session.ID)); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, dropSeats, string(session.ID), capacity)
	return err
}

func scanText(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) }

const callOff = `
UPDATE training_session
   SET called_off_ms = $2,
       version = version + 1
 WHERE id = $1`

const openWaysOf = `
SELECT training_enrolment.id, training_enrolment.duty_id, training_enrolment.state
  FROM training_enrolment
 WHERE training_enrolment.session_id = $1
   AND training_enrolment.state IN ('invited', 'waiting', 'enrolled', 'reminded')
 ORDER BY training_enrolment.id`

// CallOff calls a session off that has not begun. Everybody who was invited to
// it, waited or had a place is told, and another session with a free place is
// proposed to them. Called off again, nothing changes. It fails with
// [ErrNoSession] and [ErrPast].
func (s *Store) CallOff(ctx context.Context, staff accounts.PersonID, id SessionID, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		session, err := sessionFor(ctx, tx, sessionToPlan, string(staff), string(id))
		switch {
		case err != nil:
			return err
		case !session.CalledOff.IsZero():
			return nil
		case !session.Starts.After(now):
			return ErrPast
		}
		if _, err := tx.ExecContext(ctx, callOff, string(id), sqldb.Ms(now)); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, openWaysOf, string(id))
		if err != nil {
			return err
		}
		ways, err := sqldb.Collect(rows, scanOpenWay)
		if err != nil {
			return err
		}
		for _, w := range ways {
			if err := step(ctx, tx, w.Way, Withdrawn, "", string(staff), now); err != nil {
				return err
			}
			if err := s.propose(ctx, tx, w.duty, kindCalledOff, string(staff), now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("call session %s off: %w", id, err)
	}
	return nil
}

// An openWay is a way with its duty.
type openWay struct {
	Way
	duty DutyID
}

func scanOpenWay(rows *sql.Rows) (w openWay, err error) {
	return w, rows.Scan(&w.ID, &w.duty, &w.State)
}
