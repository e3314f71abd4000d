package landlord_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestScreens opens every page in a real browser and checks that none is wider
// than its window, down to 320 pixels. It writes pictures into the folder that
// XNET_SCREENSHOTS names, if it names one.
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
		for _, width := range widths() {
			cookie := fmt.Sprintf(`document.cookie = "xnet_session=%s; path=/"; 1`, s.who)
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[int64](cookie)); err != nil {
				t.Fatal(err)
			}
			address := o.url + "/langue/" + s.language + "?retour=" + url.QueryEscape(s.path)
			look(ctx, t, fmt.Sprintf("%s-%s-%d", s.name, s.language, width), address, width, s.open)
		}
	}
}

// widths are those of the pictures, or only the narrowest, which decides.
func widths() []int64 {
	if os.Getenv("XNET_SCREENSHOTS") == "" {
		return []int64{320}
	}
	return []int64{1280, 360, 320}
}

func look(ctx context.Context, t *testing.T, name, address string, width int64, open bool) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if open {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`(d => { d.forEach(e => e.open = true); return d.length })(document.querySelectorAll("details"))`)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	widest, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
	if err != nil || widest > width {
		t.Errorf("%s is %d wide, %v", name, widest, err)
	}
	title, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.querySelectorAll("main section.card").length`))
	if err != nil || title == 0 {
		t.Errorf("%s shows nothing, %v", name, err)
	}
	folder := os.Getenv("XNET_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
