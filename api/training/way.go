package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Every change of a way goes through begin and step, which write it down; they
// are called within [Store.change] only.

const putWay = `
INSERT INTO training_enrolment (id, duty_id, session_id, state, created_ms, changed_ms)
VALUES ($1, $2, $3, 'invited', $4, $4)`

const putStep = `
INSERT INTO training_step (enrolment_id, number, state, at_ms, by_whom)
SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4
  FROM training_step
 WHERE enrolment_id = $1`

// begin invites a buyer who is on no way, to a session or to none yet.
func begin(ctx context.Context, tx *sql.Tx, duty DutyID, session SessionID, by string, now time.Time) (Way, error) {
	w := Way{ID: EnrolmentID(newID()), Session: session, State: Invited, Since: now}
	if _, err := tx.ExecContext(ctx, putWay, string(w.ID), string(duty), orNull(string(session)), sqldb.Ms(now)); err != nil {
		return Way{}, fmt.Errorf("invite for duty %s: %w", duty, err)
	}
	_, err := tx.ExecContext(ctx, putStep, string(w.ID), string(Invited), sqldb.Ms(now), by)
	return w, err
}

const setState = `
UPDATE training_enrolment
   SET state = $2,
       seat = CASE WHEN $3 = 1 THEN seat END,
       reason = $4,
       changed_ms = CASE WHEN changed_ms > $5 THEN changed_ms ELSE $5 END
 WHERE id = $1`

// step takes a way one step on. A place is given back with the state that has
// none; it is taken by takeSeat. It fails with [ErrNoWay] where the way does not
// lead there.
func step(ctx context.Context, tx *sql.Tx, w Way, next State, reason, by string, now time.Time) error {
	if !w.State.May(next) {
		return ErrNoWay
	}
	if err := hush(ctx, tx, w.ID); err != nil {
		return err
	}
	keeps := 0
	if next.HasPlace() {
		keeps = 1
	}
	if _, err := tx.ExecContext(ctx, setState, string(w.ID), string(next), keeps, reason, sqldb.Ms(now)); err != nil {
		return fmt.Errorf("way %s to %s: %w", w.ID, next, err)
	}
	if _, err := tx.ExecContext(ctx, putStep, string(w.ID), string(next), sqldb.Ms(now), by); err != nil {
		return fmt.Errorf("way %s to %s: %w", w.ID, next, err)
	}
	return nil
}

// The lowest place that nobody has; none where the session is full.
const takeFreeSeat = `
UPDATE training_enrolment
   SET state = 'enrolled',
       session_id = $2,
       seat = free.number,
       reason = '',
       changed_ms = CASE WHEN changed_ms > $3 THEN changed_ms ELSE $3 END
  FROM (SELECT MIN(training_seat.number) AS number
          FROM training_seat
         WHERE training_seat.session_id = $2
           AND NOT EXISTS (SELECT 1
                             FROM training_enrolment AS other
                            WHERE other.session_id = $2
                              AND other.seat = training_seat.number)) AS free
 WHERE training_enrolment.id = $1
   AND free.number IS NOT NULL`

// takeSeat gives a way the first free place of a session and makes it enrolled.
// It fails with [ErrFull], and with [ErrNoWay] where the way does not lead there.
func takeSeat(ctx context.Context, tx *sql.Tx, w Way, session SessionID, by string, now time.Time) error {
	if !w.State.May(Enrolled) {
		return ErrNoWay
	}
	if err := hush(ctx, tx, w.ID); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, takeFreeSeat, string(w.ID), string(session), sqldb.Ms(now))
	if err != nil {
		return fmt.Errorf("a place in session %s: %w", session, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return orElse(err, ErrFull)
	}
	_, err = tx.ExecContext(ctx, putStep, string(w.ID), string(Enrolled), sqldb.Ms(now), by)
	return err
}

const openWayOf = `
SELECT way.id, COALESCE(way.session_id, ''), COALESCE(way.seat, 0), way.state, COALESCE(training_session.starts_ms, 0)
  FROM training_enrolment AS way
  LEFT JOIN training_session ON training_session.id = way.session_id
 WHERE way.duty_id = $1
   AND way.state IN ('invited', 'waiting', 'enrolled', 'reminded')`

// openWay returns the way that the buyer is on; its state is empty for none.
func openWayFor(ctx context.Context, tx *sql.Tx, duty DutyID) (w Way, err error) {
	var startsMs int64
	err = tx.QueryRowContext(ctx, openWayOf, string(duty)).Scan(&w.ID, &w.Session, &w.Seat, &w.State, &startsMs)
	if errors.Is(err, sql.ErrNoRows) {
		return Way{}, nil
	}
	w.Starts = timeOrNone(startsMs)
	return w, err
}

