package premises

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const residencesOf = `
SELECT ` + residenceColumns + `
  FROM residence
 WHERE residence.id > $2
   AND` + mayReadResidence + `
 ORDER BY residence.id
 LIMIT $3`

// ResidencesOf lists the residences in which the person is an advisor, manager,
// installer or administrator, by id: one more than the page holds where the list
// goes on.
func (s *Store) ResidencesOf(ctx context.Context, staff accounts.PersonID, p resource.Page) ([]Residence, error) {
	rows, err := s.db.QueryContext(ctx, residencesOf, string(staff), p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("residences of person %s: %w", staff, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Residence, error) { return scanResidence(rows.Scan) })
	if err != nil {
		return nil, fmt.Errorf("residences of person %s: %w", staff, err)
	}
	return all, nil
}

const residenceByID = `
SELECT ` + residenceColumns + `
  FROM residence
 WHERE residence.id = $2
   AND` + mayReadResidence

// Residence returns a residence that staff may read; it fails with the problem
// NotFound "residence.none".
func (s *Store) Residence(ctx context.Context, staff accounts.PersonID, id metering.SiteID) (Residence, error) {
	r, err := scanResidence(s.db.QueryRowContext(ctx, residenceByID, string(staff), string(id)).Scan)
	if err != nil {
		return Residence{}, fmt.Errorf("residence %s: %w", id, found(err, "residence.none"))
	}
	return r, nil
}

const createResidence = `
INSERT INTO residence (id, name, zone, earliest_ms, street, postcode, town, heat_individual_percent)
SELECT $2, $3, $4, $5, $6, $7, $8, $9
 WHERE EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role = 'administrator'
                  AND staff_role.residence_id IS NULL)
    ON CONFLICT (id) DO NOTHING`

// CreateResidence makes a residence. Only an administrator of all residences
// may: others get the problem Forbidden "role.missing". It fails with Conflict
// where the id is taken.
func (s *Store) CreateResidence(ctx context.Context, staff accounts.PersonID, r Residence) error {
	var all bool
	err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM staff_role WHERE person_id = $1 AND role = 'administrator' AND residence_id IS NULL`,
		string(staff)).Scan(&all)
	if err != nil {
		return fmt.Errorf("create residence %s: %w", r.ID, err)
	}
	if !all {
		return &problem.Error{Kind: problem.Forbidden, Message: "role.missing"}
	}
	done, err := s.db.ExecContext(ctx, createResidence, string(staff), string(r.ID), r.Name, r.Zone.String(),
		max(0, r.Earliest.UnixMilli()), r.Street, r.Postcode, r.Town, r.HeatIndividualPercent)
	if err != nil {
		return fmt.Errorf("create residence %s: %w", r.ID, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return &problem.Error{Kind: problem.Conflict, Message: "residence.taken", Err: err,
			Fields: []problem.Field{{Name: "id", Message: "field.taken"}}}
	}
	return nil
}

const updateResidence = `
UPDATE residence
   SET name = $4,
       street = $5,
       postcode = $6,
       town = $7,
       heat_individual_percent = $8,
       version = version + 1
 WHERE id = $2
   AND version = $3
   AND` + mayChangeResidence

// UpdateResidence changes what may change of a residence: its name, its address
// and the split of the heat. Its zone stays, because the days that are stored
// begin in it. It fails with NotFound "residence.none", or [resource.ErrStale]
// where r.Version is not the residence's.
func (s *Store) UpdateResidence(ctx context.Context, staff accounts.PersonID, r Residence) error {
	done, err := s.db.ExecContext(ctx, updateResidence, string(staff), string(r.ID), r.Version, r.Name,
		r.Street, r.Postcode, r.Town, r.HeatIndividualPercent)
	if err == nil {
		err = changedOne(done, func() error { return s.mayChange(ctx, staff, r.ID) })
	}
	if err != nil {
		return fmt.Errorf("update residence %s: %w", r.ID, err)
	}
	return nil
}

const changeableResidence = `
SELECT 1
  FROM residence
 WHERE residence.id = $2
   AND` + mayChangeResidence

func (s *Store) mayChange(ctx context.Context, staff accounts.PersonID, id metering.SiteID) error {
	var one int
	return found(s.db.QueryRowContext(ctx, changeableResidence, string(staff), string(id)).Scan(&one), "residence.none")
}

// A Building is what dwellings of one building have in common. Its name is empty
// for the only one.
type Building struct {
	Residence  metering.SiteID
	Name       string
	Staircases int
	Dwellings  int
}

const buildings = `
SELECT dwelling.residence_id, dwelling.building, COUNT(DISTINCT dwelling.staircase), COUNT(*)
  FROM dwelling
 WHERE dwelling.residence_id = $2
   AND` + mayReadStock + `
 GROUP BY dwelling.residence_id, dwelling.building
 ORDER BY dwelling.building`

// Buildings lists the buildings of a residence by name; it is empty where staff
// may not read the residence.
func (s *Store) Buildings(ctx context.Context, staff accounts.PersonID, residence metering.SiteID) ([]Building, error) {
	rows, err := s.db.QueryContext(ctx, buildings, string(staff), string(residence))
	if err != nil {
		return nil, fmt.Errorf("buildings of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (b Building, err error) {
		return b, rows.Scan(&b.Residence, &b.Name, &b.Staircases, &b.Dwellings)
	})
	if err != nil {
		return nil, fmt.Errorf("buildings of %s: %w", residence, err)
	}
	return all, nil
}

// today is the date in UTC, by which staff are clipped; tenants and helpers are
// by the day of their home's zone.
func today(now time.Time) string { return now.UTC().Format(time.DateOnly) }
