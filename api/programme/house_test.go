package programme_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Who works where: R is one residence, S another.
const (
	advisor    accounts.PersonID = "adv"
	manager    accounts.PersonID = "man"
	technician accounts.PersonID = "tec"
	stranger   accounts.PersonID = "ad2" // administrator of S
)

// noon of a Wednesday.
var now = time.Date(2026, 3, 18, 11, 0, 0, 0, time.UTC)

func date(t testing.TB, text string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func dateP(t testing.TB, text string) *civil.Date {
	d := date(t, text)
	return &d
}

func number(n int64) *int64 { return &n }

// settle makes two residences with their staff, and homes in R, each lived in by
// one person since 2020.
func settle(t testing.TB, db *sql.DB, homes int) *programme.Store {
	t.Helper()
	exec := func(statement string, args ...any) { sqldbtest.Exec(t, db, statement, args...) }
	exec(`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'Rose', 'Europe/Paris', 0), ('S', 'Safran', 'Europe/Paris', 0)`)
	for _, p := range []struct{ id, role, residence string }{{"adv", "advisor", "R"}, {"man", "manager", "R"}, {"tec", "technician", "R"},
		{"ad2", "administrator", "S"}} {
		exec(`INSERT INTO person (id, name, language) VALUES ($1, $2, 'fr')`, p.id, "Equipe "+p.id)
		exec(`INSERT INTO staff_role (person_id, role, residence_id) VALUES ($1, $2, $3)`, p.id, p.role, p.residence)
	}
	for n := range homes {
		home(t, db, n, "2020-01-01")
	}
	return programme.NewStore(db)
}

// home makes the n-th home, lived in from a day on.
func home(t testing.TB, db *sql.DB, n int, since string) {
	t.Helper()
	exec := func(statement string, args ...any) { sqldbtest.Exec(t, db, statement, args...) }
	id := fmt.Sprintf("%03d", n)
	exec(`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ($1, 'R', 'A', '1', $2, 1, 3, 60)`, "D-"+id, id)
	exec(`INSERT INTO household (id, occupants, language) VALUES ($1, 2, 'fr')`, "F-"+id)
	exec(`INSERT INTO person (id, name, language) VALUES ($1, $2, 'fr')`, "P-"+id, "Habitant "+id)
	exec(`INSERT INTO membership (person_id, household_id, from_date) VALUES ($1, $2, $3)`, "P-"+id, "F-"+id, since)
	exec(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $2, $3, $4)`, "T-"+id, "F-"+id, "D-"+id, since)
	exec(`INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $2, 'cold_water')`, "PT-"+id, "D-"+id)
}
