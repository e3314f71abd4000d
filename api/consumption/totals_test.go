package consumption_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// estate is a residence R of homes of two with a meter of cold water, in buildings
// of so many: dwelling A3 with meter mA3 at point pA3. Marius manages it.
func estate(t testing.TB, db *sql.DB, buildings map[string]int) {
	t.Helper()
	sqldbtest.Exec(t, db, `INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'R', 'Europe/Paris', 0), ('S', 'S', 'Europe/Paris', 0)`)
	sqldbtest.Exec(t, db, `INSERT INTO gateway (id, residence_id) VALUES ('g', 'R')`)
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('man', 'Marius', 'fr'), ('ma2', 'Mireille', 'fr'), ('adm', 'Adele', 'fr'), ('ten', 'Rose', 'fr')`)
	sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('man', 'manager', 'R'), ('ma2', 'manager', 'S'), ('adm', 'administrator', 'R')`)
	for name, homes := range buildings {
		for i := range homes {
			settle(t, db, name, fmt.Sprint(name, i))
		}
	}
}

// settle adds a dwelling with its household and meter.
func settle(t testing.TB, db *sql.DB, building, id string) {
	t.Helper()
	sqldbtest.Exec(t, db, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ($1, 'R', $2, '1', 'x', 0, 3, 60)`, id, building)
	sqldbtest.Exec(t, db, `INSERT INTO household (id, occupants, language) VALUES ($1, 2, 'fr')`, "h"+id)
	sqldbtest.Exec(t, db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $2, $3, '2025-01-01')`, "t"+id, "h"+id, id)
	meterAt(t, db, id, "cold_water")
}

// meterAt hangs a meter at a dwelling, since the beginning of 2025.
func meterAt(t testing.TB, db *sql.DB, dwelling, kind string) {
	t.Helper()
	name := dwelling
	if kind != "cold_water" {
		name += "-" + kind
	}
	sqldbtest.Exec(t, db, `INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $2, $3)`, "p"+name, dwelling, kind)
	hang(t, db, "p"+name, "m"+name, kind)
}

