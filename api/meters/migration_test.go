package meters_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A database that is in use keeps its points when they may become a building's,
// and whatever refers to them.
func TestPointsSurviveTheirMigration(t *testing.T) {
	testkit.DB(t, func(t *testing.T, dsn string) {
		before(t, dsn)
		db := sqldbtest.Open(t, dsn)
		var points, bindings int
		if err := db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM point WHERE dwelling_id = 'R-1' AND version = 1),
		       (SELECT COUNT(*) FROM binding JOIN point ON point.id = binding.point_id)`).Scan(&points, &bindings); err != nil || points != 2 || bindings != 1 {
			t.Errorf("%d points, %d bindings, %v", points, bindings, err)
		}
		for _, fault := range []string{`DELETE FROM point WHERE id = 'p-1'`, `INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('m-1', 'nowhere', 1)`} {
			if _, err := db.ExecContext(t.Context(), fault); err == nil {
				t.Errorf("references are not held: %s", fault)
			}
		}
	})
}

// before makes the database as it was before buildings had points, and furnishes
// it.
func before(t *testing.T, dsn string) {
	t.Helper()
	dialect, driver, other, source := goose.DialectSQLite3, "sqlite", ".postgres.sql", "file:"+dsn+"?_pragma=foreign_keys(1)"
	if kind, err := sqldb.DialectOf(dsn); err == nil && kind == sqldb.Postgres {
		dialect, driver, other, source = goose.DialectPostgres, "pgx", ".sqlite.sql", dsn
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("../sqldb/migrations/*" + other)
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	provider, err := goose.NewProvider(dialect, db, os.DirFS("../sqldb/migrations"), goose.WithDisableGlobalRegistry(true),
		goose.WithTableName("schema_version"), goose.WithExcludeNames(names))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 29); err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'R', 'Europe/Paris', 0);
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('R-1', 'R', 'A', '1', '1', 0, 3, 60);
INSERT INTO gateway (id, residence_id) VALUES ('g', 'R');
INSERT INTO point (id, dwelling_id, kind) VALUES ('p-1', 'R-1', 'gas'), ('p-2', 'R-1', 'heat');
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution) VALUES ('m-1', 'g', 'gas', 0, 0, 60, 'day');
INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('m-1', 'p-1', 1)`, ";\n") {
		sqldbtest.Exec(t, db, statement)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
