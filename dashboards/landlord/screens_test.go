package landlord_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestScreens opens every page in a real browser and looks at it down to 320
// pixels, as [webtest.Look] does.
func TestScreens(t *testing.T) {
	o := open(t)
	faulty := o.upload("manager", []byte("résidence;identifiant;logement;surface;chauffage\nR;R-1;1;grand;vapeur\nR;R-1;7;12;\n")).header.Get("Location")
	ready := o.upload("manager", []byte("résidence;identifiant;logement\nR;R-7;7\nR;R-8;8\n")).header.Get("Location")
	o.importer.Wait()
	o.post("advisor", "/personnes/H-martin/aides", "de", "P-rose", "nom", "Luc Fils", "langue", "fr", "droit", "see", "jusqu_au", "2026-12-31", "demande", "telephone")

	ctx := testkit.Browser(t, o.url+"/langue/fr")
	for _, s := range []struct {
		name, who, language, path string
		open                      bool
	}{
		{"logements", "administrator", "fr", "/logements?residence=R", false},
		{"logement", "manager", "fr", "/logements/fiche/R-1", false},
		{"logement-nouveau", "manager", "en", "/logements/nouveau", false},
		{"residence", "administrator", "fr", "/logements/residence?id=R", false},
		{"importer", "manager", "fr", "/logements/importer", false},
		{"import-fautes", "manager", "fr", faulty, false},
		{"import-pret", "manager", "en", ready, false},
		{"demenagement", "manager", "fr", "/logements/fiche/R-1/demenagement", false},
		{"personnes", "advisor", "fr", "/personnes", false},
		{"foyer", "manager", "fr", "/personnes/H-martin", false},
		{"foyer-ouvert", "manager", "fr", "/personnes/H-martin", true},
		{"foyer-interlocutrice", "advisor", "en", "/personnes/H-martin", false},
	} {
		for _, width := range webtest.Widths() {
			cookie := fmt.Sprintf(`document.cookie = "xnet_session=%s; path=/"; 1`, s.who)
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[int64](cookie)); err != nil {
				t.Fatal(err)
			}
			address := o.url + "/langue/" + s.language + "?retour=" + url.QueryEscape(s.path)
			webtest.Look(ctx, t, webtest.Screen{Name: fmt.Sprintf("%s-%s-%d", s.name, s.language, width), Address: address, Width: width, Unfold: s.open})
		}
	}
}

// TestNonsense is what an attacker types who got an administrator's session.
func TestNonsense(t *testing.T) {
	o := open(t)
	reader := webtest.Reader{
		Get: func(path string) (int, string) { a := o.get("administrator", path); return a.status, a.page },
		Send: func(path string, form url.Values) (int, string) {
			a := o.ask("administrator", http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
			return a.status, a.page
		},
	}
	if forms := webtest.Nonsense(t, reader, "/logements", "/personnes"); forms < 12 {
		t.Errorf("%d forms", forms)
	}
}