const firstWaiting = `
SELECT training_enrolment.id, training_enrolment.duty_id, training_enrolment.state
  FROM training_enrolment
  JOIN training_session ON training_session.id = training_enrolment.session_id
 WHERE training_enrolment.session_id = $1
   AND training_enrolment.state = 'waiting'
   AND training_session.called_off_ms IS NULL
   AND training_session.starts_ms > $2
 ORDER BY training_enrolment.changed_ms, training_enrolment.id
 LIMIT 1`

// byItself is who takes a step that nobody took.
const byItself = "system"

// promote gives free places of a session to who waits longest, and writes to
// them.
func promote(ctx context.Context, tx *sql.Tx, session SessionID, now time.Time) error {
	for {
		rows, err := tx.QueryContext(ctx, firstWaiting, string(session), sqldb.Ms(now))
		if err != nil {
			return fmt.Errorf("who waits for session %s: %w", session, err)
		}
		first, err := sqldb.Collect(rows, scanOpenWay)
		if err != nil || len(first) == 0 {
			return err
		}
		err = takeSeat(ctx, tx, first[0].Way, session, byItself, now)
		if errors.Is(err, ErrFull) {
			return nil
		}
		if err == nil {
			err = tell(ctx, tx, first[0].ID, kindPlace, now)
		}
		if err == nil {
			err = answerWish(ctx, tx, first[0].duty)
		}
		if err != nil {
			return err
		}
	}
}

// leave takes the open way of a duty to an end that has no place, and gives its
// place to who waits. Where there is no open way nothing changes.
func leave(ctx context.Context, tx *sql.Tx, duty DutyID, end State, reason, by string, now time.Time) error {
	w, err := openWayFor(ctx, tx, duty)
	if err != nil || w.State == "" {
		return err
	}
	if err := step(ctx, tx, w, end, reason, by, now); err != nil || w.Session == "" {
		return err
	}
	return promote(ctx, tx, w.Session, now)
}

// The next session of the buyer's residence with a free place to which they were
// not invited before; one in the household's language comes first.
const nextSession = `
SELECT training_session.id
  FROM training_session
  JOIN training_duty ON training_duty.residence_id = training_session.residence_id
  JOIN household ON household.id = training_duty.household_id
 WHERE training_duty.id = $1
   AND training_session.called_off_ms IS NULL
   AND training_session.starts_ms > $2
   AND (SELECT COUNT(*) FROM training_seat WHERE training_seat.session_id = training_session.id) >
       (SELECT COUNT(*) FROM training_enrolment WHERE training_enrolment.session_id = training_session.id
                                                  AND training_enrolment.seat IS NOT NULL)
   AND NOT EXISTS (SELECT 1
                     FROM training_enrolment AS former
                    WHERE former.duty_id = training_duty.id
                      AND former.session_id = training_session.id)
 ORDER BY CASE WHEN training_session.language = household.language THEN 0 ELSE 1 END, training_session.starts_ms, training_session.id
 LIMIT 1`

// shortNotice is how soon a session may begin that is proposed by letter.
const shortNotice = 3 * 24 * time.Hour

// propose invites a buyer who is on no way to the next session that suits, or to
// none where there is none, and writes to them in that kind of letter.
func (s *Store) propose(ctx context.Context, tx *sql.Tx, duty DutyID, kind, by string, now time.Time) error {
	var session string
	err := tx.QueryRowContext(ctx, nextSession, string(duty), sqldb.Ms(now.Add(shortNotice))).Scan(&session)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("next session for duty %s: %w", duty, err)
	}
	w, err := begin(ctx, tx, duty, SessionID(session), by, now)
	if err != nil {
		return err
	}
	return tell(ctx, tx, w.ID, kind, now)
}

const setDuty = `
UPDATE training_duty
   SET state = $2,
       done_date = $3,
       reason = $4,
       version = version + 1
 WHERE id = $1`

func finish(ctx context.Context, tx *sql.Tx, duty DutyID, state DutyState, on civil.Date, reason string) error {
	day := sql.NullString{String: on.String(), Valid: state == Done}
	_, err := tx.ExecContext(ctx, setDuty, string(duty), string(state), day, reason)
	if err != nil {
		return fmt.Errorf("duty %s is %s: %w", duty, state, err)
	}
	return answerWish(ctx, tx, duty)
}

const dropWish = `
UPDATE training_duty
   SET asked_ms = NULL,
       asked = ''
 WHERE id = $1
   AND asked_ms IS NOT NULL`

// answerWish forgets that another date was asked for.
func answerWish(ctx context.Context, tx *sql.Tx, duty DutyID) error {
	_, err := tx.ExecContext(ctx, dropWish, string(duty))
	return err
}
