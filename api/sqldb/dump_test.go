package sqldb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// What is saved and put back is the same on both databases; nothing is replaced
// unasked, nor under the feet of an API.
func TestSaveAndPutBack(t *testing.T) {
	testkit.DB(t, func(t *testing.T, dsn string) {
		file := filepath.Join(t.TempDir(), "copy")
		db, err := sqldb.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		hold, err := sqldb.HoldOpen(dsn)
		if err != nil {
			t.Fatal(err)
		}
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P1', 'Ana', 'fr')`)
		if err := sqldb.Save(t.Context(), dsn, file); err != nil {
			t.Fatal(err)
		}
		if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("back-up: %v, %v, want mode 0600", s, err)
		}
		if err := sqldb.Save(t.Context(), dsn, file); !errors.Is(err, os.ErrExist) && !errors.Is(err, sqldb.ErrExists) {
			t.Errorf("over a back-up: %v", err)
		}
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P2', 'Bea', 'fr')`)
		if err := sqldb.PutBack(t.Context(), dsn, file, true); !errors.Is(err, sqldb.ErrInUse) {
			t.Errorf("while used: %v, want %v", err, sqldb.ErrInUse)
		}
		if err := errors.Join(hold.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
		if err := sqldb.PutBack(t.Context(), dsn, file, false); !errors.Is(err, sqldb.ErrOccupied) {
			t.Errorf("over a database: %v, want %v", err, sqldb.ErrOccupied)
		}
		if err := sqldb.PutBack(t.Context(), dsn, file, true); err != nil {
			t.Fatal(err)
		}
		again := sqldbtest.Open(t, dsn)
		var names string
		if err := again.QueryRowContext(t.Context(), `SELECT MIN(name) || COUNT(*) FROM person`).Scan(&names); err != nil || names != "Ana1" {
			t.Errorf("restored: %q, %v, want Ana1", names, err)
		}
	})
}

func TestPostgresPasswordIsNotShown(t *testing.T) {
	err := sqldb.Save(t.Context(), "postgres://u:geheim@127.0.0.1:1/d", filepath.Join(t.TempDir(), "x"))
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("error %v, want one without the password", err)
	}
}
