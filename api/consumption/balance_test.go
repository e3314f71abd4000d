package consumption_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A building of twelve homes that took 100 L each in January: what is left of its
// main, or why nothing is told.
func TestBalances(t *testing.T) {
	server := testkit.Influx(t)
	t.Run("explains itself", func(t *testing.T) { balanceExplainsItself(t, server) })
	const homes = 12
	for _, tt := range []struct {
		name    string
		main    metering.Amount // counted in January; 0 = not known
		homes   int             // of which the month is known
		change  []string
		to      string
		refused consumption.NoBalance
		verdict consumption.Verdict
		left    metering.Amount // -1: no number
	}{
		{name: "a leak of the building", main: 1_500_000, homes: homes, verdict: consumption.Unaccounted, left: 300_000},
		{name: "within 5 % of the main", main: 1_260_000, homes: homes, verdict: consumption.Accounted, left: 60_000},
		{name: "a little below, within what meters are off", main: 1_180_000, homes: homes, verdict: consumption.Accounted, left: -1},
		{name: "negative: crossed with another building", main: 900_000, homes: homes, verdict: consumption.WrongBinding, left: -1},
		{name: "an empty flat counts", main: 1_500_000, homes: homes, change: []string{`DELETE FROM tenancy WHERE dwelling_id = 'A0'`},
			verdict: consumption.Unaccounted, left: 300_000},
		{name: "one home is not known", main: 1_500_000, homes: homes - 1, refused: consumption.NotEveryDwelling, left: -1},
		{name: "one home has no meter", main: 1_500_000, homes: homes, change: []string{`DELETE FROM binding WHERE point_id = 'pA3'`, `DELETE FROM point WHERE id = 'pA3'`},
			refused: consumption.NotEveryDwelling, left: -1},
		{name: "nine homes", main: 1_500_000, homes: homes, change: []string{`DELETE FROM tenancy WHERE dwelling_id IN ('A0', 'A1', 'A2')`},
			refused: consumption.BalanceTooFew, left: -1},
		{name: "the main is silent", homes: homes, refused: consumption.MainNotKnown, left: -1},
		{name: "the main was replaced", main: 1_500_000, homes: homes, change: []string{`UPDATE binding SET to_ms = 1768500000000 WHERE meter_id = 'main'`},
			refused: consumption.MainNotKnown, left: -1},
		{name: "no meter hangs there", main: 1_500_000, homes: homes, change: []string{`DELETE FROM binding WHERE meter_id = 'main'`},
			refused: consumption.NoMain, left: -1},
		{name: "two mains", main: 1_500_000, homes: homes, change: []string{`INSERT INTO point (id, residence_id, building, kind) VALUES ('other', 'R', 'A', 'cold_water')`},
			refused: consumption.SeveralMains, left: -1},
		{name: "some homes' hot water comes through it", main: 1_500_000, homes: homes, change: []string{`UPDATE dwelling SET hot_water_kind = 'collective' WHERE id = 'A4'`},
			refused: consumption.HotWaterUnclear, left: -1},
		{name: "a month of two is not known", main: 1_500_000, homes: homes, to: "2026-03-01", refused: consumption.MainNotKnown, left: -1},
		{name: "the month runs", main: 1_500_000, homes: homes, to: "2026-06-01", refused: consumption.BalanceNotOver, left: -1},
		{name: "days", main: 1_500_000, homes: homes, to: "2026-01-20", refused: consumption.BalanceWholeMonth, left: -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := sqldbtest.Open(t, t.TempDir()+"/x.db")
			estate(t, db, map[string]int{"A": homes})
			client := bucketsOf(t, server)
			mainOf(t, db, "A")
			countEach(t, client, named("A", tt.homes), "2026-01", 100_000)
			if tt.main > 0 {
				count(t, client, "main", "2026-01", tt.main)
			}
			if tt.main > 0 && tt.to != "" {
				for m := range 3 { // the homes are known in spring, the main is in April
					countEach(t, client, named("A", tt.homes), fmt.Sprintf("2026-%02d", 2+m), 100_000)
				}
				count(t, client, "main", "2026-03", 1_200_000)
				count(t, client, "main", "2026-04", 1_200_000)
			}
			for _, change := range tt.change {
				sqldbtest.Exec(t, db, change)
			}
			to := tt.to
			if to == "" {
				to = "2026-02-01"
			}
			all, err := consumption.NewTotals(db, client).Balances(t.Context(), "man",
				scopeOf(t, consumption.OfBuilding, consumption.StepWhole, "2026-01-01", to), local(t, "2026-05-20 12:00:00"))
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			got, left := all[0], metering.Amount(-1)
			if got.Left != nil {
				left = *got.Left
			}
			if got.Refused != tt.refused || got.Verdict != tt.verdict || left != tt.left {
				t.Errorf("%+v, left %d", got, left)
			}
			if (got.Refused != "" || got.Verdict == consumption.WrongBinding) && (got.Formula != "" || got.Behind != nil || got.Percent != nil) {
				t.Errorf("a number that is not told can be made from %+v", got)
			}
			if got.Refused == "" && (got.Main == nil || got.Main.Used != tt.main || len(got.Main.Parts) != 1) {
				t.Errorf("the main explains itself by %+v", got.Main)
			}
		})
	}
}

