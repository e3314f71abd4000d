package main

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A matrix is the API over matrixPeople, asked without a network.
type matrix struct {
	db     *sql.DB
	routes *echo.Echo
	bodies map[string]string
	clean  string // digest of what was seeded
	asked  int
}

// testMatrix runs the test on each database, with one InfluxDB.
func testMatrix(t *testing.T, test func(*testing.T, *matrix)) {
	t.Helper()
	bodies := readBodies(t)
	server := testkit.Influx(t)
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) { test(t, newMatrix(t, db, server.URL, bodies)) })
}

func newMatrix(t *testing.T, db *sql.DB, influxURL string, bodies map[string]string) *matrix {
	t.Helper()
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": filepath.Join(t.TempDir(), "x.db"), "XNET_API_ADVISOR_NAME": "Claire Moreau",
		"XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00", "XNET_API_INFLUX_URL": influxURL})
	c, err := configured{}.load(program{env, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	c.Influx.Keep = influx.Retention{}
	client, err := influx.Open(c.Influx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	furnishMatrix(t, client)
	now := func() time.Time { return fixedNow(t) }
	people, err := newDesk(c, db, logger(t), now)
	if err != nil {
		t.Fatal(err)
	}
	cheap, err := accounts.NewStore(db, accounts.Cost{Passes: 1, MemoryKiB: 64})
	if err != nil {
		t.Fatal(err)
	}
	people.persons, people.door.Store, people.clerk.Store = cheap, cheap, cheap
	m := &matrix{db: db, bodies: bodies}
	m.routes, err = server{config: c, db: db, influx: client, log: logger(t), now: now, desk: people,
		figures: figures.NewRegistry(), ready: func() error { return nil }}.routes()
	if err != nil {
		t.Fatal(err)
	}
	m.fresh(t)
	return m
}

func (m *matrix) fresh(t testing.TB) {
	t.Helper()
	seedMatrix(t, m.db)
	m.clean = digestOf(t, m.db)
}

// things are what the placeholders of a route stand for, by object.
func things(object string) map[string]string {
	r := map[string]string{"residence": "R", "empty": "D-empty", "gateway": "gw-r", "free": "cw-free", "freepoint": "PT-free", "import": "I-man", "letter": "L-amina",
		"mandate": "M-see", "token": "K-kC", "staff": "P-tec", "stafftoken": "K-kM", "role": "technician", "purpose": "fine_curve", "language": "en", "rest": "mot-de-passe", "month": "2025-11", "later": "2026-02", "post": "advisor", "all": "administrator",
		"dwelling": "D-" + object, "household": "F-" + object, "person": "P-" + object, "meter": "cw-" + object, "point": "PT-" + object, "serial": "SN-71", "session": "V-" + object}
	switch object {
	case "amina", "bruno", "sarah":
		r["session"] = "V-" + object[:3]
		if object == "amina" {
			r["session"] = "V-ami"
		}
	case "celeste":
		r["dwelling"], r["meter"], r["point"] = "D-bruno", "cw-bruno", "PT-bruno"
	case "self", "list":
		r["household"] = ""
	case "none":
		for name := range r {
			if !slices.Contains([]string{"purpose", "role", "rest", "month", "later", "post", "all"}, name) {
				r[name] = "nowhere"
			}
		}
	}
	if object == "sarah" {
		for name, id := range map[string]string{"residence": "S", "empty": "D-empty-s", "gateway": "gw-s", "free": "cw-free-s", "freepoint": "PT-free-s", "import": "I-ma2",
			"letter": "L-sarah", "mandate": "nowhere", "token": "K-kM", "staff": "P-in2", "stafftoken": "nowhere", "role": "installer", "serial": "SN-88"} {
			r[name] = id
		}
	}
	return r
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func fill(text string, with map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if id, ok := with[strings.Trim(name, "{}")]; ok {
			return id
		}
		return name
	})
}

// A row is a line of the table.
type row struct {
	line                        int
	method, path, object, shows string
	want                        []string
}

// routeOf is the row's route without its object, query and parameters.
func (r row) route() string {
	path, _, _ := strings.Cut(r.path, "?")
	path, _, _ = strings.Cut(path, "#")
	return r.method + " " + path
}

// shape is what rows and routes have in common.
func shape(route string) string {
	route = placeholder.ReplaceAllString(route, "*")
	route = regexp.MustCompile(`:[a-z_]+`).ReplaceAllString(route, "*")
	return regexp.MustCompile(`/assets/.*`).ReplaceAllString(route, "/assets/*")
}

func readMatrix(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for i, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != 4+len(matrixActors) {
			t.Fatalf("matrix.txt:%d: %d cells, want %d", i+1, len(words)-4, len(matrixActors))
		}
		rows = append(rows, row{i + 1, words[0], words[1], words[2], words[3], words[4:]})
	}
	return rows
}

