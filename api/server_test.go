package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
)

// TestHouse asks one loaded residence, because its servers take a while to
// start; no part changes what another one sees, and the last take InfluxDB
// away.
func TestHouse(t *testing.T) {
	h := newHouse(t)
	t.Run("home", func(t *testing.T) { testHome(t, h) })
	t.Run("not shown", func(t *testing.T) { testNotShown(t, h) })
	t.Run("json", func(t *testing.T) { testJSON(t, h) })
	t.Run("signed out", func(t *testing.T) { testSignedOut(t, h) })
	t.Run("sessions", func(t *testing.T) { testSessions(t, h) })
	t.Run("forgery", func(t *testing.T) { testForgery(t, h) })
	t.Run("headers", func(t *testing.T) { testHeaders(t, h) })
	t.Run("language", func(t *testing.T) { testLanguage(t, h) })
	t.Run("figures", func(t *testing.T) { testFigures(t, h) })
	t.Run("bucket missing", func(t *testing.T) { testBucketMissing(t, h) })
	t.Run("influx away", func(t *testing.T) { testInfluxAway(t, h) })
	t.Run("wrong codes", func(t *testing.T) { testWrongCodes(t, h) })
}

// plain writes a page's spaces as a test types them.
func plain(page string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "&#39;", "'").Replace(page)
}

func check(t *testing.T, page string, shows, hides []string) {
	t.Helper()
	page = plain(page)
	for _, want := range shows {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	for _, not := range hides {
		if strings.Contains(page, not) {
			t.Errorf("the page shows %q", not)
		}
	}
}

func testHome(t *testing.T, h house) {
	for _, tt := range []struct {
		name, person, path string
		status             int
		shows, hides       []string
	}{
		{"own home", "P-new", "/", 200, []string{"Bonjour Amina Diallo", "Logement 12", "1,90 m³", "(1 897 litres)", "Hier : 117 litres.",
			"Aujourd’hui, jusqu’à maintenant : 44 litres.", "il y a 8 secondes (14 h 03)", "2 jours sont estimés",
			"relevé une fois par mois", "Il faut d’abord votre accord", "Claire Moreau", "02 41 00 00 00", "153,257 m³"},
			[]string{"lundi 9 février", "Marc", "Voisin", "Aucune relève"}},
		{"month of moving in", "P-new", "/consommation/2026-02", 200, []string{"mardi 10 février", "du 10 février au 28 février"}, []string{"lundi 9 février"}},
		{"silent meter", "P-next", "/", 200, []string{"No reading since Friday 13 March."}, []string{"Amina"}},
		{"no meters", "P-bare", "/", 200, []string{"Votre logement n’a pas encore de compteur relié."}, []string{"litre", "kWh"}},
		{"left", "P-old", "/", 200, []string{"Vous n’habitez plus ici depuis le mardi 10 février.", "/consommation/2026-02"}, []string{"litres", "Amina", "mars"}},
		{"own old month", "P-old", "/consommation/2026-02", 200, []string{"945 litres", "lundi 9 février"}, []string{`"row">mardi 10 février`, "Mois d’après", "Dernière relève"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, page := h.visit(t, tt.person).get(tt.path)
			if status != tt.status {
				t.Errorf("status = %d, want %d", status, tt.status)
			}
			check(t, page, tt.shows, tt.hides)
			if len(page) > 60_000 {
				t.Errorf("the page weighs %d bytes, more than 60 kB", len(page))
			}
		})
	}
}

// What is not the reader's own looks absent.
func testNotShown(t *testing.T, h house) {
	for _, tt := range []struct{ name, person, path string }{
		{"before moving in", "P-new", "/consommation/2026-01"},
		{"after moving out", "P-old", "/consommation/2026-03"},
		{"future", "P-new", "/consommation/2026-04"},
		{"malformed", "P-new", "/consommation/mars"},
		{"no such page", "P-new", "/consommation"},
		{"days before moving in", "P-new", "/api/v1/consumption/daily?from=2026-01-01&to=2026-02-10"},
		{"days after moving out", "P-old", "/api/v1/consumption/daily?from=2026-02-10&to=2026-03-18"},
		{"months after moving out", "P-old", "/api/v1/consumption/monthly?from=2026-03&to=2026-04"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, page := h.visit(t, tt.person).get(tt.path)
			if status != http.StatusNotFound {
				t.Errorf("status = %d, want 404", status)
			}
			check(t, page, nil, []string{"litres<", "volume_ml", "energy_wh"})
		})
	}
}

