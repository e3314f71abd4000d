package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// Limits of a code by e-mail. Its 38 bits would stand many more tries; five are
// what a tired reader needs.
const (
	emailCodeFor   = 10 * time.Minute
	emailCodeTries = 5
	longestEmail   = 254 // RFC 5321, 4.5.3.1.3
)

// What an e-mail's code is for.
const (
	toSignIn  = "sign_in"
	toConfirm = "address"
)

// ParseEmail reads an e-mail address as a person types it, in the form the store
// keeps. What is wrong is a fault of the field.
func ParseEmail(field, typed string) (string, []problem.Field) {
	address := strings.ToLower(strings.TrimSpace(typed))
	fault := func(message string, args ...any) (string, []problem.Field) {
		return "", []problem.Field{{Name: field, Message: message, Args: args}}
	}
	if address == "" {
		return fault("field.missing")
	}
	if len(address) > longestEmail {
		return fault("field.too_long", longestEmail)
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || strings.ContainsAny(address, "\"<> \r\n\t") {
		return fault("email.malformed")
	}
	if _, host, _ := strings.Cut(address, "@"); !strings.Contains(host, ".") && host != "localhost" {
		return fault("email.malformed")
	}
	return address, nil
}

const whoseEmail = `
SELECT person_id
  FROM way_in
 WHERE email = $1`

// AskEmailCode sends a code to the address if it is a person's way in, for the
// browser that keeps the returned token. It does the same where it is nobody's,
// but for the message, which is dropped when it should leave.
func (s *Store) AskEmailCode(ctx context.Context, email string, now time.Time) (Token, error) {
	var person string
	err := s.db.QueryRowContext(ctx, whoseEmail, email).Scan(&person)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("ask for a code: %w", err)
	}
	return s.askCode(ctx, toSignIn, PersonID(person), email, now)
}

// AskEmail sends a code to an address that the session's person wants to come in
// with, for the browser that keeps the returned token.
func (s *Store) AskEmail(ctx context.Context, session Session, email string, now time.Time) (Token, error) {
	if !session.Fresh(now) {
		return "", errNotFresh
	}
	return s.askCode(ctx, toConfirm, session.Person.ID, email, now)
}

const putEmailCode = `
INSERT INTO email_code (id, browser_hash, person_id, purpose, email, tries, expires_ms)
VALUES ($1, $2, $3, $4, $5, 0, $6)`

