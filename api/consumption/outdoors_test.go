package consumption_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// told is a server that answers with a text, once it was asked as it should be.
func told(t *testing.T, text string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("from") != "2026-01-01" || r.URL.Query().Get("to") != "2026-01-03" {
			http.Error(w, "which days?", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWeatherSource(t *testing.T) {
	lists := consumption.WeatherSource{Residence: "R", Format: "json", Day: "daily.time", Lowest: "daily.low", Highest: "daily.high"}
	rows := consumption.WeatherSource{Residence: "R", Format: "json", Rows: "data.days", Day: "date", Lowest: "t.min", Highest: "t.max"}
	table := consumption.WeatherSource{Residence: "R", Format: "csv", Day: "DATE", Lowest: "TN", Highest: "TX"}
	two := []consumption.Temperature{{Day: date(t, "2026-01-01"), Low: -2.5, High: 4}, {Day: date(t, "2026-01-02"), Low: 1, High: 7.25}}
	for _, tt := range []struct {
		name, answer string
		source       consumption.WeatherSource
		want         []consumption.Temperature
		fault        string
	}{
		{"three lists", `{"daily":{"time":["2026-01-01","2026-01-02","2026-01-03"],"low":[-2.5,1,null],"high":[4,7.25,null]}}`, lists, two, ""},
		{"rows", `{"data":{"days":[{"date":"2026-01-01T00:00:00Z","t":{"min":-2.5,"max":4}},{"date":"2026-01-02","t":{"min":1,"max":"7.25"}}]}}`, rows, two, ""},
		{"rows at the top", `[{"date":"2026-01-01","t":{"min":-2.5,"max":4}},{"date":"2026-01-02","t":{"min":1,"max":7.25}}]`,
			consumption.WeatherSource{Residence: "R", Format: "json", Rows: ".", Day: "date", Lowest: "t.min", Highest: "t.max"}, two, ""},
		{"a table", "STATION;DATE;TX;TN\n1;2026-01-01;4,0;-2,5\n1;2026-01-02;7,25;1\n1;2026-01-03;;\n", table, two, ""},
		{"days that nobody asked for", "DATE,TN,TX\n2026-01-01,-2.5,4\n2026-01-02,1,7.25\n2026-02-01,0,1\n2025-01-01,0,1\n", table, two, ""},
		{"no JSON", "<html>", lists, nil, "no JSON"},
		{"no list there", `{"daily":{}}`, lists, nil, "no list at daily.time"},
		{"lists of two lengths", `{"daily":{"time":["2026-01-01"],"low":[1,2],"high":[3]}}`, lists, nil, "daily.low has 2 entries"},
		{"no such day", `{"daily":{"time":["2026-13-01"],"low":[1],"high":[3]}}`, lists, nil, "entry 1 of the answer"},
		{"fahrenheit", `{"daily":{"time":["2026-01-01"],"low":[64],"high":[90]}}`, lists, nil, "from -60 to 60"},
		{"no row has the day", `{"data":{"days":[{"day":"2026-01-01"}]}}`, rows, nil, "entry 1 of data.days has no date"},
		{"no such column", "DATE,MIN,MAX\n2026-01-01,1,2\n", table, nil, `no column "TN"`},
		{"a line that is wrong", "DATE,TN,TX\n2026-01-01,1,2\n2026-01-02,x,2\n", table, nil, "line 3"},
		{"none of the days", "DATE,TN,TX\n2025-01-01,1,2\n", table, nil, "no day from 2026-01-01 to 2026-01-03"},
		{"empty", "", table, nil, "no CSV"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.source.URL = told(t, tt.answer).URL + "/days?from={from}&to={to}"
			if err := tt.source.Validate(); err != nil {
				t.Fatal(err)
			}
			got, err := tt.source.Fetch(t.Context(), date(t, "2026-01-01"), date(t, "2026-01-03"))
			if tt.fault != "" {
				if err == nil || got != nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("%v, %v, want %q", got, err, tt.fault)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// What is wrong with a source is named, and its key is not.
func TestWeatherSourceThatFails(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for want, address := range map[string]string{"404": told(t, "").URL + "/none%", "deadline exceeded": slow.URL, "refused": gone.URL} {
		w := consumption.WeatherSource{Residence: "R", Format: "csv", Day: "d", Lowest: "l", Highest: "h", URL: address + "/?key=secret-key", Timeout: 300 * time.Millisecond}
		if want == "404" {
			w.URL = httptest.NewServer(http.NotFoundHandler()).URL + "/?key=secret-key"
		}
		_, err := w.Fetch(t.Context(), date(t, "2026-01-01"), date(t, "2026-01-03"))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret-key") {
			t.Errorf("%s: %v", want, err)
		}
	}
	bad := consumption.WeatherSource{URL: "ftp://x", Format: "xml", Timeout: time.Hour}
	err := bad.Validate()
	for _, want := range []string{"residence's id", "url:", `format "xml"`, "day, lowest and highest", "timeout 1h"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// A source is asked once a day, what fails is asked again after an hour, and a
// file that somebody sent stays.
func TestOutdoors(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		estate(t, db, nil)
		around := consumption.NewNeighbourhood(db, nil)
		if err := around.NoteWeather(t.Context(), "man", "R", []consumption.Temperature{{Day: date(t, "2026-03-16"), Low: 20, High: 20}}); err != nil {
			t.Fatal(err)
		}
		asked, broken := 0, true
		source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			if broken {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
			fmt.Fprint(w, "d,l,h\n2026-03-15,0,8\n2026-03-16,0,8\n2026-03-17,1,9\n")
		}))
		defer source.Close()
		now := local(t, "2026-03-18 06:00:00")
		o := consumption.NewOutdoors(around, nil, []consumption.WeatherSource{{Residence: "R", URL: source.URL, Format: "csv", Day: "d", Lowest: "l", Highest: "h"}},
			testkit.Logger(t), func() time.Time { return now })
		look := func(after time.Duration, wantAsked, wantDays int) {
			t.Helper()
			now = now.Add(after)
			if days := o.Refresh(t.Context()); asked != wantAsked || days != wantDays {
				t.Errorf("at %s: asked %d times, %d days, want %d and %d", now, asked, days, wantAsked, wantDays)
			}
		}
		look(0, 1, 0)
		look(30*time.Minute, 1, 0)
		state, err := around.Outdoors(t.Context(), "man", "R")
		if err != nil || len(state.Looks) != 1 || !strings.Contains(state.Looks[0].Fault, "503") {
			t.Errorf("a failure is not named: %+v, %v", state, err)
		}
		broken = false
		look(time.Hour, 2, 3)
		look(10*time.Hour, 2, 0)
		look(7*time.Hour, 3, 3) // the next day
		if state, err = around.Outdoors(t.Context(), "adm", "R"); err != nil || state.Days != 3 || state.Last != "2026-03-17" || state.Looks[0].Fault != "" {
			t.Errorf("%+v, %v", state, err)
		}
		w, err := around.Weather(t.Context(), "R", date(t, "2026-03-01"), date(t, "2026-04-01"))
		if diff := cmp.Diff(consumption.Weather{date(t, "2026-03-15"): 14, date(t, "2026-03-16"): 0, date(t, "2026-03-17"): 13}, w); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if _, err := around.Outdoors(t.Context(), "ma2", "R"); err == nil || problem.Of(err).Kind != problem.NotFound {
			t.Errorf("another residence's manager: %v", err)
		}
		if err := around.ImportWeather(t.Context(), "nowhere", nil); err == nil || !strings.Contains(err.Error(), "not known") {
			t.Errorf("an unknown residence: %v", err)
		}
	})
}

// A sensor at a building is outdoors; whole days of it are kept.
func outdoorSensor(t *testing.T, server *testkit.InfluxServer) {
	db := sqldbtest.Open(t, t.TempDir()+"/x.db")
	estate(t, db, map[string]int{"A": 1})
	client := bucketsOf(t, server)
	sqldbtest.Exec(t, db, `INSERT INTO point (id, residence_id, building, kind) VALUES ('out', 'R', 'A', 'temperature')`)
	hang(t, db, "out", "outside", "temperature")
	meterAt(t, db, "A0", "temperature") // of a room: not asked
	var readings []metering.Reading
	for at := local(t, "2026-03-15 00:00:00"); at.Before(local(t, "2026-03-18 05:00:00")); at = at.Add(time.Hour) {
		if at.Day() == 16 && at.Hour() < 8 {
			continue // 16 hours are too few
		}
		for _, m := range []metering.MeterID{"outside", "mA0-temperature"} {
			amount := metering.Amount(at.Hour()) * 500 // 0 to 11.5 °C
			if m != "outside" {
				amount = 21_000
			}
			readings = append(readings, metering.Reading{Meter: m, Quantity: metering.Celsius, At: at, Amount: amount})
		}
	}
	if err := client.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
	around := consumption.NewNeighbourhood(db, client)
	now := local(t, "2026-03-18 06:00:00")
	o := consumption.NewOutdoors(around, client, nil, testkit.Logger(t), func() time.Time { return now })
	if days := o.Refresh(t.Context()); days != 2 {
		t.Errorf("%d days", days)
	}
	w, err := around.Weather(t.Context(), "R", date(t, "2026-03-01"), date(t, "2026-04-01"))
	if diff := cmp.Diff(consumption.Weather{date(t, "2026-03-15"): 12.25, date(t, "2026-03-17"): 12.25}, w); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	sqldbtest.Exec(t, db, `INSERT INTO point (id, residence_id, building, kind) VALUES ('cellar', 'R', 'A', 'temperature')`)
	hang(t, db, "cellar", "boiler", "temperature")
	now = now.Add(24 * time.Hour)
	o.Refresh(t.Context())
	state, err := around.Outdoors(t.Context(), "man", "R")
	if err != nil || len(state.Looks) != 1 || !strings.Contains(state.Looks[0].Fault, "which of them is outdoors") {
		t.Errorf("two sensors: %+v, %v", state, err)
	}
}
