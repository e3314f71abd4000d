package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

func actorNamed(name string) actor {
	for _, a := range matrixActors {
		if a.name == name {
			return a
		}
	}
	panic("no actor " + name)
}

// send makes a request of any form in the name of an actor.
func (m *matrix) send(t testing.TB, name, method, path, mediaType, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", mediaType)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	actorNamed(name).sign(request)
	m.asked++
	request.RemoteAddr = fmt.Sprintf("10.200.%d.%d:1000", m.asked>>8&255, m.asked&255)
	answer := httptest.NewRecorder()
	headAsGet(m.routes).ServeHTTP(answer, request)
	return answer
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// form is a form's body with the actor's token.
func (m *matrix) form(t testing.TB, name, path, fields string) *httptest.ResponseRecorder {
	t.Helper()
	return m.send(t, name, http.MethodPost, path, formType, fields+"&"+accounts.FormField+"="+actorNamed(name).formToken())
}

func (m *matrix) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := m.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAttacks are what the table of routes cannot say: tricks with what is sent.
func TestAttacks(t *testing.T) {
	testMatrix(t, func(t *testing.T, m *matrix) {
		for _, attack := range []struct {
			name string
			try  func(*testing.T, *matrix)
		}{
			{"a helper's account is not handed to who gives the mandate", attackHelper},
			{"whether a household exists is told to nobody", attackOracle},
			{"staff of one residence cannot enter a home of another", attackInvitation},
			{"ids in bodies and queries", attackIDs},
			{"fields that are not for the sender", attackFields},
			{"tricks with paths and methods", attackPaths},
			{"forms without their token", attackForms},
			{"requests that another site makes a browser send", attackSites},
			{"a token beside a cookie", attackToken},
			{"a key of another's request", attackOnce},
			{"a version of another's thing", attackVersion},
			{"names that would be text of a page, a formula or a header", attackNames},
			{"two moves at once", attackMoves},
		} {
			m.fresh(t)
			t.Run(attack.name, func(t *testing.T) { attack.try(t, m) })
		}
	})
}

func attackHelper(t *testing.T, m *matrix) {
	sqldbtest.Exec(t, m.db, `INSERT INTO way_in (person_id, name) VALUES ('P-see', 'viviane.voyante')`)
	page := m.form(t, "ami", "/mes-donnees/aidants", "nom=viviane+VOYANTE&jusqu=2026-12-31&portee=act")
	if page.Code != http.StatusOK || m.count(t, `SELECT COUNT(*) FROM sign_in`) != 0 {
		t.Errorf("status %d; a code was drawn for somebody who comes in already", page.Code)
	}
	if got := m.send(t, "see", http.MethodGet, "/", formType, "").Code; got != http.StatusOK {
		t.Errorf("the helper is out: status %d", got)
	}
}

func attackOracle(t *testing.T, m *matrix) {
	for _, body := range []string{
		`{"household":"%s","giver":"P-bruno","helper_name":"Nina","language":"fr","scope":"see","to":"2020-01-01","channel":"paper"}`,
		`{"household":"%s","giver":"P-nobody","helper_name":"Nina","language":"fr","scope":"see","to":"2026-12-31","channel":"paper"}`,
	} {
		for _, who := range []string{"ami", "ma2", "tec"} {
			there := m.send(t, who, http.MethodPost, "/api/v1/mandates", jsonType, fmt.Sprintf(body, "F-bruno"))
			none := m.send(t, who, http.MethodPost, "/api/v1/mandates", jsonType, fmt.Sprintf(body, "F-nobody"))
			if there.Code != http.StatusNotFound || there.Code != none.Code || there.Body.String() != none.Body.String() {
				t.Errorf("%s: %d and %d, %s and %s", who, there.Code, none.Code, there.Body, none.Body)
			}
		}
	}
}

// An administrator could give a helper a role, so that they are staff, and then
// invite them as such: the code would open their home elsewhere.
func attackInvitation(t *testing.T, m *matrix) {
	sqldbtest.Exec(t, m.db, `INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
		VALUES ('M-sarah', 'F-amina', 'P-amina', 'P-sarah', 'see', 'page', 'P-amina', '2026-01-01', '2027-01-01', 1767225600000)`)
	if got := m.send(t, "adm", http.MethodPost, "/api/v1/people/P-sarah/invitation", jsonType, `{"by":"letter"}`).Code; got != http.StatusNotFound {
		t.Errorf("a helper who lives elsewhere: status %d", got)
	}
	m.send(t, "adm", http.MethodPut, "/api/v1/staff/P-sarah/roles/advisor?residence=R", jsonType, "")
	if got := m.send(t, "adm", http.MethodPost, "/api/v1/people/P-sarah/invitation", jsonType, `{"by":"letter"}`); got.Code != http.StatusNotFound {
		t.Errorf("the same with a role here: status %d", got.Code)
	}
	if m.count(t, `SELECT COUNT(*) FROM sign_in`) != 0 {
		t.Error("a code was drawn")
	}
}

func attackIDs(t *testing.T, m *matrix) {
	for _, a := range []struct {
		who, method, path, body string
		want                    int
	}{
		{"man", "POST", "/api/v1/tenancies/move", `{"dwelling":"D-amina","moved_out":"2026-03-20","leaver_to":"D-empty-s","version":1}`, 422},
		{"man", "POST", "/api/v1/tenancies/move", `{"dwelling":"D-empty","moved_in":"2026-03-20","newcomer":{"household":"F-sarah"}}`, 422},
		{"man", "POST", "/api/v1/households/F-amina/departures", `{"person":"P-bruno","on":"2026-03-20","version":1}`, 404},
		{"man", "POST", "/api/v1/households/F-amina/consents", `{"purpose":"personal_advice","text_version":1,"language":"fr","channel":"paper","given_by":"P-bruno"}`, 422},
		{"man", "POST", "/api/v1/mandates", `{"household":"F-amina","giver":"P-bruno","helper_name":"Nina","language":"fr","scope":"see","to":"2026-12-31","channel":"paper"}`, 422},
		{"ins", "POST", "/api/v1/meters/cw-free/binding", `{"point":"PT-free-s","first":{"index":0}}`, 404},
		{"ins", "POST", "/api/v1/points", `{"id":"x","kind":"gas","dwelling":"D-sarah"}`, 404},
		{"ins", "PUT", "/api/v1/meters/cw-amina", `{"gateway":"gw-s","interval_s":600}`, 404},
		{"ami", "POST", "/api/v1/consents", `{"household":"F-bruno","purpose":"fine_curve","text_version":1,"language":"fr"}`, 404},
		{"see", "POST", "/api/v1/consents", `{"household":"F-amina","purpose":"personal_advice","text_version":1,"language":"fr"}`, 404},
		{"adm", "GET", "/api/v1/households/F-amina/export", "", 422}, // no archive without a reason that the family reads
		{"act", "POST", "/api/v1/mandates", `{"household":"F-amina","helper_name":"Nina","language":"fr","scope":"see","to":"2026-12-31"}`, 404},
		{"ami", "GET", "/api/v1/consumption/daily?from=2026-01-01&to=2026-03-01&household=F-amina&household=F-bruno", "", 200},
		{"man", "GET", "/api/v1/dwellings?after=D-sarah", "", 200},
		{"man", "GET", "/api/v1/households?residence=S", "", 200},
		{"man", "GET", "/api/v1/persons?search=Sarah", "", 200},
	} {
		got := m.send(t, a.who, a.method, a.path, jsonType, a.body, "If-Match", `"1"`)
		if got.Code != a.want {
			t.Errorf("%s: %s %s %s: %d, want %d: %s", a.who, a.method, a.path, a.body, got.Code, a.want, got.Body)
		}
		if found := leaks(got.Body.String(), a.path+a.body, actorNamed(a.who), "ndp", true); len(found) > 0 {
			t.Errorf("%s: %s %s shows %v", a.who, a.method, a.path, found)
		}
	}
	// The forms name things as well; those of another household are not found.
	for path, fields := range map[string]string{
		"/personnes/F-amina/nom":        "personne=P-sarah&nom=Pris&langue=fr&version=1",
		"/personnes/F-amina/invitation": "personne=P-sarah",
		"/personnes/F-amina/depart":     "personne=P-sarah&le=2026-03-20&version=1",
	} {
		if got := m.form(t, "man", path, fields).Code; got != http.StatusNotFound {
			t.Errorf("%s with another's person: %d", path, got)
		}
	}
}

func attackFields(t *testing.T, m *matrix) {
	for _, a := range []struct{ who, method, path, body string }{
		{"man", "PATCH", "/api/v1/households/F-amina", `{"id":"F-bruno"}`},
		{"man", "PATCH", "/api/v1/households/F-amina", `{"version":9}`},
		{"man", "PATCH", "/api/v1/persons/P-amina", `{"roles":["administrator"]}`},
		{"man", "PATCH", "/api/v1/dwellings/D-amina", `{"residence":"S"}`},
		{"man", "PATCH", "/api/v1/dwellings/D-amina", `{"id":"D-sarah"}`},
		{"adm", "PATCH", "/api/v1/residences/R", `{"zone":"UTC"}`},
		{"ami", "POST", "/api/v1/consents", `{"purpose":"fine_curve","text_version":1,"language":"fr","given_by":"P-bruno"}`},
		{"ami", "POST", "/api/v1/mandates", `{"giver":"P-bruno","helper_name":"Nina","language":"fr","scope":"see","to":"2026-12-31"}`},
		{"ami", "POST", "/api/v1/tokens", `{"label":"x","scopes":["people:write"],"expires":"2026-06-01T00:00:00Z"}`},
		{"ami", "POST", "/api/v1/tokens", `{"label":"x","scopes":["consumption:read"],"person":"P-bruno","expires":"2026-06-01T00:00:00Z"}`},
	} {
		got := m.send(t, a.who, a.method, a.path, jsonType, a.body, "If-Match", `"1"`)
		if got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s %s %s: %d: %s", a.who, a.method, a.path, a.body, got.Code, got.Body)
		}
	}
	if digestOf(t, m.db, true) != m.clean[true] {
		t.Error("something changed")
	}
}

