package premises_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Two residences, in two zones. In R, the Martins live in R-1, Amina in R-2, and
// R-3 is empty; in S, far to the east, lives Jean.
const estateFiles = `
residence: {id: R, name: La Roseraie, zone: Europe/Paris, earliest: 2020-01-01T00:00:00Z, street: 3 rue des Roses, postcode: "49000", town: Angers}
dwellings:
  - {id: R-1, building: A, staircase: "1", label: "1", floor: 0, rooms: 2, area_m2: 41, heating: collective,
     households: [{id: H-martin, occupants: 2, language: fr, moved_in: 2024-01-01, persons: [{id: P-rose, name: Rose Martin}, {id: P-paul, name: Paul Martin}]}]}
  - {id: R-2, building: A, staircase: "1", label: "2", floor: 0, rooms: 3, area_m2: 62.5,
     households: [{id: H-amina, occupants: 1, language: fr, moved_in: 2024-06-01, contact: {by: e-mail, email: amina@example.org}, persons: [{id: P-amina, name: Amina Diallo}]}]}
  - {id: R-3, building: B, staircase: "2", label: "3", floor: 1, rooms: 3, area_m2: 62.5}
---
residence: {id: S, name: Les Flamboyants, zone: Indian/Reunion, earliest: 2020-01-01T00:00:00Z}
dwellings:
  - {id: S-1, building: "", label: "1", households: [{id: H-jean, occupants: 1, language: fr, moved_in: 2024-01-01, persons: [{id: P-jean, name: Jean Payet}]}]}
  - {id: S-2, building: "", label: "2"}
`

// The staff: of R, of S, of both.
var staffRoles = []struct{ person, role, residence string }{
	{"adv-R", "advisor", "R"}, {"man-R", "manager", "R"}, {"man-S", "manager", "S"}, {"ins-R", "installer", "R"},
	{"adm", "administrator", ""}, {"adm-S", "administrator", "S"}, {"tech", "technician", ""}, {"train", "trainer", "R"},
}

func estate(t testing.TB, db *sql.DB) *premises.Store {
	t.Helper()
	for _, text := range splitYAML(estateFiles) {
		r, err := roster.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := roster.Store(t.Context(), db, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range staffRoles {
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ($1, $2, 'fr')`, s.person, "Staff "+s.person)
		var residence any
		if s.residence != "" {
			residence = s.residence
		}
		sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ($1, $2, $3)`, s.person, s.role, residence)
	}
	return premises.NewStore(db)
}

func date(t testing.TB, text string) civil.Date {
	t.Helper()
	if text == "" {
		return civil.Date{}
	}
	d, err := civil.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// noon is an instant at which all of the estate has the same day.
func noon(t testing.TB, day string) time.Time {
	return date(t, day).Start(time.UTC).Add(10 * time.Hour)
}

func by(staff accounts.PersonID, household premises.HouseholdID, at time.Time) premises.Look {
	return premises.Look{At: at, Staff: staff, Household: household, What: premises.LookedAtSheet}
}

// refused fails the test unless err is a problem of that kind with that key, or
// with a fault of that field.
func refused(t testing.TB, err error, kind problem.Kind, keyOrField string) {
	t.Helper()
	if err == nil {
		t.Fatalf("done; want a refusal %q", keyOrField)
	}
	p := problem.Of(err)
	if p.Kind == kind && p.Message == keyOrField {
		return
	}
	for _, f := range p.Fields {
		if p.Kind == kind && (f.Name == keyOrField || f.Name+" "+f.Message == keyOrField) {
			return
		}
	}
	t.Fatalf("refused with kind %d, %q, %v (%v); want kind %d, %q", p.Kind, p.Message, p.Fields, err, kind, keyOrField)
}

func accountsID(text string) accounts.PersonID { return accounts.PersonID(text) }
