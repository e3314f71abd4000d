package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A screen is a page as a person sees it.
type screen struct {
	name, language, path string
	open                 bool // with everything unfolded
}

// TestScreens opens every page in a real browser, after a sign-in there, and looks
// at it down to 320 pixels, as [webtest.Look] does.
func TestScreens(t *testing.T) {
	h := newHouse(t)
	for person, screens := range map[string][]screen{
		"": {{"connexion", "fr", "/connexion", false}, {"connexion", "en", "/connexion", false},
			{"mot-de-passe", "fr", "/connexion/mot-de-passe", false}, {"fini", "fr", "/connexion?fini=1", false}},
		"P-new": {{"accueil", "fr", "/", false}, {"accueil-ouvert", "fr", "/", true}, {"accueil", "en", "/", false}, {"mois", "fr", "/consommation/2026-03", false},
			{"mes-donnees", "fr", "/mes-donnees", true}, {"effacer", "fr", "/mes-donnees/effacer", false}, {"mon-acces", "fr", "/mon-acces", true}, {"inconnu", "fr", "/nulle-part", false}},
		"P-next": {{"silencieux", "fr", "/", false}},
		"P-bare": {{"sans-compteur", "fr", "/", false}},
		"P-old":  {{"parti", "fr", "/", false}, {"parti-mois", "fr", "/consommation/2026-02", false}, {"absent", "fr", "/consommation/2026-03", false}},
	} {
		t.Run("person "+person, func(t *testing.T) { look(t, h, person, screens) })
	}
	t.Run("nonsense in every field", func(t *testing.T) {
		v := h.visit(t, "P-new")
		if forms := webtest.Nonsense(t, webtest.Reader{Get: v.get, Send: v.post}, "/"); forms < 5 {
			t.Errorf("%d forms", forms)
		}
	})
}

func look(t *testing.T, h house, person string, screens []screen) {
	ctx := testkit.Browser(t, h.url+"/connexion")
	if person != "" {
		if err := chromedp.Do(ctx, chromedp.SendKeys("#code", h.codes[person]+"\n"), chromedp.WaitVisible(".phone")); err != nil {
			t.Fatalf("sign in: %v", err)
		}
		testkit.Eventually(t, 10*time.Second, func() error {
			if at, err := chromedp.Run(ctx, chromedp.Location()); err != nil || at != h.url+"/" {
				return fmt.Errorf("the browser is at %s: %w", at, err)
			}
			return nil
		})
	}
	for _, s := range screens {
		for _, width := range webtest.Widths() {
			webtest.Look(ctx, t, webtest.Screen{Name: fmt.Sprintf("%s-%s-%d", s.name, s.language, width),
				Address: h.url + "/langue/" + s.language + "?retour=" + s.path, Width: width, Unfold: s.open})
		}
	}
}
