package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// What no database takes as text is the sender's fault, wherever it stands.
func TestSigns(t *testing.T) {
	testMatrix(t, func(t *testing.T, m *matrix) {
		m.fresh(t)
		for _, tt := range []struct {
			name, who, method, path, kind, body string
			want                                int
		}{
			{"NUL in a path", "man", "GET", "/api/v1/dwellings/%00", jsonType, "", 404},
			{"broken UTF-8 in a path", "man", "GET", "/api/v1/dwellings/%FF", jsonType, "", 404},
			{"a control sign in a page's path", "man", "GET", "/logements/D%1B", formType, "", 404},
			{"NUL in a query", "man", "GET", "/api/v1/dwellings?residence=%00", jsonType, "", 422},
			{"broken UTF-8 in a query", "man", "GET", "/api/v1/persons?search=%ff", jsonType, "", 422},
			{"NUL in a page's query", "man", "GET", "/logements?recherche=a%00", formType, "", 422},
			{"in a name of a query", "man", "GET", "/api/v1/dwellings?%00=1", jsonType, "", 422},
			{"a key of the list", "man", "GET", "/api/v1/households?after=%00", jsonType, "", 422},
			{"a tab that was pasted", "man", "GET", "/langue/en?retour=/%09a", formType, "", 303},
			{"NUL in a body's id", "adm", "POST", "/api/v1/machine-waits", jsonType, `{"residence":"R","household":"F\u0000","kind":"used"}`, 422},
			{"NUL in a form", "ami", "POST", "/mon-ordinateur/reparation", formType, "panne=" + url.QueryEscape("noir\x00"), 422},
			{"broken UTF-8 in a form", "ami", "POST", "/mon-ordinateur/reparation", formType, "panne=%ff", 422},
		} {
			body := tt.body
			if tt.kind == formType && tt.method == http.MethodPost {
				body += "&" + accounts.FormField + "=" + actorNamed(tt.who).formToken()
			}
			if got := m.send(t, tt.who, tt.method, tt.path, tt.kind, body); got.Code != tt.want {
				t.Errorf("%s: %d, want %d: %.200s", tt.name, got.Code, tt.want, got.Body)
			}
		}
		key := m.send(t, "adm", "POST", "/api/v1/machine-waits", jsonType, `{"residence":"R","household":"F-amina","kind":"used"}`, "Idempotency-Key", "a\xffb")
		if key.Code != http.StatusUnprocessableEntity {
			t.Errorf("a key that is not UTF-8: %d", key.Code)
		}
		signsEverywhere(t, m)
	})
}

// signsEverywhere asks every route of the table that somebody may read for what is
// named by NUL.
func signsEverywhere(t *testing.T, m *matrix) {
	t.Helper()
	asked := 0
	for _, r := range readMatrix(t) {
		for i, a := range matrixActors {
			if r.method != http.MethodGet || r.want[i] != "200" || a.scopes != "" {
				continue
			}
			base, _, _ := strings.Cut(m.request(t, r, a).URL.RequestURI(), "?")
			for path, want := range map[string]int{base + "?residence=%00": 422, base[:strings.LastIndex(base, "/")+1] + "%00": 404} {
				asked++
				if got := m.send(t, a.name, "GET", path, jsonType, ""); got.Code != want && !strings.HasPrefix(base, "/assets") {
					t.Errorf("%s GET %s: %d, want %d", a.name, path, got.Code, want)
				}
			}
			break
		}
	}
	if asked < 200 {
		t.Errorf("%d addresses asked", asked)
	}
}

// A role in one residence opens no home of another.
func TestRolesAreNotMixed(t *testing.T) {
	testMatrix(t, func(t *testing.T, m *matrix) {
		m.fresh(t)
		sqldbtest.Exec(t, m.db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-man', 'advisor', 'S')`)
		before := m.count(t, `SELECT COUNT(*) FROM access_log`)
		for who, want := range map[string]int{"man": http.StatusNotFound, "adv": http.StatusOK} {
			if got := m.send(t, who, "GET", "/api/v1/households/F-amina/alerts", jsonType, ""); got.Code != want {
				t.Errorf("%s: %d, want %d", who, got.Code, want)
			}
		}
		if n := m.count(t, `SELECT COUNT(*) FROM access_log`) - before; n != 1 {
			t.Errorf("%d looks written down, want the advisor's", n)
		}
	})
}
