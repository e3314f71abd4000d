package sqldb_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

func TestDialectOf(t *testing.T) {
	for _, tt := range []struct {
		name, dsn string
		want      sqldb.Dialect
		err       error
	}{
		{"path", "/var/lib/xnet/xnet.db", sqldb.SQLite, nil},
		{"prefixed path", "sqlite:xnet.db", sqldb.SQLite, nil},
		{"postgres", "postgres://u:p@h/d", sqldb.Postgres, nil},
		{"postgresql", "postgresql://h/d", sqldb.Postgres, nil},
		{"empty", "", "", sqldb.ErrDSN},
		{"no path", "sqlite:", "", sqldb.ErrDSN},
		{"in memory", ":memory:", "", sqldb.ErrDSN},
		{"other server", "mysql://h/d", "", sqldb.ErrDSN},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sqldb.DialectOf(tt.dsn)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("DialectOf(%q) = %q, %v; want %q, %v", tt.dsn, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestOpenAgainKeepsWhatIsStored(t *testing.T) {
	testkit.DB(t, func(t *testing.T, dsn string) {
		first := sqldbtest.Open(t, dsn)
		sqldbtest.Exec(t, first, `INSERT INTO person (id, name, language) VALUES ('P1', 'Ana', 'fr')`)
		second := sqldbtest.Open(t, dsn)
		var name string
		if err := second.QueryRowContext(t.Context(), `SELECT name FROM person WHERE id = $1`, "P1").Scan(&name); err != nil || name != "Ana" {
			t.Errorf("name after the second opening = %q, %v", name, err)
		}
	})
}

func TestOpenPathWithOddCharacters(t *testing.T) {
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "été ?x=1 %20", "a b#c.db"))
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P1', 'Ana', 'fr')`)
}

func TestOpenErrorHidesThePassword(t *testing.T) {
	_, err := sqldb.Open(t.Context(), "postgres://u:s3cr3t@127.0.0.1:1/d?sslmode=disable&connect_timeout=1")
	if err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("error = %v; want one without the password", err)
	}
}

func TestInTxStoresAllOrNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		why := errors.New("second thoughts")
		err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO person (id, name, language) VALUES ('P1', 'Ana', 'fr')`); err != nil {
				return err
			}
			return why
		})
		if !errors.Is(err, why) {
			t.Errorf("error = %v; want %v", err, why)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM person`).Scan(&n); err != nil || n != 0 {
			t.Errorf("persons after the rollback = %d, %v; want 0", n, err)
		}
	})
}

// The schema itself keeps what would show one tenant another's days.
func TestSchemaRefuses(t *testing.T) {
	const home = `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES `
	const hang = `INSERT INTO binding (meter_id, point_id, from_ms, to_ms) VALUES `
	for _, tt := range []struct {
		name, statement string
		refused         bool
	}{
		{"second household at the same time", home + `('T9', 'H2', 'D1', '2026-03-01', NULL)`, true},
		{"household within a closed stay", home + `('T9', 'H2', 'D1', '2025-02-01', '2025-03-01')`, true},
		{"next household on the day of leaving", home + `('T9', 'H2', 'D1', '2025-06-01', '2025-09-01')`, false},
		{"moved to overlap", `UPDATE tenancy SET moved_out = '2026-01-15' WHERE id = 'T1'`, true},
		{"out before in", home + `('T9', 'H2', 'D2', '2026-03-02', '2026-03-01')`, true},
		{"no date", home + `('T9', 'H2', 'D2', 'mars', NULL)`, true},
		{"dwelling that does not exist", home + `('T9', 'H2', 'D9', '2026-03-01', NULL)`, true},
		{"second meter at the same time", hang + `('M2', 'P1', 500, NULL)`, true},
		{"meter at a second point", hang + `('M1', 'P2', 500, NULL)`, true},
		{"next meter from the end on", hang + `('M2', 'P1', 1000, 2000)`, false},
		{"binding moved to overlap", `UPDATE binding SET to_ms = 3000 WHERE meter_id = 'M1' AND from_ms = 0`, true},
		{"meter that still hangs", hang + `('M2', 'P1', 3000, NULL)`, false},
		{"last index of a meter that still hangs", `INSERT INTO binding (meter_id, point_id, from_ms, last_index) VALUES ('M2', 'P2', 0, 5)`, true},
		{"unknown kind", `INSERT INTO point (id, dwelling_id, kind) VALUES ('P9', 'D1', 'steam')`, true},
		{"no occupants", `INSERT INTO household (id, occupants, language) VALUES ('H9', 0, 'fr')`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
				seed(t, db)
				_, err := db.ExecContext(t.Context(), tt.statement)
				if refused := err != nil; refused != tt.refused {
					t.Errorf("refused = %v (%v), want %v", refused, err, tt.refused)
				}
			})
		})
	}
}