func (s *Store) askCode(ctx context.Context, purpose string, person PersonID, email string, now time.Time) (Token, error) {
	browser, err := newToken()
	if err != nil {
		return "", err
	}
	id := newID()
	err = s.inTx(ctx, "ask for a code", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM email_code WHERE expires_ms <= $1`, sqldb.Ms(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, putEmailCode, id, browser.hash(), orNull(string(person)), purpose, email, sqldb.Ms(now.Add(emailCodeFor)))
		if err != nil {
			return err
		}
		return notify.Enqueue(ctx, tx, notify.Message{Channel: notify.Email, Kind: kindCode, Person: string(person), Subject: id, Recipient: email}, now)
	})
	return browser, err
}

const emailCodeAsked = `
SELECT COALESCE(person_id, ''), purpose
  FROM email_code
 WHERE id = $1
   AND expires_ms > $2`

const setEmailCode = `
UPDATE email_code
   SET hash = $2
 WHERE id = $1`

// drawEmailCode makes the code of a request when its message leaves. It fails
// with [notify.ErrNothing] where the request is over or was nobody's.
func (s *Store) drawEmailCode(ctx context.Context, id string, now time.Time) (PersonID, ShortCode, error) {
	var person PersonID
	var purpose string
	err := s.db.QueryRowContext(ctx, emailCodeAsked, id, sqldb.Ms(now)).Scan(&person, &purpose)
	if errors.Is(err, sql.ErrNoRows) || err == nil && person == "" {
		return "", ShortCode{}, notify.ErrNothing
	}
	if err != nil {
		return "", ShortCode{}, fmt.Errorf("code %s: %w", id, err)
	}
	code, err := newShortCode()
	if err != nil {
		return "", ShortCode{}, err
	}
	hash, err := s.hash(ctx, code.text)
	if err != nil {
		return "", ShortCode{}, fmt.Errorf("code %s: %w", id, err)
	}
	if _, err := s.db.ExecContext(ctx, setEmailCode, id, hash); err != nil {
		return "", ShortCode{}, fmt.Errorf("code %s: %w", id, err)
	}
	return person, code, nil
}

// The try is counted before the code is looked at.
const tryEmailCode = `
UPDATE email_code
   SET tries = tries + 1
 WHERE browser_hash = $1
   AND purpose = $2
   AND expires_ms > $3
   AND tries < $4
RETURNING id, COALESCE(person_id, ''), email, COALESCE(hash, '')`

// An asked is a request whose code was right.
type asked struct {
	id     string
	person PersonID
	email  string
}

// answer tries the code of an e-mail from the browser that asked for it. It takes
// as long where there is none; every refusal is [ErrCodeWrong].
func (s *Store) answer(ctx context.Context, browser Token, purpose string, code ShortCode, now time.Time) (asked, error) {
	var a asked
	var hash string
	err := s.db.QueryRowContext(ctx, tryEmailCode, browser.hash(), purpose, sqldb.Ms(now), emailCodeTries).
		Scan(&a.id, &a.person, &a.email, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return asked{}, fmt.Errorf("try a code: %w", err)
	}
	right, err := s.guessPassword(ctx, hash, code.text)
	if err != nil {
		return asked{}, fmt.Errorf("try code %s: %w", a.id, err)
	}
	if !right || a.person == "" {
		return asked{}, ErrCodeWrong
	}
	return a, nil
}

// use ends a request: its code works once, whoever else has it at this moment.
func (a asked) use(ctx context.Context, tx *sql.Tx) error {
	done, err := tx.ExecContext(ctx, `DELETE FROM email_code WHERE id = $1`, a.id)
	if err != nil {
		return err
	}
	return one(done, ErrCodeWrong)
}

// SignInByEmail opens a session with the code of an e-mail, for the browser that
// asked for it, once. Every refusal is [ErrCodeWrong].
func (s *Store) SignInByEmail(ctx context.Context, browser Token, code ShortCode, a Arrival) (Entry, error) {
	asked, err := s.answer(ctx, browser, toSignIn, code, a.At)
	if err != nil {
		return Entry{}, err
	}
	var entry Entry
	err = s.inTx(ctx, "sign in person "+string(asked.person), func(tx *sql.Tx) error {
		if err := asked.use(ctx, tx); err != nil {
			return err
		}
		entry, err = open(ctx, tx, asked.person, ByEmail, a)
		return err
	})
	return entry, err
}

const setEmail = `
UPDATE way_in
   SET email = $2
 WHERE person_id = $1
   AND NOT EXISTS (SELECT 1
                     FROM way_in other
                    WHERE other.email = $2
                      AND other.person_id <> $1)`

// errEmailTaken is told only to who reads the mailbox.
var errEmailTaken = &problem.Error{Kind: problem.Conflict, Message: "email.taken"}

// ConfirmEmail makes the address of a code the way in of the session's person,
// and ends the code of the letter. The address of before is told. A wrong code is
// [ErrCodeWrong]; an address that is another person's, a problem Conflict.
func (s *Store) ConfirmEmail(ctx context.Context, session Session, browser Token, code ShortCode, now time.Time) error {
	asked, err := s.answer(ctx, browser, toConfirm, code, now)
	if err != nil {
		return err
	}
	if asked.person != session.Person.ID {
		return ErrCodeWrong
	}
	return s.inTx(ctx, "set the address of person "+string(asked.person), func(tx *sql.Tx) error {
		if err := asked.use(ctx, tx); err != nil {
			return err
		}
		before, err := emailOf(ctx, tx, asked.person)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, setEmail, string(asked.person), asked.email)
		if err != nil {
			return err
		}
		if err := one(done, errEmailTaken); err != nil {
			return err
		}
		if err := endCode(ctx, tx, asked.person); err != nil {
			return err
		}
		return tell(ctx, tx, asked.person, before, now)
	})
}