func hang(t testing.TB, db *sql.DB, point, meter, kind string) {
	t.Helper()
	sqldbtest.Exec(t, db, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ($1, 'g', $2, 0, 0, 600, 'day')`, meter, kind)
	sqldbtest.Exec(t, db, `INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $2, 1735689600000)`, meter, point)
}

// count writes a month of a meter and its days, of which the first has the rest.
func count(t testing.TB, client *influx.Client, m metering.MeterID, month string, used metering.Amount) {
	t.Helper()
	countEach(t, client, []metering.MeterID{m}, month, used)
}

// countEach is count of meters that counted the same.
func countEach(t testing.TB, client *influx.Client, ids []metering.MeterID, month string, used metering.Amount) {
	t.Helper()
	first := date(t, month+"-01")
	start := first.Start(paris(t))
	index := 1e9 + metering.Amount(start.Unix()/1000) // grows with the months
	days := metering.Amount(first.MonthOf().Days())
	var monthly, daily []influx.Consumption
	for _, m := range ids {
		monthly = append(monthly, influx.Consumption{Meter: m, Start: start, Index: index, Used: used})
		for d, i := first, index-used; d.MonthOf() == first.MonthOf(); d = d.AddDays(1) {
			each := used / days
			if d == first {
				each += used % days
			}
			i += each
			daily = append(daily, influx.Consumption{Meter: m, Start: d.Start(paris(t)), Index: i, Used: each})
		}
	}
	if err := client.WriteConsumption(t.Context(), influx.Monthly, monthly); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteConsumption(t.Context(), influx.Daily, daily); err != nil {
		t.Fatal(err)
	}
}

// named are the meters of so many homes of a building.
func named(building string, homes int) (ids []metering.MeterID) {
	for i := range homes {
		ids = append(ids, metering.MeterID(fmt.Sprint("m", building, i)))
	}
	return ids
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func scopeOf(t testing.TB, by consumption.Level, step consumption.Step, from, to string) consumption.Scope {
	t.Helper()
	return consumption.Scope{Residence: "R", Kind: metering.ColdWater, By: by, Step: step, From: date(t, from), To: date(t, to)}
}

// lines writes an answer as "group from used per person quality coverage refused".
func lines(k consumption.KindTotals) (all []string) {
	for _, g := range k.Groups {
		for _, p := range g.Periods {
			each := metering.Amount(0)
			if p.PerPersonDay != nil {
				each = *p.PerPersonDay
			}
			all = append(all, strings.TrimSpace(fmt.Sprintf("%v %s %d %d %s %.2f %s", g.Members, p.From, p.Used, each, p.Quality, p.Coverage, p.Refused)))
		}
	}
	return all
}

func TestTotals(t *testing.T) {
	server := testkit.Influx(t)
	t.Run("what is not known", func(t *testing.T) { totalsOfWhatIsNotKnown(t, server) })
	t.Run("hours", func(t *testing.T) { hoursOfADay(t, server) })
	t.Run("outdoor sensor", func(t *testing.T) { outdoorSensor(t, server) })
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		estate(t, db, map[string]int{"A": 11, "B": 12, "C": 3})
		client := bucketsOf(t, server)
		for _, month := range []string{"2026-01", "2026-02"} {
			countEach(t, client, named("A", 11), month, 62_000)
			countEach(t, client, named("B", 12), month, 31_000)
		}
		totals := consumption.NewTotals(db, client)
		ask := func(now string, s consumption.Scope) consumption.KindTotals {
			t.Helper()
			k, err := totals.During(t.Context(), "man", s, local(t, now))
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		same := func(what string, got, want []string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		byMonth := scopeOf(t, consumption.OfBuilding, consumption.StepMonth, "2026-01-01", "2026-04-01")
		if k := ask("2026-02-02 12:00:00", byMonth); len(k.Groups) != 0 || k.Refused != consumption.NotOver {
			t.Errorf("told before January has settled: %+v", k)
		}
		// C is not read yet: there is time until the tenth for what is late.
		if k := ask("2026-02-09 12:00:00", byMonth); len(k.Groups) != 0 {
			t.Errorf("told while meters are not known: %+v", k)
		}
		want := []string{
			"[A] 2026-01-01 682000 1000 measured 1.00", // 11 x 62 L; 22 people, 31 days
			"[A] 2026-02-01 682000 1107 measured 1.00",
			"[A] 2026-03-01 0 0 missing 0.00 not_over",
			"[B] 2026-01-01 372000 500 measured 1.00",
			"[B] 2026-02-01 372000 554 measured 1.00",
			"[B] 2026-03-01 0 0 missing 0.00 not_over",
		}
		same("by building", lines(ask("2026-03-12 12:00:00", byMonth)), want)
		whole := ask("2026-03-12 12:00:00", scopeOf(t, consumption.OfResidence, consumption.StepWhole, "2026-01-01", "2026-03-01"))
		same("the residence", lines(whole), []string{"[] 2026-01-01 2108000 777 measured 0.88"}) // 23 of 26 homes
		if p := whole.Groups[0].Periods[0]; p.PerM2 == nil || *p.PerM2 != 1528 || !strings.Contains(p.Why.Formula, "= 2.108000 m3; / 2714 person-days") {
			t.Errorf("a square metre and the formula: %v, %q", p.PerM2, p.Why.Formula)
		}
		same("any two dates", lines(ask("2026-03-12 12:00:00", scopeOf(t, consumption.OfBuilding, consumption.StepWhole, "2026-01-31", "2026-02-02"))),
			[]string{"[A] 2026-01-31 46442 1056 measured 1.00", "[B] 2026-01-31 25332 528 measured 1.00"}) // 11 x (2000 + 2222), 12 x (1000 + 1111)
		weeks := ask("2026-03-12 12:00:00", scopeOf(t, consumption.OfResidence, consumption.StepWeek, "2026-01-26", "2026-02-09"))
		if len(weeks.Groups) != 1 || len(weeks.Groups[0].Periods) != 2 || weeks.Groups[0].Periods[0].To.String() != "2026-02-02" {
			t.Errorf("weeks: %+v", weeks)
		}
		// What comes later changes nothing of what was told: the difference would be of
		// the three homes of C.
		for i := range 3 {
			count(t, client, metering.MeterID(fmt.Sprint("mC", i)), "2026-01", 99_000)
		}
		count(t, client, "mA0", "2026-01", 10)
		same("told again", lines(ask("2026-04-20 12:00:00", byMonth))[:2], want[:2])
	})
}

func TestTotalsAreForManagersOfTheResidence(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/x.db")
	estate(t, db, nil)
	totals := consumption.NewTotals(db, nil)
	for _, who := range []accounts.PersonID{"ma2", "adm", "ten", "nobody"} {
		for name, ask := range map[string]func(context.Context, accounts.PersonID, consumption.Scope, time.Time) error{
			"totals": func(ctx context.Context, p accounts.PersonID, s consumption.Scope, now time.Time) error {
				_, err := totals.During(ctx, p, s, now)
				return err
			},
			"every kind": func(ctx context.Context, p accounts.PersonID, s consumption.Scope, now time.Time) error {
				_, err := totals.EveryKind(ctx, p, s, now)
				return err
			},
			"balances": func(ctx context.Context, p accounts.PersonID, s consumption.Scope, now time.Time) error {
				_, err := totals.Balances(ctx, p, s, now)
				return err
			},
		} {
			err := ask(t.Context(), who, scopeOf(t, consumption.OfBuilding, consumption.StepMonth, "2026-01-01", "2026-02-01"), local(t, "2026-03-12 12:00:00"))
			if err == nil || problem.Of(err).Kind != problem.NotFound {
				t.Errorf("%s asks for %s: %v", who, name, err)
			}
		}
	}
	for _, bad := range []consumption.Scope{
		scopeOf(t, consumption.OfBuilding, consumption.StepMonth, "2026-02-01", "2026-02-01"),
		scopeOf(t, consumption.OfBuilding, consumption.StepDay, "2025-01-01", "2026-02-01"),
	} {
		if _, err := totals.During(t.Context(), "man", bad, local(t, "2026-03-12 12:00:00")); err == nil || problem.Of(err).Kind != problem.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// What is not known is left out, never made up: an empty flat, one that is replaced
// in the month, one of which a household took its electricity back, a home with a
// gap, days that do not add up.
func totalsOfWhatIsNotKnown(t *testing.T, server *testkit.InfluxServer) {
	db := sqldbtest.Open(t, t.TempDir()+"/x.db")
	estate(t, db, map[string]int{"A": 16})
	client := bucketsOf(t, server)
	for i := range 16 {
		if i != 5 { // never read
			count(t, client, metering.MeterID(fmt.Sprint("mA", i)), "2026-01", 31_000)
		}
	}
	sqldbtest.Exec(t, db, `DELETE FROM tenancy WHERE dwelling_id = 'A0'`)
	sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'off' WHERE id = 'mA1'`)
	sqldbtest.Exec(t, db, `UPDATE binding SET to_ms = 1768500000000 WHERE meter_id = 'mA2'`) // 15 January
	sqldbtest.Exec(t, db, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ('mA2-next', 'g', 'cold_water', 0, 0, 600, 'day')`)
	sqldbtest.Exec(t, db, `INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('mA2-next', 'pA2', 1768500000000)`)
	sqldbtest.Exec(t, db, `UPDATE tenancy SET moved_out = '2026-01-11' WHERE dwelling_id = 'A3'`)
	totals := consumption.NewTotals(db, client)
	k, err := totals.During(t.Context(), "man", scopeOf(t, consumption.OfResidence, consumption.StepMonth, "2026-01-01", "2026-02-01"), local(t, "2026-02-20 12:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	// 12 homes: 11 all month and one for ten days, of two people each: 702 person-days.
	if diff := cmp.Diff([]string{"[] 2026-01-01 372000 530 measured 0.80"}, lines(k)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m := k.Groups[0].Periods[0].Why.Months[0]; m.Homes != 12 || m.Metered != 15 || m.Dwellings != 16 {
		t.Errorf("made of %+v", m)
	}
	for name, change := range map[string]string{
		"a home's days are not as told":   `UPDATE meter SET resolution = 'off' WHERE id = 'mA7'`,
		"too few homes are read by day":   `UPDATE meter SET resolution = 'month' WHERE id IN ('mA7', 'mA8', 'mA9', 'mA10')`,
		"one home alone is read by month": `UPDATE meter SET resolution = 'month' WHERE id = 'mA7'`,
	} {
		sqldbtest.Exec(t, db, `UPDATE told_month SET days = 0`)
		sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'day' WHERE id IN ('mA7', 'mA8', 'mA9', 'mA10')`)
		sqldbtest.Exec(t, db, change)
		k, err := totals.During(t.Context(), "man", scopeOf(t, consumption.OfResidence, consumption.StepDay, "2026-01-01", "2026-01-03"), local(t, "2026-02-20 12:00:00"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range k.Groups[0].Periods {
			if p.Used != 0 || p.Refused != consumption.DaysNotTold || p.PerPersonDay != nil {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
}