func attackPaths(t *testing.T, m *matrix) {
	for _, path := range []string{"/api/v1/dwellings/%2e%2e/households/F-bruno", "/api/v1//households/F-bruno", "//api/v1/households/F-bruno", "/api/v1/households/F-bruno;x", "/API/v1/households/F-bruno",
		"/api/v1/households/F-bruno/", "/api/v1/households/F-bruno%00", "/api/v1/../api/v1/households/F-bruno", "/assets/../personnes/F-bruno", "/assets/%2e%2e/personnes/F-bruno", "/Personnes/F-bruno",
		"/personnes/F-bruno/", "/personnes//F-bruno", "/mes-donnees/..%2fpersonnes%2fF-bruno", "/api/v1/households/f-bruno"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "TRACE"} {
			got := m.send(t, "ami", method, path, jsonType, "", "X-HTTP-Method-Override", "GET", "X-Original-URL", "/api/v1/households/F-bruno")
			if got.Code == http.StatusOK || len(leaks(got.Body.String(), "", actorNamed("ami"), "", true)) > 0 {
				t.Errorf("%s %s: %d %s", method, path, got.Code, got.Body)
			}
		}
	}
	for _, who := range []string{"nob", "ami"} {
		if got := m.send(t, who, "HEAD", "/api/v1/households/F-bruno", jsonType, "").Code; got == http.StatusOK {
			t.Errorf("HEAD as %s: %d", who, got)
		}
	}
	override := m.send(t, "ami", "POST", "/api/v1/session", jsonType, `{"code":"x"}`, "X-HTTP-Method-Override", "DELETE")
	if override.Code == http.StatusNoContent {
		t.Error("a method can be overridden")
	}
}

