package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
)

// longestReason is that of the schema, for reasons that staff write.
const longestReason = 200

func checkReason(reason *string, least int) error {
	return problem.OfFields(checkText("reason", reason, least, longestReason))
}

// upcoming returns a session that staff may plan and that can still be joined. It
// fails with [ErrNoSession], [ErrCalledOff] and [ErrPast].
func upcoming(ctx context.Context, tx *sql.Tx, staff accounts.PersonID, id SessionID, now time.Time) (Session, error) {
	session, err := sessionFor(ctx, tx, sessionToPlan, string(staff), string(id))
	switch {
	case err != nil:
		return Session{}, err
	case !session.CalledOff.IsZero():
		return Session{}, ErrCalledOff
	case !session.Starts.After(now):
		return Session{}, ErrPast
	}
	return session, nil
}

// onDuty runs do on a duty that staff may work on and that is still owed.
func (s *Store) onDuty(ctx context.Context, staff accounts.PersonID, id DutyID, now time.Time, do func(*sql.Tx, Way) error) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		d, err := dutyFor(ctx, tx, dutyToWork, string(staff), today(now), string(id))
		if err != nil {
			return err
		}
		if d.State != Open {
			return ErrNotOwed
		}
		w, err := openWayFor(ctx, tx, id)
		if err != nil {
			return err
		}
		return do(tx, w)
	})
}

// Invite invites a buyer by letter, or e-mail where the household wants it so: to
// a session, or to the next one that suits where session is empty. Whoever was
// invited to the same session before is not written to again. It fails with
// [ErrNoDuty], [ErrNotOwed], [ErrTwice] where the buyer has a place or waits for
// one, and as a session that cannot be joined.
func (s *Store) Invite(ctx context.Context, staff accounts.PersonID, id DutyID, session SessionID, now time.Time) error {
	err := s.onDuty(ctx, staff, id, now, func(tx *sql.Tx, w Way) error {
		if session != "" {
			if _, err := upcoming(ctx, tx, staff, session, now); err != nil {
				return err
			}
		}
		switch {
		case w.State != "" && w.State != Invited:
			return ErrTwice
		case w.State == Invited && (session == "" || w.Session == session):
			return nil
		case w.State == Invited:
			if err := step(ctx, tx, w, Withdrawn, "", string(staff), now); err != nil {
				return err
			}
		}
		if session == "" {
			return s.propose(ctx, tx, id, kindProposal, string(staff), now)
		}
		w, err := begin(ctx, tx, id, session, string(staff), now)
		if err != nil {
			return err
		}
		return tell(ctx, tx, w.ID, kindProposal, now)
	})
	if err != nil {
		return fmt.Errorf("invite for duty %s: %w", id, err)
	}
	return nil
}

// Enrol gives a buyer a place in a session and writes to them. Who has a place in
// it keeps it, and nothing changes. Where the session is full it fails with
// [ErrFull], unless wait is true: the buyer then waits for a place, if there is
// room for one more ([ErrNoRoom]). It fails with [ErrTwice] where the buyer has a
// place in another session, else as [Store.Invite].
func (s *Store) Enrol(ctx context.Context, staff accounts.PersonID, id DutyID, session SessionID, wait bool, now time.Time) error {
	err := s.onDuty(ctx, staff, id, now, func(tx *sql.Tx, w Way) error {
		at, err := upcoming(ctx, tx, staff, session, now)
		if err != nil {
			return err
		}
		same := w.Session == session
		switch {
		case w.State.HasPlace() && same, w.State == Waiting && same && at.Free() == 0 && wait:
			return nil
		case w.State.HasPlace(), w.State == Waiting && !same:
			return ErrTwice
		case w.State == "":
			if w, err = begin(ctx, tx, id, "", string(staff), now); err != nil {
				return err
			}
		}
		if at.Free() == 0 && wait {
			return joinQueue(ctx, tx, w, at, string(staff), now)
		}
		if err := takeSeat(ctx, tx, w, session, string(staff), now); err != nil {
			return err
		}
		if err := answerWish(ctx, tx, id); err != nil {
			return err
		}
		return tell(ctx, tx, w.ID, kindPlace, now)
	})
	if err != nil {
		return fmt.Errorf("enrol for duty %s: %w", id, err)
	}
	return nil
}

const setSession = `
UPDATE training_enrolment
   SET session_id = $2
 WHERE id = $1`

func joinQueue(ctx context.Context, tx *sql.Tx, w Way, at Session, by string, now time.Time) error {
	if at.Waiting >= at.MayWait {
		return ErrNoRoom
	}
	if _, err := tx.ExecContext(ctx, setSession, string(w.ID), string(at.ID)); err != nil {
		return fmt.Errorf("wait for session %s: %w", at.ID, err)
	}
	return step(ctx, tx, w, Waiting, "", by, now)
}

// Excuse ends the way that a buyer is on: they said that they cannot come. The
// place goes to who waits longest. Reason may be empty. It fails with [ErrNoDuty],
// [ErrNotOwed], [ErrNoWay] where the buyer is on none, and [ErrPast] where the
// session has begun.
func (s *Store) Excuse(ctx context.Context, staff accounts.PersonID, id DutyID, reason string, now time.Time) error {
	if err := checkReason(&reason, 0); err != nil {
		return err
	}
	err := s.onDuty(ctx, staff, id, now, func(tx *sql.Tx, w Way) error {
		if err := mayLeave(w, now); err != nil {
			return err
		}
		return leave(ctx, tx, id, Excused, reason, string(staff), now)
	})
	if err != nil {
		return fmt.Errorf("excuse for duty %s: %w", id, err)
	}
	return nil
}

// mayLeave holds that there is a way, and that its session has not begun.
func mayLeave(w Way, now time.Time) error {
	switch {
	case w.State == "":
		return ErrNoWay
	case w.State.HasPlace() && !w.Starts.After(now):
		return ErrPast
	}
	return nil
}

// Exempt ends a duty for a reason, as for who knows computers already. Exempted
// again for the same reason, nothing changes. It fails with a fault of the field
// "reason" where there is none, with [ErrNoDuty] and [ErrNotOwed].
func (s *Store) Exempt(ctx context.Context, staff accounts.PersonID, id DutyID, reason string, now time.Time) error {
	if err := checkReason(&reason, 3); err != nil {
		return err
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		d, err := dutyFor(ctx, tx, dutyToWork, string(staff), today(now), string(id))
		switch {
		case err != nil:
			return err
		case d.State == Exempted && d.Reason == reason:
			return nil
		case d.State != Open:
			return ErrNotOwed
		}
		if err := leave(ctx, tx, id, Withdrawn, "", string(staff), now); err != nil {
			return err
		}
		return finish(ctx, tx, id, Exempted, d.Done, reason)
	})
	if err != nil {
		return fmt.Errorf("exempt duty %s: %w", id, err)
	}
	return nil
}

// Reopen takes an exemption back: the training is owed again. An open duty stays
// as it is. It fails with [ErrNoDuty], and with [ErrNotOwed] where the buyer is
// trained.
func (s *Store) Reopen(ctx context.Context, staff accounts.PersonID, id DutyID, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		d, err := dutyFor(ctx, tx, dutyToWork, string(staff), today(now), string(id))
		switch {
		case err != nil:
			return err
		case d.State == Open:
			return nil
		case d.State == Done:
			return ErrNotOwed
		}
		return finish(ctx, tx, id, Open, d.Done, "")
	})
	if err != nil {
		return fmt.Errorf("reopen duty %s: %w", id, err)
	}
	return nil
}
