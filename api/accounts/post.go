package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/problem"
)

const mayGive = `
SELECT COUNT(*)
  FROM (SELECT id AS residence_id
          FROM residence
         WHERE id = $2
         UNION ALL
        SELECT NULL
         WHERE $2 = '') AS held
 WHERE ` + covers

// errNoPlace is a residence that there is not, or not for this administrator.
var errNoPlace = problem.OfFields([]problem.Field{{Name: "residence", Message: "staff.no_residence"}})

func checkPost(post Post) []problem.Field {
	if slices.Contains(Roles, post.Role) {
		return nil
	}
	names := make([]string, len(Roles))
	for i, role := range Roles {
		names[i] = string(role)
	}
	return []problem.Field{{Name: "role", Message: "field.not_one_of", Args: []any{strings.Join(names, ", ")}}}
}

// may holds that the administrator may give and take the post.
func may(ctx context.Context, tx *sql.Tx, by PersonID, post Post) error {
	if err := problem.OfFields(checkPost(post)); err != nil {
		return err
	}
	var rights int
	if err := tx.QueryRowContext(ctx, mayGive, string(by), post.Residence).Scan(&rights); err != nil {
		return err
	}
	if rights == 0 {
		return errNoPlace
	}
	return nil
}

const putRole = `
INSERT INTO staff_role (person_id, role, residence_id)
VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING`

func putPost(ctx context.Context, tx *sql.Tx, person PersonID, post Post) error {
	_, err := tx.ExecContext(ctx, putRole, string(person), string(post.Role), orNull(post.Residence))
	return err
}

// PutStaff gives posts within the transaction of a load. It takes none away.
func PutStaff(ctx context.Context, tx *sql.Tx, members []Member) error {
	for _, m := range members {
		if err := putPost(ctx, tx, m.Person.ID, m.Post); err != nil {
			return fmt.Errorf("role %s of person %s: %w", m.Post.Role, m.Person.ID, err)
		}
	}
	return nil
}

// AddMember makes a person with a first post; the person is to be invited then.
// Faults are of the fields "name", "language", "role" and "residence".
func (s *Store) AddMember(ctx context.Context, by PersonID, name, language string, post Post) (Person, error) {
	p := Person{ID: NewPersonID(), Name: strings.TrimSpace(name), Language: language, Version: 1}
	if err := problem.OfFields(CheckPerson(p)); err != nil {
		return Person{}, err
	}
	err := s.inTx(ctx, "add person "+string(p.ID)+" to the staff", func(tx *sql.Tx) error {
		if err := may(ctx, tx, by, post); err != nil {
			return err
		}
		if err := Put(ctx, tx, []Person{p}); err != nil {
			return err
		}
		return putPost(ctx, tx, p.ID, post)
	})
	return p, err
}

// longestName is the most characters of a person's name.
const longestName = 200

// CheckPerson returns what is wrong with a person's fields "name" and "language".
func CheckPerson(p Person) []problem.Field {
	faults := checkText("name", p.Name, longestName)
	if p.Language != "fr" && p.Language != "en" {
		faults = append(faults, problem.Field{Name: "language", Message: "field.not_one_of", Args: []any{"fr, en"}})
	}
	return faults
}

// Unreadable reports whether r has no place in a name: controls, and marks that
// turn the direction of what follows, which would let a name read as another.
func Unreadable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// checkText holds a text of one line to at most so many characters.
func checkText(field, text string, most int) []problem.Field {
	switch {
	case strings.TrimSpace(text) == "":
		return []problem.Field{{Name: field, Message: "field.missing"}}
	case utf8.RuneCountInString(text) > most:
		return []problem.Field{{Name: field, Message: "field.too_long", Args: []any{most}}}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, Unreadable):
		return []problem.Field{{Name: field, Message: "field.malformed"}}
	}
	return nil
}

