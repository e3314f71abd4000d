package premises

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A MandateID names a mandate.
type MandateID string

// A MandateScope is what a helper may do.
type MandateScope string

// The scopes.
const (
	See MandateScope = "see" // look at what the giver sees
	Act MandateScope = "act" // and decide, as for consents
)

// MandateScopes lists every scope.
var MandateScopes = []MandateScope{See, Act}

// How a mandate was asked for.
const (
	OnPage      = "page"
	OnPaper     = "paper"
	ByTelephone = "telephone"
)

// A Mandate lets a helper see what its giver sees of the household, on the days
// [From, To), until it is revoked, and no longer than the giver belongs to the
// household and the household lives there.
type Mandate struct {
	ID                    MandateID
	Household             HouseholdID
	Giver, Helper         accounts.PersonID
	GiverName, HelperName string
	Scope                 MandateScope
	Channel               string // how it was asked for: OnPage, OnPaper or ByTelephone
	RecordedBy            accounts.PersonID
	From, To              civil.Date
	Created               time.Time // UTC
	Revoked               time.Time // UTC; zero while it stands
	Invited               bool      // the helper has had a code, or another way in
	Version               int64
}

// Lasts reports whether the mandate stands on the day today or will.
func (m Mandate) Lasts(today civil.Date) bool { return m.Revoked.IsZero() && today.Before(m.To) }

// A NewMandate is what a giver asks for.
type NewMandate struct {
	Household  HouseholdID
	Giver      accounts.PersonID // must belong to the household
	HelperName string            // who helped under this name before keeps their account
	Language   string            // of the helper's letter
	Scope      MandateScope
	To         civil.Date // the first day on which it does not count any more
	Channel    string
}

// Limits of mandates.
const (
	mostMandateDays = 3 * 366
	mostMandates    = 10 // that a household may give in 30 days
)

// CreateMandate gives a mandate in the name of the viewer, who must be a member
// of the household: a helper cannot pass on what they were given. It fails with
// NotFound "tenancy.none" where the viewer is none, and with Invalid or Conflict
// where a limit is passed. The helper is a person of their own, whose letter of
// invitation waits for staff to print it.
func (s *Store) CreateMandate(ctx context.Context, v Viewer, n NewMandate, now time.Time) (Mandate, error) {
	seen, err := s.Seen(ctx, v, now)
	if err != nil {
		return Mandate{}, err
	}
	if !seen.Own {
		return Mandate{}, errNoHome()
	}
	n.Household, n.Giver, n.Channel = seen.Household, v.Person, OnPage
	return s.giveMandate(ctx, n, v.Person, civil.DateIn(now, seen.Zone), now, nil)
}

// RecordMandate writes down a mandate that a member of the household of the look
// asked for on paper or by telephone. The advisor may as well. It fails as
// [Store.CreateMandate] does, and with NotFound "household.none".
func (s *Store) RecordMandate(ctx context.Context, l Look, n NewMandate) (Mandate, error) {
	n.Household = l.Household
	if err := s.seenByStaff(ctx, l); err != nil {
		return Mandate{}, err // before anything is said of what was sent
	}
	day, err := s.dayOf(ctx, n.Household, l.At)
	if err != nil {
		return Mandate{}, err
	}
	return s.giveMandate(ctx, n, l.Staff, day, l.At, func(tx *sql.Tx) error { return l.write(ctx, tx) })
}

const staffSees = `
SELECT COUNT(*)
  FROM household
 WHERE household.id = $3
   AND` + mayReadPeople

// seenByStaff fails with NotFound "household.none" where staff may not know the
// household, and writes nothing down.
func (s *Store) seenByStaff(ctx context.Context, l Look) error {
	var seen int
	if err := s.db.QueryRowContext(ctx, staffSees, string(l.Staff), today(l.At), string(l.Household)).Scan(&seen); err != nil {
		return fmt.Errorf("look at household %s: %w", l.Household, err)
	}
	if seen == 0 {
		return notFound("household.none")
	}
	return nil
}

const lastZone = `
SELECT residence.zone
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE tenancy.household_id = $1
 ORDER BY tenancy.moved_in DESC
 LIMIT 1`

