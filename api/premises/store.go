package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Store keeps premises. It may be used from several goroutines.
type Store struct {
	db    *sql.DB
	atlas atlas
}

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB) *Store { return &Store{db: db} }

// What staff may do, each in the residences of their role. $1 is the person; the
// statement has a table or alias dwelling, or residence, of the row in question.
const (
	mayReadStock = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'manager', 'installer', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id))`

	mayChangeStock = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('manager', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id))`

	mayReadResidence = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'manager', 'installer', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

	mayChangeResidence = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role = 'administrator'
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

	// Of a household's homes, those of today and later count, or the last.
	mayReadPeople = `
EXISTS (SELECT 1
          FROM staff_role
          JOIN tenancy AS lived ON lived.household_id = household.id
          JOIN dwelling AS home ON home.id = lived.dwelling_id
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'manager', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = home.residence_id)
           AND (lived.moved_out IS NULL OR lived.moved_out > $2
            OR NOT EXISTS (SELECT 1
                             FROM tenancy AS later
                            WHERE later.household_id = lived.household_id
                              AND later.moved_in > lived.moved_in)))`

	mayChangePeople = `
EXISTS (SELECT 1
          FROM staff_role
          JOIN tenancy AS lived ON lived.household_id = household.id
          JOIN dwelling AS home ON home.id = lived.dwelling_id
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('manager', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = home.residence_id)
           AND (lived.moved_out IS NULL OR lived.moved_out > $2
            OR NOT EXISTS (SELECT 1
                             FROM tenancy AS later
                            WHERE later.household_id = lived.household_id
                              AND later.moved_in > lived.moved_in)))`
)

func notFound(key string) error { return &problem.Error{Kind: problem.NotFound, Message: key} }

// found turns what is not there into the problem NotFound of that key.
func found(err error, key string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(key)
	}
	return err
}

// changedOne tells why an update changed nothing: the row has another version,
// or is not there for who asked.
func changedOne(done sql.Result, there func() error) error {
	n, err := done.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	if err := there(); err != nil {
		return err
	}
	return resource.ErrStale
}

const residenceColumns = `residence.id, residence.name, residence.zone, residence.earliest_ms, residence.street,
       residence.postcode, residence.town, residence.heat_individual_percent, residence.version`

func scanResidence(scan func(...any) error) (Residence, error) {
	var r Residence
	var zone string
	var earliestMs int64
	err := scan(&r.ID, &r.Name, &zone, &earliestMs, &r.Street, &r.Postcode, &r.Town, &r.HeatIndividualPercent, &r.Version)
	if err != nil {
		return Residence{}, err
	}
	r.Earliest = sqldb.Time(earliestMs)
	if r.Zone, err = time.LoadLocation(zone); err != nil {
		return Residence{}, fmt.Errorf("residence %s: zone %q: %w", r.ID, zone, err)
	}
	return r, nil
}

const everyResidence = `
SELECT ` + residenceColumns + `
  FROM residence
 ORDER BY id`

// Residences lists every residence by id, for the program itself; people are
// given [Store.ResidencesOf].
func (s *Store) Residences(ctx context.Context) ([]Residence, error) {
	rows, err := s.db.QueryContext(ctx, everyResidence)
	if err != nil {
		return nil, fmt.Errorf("residences: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Residence, error) { return scanResidence(rows.Scan) })
	if err != nil {
		return nil, fmt.Errorf("residences: %w", err)
	}
	return all, nil
}

const residents = `
SELECT DISTINCT membership.person_id
  FROM membership
  JOIN tenancy ON tenancy.household_id = membership.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE dwelling.residence_id = $1
   AND membership.from_date <= $2
   AND (membership.to_date IS NULL OR membership.to_date > $2)
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
 ORDER BY membership.person_id`

// Residents lists the persons who live in the residence on the day today or
// have a tenancy that begins later, by id.
func (s *Store) Residents(ctx context.Context, residence metering.SiteID, today civil.Date) ([]accounts.PersonID, error) {
	rows, err := s.db.QueryContext(ctx, residents, string(residence), today.String())
	if err != nil {
		return nil, fmt.Errorf("residents of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (id accounts.PersonID, err error) {
		return id, rows.Scan(&id)
	})
	if err != nil {
		return nil, fmt.Errorf("residents of %s: %w", residence, err)
	}
	return all, nil
}
