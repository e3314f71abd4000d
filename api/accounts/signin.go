package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// Terms are how long sessions live. Staff see more, so that theirs are shorter.
// An idle time of 0 knows no idle end.
type Terms struct {
	Length      time.Duration // from the sign-in on, whatever happens
	Idle        time.Duration // without a request
	StaffLength time.Duration // as Length; 0 means as for others
	StaffIdle   time.Duration // as Idle; 0 means as for others
}

// of returns the length and the idle time of a person's sessions.
func (t Terms) of(staff bool) (length, idle time.Duration) {
	length, idle = t.Length, t.Idle
	if staff && t.StaffLength > 0 {
		length = t.StaffLength
	}
	if staff && t.StaffIdle > 0 {
		idle = t.StaffIdle
	}
	return length, idle
}

// An Arrival is when, with what and on which terms somebody signs in.
type Arrival struct {
	At      time.Time
	Browser string // roughly, as in "Firefox, Windows"; at most 60 characters
	Terms   Terms
}

// An Entry is a session that was just opened. Its token is shown once.
type Entry struct {
	Token  Token
	Person PersonID
	Way    Way
	Length time.Duration
}

const findSignIn = `
SELECT person_id, hash, expires_ms, COALESCE(email, '')
  FROM sign_in
 WHERE selector = $1`

// SignIn opens a session for the person whose code it is. It takes as long for a
// code nobody has; every refusal is [ErrCodeWrong].
func (s *Store) SignIn(ctx context.Context, code Code, a Arrival) (Entry, error) {
	var person PersonID
	var expiresMs int64
	var address string
	hash := s.decoy
	err := s.db.QueryRowContext(ctx, findSignIn, code.selector()).Scan(&person, &hash, &expiresMs, &address)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Entry{}, fmt.Errorf("sign in: %w", err)
	}
	right, err := s.guess(ctx, hash, code.secret())
	if err != nil {
		return Entry{}, fmt.Errorf("sign in person %s: %w", person, err)
	}
	if !right || person == "" || expiresMs <= sqldb.Ms(a.At) {
		return Entry{}, ErrCodeWrong
	}
	var entry Entry
	err = s.inTx(ctx, "sign in person "+string(person), func(tx *sql.Tx) error {
		if err := own(ctx, tx, person, address); err != nil {
			return err
		}
		entry, err = open(ctx, tx, person, ByCode, a)
		return err
	})
	return entry, err
}

const ownAddress = `
UPDATE way_in
   SET email = $2
 WHERE person_id = $1
   AND NOT EXISTS (SELECT 1
                     FROM way_in other
                    WHERE other.email = $2)`

// own notes that the person answered what was sent to the address, and ends the
// code that was: from now on a new one comes each time. An address that is
// somebody else's way in stays theirs, and the code works on.
func own(ctx context.Context, tx *sql.Tx, person PersonID, address string) error {
	if address == "" {
		return nil
	}
	done, err := tx.ExecContext(ctx, ownAddress, string(person), address)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return endCode(ctx, tx, person)
}

// endCode ends the code of the letter, once there is another way in.
func endCode(ctx context.Context, tx *sql.Tx, person PersonID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM sign_in WHERE person_id = $1`, string(person))
	return err
}

const findPassword = `
SELECT person_id, COALESCE(password_hash, '')
  FROM way_in
 WHERE name = $1
    OR email = $1`

// SignInByPassword opens a session for the person with that sign-in name or
// e-mail address and password. It takes as long where there is none; every
// refusal is [ErrCodeWrong].
func (s *Store) SignInByPassword(ctx context.Context, name, password string, a Arrival) (Entry, error) {
	var person PersonID
	var hash string
	err := s.db.QueryRowContext(ctx, findPassword, signInName(name)).Scan(&person, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Entry{}, fmt.Errorf("sign in: %w", err)
	}
	right, err := s.guessPassword(ctx, hash, password)
	if err != nil {
		return Entry{}, fmt.Errorf("sign in person %s: %w", person, err)
	}
	if !right {
		return Entry{}, ErrCodeWrong
	}
	var entry Entry
	err = s.inTx(ctx, "sign in person "+string(person), func(tx *sql.Tx) error {
		entry, err = open(ctx, tx, person, ByPassword, a)
		return err
	})
	return entry, err
}

// guessPassword tries the decoy where there is no hash.
func (s *Store) guessPassword(ctx context.Context, hash, password string) (bool, error) {
	known := hash != "" && len(password) <= longestPassword
	if !known {
		hash, password = s.decoy, ""
	}
	right, err := s.guess(ctx, hash, password)
	return right && known, err
}

// afterGuess is how long after the last guess its memory is given back.
const afterGuess = 2 * time.Second

func (s *Store) guess(ctx context.Context, hash, secret string) (right bool, err error) {
	err = s.inSlot(ctx, func() (err error) {
		right, err = matches(hash, secret)
		return err
	})
	return right, err
}

func (s *Store) hash(ctx context.Context, secret string) (hash string, err error) {
	err = s.inSlot(ctx, func() (err error) {
		hash, err = s.cost.hash(secret)
		return err
	})
	return hash, err
}

// inSlot bounds how many hashes are made at once: each takes 64 MiB, which the
// program would keep for minutes where little else is asked of it.
func (s *Store) inSlot(ctx context.Context, do func() error) error {
	select {
	case s.slots <- struct{}{}:
		defer func() {
			<-s.slots
			s.guessed.Reset(afterGuess)
		}()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}
