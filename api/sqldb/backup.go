package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Reasons why a back-up or a restore is refused. Test with errors.Is.
var (
	ErrNotSQLite = errors.New("is done with pg_dump and pg_restore on PostgreSQL")
	ErrExists    = errors.New("file exists: name another one, because a back-up is never overwritten")
	ErrInUse     = errors.New("the API runs on this database: stop it first")
	ErrOccupied  = errors.New("there is a database already: it is only replaced when asked to")
	ErrDamaged   = errors.New("is no sound database of the API")
)

// Backup writes a copy of the SQLite database at dsn to a new file that only its
// owner can read, while programs go on using the database. The copy is one
// moment of it, checked and synced; what was deleted before is not in it. It
// fails with [ErrNotSQLite], [ErrExists] or [ErrDamaged], and leaves no file
// then.
func Backup(ctx context.Context, dsn, path string) error {
	source, err := sqliteOnly(dsn)
	if err != nil {
		return fmt.Errorf("back-up: %w", err)
	}
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("back-up: %w: name the database that the API uses", err)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("back-up %s: %w", path, ErrExists)
	}
	partial := path + ".partial"
	if err := vacuumInto(ctx, source, partial); err != nil {
		return errors.Join(fmt.Errorf("back-up %s: %w", path, err), removeIfThere(partial))
	}
	// A link fails where the name was taken meanwhile; a rename would replace it.
	if err := os.Link(partial, path); err != nil {
		return errors.Join(fmt.Errorf("back-up %s: %w", path, err), removeIfThere(partial))
	}
	return errors.Join(os.Remove(partial), syncFolder(filepath.Dir(path)))
}

func sqliteOnly(dsn string) (path string, err error) {
	dialect, err := DialectOf(dsn)
	if err != nil {
		return "", err
	}
	if dialect != SQLite {
		return "", ErrNotSQLite
	}
	return sqlitePath(dsn), nil
}

func vacuumInto(ctx context.Context, source, path string) error {
	// The file is made first, so that it is never readable for others; SQLite
	// takes an empty one.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteDSN(source))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, path)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if _, err := checkSound(ctx, path); err != nil {
		return err
	}
	return syncFile(path)
}

// checkSound fails with [ErrDamaged] unless the file is a whole database with
// our schema, which it returns.
func checkSound(ctx context.Context, path string) (is Schema, err error) {
	db, err := sql.Open("sqlite", sqliteDSN(path)+"&mode=ro&immutable=1")
	if err != nil {
		return is, err
	}
	var said string
	err = db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said)
	if err == nil && said != "ok" {
		err = errors.New(said)
	}
	if err == nil {
		is, err = schemaOf(ctx, db)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return is, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return is, nil
}

// Restore puts the back-up at path in the place of the SQLite database at dsn.
// Where there is a database it fails with [ErrOccupied], unless replace allows
// it to go. It fails with [ErrInUse] while an API holds the database, with
// [ErrDamaged] where the back-up is none, with [ErrNewer] where this program is too
// old for it, and changes nothing then. Whoever restores replays the ledger of
// erasures before anything is served.
func Restore(ctx context.Context, dsn, path string, replace bool) error {
	target, err := sqliteOnly(dsn)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	lock, err := lockFile(target, exclusive)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer lock.Close()
	if _, err := os.Stat(target); err == nil && !replace {
		return fmt.Errorf("restore into %s: %w", target, ErrOccupied)
	}
	is, err := checkSound(ctx, path)
	if err == nil && len(is.Unknown) > 0 {
		err = ErrNewer
	}
	if err != nil {
		return fmt.Errorf("restore from %s: %w", path, err)
	}
	beside := target + ".restoring"
	if err := copyDurably(path, beside); err != nil {
		return errors.Join(fmt.Errorf("restore from %s: %w", path, err), removeIfThere(beside))
	}
	// The log of the database that goes must not be applied to the one that comes.
	err = errors.Join(removeIfThere(target+"-wal"), removeIfThere(target+"-shm"), os.Rename(beside, target))
	if err != nil {
		return fmt.Errorf("restore into %s: %w", target, err)
	}
	return syncFolder(filepath.Dir(target))
}

// A Hold keeps a database from being restored over while it is used.
type Hold struct{ file io.Closer }

// Close lets the database go.
func (h *Hold) Close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}

// HoldOpen marks the database at dsn as used by an API, for as long as the hold
// is open; several may hold it at once. It does nothing for PostgreSQL. It fails
// with [ErrInUse] while a back-up is being restored over it.
func HoldOpen(dsn string) (*Hold, error) {
	path, err := sqliteOnly(dsn)
	if errors.Is(err, ErrNotSQLite) {
		return &Hold{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	lock, err := lockFile(path, shared)
	if err != nil {
		return nil, fmt.Errorf("SQLite database %s: %w", path, err)
	}
	return &Hold{lock}, nil
}

func copyDurably(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Beside returns the path of a file that belongs to the SQLite database at dsn,
// as in api.db.erasures; empty for PostgreSQL.
func Beside(dsn, ending string) string {
	path, err := sqliteOnly(dsn)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(path, string(filepath.Separator)) + "." + ending
}
