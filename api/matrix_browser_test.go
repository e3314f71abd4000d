package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/figures"
)

// TestBrowsersAreKeptToHTTPS where cookies travel by it only.
func TestBrowsersAreKeptToHTTPS(t *testing.T) {
	for secure, want := range map[bool]string{true: "max-age=63072000; includeSubDomains", false: ""} {
		c := defaultConfig()
		c.SignIn.Secure = secure
		e, err := server{config: c, log: logger(t), now: time.Now, figures: figures.NewRegistry(), ready: func() error { return nil }}.routes()
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/connexion/lettre", nil))
		if got := answer.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("secure %v: %q, want %q", secure, got, want)
		}
	}
}

// forms are the pages' POSTs of the table but for signing in, which has no token
// to begin with.
func attackForms(t *testing.T, m *matrix) {
	tried := map[string]bool{}
	for _, r := range readMatrix(t) {
		if r.method != http.MethodPost || strings.HasPrefix(r.path, apiRoot) || strings.HasPrefix(r.path, "/connexion") || tried[r.route()] {
			continue
		}
		tried[r.route()] = true
		for _, who := range []string{"ami", "adm"} {
			for _, token := range []string{"", "&jeton=", "&jeton=" + actorNamed("bru").formToken()} {
				path := fill(strings.SplitN(r.path, "#", 2)[0], things(map[bool]string{true: "amina", false: r.object}[r.object != "sarah"]))
				got := m.send(t, who, http.MethodPost, path, formType, fill(m.bodies[r.route()], things("amina"))+"&version=1"+token)
				if got.Code != http.StatusForbidden {
					t.Errorf("%s: %s with token %q: %d", who, path, token, got.Code)
				}
			}
		}
	}
	if len(tried) < 30 || digestOf(t, m.db, true) != m.clean[true] {
		t.Errorf("%d forms tried; or something changed", len(tried))
	}
}

func attackSites(t *testing.T, m *matrix) {
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, a := range []struct{ method, path, mediaType, body string }{
			{"POST", "/api/v1/erasures", jsonType, `{"what":"all"}`}, {"POST", "/api/v1/erasures", "text/plain", `{"what":"all"}`},
			{"DELETE", "/api/v1/session", jsonType, ""}, {"POST", "/connexion", formType, "code=AAAABBBBCCCC"},
			{"POST", "/mes-donnees/effacer", formType, "quoi=tout&lu=1&jeton=" + actorNamed("ami").formToken()},
		} {
			if got := m.send(t, "ami", a.method, a.path, a.mediaType, a.body, headers...).Code; got != http.StatusForbidden {
				t.Errorf("%v %s %s as %s: %d", headers, a.method, a.path, a.mediaType, got)
			}
		}
	}
	for _, mediaType := range []string{"text/plain", formType, "", "multipart/form-data", "application/json-patch+json", "text/plain; application/json"} {
		if got := m.send(t, "ami", "POST", "/api/v1/erasures", mediaType, `{"what":"all"}`).Code; got != http.StatusUnsupportedMediaType {
			t.Errorf("JSON as %q: %d", mediaType, got)
		}
	}
	if digestOf(t, m.db, true) != m.clean[true] {
		t.Error("something changed")
	}
}