// mainOf hangs a main meter of cold water at a building whose homes heat their own
// water.
func mainOf(t *testing.T, db *sql.DB, building string) {
	t.Helper()
	sqldbtest.Exec(t, db, `UPDATE dwelling SET hot_water_kind = 'electric' WHERE building = $1`, building)
	sqldbtest.Exec(t, db, `INSERT INTO point (id, residence_id, building, kind) VALUES ('pmain', 'R', $1, 'cold_water')`, building)
	hang(t, db, "pmain", "main", "cold_water")
}

// Where the building heats the water, hot water is behind the main too; and the
// balance says how it came about, on both databases.
func balanceExplainsItself(t *testing.T, server *testkit.InfluxServer) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		estate(t, db, map[string]int{"A": 10, "B": 10})
		client := bucketsOf(t, server)
		mainOf(t, db, "A")
		sqldbtest.Exec(t, db, `UPDATE dwelling SET hot_water_kind = 'collective' WHERE building = 'A'`)
		count(t, client, "main", "2026-01", 2_000_000)
		for _, b := range []string{"A", "B"} {
			for i := range 10 {
				home := fmt.Sprint(b, i)
				meterAt(t, db, home, "hot_water")
				count(t, client, metering.MeterID("m"+home), "2026-01", 100_000)
				count(t, client, metering.MeterID("m"+home+"-hot_water"), "2026-01", 50_000)
			}
		}
		all, err := consumption.NewTotals(db, client).Balances(t.Context(), "man",
			scopeOf(t, consumption.OfBuilding, consumption.StepMonth, "2026-01-01", "2026-02-01"), local(t, "2026-02-20 12:00:00"))
		if err != nil || len(all) != 1 || all[0].Left == nil {
			t.Fatalf("%+v, %v", all, err)
		}
		got := all[0]
		want := []consumption.Behind{{Kind: metering.ColdWater, Used: 1_000_000, Dwellings: 10}, {Kind: metering.HotWater, Used: 500_000, Dwellings: 10}}
		if diff := cmp.Diff(want, got.Behind); diff != "" || *got.Left != 500_000 || *got.Percent != 25 || got.Coverage != 1 || got.Quality != metering.Measured {
			t.Errorf("%+v (-want +got):\n%s", got, diff)
		}
		if got.Formula != "2.000000 m3 - 1.000000 m3 - 0.500000 m3 = 0.500000 m3; tolerance 0.100000 m3" {
			t.Errorf("formula %q", got.Formula)
		}
	})
}