// dayOf returns the day of the instant in the zone of the household's last home.
func (s *Store) dayOf(ctx context.Context, id HouseholdID, at time.Time) (civil.Date, error) {
	var name string
	if err := s.db.QueryRowContext(ctx, lastZone, string(id)).Scan(&name); err != nil {
		return civil.Date{}, fmt.Errorf("zone of household %s: %w", id, found(err, "household.none"))
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return civil.Date{}, fmt.Errorf("zone of household %s: %w", id, err)
	}
	return civil.DateIn(at, zone), nil
}

func (s *Store) giveMandate(ctx context.Context, n NewMandate, by accounts.PersonID, day civil.Date, now time.Time, first func(*sql.Tx) error) (Mandate, error) {
	if err := checkMandateEnd(n.To, day); err != nil {
		return Mandate{}, err
	}
	m := Mandate{ID: MandateID(newID()), Household: n.Household, Giver: n.Giver, HelperName: n.HelperName, Scope: n.Scope,
		Channel: n.Channel, RecordedBy: by, From: day, To: n.To, Created: now.UTC(), Version: 1}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) (err error) {
		if first != nil {
			if err := first(tx); err != nil {
				return err
			}
		}
		if err := mayGive(ctx, tx, n, day, now); err != nil {
			return err
		}
		var known bool
		if m.Helper, known, err = helperOf(ctx, tx, n); err != nil {
			return err
		}
		if err := m.insert(ctx, tx); err != nil {
			return err
		}
		if known {
			return m.findInvited(ctx, tx)
		}
		return accounts.AskLetter(ctx, tx, m.Helper, now)
	})
	if err != nil {
		return Mandate{}, fmt.Errorf("mandate of household %s: %w", n.Household, err)
	}
	return m, nil
}

func checkMandateEnd(to, day civil.Date) error {
	switch {
	case !day.Before(to):
		return problem.OfFields([]problem.Field{{Name: "to", Message: "field.past"}})
	case day.AddDays(mostMandateDays).Before(to):
		return problem.OfFields([]problem.Field{{Name: "to", Message: "field.too_late", Args: []any{mostMandateDays}}})
	default:
		return nil
	}
}

const memberOn = `
SELECT COUNT(*)
  FROM membership
 WHERE person_id = $1
   AND household_id = $2
   AND from_date <= $3
   AND (to_date IS NULL OR to_date > $3)`

const recentMandates = `
SELECT COUNT(*)
  FROM mandate
 WHERE household_id = $1
   AND created_ms > $2`

func mayGive(ctx context.Context, tx *sql.Tx, n NewMandate, day civil.Date, now time.Time) error {
	var members, recent int
	if err := tx.QueryRowContext(ctx, memberOn, string(n.Giver), string(n.Household), day.String()).Scan(&members); err != nil {
		return err
	}
	if members == 0 {
		return problem.OfFields([]problem.Field{{Name: "giver", Message: "field.no_member"}})
	}
	since := sqldb.Ms(now.AddDate(0, 0, -30))
	if err := tx.QueryRowContext(ctx, recentMandates, string(n.Household), since).Scan(&recent); err != nil {
		return err
	}
	if recent >= mostMandates {
		return &problem.Error{Kind: problem.Conflict, Message: "mandate.too_many"}
	}
	return nil
}

const helpersBefore = `
SELECT person.id, person.name
  FROM mandate
  JOIN person ON person.id = mandate.helper_id
 WHERE mandate.household_id = $1
   AND mandate.giver_id = $2
 ORDER BY mandate.created_ms DESC`

// helperOf returns who helped the giver before under that name, or a new person.
// It never looks further: a tenant could find out who else has an account.
func helperOf(ctx context.Context, tx *sql.Tx, n NewMandate) (helper accounts.PersonID, known bool, err error) {
	rows, err := tx.QueryContext(ctx, helpersBefore, string(n.Household), string(n.Giver))
	if err != nil {
		return "", false, err
	}
	before, err := sqldb.Collect(rows, func(rows *sql.Rows) (p accounts.Person, err error) { return p, rows.Scan(&p.ID, &p.Name) })
	if err != nil {
		return "", false, err
	}
	for _, p := range before {
		if Fold(p.Name) == Fold(n.HelperName) {
			return p.ID, true, nil
		}
	}
	p := accounts.Person{ID: accounts.PersonID(newID()), Name: n.HelperName, Language: n.Language}
	return p.ID, false, accounts.Put(ctx, tx, []accounts.Person{p})
}