type answer struct {
	Days []struct {
		Date, Kind, Quality string
		Volume              int64 `json:"volume_ml"`
		Coverage            float64
	}
	Months []struct {
		Month, Kind, Quality string
		Volume               int64 `json:"volume_ml"`
		Coverage             float64
	}
}

func testJSON(t *testing.T, h house) {
	next, old, newer := h.visit(t, "P-next"), h.visit(t, "P-old"), h.visit(t, "P-new")
	for _, tt := range []struct {
		name         string
		who          visitor
		query        string
		days, months int
		sum          int64 // litres
	}{
		{"a week", newer, "daily?from=2026-03-06&to=2026-03-13&kind=cold_water", 7, 0, 7*100 + 6 + 7 + 8 + 9 + 10 + 11 + 12},
		{"over the replacement", newer, "daily?from=2026-03-04&to=2026-03-07&kind=cold_water", 3, 0, 104 + 105 + 106},
		{"clipped to moving in", newer, "daily?from=2026-02-01&to=2026-03-01&kind=cold_water", 19, 0, 19*100 + 361},
		{"clipped to moving out", old, "daily?from=2026-02-01&to=2026-03-18&kind=cold_water", 9, 0, 945},
		{"without kind", newer, "daily?from=2026-03-06&to=2026-03-07", 2, 0, 106},
		{"not read", newer, "daily?from=2026-03-06&to=2026-03-13&kind=gas", 0, 0, 0},
		{"month shared by two", newer, "monthly?from=2026-02&to=2026-03&kind=hot_water", 0, 0, 0},
		{"month shared by two, left", old, "monthly?from=2026-02&to=2026-03&kind=hot_water", 0, 0, 0},
		{"whole month", old, "monthly?from=2026-01&to=2026-02&kind=hot_water", 0, 1, 2340},
		{"months from days", next, "monthly?from=2026-01&to=2026-03", 0, 2, 77 * 59},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got answer
			tt.who.t = t
			status, text := tt.who.get("/api/v1/consumption/" + tt.query)
			if err := json.Unmarshal([]byte(text), &got); err != nil || status != http.StatusOK {
				t.Fatalf("status %d: %s", status, text)
			}
			var sum int64
			for _, d := range got.Days {
				sum += d.Volume
			}
			for _, m := range got.Months {
				sum += m.Volume
			}
			want := []int64{int64(tt.days), int64(tt.months), tt.sum * 1000}
			if diff := cmp.Diff(want, []int64{int64(len(got.Days)), int64(len(got.Months)), sum}); diff != "" {
				t.Errorf("days, months, volume_ml (-want +got):\n%s\n%s", diff, text)
			}
		})
	}
	t.Run("answers fit openapi.yaml", func(t *testing.T) { testOpenAPI(t, h, newer) })
}

// testOpenAPI holds real answers against the description.
func testOpenAPI(t *testing.T, h house, v visitor) {
	openapi3.DefineStringFormatValidator("date", openapi3.NewRegexpFormatValidator(`^\d{4}-\d{2}-\d{2}$`))
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"days", "GET", "/consumption/daily?from=2026-03-01&to=2026-03-19", "", 200},
		{"months", "GET", "/consumption/monthly?from=2026-02&to=2026-04", "", 200},
		{"no stay", "GET", "/consumption/daily?from=2020-03-01&to=2020-03-19", "", 404},
		{"backwards", "GET", "/consumption/daily?from=2026-03-19&to=2026-03-01", "", 422},
		{"too long", "GET", "/consumption/daily?from=2020-03-19&to=2026-03-01", "", 422},
		{"no day", "GET", "/consumption/daily?from=2026-02-30&to=2026-03-01", "", 422},
		{"unknown kind", "GET", "/consumption/daily?from=2026-03-01&to=2026-03-19&kind=steam", "", 422},
		{"wrong code", "POST", "/session", `{"code":"AAAA-AAAA-AAAA"}`, 422},
		{"malformed", "POST", "/session", `{"code":`, 422},
		{"right code", "POST", "/session", `{"code":"` + strings.ToLower(h.codes["P-next"]) + `"}`, 204},
		{"sign out", "DELETE", "/session", "", 204},
		{"signed out", "GET", "/consumption/daily?from=2026-03-01&to=2026-03-19", "", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), tt.method, v.url+"/api/v1"+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			response, err := v.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != tt.status {
				t.Fatalf("status = %d, %v, want %d: %s", response.StatusCode, err, tt.status, text)
			}
			described, _ := http.NewRequestWithContext(t.Context(), tt.method, "/api/v1"+tt.path, bytes.NewReader(nil))
			route, parameters, err := router.FindRoute(described)
			if err != nil {
				t.Fatal(err)
			}
			input := &openapi3filter.ResponseValidationInput{Status: response.StatusCode, Header: response.Header,
				RequestValidationInput: &openapi3filter.RequestValidationInput{Request: described, PathParams: parameters, Route: route},
				Options:                &openapi3filter.Options{IncludeResponseStatus: true}}
			input.SetBodyBytes(text)
			if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// Nothing of anybody's is shown to who is not signed in, on any route.
