package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// migrateEnv names the database that a child process of the test migrates.
const migrateEnv = "XNET_TEST_MIGRATE"

// schemaText is every statement that made the schema of an SQLite database.
func schemaText(t *testing.T, path string) (all []string) {
	t.Helper()
	db, _, err := sqldb.OpenAsIs(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY sql`)
	if err == nil {
		all, err = sqldb.Collect(rows, func(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInterruptedUpgrade kills the program that migrates, again and again, each
// time a little later. The next one goes on, to the schema that it would have had.
func TestInterruptedUpgrade(t *testing.T) {
	if path := os.Getenv(migrateEnv); path != "" {
		sqldbtest.Open(t, path)
		return
	}
	path, whole := filepath.Join(t.TempDir(), "api.db"), filepath.Join(t.TempDir(), "api.db")
	killed, between := 0, 0
	for after := 30 * time.Millisecond; ; after += 20 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestInterruptedUpgrade$") // killed, not asked, when its time is up
		child.Env = append(os.Environ(), migrateEnv+"="+path)
		said, err := child.CombinedOutput()
		late := ctx.Err() != nil
		cancel()
		if !late {
			if err != nil {
				t.Fatalf("after %d kills: %v\n%s", killed, err, said)
			}
			break
		}
		killed++
		if db, is, err := sqldb.OpenAsIs(t.Context(), path); err == nil {
			if len(is.Pending) > 0 && is.Newest > 0 {
				between++
			}
			db.Close()
		}
	}
	sqldbtest.Open(t, whole)
	if diff := cmp.Diff(schemaText(t, whole), schemaText(t, path)); diff != "" {
		t.Errorf("after %d kills the schema differs (-whole +interrupted):\n%s", killed, diff)
	}
	t.Logf("killed %d times, %d of them between two migrations", killed, between)
}

// without are the migrations of a release that had not all of them yet.
func without(t *testing.T, numbers ...string) fs.FS {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("migrations")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		if slices.Contains(numbers, number) || strings.HasSuffix(e.Name(), ".postgres.sql") {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return os.DirFS(dir)
}

// TestUpgradeFillsWhatLacks: areas count their migrations apart, so that a release
// brings numbers below those that were applied.
func TestUpgradeFillsWhatLacks(t *testing.T) {
	path, whole := filepath.Join(t.TempDir(), "api.db"), filepath.Join(t.TempDir(), "api.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, without(t, "0066", "0087"), goose.WithTableName("schema_version"), goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = provider.Up(t.Context())
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	as, is, err := sqldb.OpenAsIs(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer as.Close()
	if diff := cmp.Diff([]int64{66, 87}, is.Pending); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	sqldbtest.Open(t, path)
	sqldbtest.Open(t, whole)
	if diff := cmp.Diff(schemaText(t, whole), schemaText(t, path)); diff != "" {
		t.Errorf("the upgraded schema differs (-whole +upgraded):\n%s", diff)
	}
}

// TestNewerDatabaseIsRefused: a program that was taken back must not write into a
// schema that it does not know, nor restore one.
func TestNewerDatabaseIsRefused(t *testing.T) {
	testkit.DB(t, func(t *testing.T, dsn string) {
		sqldbtest.Exec(t, sqldbtest.Open(t, dsn), `INSERT INTO schema_version (version_id, is_applied) VALUES (9967, TRUE)`)
		if _, err := sqldb.Open(t.Context(), dsn); !errors.Is(err, sqldb.ErrNewer) || !strings.Contains(err.Error(), "[9967]") || strings.Contains(err.Error(), "?") {
			t.Errorf("error %v, want %v, naming the version, and no other remedy", err, sqldb.ErrNewer)
		}
	})
	running, newer, older := filepath.Join(t.TempDir(), "api.db"), filepath.Join(t.TempDir(), "newer.db"), filepath.Join(t.TempDir(), "api.db")
	sqldbtest.Exec(t, sqldbtest.Open(t, running), `INSERT INTO schema_version (version_id, is_applied) VALUES (9967, TRUE)`)
	if err := sqldb.Backup(t.Context(), running, newer); err != nil {
		t.Fatal(err)
	}
	if err := sqldb.Restore(t.Context(), older, newer, false); !errors.Is(err, sqldb.ErrNewer) {
		t.Errorf("restore: %v, want %v", err, sqldb.ErrNewer)
	}
	if _, err := os.Stat(older); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused back-up made a database: %v", err)
	}
}
