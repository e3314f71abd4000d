package consent

import (
	"archive/zip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What SQL holds of a household, as the archive says it. Dates are civil days,
// instants RFC 3339 in UTC; empty where there is none.
type held struct {
	Household householdRow `json:"household"`
	People    []personRow  `json:"people"`
	Homes     []homeRow    `json:"homes"`
	Consents  []consentRow `json:"consents"`
	Mandates  []mandateRow `json:"mandates"`
	Looks     []lookRow    `json:"looks"`
	Erasures  []erasureRow `json:"erasures"`
	Account   []accountRow `json:"account"`
	Meters    []meterRow   `json:"meters"`
}

type (
	householdRow struct {
		ID        string `json:"id"`
		Occupants int    `json:"occupants"`
		Language  string `json:"language"`
		ContactBy string `json:"contact_by"`
		Telephone string `json:"telephone"`
		Email     string `json:"email"`
	}
	personRow struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Language string `json:"language"`
		From     string `json:"from"`
		To       string `json:"to"`
	}
	homeRow struct {
		Dwelling  string `json:"dwelling"`
		Building  string `json:"building"`
		Staircase string `json:"staircase"`
		Label     string `json:"label"`
		MovedIn   string `json:"moved_in"`
		MovedOut  string `json:"moved_out"`
	}
	consentRow struct {
		Purpose     string `json:"purpose"`
		TextVersion int    `json:"text_version"`
		Language    string `json:"language"`
		Channel     string `json:"channel"`
		GivenBy     string `json:"given_by"`
		CollectedBy string `json:"collected_by"`
		From        string `json:"from"`
		To          string `json:"to"`
		Ended       string `json:"ended"`
		EndedWhy    string `json:"ended_why"`
	}
	mandateRow struct {
		Giver   string `json:"giver"`
		Helper  string `json:"helper"`
		Scope   string `json:"scope"`
		Channel string `json:"channel"`
		From    string `json:"from"`
		To      string `json:"to"`
		Revoked string `json:"revoked"`
	}
	lookRow struct {
		At     string `json:"at"`
		Name   string `json:"name"`
		Role   string `json:"role"`
		What   string `json:"what"`
		Reason string `json:"reason"`
	}
	erasureRow struct {
		What  string `json:"what"`
		Why   string `json:"why"`
		Asked string `json:"asked"`
		Done  string `json:"done"`
	}
	accountRow struct {
		What    string `json:"what"`
		Says    string `json:"says"`
		From    string `json:"from"`
		Expires string `json:"expires"`
	}
	meterRow struct {
		Meter      string           `json:"meter"`
		Kind       string           `json:"kind"`
		Point      string           `json:"point"`
		From       string           `json:"from"`
		To         string           `json:"to"`
		Unit       string           `json:"unit"`
		FirstIndex *metering.Amount `json:"first_index"`
		LastIndex  *metering.Amount `json:"last_index"`
		Resolution string           `json:"resolution"`
	}
)

func (h held) write(archive *zip.Writer, now time.Time) error {
	return errors.Join(writeJSON(archive, "foyer.json", now, h),
		writeTable(archive, "foyer.csv", now, []householdRow{h.Household}),
		writeTable(archive, "personnes.csv", now, h.People),
		writeTable(archive, "logements.csv", now, h.Homes),
		writeTable(archive, "accords.csv", now, h.Consents),
		writeTable(archive, "aidants.csv", now, h.Mandates),
		writeTable(archive, "consultations.csv", now, h.Looks),
		writeTable(archive, "effacements.csv", now, h.Erasures),
		writeTable(archive, "acces.csv", now, h.Account),
		writeTable(archive, "compteurs.csv", now, h.Meters))
}

// held gathers it, and the meters' times for what InfluxDB holds.
func (x *Exporter) held(ctx context.Context, s *Subject, now time.Time) (held, error) {
	h := held{}
	for _, stay := range s.stays {
		d := stay.Dwelling
		h.Homes = append(h.Homes, homeRow{string(d.ID), d.Building, d.Staircase, d.Label, stay.From.String(), dateText(stay.MovedOut)})
	}
	var err error
	if s.homes, err = x.spans(ctx, *s, now); err != nil {
		return held{}, err
	}
	for _, l := range s.homes {
		h.Meters = append(h.Meters, l.row(now))
	}
	if err := x.store.fill(ctx, &h, *s); err != nil {
		return held{}, fmt.Errorf("archive of household %s: %w", s.household, err)
	}
	return h, nil
}

func (l lodged) row(now time.Time) meterRow {
	m := meterRow{Meter: string(l.hanging.Meter.ID), Kind: string(l.kind), Point: string(l.hanging.Point),
		From: instant(l.from), Unit: string(l.kind.IndexUnit()), Resolution: string(l.hanging.Meter.Resolution)}
	if l.to.Before(now) {
		m.To = instant(l.to)
	}
	// What the dial showed when it was hung up or taken down for others is theirs.
	if l.from.Equal(l.hanging.From) {
		m.FirstIndex = l.hanging.FirstIndex
	}
	if l.to.Equal(l.hanging.To) {
		m.LastIndex = l.hanging.LastIndex
	}
	return m
}

