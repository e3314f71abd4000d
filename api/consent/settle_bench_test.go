package consent_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// Budget, with 60,000 dwellings of three meters each: 5 seconds to settle all,
// and 10 ms for a decision, however large the residence.
func BenchmarkSettle(b *testing.B) {
	db := sqldbtest.Open(b, filepath.Join(b.TempDir(), "api.db"))
	const dwellings = 60_000
	for _, s := range []string{
		`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'R', 'Europe/Paris', 0)`,
		`INSERT INTO gateway (id, residence_id) VALUES ('G', 'R')`,
	} {
		sqldbtest.Exec(b, db, s)
	}
	numbers := fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, dwellings)
	for _, s := range []string{
		`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) ` + numbers + `SELECT 'D' || i, 'R', '', '', '' || i, 0, 3, 60 FROM n`,
		`INSERT INTO household (id, occupants, language) ` + numbers + `SELECT 'H' || i, 1, 'fr' FROM n`,
		`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) ` + numbers + `SELECT 'T' || i, 'H' || i, 'D' || i, '2025-01-01' FROM n`,
		`INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms) ` + numbers +
			`SELECT 'C' || i, 'H' || i, 'T' || i, 'fine_curve', 1, 'fr', 'page', '', 'P', 1770000000000, 1780000000000 FROM n WHERE i % 2 = 0`,
	} {
		sqldbtest.Exec(b, db, s)
	}
	for _, kind := range []string{"cold_water", "hot_water", "electricity"} {
		sqldbtest.Exec(b, db, `INSERT INTO point (id, dwelling_id, kind) `+numbers+`SELECT $1 || i, 'D' || i, $1 FROM n`, kind)
		sqldbtest.Exec(b, db, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) `+numbers+`SELECT 'M' || $1 || i, 'G', $1, 0, 0, 600, 'off' FROM n`, kind)
		sqldbtest.Exec(b, db, `INSERT INTO binding (meter_id, point_id, from_ms) `+numbers+`SELECT 'M' || $1 || i, $1 || i, 0 FROM n`, kind)
	}
	store, now := consent.NewStore(db, consent.OpenLedger("")), time.UnixMilli(1775000000000)
	first, err := store.Settle(b.Context(), now)
	if err != nil || first < dwellings {
		b.Fatalf("settled %d, %v", first, err)
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if n, err := store.Settle(b.Context(), now); n != 0 || err != nil {
				b.Fatalf("settled %d, %v", n, err)
			}
		}
	})
	b.Run("one-decision", func(b *testing.B) {
		zone, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			b.Fatal(err)
		}
		home := []consent.Home{{Tenancy: "T7", Household: "H7", Dwelling: "D7", Zone: zone}}
		d := consent.Decision{Purpose: consent.FineCurve, TextVersion: 1, Language: "fr", Channel: consent.OnPage, By: "P", CollectedBy: "P", At: now}
		for b.Loop() {
			if err := store.Give(b.Context(), home, d); err != nil {
				b.Fatal(err)
			}
		}
	})
}
