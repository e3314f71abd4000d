package alerts

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A case is shown to the household it belongs to, where every day of its findings
// lies in a stay of theirs, by what is known of moves today, as far as the viewer
// may look on the day of asking ($4) in the zone of the home ($3): not to who
// joined or moved in later. A mandate shows what its giver may see.
const seenWhere = `
  JOIN point ON point.id = alert_case.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
  JOIN tenancy ON tenancy.dwelling_id = dwelling.id
              AND tenancy.household_id = alert_case.household_id
  JOIN sight ON sight.household_id = tenancy.household_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND alert_case.first_date >= sight.shown_from
   AND alert_case.first_date >= tenancy.moved_in
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > alert_case.last_date)
   AND ($5 = '' OR alert_case.id = $5)`

const seenCases = `
SELECT DISTINCT alert_case.id, COALESCE(tenancy.moved_out, '')
  FROM alert_case` + seenWhere

const zonesOf = `
SELECT DISTINCT residence.zone
  FROM sight
  JOIN tenancy ON tenancy.household_id = sight.household_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
 ORDER BY residence.zone`

// caseOf is read only of a case that was found among somebody's.
const caseOf = caseColumns + ofResidence + `
 WHERE alert_case.id = $1`

// Seen lists the cases of the viewer's stays, open and over, the last opened
// first, as they may be seen at the instant now; steps after a stay are not
// shown, and the state is that of the last that is. It is empty where there is
// none and where there is nothing to see, as of a case that was opened after the
// stay.
func (s *Store) Seen(ctx context.Context, v premises.Viewer, now time.Time) ([]Kept, error) {
	all, err := s.seen(ctx, v, now, "")
	if err != nil {
		return nil, fmt.Errorf("cases of person %s: %w", v.Person, err)
	}
	return all, nil
}

// ByID returns one case of the viewer's stays, as [Store.Seen] shows it. It fails
// with the problem NotFound "error.not_found" where there is none, so that
// another household's looks absent.
func (s *Store) ByID(ctx context.Context, v premises.Viewer, now time.Time, id CaseID) (Kept, error) {
	notFound := &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	if id == "" {
		return Kept{}, notFound
	}
	all, err := s.seen(ctx, v, now, id)
	if err != nil {
		return Kept{}, fmt.Errorf("case %s: %w", id, err)
	}
	if len(all) == 0 {
		return Kept{}, notFound
	}
	return all[0], nil
}

func (s *Store) seen(ctx context.Context, v premises.Viewer, now time.Time, id CaseID) ([]Kept, error) {
	zones, err := s.zones(ctx, v)
	if err != nil {
		return nil, err
	}
	var all []Kept
	for _, zone := range zones {
		shown, err := s.shown(ctx, v, zone, civil.DateIn(now, zone), id)
		if err != nil {
			return nil, err
		}
		for _, one := range shown {
			some, err := kept(ctx, s.db, one.until, caseOf, one.id)
			if err != nil {
				return nil, err
			}
			for _, k := range some {
				if len(k.Steps) > 0 { // else it was opened after a move that was not known yet
					all = append(all, k.asOf(one.until))
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Kept) int { return b.Steps[0].At.Compare(a.Steps[0].At) })
	return all, nil
}

func (s *Store) zones(ctx context.Context, v premises.Viewer) ([]*time.Location, error) {
	rows, err := s.db.QueryContext(ctx, zonesOf, string(v.Person), string(v.Household))
	if err != nil {
		return nil, err
	}
	return sqldb.Zones(rows)
}

// A shown case has the date from which on its steps are not; empty: all are.
type shown struct{ id, until string }

func (s *Store) shown(ctx context.Context, v premises.Viewer, zone *time.Location, today civil.Date, id CaseID) ([]shown, error) {
	rows, err := s.db.QueryContext(ctx, seenCases, string(v.Person), string(v.Household), zone.String(), today.String(), string(id))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (one shown, err error) {
		return one, rows.Scan(&one.id, &one.until)
	})
}

// asOf gives the case the state that the steps that are shown lead to, and no
// word of what came after them; until is empty where all are.
func (k Kept) asOf(until string) Kept {
	if until != "" {
		k.Quiet, k.Judged = 0, time.Time{}
	}
	k.ToldAt = time.Time{}
	for _, s := range k.Steps {
		if s.State != Told || k.State == Opened {
			k.State = s.State
		}
		if s.State == Told {
			k.ToldAt = s.At
		}
	}
	return k
}
