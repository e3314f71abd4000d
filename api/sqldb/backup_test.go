package sqldb_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

func TestBackupWhileUsed(t *testing.T) {
	folder := t.TempDir()
	dsn, file := filepath.Join(folder, "api.db"), filepath.Join(folder, "copy.db")
	db := sqldbtest.Open(t, dsn)
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P1', 'Ana Oubliée', 'fr'), ('P2', 'Bea', 'fr')`)
	sqldbtest.Exec(t, db, `DELETE FROM person WHERE id = 'P1'`)
	if err := sqldb.Backup(t.Context(), dsn, file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("back-up: %v, %v, want mode 0600", info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil || bytes.Contains(text, []byte("Ana Oubliée")) || !bytes.Contains(text, []byte("Bea")) {
		t.Errorf("the back-up holds what was deleted, or not what is there: %v", err)
	}
	if err := sqldb.Backup(t.Context(), dsn, file); !errors.Is(err, sqldb.ErrExists) {
		t.Errorf("second back-up to the file: %v, want %v", err, sqldb.ErrExists)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*.partial"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBackupRefuses(t *testing.T) {
	folder := t.TempDir()
	if err := sqldb.Backup(t.Context(), "postgres://h/d", filepath.Join(folder, "x")); !errors.Is(err, sqldb.ErrNotSQLite) {
		t.Errorf("PostgreSQL: %v", err)
	}
	if err := sqldb.Backup(t.Context(), filepath.Join(folder, "none.db"), filepath.Join(folder, "x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no database: %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "none.db")); err == nil {
		t.Error("the back-up made the database it was to copy")
	}
}

func TestRestore(t *testing.T) {
	folder := t.TempDir()
	dsn, file := filepath.Join(folder, "api.db"), filepath.Join(folder, "copy.db")
	db, err := sqldb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P1', 'Ana', 'fr')`)
	if err := sqldb.Backup(t.Context(), dsn, file); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P2', 'Bea', 'fr')`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, want error, from string, replace bool) {
		t.Helper()
		if err := sqldb.Restore(t.Context(), dsn, from, replace); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	hold, err := sqldb.HoldOpen(dsn)
	if err != nil {
		t.Fatal(err)
	}
	second, err := sqldb.HoldOpen(dsn)
	if err != nil {
		t.Errorf("a second API: %v", err)
	}
	refused("while the API runs", sqldb.ErrInUse, file, true)
	if err := errors.Join(hold.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	refused("over a database", sqldb.ErrOccupied, file, false)
	rubbish := filepath.Join(folder, "rubbish")
	if err := os.WriteFile(rubbish, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("rubbish", sqldb.ErrDamaged, rubbish, true)
	refused("no file", sqldb.ErrDamaged, filepath.Join(folder, "none"), true)
	if names := people(t, dsn); names != "AnaBea" {
		t.Errorf("after the refusals the database holds %q", names)
	}
	if err := sqldb.Restore(t.Context(), dsn, file, true); err != nil {
		t.Fatal(err)
	}
	if names := people(t, dsn); names != "Ana" {
		t.Errorf("restored = %q, want Ana", names)
	}
	if info, err := os.Stat(dsn); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("restored database: %v, %v, want mode 0600", info, err)
	}
}

func people(t *testing.T, dsn string) (names string) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT COALESCE(group_concat(name, ''), '') FROM (SELECT name FROM person ORDER BY name)`).Scan(&names); err != nil {
		t.Fatal(err)
	}
	return names
}
