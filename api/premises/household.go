package premises

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Home is a household where it lives on a day: in the home it moved to last,
// or in the first to come.
type Home struct {
	Household Household
	Tenancy   Tenancy
	Dwelling  Dwelling // its fields are those of the door
	Names     []string // of the members, in alphabetical order
}

// The home of a day ($2): the last that was moved to, or the first to come.
const homes = `
SELECT home.household_id, home.occupants, home.language, home.contact_by, home.version,
       home.tenancy_id, home.moved_in, home.moved_out,
       home.dwelling_id, home.residence_id, home.building, home.staircase, home.floor, home.label,
       COALESCE(person.name, '')
  FROM (SELECT household.id AS household_id, household.occupants, household.language, household.contact_by, household.version,
               tenancy.id AS tenancy_id, tenancy.moved_in, COALESCE(tenancy.moved_out, '') AS moved_out,
               dwelling.id AS dwelling_id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.floor, dwelling.label
          FROM tenancy
          JOIN dwelling ON dwelling.id = tenancy.dwelling_id
          JOIN household ON household.id = tenancy.household_id
         WHERE ($3 = '' OR dwelling.residence_id = $3)
           AND ($4 = '' OR dwelling.building = $4)
           AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
           AND NOT EXISTS (SELECT 1
                             FROM tenancy AS other
                            WHERE other.household_id = tenancy.household_id
                              AND other.id <> tenancy.id
                              AND (other.moved_out IS NULL OR other.moved_out > $2)
                              AND (other.moved_in < tenancy.moved_in OR other.moved_in = tenancy.moved_in AND other.id < tenancy.id))
           AND ($5 = '' OR (dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.floor, dwelling.label, dwelling.id, tenancy.id) >
                           (SELECT place.residence_id, place.building, place.staircase, place.floor, place.label, place.id, before.id
                              FROM tenancy AS before
                              JOIN dwelling AS place ON place.id = before.dwelling_id
                             WHERE before.id = $5))
           AND EXISTS (SELECT 1
                         FROM staff_role
                        WHERE staff_role.person_id = $1
                          AND staff_role.role IN ('advisor', 'manager', 'administrator')
                          AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id))
         ORDER BY dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.floor, dwelling.label, dwelling.id, tenancy.id
         LIMIT $6) AS home
  LEFT JOIN membership ON membership.household_id = home.household_id
                      AND (membership.to_date IS NULL OR membership.to_date > $2)
  LEFT JOIN person ON person.id = membership.person_id
 ORDER BY home.residence_id, home.building, home.staircase, home.floor, home.label, home.dwelling_id, home.tenancy_id, person.name`

// Homes lists the households that live in the residences of staff, or will, by
// door: one more than the page holds where the list goes on. A page goes on
// after the id of a tenancy. Names are shown; whatever else is of a household is
// in its sheet, which is logged.
func (s *Store) Homes(ctx context.Context, staff accounts.PersonID, f Filter, now time.Time) ([]Home, error) {
	limit := int64(f.Limit) + 1
	if f.Search != "" {
		limit = 1 << 31
	}
	rows, err := s.db.QueryContext(ctx, homes, string(staff), today(now), string(f.Residence), f.Building, f.After, limit)
	if err != nil {
		return nil, fmt.Errorf("homes: %w", err)
	}
	all, err := someHomes(rows, f)
	if err != nil {
		return nil, fmt.Errorf("homes: %w", err)
	}
	return all, nil
}

// someHomes joins the rows of one home, of which each bears one name, and keeps
// the homes that the search fits.
func someHomes(rows *sql.Rows, f Filter) ([]Home, error) {
	defer rows.Close()
	words := folded(f.Search)
	var all []Home
	var last Home
	keep := func() {
		if last.Tenancy.ID != "" && fits(last.text(), words) {
			all = append(all, last)
		}
	}
	for len(all) <= f.Limit && rows.Next() {
		h, err := scanHome(rows)
		if err != nil {
			return nil, err
		}
		if h.Tenancy.ID == last.Tenancy.ID {
			last.Names = append(last.Names, h.Names...)
			continue
		}
		keep()
		last = h
	}
	if len(all) <= f.Limit {
		keep()
	}
	return all, rows.Err()
}

