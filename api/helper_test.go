package main

import (
	"net/http"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// A helper looks at the home of who asked, and at nothing else of theirs; each
// page says whose home it shows.
func TestHelper(t *testing.T) {
	h := newHouse(t)
	sqldbtest.Exec(t, h.db, `INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
		VALUES ('m1', 'F-new', 'P-new', 'P-next', 'see', 'page', 'P-new', '2026-03-01', '2026-06-01', 1)`)
	sqldbtest.Exec(t, h.db, `UPDATE person SET language = 'fr' WHERE id = 'P-next'`)
	helper, helped := h.visit(t, "P-next"), h.visit(t, "P-new")
	for _, tt := range []struct {
		name         string
		who          visitor
		path         string
		status       int
		shows, hides []string
	}{
		{"at home", helper, "/", 200, []string{"Bonjour Jean Voisin", "Logement 13", `aria-current="true">Mon logement`, "/?foyer=F-new"}, []string{"Logement 12", "Vous regardez", "1 897"}},
		{"helping", helper, "/?foyer=F-new", 200, []string{"Bonjour Jean Voisin", "Vous regardez un autre logement : Amina Diallo.", "dimanche 31 mai", "Logement 12", "1 897 litres", "/consommation/2026-03?foyer=F-new"},
			[]string{"Logement 13", "Il faut d’abord votre accord"}},
		{"a month of the home helped", helper, "/consommation/2026-02?foyer=F-new", 200, []string{"Vous regardez un autre logement : Amina Diallo.", "mardi 10 février", "/?foyer=F-new"}, []string{"lundi 9 février"}},
		{"before its giver lived there", helper, "/consommation/2026-01?foyer=F-new", 404, nil, []string{"litres<"}},
		{"a neighbour's", helper, "/?foyer=F-bare", 404, nil, []string{"Rose", "Logement 14"}},
		{"the former tenant's", helper, "/?foyer=F-old", 404, nil, []string{"Marc", "Logement 12"}},
		{"who is helped does not see the helper's", helped, "/?foyer=F-next", 404, nil, []string{"Jean", "Logement 13"}},
		{"who is helped has no choice of homes", helped, "/", 200, []string{"Logement 12"}, []string{"foyer=", "Vous regardez"}},
		{"days in JSON", helper, "/api/v1/consumption/daily?from=2026-03-06&to=2026-03-07&kind=cold_water&household=F-new", 200, []string{`"volume_ml":106000`}, nil},
		{"own days in JSON", helper, "/api/v1/consumption/daily?from=2026-03-06&to=2026-03-07&kind=cold_water", 200, []string{`"volume_ml":77000`}, []string{"106000"}},
		{"a neighbour's days in JSON", helper, "/api/v1/consumption/daily?from=2026-03-06&to=2026-03-07&household=F-bare", 404, nil, []string{"volume_ml"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.who.t = t
			status, page := tt.who.get(tt.path)
			if status != tt.status {
				t.Errorf("status = %d, want %d", status, tt.status)
			}
			check(t, page, tt.shows, tt.hides)
		})
	}
	sqldbtest.Exec(t, h.db, `UPDATE mandate SET revoked_ms = 5`)
	if status, page := helper.get("/?foyer=F-new"); status != http.StatusNotFound {
		t.Errorf("after it was revoked: %d %s", status, page)
	}
}
