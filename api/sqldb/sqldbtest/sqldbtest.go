// Package sqldbtest gives tests a migrated database on each dialect.
package sqldbtest

import (
	"context"
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

// Open opens and migrates the database at dsn for as long as the test runs. At its
// end no log may tell who was in it; see [testkit.Seeded].
func Open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		seeded(t, db)
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

func seeded(t testing.TB, db *sql.DB) {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), "SELECT DISTINCT name FROM person")
	if err != nil {
		t.Errorf("who was in the database: %v", err)
		return
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Error(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	testkit.Seeded(t, names...)
}

// Exec runs one statement and fails the test with its error.
func Exec(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