// Whoever bears a token is the token's person, whatever the cookie says, and a bad
// token is refused, whatever the cookie would allow.
func attackToken(t *testing.T, m *matrix) {
	cookie := "xnet_session=" + actorNamed("ami").secret()
	for header, want := range map[string]int{"Bearer nonsense": 401, "Basic eDp5": 401, "Bearer ": 401, "Bearer " + actorNamed("kM").secret(): 403} {
		if got := m.send(t, "nob", "GET", "/api/v1/consents", jsonType, "", "Cookie", cookie, "Authorization", header).Code; got != want {
			t.Errorf("%.12q beside a cookie: %d, want %d", header, got, want)
		}
	}
	if got := m.send(t, "nob", "GET", "/api/v1/consents", jsonType, "", "Cookie", "xnet_session="+actorNamed("kC").secret()).Code; got != 401 {
		t.Errorf("a token as a cookie: %d", got)
	}
	if got := m.send(t, "nob", "GET", "/api/v1/consents", jsonType, "", "Authorization", "Bearer "+actorNamed("ami").secret()).Code; got != 401 {
		t.Errorf("a cookie as a token: %d", got)
	}
}

func attackOnce(t *testing.T, m *matrix) {
	body := `{"household":"F-amina","name":"Nina Neuve","language":"fr","from":"2026-03-18"}`
	first := m.send(t, "man", "POST", "/api/v1/persons", jsonType, body, "Idempotency-Key", "one")
	for who, want := range map[string]int{"ma2": 404, "ami": 403, "nob": 401, "adv": 403} {
		got := m.send(t, who, "POST", "/api/v1/persons", jsonType, body, "Idempotency-Key", "one")
		if first.Code != 201 || got.Code != want || strings.Contains(got.Body.String(), "Nina") || got.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("%d for the first, %s then gets %d: %s", first.Code, who, got.Code, got.Body)
		}
	}
	sqldbtest.Exec(t, m.db, `DELETE FROM staff_role WHERE person_id = 'P-man'`)
	if got := m.send(t, "man", "POST", "/api/v1/persons", jsonType, body, "Idempotency-Key", "one").Code; got != 403 {
		t.Errorf("the answer is kept for who lost the role: %d", got)
	}
}

