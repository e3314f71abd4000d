package main

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// concluded counts what is held of a household's days beside the days themselves.
func concluded(t *testing.T, db *sql.DB, name string) map[string]int {
	t.Helper()
	held := map[string]int{}
	for table, where := range map[string]string{"tip_instance": "tenancy_id = 'T-" + name + "'", "tip_step": "instance_id = 'TI-" + name + "'",
		"alert_case": "point_id = 'PT-" + name + "'", "alert_question": "point_id = 'PT-" + name + "'", "alert_step": "case_id = 'AC-" + name + "'",
		"quiet_day": "meter_id = 'cw-" + name + "'", "house_answer": "tenancy_id = 'T-" + name + "'", "house_absence": "tenancy_id = 'T-" + name + "'"} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE "+where).Scan(&n); err != nil {
			t.Fatal(err)
		}
		held[table] = n
	}
	return held
}

// The archive tells all that was concluded and said of a home, and an erasure leaves
// none of it; the neighbour's stays.
func TestConclusionsAreToldAndErased(t *testing.T) {
	db, server := sqldbtest.Open(t, filepath.Join(t.TempDir(), "x.db")), testkit.Influx(t)
	m := newMatrix(t, db, server.URL, readBodies(t))
	for _, name := range []string{"amina", "sarah"} {
		sqldbtest.Exec(t, db, `INSERT INTO quiet_day (meter_id, about_s, on_date, known, step, from_ms, to_ms, from_index, to_index)
			VALUES ($1, 1800, '2026-03-17', 1, 1000, 1773700000000, 1773701800000, 1000, 1000)`, "cw-"+name)
		sqldbtest.Exec(t, db, `INSERT INTO house_answer (tenancy_id, household_id, question, number, said, at_ms, by_whom)
			VALUES ($1, $2, 'second_freezer', 1, 'yes', 1773800000000, $3)`, "T-"+name, "F-"+name, "P-"+name)
		sqldbtest.Exec(t, db, `INSERT INTO tip_step (instance_id, number, state, at_ms, on_date, by_whom) VALUES ($1, 1, 'proposed', 1773800000000, '2026-03-18', 'nights')`, "TI-"+name)
	}
	amina := matrixActors[slices.IndexFunc(matrixActors, func(a actor) bool { return a.name == "ami" })]
	status, text := m.ask(t, m.request(t, row{method: http.MethodGet, path: "/api/v1/export", object: "self"}, amina))
	if status != "200" {
		t.Fatalf("the archive: %s %.200s", status, text)
	}
	for _, want := range []string{"TI-amina", "running_cistern", "second_freezer", "2026-03-20", "burst"} {
		if !strings.Contains(text, want) {
			t.Errorf("the archive does not tell %s", want)
		}
	}
	for _, others := range []string{"TI-sarah", "PT-sarah"} {
		if strings.Contains(text, others) {
			t.Errorf("the archive tells %s", others)
		}
	}
	neighbour := concluded(t, db, "sarah")
	erase(t, m, amina, db, server.URL)
	for table, n := range concluded(t, db, "amina") {
		if n > 0 {
			t.Errorf("%d rows of %s stay", n, table)
		}
	}
	for table, n := range concluded(t, db, "sarah") {
		if n != neighbour[table] || n == 0 {
			t.Errorf("of the neighbour's %d rows of %s %d stay", neighbour[table], table, n)
		}
	}
}

// erase has a household ask for all of it to be erased, and works that off.
func erase(t *testing.T, m *matrix, a actor, db *sql.DB, url string) {
	t.Helper()
	m.bodies["POST /api/v1/erasures"] = `{"what":"all"}`
	if status, text := m.ask(t, m.request(t, row{method: http.MethodPost, path: "/api/v1/erasures", object: "self"}, a)); status[0] != '2' {
		t.Fatalf("asking for an erasure: %s %.300s", status, text)
	}
	c := influx.DefaultConfig()
	c.URL, c.Keep = url, influx.Retention{}
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	store := consent.NewStore(db, consent.OpenLedger(filepath.Join(t.TempDir(), "ledger")))
	eraser, err := consent.NewEraser(store, client, logger(t), figures.NewRegistry(), func() time.Time { return fixedNow(t).Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	all, err := newConclusions(db)
	if err != nil {
		t.Fatal(err)
	}
	eraser.Also(all)
	if err := eraser.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}
