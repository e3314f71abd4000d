package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A house is the API over a loaded residence, with days in a real InfluxDB, at
// a fixed instant: Wednesday 18 March 2026, 14:03:28 in Paris.
type house struct {
	url    string
	db     *sql.DB
	influx *testkit.InfluxServer
	codes  map[string]string
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func fixedNow(t testing.TB) time.Time {
	return time.Date(2026, 3, 18, 14, 3, 28, 0, paris(t))
}

func newHouse(t *testing.T) house {
	t.Helper()
	h := house{influx: testkit.Influx(t), codes: map[string]string{}}
	dsn := filepath.Join(t.TempDir(), "api.db")
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": dsn, "XNET_API_ADVISOR_NAME": "Claire Moreau",
		"XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00", "XNET_API_INFLUX_URL": h.influx.URL})
	said := command(t, env, "load", "testdata/residence.yaml")
	if want := "residence roseraie: 3 dwellings, 4 households, 4 persons, 6 meters\n"; said != want {
		t.Fatalf("load said %q, want %q", said, want)
	}
	var invited []invitation
	if err := json.Unmarshal([]byte(command(t, env, "invite", "--json", "P-old", "P-new", "P-next", "P-bare")), &invited); err != nil {
		t.Fatal(err)
	}
	for _, i := range invited {
		h.codes[i.Person] = i.Code
	}
	c, err := configured{}.load(program{env, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	c.Influx.Keep = influx.Retention{}
	h.db = sqldbtest.Open(t, dsn)
	client, err := influx.Open(c.Influx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	furnish(t, client)
	handler, err := server{config: c, db: h.db, influx: client, log: testkit.Logger(t), now: func() time.Time { return fixedNow(t) },
		figures: figures.NewRegistry(), ready: func() error { return nil }}.routes()
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	h.url = served.URL
	return h
}

// furnish writes the days from 1 January on. Cold water of A-12: 100 L a day
// and 1 L more for each day of the month, estimated on 12 and 13 March.
func furnish(t *testing.T, client *influx.Client) {
	t.Helper()
	zone := paris(t)
	var daily, monthly []influx.Consumption
	index := map[metering.MeterID]metering.Amount{"cw-1": 146_000_000, "cw-2": 1000, "el-1": 9_000_000, "cw-3": 40_000_000, "hw-1": 7_000_000}
	add := func(to *[]influx.Consumption, m metering.MeterID, at time.Time, used metering.Amount, q metering.Quality) {
		index[m] += used
		*to = append(*to, influx.Consumption{Meter: m, Start: at, Index: index[m], Used: used, Quality: q})
	}
	for d := (civil.Date{Year: 2026, Month: 1, Day: 1}); d.Before(civil.Date{Year: 2026, Month: 3, Day: 18}); d = d.AddDays(1) {
		q := metering.Measured
		if d.Month == 3 && (d.Day == 12 || d.Day == 13) {
			q = metering.Estimated
		}
		start, litres := d.Start(zone), metering.Amount(100+d.Day)*1000
		swap := civil.Date{Year: 2026, Month: 3, Day: 5}
		switch {
		case d.Before(swap):
			add(&daily, "cw-1", start, litres, q)
		case swap.Before(d):
			add(&daily, "cw-2", start, litres, q)
		default:
			add(&daily, "cw-2", start, 60_000, q)
		}
		add(&daily, "el-1", start, metering.Amount(5000+137*int(d.Day%7)*4), q)
		if d.Before(civil.Date{Year: 2026, Month: 3, Day: 13}) {
			add(&daily, "cw-3", start, 77_000, q)
		}
	}
	for _, m := range []civil.Month{{Year: 2026, Month: 1}, {Year: 2026, Month: 2}} {
		add(&monthly, "hw-1", m.First().Start(zone), 2_340_000, metering.Measured)
	}
	now := fixedNow(t)
	readings := []metering.Reading{
		{Meter: "cw-2", Quantity: metering.Index, At: now.Add(-8 * time.Second), Amount: index["cw-2"] + 43_600},
		{Meter: "el-1", Quantity: metering.Index, At: now.Add(-8 * time.Second), Amount: index["el-1"] + 3_120},
		{Meter: "hw-1", Quantity: metering.Index, At: civil.Date{Year: 2026, Month: 3, Day: 1}.Start(zone), Amount: index["hw-1"]},
		{Meter: "cw-3", Quantity: metering.Index, At: civil.Date{Year: 2026, Month: 3, Day: 13}.Start(zone), Amount: index["cw-3"]},
	}
	if err := client.WriteConsumption(t.Context(), influx.Daily, daily); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteConsumption(t.Context(), influx.Monthly, monthly); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
}

func environment(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

func command(t *testing.T, env func(string) string, args ...string) string {
	t.Helper()
	var said bytes.Buffer
	if err := run(context.WithoutCancel(t.Context()), args, env, &said); err != nil {
		t.Fatalf("api %s: %v", strings.Join(args, " "), err)
	}
	return said.String()
}

// A visitor is a browser: it keeps cookies and does not follow redirects.
type visitor struct {
	t      *testing.T
	url    string
	client *http.Client
}

// visit returns a visitor who signed in with the person's code, or did not where
// person is empty.
func (h house) visit(t *testing.T, person string) visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := visitor{t, h.url, &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if person != "" {
		if status, _ := v.post("/connexion", url.Values{"code": {h.codes[person]}}); status != http.StatusSeeOther {
			t.Fatalf("sign-in of %s: status %d", person, status)
		}
	}
	return v
}

func (v visitor) get(path string) (int, string) {
	v.t.Helper()
	response, err := v.client.Get(v.url + path)
	return v.answer(response, err)
}

func (v visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	response, err := v.client.PostForm(v.url+path, form)
	return v.answer(response, err)
}

func (v visitor) send(method, path, mediaType, body string, headers ...string) (int, string) {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", mediaType)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := v.client.Do(request)
	return v.answer(response, err)
}

func (v visitor) answer(response *http.Response, err error) (int, string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (v visitor) formToken() string {
	v.t.Helper()
	_, page := v.get("/")
	_, rest, found := strings.Cut(page, `name="`+accounts.FormField+`" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	if !found || token == "" {
		v.t.Fatal("the page has no form token")
	}
	return token
}
