package tenant_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A sitter sits before a real browser and uses only what a person sees: the words
// of links, buttons and labels, and headings.
type sitter struct {
	ctx context.Context
	t   *testing.T
	url string
}

func sit(t *testing.T, s *webtest.Site, code string) sitter {
	t.Helper()
	p := sitter{testkit.Browser(t, s.URL+"/connexion"), t, s.URL}
	p.press("Votre code")
	p.types(code + "\n")
	return p
}

// seen finds what can be pressed by its words.
const seen = `(words => [...document.querySelectorAll("a, button, summary, label")].find(e =>
	e.innerText.replace(/\s+/g, " ").trim().startsWith(words) && e.getClientRects().length > 0))`

// press clicks on what bears these words.
func (p sitter) press(words string) {
	p.t.Helper()
	script := fmt.Sprintf(`(() => { const e = %s(%s); if (!e) return "nothing"; e.click(); if (e.control) e.control.select(); return "" })()`, seen, strconv.Quote(words))
	p.eventually(func() error {
		if missing := p.ask(script); missing != "" {
			return fmt.Errorf("nothing says %q", words)
		}
		return nil
	})
}

// types writes into what was pressed last.
func (p sitter) types(text string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(strings.ReplaceAll(text, "\n", "\r"))); err != nil {
		p.t.Fatal(err)
	}
}

// reads waits until the page shows the words.
func (p sitter) reads(words ...string) {
	p.t.Helper()
	p.eventually(func() error {
		page := strings.Join(strings.Fields(p.ask(`document.body.innerText`)), " ")
		for _, one := range words {
			if !strings.Contains(page, one) {
				return fmt.Errorf("the page does not say %q", one)
			}
		}
		return nil
	})
}

func (p sitter) ask(script string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		return "" // the page is on its way
	}
	return text
}

func (p sitter) eventually(check func() error) {
	p.t.Helper()
	testkit.Eventually(p.t, 15*time.Second, check)
}

func testBrowser(t *testing.T, s *webtest.Site) {
	p := sit(t, s, s.Invite(t, "amina"))
	p.reads("Bonjour Amina Diallo", "moins d’eau froide que l’an dernier")
	p.finds()
	p.findsCost()
	p.compares()
	p.checksDial()
	p.prints()
	p.seesFocus()
	p.choosesContrast()
	p.looks()
}

// finds: what did I use this month, and why this figure?
func (p sitter) finds() {
	p.t.Helper()
	p.press("Eau froide : semaine, mois, année")
	p.reads("Eau froide, mars 2026", "340 litres de moins.")
	if page := p.ask(`document.body.innerText`); strings.Contains(page, "Différence") {
		p.t.Error("the indexes stand there before anybody asked")
	}
	p.press("Pourquoi ce chiffre ?")
	p.reads("Différence", "52,610 m³", "51,220 m³")
	p.press("mardi 10 mars")
	p.reads("51,940 m³", "52,020 m³")
	p.press("Semaine")
	p.reads("semaine du 16 mars 2026", "La semaine n’est pas finie.")
	p.press("← Semaine d’avant")
	p.reads("semaine du 9 mars 2026", "140 litres de moins.")
	p.press("Année")
	p.reads("Eau froide, 2026", "1,18 m³ de moins.")
}

// findsCost: what does this month cost, on which bill, and why?
func (p sitter) findsCost() {
	p.t.Helper()
	p.press("← Retour à l’accueil")
	p.reads("environ 7 € depuis le 1er mars, dans vos charges : eau froide", "environ 17 € depuis le 1er mars, chez votre fournisseur : électricité",
		"C’est une estimation, pas une facture.")
	p.press("Électricité : semaine, mois, année")
	p.reads("Électricité, mars 2026", "environ 17 € depuis le 1er mars, chez votre fournisseur")
	if page := p.ask(`document.body.innerText`); strings.Contains(page, "€/kWh") {
		p.t.Error("the price stands there before anybody asked")
	}
	p.press("Pourquoi ce chiffre ?")
	p.reads("Prix, du 10 mars au 18 mars", "× 0,194 €/kWh", "16,93 €, soit environ 17 €, chez votre fournisseur", "L’abonnement n’est pas compris.")
}

