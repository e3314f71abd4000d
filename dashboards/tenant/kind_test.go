package tenant_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// TestPages asks for every page of a home over one InfluxDB.
func TestPages(t *testing.T) {
	s := newStreet(t)
	t.Run("amina", func(t *testing.T) { testAmina(t, visit(t, s, "amina")) })
	t.Run("jean", func(t *testing.T) { testJean(t, visit(t, s, "jean")) })
	t.Run("paul", func(t *testing.T) { testPaul(t, visit(t, s, "paul")) })
	t.Run("hours", func(t *testing.T) { testHours(t, visit(t, s, "amina")) })
	t.Run("doubt", func(t *testing.T) { testDoubt(t, s) })
	t.Run("rose", func(t *testing.T) { testRose(t, visit(t, s, "rose")) })
	t.Run("file", func(t *testing.T) { testFile(t, visit(t, s, "amina")) })
	t.Run("gestures", func(t *testing.T) { testGestures(t, s) })
	t.Run("euros", func(t *testing.T) { testEuros(t, s) })
	t.Run("dial", func(t *testing.T) { testDial(t, visit(t, s, "amina")) })
	t.Run("english", func(t *testing.T) { testEnglish(t, visit(t, s, "amina")) })
	t.Run("nonsense", func(t *testing.T) {
		if forms := webtest.Nonsense(t, visit(t, s, "amina").Reader(), "/"); forms < 3 {
			t.Errorf("%d forms", forms)
		}
	})
	t.Run("weight", func(t *testing.T) { testWeight(t, visit(t, s, "amina")) })
	t.Run("helper", func(t *testing.T) { testHelper(t, s) })
	t.Run("moved", func(t *testing.T) { testMoved(t, s) })
	t.Run("browser", func(t *testing.T) { testBrowser(t, s) })
}

