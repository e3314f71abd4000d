package nightly_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/nightly"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// epoch is when the simulated meters begin to count.
var epoch = civil.Date{Year: 2025, Month: time.October, Day: 23}

// A street is the simulated residence as the API knows it: its file is loaded, its
// meters are checked but for the crossed ones, and InfluxDB holds what they showed.
type street struct {
	db     *sql.DB
	client *influx.Client
	truth  *household.Residence
	runner *nightly.Runner
	now    time.Time
}

// dwellingsYAML writes the landlord's list of the residence.
func dwellingsYAML(r *household.Residence) string {
	var w strings.Builder
	fmt.Fprintf(&w, "residence: {id: %s, name: %s, zone: %s, earliest: %s}\ngateways: [", r.SiteID, r.Name, r.Zone, r.Epoch.Start(r.Zone).UTC().Format(time.RFC3339))
	for _, g := range r.Gateways {
		fmt.Fprintf(&w, "{id: %s}, ", g.ID)
	}
	w.WriteString(`]
tariffs:
  - {kind: cold_water, from: 2024-01-01, price_micro_eur: 4690000}
  - {kind: hot_water, from: 2024-01-01, price_micro_eur: 4690000, heat_micro_eur: 101920, wh_per_m3: 70000}
  - {kind: electricity, from: 2024-01-01, bill: supplier, price_micro_eur: 194000}
dwellings:
`)
	for _, d := range r.Dwellings {
		fmt.Fprintf(&w, "  - {id: %s, building: %s, staircase: '%d', label: '%d', floor: %d, rooms: %d, area_m2: %d, heating: collective, hot_water: collective,\n     households: [",
			d.ID, d.Building, d.Staircase, d.Number, d.Floor, d.Rooms, d.AreaM2)
		for i, h := range d.Households {
			out, consents := "", ""
			if !h.MovedOut.IsZero() {
				out = ", moved_out: " + h.MovedOut.String()
			}
			if h.Consent == household.ConsentFine {
				consents = "daily_follow_up, fine_curve, personal_advice"
			}
			fmt.Fprintf(&w, "{id: %[1]s.%[2]d, occupants: %[3]d, language: fr, moved_in: %[4]s%[5]s, consents: [%[6]s], persons: [{id: %[1]s.%[2]d.p, name: %[7]s}]}, ",
				d.ID, i+1, h.Occupants, h.MovedIn, out, consents, h.Persons[0].Name())
		}
		w.WriteString("],\n     points: [")
		for _, k := range metering.Kinds {
			mine := slices.DeleteFunc(slices.Clone(r.Meters()), func(m *household.Meter) bool { return m.Bound != d.ID || m.Kind != k })
			if len(mine) == 0 {
				continue
			}
			fmt.Fprintf(&w, "{id: %s.%s, kind: %s, meters: [", d.ID, k, k)
			for _, m := range mine {
				to, from := "", r.Epoch.Start(r.Zone)
				if !m.From.IsZero() {
					from = m.From
				}
				if !m.To.IsZero() {
					to = ", to: '" + m.To.UTC().Format(time.RFC3339) + "'"
				}
				fmt.Fprintf(&w, "{id: %s, gateway: %s, interval: 10m, index_modulus: %d, resolution: fine, from: '%s'%s}, ", m.ID, m.Gateway, m.IndexModulus, from.UTC().Format(time.RFC3339), to)
			}
			w.WriteString("]}, ")
		}
		w.WriteString("]}\n")
	}
	return w.String()
}

