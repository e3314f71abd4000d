package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A screen is a page as a person sees it.
type screen struct {
	name, language, path string
	open                 bool // with everything unfolded
}

// TestScreens opens every page in a real browser, after a sign-in there, and
// checks that none is wider than its window, down to 320 pixels. It writes
// pictures into the folder that XNET_SCREENSHOTS names, if it names one.
func TestScreens(t *testing.T) {
	h := newHouse(t)
	for person, screens := range map[string][]screen{
		"":       {{"connexion", "fr", "/connexion", false}, {"connexion", "en", "/connexion", false}},
		"P-new":  {{"accueil", "fr", "/", false}, {"accueil-ouvert", "fr", "/", true}, {"accueil", "en", "/", false}, {"mois", "fr", "/consommation/2026-03", false}},
		"P-next": {{"silencieux", "fr", "/", false}},
		"P-bare": {{"sans-compteur", "fr", "/", false}},
		"P-old":  {{"parti", "fr", "/", false}, {"parti-mois", "fr", "/consommation/2026-02", false}, {"absent", "fr", "/consommation/2026-03", false}},
	} {
		t.Run("person "+person, func(t *testing.T) { look(t, h, person, screens) })
	}
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
		for _, width := range widths() {
			s.shoot(ctx, t, h.url, width)
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

func (s screen) shoot(ctx context.Context, t *testing.T, address string, width int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900),
		chromedp.Navigate(address+"/langue/"+s.language+"?retour="+s.path)); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if s.open {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`(d => { d.forEach(e => e.open = true); return d.length })(document.querySelectorAll("details"))`)); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	widest, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
	if err != nil || widest > width {
		t.Errorf("%s at %d pixels is %d wide, %v", s.name, width, widest, err)
	}
	folder := os.Getenv("XNET_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s-%d.png", s.name, s.language, width)), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
