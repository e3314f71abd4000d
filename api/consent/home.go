package consent

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Home is a tenancy that lasts today, for which somebody may decide.
type Home struct {
	Tenancy   string
	Household premises.HouseholdID
	Dwelling  premises.DwellingID
	Zone      *time.Location
	MovedIn   civil.Date
}

const homeColumns = `
SELECT DISTINCT tenancy.id, tenancy.household_id, tenancy.dwelling_id, tenancy.moved_in, residence.zone`

// A member decides, or a helper whose mandate says so.
const actHomes = homeColumns + `
  FROM sight
  JOIN tenancy ON tenancy.household_id = sight.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE sight.viewer_id = $1
   AND sight.household_id = $2
   AND sight.scope IN ('own', 'act')
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
 ORDER BY tenancy.moved_in, tenancy.id`

const staffHomes = homeColumns + `
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id))
   AND tenancy.household_id = $2
   AND residence.zone = $3
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
 ORDER BY tenancy.moved_in, tenancy.id`

// ActHomes lists the homes that the household lives in at now, where the person
// may decide for it. It fails with the problem NotFound "tenancy.none" where
// there is none.
func (s *Store) ActHomes(ctx context.Context, person accounts.PersonID, household premises.HouseholdID, now time.Time) ([]Home, error) {
	return s.homes(ctx, actHomes, person, household, now)
}

// StaffHomes lists the homes that the household lives in at now, of which the
// person is advisor, manager or administrator. The caller writes the look down.
// It fails as [Store.ActHomes] does.
func (s *Store) StaffHomes(ctx context.Context, person accounts.PersonID, household premises.HouseholdID, now time.Time) ([]Home, error) {
	return s.homes(ctx, staffHomes, person, household, now)
}

func (s *Store) homes(ctx context.Context, query string, person accounts.PersonID, household premises.HouseholdID, now time.Time) ([]Home, error) {
	zones, err := zonesOf(ctx, s.db)
	if err != nil {
		return nil, fmt.Errorf("homes of household %s: %w", household, err)
	}
	var all []Home
	for _, zone := range zones {
		rows, err := s.db.QueryContext(ctx, query, string(person), string(household), zone.String(), civil.DateIn(now, zone).String())
		if err != nil {
			return nil, fmt.Errorf("homes of household %s: %w", household, err)
		}
		some, err := sqldb.Collect(rows, scanHome)
		if err != nil {
			return nil, fmt.Errorf("homes of household %s: %w", household, err)
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, errNoHome()
	}
	return all, nil
}

func scanHome(rows *sql.Rows) (h Home, err error) {
	var movedIn, zone string
	if err := rows.Scan(&h.Tenancy, &h.Household, &h.Dwelling, &movedIn, &zone); err != nil {
		return Home{}, err
	}
	if h.Zone, err = time.LoadLocation(zone); err != nil {
		return Home{}, fmt.Errorf("zone %q: %w", zone, err)
	}
	h.MovedIn, err = civil.ParseDate(movedIn)
	return h, err
}

// zonesOf lists the zones of all residences: one, mostly. Days begin at other
// instants in each.
func zonesOf(ctx context.Context, q sqldb.Querier) ([]*time.Location, error) {
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT zone FROM residence ORDER BY zone`)
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (*time.Location, error) {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("zone %q: %w", name, err)
		}
		return zone, nil
	})
}
