// Package sqldb opens the API's SQL store, SQLite or PostgreSQL, and brings its
// schema up to date. One SQL text serves both: see the design's rules.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"modernc.org/sqlite"               // and the driver "sqlite"
)

// A Dialect is a kind of database.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// ErrDSN is the reason why a data source name is refused.
var ErrDSN = errors.New("want the path of an SQLite file, sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE")

// DialectOf returns the dialect that a data source name asks for; an error is
// [ErrDSN].
func DialectOf(dsn string) (Dialect, error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	switch {
	case dsn == "", strings.HasPrefix(dsn, ":"), found && scheme == "sqlite" && rest == "":
		return "", fmt.Errorf("database: %w", ErrDSN)
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return Postgres, nil
	case strings.Contains(dsn, "://"):
		return "", fmt.Errorf("database with scheme %q: %w", scheme, ErrDSN)
	default:
		return SQLite, nil
	}
}

// Open connects to the database that dsn names, makes it where it is an SQLite
// file that does not exist, and migrates it. The caller closes it. It fails with
// [ErrNewer]. Errors never show the data source name, which may bear a password.
func Open(ctx context.Context, dsn string) (*sql.DB, error) {
	dialect, err := DialectOf(dsn)
	if err != nil {
		return nil, err
	}
	db, err := connect(dialect, dsn)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, db, dialect); err != nil {
		return nil, errors.Join(named(err, dialect, dsn), db.Close())
	}
	return db, nil
}

// named says which database is meant, as far as that may be told, and what to
// look at.
func named(err error, dialect Dialect, dsn string) error {
	switch {
	case dialect == Postgres && errors.Is(err, ErrNewer): // which says what to do
		return fmt.Errorf("PostgreSQL database: %w", err)
	case errors.Is(err, ErrNewer):
		return fmt.Errorf("SQLite database %s: %w", sqlitePath(dsn), err)
	case dialect == Postgres:
		return fmt.Errorf("PostgreSQL database: %w: does it run, and are address, name and password right?", err)
	}
	return fmt.Errorf("SQLite database %s: %w: is there room on the disk, and is the file the right one and free to be written?",
		sqlitePath(dsn), err)
}

func sqlitePath(dsn string) string { return strings.TrimPrefix(dsn, "sqlite:") }

// makeFolder makes the folder of the SQLite file at path.
func makeFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("SQLite database %s: %w: name a file in a folder that can be written", path, err)
	}
	return nil
}

func connect(dialect Dialect, dsn string) (*sql.DB, error) {
	if dialect == Postgres {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return nil, fmt.Errorf("database: %w", ErrDSN)
		}
		db.SetMaxOpenConns(32)
		return keepOpen(db), nil
	}
	path := sqlitePath(dsn)
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	connector, err := sqlite.NewConnector(sqliteDSN(path))
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	db := sql.OpenDB(keeper{connector})
	db.SetMaxOpenConns(mostOpen)
	return keepOpen(db), nil
}

// mostOpen bounds the connections to an SQLite file. Where more come than can be
// answered they wait for one that is open: opening more would make each answer take
// longer still, until none comes in time.
const mostOpen = 64

// keptOpen is how many connections wait for the next request: as many as are
// used at once on a busy day.
const keptOpen = 16

// keepOpen keeps connections from being closed and opened again for each
// request, as database/sql does with all but two: opening one takes longer than
// most queries, because SQLite reads the schema and PostgreSQL checks the
// password. After a quiet minute they are closed: each holds pages of the file.
func keepOpen(db *sql.DB) *sql.DB {
	db.SetMaxIdleConns(keptOpen)
	db.SetConnMaxIdleTime(time.Minute)
	return db
}

// sqliteDSN takes the write lock when a transaction begins: a transaction that
// reads first and writes later would fail under load instead of waiting. What is
// deleted is overwritten: a family that asked to be erased must not be found in
// the file's free pages.
func sqliteDSN(path string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "foreign_keys(1)", "journal_mode(WAL)", "synchronous(NORMAL)", "secure_delete(1)"}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func prepare(ctx context.Context, db *sql.DB, dialect Dialect) error {
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return migrate(ctx, db, dialect)
}

// InTx runs do in one transaction: all of it is stored, or nothing where do
// returns an error.
func InTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Collect reads every row with scan and closes rows.
func Collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, one)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// Zones reads the name of a time zone of every row and closes rows.
func Zones(rows *sql.Rows) ([]*time.Location, error) {
	return Collect(rows, func(rows *sql.Rows) (*time.Location, error) {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		return time.LoadLocation(name)
	})
}

// Ms writes an instant as the store keeps it: milliseconds since 1970.
func Ms(at time.Time) int64 { return at.UnixMilli() }

// Time reads an instant of the store, in UTC.
func Time(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
