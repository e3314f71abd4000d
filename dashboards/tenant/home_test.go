package tenant_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// street is Amina's home with all kinds of reading, its meters verified and its heat
// without a price, Jean's whose meter is read once
// a day and lost a day, Paul's whose meter fell silent, Rose's without meters, and an
// empty one.
const street = `
residence: {id: r, name: La Rue, zone: Europe/Paris, earliest: 2024-12-01T00:00:00Z}
gateways: [{id: g}]
tariffs:
  - {kind: cold_water, from: 2024-01-01, price_micro_eur: 4690000, source: Syndicat des eaux}
  - {kind: hot_water, from: 2026-01-01, price_micro_eur: 12000000}
  - {kind: electricity, from: 2025-08-01, bill: supplier, price_micro_eur: 195200}
  - {kind: electricity, from: 2026-03-10, bill: supplier, price_micro_eur: 194000}
dwellings:
  - id: d1
    label: "12"
    hot_water: collective
    households: [{id: h1, occupants: 2, language: fr, moved_in: 2024-12-01, consents: [fine_curve, personal_advice], persons: [{id: amina, name: Amina Diallo}]}]
    points:
      - {id: p1, kind: cold_water, meters: [{id: cw, gateway: g, interval: 10s, resolution: fine, from: "2024-12-01T00:00:00Z"}]}
      - {id: p2, kind: electricity, meters: [{id: el, gateway: g, interval: 10s, resolution: fine, from: "2024-12-01T00:00:00Z"}]}
      - {id: p3, kind: heat, meters: [{id: he, gateway: g, interval: 10m, resolution: month, from: "2024-12-01T00:00:00Z"}]}
      - {id: p4, kind: gas, meters: [{id: ga, gateway: g, interval: 10m, resolution: "off", from: "2024-12-01T00:00:00Z"}]}
  - id: d2
    label: "13"
    hot_water: electric
    households: [{id: h2, occupants: 1, language: fr, moved_in: 2026-03-02, persons: [{id: jean, name: Jean Voisin}]}]
    points:
      - {id: p5, kind: cold_water, meters: [{id: cj, gateway: g, interval: 10m, resolution: day, from: "2024-12-01T00:00:00Z"}]}
  - id: d4
    label: "15"
    points:
      - {id: p6, kind: cold_water, meters: [{id: cm, gateway: g, interval: 10s, resolution: fine, from: "2024-12-01T00:00:00Z"}]}
  - id: d5
    label: "16"
    hot_water: collective
    households: [{id: h5, occupants: 1, language: fr, moved_in: 2026-01-01, consents: [fine_curve], persons: [{id: paul, name: Paul Muet}]}]
    points:
      - {id: p7, kind: cold_water, meters: [{id: cp, gateway: g, interval: 10s, resolution: fine, from: "2024-12-01T00:00:00Z"}]}
      - {id: p8, kind: hot_water, meters: [{id: hp, gateway: g, interval: 10m, resolution: month, from: "2024-12-01T00:00:00Z"}]}
  - id: d3
    label: "14"
    households: [{id: h3, occupants: 1, language: fr, moved_in: 2025-06-01, persons: [{id: rose, name: Rose Martin}]}]
`

// afternoon is when the pages are looked at.
func afternoon(t testing.TB) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 3, 18, 14, 3, 28, 0, zone)
}

// newStreet serves the pages over three homes in a real InfluxDB.
func newStreet(t testing.TB) *webtest.Site {
	t.Helper()
	c := influx.DefaultConfig()
	c.URL, c.Keep, c.Prefix = testkit.Influx(t).URL, influx.Retention{}, "t"+strings.ToLower(rand.Text()[:12])
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	furnish(t, client)
	catalogue, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	residence, err := roster.Parse([]byte(street))
	if err != nil {
		t.Fatal(err)
	}
	setting := webtest.Setting{Visit: time.Hour, Now: func() time.Time { return afternoon(t) }}
	return webtest.Open(t, setting, func(e *echo.Echo, s *webtest.Site) {
		if err := roster.Store(t.Context(), s.DB, residence); err != nil {
			t.Fatal(err)
		}
		for point, meter := range map[string]string{"p1": "cw", "p2": "el", "p3": "he", "p7": "cp"} {
			verify(t, s, meter, point)
		}
		e.Use(web.Secure)
		s.Frame.Register(e)
		homes, fleet := premises.NewStore(s.DB), meters.NewStore(s.DB)
		tenant.New(tenant.Parts{Site: s.Frame, Door: s.Door, Homes: homes, Consumption: consumption.NewReader(homes, fleet, client), Around: consumption.NewNeighbourhood(s.DB, client),
			Checks: check.NewStore(s.DB, fleet, client), Charges: charges.NewStore(s.DB), Tips: tips.NewStore(s.DB, catalogue), Alerts: alerts.NewStore(s.DB),
			Gestures: catalogue.Gestures, Head: charges.Letterhead{Advisor: "Claire Moreau", Telephone: "02 41 00 00 00"}, Now: s.Now}).Register(e)
	})
}

