package tenant_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// A sitter looks at the pages of a home.
type sitter struct{ *webtest.Sitter }

func sit(t *testing.T, s *webtest.Site, code string) sitter {
	t.Helper()
	return sitter{webtest.Sit(t, s.URL, code)}
}

func testBrowser(t *testing.T, s *webtest.Site) {
	p := sit(t, s, s.Invite(t, "amina"))
	p.Reads("Bonjour Amina Diallo", "moins d’eau froide que l’an dernier")
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
	p.T.Helper()
	p.Press("Eau froide : semaine, mois, année")
	p.Reads("Eau froide, mars 2026", "340 litres de moins.")
	if page := p.Ask(`document.body.innerText`); strings.Contains(page, "Différence") {
		p.T.Error("the indexes stand there before anybody asked")
	}
	p.Press("Pourquoi ce chiffre ?")
	p.Reads("Différence", "52,610 m³", "51,220 m³")
	p.Press("mardi 10 mars")
	p.Reads("51,940 m³", "52,020 m³")
	p.Press("Semaine")
	p.Reads("semaine du 16 mars 2026", "La semaine n’est pas finie.")
	p.Press("← Semaine d’avant")
	p.Reads("semaine du 9 mars 2026", "140 litres de moins.")
	p.Press("Année")
	p.Reads("Eau froide, 2026", "1,18 m³ de moins.")
}

// findsCost: what does this month cost, on which bill, and why?
func (p sitter) findsCost() {
	p.T.Helper()
	p.Press("← Retour à l’accueil")
	p.Reads("environ 7 € depuis le 1er mars, dans vos charges : eau froide", "environ 17 € depuis le 1er mars, chez votre fournisseur : électricité",
		"C’est une estimation, pas une facture.")
	p.Press("Électricité : semaine, mois, année")
	p.Reads("Électricité, mars 2026", "environ 17 € depuis le 1er mars, chez votre fournisseur")
	if page := p.Ask(`document.body.innerText`); strings.Contains(page, "€/kWh") {
		p.T.Error("the price stands there before anybody asked")
	}
	p.Press("Pourquoi ce chiffre ?")
	p.Reads("Prix, du 10 mars au 18 mars", "× 0,194 €/kWh", "16,93 €, soit environ 17 €, chez votre fournisseur", "L’abonnement n’est pas compris.")
}

func (p sitter) compares() {
	p.T.Helper()
	p.Press("← Retour à l’accueil")
	p.Press("Comparer des gestes")
	p.Reads("Bain ou douche", "environ 486 €")
	p.Press("Combien de fois par semaine ?")
	p.Types("2\n")
	p.Reads("Sur un an, 2 fois par semaine", "environ 139 €") // 2 × 52 baths
}

func (p sitter) checksDial() {
	p.T.Helper()
	p.Press("← Retour à l’accueil")
	p.Press("Vérifier mon compteur")
	p.Press("Que montre votre compteur, en m³ ?")
	p.Types("52,8\n")
	p.Reads("Cet index va avec le nôtre.")
}

// prints: the paper holds the figures and nothing that only a screen is good for.
func (p sitter) prints() {
	p.T.Helper()
	p.Goes("/consommation/cold_water/2026-03")
	p.Press("Préparer pour imprimer")
	p.Reads("Différence")
	// The rules for paper, on the screen.
	p.Ask(`[...document.styleSheets[0].cssRules].filter(r => r.conditionText === "print").forEach(r => r.media.mediaText = "all"), ""`)
	const shown = `(what => [...document.querySelectorAll(what)].some(e => e.getClientRects().length > 0))`
	for what, want := range map[string]bool{"h1": true, ".big": true, "table.numbers": true, "svg[role=img]": true, ".phone": true, ".change": true, ".menu": false, ".tools": false, ".choices": false, ".months": false, ".keep": false} {
		if got := p.Ask(shown + `("` + what + `") ? "yes" : "no"`); (got == "yes") != want {
			p.T.Errorf("on paper, %s is there: %s, want %t", what, got, want)
		}
	}
}

// seesFocus walks over a page with the keyboard: where it is can always be seen.
func (p sitter) seesFocus() {
	p.T.Helper()
	p.Goes("/consommation/cold_water/2026-03")
	seen := map[string]bool{}
	for range 60 {
		p.Types("\t")
		at := p.Ask(`(() => { const e = document.activeElement; if (e === document.body) return "";
			const s = getComputedStyle(e), box = e.getBoundingClientRect();
			return e.tagName + " " + e.innerText.trim() + "|" + (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 3 && box.width > 0 && box.right > 0 ? "" : "unseen") })()`)
		name, unseen, _ := strings.Cut(at, "|")
		if unseen != "" {
			p.T.Errorf("the keyboard is at %s, and it cannot be seen", name)
		}
		seen[name] = true
	}
	for _, want := range []string{"A Aller au contenu", "A Contraste fort", "A Semaine", "SUMMARY Pourquoi ce chiffre ?", "A Télécharger les chiffres"} {
		if !seen[strings.ReplaceAll(want, " ?", "\u00a0?")] {
			p.T.Errorf("the keyboard does not reach %q", want)
		}
	}
}

func (p sitter) choosesContrast() {
	p.T.Helper()
	p.Goes("/")
	p.Press("Contraste fort")
	p.Reads("Contraste normal")
	p.Goes("/aide")
	if got := p.Ask(`getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.body).color`); got != "rgb(255, 255, 255) rgb(0, 0, 0)" {
		p.T.Errorf("high contrast is %s", got)
	}
	p.Press("Contraste normal")
	p.Reads("Contraste fort")
}

// looks at every page as [webtest.Look] does, in both languages: 320 pixels are
// what 1280 leave at 400 %.
func (p sitter) looks() {
	p.T.Helper()
	for _, code := range []string{"fr", "en"} {
		for name, path := range map[string]string{"home": "/", "month": "/consommation/cold_water/2026-03?jour=2026-03-10", "week": "/consommation/electricity/2026-03-11", "year": "/consommation/cold_water/2026",
			"by-month": "/consommation/heat/2026-02", "off": "/consommation/gas/2026-03", "gestures": "/gestes?geste=bath_or_shower&fois=x", "check": "/verifier?compteur=cold_water&cadran=1", "help": "/aide",
			"similar": "/comparer", "euros": "/consommation/cold_water/2026-03?unite=eur", "hours": "/consommation/cold_water/jour-2026-03-17"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.Context, p.T, webtest.Screen{Name: fmt.Sprintf("tenant-%s-%s-%d", name, code, width),
					Address: p.URL + "/langue/" + code + "?retour=" + strings.NewReplacer("?", "%3F", "&", "%26").Replace(path), Width: width, Unfold: true})
			}
		}
	}
}