func readBodies(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix_requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] != "#" {
			_, body, _ := strings.Cut(line, words[1])
			bodies[words[0]+" "+words[1]] = strings.TrimSpace(body)
		}
	}
	return bodies
}

// request makes a row's request in the name of an actor.
func (m *matrix) request(t testing.TB, r row, a actor) *http.Request {
	t.Helper()
	with := things(r.object)
	for _, route := range m.routes.Routes() {
		if name, ok := strings.CutPrefix(route.Path, "/assets/"); ok {
			with[strings.SplitN(name, ".", 2)[0]] = name
		}
	}
	path, _, _ := strings.Cut(fill(r.path, with), "#")
	body, mediaType := fill(m.bodies[r.route()], with), "application/x-www-form-urlencoded"
	isPage := !strings.HasPrefix(path, apiRoot)
	switch {
	case strings.HasSuffix(path, "/stock-imports"):
		body, mediaType = stockOfR, "text/csv"
	case body == "file":
		body, mediaType = upload(t, a.formToken(), "text/csv", stockOfR)
	case isPage && r.method == http.MethodPost:
		body += "&version=1&" + accounts.FormField + "=" + a.formToken()
	case !isPage:
		mediaType = "application/json"
	}
	request := httptest.NewRequestWithContext(t.Context(), r.method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("If-Match", `"1"`)
	a.sign(request)
	m.asked++
	request.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1000", m.asked>>16&255, m.asked>>8&255, m.asked&255) // nobody waits for another's tries
	return request
}

// sign adds who asks.
func (a actor) sign(request *http.Request) {
	switch {
	case a.scopes != "":
		request.Header.Set("Authorization", "Bearer "+a.secret())
	case a.person != "":
		request.AddCookie(&http.Cookie{Name: "xnet_session", Value: a.secret()})
	}
}

// upload is a form with a file.
func upload(t testing.TB, token, mediaType, text string) (body, contentType string) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	header := map[string][]string{"Content-Disposition": {`form-data; name="fichier"; filename="stock.csv"`}, "Content-Type": {mediaType}}
	if err := w.WriteField(accounts.FormField, token); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreatePart(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return form.String(), w.FormDataContentType()
}

// ask sends it and returns the status as the table writes it, and all text of the
// answer.
func (m *matrix) ask(t testing.TB, request *http.Request) (status, text string) {
	t.Helper()
	answer := httptest.NewRecorder()
	m.routes.ServeHTTP(answer, request)
	status, text = strconv.Itoa(answer.Code), answer.Body.String()
	if strings.HasPrefix(text, "PK") {
		text = unzipped(t, answer.Body.Bytes())
	}
	to := answer.Header().Get("Location")
	if u, err := url.Parse(to); err == nil && u.Path == "/connexion" && request.URL.Path != "/deconnexion" && u.Query().Get("fait") == "" {
		status = "sig"
	}
	return status, text + "\n" + to
}

func unzipped(t testing.TB, archive []byte) string {
	t.Helper()
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files.File {
		text, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, text); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// spaces stand within the figures that a page shows.
var spaces = strings.NewReplacer("\u202f", "", "\u00a0", "", "&nbsp;", "")

// leaks are the markers in an answer that neither belong to the actor nor are
// shown to its role, nor were in the question.
func leaks(text, asked string, a actor, shows string, answered bool) (all []string) {
	text = spaces.Replace(text)
	for _, k := range markers {
		own := strings.ContainsAny(k.set, a.own)
		shown := answered && strings.Contains(shows, k.kind) && strings.ContainsAny(k.set, a.reaches)
		isName := k.kind == "n" && a.person != "" && strings.Contains(names()[a.person], k.text)
		if !own && !shown && !isName && !strings.Contains(asked, k.text) && k.in(text) {
			all = append(all, k.text)
		}
	}
	return all
}

// in tells figures from the middle of longer ones.
func (k marker) in(text string) bool {
	for at := strings.Index(text, k.text); at >= 0; {
		after := strings.TrimPrefix(text[at+len(k.text):], "000")
		if k.kind != "u" || (at == 0 || !isDigit(text[at-1])) && (after == "" || !isDigit(after[0])) {
			return true
		}
		next := strings.Index(text[at+1:], k.text)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return false
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

var nameIn = regexp.MustCompile(`\('(P-[a-z0-9]+)', '([^']+)'`)

// names are the seeded names of persons: everybody may see their own.
var names = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, found := range nameIn.FindAllStringSubmatch(matrixPeople, -1) {
		all[found[1]] = found[2]
	}
	return all
})

func isSuccess(status string) bool { return status[0] == '2' || status == "303" }

// TestMatrix asks every route in the name of every actor for every object.
func TestMatrix(t *testing.T) {
	rows := readMatrix(t)
	testMatrix(t, func(t *testing.T, m *matrix) {
		cells, leaked := 0, 0
		for _, r := range rows {
			c, l := m.row(t, r)
			cells, leaked = cells+c, leaked+l
		}
		t.Logf("%d rows, %d cells, %d leaks", len(rows), cells, leaked)
	})
}

// row asks the cells of a row: first those that are refused, which must change
// nothing, then each of the others on what was seeded.
func (m *matrix) row(t *testing.T, r row) (cells, leaked int) {
	t.Helper()
	order := make([]int, len(matrixActors))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(r.want[a]) - rank(r.want[b]) })
	dirty, refused := false, false
	for _, i := range order {
		a := matrixActors[i]
		if refused = refused || !isSuccess(r.want[i]); isSuccess(r.want[i]) && refused && r.method != http.MethodGet {
			m.untouched(t, r)
			refused = false
		}
		request := m.request(t, r, a)
		got, text := m.ask(t, request)
		if got != r.want[i] {
			t.Errorf("matrix.txt:%d: %s asks %s %s of %s: %s, want %s\n%.300s", r.line, a.name, r.method, r.path, r.object, got, r.want[i], brief(text))
		}
		if found := leaks(text, request.URL.RawQuery, a, r.shows, !slices.Contains([]string{"401", "403", "sig"}, got)); len(found) > 0 {
			leaked++
			t.Errorf("matrix.txt:%d: %s asks %s %s of %s (%s) and is shown %v", r.line, a.name, r.method, r.path, r.object, got, found)
		}
		cells++
		if r.method != http.MethodGet && isSuccess(got) {
			m.settle(t)
			seedMatrix(t, m.db)
			dirty = false
		} else if isSuccess(got) {
			dirty = true
		}
	}
	if refused && r.method != http.MethodGet {
		m.untouched(t, r)
	}
	if dirty {
		seedMatrix(t, m.db) // a look of staff is written down
	}
	return cells, leaked
}

