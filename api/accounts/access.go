package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// An Access is how a person may come in.
type Access struct {
	Name     string    // sign-in name; empty for who was never invited
	Code     time.Time // until when the code of a letter works, UTC; zero for none
	Password time.Time // when the password was set, UTC; zero for none
	Email    string    // address whose owner answered; empty for none
}

const findAccess = `
SELECT COALESCE(way_in.name, ''), COALESCE(way_in.password_ms, 0), COALESCE(way_in.email, ''),
       COALESCE(sign_in.expires_ms, 0)
  FROM person
  LEFT JOIN way_in ON way_in.person_id = person.id
  LEFT JOIN sign_in ON sign_in.person_id = person.id AND sign_in.expires_ms > $2
 WHERE person.id = $1`

// Access returns the ways in of a person. It fails with [ErrNoPerson].
func (s *Store) Access(ctx context.Context, person PersonID, now time.Time) (Access, error) {
	var a Access
	var passwordMs, codeMs int64
	err := s.db.QueryRowContext(ctx, findAccess, string(person), sqldb.Ms(now)).Scan(&a.Name, &passwordMs, &a.Email, &codeMs)
	if errors.Is(err, sql.ErrNoRows) {
		return Access{}, ErrNoPerson
	}
	if passwordMs > 0 {
		a.Password = sqldb.Time(passwordMs)
	}
	if codeMs > 0 {
		a.Code = sqldb.Time(codeMs)
	}
	return a, err
}

// errNotFresh asks for a new sign-in before a change of the ways in.
var errNotFresh = &problem.Error{Kind: problem.Forbidden, Message: "access.not_fresh"}

const findOwnPassword = `
SELECT person.name, way_in.name, COALESCE(way_in.password_hash, ''), COALESCE(way_in.email, '')
  FROM way_in
  JOIN person ON person.id = way_in.person_id
 WHERE way_in.person_id = $1`

const setPassword = `
UPDATE way_in
   SET password_hash = $2,
       password_ms = $3
 WHERE person_id = $1`

// SetPassword gives the session's person a password in place of the old one, ends
// the code of the letter and every session, and opens a new one. The old password
// must be right, unless there is none or the session was just opened without it.
// What is wrong is a problem with fields "old" and "new", or "access.not_fresh".
func (s *Store) SetPassword(ctx context.Context, session Session, old, new string, a Arrival) (Entry, error) {
	var personal, name, hash, email string
	err := s.db.QueryRowContext(ctx, findOwnPassword, string(session.Person.ID)).Scan(&personal, &name, &hash, &email)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, ErrNoPerson
	}
	if err != nil {
		return Entry{}, fmt.Errorf("set the password of person %s: %w", session.Person.ID, err)
	}
	if err := s.mayChange(ctx, session, hash, old, a.At); err != nil {
		return Entry{}, err
	}
	if err := problem.OfFields(CheckPassword("new", new, personal, name, email)); err != nil {
		return Entry{}, err
	}
	if hash, err = s.hash(ctx, new); err != nil {
		return Entry{}, fmt.Errorf("set the password of person %s: %w", session.Person.ID, err)
	}
	var entry Entry
	err = s.inTx(ctx, "set the password of person "+string(session.Person.ID), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, setPassword, string(session.Person.ID), hash, sqldb.Ms(a.At)); err != nil {
			return err
		}
		if err := endCode(ctx, tx, session.Person.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person_id = $1`, string(session.Person.ID)); err != nil {
			return err
		}
		if entry, err = open(ctx, tx, session.Person.ID, ByPassword, a); err != nil {
			return err
		}
		return tell(ctx, tx, session.Person.ID, email, a.At)
	})
	return entry, err
}

// ErrOldPassword is what changing a password fails with where the old one is
// wrong.
var ErrOldPassword = problem.OfFields([]problem.Field{{Name: "old", Message: "password.old_wrong"}})

// mayChange holds that the session may set a password in place of the one with
// that hash.
func (s *Store) mayChange(ctx context.Context, session Session, hash, old string, now time.Time) error {
	if hash == "" || session.Way != ByPassword && old == "" {
		if !session.Fresh(now) {
			return errNotFresh
		}
		return nil
	}
	right, err := s.guessPassword(ctx, hash, old)
	if err != nil {
		return fmt.Errorf("try the password of person %s: %w", session.Person.ID, err)
	}
	if !right {
		return ErrOldPassword
	}
	return nil
}

// tell sends an e-mail that a way in has changed, where there is an address: who
// did not change it can call.
func tell(ctx context.Context, tx *sql.Tx, person PersonID, email string, now time.Time) error {
	if email == "" {
		return nil
	}
	return notify.Enqueue(ctx, tx, notify.Message{Channel: notify.Email, Kind: kindChanged, Person: string(person),
		Subject: string(person), Recipient: email}, now)
}

const dropPassword = `
UPDATE way_in
   SET password_hash = NULL,
       password_ms = NULL
 WHERE person_id = $1
   AND email IS NOT NULL`

const dropEmail = `
UPDATE way_in
   SET email = NULL
 WHERE person_id = $1
   AND password_hash IS NOT NULL`

// errLastWay keeps people from shutting themselves out.
var errLastWay = &problem.Error{Kind: problem.Conflict, Message: "access.last_way"}

// DropPassword ends the password of the session's person, who goes on with codes
// by e-mail; without an address it is a problem Conflict.
func (s *Store) DropPassword(ctx context.Context, session Session, now time.Time) error {
	return s.dropWay(ctx, session, dropPassword, now)
}

// DropEmail ends codes by e-mail for the session's person, who goes on with the
// password; without one it is a problem Conflict.
func (s *Store) DropEmail(ctx context.Context, session Session, now time.Time) error {
	return s.dropWay(ctx, session, dropEmail, now)
}

func (s *Store) dropWay(ctx context.Context, session Session, drop string, now time.Time) error {
	if !session.Fresh(now) {
		return errNotFresh
	}
	person := session.Person.ID
	return s.inTx(ctx, "change the ways in of person "+string(person), func(tx *sql.Tx) error {
		email, err := emailOf(ctx, tx, person)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, drop, string(person))
		if err != nil {
			return err
		}
		if err := one(done, errLastWay); err != nil {
			return err
		}
		return tell(ctx, tx, person, email, now)
	})
}

// emailOf returns the person's address, or "".
func emailOf(ctx context.Context, tx *sql.Tx, person PersonID) (email string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(email), '') FROM way_in WHERE person_id = $1`, string(person)).Scan(&email)
	return email, err
}