// Somebody in the residence is one who lives or helps there, or who has a role
// there; $1 is the administrator, $2 the person.
const isKnown = `
SELECT COUNT(*)
  FROM person
 WHERE person.id = $2
   AND (EXISTS (SELECT 1
                  FROM staff_role held
                 WHERE held.person_id = person.id
                   AND ` + covers + `)
     OR EXISTS (SELECT 1
                  FROM sight
                  JOIN tenancy ON tenancy.household_id = sight.household_id
                  JOIN dwelling held ON held.id = tenancy.dwelling_id
                 WHERE sight.viewer_id = person.id
                   AND ` + covers + `)
     OR EXISTS (SELECT 1
                  FROM staff_role mine
                 WHERE mine.person_id = $1
                   AND mine.role = 'administrator'
                   AND mine.residence_id IS NULL))`

// GiveRole gives a person a post, again without effect. A person of whom the
// administrator knows nothing is [ErrNoPerson]; a residence that is not the
// administrator's, a fault of the field "residence".
func (s *Store) GiveRole(ctx context.Context, by, person PersonID, post Post) error {
	return s.inTx(ctx, "give person "+string(person)+" a role", func(tx *sql.Tx) error {
		if err := may(ctx, tx, by, post); err != nil {
			return err
		}
		var known int
		if err := tx.QueryRowContext(ctx, isKnown, string(by), string(person)).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return ErrNoPerson
		}
		return putPost(ctx, tx, person, post)
	})
}

// The administrators of every residence are locked, so that of two who take
// each other's role at once the second finds itself the last.
const lockAdministrators = `
UPDATE staff_role
   SET role = role
 WHERE role = 'administrator'
   AND residence_id IS NULL`

const countAdministrators = `
SELECT COUNT(*)
  FROM staff_role
 WHERE role = 'administrator'
   AND residence_id IS NULL`

const dropRole = `
DELETE FROM staff_role
 WHERE person_id = $1
   AND role = $2
   AND COALESCE(residence_id, '') = $3`

var (
	errNoRole    = &problem.Error{Kind: problem.NotFound, Message: "staff.no_role"}
	errLastAdmin = &problem.Error{Kind: problem.Conflict, Message: "staff.last_administrator"}
)

// TakeRole takes a post from a person, from the next request on. The last
// administrator of every residence stays: a problem Conflict.
func (s *Store) TakeRole(ctx context.Context, by, person PersonID, post Post) error {
	return s.inTx(ctx, "take a role from person "+string(person), func(tx *sql.Tx) error {
		if err := may(ctx, tx, by, post); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, lockAdministrators); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, dropRole, string(person), string(post.Role), post.Residence)
		if err != nil {
			return err
		}
		if err := one(done, errNoRole); err != nil {
			return err
		}
		if post != (Post{Role: Administrator}) {
			return nil
		}
		var left int
		if err := tx.QueryRowContext(ctx, countAdministrators).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			return errLastAdmin
		}
		return nil
	})
}

// ErrAdministrated is what making the first administrator fails with where there
// is one.
var ErrAdministrated = errors.New("there is an administrator already")

// FirstAdministrator makes a person who administers every residence, where
// nobody does yet, and returns the code to sign in with until expires.
func (s *Store) FirstAdministrator(ctx context.Context, name, language string, expires time.Time) (Person, Code, error) {
	p := Person{ID: NewPersonID(), Name: strings.TrimSpace(name), Language: language, Version: 1}
	if err := problem.OfFields(CheckPerson(p)); err != nil {
		return Person{}, Code{}, err
	}
	err := s.inTx(ctx, "make the first administrator", func(tx *sql.Tx) error {
		var count int
		if err := tx.QueryRowContext(ctx, countAdministrators).Scan(&count); err != nil {
			return err
		}
		if count > 0 {
			return ErrAdministrated
		}
		if err := Put(ctx, tx, []Person{p}); err != nil {
			return err
		}
		return putPost(ctx, tx, p.ID, Post{Role: Administrator})
	})
	if err != nil {
		return Person{}, Code{}, err
	}
	code, err := s.Invite(ctx, p.ID, expires)
	return p, code, err
}
