package workshop_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// The waiting list: found by the door, added, named with door and members, sold to
// or taken off; who must not read it finds nothing.
func TestWaitingList(t *testing.T) {
	s := open(t)
	adv := s.enter(advisor)
	shows(t, adv.Get("/atelier/attente").Page, []string{"Personne n’attend.", "Prêts à vendre, neufs : 0."}, nil)
	shows(t, adv.Get("/atelier/attente?residence=R&recherche=13").Page, []string{"Luc Petit", "foyer=F-luc"}, []string{"Rose Martin"})
	page, action := "/atelier/attente?residence=R&foyer=F-luc", "/atelier/attente?residence=R"
	form := adv.form(page, action)
	form.Set("sorte", "new")
	first, second := adv.Send(action, form), adv.Send(action, form)
	if first.Status != http.StatusSeeOther || second.To != first.To {
		t.Errorf("added twice: %d to %s, then %d to %s", first.Status, first.To, second.Status, second.To)
	}
	shows(t, adv.Get("/atelier/attente").Page, []string{"Logement 13, bâtiment A, escalier 2", "Luc Petit", "Neuf", "demandé le mercredi 18 mars"}, []string{"Personne n’attend."})
	if a := adv.send(page, action); a.Status != http.StatusConflict {
		t.Errorf("on the list twice: %d", a.Status)
	}
	if a := adv.send("/atelier/attente?residence=R&foyer=F-rose", action, "jour", "2026-03-19"); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Page, `id="attente-jour-f"`) || !strings.Contains(a.Page, `value="2026-03-19"`) {
		t.Errorf("asked tomorrow: %d", a.Status)
	}
	shows(t, adv.Get("/atelier/stock").Page, []string{`href="/atelier/attente?residence=R"`, "Foyers qui attendent : 1.", "← Atelier"}, nil)
	shows(t, s.enter(manager).Get("/atelier/stock").Page, nil, []string{"← Atelier"}) // that page is not hers
	_, rest, _ := strings.Cut(adv.Get("/atelier/attente").Page, `action="/atelier/attente/`)
	withdraw, _, _ := strings.Cut(rest, `"`)
	adv.done(adv.send("/atelier/attente", "/atelier/attente/"+withdraw))
	shows(t, adv.Get("/atelier/attente").Page, []string{"Personne n’attend."}, []string{"Luc Petit"})
	for _, other := range []clerk{s.enter(technician), s.enter(manager), s.enter(tenant)} {
		if a := other.Get("/atelier/attente"); a.Status != http.StatusForbidden {
			t.Errorf("who does not sell reads the waiting list: %d", a.Status)
		}
	}
}

// A shelf that is short says of what: of weeks of sales, else of households that wait.
func TestShelfSaysWhatItLacks(t *testing.T) {
	s := open(t)
	machine := func(id, state string) {
		sqldbtest.Exec(t, s.DB, `INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no, received_on, state, cycle, grade_appearance, grade_function, version)
			VALUES ($1, 'R', $1, $1, '', 'used', 'desktop', 'x', 'x', '', 0, 'x', '', 0, $1, '2025-01-01', $2, 1, 'B', 'B', 1)`, id, state)
	}
	for n := range 13 {
		id := fmt.Sprint("SOLD-", n)
		machine(id, "sold")
		sqldbtest.Exec(t, s.DB, `INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, payment, receipt_no, sold_on, sold_by, programme_from, programme_months, accessories, signed_by, return_reason, refund_cents)
			VALUES ($1, $1, 'R', 'F-luc', 'P-luc', 'used', 6000, 6000, 0, 'cash', $1, '2026-03-01', 'x', '2026-03-01', 12, '', '', '', 0)`, id)
	}
	machine("READY-0", "ready")
	const needs = "Il en faut 4,3 semaines de ventes."
	adv := s.enter(advisor)
	shows(t, adv.Get("/atelier/stock").Page, []string{"C’est 1 semaine de ventes. " + needs}, nil)
	for n := range 5 {
		machine(fmt.Sprint("READY-", n+1), "ready")
	}
	shows(t, adv.Get("/atelier/stock").Page, []string{"C’est 6 semaines de ventes."}, []string{needs, "Trop peu"})
	for n := range 7 {
		id := fmt.Sprint("W-", n)
		sqldbtest.Exec(t, s.DB, `INSERT INTO household (id, occupants, language, contact_by) VALUES ($1, 1, 'fr', 'letter')`, id)
		sqldbtest.Exec(t, s.DB, `INSERT INTO machine_wait (id, residence_id, household_id, kind, asked_on) VALUES ($1, 'R', $1, 'used', '2026-03-01')`, id)
	}
	shows(t, adv.Get("/atelier/stock").Page, []string{"Trop peu", "C’est 6 semaines de ventes.", "Foyers qui attendent : 7."}, []string{needs})
}

// Terms and prices: read by who works in the programme, set by managers; faults
// stand beside their fields.
func TestProgramme(t *testing.T) {
	s := open(t)
	man := s.enter(manager)
	shows(t, s.enter(advisor).Get("/atelier/programme").Page, []string{"60,00 €", "100,00 €", "12 mois à partir de l’achat", "Sans fin"}, []string{"Enregistrer"})
	page, prices := "/atelier/programme?residence=R", "/atelier/programme/prix?residence=R"
	man.done(man.send(page, prices, "quoi", "used", "jour", "2026-04-01", "prix", "65,50"))
	shows(t, man.Get(page).Page, []string{"65,50 €", "mercredi 1er avril 2026", "Plus tard", "Aujourd’hui", "Qui a fixé ces prix ?", "Ordinateur d’occasion : 65,50 € à partir du mercredi 1er avril 2026"}, nil)
	for _, tt := range []struct{ action, name, typed, field string }{
		{prices, "prix", "soixante", "prix-prix"}, {prices, "jour", "bientôt", "prix-jour"}, {prices, "prix", "", "prix-prix"},
		{page, "mois", "", "conditions-mois"}, {page, "foyer", "0", "conditions-foyer"}, {page, "delai", "31", "conditions-delai"},
		{page, "fin", "2025-12-31", "conditions-fin"}, {page, "debut", "", "conditions-debut"},
	} {
		fields := []string{tt.name, tt.typed}
		if tt.action == prices {
			fields = append([]string{"quoi", "new", "prix", "100"}, fields...)
		}
		a := man.send(page, tt.action, fields...)
		if a.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s %q: %d", tt.name, tt.typed, a.Status)
		}
		shows(t, a.Page, []string{`id="` + tt.field + `-f"`}, nil)
	}
	man.done(man.send(page, page, "foyer", "2", "mois", "24", "fin", "2027-01-01"))
	shows(t, man.Get(page).Page, []string{"24 mois à partir de l’achat", "vendredi 1er janvier 2027"}, []string{"Sans fin"})
	if a := s.enter(advisor).Send(page, man.form(page, page)); a.Status != http.StatusForbidden {
		t.Errorf("an advisor sets terms: %d", a.Status)
	}
}
