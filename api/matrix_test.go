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
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	clean  map[bool]string // digest of what was seeded, without and with the log of looks
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
		"XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00", "XNET_API_INFLUX_URL": influxURL,
		"XNET_API_BROKER_GATEWAYS_URL": "ssl://roseraie.example:8883", "XNET_API_BROKER_ACCESS_DIR": t.TempDir()})
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
	m.clean = map[bool]string{false: digestOf(t, m.db, false), true: digestOf(t, m.db, true)}
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
	case strings.HasSuffix(path, "/temperatures"):
		body, mediaType = "date,min_c,max_c\n2026-03-01,2,9\n", "text/csv"
	case strings.Contains(path, "/machine-imports"):
		body, mediaType = arrivalOfR, "text/csv"
	case body == "file":
		body, mediaType = upload(t, a.formToken(), "text/csv", stockOfR)
	case body == "machines":
		body, mediaType = upload(t, a.formToken(), "text/csv", arrivalOfR)
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

// untouched fails where requests that were refused have changed something. Whoever
// may look, but not do this, leaves an entry in the log of looks.
func (m *matrix) untouched(t *testing.T, r row) {
	t.Helper()
	looks := !slices.ContainsFunc(r.want, func(want string) bool { return want == "409" || want == "412" || want == "422" })
	if digestOf(t, m.db, looks) != m.clean[looks] {
		t.Errorf("matrix.txt:%d: a refused %s %s of %s changed something", r.line, r.method, r.path, r.object)
		looks = false
	}
	if !looks {
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