func (h Home) text() string {
	d := h.Dwelling
	text := string(d.ID) + " " + d.Building + " " + d.Staircase + " " + d.Label + " " + string(h.Household.ID)
	for _, name := range h.Names {
		text += " " + name
	}
	return text
}

func scanHome(rows *sql.Rows) (Home, error) {
	var h Home
	var name, movedIn, movedOut string
	d, t := &h.Dwelling, &h.Tenancy
	err := rows.Scan(&h.Household.ID, &h.Household.Occupants, &h.Household.Language, &h.Household.Contact.By, &h.Household.Version,
		&t.ID, &movedIn, &movedOut, &d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Floor, &d.Label, &name)
	if err != nil {
		return Home{}, err
	}
	if name != "" {
		h.Names = []string{name}
	}
	t.Household, t.Dwelling = h.Household.ID, d.ID
	return h, parseDates(dated{movedIn, &t.MovedIn}, dated{movedOut, &t.MovedOut})
}

// A Sheet is all that staff see of a household besides what it used.
type Sheet struct {
	Household Household
	Stays     []Stayed   // the last first
	Members   []Member   // those who left included, the last at the end
	Mandates  []Mandate  // those over included, the last at the end
	Today     civil.Date // in the zone of the home moved to last
}

// A Stayed is a tenancy with the door of its dwelling and its residence.
type Stayed struct {
	Tenancy
	Door      Dwelling
	Residence Residence
}

// A Member is a person of a household with the membership.
type Member struct {
	accounts.Person
	Membership
	Invited bool // has had a code, or another way in
}

const householdByID = `
SELECT household.id, household.occupants, household.language, household.contact_by, household.telephone, household.email, household.version
  FROM household
 WHERE household.id = $3
   AND` + mayReadPeople

// Household returns a household for staff who are about to change it, without a
// trace: [Store.Sheet] is what they look at. It fails with the problem NotFound
// "household.none".
func (s *Store) Household(ctx context.Context, staff accounts.PersonID, id HouseholdID, now time.Time) (Household, error) {
	var h Household
	err := s.db.QueryRowContext(ctx, householdByID, string(staff), today(now), string(id)).
		Scan(&h.ID, &h.Occupants, &h.Language, &h.Contact.By, &h.Contact.Telephone, &h.Contact.Email, &h.Version)
	if err != nil {
		return Household{}, fmt.Errorf("household %s: %w", id, found(err, "household.none"))
	}
	return h, nil
}

// Sheet returns the sheet of a household and writes down that it was looked at.
// It fails with the problem NotFound "household.none" where staff may not.
func (s *Store) Sheet(ctx context.Context, l Look) (Sheet, error) {
	if err := s.Look(ctx, l); err != nil {
		return Sheet{}, err
	}
	var sheet Sheet
	var err error
	if sheet.Household, err = s.Household(ctx, l.Staff, l.Household, l.At); err != nil {
		return Sheet{}, err
	}
	if sheet.Stays, err = s.stays(ctx, l.Household); err != nil {
		return Sheet{}, fmt.Errorf("household %s: %w", l.Household, err)
	}
	sheet.Today = civil.DateIn(l.At, time.UTC)
	if len(sheet.Stays) > 0 {
		sheet.Today = civil.DateIn(l.At, sheet.Stays[0].Residence.Zone)
	}
	if sheet.Members, err = s.members(ctx, l.Household); err != nil {
		return Sheet{}, fmt.Errorf("household %s: %w", l.Household, err)
	}
	if sheet.Mandates, err = s.mandatesOf(ctx, l.Household); err != nil {
		return Sheet{}, fmt.Errorf("household %s: %w", l.Household, err)
	}
	return sheet, nil
}

const staysOf = `
SELECT tenancy.id, tenancy.household_id, tenancy.dwelling_id, tenancy.moved_in, COALESCE(tenancy.moved_out, ''), tenancy.version,
       dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label, dwelling.floor,
       ` + residenceColumns + `
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE tenancy.household_id = $1
 ORDER BY tenancy.moved_in DESC, tenancy.id`