// newStreet loads the residence and fills InfluxDB up to a day after the epoch; of
// the flats of stories with every reading since another.
func newStreet(t *testing.T, db *sql.DB, until, readSince int, stories ...household.Story) *street {
	t.Helper()
	s := &street{truth: household.New(3, epoch), db: db}
	s.now = s.morning(until).Add(time.Hour)
	r, err := roster.Parse([]byte(dwellingsYAML(s.truth)))
	if err != nil {
		t.Fatal(err)
	}
	if err := roster.Store(t.Context(), s.db, r); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, s.db, `UPDATE consent SET from_ms = $1, to_ms = $2`, epoch.Start(s.truth.Zone).UnixMilli(), epoch.AddDays(1000).Start(s.truth.Zone).UnixMilli())
	if _, err := consent.NewStore(s.db, consent.OpenLedger(t.TempDir()+"/ledger")).Settle(t.Context(), s.now); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, s.db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state)
		SELECT meter_id, point_id, from_ms, 'verified' FROM binding WHERE point_id NOT LIKE 'A2-05.%' AND point_id NOT LIKE 'A2-06.%'`)
	s.openInflux(t)
	s.fill(t, until, readSince, stories)
	catalogue, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	s.runner = &nightly.Runner{DB: s.db, Influx: s.client, Catalogue: catalogue, Log: testkit.Logger(t), Now: func() time.Time { return s.now }}
	return s
}

func (s *street) morning(day int) time.Time {
	d := epoch.AddDays(day)
	return time.Date(d.Year, d.Month, d.Day, 7, 0, 0, 0, s.truth.Zone)
}

func (s *street) openInflux(t *testing.T) {
	t.Helper()
	c := influx.DefaultConfig()
	c.URL, c.Keep, c.Prefix = testkit.Influx(t).URL, influx.Retention{}, fmt.Sprintf("t%x", rand.Uint64())
	var err error
	if s.client, err = influx.Open(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.Close)
	if err := s.client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s *street) fill(t *testing.T, until, readSince int, stories []household.Story) {
	t.Helper()
	s.truth.Warm(s.morning(until))
	var readings []metering.Reading
	for _, m := range s.truth.Meters() {
		told := slices.ContainsFunc(stories, s.truth.ByID(m.Bound).Has)
		if m.Kind == metering.Temperature {
			readings = append(readings, s.rooms(m, until)...)
			continue
		}
		s.periods(t, m, influx.Daily, until, func(d civil.Date) (civil.Date, civil.Date) { return d, d.AddDays(1) })
		s.periods(t, m, influx.Monthly, until, func(d civil.Date) (civil.Date, civil.Date) {
			return d.MonthOf().First(), d.MonthOf().Next().First()
		})
		if m.Kind == metering.Electricity {
			s.hours(t, m, until)
		} else if told {
			for at := s.morning(readSince); !at.After(s.morning(until)); at = at.Add(10 * time.Minute) {
				if s.truth.Answers(m, at) {
					readings = append(readings, metering.Reading{Meter: m.ID, Quantity: metering.Index, At: at.UTC(), Amount: s.truth.Register(m, at)})
				}
			}
		}
	}
	if err := s.client.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
}

func (s *street) rooms(m *household.Meter, until int) (all []metering.Reading) {
	for at := s.morning(until - 10); !at.After(s.morning(until)); at = at.Add(10 * time.Minute) {
		all = append(all, metering.Reading{Meter: m.ID, Quantity: metering.Celsius, At: at.UTC(), Amount: s.truth.Temperature(m, at)})
	}
	return all
}

func (s *street) used(m *household.Meter, from, to time.Time) (influx.Consumption, bool) {
	index := s.truth.Index(m, to)
	return influx.Consumption{Meter: m.ID, Start: from.UTC(), Index: index, Used: index - s.truth.Index(m, from)},
		s.truth.Answers(m, from) && s.truth.Answers(m, to.Add(-time.Second))
}

// figuresFor is for how many days there are daily and monthly figures.
const figuresFor = 75

func (s *street) periods(t *testing.T, m *household.Meter, p influx.Period, until int, of func(civil.Date) (civil.Date, civil.Date)) {
	t.Helper()
	var all []influx.Consumption
	for date := epoch.AddDays(until - figuresFor); date.Before(epoch.AddDays(until)); {
		first, next := of(date)
		if c, known := s.used(m, first.Start(s.truth.Zone), next.Start(s.truth.Zone)); known && !first.Before(epoch) && !epoch.AddDays(until).Before(next) {
			all = append(all, c)
		}
		date = next
	}
	if err := s.client.WriteConsumption(t.Context(), p, all); err != nil {
		t.Fatal(err)
	}
}

func (s *street) hours(t *testing.T, m *household.Meter, until int) {
	t.Helper()
	var all []influx.Consumption
	for at := epoch.AddDays(until - 100).Start(s.truth.Zone); at.Before(epoch.AddDays(until).Start(s.truth.Zone)); at = at.Add(time.Hour) {
		if c, known := s.used(m, at, at.Add(time.Hour)); known {
			all = append(all, c)
		}
	}
	if err := s.client.WriteConsumption(t.Context(), influx.Hourly, all); err != nil {
		t.Fatal(err)
	}
}

// run judges the nights up to the morning of a day after the epoch.
func (s *street) run(t *testing.T, day int, again bool) nightly.Counts {
	t.Helper()
	all, err := s.runner.Residences(t.Context(), s.truth.SiteID)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.runner.Residence(t.Context(), all[0], epoch.AddDays(day), again)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// person is who lives last in the flat of a story.
func (s *street) person(t *testing.T, story household.Story, n int) premises.Viewer {
	t.Helper()
	for _, d := range s.truth.Dwellings {
		if !d.Has(story) {
			continue
		}
		if n--; n < 0 {
			id := fmt.Sprintf("%s.%d.p", d.ID, len(d.Households))
			var person premises.Viewer
			if err := s.db.QueryRowContext(t.Context(), `SELECT id FROM person WHERE id = $1`, id).Scan(&person.Person); err != nil {
				t.Fatal(err)
			}
			return person
		}
	}
	t.Fatalf("no flat of the story %s", story)
	return premises.Viewer{}
}
