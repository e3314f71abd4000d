package landlord_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/landlord"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

const residence = `
residence: {id: R, name: La Roseraie, zone: Europe/Paris, earliest: 2020-01-01T00:00:00Z, street: 3 rue des Roses, postcode: "49000", town: Angers}
dwellings:
  - {id: R-1, building: A, staircase: "1", label: "1", floor: 0, rooms: 2, area_m2: 41, heating: collective,
     households: [{id: H-martin, occupants: 2, language: fr, moved_in: 2024-01-01, contact: {by: telephone, telephone: 02 41 11 11 11}, persons: [{id: P-rose, name: Rose Martin}, {id: P-paul, name: Paul Martin}]}]}
  - {id: R-2, building: A, staircase: "1", label: "2", floor: 1, rooms: 3, area_m2: 62.5,
     households: [{id: H-amina, occupants: 1, language: fr, moved_in: 2024-06-01, persons: [{id: P-amina, name: Amina Diallo}]}]}
  - {id: R-3, building: B, staircase: "2", label: "3", floor: 1, rooms: 3, area_m2: 62.55}
`

// An office serves the pages on 18 March 2026.
type office struct {
	t        testing.TB
	db       *sql.DB
	url      string
	importer *premises.Importer
}

var now = time.Date(2026, 3, 18, 10, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// staff are who comes, each with a role in R, everywhere where it ends in "*".
var staff = map[string]string{"advisor": "advisor", "manager": "manager", "elsewhere": "manager", "administrator": "administrator*", "installer": "installer", "technician": "technician*"}

func open(t testing.TB, more ...func(*echo.Echo, *web.Site, *sql.DB)) office {
	t.Helper()
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "x.db"))
	for _, text := range []string{residence, "residence: {id: S, name: Les Lilas, zone: Europe/Paris, earliest: 2020-01-01T00:00:00Z}\n"} {
		r, err := roster.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := roster.Store(t.Context(), db, r); err != nil {
			t.Fatal(err)
		}
	}
	for who, role := range staff {
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ($1, $2, 'fr')`, who, "Staff "+who)
		role, everywhere := strings.CutSuffix(role, "*")
		place := sql.NullString{String: map[bool]string{true: "S", false: "R"}[who == "elsewhere"], Valid: !everywhere}
		sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ($1, $2, $3)`, who, role, place)
	}
	for _, who := range []string{"advisor", "manager", "elsewhere", "administrator", "installer", "technician", "P-rose"} {
		sum := sha256.Sum256([]byte(who))
		sqldbtest.Exec(t, db, `INSERT INTO session (id, token_hash, person_id, way, browser, created_ms, seen_ms, expires_ms, form_token) VALUES ($1, $2, $1, 'code', '', $3, $3, $4, $5)`,
			who, hex.EncodeToString(sum[:]), sqldb.Ms(now), sqldb.Ms(now.Add(time.Hour)), formToken)
	}
	return serve(t, db, more...)
}

var formToken = strings.Repeat("f", 43)

func serve(t testing.TB, db *sql.DB, more ...func(*echo.Echo, *web.Site, *sql.DB)) office {
	t.Helper()
	log := testkit.Logger(t)
	store := premises.NewStore(db)
	persons, err := accounts.NewStore(db, accounts.DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := notify.NewSender(notify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	clerk := &accounts.Clerk{Store: persons, Site: "https://roseraie.example", Advisor: "Claire Moreau", Dial: "02 41 00 00 00", Code: 400 * 24 * time.Hour, Now: clock,
		Say:  func(_, key string, args ...any) string { return web.French().T(key, args...) },
		Date: func(_ string, d civil.Date) string { return web.French().Date(d, d) }}
	clerk.Outbox = notify.NewOutbox(db, sender, clerk.Composers(), clock, log)
	site, err := web.NewSite(web.Advisor{Name: "Claire Moreau", Telephone: "02 41 00 00 00"}, false)
	if err != nil {
		t.Fatal(err)
	}
	door := &accounts.Door{Store: persons, Now: clock, Log: log, Terms: accounts.Terms{Length: time.Hour}}
	o := office{t: t, db: db, importer: premises.NewImporter(store, log, clock)}
	t.Cleanup(o.importer.Wait)
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = site.Fault(c, problem.Of(err)) }
	e.Use(web.Secure, door.Recognise)
	site.Register(e)
	landlord.New(site, store, o.importer, clerk, clock).Register(e)
	for _, add := range more {
		add(e, site, db)
	}
	served := httptest.NewServer(e)
	t.Cleanup(served.Close)
	o.url = served.URL
	return o
}

type answer struct {
	status int
	header http.Header
	page   string
}

func (o office) ask(who, method, path, mediaType string, body io.Reader) answer {
	o.t.Helper()
	request, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, body)
	if err != nil {
		o.t.Fatal(err)
	}
	request.Header.Set("Content-Type", mediaType)
	if who != "" {
		request.AddCookie(&http.Cookie{Name: "xnet_session", Value: who})
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, plain(string(text))}
}

// plain writes a page's spaces and signs as a test types them.
func plain(page string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(page)
}

func (o office) get(who, path string) answer {
	o.t.Helper()
	return o.ask(who, http.MethodGet, path, "", http.NoBody)
}

func (o office) post(who, path string, fields ...string) answer {
	o.t.Helper()
	form := url.Values{"jeton": {formToken}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return o.ask(who, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (o office) upload(who string, file []byte) answer {
	o.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.WriteField("jeton", formToken); err != nil {
		o.t.Fatal(err)
	}
	part, err := w.CreateFormFile("fichier", "stock.csv")
	if err == nil {
		_, err = part.Write(file)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		o.t.Fatal(err)
	}
	return o.ask(who, http.MethodPost, landlord.ImportPath, w.FormDataContentType(), &body)
}

func (o office) rows(query string) (n int) {
	o.t.Helper()
	if err := o.db.QueryRowContext(o.t.Context(), query).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (a answer) shows(t testing.TB, shows, hides []string) {
	t.Helper()
	for _, want := range shows {
		if !strings.Contains(a.page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	for _, not := range hides {
		if strings.Contains(a.page, not) {
			t.Errorf("the page shows %q", not)
		}
	}
	if strings.Contains(a.page, "<script") || strings.Contains(a.page, " style=") || len(a.page) > 60_000 {
		t.Errorf("the page has a script or a style, or weighs %d bytes", len(a.page))
	}
	if key := regexp.MustCompile(`>(stock|people|move|field|look|dwelling|household)\.[a-z_]+<`).FindString(a.page); key != "" {
		t.Errorf("the page shows the key %s", key)
	}
}
