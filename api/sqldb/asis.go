package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ErrNewer: a program of a newer release has migrated the database. Test with
// errors.Is.
var ErrNewer = errors.New("a newer release has migrated it, and it is never taken back: " +
	"install that release again, or restore a back-up that was made before")

// A Schema is how a database stands to the migrations of this program, by their
// numbers.
type Schema struct {
	Newest  int64   // that was applied
	Pending []int64 // that this program would apply
	Unknown []int64 // that were applied, and that this program does not know
}

// OpenAsIs connects to the database that is at dsn and changes nothing: it makes
// no file and does not migrate. The caller closes it.
func OpenAsIs(ctx context.Context, dsn string) (*sql.DB, Schema, error) {
	dialect, err := DialectOf(dsn)
	if err != nil {
		return nil, Schema{}, err
	}
	if dialect == SQLite {
		if _, err := os.Stat(sqlitePath(dsn)); err != nil {
			return nil, Schema{}, fmt.Errorf("SQLite database: %w", err)
		}
	}
	db, err := connect(dialect, dsn)
	if err != nil {
		return nil, Schema{}, err
	}
	is, err := schemaOf(ctx, db)
	if err != nil {
		return nil, Schema{}, errors.Join(named(err, dialect, dsn), db.Close())
	}
	return db, is, nil
}

const appliedVersions = `
SELECT version_id
  FROM schema_version
 WHERE version_id > 0
 ORDER BY version_id`

// schemaOf compares what was applied with what this program knows. Numbers alone
// do not tell which of the two is newer: areas count their migrations apart.
func schemaOf(ctx context.Context, db Querier) (s Schema, err error) {
	known, err := knownVersions()
	if err != nil {
		return s, err
	}
	rows, err := db.QueryContext(ctx, appliedVersions)
	if err != nil {
		return s, fmt.Errorf("schema: %w", err)
	}
	applied, err := Collect(rows, func(rows *sql.Rows) (n int64, err error) { return n, rows.Scan(&n) })
	if err != nil {
		return s, fmt.Errorf("schema: %w", err)
	}
	for _, n := range applied {
		s.Newest = max(s.Newest, n)
		if !slices.Contains(known, n) {
			s.Unknown = append(s.Unknown, n)
		}
	}
	for _, n := range known {
		if !slices.Contains(applied, n) {
			s.Pending = append(s.Pending, n)
		}
	}
	return s, nil
}

// knownVersions are the numbers of the migrations, in their order.
func knownVersions() (known []int64, err error) {
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", e.Name(), err)
		}
		known = append(known, n)
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}
