package tenant_test

import (
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// Amina's cold water of March: 1.390 m³ × 4.69 € = 6.52 €. Her electricity: 45 kWh
// × 0.1952 € until the 9th and 42 kWh × 0.194 € since, 8.784 € + 8.148 € = 16.93 €.
// Nobody knows the price of her heat, and nobody verified Jean's meter.
func testEuros(t *testing.T, s *webtest.Site) {
	amina, jean := visit(t, s, "amina"), visit(t, s, "jean")
	for _, l := range []look{
		{"home", "/", 200, []string{
			`<strong class="big">environ 7 €</strong> depuis le 1er mars, dans vos charges : eau froide</p>`,
			`<strong>environ 17 €</strong> depuis le 1er mars, chez votre fournisseur : électricité</p>`,
			"C’est une estimation, pas une facture.",
			`<strong>environ 7 €</strong> depuis le 1er mars, dans vos charges</p>`,
			`<strong>environ 17 €</strong> depuis le 1er mars, chez votre fournisseur</p>`,
			"Le prix n’est pas connu. Nous n’affichons donc pas d’euros."},
			[]string{"24 €", "23 €", "Compteur non vérifié"}},
		{"price and indexes", "/consommation/cold_water/2026-03", 200, []string{"environ 7 €", "1,390 m³", "× 4,69 €/m³", "depuis le 1er janvier 2024",
			"=&nbsp;6,52 €", "<strong>6,52 €, dans vos charges", "D’où vient ce prix : <span lang=\"fr\">Syndicat des eaux</span>", "51,220 m³", "Les deux index sont mesurés.",
			"L’abonnement n’est pas compris."}, []string{"fournisseur", "affichons"}},
		{"the price changed", "/consommation/electricity/2026-03", 200, []string{"Prix, du 1er mars au 9 mars", "45,0 kWh", "× 0,1952 €/kWh", "=&nbsp;8,78 €",
			"Prix, du 10 mars au 18 mars", "42,0 kWh", "× 0,194 €/kWh", "=&nbsp;8,15 €", "16,93 €, soit environ 17 €, chez votre fournisseur"}, []string{"charges", "parts égales"}},
		{"a price that is missing for months", "/consommation/electricity/2025", 200, []string{"Le prix manque du 1er janvier au 31 juillet."}, []string{"environ"}},
		{"no price at all", "/consommation/heat/2026-02", 200, []string{"480 kWh", "Le prix n’est pas connu."}, []string{" €"}},
		{"a month by its days", "/consommation/2026-02", 200, []string{"<strong>environ 11 €</strong> en février 2026, dans vos charges</p>"}, nil},
		{"a day has none", "/consommation/cold_water/2026-03?jour=2026-03-10", 200, []string{"0,080 m³"}, []string{"0,38 €"}},
		{"a day in euros", "/consommation/cold_water/2026-03?unite=eur&jour=2026-03-10", 200, []string{`<strong class="big">0,38 €</strong> <span class="second">(80 litres)</span>`, "× 4,69 €/m³", "<th scope=\"col\" class=\"number\">Coût</th>", "coût, chiffre mesuré"}, []string{"Utilisé"}},
		{"a week", "/consommation/cold_water/2026-03-16", 200, []string{"<strong>environ 1 €</strong> depuis le 16 mars, dans vos charges"}, nil},
		{"not read", "/consommation/gas/2026-03", 200, nil, []string{"€", "affichons"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, amina) })
	}
	const unverified = "Compteur non vérifié. Nous n’affichons donc pas d’euros."
	look{"unverified", "/", 200, []string{"800 litres", unverified}, []string{" €", "estimation"}}.check(t, jean)
	look{"unverified kind", "/consommation/cold_water/2026-03", 200, []string{unverified}, []string{" €"}}.check(t, jean)
	look{"unverified dial", "/verifier", 200, []string{"n’a encore vérifié ce compteur. Vous pouvez le comparer ici, ou nous appeler."}, nil}.check(t, jean)

	amina.Get("/langue/en")
	look{"English", "/", 200, []string{"about €7", "since 1 March, in your charges", "since 1 March, on your supplier’s bill", "an estimate, not a bill"}, nil}.check(t, amina)
	look{"English price", "/consommation/cold_water/2026-03", 200, []string{"× €4.69/m³", "=&nbsp;€6.52"}, nil}.check(t, amina)

	// What disagrees later is believed no more.
	sqldbtest.Exec(t, s.DB, `UPDATE meter_check SET state = 'disputed' WHERE meter_id = 'cw'`)
	look{"disputed", "/consommation/cold_water/2026-03", 200, []string{"This meter is not verified."}, []string{"€"}}.check(t, amina)
	sqldbtest.Exec(t, s.DB, `UPDATE meter_check SET state = 'verified' WHERE meter_id = 'cw'`)
	amina.Get("/langue/fr")
}
