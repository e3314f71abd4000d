package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Store keeps persons, their sign-ins and sessions. It may be used from
// several goroutines.
type Store struct {
	db    *sql.DB
	cost  Cost
	decoy string        // hash that is tried where there is none, at the same cost
	slots chan struct{} // bounds the memory that guesses take at once
}

// NewStore returns a store on a migrated database; hashes are made at cost.
func NewStore(db *sql.DB, cost Cost) (*Store, error) {
	decoy, err := cost.hash("decoy")
	if err != nil {
		return nil, err
	}
	return &Store{db: db, cost: cost, decoy: decoy, slots: make(chan struct{}, max(2, runtime.NumCPU()))}, nil
}

const putPerson = `
INSERT INTO person (id, name, language)
VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE
   SET name = excluded.name,
       language = excluded.language`

// Put makes or updates persons within the transaction of a load.
func Put(ctx context.Context, tx *sql.Tx, persons []Person) error {
	for _, p := range persons {
		if _, err := tx.ExecContext(ctx, putPerson, string(p.ID), p.Name, p.Language); err != nil {
			return fmt.Errorf("person %s: %w", p.ID, err)
		}
	}
	return nil
}

const putSignIn = `
INSERT INTO sign_in (person_id, selector, hash, expires_ms)
SELECT id, $2, $3, $4
  FROM person
 WHERE id = $1
    ON CONFLICT (person_id) DO UPDATE
   SET selector = excluded.selector,
       hash = excluded.hash,
       expires_ms = excluded.expires_ms`

// mostDraws bounds how often a selector is drawn again because it is taken.
const mostDraws = 20

// Invite gives the person a new code that works until expires. The code before
// it and every session it opened end, because a letter that must be replaced
// may be in other hands. It fails with [ErrNoPerson].
func (s *Store) Invite(ctx context.Context, person PersonID, expires time.Time) (Code, error) {
	code, err := s.freeCode(ctx)
	if err != nil {
		return Code{}, fmt.Errorf("invite person %s: %w", person, err)
	}
	hash, err := s.cost.hash(code.secret())
	if err != nil {
		return Code{}, fmt.Errorf("invite person %s: %w", person, err)
	}
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, putSignIn, string(person), code.selector(), hash, sqldb.Ms(expires))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNoPerson, err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM session WHERE person_id = $1`, string(person))
		return err
	})
	if err != nil {
		return Code{}, fmt.Errorf("invite person %s: %w", person, err)
	}
	return code, nil
}

func (s *Store) freeCode(ctx context.Context) (Code, error) {
	for range mostDraws {
		code, err := NewCode()
		if err != nil {
			return Code{}, err
		}
		var taken int
		err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sign_in WHERE selector = $1`, code.selector()).Scan(&taken)
		if err != nil || taken == 0 {
			return code, err
		}
	}
	return Code{}, errors.New("no free code: too many sign-ins for selectors of four characters")
}

const findSignIn = `
SELECT person_id, hash, expires_ms
  FROM sign_in
 WHERE selector = $1`

// SignIn opens a session of the given length for the person whose code it is.
// It takes as long for a code nobody has; every refusal is [ErrCodeWrong].
func (s *Store) SignIn(ctx context.Context, code Code, now time.Time, length time.Duration) (Token, error) {
	var person PersonID
	var expiresMs int64
	hash := s.decoy
	err := s.db.QueryRowContext(ctx, findSignIn, code.selector()).Scan(&person, &hash, &expiresMs)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("sign in: %w", err)
	}
	right, err := s.guess(ctx, hash, code.secret())
	if err != nil {
		return "", fmt.Errorf("sign in person %s: %w", person, err)
	}
	if !right || person == "" || expiresMs <= sqldb.Ms(now) {
		return "", ErrCodeWrong
	}
	return s.open(ctx, person, now, length)
}

func (s *Store) guess(ctx context.Context, hash, secret string) (bool, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		return matches(hash, secret)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

const putSession = `
INSERT INTO session (token_hash, person_id, expires_ms, form_token)
VALUES ($1, $2, $3, $4)`

func (s *Store) open(ctx context.Context, person PersonID, now time.Time, length time.Duration) (Token, error) {
	token, err := newToken()
	if err != nil {
		return "", err
	}
	form, err := newToken()
	if err != nil {
		return "", err
	}
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE expires_ms <= $1`, sqldb.Ms(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, putSession, token.hash(), string(person), sqldb.Ms(now.Add(length)), string(form))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("open a session of person %s: %w", person, err)
	}
	return token, nil
}

const findSession = `
SELECT person.id, person.name, person.language, session.form_token, session.expires_ms
  FROM session
  JOIN person ON person.id = session.person_id
 WHERE session.token_hash = $1
   AND session.expires_ms > $2`

// Session returns the session of a token; it fails with [ErrNoSession].
func (s *Store) Session(ctx context.Context, token Token, now time.Time) (Session, error) {
	var found Session
	var expiresMs int64
	err := s.db.QueryRowContext(ctx, findSession, token.hash(), sqldb.Ms(now)).
		Scan(&found.Person.ID, &found.Person.Name, &found.Person.Language, &found.FormToken, &expiresMs)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	found.Expires = sqldb.Time(expiresMs)
	return found, nil
}

// SignOut ends the session of a token, at once and on the server.
func (s *Store) SignOut(ctx context.Context, token Token) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM session WHERE token_hash = $1`, token.hash()); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}
