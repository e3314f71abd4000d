package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// servedMatrix serves the matrix to browsers, over a database of its own.
func servedMatrix(t *testing.T) (m *matrix, url string) {
	t.Helper()
	m = newMatrix(t, sqldbtest.Open(t, filepath.Join(t.TempDir(), "xnet.db")), testkit.Influx(t).URL, readBodies(t))
	served := httptest.NewServer(m.routes)
	t.Cleanup(served.Close)
	return m, served.URL
}

// becomes lets the browser be an actor's, in a language.
func (a actor) becomes(t *testing.T, p *webtest.Sitter, language string) {
	t.Helper()
	_, err := chromedp.Call(p.Context, network.ClearBrowserCookies, struct{}{})
	cookies := map[string]string{"xnet_langue": language}
	if a.person != "" {
		cookies["xnet_session"] = a.secret()
	}
	for name, text := range cookies {
		if err == nil {
			_, err = chromedp.Call(p.Context, network.SetCookie, network.SetCookieParams{Name: name, Value: text, URL: p.URL})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryPageIsSound opens every page of the table in a real browser, as the first
// who may see it, and judges it as somebody who sees little, hears it, or uses the
// keyboard does. Every second one is in English.
func TestEveryPageIsSound(t *testing.T) {
	m, url := servedMatrix(t)
	p := webtest.SitAt(t, url, "/connexion")
	seen := 0
	for _, r := range readMatrix(t) {
		for i, a := range matrixActors {
			if r.method != http.MethodGet || strings.HasPrefix(r.path, apiRoot) || a.scopes != "" || r.want[i] != "200" {
				continue
			}
			path := m.request(t, r, a).URL.RequestURI()
			if !m.isPage(t, r, a) {
				break
			}
			a.becomes(t, p, []string{"fr", "en"}[seen%2])
			p.Goes(path)
			p.Sound(a.name + ", " + path)
			seen++
			break
		}
	}
	if seen < 50 {
		t.Errorf("%d pages", seen)
	}
}

// isPage tells pages from papers, files and figures.
func (m *matrix) isPage(t *testing.T, r row, a actor) bool {
	t.Helper()
	answer := httptest.NewRecorder()
	m.routes.ServeHTTP(answer, m.request(t, r, a))
	return strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html")
}
