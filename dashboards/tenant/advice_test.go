package tenant_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// TestAdvice asks for the pages of alerts and tips of Amina's home, whose toilet
// leaks, and which was told of her standby.
func TestAdvice(t *testing.T) {
	s := newStreet(t)
	leaks(t, s, "p1", "h1")
	proposes(t, s)
	t.Run("home", func(t *testing.T) { testHomeAdvice(t, visit(t, s, "amina")) })
	t.Run("alert", func(t *testing.T) { testAlert(t, visit(t, s, "amina")) })
	t.Run("others", func(t *testing.T) { testOthersAdvice(t, s) })
	t.Run("browser", func(t *testing.T) { testAdviceBrowser(t, s) })
	t.Run("nonsense", func(t *testing.T) {
		if forms := webtest.Nonsense(t, visit(t, s, "amina").Reader(), "/conseils"); forms < 1 {
			t.Errorf("%d forms", forms)
		}
	})
}

// leaks opens a case: 25 L/h since 12 March, seen in 4 nights.
func leaks(t testing.TB, s *webtest.Site, point metering.PointID, household premises.HouseholdID) {
	t.Helper()
	zone := afternoon(t).Location()
	at := func(day int) time.Time { return civil.Date{Year: 2026, Month: 3, Day: day}.Start(zone) }
	index := func(when time.Time, a metering.Amount) metering.Boundary {
		return metering.Boundary{Meter: "cw", At: when, Index: a}
	}
	quiet := at(17).Add(3 * time.Hour)
	finding := alerts.Finding{Cause: alerts.Cause{Subject: alerts.Water, Point: point}, Source: alerts.FromCurve, Class: alerts.RunningCistern,
		Flow:  alerts.Flow{Low: 24_000, Likely: 25_000, High: 26_000},
		Since: alerts.Since{Earliest: at(12), Latest: at(12).Add(6 * time.Hour)}, Last: at(18), Nights: 2, Level: 2, DayWindow: time.Hour, Window: 2 * time.Hour, Smallest: 500,
		Why: metering.Explain(metering.ColdWater, quiet, quiet.Add(2*time.Hour), []metering.Part{{From: index(quiet, 52_000_000), To: index(quiet.Add(2*time.Hour), 52_050_000)}})}
	opened, err := alerts.NewStore(s.DB).Take(t.Context(), alerts.Verdict{Outcome: alerts.Alarm, Finding: finding}, household, at(18).Add(7*time.Hour))
	if err != nil || !opened {
		t.Fatalf("opened %t: %v", opened, err)
	}
}

// A proposal is a tip as the morning's run leaves it.
type proposal struct {
	tip, state string
	place      int
	figures    map[string]float64
	saving     *tips.Saving
	outcome    *tips.Outcome
}

func proposes(t testing.TB, s *webtest.Site) {
	t.Helper()
	sqldbtest.Exec(t, s.DB, `UPDATE consent SET from_ms = $1, to_ms = $2`, afternoon(t).AddDate(0, -2, 0).UnixMilli(), afternoon(t).AddDate(0, 2, 0).UnixMilli())
	saving := &tips.Saving{Cuts: []tips.Cut{{Kind: metering.Electricity, Unit: metering.WattHour, Amount: 438_000}}, Period: tips.AYear, Priced: true, SupplierCents: 8500,
		Why: tips.Reckoning{Formula: "power_all_year", Terms: []tips.Term{{Name: "watts", Number: 50, Unit: "W"}, {Name: "hours_per_day", Number: 24, Unit: "h", Source: "calcul"}}}}
	for i, p := range []proposal{
		{"night_standby", "proposed", 1, map[string]float64{"watts": 110, "excess_w": 50, "kwh_per_year": 960}, saving, nil},
		{"help_with_bills", "proposed", 1, nil, nil, nil},
	} {
		insertTip(t, s, fmt.Sprintf("tip-%d", i), p)
	}
}