func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func instantMs(ms int64) string {
	if ms == 0 {
		return ""
	}
	return instant(sqldb.Time(ms))
}

func dateText(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

const heldHousehold = `
SELECT id, occupants, language, contact_by, telephone, email
  FROM household
 WHERE id = $1`

const heldPeople = `
SELECT person.id, person.name, person.language, membership.from_date, COALESCE(membership.to_date, '')
  FROM membership
  JOIN person ON person.id = membership.person_id
 WHERE membership.household_id = $1
   AND (membership.to_date IS NULL OR membership.to_date > $2)
 ORDER BY membership.from_date, person.id`

const heldMandates = `
SELECT giver.name, helper.name, mandate.scope, mandate.channel, mandate.from_date, mandate.to_date, COALESCE(mandate.revoked_ms, 0)
  FROM mandate
  JOIN person AS giver ON giver.id = mandate.giver_id
  JOIN person AS helper ON helper.id = mandate.helper_id
 WHERE mandate.household_id = $1
   AND mandate.to_date > $2
 ORDER BY mandate.from_date, mandate.id`

const heldLooks = `
SELECT access_log.at_ms, COALESCE(person.name, ''), access_log.role, access_log.what, access_log.reason
  FROM access_log
  LEFT JOIN person ON person.id = access_log.person_id
 WHERE access_log.household_id = $1
   AND access_log.at_ms >= $2
 ORDER BY access_log.at_ms, access_log.id`

// A name and an address to sign in with, sessions and tokens: of the reader only.
const heldAccount = `
SELECT 'sign-in name', name, 0, 0
  FROM way_in
 WHERE person_id = $1
 UNION ALL
SELECT 'e-mail address', COALESCE(email, ''), 0, 0
  FROM way_in
 WHERE person_id = $1
   AND email IS NOT NULL
 UNION ALL
SELECT 'session', browser, created_ms, expires_ms
  FROM session
 WHERE person_id = $1
 UNION ALL
SELECT 'token', label, created_ms, expires_ms
  FROM api_token
 WHERE person_id = $1`

func (s *Store) fill(ctx context.Context, h *held, of Subject) error {
	id, since := string(of.household), of.since.String()
	sight := premises.Sight{Household: of.household, ShownFrom: of.since, Zone: time.UTC}
	if len(of.stays) > 0 {
		sight.Zone = of.stays[0].Zone
	}
	consents, err := s.Consents(ctx, sight)
	if err != nil {
		return err
	}
	for _, c := range consents {
		h.Consents = append(h.Consents, consentRow{string(c.Purpose), c.TextVersion, c.Language, string(c.Channel), string(c.GivenBy),
			c.CollectedBy, instant(c.From), instant(c.To), instant(c.Ended), string(c.EndedWhy)})
	}
	erasures, err := s.Erasures(ctx, sight)
	if err != nil {
		return err
	}
	for _, e := range erasures {
		h.Erasures = append(h.Erasures, erasureRow{string(e.What), string(e.Why), instant(e.Asked), instant(e.Done)})
	}
	row := s.db.QueryRowContext(ctx, heldHousehold, id)
	err = row.Scan(&h.Household.ID, &h.Household.Occupants, &h.Household.Language, &h.Household.ContactBy, &h.Household.Telephone, &h.Household.Email)
	if err != nil {
		return err
	}
	if h.People, err = collect(ctx, s.db, scanPerson, heldPeople, id, since); err != nil {
		return err
	}
	if h.Mandates, err = collect(ctx, s.db, scanMandate, heldMandates, id, since); err != nil {
		return err
	}
	if h.Looks, err = collect(ctx, s.db, scanLook, heldLooks, id, max(0, sqldb.Ms(of.since.Start(sight.Zone)))); err != nil {
		return err
	}
	h.Account, err = collect(ctx, s.db, scanAccount, heldAccount, string(of.reader))
	return err
}

func collect[T any](ctx context.Context, q sqldb.Querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, scan)
}

func scanPerson(rows *sql.Rows) (p personRow, err error) {
	return p, rows.Scan(&p.ID, &p.Name, &p.Language, &p.From, &p.To)
}

func scanMandate(rows *sql.Rows) (m mandateRow, err error) {
	var revokedMs int64
	err = rows.Scan(&m.Giver, &m.Helper, &m.Scope, &m.Channel, &m.From, &m.To, &revokedMs)
	m.Revoked = instantMs(revokedMs)
	return m, err
}

func scanLook(rows *sql.Rows) (l lookRow, err error) {
	var atMs int64
	err = rows.Scan(&atMs, &l.Name, &l.Role, &l.What, &l.Reason)
	l.At = instantMs(atMs)
	return l, err
}

func scanAccount(rows *sql.Rows) (a accountRow, err error) {
	var fromMs, expiresMs int64
	err = rows.Scan(&a.What, &a.Says, &fromMs, &expiresMs)
	a.From, a.Expires = instantMs(fromMs), instantMs(expiresMs)
	return a, err
}
