package tenant_test

import (
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// A meter that fell silent says so on every page, and promises nothing. The headline
// bears the date of what it sums up, not that of the meter read by month.
func testPaul(t *testing.T, b webtest.Browser) {
	const silent = "Aucune relève depuis le vendredi 6 mars."
	for _, l := range []look{
		{"home", "/", 200, []string{silent, "Chiffres connus jusqu’au samedi 28 février."}, nil},
		{"the week that runs", "/consommation/cold_water/2026-03-16", 200, []string{"Pas de chiffre pour cette période.", silent}, []string{"La semaine n’est pas finie.", "comparaison"}},
		{"the week in which it fell silent", "/consommation/cold_water/2026-03-04", 200, []string{"260 litres"}, []string{silent}},
		{"the month that runs", "/consommation/2026-03", 200, []string{silent, "320 litres"}, nil},
		{"the month before", "/consommation/2026-02", 200, nil, []string{silent}},
		{"moved in this year", "/consommation/cold_water/2026-02", 200, []string{"Pas de comparaison : vous n’habitiez pas encore ici l’an dernier."}, []string{"pas connu en entier"}},
		{"one span is no choice", "/consommation/hot_water/2026", 200, []string{"3,00 m³"}, []string{"Choisir la durée"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
	headline, _, _ := strings.Cut(flat(b.Get("/").Page), `id="kind-`)
	if !strings.Contains(headline, "Chiffres connus jusqu’au vendredi 6 mars.") || strings.Contains(headline, "28 février") {
		t.Errorf("the headline does not say until when its figures are known: %s", headline)
	}
}

// Hours are written as finely as they are known, and what is in the figure and not in
// the table is said.
func testHours(t *testing.T, b webtest.Browser) {
	const running = "L’heure en cours est comptée en haut, pas dans ce tableau."
	for _, l := range []look{
		{"today", "/consommation/cold_water/jour-2026-03-18", 200, []string{"30 litres", `<td class="number">10 litres</td>`, `<td class="number">4 litres</td>`,
			`<td class="number">5 litres <span class="soft">(estimé)</span></td>`, running}, []string{"5,2"}},
		{"hours of little power", "/consommation/electricity/jour-2026-03-18", 200, []string{"2,0 kWh", `<td class="number">0,04 kWh</td>`, running}, []string{"0,0 kWh"}},
		{"a day without use", "/consommation/cold_water/jour-2026-03-16", 200, []string{`<td class="number">0 litre</td>`, "<svg role", "Il manque une heure."}, []string{"0,001", `class="grid"`, running}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
}

// Where nobody knows whose the meter is, nothing of last year stands beside its
// figures, and no comparison is promised.
func testDoubt(t *testing.T, s *webtest.Site) {
	amina := visit(t, s, "amina")
	sqldbtest.Exec(t, s.DB, `UPDATE meter_check SET state = 'disputed' WHERE meter_id = 'cw'`)
	for _, l := range []look{
		{"the month", "/consommation/cold_water/2026-03", 200, []string{"1,39 m³", "Nous ne comparons pas non plus."}, []string{"l’an dernier", `class="before"`}},
		{"the year", "/consommation/cold_water/2026", 200, []string{"6,11 m³"}, []string{"l’an dernier", `class="before"`}},
		{"the week that runs", "/consommation/cold_water/2026-03-16", 200, []string{"190 litres"}, []string{"l’an dernier", "La comparaison arrive"}},
		{"beside others", "/comparer", 200, []string{"Compteur non vérifié."}, []string{"51,220 m³"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, amina) })
	}
	if file := amina.Get("/consommation/cold_water/2026-03/fichier").Page; strings.Contains(file, ";100") {
		t.Errorf("the file tells of last year: %q", file)
	}
	sqldbtest.Exec(t, s.DB, `UPDATE meter_check SET state = 'verified' WHERE meter_id = 'cw'`)
}
