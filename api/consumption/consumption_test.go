package consumption_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// The home of each case has cold water meters a and b, whose fields a case
// completes.
const head = `
residence: {id: r, name: R, zone: Europe/Paris, earliest: 2025-01-01T00:00:00Z}
gateways: [{id: g}]
dwellings:
  - id: d
    label: "1"
    households: [{id: h, occupants: 1, language: fr, moved_in: 2026-01-01, consents: [fine_curve], persons: [{id: p, name: P}]}]
    points:
`

const (
	open     = `{id: a, gateway: g, interval: 10s, index_modulus: 100000, resolution: fine, from: "2025-01-01T00:00:00Z"}`
	onePoint = `      - {id: pa, kind: cold_water, meters: [` + open + `]}`
)

type closedDay struct {
	meter metering.MeterID
	date  string
	index metering.Amount
	used  metering.Amount
}

type seen struct {
	Date     string
	Used     metering.Amount
	Coverage float64
	Open     bool
}

type dayCase struct {
	name, points string
	closed       []closedDay
	latest       map[string]metering.Amount // of meter a, by local time
	now          string
	want         []seen
	month        metering.Amount
}

func TestDays(t *testing.T) {
	server := testkit.Influx(t)
	for _, tt := range []dayCase{
		{"so far today", onePoint,
			[]closedDay{{"a", "2026-05-04", 500, 500}}, map[string]metering.Amount{"2026-05-05 12:00:00": 600}, "2026-05-05 12:00:01",
			[]seen{{"2026-05-04", 500, 1, false}, {"2026-05-05", 100, 0.5, true}}, 600},
		{"yesterday is not closed yet", onePoint,
			[]closedDay{{"a", "2026-05-04", 500, 500}}, map[string]metering.Amount{"2026-05-06 06:00:00": 700}, "2026-05-06 06:00:01",
			[]seen{{"2026-05-04", 500, 1, false}}, 700}, // the total is exact, its days are not known
		{"a reading at midnight closes the day", onePoint,
			[]closedDay{{"a", "2026-05-04", 500, 500}}, map[string]metering.Amount{"2026-05-06 00:00:05": 700}, "2026-05-06 00:00:06",
			[]seen{{"2026-05-04", 500, 1, false}, {"2026-05-05", 200, 1, false}}, 700},
		{"silent since yesterday", onePoint,
			[]closedDay{{"a", "2026-05-04", 500, 500}}, map[string]metering.Amount{"2026-05-05 18:00:00": 700}, "2026-05-06 09:00:00",
			[]seen{{"2026-05-04", 500, 1, false}, {"2026-05-05", 200, 0.75, false}}, 700},
		{"rolled over today", onePoint,
			[]closedDay{{"a", "2026-05-04", 199_900, 500}}, map[string]metering.Amount{"2026-05-05 12:00:00": 50}, "2026-05-05 12:00:01",
			[]seen{{"2026-05-04", 500, 1, false}, {"2026-05-05", 150, 0.5, true}}, 650},
		{"a glitch is no rollover", onePoint,
			[]closedDay{{"a", "2026-05-04", 50_000, 500}}, map[string]metering.Amount{"2026-05-05 12:00:00": 49_990}, "2026-05-05 12:00:01",
			[]seen{{"2026-05-04", 500, 1, false}}, 500},
		{"day of 23 hours", onePoint,
			[]closedDay{{"a", "2026-03-28", 500, 500}}, map[string]metering.Amount{"2026-03-29 12:30:00": 600}, "2026-03-29 12:30:01",
			[]seen{{"2026-03-28", 500, 1, false}, {"2026-03-29", 100, 0.5, true}}, 600},
		{"day of 25 hours", onePoint,
			[]closedDay{{"a", "2026-10-24", 500, 500}}, map[string]metering.Amount{"2026-10-25 11:30:00": 600}, "2026-10-25 11:30:01",
			[]seen{{"2026-10-24", 500, 1, false}, {"2026-10-25", 100, 0.5, true}}, 600},
		{"two meters of a kind", onePoint + "\n      - {id: pb, kind: cold_water, meters: [{id: b, gateway: g, interval: 10s, resolution: fine, from: \"2025-01-01T00:00:00Z\"}]}",
			[]closedDay{{"a", "2026-05-03", 500, 500}, {"b", "2026-05-03", 900, 30}, {"a", "2026-05-04", 600, 100}}, nil, "2026-05-05 12:00:00",
			[]seen{{"2026-05-03", 530, 1, false}, {"2026-05-04", 100, 0.5, false}}, 630},
		{"replaced today", `      - {id: pa, kind: cold_water, meters: [
          {id: b, gateway: g, interval: 10s, resolution: fine, from: "2025-01-01T00:00:00Z", to: "2026-05-05T06:00:00+02:00", last_index: 540},
          {id: a, gateway: g, interval: 10s, resolution: fine, from: "2026-05-05T06:00:00+02:00", first_index: 7}]}`,
			[]closedDay{{"b", "2026-05-04", 500, 500}}, map[string]metering.Amount{"2026-05-05 12:00:00": 67}, "2026-05-05 12:00:01",
			[]seen{{"2026-05-04", 500, 1, false}, {"2026-05-05", 100, 0.5, true}}, 600},
		{"nothing is stored", onePoint, nil, nil, "2026-05-05 12:00:00", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, server) })
	}
}

