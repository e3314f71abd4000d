package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A workshop is the API over the residences of meterstest, whose staff can sign
// in, with readings of two meters.
type workshop struct {
	house
	key ed25519.PrivateKey
	api routers.Router
}

func newWorkshop(t *testing.T) workshop {
	t.Helper()
	w := workshop{house: house{influx: testkit.Influx(t), codes: map[string]string{}}}
	dsn, keyFile := filepath.Join(t.TempDir(), "api.db"), filepath.Join(t.TempDir(), "sign")
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": dsn, "XNET_API_ADVISOR_NAME": "Claire Moreau",
		"XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00", "XNET_API_INFLUX_URL": w.influx.URL, "XNET_API_SIGNING_KEY_FILE": keyFile})
	command(t, env, "sign-key", keyFile)
	c, err := configured{}.load(program{env, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if w.key, err = c.signingKey(); err != nil || w.key == nil {
		t.Fatal(err)
	}
	c.Influx.Keep = influx.Retention{}
	w.db = sqldbtest.Open(t, dsn)
	meterstest.Furnish(t, w.db)
	client, err := influx.Open(c.Influx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.report(t, client)
	people, err := accounts.NewStore(w.db, accounts.DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range []accounts.PersonID{meterstest.Installer, meterstest.Elsewhere, meterstest.Manager, meterstest.Admin, meterstest.Technician, meterstest.Tenant} {
		code, err := people.Invite(t.Context(), person, meterstest.Now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		w.codes[string(person)] = code.String()
	}
	handler, err := server{config: c, db: w.db, influx: client, log: testkit.Logger(t), now: func() time.Time { return meterstest.Now },
		figures: figures.NewRegistry(), ready: func() error { return nil }}.routes()
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	w.url = served.URL
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w.api, err = gorillamux.NewRouter(document); err != nil {
		t.Fatal(err)
	}
	return w
}

// report writes readings and what gateways say: gw-r lives, gw-r2 does not.
func (w workshop) report(t *testing.T, client *influx.Client) {
	t.Helper()
	now := meterstest.Now
	if err := client.WriteReadings(t.Context(), []metering.Reading{
		{Meter: "cw-1", Quantity: metering.Index, At: now.Add(-5 * time.Minute), Amount: 153_257_000},
		{Meter: "cw-1", Quantity: metering.Index, At: now.Add(-50 * time.Hour), Amount: 152_111_000}, // never to be shown
		{Meter: "el-1", Quantity: metering.Index, At: now.Add(-5 * time.Minute), Amount: 9_000_100},
	}); err != nil {
		t.Fatal(err)
	}
	s := watch.NewStore(w.db, premises.NewStore(w.db), meters.NewStore(w.db), client)
	for gateway, at := range map[metering.GatewayID]time.Time{"gw-r": now.Add(-time.Minute), "gw-r2": now.Add(-2 * time.Hour)} {
		from := wire.Source{Site: "R", Gateway: gateway}
		if err := s.State(t.Context(), from, wire.State{Online: true, Version: "1.2.0", Clock: wire.ClockTrusted}, at); err != nil {
			t.Fatal(err)
		}
	}
	m := wire.Meters{Meters: []wire.MeterReport{
		{Meter: "cw-1", Serial: "30110001", Kind: metering.ColdWater, Resolution: metering.Fine, LastGoodMs: now.Add(-5 * time.Minute).UnixMilli()},
		{Meter: "cw-2", Serial: "30110002", Kind: metering.ColdWater, Resolution: metering.Fine, LastGoodMs: now.Add(-30 * time.Hour).UnixMilli()},
		{Meter: "stray", Serial: "99", Kind: metering.ColdWater, Resolution: metering.Day, LastGoodMs: now.UnixMilli()}}}
	if _, err := s.Meters(t.Context(), wire.Source{Site: "R", Gateway: "gw-r"}, m, now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Survey(t.Context(), now, true); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request, holds the answer against openapi.yaml, and returns it.
func (w workshop) ask(t *testing.T, v visitor, method, path, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, v.url+apiRoot+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := v.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	described, _ := http.NewRequestWithContext(t.Context(), method, apiRoot+path, bytes.NewReader(nil))
	route, parameters, err := w.api.FindRoute(described)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	input := &openapi3filter.ResponseValidationInput{Status: response.StatusCode, Header: response.Header,
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: described, PathParams: parameters, Route: route},
		Options:                &openapi3filter.Options{IncludeResponseStatus: true}}
	input.SetBodyBytes(text)
	if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
		t.Errorf("%s %s: %v\n%s", method, path, err, text)
	}
	return response.StatusCode, string(text), response.Header
}

func TestEquipment(t *testing.T) {
	w := newWorkshop(t)
	t.Run("matrix", func(t *testing.T) { testEquipmentMatrix(t, w) })
	t.Run("bad input", func(t *testing.T) { testEquipmentBadInput(t, w) })
	t.Run("life of a meter", func(t *testing.T) { testLifeOfAMeter(t, w) })
	t.Run("lists", func(t *testing.T) { testEquipmentLists(t, w) })
	t.Run("pages", func(t *testing.T) { testEquipmentPages(t, w) })
	t.Run("configuration", func(t *testing.T) { testConfiguration(t, w) })
}

// Who may ask what: the status for own residence's things and for another's.
func testEquipmentMatrix(t *testing.T, w workshop) {
	type answers struct{ own, other, none int }
	yes, no, signedOut := answers{200, 404, 404}, answers{403, 403, 403}, answers{401, 401, 401}
	pageOut := answers{303, 303, 303}
	for _, tt := range []struct {
		path                              string // with %s for the id
		own, other                        string
		installer, elsewhere, manager     answers
		admin, technician, tenant, nobody answers
	}{
		{"/api/v1/gateways/%s", "gw-r", "gw-s", yes, answers{404, 200, 404}, yes, answers{200, 200, 404}, no, no, signedOut},
		{"/api/v1/points/%s", "R-1-cw", "S-1-cw", yes, answers{404, 200, 404}, yes, answers{200, 200, 404}, no, no, signedOut},
		{"/api/v1/meters/%s", "cw-1", "cw-s", yes, answers{404, 200, 404}, yes, answers{200, 200, 404}, no, no, signedOut},
		{"/api/v1/meters/%s/check", "cw-1", "cw-s", yes, answers{404, 200, 404}, no, answers{200, 200, 404}, no, no, signedOut},
		{"/api/v1/gateways/%s/configuration", "gw-r", "gw-s", yes, answers{404, 200, 404}, no, answers{200, 200, 404}, no, no, signedOut},
		{"/equipements/passerelles/%s", "gw-r", "gw-s", yes, answers{404, 200, 404}, yes, answers{200, 200, 404}, no, no, pageOut},
		{"/equipements/compteurs/%s", "cw-1", "cw-s", yes, answers{404, 200, 404}, no, answers{200, 200, 404}, no, no, pageOut},
	} {
		for person, want := range map[string]answers{meterstest.Installer: tt.installer, meterstest.Elsewhere: tt.elsewhere, meterstest.Manager: tt.manager,
			meterstest.Admin: tt.admin, meterstest.Technician: tt.technician, meterstest.Tenant: tt.tenant, "": tt.nobody} {
			v := w.known(t, person)
			for id, status := range map[string]int{tt.own: want.own, tt.other: want.other, "nowhere": want.none} {
				path := strings.Replace(tt.path, "%s", id, 1)
				got, text := v.get(path)
				if got != status {
					t.Errorf("%q asks %s: %d, want %d", person, path, got, status)
				}
				if got != 200 {
					check(t, text, nil, []string{"30110001", "Résidence", "153", "pulse-counter"})
				}
			}
		}
	}
	for _, path := range []string{"/api/v1/gateways", "/api/v1/points", "/api/v1/meters", "/api/v1/equipment/gateways", "/api/v1/equipment/meters",
		"/api/v1/equipment/unknown", "/api/v1/incidents", "/equipements"} {
		for person, want := range map[string]int{meterstest.Installer: 200, meterstest.Manager: 200, meterstest.Admin: 200, meterstest.Elsewhere: 200,
			meterstest.Technician: 403, meterstest.Tenant: 403, "": 401} {
			if person == "" && !strings.HasPrefix(path, apiRoot) {
				want = 303
			}
			status, text := w.known(t, person).get(path)
			if status != want {
				t.Errorf("%q asks %s: %d, want %d", person, path, status, want)
			}
			if person == meterstest.Elsewhere || status != 200 {
				check(t, text, nil, []string{"cw-1", "30110001", "gw-r", "R-1-cw", "stray", "Résidence R"})
			}
			check(t, text, nil, []string{"153257000", "153,257", "152111000"}) // no list shows an index
		}
	}
	for _, method := range []string{"POST /gateways", "PUT /gateways/gw-r", "POST /points", "POST /meters", "PUT /meters/cw-1", "POST /meters/cw-spare/binding",
		"POST /meters/cw-1/removal", "POST /meters/cw-1/replacement", "POST /meters/cw-1/check/dial", "POST /meters/cw-1/check/tap",
		"DELETE /meters/cw-1/check/tap", "PUT /gateways/gw-r/configuration"} {
		verb, path, _ := strings.Cut(method, " ")
		for person, want := range map[string]int{meterstest.Manager: 403, meterstest.Technician: 403, meterstest.Tenant: 403, "": 401} {
			if got, _, _ := w.ask(t, w.known(t, person), verb, path, "{}", "If-Match", `"1"`); got != want {
				t.Errorf("%q: %s answers %d, want %d", person, method, got, want)
			}
		}
	}
}

// known is one visitor a person, who signed in once.
func (w workshop) known(t *testing.T, person string) visitor {
	t.Helper()
	v, ok := signedIn[person]
	if !ok || v.url != w.url {
		v = w.visit(t, person)
		signedIn[person] = v
	}
	v.t = t
	return v
}

// signedIn spares tests the time that a sign-in takes.
var signedIn = map[string]visitor{}

func testEquipmentBadInput(t *testing.T, w workshop) {
	v := w.known(t, meterstest.Installer)
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"unknown field", "POST", "/gateways", `{"id":"x","residence":"R","colour":"red"}`, 422, `"field":"colour"`},
		{"wrong type", "POST", "/gateways", `{"id":7,"residence":"R"}`, 422, `"field":"id"`},
		{"path trick", "POST", "/gateways", `{"id":"../x","residence":"R"}`, 422, `"field":"id"`},
		{"name too long", "POST", "/gateways", `{"id":"x","residence":"R","name":"` + strings.Repeat("é", 101) + `"}`, 422, `"field":"name"`},
		{"bus of another scheme", "POST", "/gateways", `{"id":"x","residence":"R","buses":[{"name":"b","url":"file:///etc/passwd"}]}`, 422, `"field":"buses[0].url"`},
		{"bus twice", "POST", "/gateways", `{"id":"x","residence":"R","buses":[{"name":"b","url":"tcp://h:1"},{"name":"b","url":"tcp://h:2"}]}`, 422, `"field":"buses"`},
		{"another residence", "POST", "/gateways", `{"id":"x","residence":"S"}`, 404, ""},
		{"two places", "POST", "/points", `{"id":"x","kind":"gas","dwelling":"R-1","residence":"R","building":"A"}`, 422, `"field":"dwelling"`},
		{"no place", "POST", "/points", `{"id":"x","kind":"gas"}`, 422, `"field":"dwelling"`},
		{"unknown kind", "POST", "/points", `{"id":"x","kind":"steam","dwelling":"R-1"}`, 422, `"field":"kind"`},
		{"slave out of range", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-r","interval_s":60,"bus":"cave","profile":"pulse-counter-4","slave":300}`, 422, `"field":"slave"`},
		{"unknown profile", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-r","interval_s":60,"bus":"cave","profile":"best-meter","slave":3}`, 422, `"field":"profile"`},
		{"profile of another kind", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-r","interval_s":60,"bus":"cave","profile":"iem3155","slave":3}`, 422, `"field":"profile"`},
		{"channel that is not there", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-r","interval_s":60,"bus":"cave","profile":"pulse-counter-4","slave":3,"channel":9}`, 422, `"field":"channel"`},
		{"serial twice", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-r","interval_s":60,"serial":"30110001"}`, 409, "equipment.serial_taken"},
		{"socket twice", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-r","interval_s":60,"bus":"cave","profile":"pulse-counter-4","slave":7,"channel":1,"pulse":1}`, 409, "equipment.socket_taken"},
		{"gateway of another residence", "POST", "/meters", `{"id":"x","kind":"gas","gateway":"gw-s","interval_s":60}`, 404, ""},
		{"bound twice", "POST", "/meters/cw-spare/binding", `{"point":"R-1-cw","first":{"index":0}}`, 409, "equipment.bound"},
		{"date that does not exist", "POST", "/meters/cw-spare/binding", `{"point":"R-1-cw","from":"2026-02-30T00:00:00Z","first":{"index":0}}`, 422, `"field":"from"`},
		{"in the future", "POST", "/meters/cw-1/removal", `{"at":"2026-03-18T15:00:00Z","last":{"index":1}}`, 422, `"field":"at"`},
		{"index and dial", "POST", "/meters/cw-1/removal", `{"last":{"index":1,"dial":"1"}}`, 422, `"field":"last"`},
		{"dial of words", "POST", "/meters/cw-1/removal", `{"last":{"dial":"1e9"}}`, 422, `"field":"last.dial"`},
		{"over the modulus", "POST", "/meters/cw-1/removal", `{"last":{"index":100000000000}}`, 422, `"field":"last"`},
		{"negative index", "POST", "/meters/cw-1/removal", `{"last":{"index":-1}}`, 422, `"field":"last.index"`},
		{"no version", "POST", "/meters/cw-1/replacement", `{"serial":"1","last":{"index":1},"first":{"index":0}}`, 428, ""},
		{"dial of words to check", "POST", "/meters/cw-1/check/dial", `{"dial":"abc"}`, 422, `"field":"dial"`},
		{"what hangs nowhere", "POST", "/meters/cw-spare/check/dial", `{"dial":"1"}`, 409, "equipment.not_bound"},
		{"no tap", "DELETE", "/meters/cw-1/check/tap", "", 409, "equipment.no_tap"},
		{"old configuration", "PUT", "/gateways/gw-r/configuration", `{"digest":"0"}`, 412, "error.stale"},
		{"limit", "GET", "/meters?limit=5000", "", 422, `"field":"limit"`},
		{"standing", "GET", "/equipment/meters?standing=odd", "", 422, `"field":"standing"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v.t = t
			status, text, _ := w.ask(t, v, tt.method, tt.path, tt.body)
			if status != tt.status || !strings.Contains(text, tt.says) {
				t.Errorf("%d, want %d with %s:\n%s", status, tt.status, tt.says, text)
			}
		})
	}
	var changed int
	if err := w.db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM gateway) + (SELECT COUNT(*) FROM meter) + (SELECT COUNT(*) FROM point)
	     + (SELECT COUNT(*) FROM binding WHERE to_ms IS NOT NULL)`).Scan(&changed); err != nil || changed != 3+5+4 {
		t.Errorf("%d rows after what was refused, %v", changed, err)
	}
}

func testLifeOfAMeter(t *testing.T, w workshop) {
	v := w.known(t, meterstest.Installer)
	do := func(method, path, body string, want int, headers ...string) (map[string]any, http.Header) {
		t.Helper()
		status, text, header := w.ask(t, v, method, path, body, headers...)
		if status != want {
			t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, text)
		}
		var answered map[string]any
		_ = json.Unmarshal([]byte(text), &answered)
		return answered, header
	}
	_, header := do("POST", "/gateways", `{"id":"gw-new","residence":"R","name":"Hall B","buses":[{"name":"b1","url":"tcp://10.0.0.7:502"}]}`, 201)
	if header.Get("Location") != "/api/v1/gateways/gw-new" || header.Get("ETag") != `"1"` {
		t.Errorf("headers %v", header)
	}
	do("PUT", "/gateways/gw-new", `{"name":"Hall C","buses":[{"name":"b1","url":"tcp://10.0.0.8:502"}]}`, 200, "If-Match", `"1"`)
	do("PUT", "/gateways/gw-new", `{"name":"Hall D"}`, 412, "If-Match", `"1"`)
	point := `{"id":"A-main","kind":"cold_water","residence":"R","building":"A"}`
	do("POST", "/points", point, 201, "Idempotency-Key", "k1")
	do("POST", "/points", point, 201, "Idempotency-Key", "k1")
	do("POST", "/points", point, 409)
	do("POST", "/meters", `{"id":"main-1","kind":"cold_water","gateway":"gw-new","interval_s":600,"serial":"77","profile":"pulse-counter-4","bus":"b1","slave":9,"channel":1,"pulse":10000,"start_index":5000000}`, 201)
	hung, _ := do("POST", "/meters/main-1/binding", `{"point":"A-main","from":"2026-03-18T10:00:00+01:00","first":{"dial":"00005,00"}}`, 201)
	if hung["building"] != "A" || hung["dwelling"] != nil {
		t.Errorf("main meter %v", hung)
	}
	meter, header := do("GET", "/meters/main-1", "", 200)
	if _, shown := meter["start_index"]; shown {
		t.Error("an index is shown")
	}
	do("GET", "/meters/main-1", "", 304, "If-None-Match", header.Get("ETag"))
	next, _ := do("POST", "/meters/main-1/replacement", `{"serial":"78","last":{"dial":"00123,45"},"first":{"index":0}}`, 201, "If-Match", header.Get("ETag"))
	if next["id"] != "A-main-78" || next["point"] != "A-main" || next["bus"] != "b1" {
		t.Errorf("new meter %v", next)
	}
	do("POST", "/meters/A-main-78/removal", `{"last":{"index":5}}`, 409) // it was hung up at this very moment
	state, _ := do("POST", "/meters/cw-1/check/dial", `{"dial":"00153,257"}`, 200)
	if state["state"] != "unverified" || state["dial_at"] == nil || state["last_index"].(map[string]any)["volume_ml"] != float64(153_257_000) {
		t.Errorf("check %v", state)
	}
	tap, _ := do("POST", "/meters/cw-1/check/tap", "", 200)
	if tap["running_since"] == nil {
		t.Errorf("check %v", tap)
	}
	do("DELETE", "/meters/cw-1/check/tap", "", 200)
}

func testEquipmentLists(t *testing.T, w workshop) {
	v := w.known(t, meterstest.Manager)
	for path, shows := range map[string][]string{
		"/gateways?residence=R":                    {`"gw-r"`, `"gw-r2"`},
		"/points?dwelling=R-1":                     {`"R-1-cw"`, `"R-1-el"`},
		"/meters?serial=30110002":                  {`"cw-2"`},
		"/meters?limit=1":                          {`"next"`},
		"/equipment/gateways":                      {`"silent":true`, `"gw-r2"`},
		"/equipment/meters?standing=silent":        {`"cw-2"`},
		"/equipment/meters?check=unverified":       {`"cw-1"`, `"el-1"`},
		"/equipment/unknown":                       {`"stray"`},
		"/incidents?open=true":                     {"gateway_silent", "meter_silent"},
		"/equipment/meters?check=verified&limit=5": {`"items":[]`},
	} {
		status, text, _ := w.ask(t, v, "GET", path, "")
		if status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		check(t, text, shows, []string{"start_index", "last_index"})
		status, text, header := w.ask(t, v, "GET", path, "", "Accept", "text/csv")
		if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/csv") || strings.Contains(text, "0001-01-01") {
			t.Errorf("%s as CSV: %d %s\n%s", path, status, header.Get("Content-Type"), text)
		}
	}
}

var hidden = regexp.MustCompile(`name="(jeton|version)" value="([^"]*)"`)

// filled is a form of the page with its hidden fields.
func filled(page string, fields ...string) url.Values {
	form := url.Values{}
	for _, f := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(f[1], f[2])
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

func testEquipmentPages(t *testing.T, w workshop) {
	v := w.known(t, meterstest.Installer)
	_, page := v.get("/equipements")
	check(t, page, []string{"gw-r2", "Elle ne répond plus.", "Elle fonctionne.", "30110002", "Pas de relève depuis plus d’un jour.", "Compteurs inconnus", "99"}, []string{"Résidence S", "cw-s"})
	for number, want := range map[string]string{"30110001": "/equipements/compteurs/cw-1", " 30110001 ": "/equipements/compteurs/cw-1", "el-1": "/equipements/compteurs/el-1"} {
		response, err := v.client.Get(w.url + "/equipements/compteur?numero=" + url.QueryEscape(number))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Location"); got != want {
			t.Errorf("number %q leads to %q, want %q", number, got, want)
		}
	}
	for number, shows := range map[string]string{"123": "Aucun compteur n’a le numéro 123.", "99": "lit ce compteur, mais il n’est pas enregistré", "30119999": "Aucun compteur"} {
		status, page := v.get("/equipements/compteur?numero=" + number)
		if status != http.StatusNotFound {
			t.Errorf("number %s: %d", number, status)
		}
		check(t, page, []string{shows}, []string{"cw-s"})
	}
	const meter = "/equipements/compteurs/cw-1"
	_, page = v.get(meter)
	check(t, page, []string{"Logement 1, bâtiment A, escalier 1", "153,257 m³", "Il est bien lu.", "Pas encore vérifié"}, []string{"152,111", "Tara"})
	if status, _ := v.post(meter+"/cadran", url.Values{"cadran": {"1"}}); status != http.StatusForbidden {
		t.Errorf("a form without its token: %d", status)
	}
	status, wrong := v.post(meter+"/cadran", filled(page, "cadran", "cent"))
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a dial of words: %d", status)
	}
	check(t, wrong, []string{"Tapez les chiffres du cadran"}, nil)
	if status, _ := v.post(meter+"/cadran", filled(page, "cadran", "152,0")); status != http.StatusSeeOther {
		t.Errorf("a dial that differs: %d", status)
	}
	_, page = v.get(meter)
	check(t, page, []string{"Le cadran et la relève sont différents."}, []string{"152,"})
	v.post(meter+"/cadran", filled(page, "cadran", "153,257"))
	v.post(meter+"/robinet", filled(page, "action", "ouvrir"))
	_, page = v.get(meter)
	check(t, page, []string{"Le cadran et la relève sont pareils.", "Laissez couler."}, nil)
	v.post(meter+"/robinet", filled(page, "action", "fermer"))
	status, _ = v.post(meter+"/remplacement", filled(page, "ancien", "153,3", "numero", "40220001", "nouveau", "0,012", "version", "9"))
	if status != http.StatusPreconditionFailed {
		t.Errorf("an old page replaces a meter: %d", status)
	}
	if status, text := v.post(meter+"/remplacement", filled(page, "ancien", "153,3", "numero", "40220001", "nouveau", "0,012")); status != http.StatusSeeOther {
		t.Fatalf("replacement: %d %s", status, text)
	}
	_, page = v.get("/equipements/compteurs/R-1-cw-40220001?fait=remplacement")
	check(t, page, []string{"Le compteur est remplacé.", "Logement 1", "Aucun index n’est encore arrivé."}, []string{"153,257"})
	_, page = v.get("/equipements/compteurs/cw-spare")
	check(t, page, []string{"Il n’y a pas d’endroit libre"}, nil)
	_, page = w.known(t, meterstest.Manager).get("/equipements")
	check(t, page, []string{"30110002"}, []string{"/equipements/compteurs/", "Contrôler un compteur"})
	_, page = w.known(t, meterstest.Manager).get("/equipements/passerelles/gw-r")
	check(t, page, []string{"30110002"}, []string{"/equipements/compteurs/", "pulse-counter", "start_index"})
}

func testConfiguration(t *testing.T, w workshop) {
	v := w.known(t, meterstest.Installer)
	const path = "/gateways/gw-r/configuration"
	ask := func(method, body string, want int) (made struct {
		Digest, Document, Published, Fault string
		Same, Pending                      bool
		Left                               []string `json:"left_out"`
	}) {
		t.Helper()
		status, text, _ := w.ask(t, v, method, path, body)
		if status != want {
			t.Fatalf("%s: %d, want %d: %s", method, status, want, text)
		}
		if err := json.Unmarshal([]byte(text), &made); err != nil && want < 400 {
			t.Fatal(err)
		}
		return made
	}
	configs := configuration.NewStore(w.db, meters.NewStore(w.db), w.key)
	before, err := configs.Signed(t.Context())
	if err != nil || len(before) != 0 {
		t.Errorf("published before anybody asked: %v, %v", before, err)
	}
	draft := ask("GET", "", 200)
	if draft.Published != "" || draft.Same || draft.Fault != "" {
		t.Fatalf("draft %+v", draft)
	}
	published := ask("PUT", `{"digest":"`+draft.Digest+`"}`, 201)
	again := ask("PUT", `{"digest":"`+draft.Digest+`"}`, 200)
	if published.Published == "" || again.Published != published.Published || !again.Same || !again.Pending {
		t.Errorf("published %+v, again %+v", published, again)
	}
	payloads, err := configs.Signed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signed, err := wire.DecodeSignedConfig(payloads[wire.Source{Site: "R", Gateway: "gw-r"}])
	if err != nil || firmwareconfig.Verify(w.key.Public().(ed25519.PublicKey), signed) != nil || string(signed.Document) != draft.Document || signed.Version != published.Published {
		t.Errorf("signed %+v, %v", signed, err)
	}
	_, page := v.get("/equipements/passerelles/gw-r")
	check(t, page, []string{"C’est la configuration publiée.", published.Published, "La passerelle n’applique pas encore cette version."}, nil)

	if status, _, _ := w.ask(t, v, "PUT", "/meters/cw-2", `{"gateway":"gw-r","serial":"30110002","interval_s":60,"profile":"pulse-counter-4","bus":"cave","slave":7,"channel":2,"pulse":10}`, "If-Match", `"1"`); status != 200 {
		t.Fatalf("change a meter: %d", status)
	}
	changed := ask("GET", "", 200)
	if changed.Same || changed.Digest == draft.Digest || !strings.Contains(changed.Document, "pulse_ml: 10\n") {
		t.Errorf("after a change: %+v", changed)
	}
	ask("PUT", `{"digest":"`+draft.Digest+`"}`, 412)
	status, _ := v.post("/equipements/passerelles/gw-r/configuration", filled(mustGet(v, "/equipements/passerelles/gw-r")))
	if status != http.StatusSeeOther {
		t.Errorf("publish by the page: %d", status)
	}
	if last := ask("GET", "", 200); !last.Same || last.Published <= published.Published {
		t.Errorf("published %s after %s", last.Published, published.Published)
	}
}

func mustGet(v visitor, path string) string {
	_, page := v.get(path)
	return page
}

func TestSignKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	said := command(t, environment(nil), "sign-key", file)
	check(t, said, []string{"signing_key_file", "config_key_file"}, nil)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	private, err := firmwareconfig.ParsePrivateKey(string(text))
	key, errPublic := firmwareconfig.ParsePublicKey(string(public))
	if err != nil || errPublic != nil || !key.Equal(private.Public()) {
		t.Errorf("keys: %v, %v", err, errPublic)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	check(t, said, nil, []string{base64.StdEncoding.EncodeToString(private.Seed())})
	var out bytes.Buffer
	if err := run(t.Context(), []string{"sign-key", file}, environment(nil), &out); err == nil {
		t.Error("an existing key was overwritten")
	}
}
