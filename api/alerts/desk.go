package alerts

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An OpenLeak is an open case of water as staff see it: which flat, and what runs there.
type OpenLeak struct {
	Kept
	Residence metering.SiteID
	Dwelling  premises.Dwelling // its fields are those of the door; zero for a building's meter
	Kind      metering.Kind
}

const ofStaff = `
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

const deskLeaks = `
SELECT alert_case.id, residence.id, point.kind, COALESCE(dwelling.id, ''), COALESCE(dwelling.building, ''),
       COALESCE(dwelling.staircase, ''), COALESCE(dwelling.label, '')
  FROM alert_case
  JOIN point ON point.id = alert_case.point_id
  LEFT JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = COALESCE(dwelling.residence_id, point.residence_id)
 WHERE alert_case.subject = 'water'
   AND alert_case.ended_ms IS NULL` + ofStaff + `
   AND ($2 = '' OR residence.id = $2)
   AND alert_case.id > $3
   AND ($5 = '' OR alert_case.id = $5)
 ORDER BY alert_case.id
 LIMIT $4`

// Desk lists the open cases of water in the residences where somebody of the staff
// is an advisor, manager or administrator, the oldest first: one more than the page
// holds where the list goes on. A flat without an open case is not in it.
func (s *Store) Desk(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, p resource.Page) ([]OpenLeak, error) {
	all, err := s.desk(ctx, staff, residence, p, "")
	if err != nil {
		return nil, fmt.Errorf("leaks for person %s: %w", staff, err)
	}
	return all, nil
}

func (s *Store) desk(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, p resource.Page, id CaseID) ([]OpenLeak, error) {
	rows, err := s.db.QueryContext(ctx, deskLeaks, string(staff), string(residence), p.After, p.Limit+1, string(id))
	if err != nil {
		return nil, err
	}
	all, err := scanLeaks(rows)
	if err != nil {
		return nil, err
	}
	for i := range all {
		some, err := kept(ctx, s.db, "", caseOf, string(all[i].ID))
		if err != nil {
			return nil, err
		}
		if len(some) > 0 {
			all[i].Kept = some[0]
		}
	}
	return all, nil
}

func scanLeaks(rows *sql.Rows) (all []OpenLeak, err error) {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l OpenLeak
		d := &l.Dwelling
		if err := rows.Scan(&l.ID, &l.Residence, &l.Kind, &d.ID, &d.Building, &d.Staircase, &d.Label); err != nil {
			return nil, err
		}
		d.Residence = l.Residence
		all = append(all, l)
	}
	return all, rows.Err()
}

// SayFor notes what somebody of the staff says of an open case of water, as who
// repaired it does. It fails with NotFound "error.not_found" where the case is not
// on their desk, and else as [Store.Say].
func (s *Store) SayFor(ctx context.Context, staff accounts.PersonID, now time.Time, id CaseID, version int64, said Said) (OpenLeak, error) {
	all, err := s.desk(ctx, staff, "", resource.Page{Limit: 1}, id)
	if err != nil {
		return OpenLeak{}, fmt.Errorf("leak %s: %w", id, err)
	}
	if id == "" || len(all) == 0 {
		return OpenLeak{}, &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	if err := s.say(ctx, all[0].Kept, version, said, now, string(staff)); err != nil {
		return OpenLeak{}, err
	}
	some, err := kept(ctx, s.db, "", caseOf, string(id))
	if err != nil || len(some) == 0 {
		return OpenLeak{}, err
	}
	all[0].Kept = some[0]
	return all[0], nil
}

// A role held elsewhere opens no home here: an advisor of another residence who
// manages this one reads no household's cases.
const openOfHousehold = caseColumns + ofResidence + `
 WHERE alert_case.household_id = $2
   AND alert_case.ended_ms IS NULL
   AND alert_case.subject IN ('water', 'cold')
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role = 'advisor'
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))
   AND EXISTS (SELECT 1
                 FROM tenancy
                WHERE tenancy.household_id = alert_case.household_id
                  AND tenancy.dwelling_id = point.dwelling_id
                  AND tenancy.moved_out IS NULL)
   AND (alert_case.subject = 'water'
     OR EXISTS (SELECT 1
                  FROM consent
                 WHERE consent.household_id = alert_case.household_id
                   AND consent.purpose = 'personal_advice'
                   AND consent.ended_ms IS NULL
                   AND consent.from_ms <= $3
                   AND consent.to_ms > $3))
 ORDER BY alert_case.opened_ms, alert_case.id`

// OpenFor lists the open cases of a household for an advisor of its residence: of
// water, and of cold only where the household agreed to advice. It fails with NotFound
// "household.none" where there is none, so that a household without an open case is
// not looked at. The caller writes the look down.
func (s *Store) OpenFor(ctx context.Context, staff accounts.PersonID, household premises.HouseholdID, now time.Time) ([]Kept, error) {
	all, err := kept(ctx, s.db, "", openOfHousehold, string(staff), string(household), now.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("open cases of household %s: %w", household, err)
	}
	if len(all) == 0 {
		return nil, &problem.Error{Kind: problem.NotFound, Message: "household.none"}
	}
	return all, nil
}
