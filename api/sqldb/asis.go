package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

const appliedVersion = `
SELECT MAX(version_id)
  FROM schema_version`

// OpenAsIs connects to the database that is at dsn and changes nothing: it makes
// no file and does not migrate. It returns the version of its schema and that
// which this program knows. The caller closes it.
func OpenAsIs(ctx context.Context, dsn string) (db *sql.DB, is, known int64, err error) {
	dialect, err := DialectOf(dsn)
	if err != nil {
		return nil, 0, 0, err
	}
	if dialect == SQLite {
		if _, err := os.Stat(sqlitePath(dsn)); err != nil {
			return nil, 0, 0, fmt.Errorf("SQLite database: %w", err)
		}
	}
	if known, err = knownVersion(); err != nil {
		return nil, 0, 0, err
	}
	if db, err = connect(dialect, dsn); err != nil {
		return nil, 0, 0, err
	}
	if err := db.QueryRowContext(ctx, appliedVersion).Scan(&is); err != nil {
		return nil, 0, 0, errors.Join(named(err, dialect, dsn), db.Close())
	}
	return db, is, known, nil
}

// knownVersion is the number of the newest migration.
func knownVersion() (newest int64, err error) {
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", e.Name(), err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
