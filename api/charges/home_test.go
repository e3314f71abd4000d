package charges_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/charges"
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

// A flat with every kind of meter, and tariffs; electricity is the household's own
// contract, whose price of today is not known.
const flat = `
residence: {id: r, name: La Roseraie, zone: Europe/Paris, earliest: 2024-01-01T00:00:00Z, street: 3 rue des Rosiers, postcode: "49000", town: Angers}
gateways: [{id: g}]
tariffs:
  - {kind: cold_water, from: 2024-01-01, price_micro_eur: 4000000, fixed_monthly_cents: 200}
  - {kind: hot_water, from: 2024-01-01, price_micro_eur: 4000000, heat_micro_eur: 100000, wh_per_m3: 80000}
  - {kind: heat, from: 2024-01-01, price_micro_eur: 100000, fixed_monthly_cents: 1500}
  - {kind: electricity, from: 2024-01-01, until: 2026-08-01, bill: supplier, price_micro_eur: 194000}
dwellings:
  - id: d
    label: "12"
    building: A
    staircase: "1"
    area_m2: 60
    households: [{id: h, occupants: 2, language: fr, moved_in: 2024-06-01, consents: [daily_follow_up], persons: [{id: p, name: Éloïse Bérenger}]}]
    points:
      - {id: pc, kind: cold_water, meters: [{id: cw, gateway: g, interval: 10m, resolution: day, from: "2024-01-01T00:00:00Z"}]}
      - {id: ph, kind: hot_water, meters: [{id: hw, gateway: g, interval: 10m, resolution: day, from: "2024-01-01T00:00:00Z"}]}
      - {id: pt, kind: heat, meters: [{id: ht, gateway: g, interval: 10m, resolution: day, from: "2024-01-01T00:00:00Z"}]}
      - {id: pe, kind: electricity, meters: [{id: el, gateway: g, interval: 10m, resolution: day, from: "2024-01-01T00:00:00Z"}]}
    provisions: [{from: 2024-06-01, monthly_cents: 8000}]
`

type furnished struct {
	db      *sql.DB
	client  *influx.Client
	reader  *consumption.Reader
	writer  charges.Writer
	handler *charges.Handler
	now     time.Time
}

// furnishedFlat loads the flat and writes months of its meters until now.
func furnishedFlat(t *testing.T, now string) *furnished { return furnishedWith(t, flat, now) }

func furnishedWith(t *testing.T, residence, now string) *furnished {
	t.Helper()
	server := testkit.Influx(t)
	db := sqldbtest.Open(t, t.TempDir()+"/x.db")
	r, err := roster.Parse([]byte(residence))
	if err != nil {
		t.Fatal(err)
	}
	if err := roster.Store(t.Context(), db, r); err != nil {
		t.Fatal(err)
	}
	c := influx.DefaultConfig()
	c.URL, c.Keep, c.Prefix = server.URL, influx.Retention{}, fmt.Sprintf("t%x", rand.Uint64())
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := &furnished{db: db, client: client, now: paris(t, now)}
	store := charges.NewStore(db)
	f.reader = consumption.NewReader(premises.NewStore(db), meters.NewStore(db), client)
	f.writer = charges.Writer{Store: store, Reader: f.reader, Around: consumption.NewNeighbourhood(db, client)}
	f.handler = &charges.Handler{Store: store, Reader: f.reader, Now: func() time.Time { return f.now }}
	return f
}