func testAmina(t *testing.T, b webtest.Browser) {
	for _, l := range []look{
		{"home", "/", 200, []string{"Ce mois-ci : moins d’eau froide que l’an dernier.", "Comparé aux 17 mêmes jours, en mars 2025.", "il y a 8 secondes (14 h 03)",
			"Chiffres connus jusqu’au samedi 28 février.", "Une question ? Claire Moreau est au", "tel:0241000000", "1,39 m³", "340 litres de moins.", "1,36 m³ au lieu de 1,70 m³.", "480 kWh", "Que voulez-vous faire ?", "Comparer mon logement",
			"/consommation/cold_water/2026-03", "/consommation/heat/2026", "Nous n’avons pas pu tenir compte du froid."},
			[]string{"/consommation/gas", "Compteur cw"}},
		{"month", "/consommation/cold_water/2026-03", 200, []string{"Eau froide, mars 2026", "1,39 m³", "(1 390 litres)", "depuis le 1er mars", "340 litres de moins.",
			"2 jours sont estimés : des relèves manquent.", "51,220 m³", "52,610 m³", "dimanche 1er mars, 0 h 00", "Compteur : Eau froide", "Référence du compteur : cw",
			"Mois d’avant (février 2026)", "l’an dernier : 100 litres", "/consommation/cold_water/2026-03?jour=2026-03-10#jour", "Télécharger les chiffres"},
			[]string{"Mois d’après", "<caption>Compteur cw", "jeudi 19 mars</a>", "Il manque"}},
		{"one day", "/consommation/cold_water/2026-03?jour=2026-03-10", 200, []string{"mardi 10 mars</h2>", "80 litres", "51,940 m³", "52,020 m³", "0,080 m³"}, nil},
		{"a day of another month", "/consommation/cold_water/2026-03?jour=2026-02-10", 200, nil, []string{"mardi 10 février"}},
		{"a day to come", "/consommation/cold_water/2026-03?jour=2026-03-25", 200, nil, []string{`id="jour"`}},
		{"a month that is over", "/consommation/cold_water/2026-02", 200, []string{"du 1er février au 28 février", "Comparé à février 2025.", "560 litres de moins.", "Voir : février 2025", "Mois d’après (mars 2026)"}, []string{"Dernière relève", "en cours"}},
		{"a week that is over", "/consommation/cold_water/2026-03-11", 200, []string{"semaine du 9 mars 2026", "560 litres", "du 9 mars au 15 mars", "140 litres de moins.", "Comparé à la semaine du 10 mars 2025.", "Semaine d’après"}, nil},
		{"the week that runs", "/consommation/cold_water/2026-03-16", 200, []string{"190 litres", "La semaine n’est pas finie. La comparaison arrive lundi.", "même jour de la semaine, l’an dernier"}, []string{"de moins"}},
		{"the year to come has a line for each bar", "/consommation/electricity/2026", 200, []string{`<th scope="row">décembre</th><td class="number">–</td><td class="number">155 kWh</td>`}, nil},
		{"the year", "/consommation/cold_water/2026", 200, []string{"6,11 m³", "depuis le 1er janvier", "Mois terminés : 2. Comparé aux mêmes mois de 2025.", "1,18 m³ de moins.", "/consommation/cold_water/2026-02", "2,48 m³", "3,10 m³", "l’an dernier</th>"}, nil},
		{"last year", "/consommation/cold_water/2025", 200, []string{"36,50 m³", "Pas de comparaison : l’an dernier n’est pas connu en entier.", "décembre</a>", "3,10 m³"}, []string{"l’an dernier</th>"}},
		{"read by month, a month", "/consommation/heat/2026-02", 200, []string{"480 kWh", "relevé une fois par mois", "Voir mois par mois"}, []string{"Semaine</a>", "<svg role"}},
		{"read by month, the year", "/consommation/heat/2026", 200, []string{"960 kWh", "du 1er janvier au 28 février", "240 kWh de moins.", "Nous n’avons pas pu tenir compte du froid."}, []string{"Semaine</a>", "Choisir la durée"}},
		{"not read", "/consommation/gas/2026-03", 200, []string{"Il faut d’abord votre accord."}, []string{"m³", "Télécharger"}},
		{"beside others", "/comparer", 200, []string{"Comparer mon logement, février 2026", "Pas assez de logements semblables.", "Chez vous, avant et maintenant", "560 litres de moins.",
			"Ce compteur n’est pas relevé. Il faut d’abord votre accord.", `<a class="button" href="/mes-donnees">Donner mon accord</a>`}, []string{"Pas de chiffre pour ce mois.", "À côté des logements semblables"}},
		{"to be printed", "/consommation/cold_water/2026-03?papier=1", 200, []string{"<details open>", "Ctrl et P", "Revenir à la page"}, []string{"<details>"}},
		{"no such kind", "/consommation/steam/2026-03", 404, nil, nil},
		{"no meter of the kind", "/consommation/hot_water/2026-03", 404, nil, []string{"litre"}},
		{"a temperature is no consumption", "/consommation/temperature/2026-03", 404, nil, nil},
		{"next month", "/consommation/cold_water/2026-04", 404, nil, []string{"litre"}},
		{"before she came", "/consommation/cold_water/2024-11", 404, nil, []string{"litre"}},
		{"no such period", "/consommation/cold_water/mars", 404, nil, nil},
		{"no such day", "/consommation/cold_water/2026-02-30", 404, nil, nil},
		{"help", "/aide", 200, []string{"Aide en images", "Les barres", "153,257", "Sur un téléphone", "Nous appeler"}, []string{"153.257"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
	if a := b.Get("/consommation/cold_water"); a.Status != 303 || a.To != "/consommation/cold_water/2026-03" {
		t.Errorf("the kind without a period leads to %s (%d)", a.To, a.Status)
	}
}

// Who moved in this month sees nothing of before, and a gap is said.
func testJean(t *testing.T, b webtest.Browser) {
	for _, l := range []look{
		{"home", "/", 200, []string{"Votre compteur n’est pas encore vérifié. Nous ne comparons donc pas. Pour savoir quand : appelez-nous.", "du 2 mars au 17 mars", "800 litres", "Chiffres connus jusqu’au mardi 17 mars."}, []string{"de moins", "de plus", "Dernière relève"}},
		{"month", "/consommation/cold_water/2026-03", 200, []string{"800 litres", "du 2 mars au 17 mars", "Il manque un jour.", "Nous ne comparons pas non plus.", "lundi 2 mars"},
			[]string{"Nous ne comparons donc pas", "dimanche 1er mars<", "Mois d’avant", "mercredi 18 mars</", "jour=2026-03-09"}},
		{"the month before", "/consommation/cold_water/2026-02", 404, nil, []string{"50 litres"}},
		{"the year before", "/consommation/cold_water/2025", 404, nil, []string{"50 litres"}},
		{"last year stands nowhere", "/consommation/cold_water/2026", 200, nil, []string{"l’an dernier :", `class="before"`}},
		{"the neighbour's kind", "/consommation/electricity/2026-03", 404, nil, []string{"kWh"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
}

// What was used in the flat before is shown, and compares with nothing here.
func testMoved(t *testing.T, s *webtest.Site) {
	sqldbtest.Exec(t, s.DB, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES ('t-before', 'h2', 'd4', '2024-12-01', '2026-03-02')`)
	sqldbtest.Exec(t, s.DB, `UPDATE membership SET from_date = '2024-12-01' WHERE person_id = 'jean'`)
	jean := visit(t, s, "jean")
	for _, l := range []look{
		{"before", "/consommation/cold_water/2025-03", 200, []string{"2,17 m³", "Mois d’après"}, nil},
		{"now", "/consommation/cold_water/2026-03-16", 200, nil, []string{"l’an dernier :", `class="before"`}},
		{"home", "/", 200, nil, []string{"de moins", "de plus"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, jean) })
	}
}

// A helper's links stay in the home that they help, and lead to no other.
func testHelper(t *testing.T, s *webtest.Site) {
	sqldbtest.Exec(t, s.DB, `INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
		VALUES ('m1', 'h1', 'amina', 'rose', 'see', 'page', 'amina', '2026-03-01', '2026-06-01', 1)`)
	rose := visit(t, s, "rose")
	for _, l := range []look{
		{"the home helped", "/consommation/cold_water/2026-03?foyer=h1", 200, []string{"Vous regardez un autre logement : Amina Diallo.", "340 litres de moins.",
			`href="/consommation/cold_water/2026-02?foyer=h1"`, `href="/consommation/cold_water/2026?foyer=h1"`, `href="/consommation/cold_water/2026-03/fichier?foyer=h1"`,
			`href="/consommation/cold_water/2026-03?foyer=h1&amp;jour=2026-03-10#jour"`, `href="/consommation/cold_water/2026-03?foyer=h1&amp;papier=1"`}, nil},
		{"its gestures", "/gestes?foyer=h1", 200, []string{"Votre eau chaude vient de l’immeuble.", `name="foyer" value="h1"`}, nil},
		{"its dial", "/verifier?foyer=h1&compteur=cold_water&cadran=52,7", 200, []string{"Cet index va avec", `name="foyer" value="h1"`}, nil},
		{"not read there", "/consommation/gas/2026-03?foyer=h1", 200, []string{"Il faut d’abord l’accord du foyer."}, []string{"votre accord"}},
		{"its comparison", "/comparer?foyer=h1", 200, []string{"Il faut d’abord l’accord du foyer."}, []string{"votre accord", "Donner mon accord"}},
		{"a home not helped", "/consommation/cold_water/2026-03?foyer=h2", 404, nil, []string{"50 litres", "Jean"}},
		{"nor its dial", "/verifier?foyer=h2", 404, nil, []string{"m³"}},
		{"nor its file", "/consommation/cold_water/2026-03/fichier?foyer=h2", 404, nil, []string{"2026-03-02"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, rose) })
	}
}

// Without meters there is still something to do.
func testRose(t *testing.T, b webtest.Browser) {
	for _, l := range []look{
		{"home", "/", 200, []string{"Votre logement n’a pas encore de compteur relié.", "Ce que vous pouvez déjà faire", "Comparer des gestes", "Vérifier mon compteur", "Claire Moreau", "02 41 00 00 00"}, []string{"litre", "kWh", "Ce mois-ci", "/comparer"}},
		{"gestures", "/gestes", 200, []string{"150 litres", "Nous ne savons pas ce qui chauffe votre eau."}, nil},
		{"check", "/verifier", 200, []string{"Votre compteur n’est pas relié.", "pour lire votre compteur et trouver une fuite.", "Il a bougé ? Appelez-nous."}, []string{"Vos compteurs", "<form class=\"row\"", "nous relevons bien"}},
		{"a kind", "/consommation/cold_water/2026-03", 404, nil, nil},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
}

func testFile(t *testing.T, b webtest.Browser) {
	a := b.Get("/consommation/cold_water/2026-03/fichier")
	lines := strings.Split(strings.TrimPrefix(a.Page, "\ufeff"), "\n")
	if a.Status != 200 || !strings.HasPrefix(a.Page, "\ufeff") || len(lines) != 20 {
		t.Fatalf("status %d, %d lines: %q", a.Status, len(lines), a.Page)
	}
	got := []string{lines[0], lines[1], lines[12], lines[18]}
	want := []string{"Jour;Eau froide (litres);qualité;l’an dernier (litres)", "2026-03-01;80;mesuré;100", "2026-03-12;80;estimé;100", "2026-03-18;30;en cours;100"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	b.Get("/langue/en")
	year := strings.Split(strings.TrimPrefix(b.Get("/consommation/electricity/2026/fichier").Page, "\ufeff"), "\n")
	want = []string{"Month,Electricity (kWh),quality,last year (kWh)", "2026-01,155,measured,155", "2026-02,140,measured,140", "2026-03,87,so far,155", ""}
	if diff := cmp.Diff(want, year); diff != "" {
		t.Errorf("lines of the year (-want +got):\n%s", diff)
	}
	if a := b.Get("/consommation/gas/2026-03/fichier"); a.Status != 200 || strings.Count(a.Page, "\n") != 1 {
		t.Errorf("a meter that is not read: %d, %q", a.Status, a.Page)
	}
	if a := b.Get("/consommation/cold_water/2024-01/fichier"); a.Status != 404 {
		t.Errorf("before she came: %d", a.Status)
	}
}

// The amounts are those of the catalogue, 364 times a year: a bath of 150 litres is
// 54.6 m³, of which 57.5 % hot: 23.2 m³ × 4.69 € + 31.4 m³ × 12 € = 486 €.
func testGestures(t *testing.T, s *webtest.Site) {
	amina, rose := visit(t, s, "amina"), visit(t, s, "rose")
	look{"shared hot water", "/gestes", 200, []string{"Bain ou douche", "150 litres", "4,0 kWh", "54,6 m³, 1 458 kWh", "environ 486 €", "environ 117 €",
		"« Une douche de 3 minutes » au lieu de « Un bain », en un an :", "Environ 369 € de moins, dans vos charges.", "41,5 m³ d’eau de moins.", "1 108 kWh d’énergie de moins.",
		"Ce sont des chiffres courants. Ils ne sont pas mesurés chez vous.", "« Éteint » au lieu de « En veille », en un an :", "87,4 kWh d’énergie de moins.", "Environ 17 € de moins, chez votre fournisseur.", "Sur un an, 7 jours par semaine",
		`<th scope="col" class="number">Dans vos charges</th><th scope="col" class="number">Chez votre fournisseur</th>`, `<td class="number" data-of="Dans vos charges">environ 137 €</td><td class="number" data-of="Chez votre fournisseur">environ 71 €</td>`, "Environ 43 € de moins, chez votre fournisseur.", "Les prix du jour",
		"0,194 €/kWh, chez votre fournisseur, depuis le 10 mars 2026.", "4,69 €/m³, dans vos charges, depuis le 1er janvier 2024. D’où vient ce prix : <span lang=\"fr\">Syndicat des eaux</span>",
		"Combien de jours par semaine ?", "À 30 °C", "Votre eau chaude vient de l’immeuble."}, []string{"Les prix ne sont pas encore connus.", "environ 207 €"}}.check(t, amina)
	look{"twice a week", "/gestes?geste=oven_or_microwave&fois=2", 200, []string{"Sur un an, 2 fois par semaine", "104 kWh", "88,4 kWh d’énergie de moins."}, []string{"environ 20 €", "Environ 17 € de moins, dans vos charges"}}.check(t, amina)
	look{"no number", "/gestes?geste=oven_or_microwave&fois=x", 200, []string{"Écrivez un nombre de 1 à 70.", "Sur un an, 7 fois par semaine"}, nil}.check(t, amina)
	look{"too often", "/gestes?geste=bath_or_shower&fois=71", 200, []string{"Écrivez un nombre de 1 à 70."}, nil}.check(t, amina)
	// What heats Rose's water nobody said: no price of a bath, but one of standby.
	look{"unknown hot water", "/gestes", 200, []string{"environ 17 €", "54,6 m³"}, []string{"environ 486 €", "environ 256 €", "environ 61 €", "de moins, dans vos charges"}}.check(t, rose)
}

func testDial(t *testing.T, b webtest.Browser) {
	for _, l := range []look{
		{"nothing typed", "/verifier", 200, []string{"52,610 m³", "il y a 8 secondes", "Un installateur a vérifié ce compteur.", "Rien n’est gardé."}, []string{"Cet index va avec", "Ce n’est pas notre index"}},
		{"what we read", "/verifier?compteur=cold_water&cadran=52,610", 200, []string{"Cet index va avec le nôtre."}, nil},
		{"a little later", "/verifier?compteur=cold_water&cadran=00053,1", 200, []string{"Cet index va avec le nôtre."}, nil},
		{"whole m³", "/verifier?compteur=cold_water&cadran=52", 200, []string{"Cet index va avec le nôtre."}, nil},
		{"the neighbour's", "/verifier?compteur=cold_water&cadran=31,200", 200, []string{"Ce n’est pas notre index."}, nil},
		{"less than we read", "/verifier?compteur=cold_water&cadran=52,500", 200, []string{"Ce n’est pas notre index."}, nil},
		{"a word", "/verifier?compteur=cold_water&cadran=beaucoup", 200, []string{"Écrivez seulement des chiffres et une virgule", `value="beaucoup"`}, nil},
		{"of another kind", "/verifier?compteur=electricity&cadran=52,610", 200, []string{"Ce n’est pas notre index."}, []string{"C’est bien"}},
		{"a meter read by month", "/verifier?compteur=heat&cadran=9", 200, []string{"Notre dernier index date de plus de deux jours. Nous ne pouvons pas comparer. Il y a un doute ? Appelez-nous.", `value="electricity"`},
			[]string{`value="heat"`, "Ce n’est pas notre index"}},
		{"a meter that is not read", "/verifier?compteur=gas&cadran=1", 200, nil, []string{"C’est bien", "Ce n’est pas notre index", `id="gas"`}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
}

func testEnglish(t *testing.T, b webtest.Browser) {
	b.Get("/langue/en")
	for _, l := range []look{
		{"home", "/", 200, []string{"This month: less cold water than last year.", "Compared with the same 17 days of March 2025.", "340 litres less."}, []string{"litres de moins"}},
		{"month", "/consommation/cold_water/2026-03", 200, []string{"Cold water, March 2026", "1.39 m³", "Why this figure?"}, nil},
		{"week", "/consommation/cold_water/2026-03-11", 200, []string{"week of 9 March 2026"}, nil},
		{"gestures", "/gestes", 200, []string{"“A shower of 3 minutes” instead of “A bath”, in a year:", "About €369 less, in your charges."}, nil},
		{"check", "/verifier", 200, []string{"Check my meter"}, nil},
		{"help", "/aide", 200, []string{"Help in pictures", "153.257"}, []string{"153,257"}},
	} {
		t.Run(l.name, func(t *testing.T) { l.check(t, b) })
	}
}

// testWeight: a page and its style sheet weigh at most 60 kB together.
func testWeight(t *testing.T, b webtest.Browser) {
	for _, path := range []string{"/", "/consommation/cold_water/2026-03", "/consommation/cold_water/2025", "/consommation/2026-03", "/gestes", "/verifier", "/aide"} {
		page := b.Get(path).Page
		_, rest, _ := strings.Cut(page, `href="/assets/style.`)
		name, _, _ := strings.Cut(rest, `"`)
		style := b.Get("/assets/style." + name).Page
		if sum := len(page) + len(style); len(style) == 0 || len(style) > 20_000 || sum > 60_000 {
			t.Errorf("%s weighs %d bytes, of which %d of style", path, sum, len(style))
		} else {
			t.Logf("%s: %d bytes with its style sheet", path, sum)
		}
		if strings.Contains(page, " style=") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
			t.Errorf("%s asks for something from elsewhere", path)
		}
	}
}