func (tt dayCase) run(t *testing.T, server *testkit.InfluxServer) {
	reader, client := home(t, server, head+tt.points)
	write(t, client, tt.closed, tt.latest)
	now := local(t, tt.now)
	today := civil.DateOf(now)
	got, err := reader.Between(t.Context(), premises.Own("p"), now, today.MonthOf().First(), today.AddDays(1))
	if err != nil {
		t.Fatal(err)
	}
	var days []seen
	for _, d := range got.Series[0].Days {
		days = append(days, seen{d.Date.String(), d.Used, d.Coverage, d.Open})
	}
	if diff := cmp.Diff(tt.want, days); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if month, _ := got.Series[0].Month(today.MonthOf()); month.Why.Used != tt.month {
		t.Errorf("month = %+v, want %d used", month, tt.month)
	}
}

// The first index of a stay is also the last of the one before: it bounds both,
// and none of the former household's use is shown.
func TestDayOfMovingIn(t *testing.T) {
	server := testkit.Influx(t)
	reader, client := home(t, server, `
residence: {id: r, name: R, zone: Europe/Paris, earliest: 2025-01-01T00:00:00Z}
gateways: [{id: g}]
dwellings:
  - id: d
    label: "1"
    households:
      - {id: h0, occupants: 1, language: fr, moved_in: 2026-01-01, moved_out: 2026-05-05, persons: [{id: before, name: B}]}
      - {id: h1, occupants: 1, language: fr, moved_in: 2026-05-05, consents: [fine_curve], persons: [{id: p, name: P}]}
    points:
`+onePoint)
	write(t, client, []closedDay{{"a", "2026-05-03", 300, 300}}, map[string]metering.Amount{"2026-05-04 23:00:00": 400, "2026-05-05 12:00:00": 600})
	now, today := local(t, "2026-05-05 12:00:01"), civil.Date{Year: 2026, Month: 5, Day: 5}

	// The day before is not closed. Who left sees it up to the last reading of
	// their own; what comes after is not known apart, and is shown to neither.
	for _, tt := range []struct {
		person accounts.PersonID
		want   []metering.Amount
	}{{"p", nil}, {"before", []metering.Amount{100}}} {
		got, err := reader.Between(t.Context(), premises.Own(tt.person), now, today.AddDays(-1), today.AddDays(1))
		if err != nil {
			t.Fatal(err)
		}
		var days, months []metering.Amount
		for _, d := range got.Series[0].Days {
			days = append(days, d.Used)
		}
		for _, m := range got.Series[0].Months {
			months = append(months, m.Why.Used)
		}
		if diff := cmp.Diff([][]metering.Amount{tt.want, tt.want}, [][]metering.Amount{days, months}); diff != "" {
			t.Errorf("%s: days and months (-want +got):\n%s", tt.person, diff)
		}
		if tt.person == "before" && !got.Series[0].Last.IsZero() {
			t.Errorf("who left sees when the meter was read: %s", got.Series[0].Last)
		}
	}
	write(t, client, []closedDay{{"a", "2026-05-04", 450, 150}}, nil)
	got, err := reader.Between(t.Context(), premises.Own("p"), now, today.AddDays(-1), today.AddDays(1))
	if err != nil {
		t.Fatal(err)
	}
	if days := got.Series[0].Days; len(days) != 1 || days[0].Date != today || days[0].Used != 150 || !days[0].Open {
		t.Errorf("days = %+v, want 150 so far on the day of moving in", days)
	}
}