func (f *furnished) verify(t *testing.T) {
	t.Helper()
	sqldbtest.Exec(t, f.db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state) SELECT meter_id, point_id, from_ms, 'verified' FROM binding`)
}

// months writes what a meter used in each month from first on.
func (f *furnished) months(t *testing.T, m metering.MeterID, first string, used ...metering.Amount) {
	t.Helper()
	month, err := civil.ParseMonth(first)
	if err != nil {
		t.Fatal(err)
	}
	var all []influx.Consumption
	index := metering.Amount(1_000_000)
	for _, u := range used {
		index += u
		start, _ := month.Bounds(f.now.Location())
		all = append(all, influx.Consumption{Meter: m, Start: start, Index: index, Used: u})
		month = month.Next()
	}
	if err := f.client.WriteConsumption(t.Context(), influx.Monthly, all); err != nil {
		t.Fatal(err)
	}
}

func paris(t *testing.T, text string) time.Time {
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

func each(n int, used metering.Amount) []metering.Amount {
	all := make([]metering.Amount, n)
	for i := range all {
		all[i] = used
	}
	return all
}

// winter is a year of heat, January first, in kWh.
func winter(share float64) (all []metering.Amount) {
	for _, kwh := range []float64{900, 750, 600, 300, 60, 0, 0, 0, 30, 300, 600, 850} {
		all = append(all, metering.Amount(kwh*1000*share))
	}
	return all
}

func TestOutlook(t *testing.T) {
	f := furnishedFlat(t, "2026-07-10 12:00:00")
	look := func() charges.Outlook {
		t.Helper()
		o, err := f.handler.Outlook(t.Context(), premises.Own("p"))
		if err != nil {
			t.Fatal(err)
		}
		if o.Refused != "" && (o.LowCents != 0 || o.HighCents != 0 || o.SoFarCents != 0) {
			t.Errorf("refused, and yet amounts: %+v", o)
		}
		return o
	}
	f.months(t, "cw", "2026-02", each(5, 5_000_000)...)
	if o := look(); o.Refused != charges.Unchecked {
		t.Errorf("before the check: %+v", o)
	}
	f.verify(t)
	if o := look(); o.Refused != charges.TooEarly || o.ProvisionCents == nil || *o.ProvisionCents != 12*8000 {
		t.Errorf("five months: %+v", o)
	}
	f.months(t, "cw", "2026-01", each(6, 5_000_000)...)
	f.months(t, "hw", "2026-01", each(6, 2_000_000)...)
	f.months(t, "ht", "2026-01", winter(0.8)[:6]...)
	f.months(t, "el", "2026-01", each(6, 150_000)...)
	if o := look(); o.Refused != charges.SeasonAhead {
		t.Errorf("heat without a year before: %+v", o)
	}
	f.months(t, "ht", "2025-01", winter(1)...)
	o := look()
	// So far: 6 × 5 m³ × 4 € + 6 × 2 m³ × (4 + 8 €) + 2,088 kWh × 0.10 € × 70 % = 120 + 144 + 146.16 €.
	// Fixed: 12 × 2 € + 12 × 15 € = 204 €.
	// Ahead: water 30 m³ ± 10 % = 120 ± 12 €; hot water 12 m³ ± 10 % = 144 ± 14.40 €; heat as last
	// year's 1,780 kWh, 0.8 to 1 times, 10 % less to 10 % more: 89.71 to 137.06 €.
	want := charges.Outlook{Year: 2026, From: date(t, "2026-01-01"), Months: 6, SoFarCents: 41016, FixedCents: 20400,
		LowCents: 41016 + 20400 + 10800 + 12960 + 8971, HighCents: 41016 + 20400 + 13200 + 15840 + 13706, ProvisionCents: o.ProvisionCents,
		Kinds: []metering.Kind{metering.ColdWater, metering.HotWater, metering.Heat}, LeftOut: []metering.Kind{metering.Electricity}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("outlook (-want +got):\n%s", diff)
	}
	// From 1 October a cubic metre of cold water costs twice as much: 3 of the 6 months.
	sqldbtest.Exec(t, f.db, `INSERT INTO tariff (id, residence_id, kind, from_date, bill, fixed_monthly_cents, price_micro_eur, per, heat_micro_eur, wh_per_m3, individual_percent, source)
VALUES ('next', 'r', 'cold_water', '2026-10-01', 'charges', 200, 8000000, 'm3', 0, 0, 100, '')`)
	if o := look(); o.LowCents != want.LowCents+5400 || o.HighCents != want.HighCents+6600 {
		t.Errorf("a price that changes in October: %d to %d, want %d to %d", o.LowCents, o.HighCents, want.LowCents+5400, want.HighCents+6600)
	}
	sqldbtest.Exec(t, f.db, `DELETE FROM tariff WHERE id = 'next'`)
	f.unlike(t, look)
	f.months(t, "cw", "2025-01", each(12, 5_000_000)...)
	sqldbtest.Exec(t, f.db, `DELETE FROM provision`)
	if o := look(); o.ProvisionCents != nil || o.LowCents == 0 {
		t.Errorf("without a provision: %+v", o)
	}
	f.now = paris(t, "2026-08-10 12:00:00") // July is not there
	if o := look(); o.Refused != charges.GapInYear {
		t.Errorf("a month is missing: %+v", o)
	}
	for _, m := range []metering.MeterID{"cw", "hw", "ht"} {
		f.months(t, m, "2026-07", 1_000)
	}
	if o := look(); o.Refused != "" || o.Months != 7 {
		t.Errorf("the price of electricity, which is not of the charges, has ended: %+v", o)
	}
}

// unlike sets the provision beside less than it pays for: nothing is told then.
func (f *furnished) unlike(t *testing.T, look func() charges.Outlook) {
	t.Helper()
	for _, tt := range []struct {
		name, change, back string
		want               charges.NoOutlook
		kind               metering.Kind
	}{
		{"a meter that is off", `UPDATE meter SET resolution = 'off' WHERE id = 'hw'`, `UPDATE meter SET resolution = 'day' WHERE id = 'hw'`, charges.Unread, metering.HotWater},
		{"a kind that is billed and not metered here", `UPDATE point SET kind = 'gas' WHERE id = 'ph'`, `UPDATE point SET kind = 'hot_water' WHERE id = 'ph'`, charges.Unread, metering.HotWater},
		{"shared heat without its fixed part", `UPDATE tariff SET fixed_monthly_cents = 0 WHERE kind = 'heat'`,
			`UPDATE tariff SET fixed_monthly_cents = 1500 WHERE kind = 'heat'`, charges.CommonPart, metering.Heat},
	} {
		sqldbtest.Exec(t, f.db, tt.change)
		if strings.Contains(tt.change, "point") {
			sqldbtest.Exec(t, f.db, `UPDATE meter SET kind = 'gas' WHERE id = 'hw'`)
		}
		if o := look(); o.Refused != tt.want || !slices.Contains(o.LeftOut, tt.kind) || len(o.Kinds) != 0 {
			t.Errorf("%s: %+v", tt.name, o)
		}
		sqldbtest.Exec(t, f.db, tt.back)
		sqldbtest.Exec(t, f.db, `UPDATE meter SET kind = 'hot_water' WHERE id = 'hw'`)
	}
	sqldbtest.Exec(t, f.db, `UPDATE dwelling SET heating_kind = 'electric' WHERE id = 'd'`)
	if o := look(); o.Refused != "" {
		t.Errorf("heating of its own, and a meter all the same: %+v", o)
	}
	sqldbtest.Exec(t, f.db, `UPDATE dwelling SET heating_kind = 'unknown' WHERE id = 'd'`)
}
