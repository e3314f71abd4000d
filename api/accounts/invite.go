package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const putSignIn = `
INSERT INTO sign_in (person_id, selector, hash, expires_ms, email)
SELECT id, $2, $3, $4, $5
  FROM person
 WHERE id = $1
    ON CONFLICT (person_id) DO UPDATE
   SET selector = excluded.selector,
       hash = excluded.hash,
       expires_ms = excluded.expires_ms,
       email = excluded.email`

// mostDraws bounds how often something is drawn again because it is taken.
const mostDraws = 20

// Invite gives the person a new code that works until expires, or until the
// person has chosen another way in. All ways in of before end, and the sessions
// and tokens they opened, because what must be replaced may be in other hands.
// It fails with [ErrNoPerson].
func (s *Store) Invite(ctx context.Context, person PersonID, expires time.Time) (Code, error) {
	return s.inviteBy(ctx, person, "", expires, func(*sql.Tx) error { return nil })
}

// inviteBy invites by e-mail where address is not empty: who signs in with the
// code has the address. Also is done in the same transaction.
func (s *Store) inviteBy(ctx context.Context, person PersonID, address string, expires time.Time, also func(*sql.Tx) error) (Code, error) {
	code, err := s.freeCode(ctx)
	if err != nil {
		return Code{}, fmt.Errorf("invite person %s: %w", person, err)
	}
	hash, err := s.hash(ctx, code.secret())
	if err != nil {
		return Code{}, fmt.Errorf("invite person %s: %w", person, err)
	}
	err = s.inTx(ctx, "invite person "+string(person), func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, putSignIn, string(person), code.selector(), hash, sqldb.Ms(expires), orNull(address))
		if err != nil {
			return err
		}
		if err := one(done, ErrNoPerson); err != nil {
			return err
		}
		if err := startOver(ctx, tx, person); err != nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return Code{}, err
	}
	return code, nil
}

const personalName = `
SELECT person.name, way_in.name
  FROM person
  LEFT JOIN way_in ON way_in.person_id = person.id
 WHERE person.id = $1`

const clearWays = `
INSERT INTO way_in (person_id, name)
VALUES ($1, $2)
    ON CONFLICT (person_id) DO UPDATE
   SET password_hash = NULL,
       password_ms = NULL,
       email = NULL`

// startOver ends the person's ways in other than the code, and names the person
// who has no sign-in name yet.
func startOver(ctx context.Context, tx *sql.Tx, person PersonID) error {
	var personal string
	var name sql.NullString
	if err := tx.QueryRowContext(ctx, personalName, string(person)).Scan(&personal, &name); err != nil {
		return err
	}
	if !name.Valid {
		var err error
		if name.String, err = freeName(ctx, tx, personal); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, clearWays, string(person), name.String); err != nil {
		return err
	}
	for _, drop := range []string{
		`DELETE FROM session WHERE person_id = $1`,
		`DELETE FROM api_token WHERE person_id = $1`,
		`DELETE FROM email_code WHERE person_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, drop, string(person)); err != nil {
			return err
		}
	}
	return nil
}

// The homes that the row named person may look at on the day $2, or will.
const sightOfPerson = `SELECT 1
                       FROM sight
                       JOIN tenancy ON tenancy.household_id = sight.household_id
                       JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                      WHERE sight.viewer_id = person.id
                        AND (sight.until_date IS NULL OR sight.until_date > $2)
                        AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)`

// isOurs holds that $1 invites persons in the residence of the row named dwelling.
const isOurs = `EXISTS (SELECT 1
                                      FROM staff_role mine
                                     WHERE mine.person_id = $1
                                       AND mine.role IN ('advisor', 'manager', 'administrator')
                                       AND (mine.residence_id IS NULL OR mine.residence_id = dwelling.residence_id))`

// invitable holds that $1 may invite the row named person on the day $2: a person
// with roles by who administers all of them; one without by who administers every
// residence, and by staff of the residence where they live, or will, or else
// where they help. Whoever lives elsewhere is not ours because they help or work
// here: the code opens their home as well.
const invitable = `(` + isBelow + `
        AND (NOT EXISTS (` + sightOfPerson + `
                        AND sight.scope = 'own'
                        AND NOT ` + isOurs + `))
     OR NOT EXISTS (SELECT 1
                      FROM staff_role held
                     WHERE held.person_id = person.id)
        AND (EXISTS (` + sightOfPerson + `
                        AND ` + isOurs + `)
             AND NOT EXISTS (` + sightOfPerson + `
                        AND sight.scope = 'own'
                        AND NOT ` + isOurs + `)
          OR EXISTS (SELECT 1
                       FROM staff_role mine
                      WHERE mine.person_id = $1
                        AND mine.role = 'administrator'
                        AND mine.residence_id IS NULL)))`

const mayInvite = `
SELECT COUNT(*)
  FROM person
 WHERE person.id = $3
   AND ` + invitable + ``

// MayInvite fails with [ErrNoPerson] unless somebody of the staff may invite the
// person today. Whoever invites holds the code, so nobody may invite a person
// who has a right that they could not give.
func (s *Store) MayInvite(ctx context.Context, by, person PersonID, today civil.Date) error {
	var may int
	if err := s.db.QueryRowContext(ctx, mayInvite, string(by), today.String(), string(person)).Scan(&may); err != nil {
		return fmt.Errorf("may %s invite person %s: %w", by, person, err)
	}
	if may == 0 {
		return ErrNoPerson
	}
	return nil
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

func orNull(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }
