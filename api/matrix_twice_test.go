package main

import (
	"net/http"
	"strings"
	"testing"
)

// matrixTwice are the forms of tenants' pages that a double click, a reload after
// the answer, or a second tab sends again; and what counts their results.
var matrixTwice = []struct{ path, count string }{
	{"/alertes/{case}", `SELECT COUNT(*) FROM alert_step WHERE case_id = 'AC-amina'`},
	{"/conseils/{tip}", `SELECT COUNT(*) FROM tip_step`},
	{"/mes-donnees/accords/{purpose}", `SELECT COUNT(*) FROM consent`},
	{"/mes-donnees/accords/{purpose}/fin", `SELECT COUNT(*) FROM consent`},
	{"/mes-donnees/effacer", `SELECT COUNT(*) FROM erasure`},
	{"/mon-ordinateur/reparation?foyer={household}", `SELECT COUNT(*) FROM repair_ticket`},
	{"/mon-ordinateur/formation/autre-date?foyer={household}", `SELECT COUNT(*) FROM training_enrolment`},
	{"/mon-ordinateur/formation/niveau?foyer={household}", `SELECT COUNT(*) FROM training_position`},
}

// TestTwiceIsOnce: a form that is sent twice gives one result, whoever pressed too
// often, and the second answer breaks nothing.
func TestTwiceIsOnce(t *testing.T) {
	m, _ := servedMatrix(t)
	ami := actorNamed("ami")
	for _, one := range matrixTwice {
		t.Run(one.path, func(t *testing.T) {
			m.fresh(t)
			r := row{method: http.MethodPost, path: one.path, object: "amina"}
			count := func() (n int) {
				if err := m.db.QueryRowContext(t.Context(), one.count).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			if status, text := m.ask(t, m.request(t, r, ami)); !isSuccess(status) {
				t.Fatalf("first: %s %.200s", status, brief(text))
			}
			once := count()
			for _, again := range []string{"double click", "reload", "second tab"} {
				if status, text := m.ask(t, m.request(t, r, ami)); strings.HasPrefix(status, "5") || status == "403" {
					t.Errorf("%s: %s %.200s", again, status, brief(text))
				}
				if got := count(); got != once {
					t.Errorf("%s: %d results, want %d", again, got, once)
				}
			}
		})
	}
}
