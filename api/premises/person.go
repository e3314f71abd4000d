package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Resident is a person in a household, as a list shows them.
type Resident struct {
	Person    accounts.PersonID
	Name      string
	Language  string
	Household HouseholdID
	From, To  civil.Date
}

// Key is what a list of residents goes on after.
func (r Resident) Key() string { return string(r.Person) + " " + string(r.Household) }

const persons = `
SELECT person.id, person.name, person.language, household.id, membership.from_date, COALESCE(membership.to_date, '')
  FROM membership
  JOIN person ON person.id = membership.person_id
  JOIN household ON household.id = membership.household_id
 WHERE (membership.to_date IS NULL OR membership.to_date > $2)
   AND (membership.person_id, membership.household_id) > ($4, $5)
   AND ($3 = ''
    OR EXISTS (SELECT 1
                 FROM tenancy
                 JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                WHERE tenancy.household_id = household.id
                  AND dwelling.residence_id = $3
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)))
   AND` + mayReadPeople + `
 ORDER BY membership.person_id, membership.household_id`

// Persons lists the members of the households of staff's residences by id: one
// more than the page holds where the list goes on.
func (s *Store) Persons(ctx context.Context, staff accounts.PersonID, f Filter, now time.Time) ([]Resident, error) {
	person, household, _ := strings.Cut(f.After, " ")
	rows, err := s.pageOf(ctx, persons, f, string(staff), today(now), string(f.Residence), person, household)
	if err != nil {
		return nil, fmt.Errorf("persons: %w", err)
	}
	all, err := some(rows, f, scanResident, func(r Resident) string { return r.Name + " " + string(r.Person) })
	if err != nil {
		return nil, fmt.Errorf("persons: %w", err)
	}
	return all, nil
}

func scanResident(rows *sql.Rows) (r Resident, err error) {
	var from, to string
	if err := rows.Scan(&r.Person, &r.Name, &r.Language, &r.Household, &from, &to); err != nil {
		return Resident{}, err
	}
	return r, parseDates(dated{from, &r.From}, dated{to, &r.To})
}

// The households through which staff may know a person: as a member, or as a
// helper while a mandate lasts.
const householdsOfPerson = `
SELECT household.id
  FROM household
 WHERE (household.id IN (SELECT membership.household_id
                           FROM membership
                          WHERE membership.person_id = $3
                            AND (membership.to_date IS NULL OR membership.to_date > $2))
     OR household.id IN (SELECT mandate.household_id
                           FROM mandate
                          WHERE mandate.helper_id = $3
                            AND mandate.revoked_ms IS NULL
                            AND mandate.to_date > $2))
   AND`

const (
	readPersonBy   = householdsOfPerson + mayReadPeople + "\n ORDER BY household.id"
	changePersonBy = householdsOfPerson + mayChangePeople + "\n ORDER BY household.id"
)

// A Known is a person as staff know them: a member or a helper of households.
type Known struct {
	accounts.Person
	Households []HouseholdID // those that staff may look at
}

// Person returns a person whom staff may know, and writes down for each of the
// person's households that it was looked at. It fails with the problem NotFound
// "person.none".
func (s *Store) Person(ctx context.Context, l Look, id accounts.PersonID) (Known, error) {
	var k Known
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) (err error) {
		if k.Households, err = knownBy(ctx, tx, readPersonBy, l, id); err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT id, name, language, version FROM person WHERE id = $1`, string(id)).
			Scan(&k.ID, &k.Name, &k.Language, &k.Version)
		return found(err, "person.none")
	})
	if err != nil {
		return Known{}, fmt.Errorf("person %s: %w", id, err)
	}
	return k, nil
}

// knownBy writes the look down for each household through which staff may know
// the person, and fails with NotFound "person.none" where there is none.
func knownBy(ctx context.Context, tx *sql.Tx, query string, l Look, id accounts.PersonID) ([]HouseholdID, error) {
	rows, err := tx.QueryContext(ctx, query, string(l.Staff), today(l.At), string(id))
	if err != nil {
		return nil, err
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (h HouseholdID, err error) { return h, rows.Scan(&h) })
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, notFound("person.none")
	}
	for _, l.Household = range all {
		if err := l.write(ctx, tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// UpdatePerson changes the name and the language of a person of whose household
// staff are managers or administrators, and writes it down. It fails with
// NotFound "person.none", or [resource.ErrStale] where p.Version is not theirs.
func (s *Store) UpdatePerson(ctx context.Context, l Look, p accounts.Person) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := knownBy(ctx, tx, changePersonBy, l, p.ID); err != nil {
			return err
		}
		return accounts.Update(ctx, tx, p)
	})
	if err != nil {
		return fmt.Errorf("update person %s: %w", p.ID, err)
	}
	return nil
}

// A NewPerson is somebody who gets an account.
type NewPerson struct{ Name, Language string }

// Limits of what changes a household: how far from today a day may lie, and how
// many members a household may have.
const (
	mostPastDays   = 92
	mostFutureDays = 366
	mostMembers    = 30
)

const insertMembership = `
INSERT INTO membership (person_id, household_id, from_date)
VALUES ($1, $2, $3)`

// AddMember makes a person who belongs to the household of the look from a day
// on, and writes it down. It fails with NotFound "household.none" where staff may
// not change it, and with Invalid where the day is too far.
func (s *Store) AddMember(ctx context.Context, l Look, n NewPerson, from civil.Date) (accounts.PersonID, error) {
	if err := problem.OfFields(tooFar("from", from, l.At)); err != nil {
		return "", err
	}
	var id accounts.PersonID
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) (err error) {
		if err := l.write(ctx, tx); err != nil {
			return err
		}
		if err := changeable(ctx, tx, l); err != nil {
			return err
		}
		var members int
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM membership WHERE household_id = $1 AND to_date IS NULL`, string(l.Household)).Scan(&members)
		if err != nil {
			return err
		}
		if members >= mostMembers {
			return &problem.Error{Kind: problem.Conflict, Message: "household.full", Args: []any{mostMembers}}
		}
		id, err = addMember(ctx, tx, l.Household, n, from)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("add a member to household %s: %w", l.Household, err)
	}
	return id, nil
}