// verify writes that the meter passed its check when it was hung up.
func verify(t testing.TB, s *webtest.Site, meter, point string) {
	t.Helper()
	sqldbtest.Exec(t, s.DB, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state) SELECT meter_id, point_id, from_ms, 'verified' FROM binding WHERE meter_id = $1 AND point_id = $2`, meter, point)
}

// furnish writes what the meters counted: Amina's home 100 litres a day in 2025
// and 80 in 2026, 5 kWh of electricity always, and heat by month; Jean's 50 litres
// but on 9 March, which nobody knows; Paul's 60 until the morning of 6 March, and hot
// water by month; 70 in the empty flat. 12 and 13 March are estimated.
func furnish(t testing.TB, client *influx.Client) {
	t.Helper()
	zone, index := afternoon(t).Location(), map[metering.MeterID]metering.Amount{"cw": 10_000_000, "el": 900_000, "he": 50_000_000, "cj": 7_000_000, "cm": 3_000_000, "cp": 5_000_000, "hp": 2_000_000}
	var daily, monthly []influx.Consumption
	count := func(to *[]influx.Consumption, m metering.MeterID, d civil.Date, used metering.Amount) {
		c := influx.Consumption{Meter: m, Start: d.Start(zone), Used: used}
		if d.Year == 2026 && d.Month == 3 && (d.Day == 12 || d.Day == 13) {
			c.Quality = metering.Estimated
		}
		index[m] += used
		c.Index = index[m]
		*to = append(*to, c)
	}
	today := civil.DateOf(afternoon(t))
	for d := (civil.Date{Year: 2025, Month: 1, Day: 1}); d.Before(today); d = d.AddDays(1) {
		water := metering.Amount(100_000)
		if d.Year == 2026 {
			water = 80_000
		}
		count(&daily, "cw", d, water)
		count(&daily, "el", d, 5000)
		count(&daily, "cm", d, 70_000)
		if d.Before(civil.Date{Year: 2026, Month: 3, Day: 6}) {
			count(&daily, "cp", d, 60_000)
		}
		if index["cj"] += 50_000; d != (civil.Date{Year: 2026, Month: 3, Day: 9}) {
			index["cj"] -= 50_000
			count(&daily, "cj", d, 50_000)
		}
	}
	for m := (civil.Month{Year: 2025, Month: 1}); m != today.MonthOf(); m = m.Next() {
		heat := metering.Amount(600_000)
		if m.Year == 2026 {
			heat = 480_000
		}
		count(&monthly, "he", m.First(), heat)
		count(&monthly, "hp", m.First(), 1_500_000)
	}
	ago := afternoon(t).Add(-8 * time.Second)
	readings := []metering.Reading{
		{Meter: "cw", Quantity: metering.Index, At: ago, Amount: index["cw"] + 30_000},
		{Meter: "el", Quantity: metering.Index, At: ago, Amount: index["el"] + 2_000},
		{Meter: "he", Quantity: metering.Index, At: today.MonthOf().First().Start(zone), Amount: index["he"]},
		{Meter: "cj", Quantity: metering.Index, At: today.Start(zone), Amount: index["cj"]},
		{Meter: "hp", Quantity: metering.Index, At: today.MonthOf().First().Start(zone), Amount: index["hp"]},
		{Meter: "cp", Quantity: metering.Index, At: time.Date(2026, 3, 6, 10, 0, 0, 0, zone), Amount: index["cp"] + 20_000},
	}
	for bucket, all := range map[influx.Period][]influx.Consumption{influx.Hourly: hours(today, zone, index), influx.Daily: daily, influx.Monthly: monthly} {
		if err := client.WriteConsumption(t.Context(), bucket, all); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
}

// hours are those of Amina's today until one o'clock, of which one is estimated, and
// of a day in which no water was used and the last hour is not known.
func hours(today civil.Date, zone *time.Location, index map[metering.MeterID]metering.Amount) (all []influx.Consumption) {
	used := map[int]metering.Amount{7: 10_000, 8: 4_000, 9: 5_200}
	for hour := range 23 {
		water := influx.Consumption{Meter: "cw", Start: today.AddDays(-2).Start(zone).Add(time.Duration(hour) * time.Hour), Index: index["cw"]}
		all = append(all, water)
		if hour > 12 {
			continue
		}
		water.Start, water.Used = today.Start(zone).Add(time.Duration(hour)*time.Hour), used[hour]
		if hour == 9 {
			water.Quality = metering.Estimated
		}
		power := influx.Consumption{Meter: "el", Start: water.Start, Index: index["el"], Used: 40}
		all = append(all, water, power)
	}
	return all
}

// visit returns a reader who came in with a code of their own.
func visit(t testing.TB, s *webtest.Site, person accounts.PersonID) webtest.Browser {
	t.Helper()
	b := s.Browser(t)
	if a := b.Send("/connexion", map[string][]string{"code": {s.Invite(t, person)}}); a.Status != 303 || a.To != "/" {
		t.Fatalf("sign-in of %s: %d to %s", person, a.Status, a.To)
	}
	return b
}

// flat writes accidental spaces and line breaks of a page as one.
func flat(page string) string { return strings.Join(strings.Fields(page), " ") }

// A look is what one page must show, and what it must not.
type look struct {
	name, path   string
	status       int
	shows, hides []string
}

func (l look) check(t *testing.T, b webtest.Browser) {
	t.Helper()
	a := b.Get(l.path)
	if a.Status != l.status {
		t.Errorf("%s: status %d, want %d", l.path, a.Status, l.status)
	}
	page := flat(a.Page)
	for _, text := range l.shows {
		if !strings.Contains(page, text) {
			t.Errorf("%s does not show %q", l.path, text)
		}
	}
	for _, text := range l.hides {
		if strings.Contains(page, text) {
			t.Errorf("%s shows %q", l.path, text)
		}
	}
}
