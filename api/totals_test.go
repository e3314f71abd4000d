package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A residence with enough homes: what its manager is answered, and what a tenant is
// about hours and comparisons, has the form that is described, and tells of no home.
func TestTotalsInJSON(t *testing.T) {
	server := testkit.Influx(t)
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "x.db"))
	m := newMatrix(t, db, server.URL, readBodies(t))
	fillTower(t, m, server.URL)
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ who, path, shows string }{
		{"man", "/residences/R/consumption?from=2026-01-01&to=2026-03-01&by=building&step=month", `"volume_ml":372000`},
		{"man", "/residences/R/consumption?year=2026&step=year&kind=cold_water", `"explanation":{"months":[{"month":"2026-01","days":31,"homes":12`},
		{"man", "/residences/R/consumption?from=2026-01-10&to=2026-01-12&step=day&kind=cold_water", `"refused":"days_not_told"`},
		{"man", "/residences/R/balances?from=2026-01-01&to=2026-02-01", `"verdict":"unaccounted"`},
		{"man", "/residences/R/temperatures", `"looks":[]`},
		{"ami", "/consumption/hourly?date=2026-03-10", `"refused":"not_known"`},
		{"ami", "/consumption/compare?from=2026-02-10&to=2026-03-01", `"weekdays":true`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, apiRoot+tt.path, nil)
			for _, a := range matrixActors {
				if a.name == tt.who {
					a.sign(request)
				}
			}
			answer := httptest.NewRecorder()
			m.routes.ServeHTTP(answer, request)
			text := answer.Body.String()
			if answer.Code != http.StatusOK || !strings.Contains(text, tt.shows) {
				t.Fatalf("%d: %s, want %s", answer.Code, text, tt.shows)
			}
			if strings.Contains(text, "tower-") {
				t.Errorf("it tells of a home: %s", text)
			}
			route, parameters, err := router.FindRoute(request)
			if err != nil {
				t.Fatal(err)
			}
			input := &openapi3filter.ResponseValidationInput{Status: answer.Code, Header: answer.Header(),
				RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route},
				Options:                &openapi3filter.Options{IncludeResponseStatus: true}}
			input.SetBodyBytes(answer.Body.Bytes())
			if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// fillTower adds a building of twelve homes with a main meter to residence R.
func fillTower(t *testing.T, m *matrix, url string) {
	t.Helper()
	c := influx.DefaultConfig()
	c.URL = url
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	meters := []metering.MeterID{}
	hang := func(meter, point string) {
		sqldbtest.Exec(t, m.db, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ($1, 'gw-r', 'cold_water', 0, 0, 600, 'month')`, meter)
		sqldbtest.Exec(t, m.db, `INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $2, 1700000000000)`, meter, point)
		meters = append(meters, metering.MeterID(meter))
	}
	for i := range 12 {
		id := fmt.Sprint("tower-", i)
		sqldbtest.Exec(t, m.db, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2, hot_water_kind) VALUES ($1, 'R', 'Tower', '', $1, 0, 3, 60, 'gas')`, id)
		sqldbtest.Exec(t, m.db, `INSERT INTO household (id, occupants, language) VALUES ($1, 2, 'fr')`, id)
		sqldbtest.Exec(t, m.db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $1, $1, '2025-01-01')`, id)
		sqldbtest.Exec(t, m.db, `INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $1, 'cold_water')`, id)
		hang(id, id)
	}
	sqldbtest.Exec(t, m.db, `INSERT INTO point (id, residence_id, building, kind) VALUES ('main', 'R', 'Tower', 'cold_water')`)
	hang("main", "main")
	var months []influx.Consumption
	for i, id := range meters {
		used := metering.Amount(31_000)
		if i == 12 {
			used = 500_000
		}
		months = append(months, influx.Consumption{Meter: id, Start: civil.Date{Year: 2026, Month: 1, Day: 1}.Start(paris(t)), Index: 1e9, Used: used})
	}
	if err := client.WriteConsumption(t.Context(), influx.Monthly, months); err != nil {
		t.Fatal(err)
	}
}
