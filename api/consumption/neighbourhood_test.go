package consumption_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// street is a residence of homes of two, each with a meter of cold water.
func street(t *testing.T, db *sql.DB, homes int) {
	t.Helper()
	sqldbtest.Exec(t, db, `INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'R', 'Europe/Paris', 0)`)
	sqldbtest.Exec(t, db, `INSERT INTO gateway (id, residence_id) VALUES ('g', 'R')`)
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('man', 'Marius', 'fr'), ('ten', 'Rose', 'fr')`)
	sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('man', 'manager', 'R')`)
	for i := range homes {
		n := fmt.Sprint(i)
		sqldbtest.Exec(t, db, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ($1, 'R', '', '', 'x', 0, 3, 60)`, "d"+n)
		sqldbtest.Exec(t, db, `INSERT INTO household (id, occupants, language) VALUES ($1, 2, 'fr')`, "h"+n)
		sqldbtest.Exec(t, db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $2, $3, '2025-01-01')`, "t"+n, "h"+n, "d"+n)
		sqldbtest.Exec(t, db, `INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $2, 'cold_water')`, "p"+n, "d"+n)
		sqldbtest.Exec(t, db, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ($1, 'g', 'cold_water', 0, 0, 600, 'day')`, "m"+n)
		sqldbtest.Exec(t, db, `INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $2, 1735689600000)`, "m"+n, "p"+n)
	}
}

func TestTypical(t *testing.T) {
	server := testkit.Influx(t)
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		street(t, db, 12)
		client := bucketsOf(t, server)
		around := consumption.NewNeighbourhood(db, client)
		month := civil.Month{Year: 2026, Month: 2}
		monthly := func(i int, each metering.Amount) {
			t.Helper()
			c := influx.Consumption{Meter: metering.MeterID(fmt.Sprint("m", i)), Start: local(t, "2026-02-01 00:00:00"), Index: 1e9, Used: each * 2 * 28}
			if err := client.WriteConsumption(t.Context(), influx.Monthly, []influx.Consumption{c}); err != nil {
				t.Fatal(err)
			}
		}
		ask := func(at string) (consumption.Typical, bool) {
			t.Helper()
			got, ok, err := around.Typical(t.Context(), "R", local(t, at).Location(), metering.ColdWater, month, 2, local(t, at))
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		for i := range 9 {
			monthly(i, 100_000)
		}
		if got, ok := ask("2026-03-10 12:00:00"); ok {
			t.Errorf("of nine homes with data is told %+v", got)
		}
		monthly(9, 140_000)
		monthly(10, 140_000)
		if got, ok := ask("2026-03-10 12:59:00"); ok {
			t.Errorf("looked up again within the hour: %+v", got)
		}
		if got, ok := ask("2026-03-02 12:00:00"); ok {
			t.Errorf("told before the month has settled: %+v", got)
		}
		first, ok := ask("2026-03-10 13:00:00")
		if !ok || first.Used != 100_000 || first.Homes != 10 || first.Quarter != 0 {
			t.Fatalf("typical = %+v, %v", first, ok)
		}
		// Who comes later, or leaves, does not change what was told.
		monthly(11, 900_000)
		for i := range 8 {
			monthly(i, 400_000)
		}
		if again, ok := ask("2026-04-10 12:00:00"); !ok || again != first {
			t.Errorf("told again: %+v, before %+v", again, first)
		}
	})
}

func TestWeather(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		street(t, db, 0)
		around := consumption.NewNeighbourhood(db, nil)
		days := []consumption.Temperature{{Day: date(t, "2026-01-01"), Low: -1.5, High: 3.5}, {Day: date(t, "2026-01-02"), Low: 0, High: 4}}
		for range 2 {
			if err := around.NoteWeather(t.Context(), "man", "R", days); err != nil {
				t.Fatal(err)
			}
		}
		if err := around.NoteWeather(t.Context(), "ten", "R", days); err == nil || problem.Of(err).Kind != problem.NotFound {
			t.Errorf("a tenant notes the weather: %v", err)
		}
		w, err := around.Weather(t.Context(), "R", date(t, "2026-01-01"), date(t, "2026-01-02"))
		if sum, ok := w.DegreeDays(date(t, "2026-01-01"), date(t, "2026-01-02")); err != nil || !ok || sum != 17 || len(w) != 1 {
			t.Errorf("weather = %v, %v", w, err)
		}
	})
}

// A faulty file is answered with its lines, and nothing of it is kept.
func TestFaultyTemperatures(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/x.db")
	street(t, db, 0)
	h := consumption.CompareHandler{Around: consumption.NewNeighbourhood(db, nil)}
	const file = "date,min_c,max_c\n2026-01-01,1,5\n2026-02-30,1,2\n2026-01-03,1,200\n2026-01-04,9,2\n2026-01-01,1,5\n"
	for text, want := range map[string][]string{
		file:                      {"line[3].date", "line[4].max_c", "line[5].max_c", "line[6].date"},
		"day,min,max\n":           {"line[1]"},
		file + "2026-01-09,1\n":   {"line[3].date", "line[4].max_c", "line[5].max_c", "line[6].date", "line[7]"},
		"date,min_c,max_c\n\"x\n": {"line[2]"},
	} {
		_, err := h.NoteTemperatures(t.Context(), "man", "R", strings.NewReader(text))
		var got []string
		if err == nil || problem.Of(err).Kind != problem.Invalid {
			t.Fatalf("%q: %v", text, err)
		}
		for _, f := range problem.Of(err).Fields {
			got = append(got, f.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	w, err := h.Around.Weather(t.Context(), "R", date(t, "2026-01-01"), date(t, "2026-12-31"))
	if err != nil || len(w) != 0 {
		t.Errorf("kept of faulty files: %v, %v", w, err)
	}
	if n, err := h.NoteTemperatures(t.Context(), "man", "R", strings.NewReader("date,min_c,max_c\n2026-01-01,1,5\n")); err != nil || n != 1 {
		t.Errorf("a sound file: %d, %v", n, err)
	}
}
