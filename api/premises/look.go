package premises

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A What is the key of what somebody of the staff did with a household: its text
// in the catalogue tells the household.
type What string

// What staff do with a household.
const (
	LookedAtSheet      What = "look.sheet"       // who lives there, and how they are reached
	ChangedContact     What = "look.contact"     // the way to reach them
	ChangedHousehold   What = "look.household"   // occupants, language
	ChangedMembers     What = "look.members"     // who belongs to it
	ChangedMandate     What = "look.mandate"     // who helps
	MovedHousehold     What = "look.move"        // in or out
	InvitedPerson      What = "look.invitation"  // a new code
	LookedAtUse        What = "look.consumption" // what the home used
	RecordedConsent    What = "look.consent"     // from paper or telephone
	ExportedHousehold  What = "look.export"      // all that is held
	ErasedForHousehold What = "look.erasure"     // asked for it on the household's behalf
)

// A Look is one access of somebody of the staff to a household.
type Look struct {
	At        time.Time
	Staff     accounts.PersonID
	Household HouseholdID
	What      What
	Reason    string // in the staff's words, for the household to read; at most 200 characters
}

// longestReason is that of the schema.
const longestReason = 200

// The role written down is the one that lets the person look, the narrowest
// first.
const look = `
INSERT INTO access_log (id, at_ms, person_id, role, household_id, what, reason)
SELECT $3, $4, $5,
       (SELECT staff_role.role
          FROM staff_role
          JOIN tenancy ON tenancy.household_id = household.id
          JOIN dwelling ON dwelling.id = tenancy.dwelling_id
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'manager', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id)
         ORDER BY CASE staff_role.role WHEN 'advisor' THEN 1 WHEN 'manager' THEN 2 ELSE 3 END
         LIMIT 1),
       household.id, $6, $7
  FROM household
 WHERE household.id = $8
   AND` + mayReadPeople

// Look writes the access down, and fails with the problem NotFound
// "household.none" where the person has no role that lets them see the household
// on that day. Whoever shows staff something of a household calls it first, in
// the same place.
func (s *Store) Look(ctx context.Context, l Look) error { return l.write(ctx, s.db) }

func (l Look) write(ctx context.Context, db sqldb.Querier) error {
	if len([]rune(l.Reason)) > longestReason {
		return problem.OfFields([]problem.Field{{Name: "reason", Message: "field.too_long", Args: []any{longestReason}}})
	}
	done, err := db.ExecContext(ctx, look, string(l.Staff), today(l.At), newID(), sqldb.Ms(l.At), string(l.Staff),
		string(l.What), l.Reason, string(l.Household))
	if err != nil {
		return fmt.Errorf("look at household %s: %w", l.Household, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return &problem.Error{Kind: problem.NotFound, Message: "household.none", Err: err}
	}
	return nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// A Looked is an access as the household reads it.
type Looked struct {
	At        time.Time
	Household HouseholdID
	Name      string // of who looked; empty for who is no more known
	Role      accounts.Role
	What      What
	Reason    string
}

const looks = `
SELECT access_log.at_ms, access_log.household_id, COALESCE(person.name, ''), access_log.role, access_log.what, access_log.reason
  FROM access_log
  LEFT JOIN person ON person.id = access_log.person_id
 WHERE access_log.household_id = $1
   AND access_log.at_ms >= $2
   AND access_log.at_ms <= $3
 ORDER BY access_log.at_ms DESC, access_log.id DESC
 LIMIT $4`

// mostLooks bounds what one page shows.
const mostLooks = 1000

// Looks lists who of the staff looked at the viewer's own households, or at the
// one that the viewer names, the last first and at most 1000: from the first day
// that the viewer may see. It is empty for who may see none.
func (s *Store) Looks(ctx context.Context, v Viewer, now time.Time) ([]Looked, error) {
	seen, err := s.Households(ctx, v.Person, now)
	if err != nil {
		return nil, err
	}
	var all []Looked
	for _, g := range seen {
		if g.Household != v.Household && (v.Household != "" || !g.Own) {
			continue
		}
		rows, err := s.db.QueryContext(ctx, looks, string(g.Household), sqldb.Ms(g.ShownFrom.Start(g.Zone)), sqldb.Ms(now), mostLooks)
		if err != nil {
			return nil, fmt.Errorf("looks at household %s: %w", g.Household, err)
		}
		some, err := sqldb.Collect(rows, scanLooked)
		if err != nil {
			return nil, fmt.Errorf("looks at household %s: %w", g.Household, err)
		}
		all = append(all, some...)
	}
	slices.SortStableFunc(all, func(a, b Looked) int { return b.At.Compare(a.At) })
	return all[:min(len(all), mostLooks)], nil
}

func scanLooked(rows *sql.Rows) (l Looked, err error) {
	var atMs int64
	err = rows.Scan(&atMs, &l.Household, &l.Name, &l.Role, &l.What, &l.Reason)
	l.At = sqldb.Time(atMs)
	return l, err
}