func testSignedOut(t *testing.T, h house) {
	v := h.visit(t, "")
	for path, want := range map[string]int{
		"/": 303, "/consommation/2026-02": 303, "/connexion": 200, "/nulle-part": 404, "/healthz": 200, "/readyz": 200, "/metrics": 200,
		"/api/v1/consumption/daily?from=2026-03-01&to=2026-03-02": 401, "/api/v1/consumption/monthly?from=2026-03&to=2026-04": 401,
	} {
		status, page := v.get(path)
		if status != want {
			t.Errorf("%s: status = %d, want %d", path, status, want)
		}
		check(t, page, nil, []string{"Amina", "litres<", "volume_ml", "cw-1", "A-12"})
	}
	if status, _ := v.post("/deconnexion", url.Values{}); status != http.StatusSeeOther {
		t.Errorf("sign-out without a session: status = %d, want 303", status)
	}
}

func testSessions(t *testing.T, h house) {
	v := h.visit(t, "P-new")
	if status, page := v.post("/deconnexion", url.Values{"jeton": {"wrong"}}); status != http.StatusForbidden {
		t.Errorf("sign-out with a wrong token: status = %d: %s", status, page)
	}
	address, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	before := v.client.Jar.Cookies(address)
	if status, _ := v.post("/deconnexion", url.Values{"jeton": {v.formToken()}}); status != http.StatusSeeOther {
		t.Errorf("sign-out: status = %d", status)
	}
	v.client.Jar.SetCookies(address, before) // a thief who kept the cookie
	if status, _ := v.get("/"); status != http.StatusSeeOther {
		t.Errorf("the session lives on after the sign-out: status = %d", status)
	}
	var plainTokens int
	for _, cookie := range before {
		if err := h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM session WHERE token_hash = $1`, cookie.Value).Scan(&plainTokens); err != nil || plainTokens != 0 {
			t.Errorf("the store holds the token itself: %d, %v", plainTokens, err)
		}
	}
}

func testForgery(t *testing.T, h house) {
	v := h.visit(t, "P-new")
	for _, tt := range []struct{ method, path string }{
		{"POST", "/connexion"}, {"POST", "/deconnexion"}, {"POST", "/api/v1/session"}, {"DELETE", "/api/v1/session"},
	} {
		status, _ := v.send(tt.method, tt.path, "application/x-www-form-urlencoded", "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
		if status != http.StatusForbidden {
			t.Errorf("%s %s from another site: status = %d, want 403", tt.method, tt.path, status)
		}
	}
	if status, _ := v.get("/"); status != http.StatusOK {
		t.Errorf("the session ended: status = %d", status)
	}
}

func testHeaders(t *testing.T, h house) {
	v := h.visit(t, "P-new")
	response, err := v.client.Get(h.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'self'; script-src 'none'") {
		t.Errorf("Content-Security-Policy = %q", policy)
	}
	check(t, string(page), nil, []string{"<script", " style=", "http://", "https://"})
	_, rest, _ := strings.Cut(string(page), `href="/assets/style.`)
	name, _, _ := strings.Cut(rest, `"`)
	style, err := v.client.Get(h.url + "/assets/style." + name)
	if err != nil {
		t.Fatal(err)
	}
	defer style.Body.Close()
	if got := style.Header.Get("Cache-Control"); style.StatusCode != http.StatusOK || !strings.Contains(got, "immutable") {
		t.Errorf("style sheet: status %d, Cache-Control %q", style.StatusCode, got)
	}
}

func testLanguage(t *testing.T, h house) {
	v := h.visit(t, "P-new")
	for back, want := range map[string]string{"/consommation/2026-03": "/consommation/2026-03", "https://evil.example/": "/",
		"//evil.example": "/", `/\evil.example`: "/", "": "/"} {
		response, err := v.client.Get(h.url + "/langue/en?retour=" + url.QueryEscape(back))
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Location"); got != want {
			t.Errorf("back to %q leads to %q, want %q", back, got, want)
		}
	}
	_, page := v.get("/")
	check(t, page, []string{"Hello Amina Diallo", "since 1 March", "1.90 m³", `lang="en"`, "Français"}, []string{"Bonjour"})
	if status, _ := v.get("/langue/xx"); status != http.StatusNotFound {
		t.Errorf("unknown language: status = %d", status)
	}
}