// A meter is silent since its last reading, however few days are asked for, and tells
// a household nothing of readings before its own.
func TestSilent(t *testing.T) {
	server := testkit.Influx(t)
	for _, tt := range []struct {
		name, movedIn, read, now string
		silent, known            bool
	}{
		{"read just now", "2026-01-01", "2026-05-12 08:59:55", "2026-05-12 09:00:00", false, true},
		{"since before the week", "2026-01-01", "2026-05-01 12:00:00", "2026-05-11 00:05:00", true, true},
		{"never read", "2026-01-01", "", "2026-05-11 00:05:00", true, false},
		{"read before they came", "2026-05-11", "2026-05-10 12:00:00", "2026-05-11 00:05:00", false, false},
		{"and not since", "2026-05-11", "2026-05-10 12:00:00", "2026-05-12 09:00:00", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reader, client := home(t, server, strings.Replace(head, "moved_in: 2026-01-01", "moved_in: "+tt.movedIn, 1)+onePoint)
			readings := map[string]metering.Amount{}
			if tt.read != "" {
				readings[tt.read] = 100
			}
			write(t, client, nil, readings)
			monday := civil.Date{Year: 2026, Month: 5, Day: 11}
			got, err := reader.Between(t.Context(), premises.Own("p"), local(t, tt.now), monday, monday.AddDays(2))
			if err != nil {
				t.Fatal(err)
			}
			if s := got.Series[0]; s.Silent != tt.silent || s.Last.IsZero() == tt.known {
				t.Errorf("silent %t since %s, want silent %t", s.Silent, s.Last, tt.silent)
			}
		})
	}
}

// home loads the residence and gives each case buckets of its own.
func home(t *testing.T, server *testkit.InfluxServer, text string) (*consumption.Reader, *influx.Client) {
	t.Helper()
	reader, client, _ := homeAndStore(t, server, text)
	return reader, client
}

func homeAndStore(t *testing.T, server *testkit.InfluxServer, text string) (*consumption.Reader, *influx.Client, *sql.DB) {
	t.Helper()
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "xnet.db"))
	r, err := roster.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := roster.Store(t.Context(), db, r); err != nil {
		t.Fatal(err)
	}
	client := bucketsOf(t, server)
	return consumption.NewReader(premises.NewStore(db), meters.NewStore(db), client), client, db
}

// bucketsOf gives a test buckets of its own.
func bucketsOf(t *testing.T, server *testkit.InfluxServer) *influx.Client {
	t.Helper()
	c := influx.DefaultConfig()
	c.URL, c.Keep, c.Prefix = server.URL, influx.Retention{}, prefix()
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

func prefix() string {
	return fmt.Sprintf("t%x", rand.Uint64())
}

func write(t *testing.T, client *influx.Client, closed []closedDay, latest map[string]metering.Amount) {
	t.Helper()
	var days []influx.Consumption
	for _, d := range closed {
		days = append(days, influx.Consumption{Meter: d.meter, Start: local(t, d.date+" 00:00:00"), Index: d.index, Used: d.used})
	}
	var readings []metering.Reading
	for at, index := range latest {
		readings = append(readings, metering.Reading{Meter: "a", Quantity: metering.Index, At: local(t, at), Amount: index})
	}
	if err := client.WriteConsumption(t.Context(), influx.Daily, days); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
}

func local(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateTime, text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