func attackVersion(t *testing.T, m *matrix) {
	for _, version := range []string{`"1"`, `"2"`, "*", `W/"1"`} {
		for _, thing := range []string{"/api/v1/households/F-", "/api/v1/persons/P-", "/api/v1/dwellings/D-"} {
			other := m.send(t, "man", "PATCH", thing+"sarah", jsonType, `{}`, "If-Match", version)
			none := m.send(t, "man", "PATCH", thing+"nobody", jsonType, `{}`, "If-Match", version)
			if other.Code < 400 || other.Code != none.Code || other.Body.String() != none.Body.String() || other.Header().Get("ETag") != "" {
				t.Errorf("PATCH %s… If-Match %s: %d for another's, %d for none", thing, version, other.Code, none.Code)
			}
		}
	}
	if got := m.send(t, "man", "GET", "/api/v1/dwellings/D-sarah", jsonType, "", "If-None-Match", `"1"`).Code; got != 404 {
		t.Errorf("If-None-Match of another's: %d", got)
	}
}

func attackNames(t *testing.T, m *matrix) {
	const script, formula = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`, `=HYPERLINK("https://evil.example")`
	sqldbtest.Exec(t, m.db, `UPDATE person SET name = $1`, script)
	sqldbtest.Exec(t, m.db, `UPDATE dwelling SET label = $1, building = $2, staircase = $1 WHERE residence_id = 'R'`, script, formula)
	sqldbtest.Exec(t, m.db, `UPDATE residence SET name = $1, town = $1 WHERE id = 'R'`, script)
	sqldbtest.Exec(t, m.db, `UPDATE gateway SET name = $1, place = $1`, script)
	sqldbtest.Exec(t, m.db, `UPDATE household SET email = $1`, script)
	pages := 0
	for _, r := range readMatrix(t) {
		if r.method != http.MethodGet || strings.HasPrefix(r.path, "/metrics") {
			continue
		}
		for i, a := range matrixActors {
			if r.want[i] != "200" || a.scopes != "" {
				continue
			}
			request := m.request(t, r, a)
			answer := httptest.NewRecorder()
			m.routes.ServeHTTP(answer, request)
			if !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") {
				break
			}
			pages++
			if text := answer.Body.String(); strings.Contains(text, "<script") || strings.Contains(text, "<img src=x") {
				t.Errorf("%s: a name is markup on %s", a.name, r.path)
			}
			break
		}
	}
	if pages < 30 {
		t.Errorf("%d pages looked at", pages)
	}
	for _, path := range []string{"/api/v1/dwellings", "/api/v1/households", "/api/v1/persons"} {
		list := m.send(t, "man", "GET", path, jsonType, "", "Accept", "text/csv")
		for line := range strings.Lines(list.Body.String()) {
			for cell := range strings.SplitSeq(line, ",") {
				if cell = strings.TrimLeft(cell, `"`); cell != "" && strings.ContainsAny(cell[:1], "=+@") {
					t.Errorf("%s begins a cell of CSV with %.20q", path, cell)
				}
			}
		}
		if !strings.HasPrefix(list.Header().Get("Content-Type"), "text/csv") {
			t.Errorf("%s is %s", path, list.Header().Get("Content-Type"))
		}
	}
	letter := m.send(t, "man", "POST", "/api/v1/people/P-amina/invitation", jsonType, `{"by":"letter"}`, "Accept", "application/pdf")
	if letter.Code != http.StatusCreated || strings.Contains(letter.Header().Get("Content-Disposition"), "script") {
		t.Errorf("letter: %d %s", letter.Code, letter.Header().Get("Content-Disposition"))
	}
	for _, to := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x=y", "\t//evil.example"} {
		got := m.send(t, "ami", "GET", "/langue/en?retour="+url.QueryEscape(to), formType, "").Header()
		if where := got.Get("Location"); !strings.HasPrefix(where, "/") || strings.HasPrefix(where, "//") || strings.Contains(where, `\`) || strings.ContainsAny(where, "\r\n") {
			t.Errorf("the language switch leads %q to %q", to, where)
		}
	}
}

func attackMoves(t *testing.T, m *matrix) {
	var wait sync.WaitGroup
	codes := make([]int, 6)
	for i := range codes {
		name, body := "man", fmt.Sprintf(`{"dwelling":"D-empty","moved_in":"2026-03-20","occupants":1,"language":"fr","persons":[{"name":"Nina %d","language":"fr"}]}`, i)
		request := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/households", strings.NewReader(body))
		request.Header.Set("Content-Type", jsonType)
		actorNamed(name).sign(request)
		wait.Go(func() {
			answer := httptest.NewRecorder()
			m.routes.ServeHTTP(answer, request)
			codes[i] = answer.Code
		})
	}
	wait.Wait()
	made := 0
	for _, code := range codes {
		if code == http.StatusCreated {
			made++
		} else if code != http.StatusConflict && code != http.StatusUnprocessableEntity {
			t.Errorf("a move at the same time is told %d", code)
		}
	}
	if living := m.count(t, `SELECT COUNT(*) FROM tenancy WHERE dwelling_id = 'D-empty'`); made != 1 || living != 1 {
		t.Errorf("%d moves made, %d households live there: %v", made, living, codes)
	}
}