func addMember(ctx context.Context, tx *sql.Tx, h HouseholdID, n NewPerson, from civil.Date) (accounts.PersonID, error) {
	p := accounts.Person{ID: accounts.PersonID(newID()), Name: n.Name, Language: n.Language}
	if err := accounts.Put(ctx, tx, []accounts.Person{p}); err != nil {
		return "", err
	}
	_, err := tx.ExecContext(ctx, insertMembership, string(p.ID), string(h), from.String())
	return p.ID, err
}

// tooFar is the fault of a day that lies too far from the day of now.
func tooFar(field string, d civil.Date, now time.Time) []problem.Field {
	day := civil.DateIn(now, time.UTC)
	switch {
	case d.Before(day.AddDays(-mostPastDays)):
		return []problem.Field{{Name: field, Message: "field.too_early", Args: []any{mostPastDays}}}
	case day.AddDays(mostFutureDays).Before(d):
		return []problem.Field{{Name: field, Message: "field.too_late", Args: []any{mostFutureDays}}}
	default:
		return nil
	}
}

// A Departure says that a person leaves a household: on the day On, and after,
// they see nothing of it any more.
type Departure struct {
	Person  accounts.PersonID
	On      civil.Date
	Version int64 // of the membership
}

const membershipOf = `
SELECT from_date, version
  FROM membership
 WHERE person_id = $1
   AND household_id = $2
   AND (to_date IS NULL OR to_date > $3)
 ORDER BY from_date
 LIMIT 1`

const endMembership = `
UPDATE membership
   SET to_date = $4,
       version = version + 1
 WHERE person_id = $1
   AND household_id = $2
   AND from_date = $3
   AND version = $5`

const dropMembership = `
DELETE FROM membership
 WHERE person_id = $1
   AND household_id = $2
   AND from_date = $3
   AND version = $4`

// Leave ends a person's membership in the household of the look, and writes it
// down: their access ends that day, and that of the helpers to whom they gave a
// mandate. Who leaves before the day of joining was never there. It fails with
// NotFound "household.none" or "person.none", with Invalid where the day is too
// far, and with [resource.ErrStale].
func (s *Store) Leave(ctx context.Context, l Look, d Departure) error {
	if err := problem.OfFields(tooFar("on", d.On, l.At)); err != nil {
		return err
	}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := l.write(ctx, tx); err != nil {
			return err
		}
		if err := changeable(ctx, tx, l); err != nil {
			return err
		}
		var from string
		var version int64
		err := tx.QueryRowContext(ctx, membershipOf, string(d.Person), string(l.Household), today(l.At)).Scan(&from, &version)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return notFound("person.none")
		case err != nil:
			return err
		case version != d.Version:
			return resource.ErrStale
		case from >= d.On.String():
			_, err = tx.ExecContext(ctx, dropMembership, string(d.Person), string(l.Household), from, version)
		default:
			_, err = tx.ExecContext(ctx, endMembership, string(d.Person), string(l.Household), from, d.On.String(), version)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("person %s leaves household %s: %w", d.Person, l.Household, err)
	}
	return nil
}