func insertTip(t testing.TB, s *webtest.Site, id string, p proposal) {
	t.Helper()
	write := func(x any) string {
		text, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	finding := write(tips.Finding{Figures: p.figures, From: civil.Date{Year: 2026, Month: 3, Day: 4}, To: civil.Date{Year: 2026, Month: 3, Day: 18},
		Kinds: []metering.Kind{metering.Electricity}, Quality: metering.Measured, Coverage: 1})
	var saving, outcome any
	if p.saving != nil {
		saving = write(p.saving)
	}
	if p.outcome != nil {
		outcome = write(p.outcome)
	}
	sqldbtest.Exec(t, s.DB, `INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, proposed_date, chosen_date, place, score, finding, saving, observed, first_date, last_date)
		SELECT $1, household_id, id, $2, $3, '2026-03-18', '2026-03-18', '2026-03-18', $4, 1, $5, $6, $7, '2026-03-04', '2026-03-17' FROM tenancy WHERE household_id = 'h1'`,
		id, p.tip, p.state, p.place, finding, saving, outcome)
}

func testHomeAdvice(t *testing.T, b webtest.Browser) {
	look{"home", "/", 200, []string{"De l’eau coule sans arrêt chez vous", "entre 24 et 26 litres par heure", "Cela a commencé le jeudi 12 mars.", "Voir et agir", "tel:0241000000",
		"La nuit, cherchez ce qui reste allumé", "votre logement utilise 110 watts", "Entre 50 et 85 € de moins par an", "Je le fais", "Déjà fait", "Pas chez moi", "de moins par an, chez votre fournisseur", "assez sûr", "Factures difficiles à payer"},
		[]string{"{", "tip-0<", "toilet_leak"}}.check(t, b)
}

func testAlert(t *testing.T, b webtest.Browser) {
	look{"alert", "/alertes", 200, []string{"De l’eau coule sans arrêt chez vous", "ont coulé pour rien", "perdus, dans vos charges", "Cela ressemble à une chasse d’eau qui fuit.",
		"Regarder les toilettes", "Fermer l’arrivée d’eau", "J’ai vérifié, il y a une fuite", "C’est réparé", "Ce n’est pas une fuite", "52,000 m³", "Pourquoi ce chiffre ?"}, []string{"Aucune alerte"}}.check(t, b)
}

// A neighbour sees neither, and can answer neither.
func testOthersAdvice(t *testing.T, s *webtest.Site) {
	jean := visit(t, s, "jean")
	look{"alerts", "/alertes", 200, []string{"Aucune alerte en ce moment."}, []string{"coule sans arrêt chez vous"}}.check(t, jean)
	look{"tips", "/conseils", 200, []string{"Pas de conseil pour le moment."}, []string{"votre logement consomme"}}.check(t, jean)
	token := webtest.Token(t, jean.Get("/").Page)
	var id string
	if err := s.DB.QueryRowContext(t.Context(), `SELECT id FROM alert_case`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	for path, form := range map[string]url.Values{"/alertes/" + id: {"dire": {"not_a_leak"}}, "/conseils/tip-0": {"reponse": {"not_here"}}} {
		form.Set("version", "1")
		if a := jean.Send(path, form); a.Status != 403 {
			t.Errorf("%s without a token: %d", path, a.Status)
		}
		form.Set("jeton", token)
		if a := jean.Send(path, form); a.Status != 404 {
			t.Errorf("%s of another home: %d", path, a.Status)
		}
		form.Set("dire", "x")
		form.Set("reponse", "x")
		if a := jean.Send(path, form); a.Status != 422 {
			t.Errorf("%s with an answer that there is not: %d", path, a.Status)
		}
	}
}

func testAdviceBrowser(t *testing.T, s *webtest.Site) {
	p := sit(t, s, s.Invite(t, "amina"))
	p.Reads("Bonjour Amina Diallo")
	for _, code := range []string{"fr", "en"} {
		for name, path := range map[string]string{"home-advice": "/", "alerts": "/alertes", "tips": "/conseils"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.Context, t, webtest.Screen{Name: fmt.Sprintf("tenant-%s-%s-%d", name, code, width), Address: p.URL + "/langue/" + code + "?retour=" + path, Width: width, Unfold: true})
			}
		}
	}
	p.Goes("/langue/fr?retour=/")
	p.Press("Voir et agir")
	p.Reads("Regarder les toilettes", "Fermer l’arrivée d’eau")
	p.Press("J’ai vérifié, il y a une fuite")
	p.Reads("Merci. Appelez-nous pour la réparation.", "C’est une fuite : vu le mercredi 18 mars.")
	p.Press("C’est réparé")
	p.Reads("Les deux prochaines nuits le montreront.", "Réparé le mercredi 18 mars. Nous attendons deux nuits calmes.")
	p.Press("← Retour à l’accueil")
	p.Press("Pas chez moi")
	p.Reads("C’est noté. Ce conseil ne reviendra plus.")
	p.Misses("Je le fais")
	p.Press("Voir tous mes conseils")
	p.Reads("Vos réponses", "Pas chez vous (réponse du mercredi 18 mars).")
}
