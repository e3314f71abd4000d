package tenant_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// asks has Amina's home asked about 960 litres more than usual on 17 March.
func asks(t testing.TB, s *webtest.Site) {
	t.Helper()
	zone := afternoon(t).Location()
	start, end := civil.Date{Year: 2026, Month: 3, Day: 17}.Bounds(zone)
	asked, err := alerts.NewStore(s.DB).Ask(t.Context(), alerts.Finding{Cause: alerts.Cause{Subject: alerts.Water, Point: "p1"}, Source: alerts.FromDays, Class: alerts.Burst,
		Flow: alerts.Flow{Low: 40_000, Likely: 40_000, High: 300_000}, Since: alerts.Since{Earliest: start, Latest: end}, Last: end,
		DayWindow: 24 * time.Hour, Window: 24 * time.Hour, Why: metering.Explanation{Kind: metering.ColdWater}},
		"h1", civil.Date{Year: 2026, Month: 3, Day: 18}, zone, afternoon(t))
	if err != nil || !asked {
		t.Fatalf("asked %t: %v", asked, err)
	}
}

// TestHousePage: what a household says of its home, and of a day's water, on pages.
func TestHousePage(t *testing.T) {
	s := newStreet(t)
	asks(t, s)
	t.Run("forms", func(t *testing.T) { testHouseForms(t, visit(t, s, "amina")) })
	t.Run("others", func(t *testing.T) { testHouseOfOthers(t, s) })
	t.Run("browser", func(t *testing.T) { testHouseBrowser(t, s) })
	t.Run("nonsense", func(t *testing.T) {
		if forms := webtest.Nonsense(t, visit(t, s, "amina").Reader(), "/mon-logement"); forms < 2 {
			t.Errorf("%d forms", forms)
		}
	})
}

func testHouseForms(t *testing.T, b webtest.Browser) {
	token := webtest.Token(t, b.Get("/mon-logement").Page)
	send := func(path string, status int, form url.Values) string {
		t.Helper()
		form.Set("jeton", token)
		a := b.Send(path, form)
		if a.Status != status {
			t.Errorf("%s %v: %d, want %d", path, form, a.Status, status)
		}
		return a.Page
	}
	for range 2 { // sent twice
		send("/mon-logement", 303, url.Values{"version": {"1"}, "bath": {"yes"}, "dryer": {"unknown"}})
	}
	if page := send("/mon-logement", 412, url.Values{"version": {"1"}, "bath": {"no"}}); !strings.Contains(page, "Quelqu’un a répondu avant vous") || !strings.Contains(page, `name="bath" value="no" checked`) {
		t.Error("an old form does not say so, or loses what was chosen")
	}
	if page := send("/mon-logement", 422, url.Values{"version": {"2"}, "bath": {"maybe"}}); !strings.Contains(page, "Choisissez une des réponses.") {
		t.Error("a wrong answer is not explained")
	}
	if page := send("/mon-logement/absences", 422, url.Values{"du": {"2026-03-20"}, "au": {"2026-03-10"}}); !strings.Contains(page, "Le dernier jour est avant le premier.") || !strings.Contains(page, `value="2026-03-20"`) {
		t.Error("wrong dates are not explained, or lost")
	}
	if page := send("/mon-logement/absences", 422, url.Values{"du": {"demain"}, "au": {"2026-03-10"}}); !strings.Contains(page, "Écrivez une date qui existe.") {
		t.Error("no date is not explained")
	}
	if a := b.Send("/mon-logement", url.Values{"version": {"2"}, "bath": {"no"}}); a.Status != 403 {
		t.Errorf("without a token: %d", a.Status)
	}
}

// A neighbour sees and changes nothing of it.
func testHouseOfOthers(t *testing.T, s *webtest.Site) {
	jean := visit(t, s, "jean")
	look{"alerts", "/alertes", 200, []string{"Aucune alerte"}, []string{"c’était vous"}}.check(t, jean)
	look{"home", "/mon-logement?foyer=h1", 404, nil, []string{"baignoire"}}.check(t, jean)
	var id string
	if err := s.DB.QueryRowContext(t.Context(), `SELECT id FROM alert_question`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"eau": {"ours"}, "jeton": {webtest.Token(t, jean.Get("/").Page)}}
	if a := jean.Send("/alertes/questions/"+id, form); a.Status != 404 {
		t.Errorf("a neighbour answers: %d", a.Status)
	}
}

func testHouseBrowser(t *testing.T, s *webtest.Site) {
	p := sit(t, s, s.Invite(t, "amina"))
	p.Reads("Beaucoup d’eau : c’était vous ?", "environ 960 litres de plus que d’habitude")
	for _, code := range []string{"fr", "en"} {
		for name, path := range map[string]string{"house": "/mon-logement", "question": "/alertes"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.Context, t, webtest.Screen{Name: fmt.Sprintf("tenant-%s-%s-%d", name, code, width), Address: p.URL + "/langue/" + code + "?retour=" + path, Width: width, Unfold: true})
			}
		}
	}
	p.Goes("/langue/fr?retour=/")
	p.Press("Oui, c’était nous")
	p.Reads("Merci, c’est noté. Tout va bien.", "Aucune alerte en ce moment.")
	p.Goes("/conseils")
	p.Press("Dites-nous ce qu’il y a chez vous")
	p.Reads("Vous n’êtes pas obligé de répondre.", "Avez-vous une baignoire ?")
	p.Press("Enregistrer mes réponses")
	p.Reads("Merci, c’est noté.")
}