const insertMandate = `
INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

func (m Mandate) insert(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, insertMandate, string(m.ID), string(m.Household), string(m.Giver), string(m.Helper),
		string(m.Scope), m.Channel, string(m.RecordedBy), m.From.String(), m.To.String(), sqldb.Ms(m.Created))
	return err
}

// findInvited tells whether the helper comes in already: whoever then drew a code
// for them would hold their account.
func (m *Mandate) findInvited(ctx context.Context, tx *sql.Tx) error {
	return tx.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM way_in WHERE person_id = $1`, string(m.Helper)).Scan(&m.Invited)
}

const mandateColumns = `
SELECT mandate.id, mandate.household_id, mandate.giver_id, giver.name, mandate.helper_id, helper.name, mandate.scope,
       mandate.channel, mandate.recorded_by, mandate.from_date, mandate.to_date, mandate.created_ms,
       COALESCE(mandate.revoked_ms, 0), way_in.person_id IS NOT NULL, mandate.version
  FROM mandate
  JOIN person AS giver ON giver.id = mandate.giver_id
  JOIN person AS helper ON helper.id = mandate.helper_id
  LEFT JOIN way_in ON way_in.person_id = mandate.helper_id`

const mandatesOfHousehold = mandateColumns + `
 WHERE mandate.household_id = $1
 ORDER BY CASE WHEN mandate.revoked_ms IS NULL THEN 0 ELSE 1 END, mandate.to_date DESC, mandate.id`

func (s *Store) mandatesOf(ctx context.Context, id HouseholdID) ([]Mandate, error) {
	rows, err := s.db.QueryContext(ctx, mandatesOfHousehold, string(id))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, scanMandate)
}

func scanMandate(rows *sql.Rows) (Mandate, error) {
	var m Mandate
	var from, to string
	var createdMs, revokedMs int64
	err := rows.Scan(&m.ID, &m.Household, &m.Giver, &m.GiverName, &m.Helper, &m.HelperName, &m.Scope,
		&m.Channel, &m.RecordedBy, &from, &to, &createdMs, &revokedMs, &m.Invited, &m.Version)
	if err != nil {
		return Mandate{}, err
	}
	m.Created = sqldb.Time(createdMs)
	if revokedMs > 0 {
		m.Revoked = sqldb.Time(revokedMs)
	}
	return m, parseDates(dated{from, &m.From}, dated{to, &m.To})
}

const mandatesReceived = mandateColumns + `
 WHERE mandate.helper_id = $1
   AND mandate.revoked_ms IS NULL
   AND mandate.to_date > $2
   AND EXISTS (SELECT 1
                 FROM sight
                WHERE sight.mandate_id = mandate.id
                  AND (sight.until_date IS NULL OR sight.until_date > $2))
 ORDER BY mandate.to_date DESC, mandate.id`

// Mandates lists those that the members of the viewer's own households gave, over
// or not, and those that the viewer received and that last.
func (s *Store) Mandates(ctx context.Context, v Viewer, now time.Time) (given, received []Mandate, err error) {
	seen, err := s.Households(ctx, v.Person, now)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range seen {
		if !g.Own || v.Household != "" && v.Household != g.Household {
			continue
		}
		some, err := s.mandatesOf(ctx, g.Household)
		if err != nil {
			return nil, nil, fmt.Errorf("mandates of household %s: %w", g.Household, err)
		}
		given = append(given, some...)
	}
	rows, err := s.db.QueryContext(ctx, mandatesReceived, string(v.Person), today(now))
	if err != nil {
		return nil, nil, fmt.Errorf("mandates of person %s: %w", v.Person, err)
	}
	if received, err = sqldb.Collect(rows, scanMandate); err != nil {
		return nil, nil, fmt.Errorf("mandates of person %s: %w", v.Person, err)
	}
	return given, received, nil
}