func (p sitter) compares() {
	p.t.Helper()
	p.press("← Retour à l’accueil")
	p.press("Comparer des gestes")
	p.reads("Bain ou douche", "environ 486 €")
	p.press("Combien de fois par semaine ?")
	p.types("2\n")
	p.reads("Sur un an, 2 fois par semaine", "environ 139 €") // 2 × 52 baths
}

func (p sitter) checksDial() {
	p.t.Helper()
	p.press("← Retour à l’accueil")
	p.press("Vérifier mon compteur")
	p.press("Que montre votre compteur, en m³ ?")
	p.types("52,8\n")
	p.reads("Ce chiffre va avec le nôtre.")
}

// prints: the paper holds the figures and nothing that only a screen is good for.
func (p sitter) prints() {
	p.t.Helper()
	p.goes("/consommation/cold_water/2026-03")
	p.press("Préparer pour imprimer")
	p.reads("Différence")
	// The rules for paper, on the screen.
	p.ask(`[...document.styleSheets[0].cssRules].filter(r => r.conditionText === "print").forEach(r => r.media.mediaText = "all"), ""`)
	const shown = `(what => [...document.querySelectorAll(what)].some(e => e.getClientRects().length > 0))`
	for what, want := range map[string]bool{"h1": true, ".big": true, "table.numbers": true, "svg[role=img]": true, ".phone": true, ".change": true, ".menu": false, ".tools": false, ".choices": false, ".months": false, ".keep": false} {
		if got := p.ask(shown + `("` + what + `") ? "yes" : "no"`); (got == "yes") != want {
			p.t.Errorf("on paper, %s is there: %s, want %t", what, got, want)
		}
	}
}

func (p sitter) goes(path string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(p.url+path)); err != nil {
		p.t.Fatal(err)
	}
}

// seesFocus walks over a page with the keyboard: where it is can always be seen.
func (p sitter) seesFocus() {
	p.t.Helper()
	p.goes("/consommation/cold_water/2026-03")
	seen := map[string]bool{}
	for range 60 {
		p.types("\t")
		at := p.ask(`(() => { const e = document.activeElement; if (e === document.body) return "";
			const s = getComputedStyle(e), box = e.getBoundingClientRect();
			return e.tagName + " " + e.innerText.trim() + "|" + (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 3 && box.width > 0 && box.right > 0 ? "" : "unseen") })()`)
		name, unseen, _ := strings.Cut(at, "|")
		if unseen != "" {
			p.t.Errorf("the keyboard is at %s, and it cannot be seen", name)
		}
		seen[name] = true
	}
	for _, want := range []string{"A Aller au contenu", "A Contraste fort", "A Semaine", "SUMMARY Pourquoi ce chiffre ?", "A Télécharger les chiffres"} {
		if !seen[strings.ReplaceAll(want, " ?", "\u00a0?")] {
			p.t.Errorf("the keyboard does not reach %q", want)
		}
	}
}

func (p sitter) choosesContrast() {
	p.t.Helper()
	p.goes("/")
	p.press("Contraste fort")
	p.reads("Contraste normal")
	p.goes("/aide")
	if got := p.ask(`getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.body).color`); got != "rgb(255, 255, 255) rgb(0, 0, 0)" {
		p.t.Errorf("high contrast is %s", got)
	}
	p.press("Contraste normal")
	p.reads("Contraste fort")
}

// looks at every page as [webtest.Look] does, in both languages: 320 pixels are
// what 1280 leave at 400 %.
func (p sitter) looks() {
	p.t.Helper()
	for _, code := range []string{"fr", "en"} {
		for name, path := range map[string]string{"home": "/", "month": "/consommation/cold_water/2026-03?jour=2026-03-10", "week": "/consommation/electricity/2026-03-11", "year": "/consommation/cold_water/2026",
			"by-month": "/consommation/heat/2026-02", "off": "/consommation/gas/2026-03", "gestures": "/gestes?geste=bath_or_shower&fois=x", "check": "/verifier?compteur=cold_water&cadran=1", "help": "/aide"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.ctx, p.t, webtest.Screen{Name: fmt.Sprintf("tenant-%s-%s-%d", name, code, width),
					Address: p.url + "/langue/" + code + "?retour=" + strings.NewReplacer("?", "%3F", "&", "%26").Replace(path), Width: width, Unfold: true})
			}
		}
	}
}