func (s *Store) stays(ctx context.Context, id HouseholdID) ([]Stayed, error) {
	rows, err := s.db.QueryContext(ctx, staysOf, string(id))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (Stayed, error) {
		var t Stayed
		var movedIn, movedOut string
		var err error
		d := &t.Door
		t.Residence, err = scanResidence(func(residence ...any) error {
			return rows.Scan(append([]any{&t.ID, &t.Household, &t.Tenancy.Dwelling, &movedIn, &movedOut, &t.Version,
				&d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Label, &d.Floor}, residence...)...)
		})
		if err != nil {
			return Stayed{}, err
		}
		return t, parseDates(dated{movedIn, &t.MovedIn}, dated{movedOut, &t.MovedOut})
	})
}

const membersOf = `
SELECT person.id, person.name, person.language, person.version, membership.household_id,
       membership.from_date, COALESCE(membership.to_date, ''), membership.version, way_in.person_id IS NOT NULL
  FROM membership
  JOIN person ON person.id = membership.person_id
  LEFT JOIN way_in ON way_in.person_id = person.id
 WHERE membership.household_id = $1
 ORDER BY CASE WHEN membership.to_date IS NULL THEN 0 ELSE 1 END, membership.to_date DESC, person.name, person.id`

func (s *Store) members(ctx context.Context, id HouseholdID) ([]Member, error) {
	rows, err := s.db.QueryContext(ctx, membersOf, string(id))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, scanMember)
}

func scanMember(rows *sql.Rows) (Member, error) {
	var m Member
	var from, to string
	err := rows.Scan(&m.ID, &m.Name, &m.Language, &m.Person.Version, &m.Household, &from, &to, &m.Membership.Version, &m.Invited)
	if err != nil {
		return Member{}, err
	}
	m.Membership.Person = m.ID
	return m, parseDates(dated{from, &m.From}, dated{to, &m.To})
}

const updateContact = `
UPDATE household
   SET contact_by = $5,
       telephone = $6,
       email = $7,
       version = version + 1
 WHERE id = $3
   AND version = $4
   AND` + mayReadPeople

const updateHousehold = `
UPDATE household
   SET contact_by = $5,
       telephone = $6,
       email = $7,
       occupants = $8,
       language = $9,
       version = version + 1
 WHERE id = $3
   AND version = $4
   AND` + mayChangePeople

// UpdateContact changes how a household is reached, which the advisor may as
// well, and writes it down. It fails with NotFound "household.none" where staff
// may not, and with [resource.ErrStale] where h.Version is not its version.
func (s *Store) UpdateContact(ctx context.Context, l Look, h Household) error {
	return s.updateHousehold(ctx, l, updateContact, h)
}

// UpdateHousehold changes all of a household, as managers and administrators
// may; it fails as [Store.UpdateContact] does.
func (s *Store) UpdateHousehold(ctx context.Context, l Look, h Household) error {
	return s.updateHousehold(ctx, l, updateHousehold, h, h.Occupants, h.Language)
}

func (s *Store) updateHousehold(ctx context.Context, l Look, update string, h Household, more ...any) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := l.write(ctx, tx); err != nil {
			return err
		}
		args := append([]any{string(l.Staff), today(l.At), string(h.ID), h.Version,
			string(orLetter(h.Contact.By)), h.Contact.Telephone, h.Contact.Email}, more...)
		done, err := tx.ExecContext(ctx, update, args...)
		if err != nil {
			return err
		}
		return changedOne(done, func() error {
			if len(more) == 0 {
				return nil // who may look may change the contact
			}
			return changeable(ctx, tx, l)
		})
	})
	if err != nil {
		return fmt.Errorf("update household %s: %w", h.ID, err)
	}
	return nil
}

const changeableHousehold = `
SELECT 1
  FROM household
 WHERE household.id = $3
   AND` + mayChangePeople

// changeable fails with NotFound "household.none" unless managers' and
// administrators' roles of the person cover the household.
func changeable(ctx context.Context, tx *sql.Tx, l Look) error {
	var one int
	return found(tx.QueryRowContext(ctx, changeableHousehold, string(l.Staff), today(l.At), string(l.Household)).Scan(&one), "household.none")
}

func orLetter(c Channel) Channel {
	if c == "" {
		return Letter
	}
	return c
}
