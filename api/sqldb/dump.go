package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Save writes a back-up of the database at dsn to a new file that only its owner
// can read: [Backup] for SQLite, pg_dump's own format for PostgreSQL, whose
// program pg_dump must be installed. It fails as Backup does, and never shows a
// password.
func Save(ctx context.Context, dsn, path string) error {
	dialect, err := DialectOf(dsn)
	if err != nil {
		return err
	}
	if dialect == SQLite {
		return Backup(ctx, dsn, path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600) // before it is readable for others
	if err != nil {
		return fmt.Errorf("back-up %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("back-up %s: %w", path, err)
	}
	if err := postgresTool(ctx, dsn, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file="+path); err != nil {
		return errors.Join(fmt.Errorf("back-up: %w", err), removeIfThere(path))
	}
	return syncFile(path)
}

// PutBack puts a back-up of [Save] in the place of the database at dsn, all of it
// or nothing: [Restore] for SQLite, pg_restore for PostgreSQL. It fails with
// [ErrOccupied] where there is a database of ours, unless replace allows it to
// go, and with [ErrInUse] while others are connected.
func PutBack(ctx context.Context, dsn, path string, replace bool) error {
	dialect, err := DialectOf(dsn)
	if err != nil {
		return err
	}
	if dialect == SQLite {
		return Restore(ctx, dsn, path, replace)
	}
	if err := vacant(ctx, dsn, replace); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	err = postgresTool(ctx, dsn, "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", path)
	if err != nil {
		return fmt.Errorf("restore from %s: %w", path, err)
	}
	return nil
}

// What PostgreSQL says of the database itself.
const (
	connectedOthers = `
SELECT COUNT(*)
  FROM pg_stat_activity
 WHERE datname = current_database()
   AND pid <> pg_backend_pid()
   AND backend_type = 'client backend'`

	ownTables = `
SELECT COUNT(*)
  FROM information_schema.tables
 WHERE table_name = 'schema_version'
   AND table_schema = current_schema()`
)

// vacant fails where a PostgreSQL database is used or, unless it may go, ours.
func vacant(ctx context.Context, dsn string, replace bool) (err error) {
	db, err := connect(Postgres, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var tables int
	others, err := stillConnected(ctx, db)
	if err != nil {
		return named(err, Postgres, dsn)
	}
	if err := db.QueryRowContext(ctx, ownTables).Scan(&tables); err != nil {
		return named(err, Postgres, dsn)
	}
	switch {
	case others > 0:
		return ErrInUse
	case tables > 0 && !replace:
		return ErrOccupied
	}
	return nil
}

// leaveWait is how long PostgreSQL may take to see off a program that has just
// ended.
const leaveWait = 5 * time.Second

// stillConnected returns how many others are, once nobody leaves any more.
func stillConnected(ctx context.Context, db *sql.DB) (others int, err error) {
	for until := time.Now().Add(leaveWait); ; {
		err := db.QueryRowContext(ctx, connectedOthers).Scan(&others)
		if err != nil || others == 0 || time.Now().After(until) {
			return others, err
		}
		select {
		case <-ctx.Done():
			return others, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// postgresTool runs a program of PostgreSQL on the database. The password goes by
// its environment: everybody on the machine may read the arguments.
func postgresTool(ctx context.Context, dsn, name string, args ...string) error {
	address, password, err := parted(dsn)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("%s is not there: install Debian's package postgresql-client: %w", name, err)
	}
	var said bytes.Buffer
	command := exec.CommandContext(ctx, path, append([]string{"--dbname=" + address}, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	if password != "" {
		command.Env = append(command.Env, "PGPASSWORD="+password)
	}
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// parted returns the data source name without its password, and the password.
func parted(dsn string) (address, password string, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", "", fmt.Errorf("database: %w", ErrDSN) // the cause would show the password
	}
	if u.User != nil {
		password, _ = u.User.Password()
		u.User = url.User(u.User.Username())
	}
	return u.String(), password, nil
}