func testFigures(t *testing.T, h house) {
	_, text := h.visit(t, "").get("/metrics")
	check(t, text, []string{`xnet_api_requests_total{method="GET",route="/",status="200"}`, `xnet_api_request_seconds_bucket{route="/consommation/:month"`,
		`xnet_api_requests_total{method="GET",route="/consommation/:month",status="404"}`}, []string{"2026-01", "P-new"})
}

// A bucket that is lost is no home without consumption: the page says whom to call,
// and nothing of buckets.
func testBucketMissing(t *testing.T, h house) {
	v := serveAgain(t, machine(h.dsn(t), h.influx.URL), h, h.influx).visit(t, "P-new") // who remembers no figures
	dropDaily(t, h.influx.URL)
	status, page := v.get("/consommation/2026-03")
	if status != http.StatusServiceUnavailable {
		t.Errorf("status = %d, want 503", status)
	}
	check(t, page, []string{"Service momentanément indisponible", "appelez Claire Moreau au 02 41 00 00 00"}, []string{"xnet_daily", "bucket", "not found"})
}

// dropDaily reads the answer to its end: InfluxDB begins it before it drops.
func dropDaily(t *testing.T, url string) {
	t.Helper()
	response, err := http.PostForm(url+"/query", map[string][]string{"q": {`DROP DATABASE "xnet_daily"`}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
}

func testInfluxAway(t *testing.T, h house) {
	v := h.visit(t, "P-new")
	h.influx.Kill()
	status, page := v.get("/")
	if status != http.StatusServiceUnavailable {
		t.Errorf("status = %d, want 503", status)
	}
	check(t, page, []string{"Service momentanément indisponible", "appelez Claire Moreau au 02 41 00 00 00"}, []string{"127.0.0.1", "influx", "dial"})
	if status, text := v.get("/api/v1/consumption/daily?from=2026-03-01&to=2026-03-02"); status != http.StatusServiceUnavailable || strings.Contains(text, "dial") {
		t.Errorf("JSON: status = %d: %s", status, text)
	}
	if status, _ := h.visit(t, "").get("/connexion"); status != http.StatusOK {
		t.Errorf("sign-in page: status = %d", status)
	}
}

func testWrongCodes(t *testing.T, h house) {
	v := h.visit(t, "")
	var texts []string
	for _, code := range []string{"", "nonsense", "AAAA-AAAA-AAAA", h.codes["P-new"][:5] + "AAAA-AAAA"} {
		status, page := v.post("/connexion", url.Values{"code": {code}})
		if status != http.StatusUnprocessableEntity && status != http.StatusTooManyRequests {
			t.Errorf("code %q: status = %d", code, status)
		}
		if status == http.StatusUnprocessableEntity {
			texts = append(texts, page)
		}
	}
	for _, page := range texts[1:] {
		if diff := cmp.Diff(texts[0], page); diff != "" {
			t.Errorf("refusals tell codes apart:\n%s", diff)
		}
	}
	for range 8 {
		v.post("/connexion", url.Values{"code": {"AAAA-AAAA-AAAA"}})
	}
	status, page := v.post("/connexion", url.Values{"code": {h.codes["P-new"]}})
	if status != http.StatusTooManyRequests {
		t.Errorf("a right code from a slowed address: status = %d, want 429", status)
	}
	check(t, page, []string{"Trop d’essais. Attendez"}, nil)
}

func TestStyleSheetIsLight(t *testing.T) {
	if info, err := os.Stat("../dashboards/web/style.css"); err != nil || info.Size() > 20_000 {
		t.Errorf("style.css: %v, %v; at most 20 kB", info.Size(), err)
	}
}