func seed(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, s := range []string{
		`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R1', 'Roseraie', 'Europe/Paris', 0)`,
		`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2)
		 VALUES ('D1', 'R1', 'A', '1', '12', 1, 3, 62.5), ('D2', 'R1', 'A', '1', '13', 1, 2, 41)`,
		`INSERT INTO household (id, occupants, language) VALUES ('H1', 2, 'fr'), ('H2', 1, 'fr')`,
		`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out)
		 VALUES ('T1', 'H1', 'D1', '2025-01-01', '2025-06-01'), ('T2', 'H1', 'D1', '2026-01-01', NULL)`,
		`INSERT INTO gateway (id, residence_id) VALUES ('G1', 'R1')`,
		`INSERT INTO point (id, dwelling_id, kind) VALUES ('P1', 'D1', 'cold_water'), ('P2', 'D2', 'cold_water')`,
		`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution)
		 VALUES ('M1', 'G1', 'cold_water', 0, 0, 10, 'day'), ('M2', 'G1', 'cold_water', 0, 0, 10, 'day')`,
		`INSERT INTO binding (meter_id, point_id, from_ms, to_ms) VALUES ('M1', 'P1', 0, 1000)`,
	} {
		sqldbtest.Exec(t, db, s)
	}
	sqldbtest.Exec(t, db, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ('M3', 'G1', 'cold_water', 0, 0, 10, 'day')`)
	sqldbtest.Exec(t, db, `INSERT INTO binding (meter_id, point_id, from_ms, to_ms) VALUES ('M3', 'P1', 2000, 3000)`)
}

// What is used at once once is there the next time: opening a connection costs
// more than most queries.
func TestConnectionsAreKept(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		const atOnce = 16
		for range 3 {
			var held []*sql.Conn
			for range atOnce {
				conn, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, conn)
			}
			for _, conn := range held {
				if err := conn.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if s := db.Stats(); s.MaxIdleClosed != 0 || s.Idle != atOnce {
			t.Errorf("%d connections were closed, %d wait; want 0 and %d", s.MaxIdleClosed, s.Idle, atOnce)
		}
	})
}

// Where more come than the database can answer they wait for a connection: with one
// more for each, a busy hour would end in opening connections.
func TestConnectionsAreBounded(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		most := db.Stats().MaxOpenConnections
		if most <= 0 || most > 64 {
			t.Fatalf("%d connections may be open, want a bound of at most 64", most)
		}
		group, ctx := errgroup.WithContext(t.Context())
		for n := range 3 * most {
			group.Go(func() error {
				var got int
				err := db.QueryRowContext(ctx, `SELECT COUNT(*) + $1 FROM person`, n).Scan(&got)
				if err == nil && got != n {
					err = fmt.Errorf("answer %d, want %d", got, n)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		if open := db.Stats().OpenConnections; open > most {
			t.Errorf("%d connections are open, want at most %d", open, most)
		}
	})
}