func rank(want string) int {
	if isSuccess(want) {
		return 1
	}
	return 0
}

func brief(text string) string {
	if _, main, ok := strings.Cut(text, "<main"); ok {
		text = regexp.MustCompile(`<[^>]*>|\s+`).ReplaceAllString(main, " ")
	}
	return strings.TrimSpace(text)
}

// untouched fails where requests that were refused have changed something.
func (m *matrix) untouched(t *testing.T, r row) {
	t.Helper()
	if digestOf(t, m.db) != m.clean {
		t.Errorf("matrix.txt:%d: a refused %s %s of %s changed something", r.line, r.method, r.path, r.object)
		seedMatrix(t, m.db)
	}
}

// settle waits for imports that were begun.
func (m *matrix) settle(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		var busy int
		err := m.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM stock_import WHERE state IN ('checking', 'importing')`).Scan(&busy)
		if err == nil && busy > 0 {
			err = fmt.Errorf("%d imports are not over", busy)
		}
		return err
	})
}

// TestEveryRouteHasARow: a route that nobody has judged fails here.
func TestEveryRouteHasARow(t *testing.T) {
	judged := map[string]bool{}
	bodies := map[string]bool{}
	for _, r := range readMatrix(t) {
		judged[shape(r.route())] = true
		bodies[r.route()] = true
	}
	testMatrix(t, func(t *testing.T, m *matrix) {
		for _, r := range m.routes.Routes() {
			if r.Method != "echo_route_not_found" && !judged[shape(r.Method+" "+r.Path)] {
				t.Errorf("matrix.txt has no row for %s %s", r.Method, r.Path)
			}
		}
		for route := range m.bodies {
			if !bodies[route] {
				t.Errorf("matrix_requests.txt has a body for %s, which matrix.txt does not ask", route)
			}
		}
	})
}
