package main

import (
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// Euros stand on a home's page once a price is known and the meter has passed its
// check, as a landlord enters the one and an installer does the other; a neighbour
// without either reads none.
func TestEuros(t *testing.T) {
	h := newHouse(t)
	tenant, neighbour := h.visit(t, "P-new"), h.visit(t, "P-next")
	const path = "/consommation/electricity/2026-03"
	shows := func(texts, hides []string) {
		t.Helper()
		status, page := tenant.get(path)
		if status != 200 {
			t.Fatalf("status %d", status)
		}
		check(t, page, texts, hides)
	}
	shows([]string{"Compteur non vérifié."}, []string{"€"})
	sqldbtest.Exec(t, h.db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state) SELECT meter_id, point_id, from_ms, 'verified' FROM binding WHERE meter_id = 'el-1'`)
	shows([]string{"Le prix n’est pas connu."}, []string{"€"})
	sqldbtest.Exec(t, h.db, `INSERT INTO tariff (id, residence_id, kind, from_date, bill, fixed_monthly_cents, price_micro_eur, per, heat_micro_eur, wh_per_m3, individual_percent, source)
		VALUES ('T1', 'roseraie', 'electricity', '2026-02-01', 'supplier', 0, 194000, 'kWh', 0, 0, 100, 'tarif réglementé')`)
	shows([]string{"chez votre fournisseur", "0,194", "tarif réglementé"}, []string{"vos charges", "non vérifié"})
	_, page := neighbour.get("/")
	check(t, page, []string{"Jean Voisin"}, []string{"€"})
}
