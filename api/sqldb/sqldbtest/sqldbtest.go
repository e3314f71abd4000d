// Package sqldbtest gives tests a migrated database on each dialect.
package sqldbtest

import (
	"database/sql"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// Each runs the test on an empty, migrated SQLite and then on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, db *sql.DB)) {
	t.Helper()
	testkit.DB(t, func(t *testing.T, dsn string) {
		t.Helper()
		test(t, Open(t, dsn))
	})
}

// Open opens and migrates the database at dsn for as long as the test runs.
func Open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// Exec runs one statement and fails the test with its error.
func Exec(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
