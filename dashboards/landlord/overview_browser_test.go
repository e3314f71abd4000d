package landlord_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// sit gives somebody a browser that is signed in.
func (o office) sit(t *testing.T, who string) *webtest.Sitter {
	t.Helper()
	p := webtest.SitAt(t, o.url, "/langue/fr")
	o.become(t, p.Context, who)
	return p
}

func (o office) become(t *testing.T, ctx context.Context, who string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int64](fmt.Sprintf(`document.cookie = "xnet_session=%s; path=/"; 1`, who))); err != nil {
		t.Fatal(err)
	}
}

// A manager before a browser, who uses only what a person sees: finds the silent
// gateway and the building that loses water, closes a leak until quiet nights verify
// it, and takes the indicators away as files; with the keyboard alone, without
// JavaScript, at a zoom of 200 % and at 320 pixels. Each is read aloud and printed.
func TestOverviewInABrowser(t *testing.T) {
	o := overlook(t, civil.Date{Year: 2026, Month: 2, Day: 1})
	for _, w := range webtest.Ways() {
		t.Run(w.Name, func(t *testing.T) {
			o.t = t
			leakOfF3(func(statement string, args ...any) { sqldbtest.Exec(t, o.db, statement, args...) })
			p := o.sit(t, "manager")
			p.Uses(w)
			p.Goes("/suivi")
			findsSilent(p)
			findsLoss(p)
			o.closesLeak(t, p)
			o.exports(t, p)
		})
	}
	o.t = t
	o.looks(t, o.sit(t, "manager").Context)
}

func findsSilent(p *webtest.Sitter) {
	p.Press("Équipements muets")
	p.Reads("Passerelles muettes : 1 sur 2", "Passerelle Sud", "Elle ne répond plus.", "Bâtiments : K, L, M, N")
	p.Misses("Passerelle Nord")
	p.Fits()
	p.Hears("Équipements muets", "Passerelles muettes : 1 sur 2", "Passerelle Sud", "Cave K", "Elle ne répond plus.", "Compteurs derrière : 40")
	p.Prints("Passerelle Sud", "Cave K", "Elle ne répond plus.", "Claire Moreau")
}

func findsLoss(p *webtest.Sitter) {
	const lost = "7,0 m³ perdus en février 2026, soit 20 % de ce qui entre."
	p.Press("Pertes")
	p.Reads("Bâtiments à regarder : 1", "Bâtiment E, Eau froide", lost)
	p.Fits()
	p.Hears("Bâtiments à regarder : 1", "Bâtiment E, Eau froide", lost)
	p.Prints("Bâtiment E, Eau froide", lost)
}

// closesLeak notes the visit and the repair, and finds the desk empty after two
// quiet nights.
func (o office) closesLeak(t *testing.T, p *webtest.Sitter) {
	t.Helper()
	p.Press("Fuites")
	p.Reads("Logement 3, bâtiment F", "Sans doute une chasse d’eau qui fuit (eau froide).", "Entre 22 et 26 litres par heure.", "Message envoyé au foyer", "Visite faite pas encore")
	p.Misses("Ouvrir la fiche du foyer", "Noter un appel ou une visite") // not for a manager
	p.Fits()
	p.Hears("Logement 3, bâtiment F", "Sans doute une chasse d’eau qui fuit (eau froide).", "Entre 22 et 26 litres par heure.", "Alerte ouverte", "Message envoyé au foyer", "Foyer joint", "pas encore", "Visite faite, l’eau coule", "C’est réparé")
	p.Prints("Logement 3, bâtiment F", "Entre 22 et 26 litres par heure.", "Foyer joint")
	p.Press("Visite faite, l’eau coule")
	p.Reads("La visite est notée.", "Visite faite mercredi 18 mars", "Foyer joint mercredi 18 mars")
	p.Press("C’est réparé")
	p.Reads("La réparation est notée. Deux nuits calmes la vérifieront.", "nuits calmes : 0 sur 2")
	for night, says := range []string{"nuits calmes : 1 sur 2", "Aucune fuite ouverte."} {
		o.sleeps(t, night)
		p.Press("Fuites")
		p.Reads(says)
	}
}

// sleeps lets a quiet night after the repair pass, as a morning's run finds it.
func (o office) sleeps(t *testing.T, night int) {
	t.Helper()
	store := alerts.NewStore(o.db)
	open, err := store.Open(t.Context(), "R")
	if err != nil || len(open) != 1 {
		t.Fatalf("%d open cases, %v", len(open), err)
	}
	start := now.AddDate(0, 0, night+1)
	if err := store.Change(t.Context(), open[0], open[0].Case.Night(false, start, start.AddDate(0, 0, 1))); err != nil {
		t.Fatal(err)
	}
}

// exports reads an indicator with its formula and source, and takes all away.
func (o office) exports(t *testing.T, p *webtest.Sitter) {
	t.Helper()
	p.Press("Indicateurs")
	p.Reads("Indicateurs du programme", "Calculé", "Déclaré", "Écart")
	p.Fits()
	p.Press("Recettes")
	p.Reads("Ventes moins remboursements", "Bilan 2025")
	p.Hears("PDF à imprimer", "Tableur (XLSX)", "Texte (CSV)", "Recettes", "Ventes moins remboursements", "Bilan 2025")
	p.Prints("Indicateurs du programme", "Recettes", "environ 4 800 €")
	for name, begins := range map[string]string{"PDF à imprimer": "%PDF", "Tableur (XLSX)": "PK", "Texte (CSV)": "\ufeffkey,name,from"} {
		link := p.Ask(fmt.Sprintf(`[...document.querySelectorAll("a")].find(e => e.innerText === %q).href`, name))
		if got := o.download(t, link); !strings.HasPrefix(got, begins) {
			t.Errorf("%s is %.40q", name, got)
		}
	}
}

// download is what a link leads to, for the manager.
func (o office) download(t *testing.T, link string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: "xnet_session", Value: "manager"})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", link, response.StatusCode, err)
	}
	return string(text)
}

// looks opens every page in both languages, down to 320 pixels, with all that can be
// unfolded; and what is typed into their forms breaks none.
func (o office) looks(t *testing.T, ctx context.Context) {
	t.Helper()
	for _, path := range overviewPaths {
		for _, code := range []string{"fr", "en"} {
			for _, width := range webtest.Widths() {
				webtest.Look(ctx, t, webtest.Screen{Name: fmt.Sprintf("overview%s-%s-%d", strings.ReplaceAll(path, "/", "-"), code, width), Width: width, Unfold: true,
					Address: o.url + "/langue/" + code + "?retour=" + url.QueryEscape(path)})
			}
		}
	}
	reader := webtest.Reader{
		Get: func(path string) (int, string) { a := o.get("manager", path); return a.status, a.page },
		Send: func(path string, form url.Values) (int, string) {
			a := o.ask("manager", http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
			return a.status, a.page
		},
	}
	if forms := webtest.Nonsense(t, reader, "/suivi/fuites", "/suivi/indicateurs"); forms < 4 {
		t.Errorf("%d forms", forms)
	}
}
