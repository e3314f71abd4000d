package consumption_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// BenchmarkResidenceYear asks for the year of 600 dwellings by building and month,
// of every kind; budget: 150 ms. The first time tells the months for good.
func BenchmarkResidenceYear(b *testing.B) {
	server := testkit.Influx(b)
	for _, kinds := range [][]metering.Kind{{metering.ColdWater}, {metering.ColdWater, metering.HotWater, metering.Heat}} {
		b.Run(fmt.Sprintf("kinds=%d", len(kinds)), func(b *testing.B) {
			totals := benchEstate(b, server, kinds)
			s := consumption.Scope{Residence: "R", By: consumption.OfBuilding, Step: consumption.StepMonth,
				From: civil.Date{Year: 2025, Month: 1, Day: 1}, To: civil.Date{Year: 2026, Month: 2, Day: 1}}
			ask := func() float64 {
				begun := time.Now()
				all, err := totals.EveryKind(b.Context(), "man", s, benchNow(b))
				if err != nil || len(all) != len(kinds) || len(all[0].Groups) != 6 || all[0].Groups[0].Periods[12].Used != 3_100_000 {
					b.Fatalf("%+v, %v", all, err)
				}
				return float64(time.Since(begun)) / 1e6
			}
			first := ask()
			for b.Loop() {
				ask()
			}
			b.ReportMetric(first, "first_ms")
		})
	}
}

func benchEstate(b *testing.B, server *testkit.InfluxServer, kinds []metering.Kind) *consumption.Totals {
	b.Helper()
	db := sqldbtest.Open(b, filepath.Join(b.TempDir(), "xnet.db"))
	estate(b, db, nil)
	c := influx.DefaultConfig()
	c.URL, c.Keep, c.Prefix = server.URL, influx.Retention{}, prefix()
	client, err := influx.Open(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	if err := client.SetUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	var months []influx.Consumption
	err = sqldb.InTx(b.Context(), db, func(tx *sql.Tx) error {
		do := func(statement string, args ...any) {
			if _, err := tx.ExecContext(b.Context(), statement, args...); err != nil {
				b.Fatal(err)
			}
		}
		for i := range 600 {
			id := fmt.Sprint(i)
			do(`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ($1, 'R', $2, $3, 'x', 0, 3, 60)`, id, fmt.Sprint(i%6), fmt.Sprint(i%4))
			do(`INSERT INTO household (id, occupants, language) VALUES ($1, 2, 'fr')`, id)
			do(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $1, $1, '2025-01-01')`, id)
			for _, k := range kinds {
				meter := id + string(k)
				do(`INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $2, $3)`, meter, id, string(k))
				do(`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ($1, 'g', $2, 0, 0, 600, 'month')`, meter, string(k))
				do(`INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $1, 1700000000000)`, meter)
				for n := range 13 {
					month := civil.Month{Year: 2025, Month: time.Month(1 + n)}.First().AddDays(0)
					months = append(months, influx.Consumption{Meter: metering.MeterID(meter), Start: month.Start(paris(b)), Index: metering.Amount(n+1) * 31_000, Used: 31_000})
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := client.WriteConsumption(b.Context(), influx.Monthly, months); err != nil {
		b.Fatal(err)
	}
	return consumption.NewTotals(db, client)
}
