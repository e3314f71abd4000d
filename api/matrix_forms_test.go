package main

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// A pageForm is a form of a page, and somebody whose it is.
type pageForm struct {
	row
	who actor
}

// pageForms are all forms of pages but those of coming in and going out, each sent
// by the first of the table who may.
func pageForms(t *testing.T) []pageForm {
	t.Helper()
	var forms []pageForm
	known := map[string]bool{}
	for _, r := range readMatrix(t) {
		if r.method != http.MethodPost || strings.HasPrefix(r.path, apiRoot) || strings.Contains(r.path, "connexion") || known[r.route()] {
			continue
		}
		if i := slices.IndexFunc(r.want, isSuccess); i >= 0 {
			known[r.route()] = true
			forms = append(forms, pageForm{r, matrixActors[i]})
		}
	}
	return forms
}

// manyTimes are forms after which there may be more, and why that is no harm.
var manyTimes = map[string]string{
	"POST /logements/importer":          "a file that is read again changes nothing before somebody says so",
	"POST /logements/importer/{import}": "the import goes on after the answer, and runs once",
}

// TestEveryFormOnce: whoever presses too often, goes back and presses again, or loads
// the answer anew has one result, on every page there is.
func TestEveryFormOnce(t *testing.T) {
	m, _ := servedMatrix(t)
	forms := pageForms(t)
	for _, f := range forms {
		m.fresh(t)
		send := func() (status, text string) {
			request := m.request(t, f.row, f.who)
			if !strings.HasPrefix(request.Header.Get("Content-Type"), "multipart/") {
				query := request.URL.Query()
				query.Set("envoi", "the same press")
				request.URL.RawQuery = query.Encode()
			}
			return m.ask(t, request)
		}
		if status, text := send(); !isSuccess(status) {
			t.Errorf("%s: first %s %.200s", f.route(), status, brief(text))
			continue
		}
		once := m.rows(t)
		for _, again := range []string{"double click", "Back"} {
			if status, text := send(); strings.HasPrefix(status, "5") || status == "403" {
				t.Errorf("%s: %s: %s %.200s", f.route(), again, status, brief(text))
			}
		}
		if diff := cmp.Diff(once, m.rows(t)); diff != "" && manyTimes[f.route()] == "" {
			t.Errorf("%s: sent again it makes more (-once +again):\n%s", f.route(), diff)
		}
	}
	if len(forms) < 60 {
		t.Errorf("%d forms", len(forms))
	}
	t.Logf("%d forms", len(forms))
}

// rows counts what each table holds but who looked and who came in.
func (m *matrix) rows(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range slices.Concat(programmeTables, matrixTables) {
		if slices.Contains([]string{"access_log", "sign_in", "session"}, table) {
			continue
		}
		var n int
		if err := m.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// TestNoFormIsLost: whose visit ends in the middle of a form, on any page, comes in
// again, finds what was typed and sends it with one press; passwords alone are not
// kept, nor files.
func TestNoFormIsLost(t *testing.T) {
	m, _ := servedMatrix(t)
	kept := 0
	for _, f := range pageForms(t) {
		body := fill(m.bodies[f.route()], things(f.object))
		if body == "file" || body == "machines" || strings.Contains(f.path, "mot-de-passe") || f.route() == "POST /reprise" || f.route() == "POST /deconnexion" {
			continue
		}
		m.fresh(t)
		if err := m.lose(t, f, body); err != nil {
			t.Errorf("%s as %s: %v", f.route(), f.who.name, err)
		}
		kept++
	}
	if kept < 50 {
		t.Errorf("%d forms", kept)
	}
	t.Logf("%d forms", kept)
}

// lose sends a form after the visit was over, and takes it up again.
func (m *matrix) lose(t *testing.T, f pageForm, body string) error {
	t.Helper()
	if _, err := m.db.ExecContext(t.Context(), `UPDATE session SET expires_ms = 1 WHERE person_id = $1`, f.who.person); err != nil {
		return err
	}
	late := m.request(t, f.row, f.who)
	path := late.URL.RequestURI()
	if to := m.answer(late).Header().Get("Location"); to != "/connexion?fini=1" {
		return fmt.Errorf("it leads to %q", to)
	}
	b := &returned{m: m, cookies: map[string]string{"xnet_reprise": "1"}}
	if to := b.send(t, "/connexion", url.Values{"code": {m.code(t, accounts.PersonID(f.who.person))}}).Header().Get("Location"); to != "/reprise" {
		return fmt.Errorf("coming in leads to %q", to)
	}
	page := b.ask(t, http.MethodGet, "/reprise", "").Body.String()
	typed, err := url.ParseQuery(body)
	if err != nil {
		return err
	}
	for name, texts := range typed {
		for _, text := range texts {
			if text != "" && !strings.Contains(html.UnescapeString(page), text) {
				return fmt.Errorf("%s %q is lost", name, text)
			}
		}
	}
	typed.Set("version", "1")
	typed.Set(accounts.FormField, webtest.Token(t, page))
	resumed := b.send(t, "/reprise", typed)
	if to := resumed.Header().Get("Location"); resumed.Code != http.StatusTemporaryRedirect || to != path {
		return fmt.Errorf("sent again it goes to %q, want %q", to, path)
	}
	// The new code ended the visits and the keys that some forms are to end.
	ended := strings.HasSuffix(strings.SplitN(path, "?", 2)[0], "/fin")
	if done := b.send(t, path, typed); done.Code >= http.StatusBadRequest && (!ended || done.Code != http.StatusNotFound) {
		return fmt.Errorf("sent again: %d %.200s", done.Code, brief(done.Body.String()))
	}
	return nil
}

// A returned is a browser in which somebody comes in again.
type returned struct {
	m       *matrix
	cookies map[string]string
}

func (b *returned) send(t *testing.T, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	return b.ask(t, http.MethodPost, path, form.Encode())
}

func (b *returned) ask(t *testing.T, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if method == http.MethodPost {
		request.Header.Set("Content-Type", formType)
	}
	for _, name := range slices.Sorted(maps.Keys(b.cookies)) {
		request.AddCookie(&http.Cookie{Name: name, Value: b.cookies[name]})
	}
	b.m.asked++
	request.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1000", b.m.asked>>16&255, b.m.asked>>8&255, b.m.asked&255)
	answer := b.m.answer(request)
	for _, c := range answer.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return answer
}

// answer serves a request.
func (m *matrix) answer(request *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	m.routes.ServeHTTP(answer, request)
	return answer
}
