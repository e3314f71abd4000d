package programme_test

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// written fills in what is written of the household 000: a note, its internet, a
// closed line, a sale with a repair.
func (q *quarter) written() {
	q.t.Helper()
	if _, err := q.store.WriteNote(q.t.Context(), advisor, "F-000", programme.Draft{On: date(q.t, "2026-03-10"), Words: "Malade, ne pas appeler le matin."}, now); err != nil {
		q.t.Fatal(err)
	}
	q.exec(`INSERT INTO household_internet (household_id, from_date, has, recorded_by) VALUES ('F-000', '2024-01-01', 'none', 'adv'), ('F-000', '2025-01-01', 'own', 'adv'), ('F-001', '2025-01-01', 'none', 'adv')`)
	q.exec(`INSERT INTO active_month (month, residence_id, household_id) VALUES ('2026-02', 'R', 'F-000')`)
	q.exec(`INSERT INTO queue_closing (action_id, residence_id, matter, subject_id, household_id, outcome, closed_ms, closed_on, closed_by) VALUES ('A', 'R', 'arrival', 'F-000', 'F-000', 'called', 1000, '2026-02-02', 'adv')`)
	q.repair(0, "2026-01-02", "2026-01-07")
	q.exec(`UPDATE machine_sale SET signed_by = 'Habitant 000', return_reason = 'Trop lent pour moi'`)
	q.exec(`UPDATE repair_ticket SET problem = 'Appelez le 06 12 34 56 78'`)
}

// The household's archive has what was noted of it, and nothing of others; where it
// has all of its data erased that goes.
func TestRecords(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		q := &quarter{t: t, db: db, store: settle(t, db, 2), made: map[string]civil.Date{}}
		q.written()
		r := programme.Records{Store: q.store}
		held := func(since string) string {
			t.Helper()
			files, err := r.Held(t.Context(), "F-000", date(t, since))
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(files["suivi.json"])
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		for _, tt := range []struct{ since, bears, lacks string }{
			{"1970-01-01", `"words":"Malade, ne pas appeler le matin."`, `F-001`}, {"1970-01-01", `{"from":"2024-01-01","has":"none"}`, `zz`},
			{"1970-01-01", `"active_months":["2026-02"]`, `zz`}, {"2026-03-11", `{"from":"2025-01-01","has":"own"}`, `Malade`}, {"2026-03-11", `"notes":`, `2024-01-01`},
		} {
			if got := held(tt.since); !strings.Contains(got, tt.bears) || strings.Contains(got, tt.lacks) {
				t.Errorf("since %s: %s, want %s and not %s", tt.since, got, tt.bears, tt.lacks)
			}
		}
		if err := r.Forget(t.Context(), consent.Erasure{Household: "F-000", What: consent.Fine}); err != nil || !strings.Contains(held("1970-01-01"), "Malade") {
			t.Errorf("erasing the curve takes notes: %v", err)
		}
		for range 2 {
			if err := r.Forget(t.Context(), consent.Erasure{Household: "F-000", What: consent.All}); err != nil {
				t.Fatal(err)
			}
		}
		q.gone(map[string]string{"notes": `household_note`, "internet": `household_internet WHERE household_id = 'F-000'`, "months": `active_month`, "lines": `queue_closing`})
		q.stays(`household_internet WHERE household_id = 'F-001'`)
	})
}

func (q *quarter) stays(what string) {
	q.t.Helper()
	var n int
	if err := q.db.QueryRowContext(q.t.Context(), `SELECT COUNT(*) FROM `+what).Scan(&n); err != nil || n == 0 {
		q.t.Errorf("%s: %d left, %v", what, n, err)
	}
}

func (q *quarter) gone(all map[string]string) {
	q.t.Helper()
	for name, what := range all {
		var n int
		if err := q.db.QueryRowContext(q.t.Context(), `SELECT COUNT(*) FROM `+what).Scan(&n); err != nil || n > 0 {
			q.t.Errorf("%s: %d left, %v", name, n, err)
		}
	}
}

// A household that left is forgotten with what was written of it; money stays.
func TestForgottenHousehold(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		q := &quarter{t: t, db: db, store: settle(t, db, 2), made: map[string]civil.Date{}}
		q.written()
		q.exec(`UPDATE tenancy SET moved_out = '2026-03-01' WHERE household_id = 'F-000'`)
		if err := consent.NewStore(db, consent.OpenLedger(t.TempDir()+"/ledger")).Forget(t.Context(), "F-000", consent.ByRequest, "adv", now); err != nil {
			t.Fatal(err)
		}
		q.gone(map[string]string{"notes": `household_note`, "internet": `household_internet WHERE household_id = 'F-000'`, "closed lines": `queue_closing`,
			"person": `person WHERE id = 'P-000'`, "name under the receipt": `machine_sale WHERE signed_by NOT IN ('', '–')`,
			"reason of the return": `machine_sale WHERE return_reason <> ''`, "words of the repair": `repair_ticket WHERE problem <> '–'`,
			"words of its steps": `repair_step WHERE note <> ''`})
		q.stays(`machine_sale WHERE price_cents = 6000`)
		q.stays(`household_internet WHERE household_id = 'F-001'`)
	})
}
