package sound_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/dashboards/web/webtest/sound"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

const good = `<!doctype html><html lang="fr"><head><meta name="viewport" content="width=device-width"><title>Page</title></head>
<body><a href="#main">Aller au contenu</a><main id="main"><h1>Un</h1><h2>Deux</h2><form><label for="f">Nom</label><input id="f" name="nom" style="height:3rem">
<button style="height:3rem">Envoyer</button></form><table><tr><th scope="row">Mois</th><td>12</td></tr></table></main></body></html>`

// Each fault is put into a page that has none; the script must tell that rule, and
// nothing of the page as it was.
func TestScriptTellsEachFault(t *testing.T) {
	var page string
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(served.Close)
	page = good
	browser := testkit.Browser(t, served.URL)
	judge := func(text string) string {
		t.Helper()
		page = text
		if err := chromedp.Do(browser, chromedp.Navigate(served.URL)); err != nil {
			t.Fatal(err)
		}
		found, err := chromedp.Run(browser, chromedp.Evaluate[string](sound.Script))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := judge(good); found != "" {
		t.Errorf("a page without a fault has %q", found)
	}
	for rule, change := range map[string][2]string{
		"language of the page":         {`lang="fr"`, `lang="&lt;nil&gt;"`},
		"title":                        {"<title>Page</title>", ""},
		"zoom":                         {"width=device-width", "width=device-width, maximum-scale=1"},
		"main part":                    {"main", "div"},
		"first heading":                {"<h1>Un</h1>", ""},
		"heading that skips a level":   {"h2", "h4"},
		"link to the content":          {`href="#main"`, `href="#nowhere"`},
		"id twice":                     {"<button", `<p id="f">x</p><button`},
		"for leads nowhere":            {`for="f"`, `for="g"`},
		"nothing to say":               {"Envoyer", ""},
		"field without label":          {`<label for="f">Nom</label>`, ""},
		"picture without words":        {"<button", `<img src="data:,"><button`},
		"drawing without words":        {"<button", `<svg width="9" height="9"></svg><button`},
		"choice without question":      {"<button", `<label style="display:block;height:3rem">a <input type="radio" name="r"></label><button`},
		"fault that is not told":       {`name="nom"`, `name="nom" aria-invalid="true"`},
		"own order of the keyboard":    {`name="nom"`, `name="nom" tabindex="3"`},
		"table without heads":          {`<th scope="row">Mois</th>`, ""},
		"head of a table without":      {` scope="row"`, ""},
		"list of other things":         {"<button", `<ul><p>x</p></ul><button`},
		"contrast of":                  {"<h2", `<p style="color:#999">pale</p><h2`},
		"too small to hit":             {"height:3rem\">Envoyer", "height:12px;width:12px;padding:0;overflow:hidden;position:relative;top:-20px\">Envoyer"},
		"made to look like a control":  {"<h2", `<div role="button">x</div><h2`},
		"control within a control":     {"Envoyer", `<span><a href="/">x</a></span>`},
		"aria-describedby leads nowhe": {`name="nom"`, `name="nom" aria-describedby="gone"`},
	} {
		if found := judge(strings.ReplaceAll(good, change[0], change[1])); !strings.Contains(found, rule) {
			t.Errorf("%s: told %q", rule, found)
		}
	}
}
