package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Store reads premises. It may be used from several goroutines.
type Store struct{ db *sql.DB }

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB) *Store { return &Store{db: db} }

// The membership must hold on the day of asking ($2): when it ends, what was
// seen before is not found any more. The days are clipped to the tenancy and to
// the membership, so that who joins late does not see what was before.
const during = `
SELECT dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label,
       dwelling.floor, dwelling.rooms, dwelling.area_m2, residence.zone,
       CASE WHEN membership.from_date > tenancy.moved_in THEN membership.from_date ELSE tenancy.moved_in END,
       COALESCE(tenancy.moved_out, ''),
       CASE WHEN tenancy.moved_in >= membership.from_date AND tenancy.moved_in >= $3 THEN tenancy.moved_in
            WHEN membership.from_date >= $3 THEN membership.from_date
            ELSE $3 END,
       CASE WHEN tenancy.moved_out IS NOT NULL AND tenancy.moved_out < $4 THEN tenancy.moved_out
            ELSE $4 END
  FROM membership
  JOIN tenancy ON tenancy.household_id = membership.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE membership.person_id = $1
   AND membership.from_date <= $2
   AND (membership.to_date IS NULL OR membership.to_date > $2)
   AND tenancy.moved_in < $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > membership.from_date)
   AND membership.from_date < $4
 ORDER BY tenancy.moved_in, dwelling.id`

// During returns the parts of the person's stays that fall within [from, to) as
// they may be seen on the day today, in the order of moving in. It fails with
// the problem NotFound "tenancy.none" where there is none, so that another
// household's home looks absent rather than forbidden.
func (s *Store) During(ctx context.Context, person accounts.PersonID, today, from, to civil.Date) ([]Stay, error) {
	rows, err := s.db.QueryContext(ctx, during, string(person), today.String(), from.String(), to.String())
	if err != nil {
		return nil, fmt.Errorf("stays of person %s: %w", person, err)
	}
	stays, err := sqldb.Collect(rows, scanStay)
	if err != nil {
		return nil, fmt.Errorf("stays of person %s: %w", person, err)
	}
	if len(stays) == 0 {
		return nil, &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	return stays, nil
}

func scanStay(rows *sql.Rows) (Stay, error) {
	var s Stay
	var zone, movedIn, movedOut, from, to string
	d := &s.Dwelling
	err := rows.Scan(&d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Label, &d.Floor, &d.Rooms, &d.AreaM2,
		&zone, &movedIn, &movedOut, &from, &to)
	if err != nil {
		return Stay{}, err
	}
	if s.Zone, err = time.LoadLocation(zone); err != nil {
		return Stay{}, fmt.Errorf("residence %s: zone %q: %w", d.Residence, zone, err)
	}
	for _, field := range []struct {
		text string
		date *civil.Date
	}{{movedIn, &s.MovedIn}, {movedOut, &s.MovedOut}, {from, &s.From}, {to, &s.To}} {
		if field.text == "" {
			continue
		}
		if *field.date, err = civil.ParseDate(field.text); err != nil {
			return Stay{}, fmt.Errorf("tenancy of dwelling %s: %w", d.ID, err)
		}
	}
	return s, nil
}

// Residences lists every residence by id.
func (s *Store) Residences(ctx context.Context) ([]Residence, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, zone, earliest_ms FROM residence ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("residences: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Residence, error) {
		var r Residence
		var zone string
		var earliestMs int64
		if err := rows.Scan(&r.ID, &r.Name, &zone, &earliestMs); err != nil {
			return Residence{}, err
		}
		r.Earliest = sqldb.Time(earliestMs)
		var err error
		if r.Zone, err = time.LoadLocation(zone); err != nil {
			return Residence{}, fmt.Errorf("residence %s: zone %q: %w", r.ID, zone, err)
		}
		return r, nil
	})
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

const zoneOf = `
SELECT residence.zone
  FROM membership
  JOIN tenancy ON tenancy.household_id = membership.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE membership.person_id = $1
 ORDER BY tenancy.moved_in DESC
 LIMIT 1`

// Zone returns the zone in which the person's days begin: that of the home they
// moved to last. It fails with the problem NotFound "tenancy.none" where the
// person never had one.
func (s *Store) Zone(ctx context.Context, person accounts.PersonID) (*time.Location, error) {
	var name string
	err := s.db.QueryRowContext(ctx, zoneOf, string(person)).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	if err != nil {
		return nil, fmt.Errorf("zone of person %s: %w", person, err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone of person %s: %w", person, err)
	}
	return zone, nil
}
