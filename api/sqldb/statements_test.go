package sqldb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	"modernc.org/sqlite"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// counting connects as another connector does and counts what is prepared.
type counting struct {
	driver.Connector
	prepared atomic.Int64
}

func (c *counting) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return countingConn{opened.(sqldb.Conn), c}, nil
}

type countingConn struct {
	sqldb.Conn
	of *counting
}

func (c countingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.of.prepared.Add(1)
	return c.Conn.PrepareContext(ctx, text)
}

// one opens a single connection to an SQLite file of its own with a table of
// numbers.
func one(t *testing.T) (*sql.DB, *counting) {
	t.Helper()
	plain, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "kept.db"))
	if err != nil {
		t.Fatal(err)
	}
	count := &counting{Connector: plain}
	db := sql.OpenDB(sqldb.Keeping(count))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	sqldbtest.Exec(t, db, `CREATE TABLE number (n INTEGER PRIMARY KEY)`)
	for n := range 3 {
		sqldbtest.Exec(t, db, insertNumber, n)
	}
	return db, count
}

const (
	insertNumber = `INSERT INTO number (n) VALUES ($1)`
	countNumbers = `SELECT COUNT(*) FROM number WHERE n >= $1`
	listNumbers  = `SELECT n FROM number ORDER BY n`
)

type asker interface {
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

func checkCount(t *testing.T, db asker, from, want int) {
	t.Helper()
	var got int
	if err := db.QueryRowContext(t.Context(), countNumbers, from).Scan(&got); err != nil || got != want {
		t.Errorf("numbers from %d on: %d, %v; want %d", from, got, err, want)
	}
}

func TestStatementsArePreparedOnce(t *testing.T) {
	db, count := one(t)
	before := count.prepared.Load()
	for range 3 {
		checkCount(t, db, 1, 2)
		checkCount(t, db, 2, 1)
	}
	err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		checkCount(t, tx, 0, 3)
		_, err := tx.ExecContext(t.Context(), insertNumber, 3)
		checkCount(t, tx, 0, 4)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := count.prepared.Load() - before; got != 1 {
		t.Errorf("prepared %d times, want once: the insertion is known already", got)
	}
}

// Rows of the same text may be open at once in a transaction: they do not disturb
// each other.
func TestOpenRowsHaveTheirOwnStatement(t *testing.T) {
	db, _ := one(t)
	err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		outer, err := tx.QueryContext(t.Context(), listNumbers)
		if err != nil {
			return err
		}
		var pairs []string
		for outer.Next() {
			var a int
			if err := outer.Scan(&a); err != nil {
				return errors.Join(err, outer.Close())
			}
			inner, err := tx.QueryContext(t.Context(), listNumbers)
			if err != nil {
				return errors.Join(err, outer.Close())
			}
			all, err := sqldb.Collect(inner, func(rows *sql.Rows) (b int, err error) { return b, rows.Scan(&b) })
			if err != nil {
				return errors.Join(err, outer.Close())
			}
			pairs = append(pairs, fmt.Sprint(a, all))
		}
		if got, want := fmt.Sprint(pairs), "[0 [0 1 2] 1 [0 1 2] 2 [0 1 2]]"; got != want {
			t.Errorf("pairs = %s, want %s", got, want)
		}
		return errors.Join(outer.Err(), outer.Close())
	})
	if err != nil {
		t.Error(err)
	}
}

// Rows that were left half read hold nothing: the table can be dropped, and the
// text starts from its first row again.
func TestRowsLeftHalfReadLetGo(t *testing.T) {
	db, _ := one(t)
	for range 2 {
		var first int
		if err := db.QueryRowContext(t.Context(), listNumbers).Scan(&first); err != nil || first != 0 {
			t.Errorf("first number %d, %v; want 0", first, err)
		}
	}
	sqldbtest.Exec(t, db, `DROP TABLE number`)
}

func TestAFailureIsNotKept(t *testing.T) {
	db, _ := one(t)
	for range 2 {
		if _, err := db.ExecContext(t.Context(), insertNumber, 1); err == nil {
			t.Error("the same number was stored twice")
		}
	}
	sqldbtest.Exec(t, db, insertNumber, 7)
	checkCount(t, db, 7, 1)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := db.QueryRowContext(ended, countNumbers, 0).Scan(new(int)); !errors.Is(err, context.Canceled) {
		t.Errorf("asked in a context that is over: %v", err)
	}
	checkCount(t, db, 0, 4)
}

func TestKeptStatementsFollowTheSchema(t *testing.T) {
	db, _ := one(t)
	const all = `SELECT * FROM number WHERE n = 2`
	var n int
	if err := db.QueryRowContext(t.Context(), all).Scan(&n); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	sqldbtest.Exec(t, db, `ALTER TABLE number ADD COLUMN word TEXT NOT NULL DEFAULT 'two'`)
	var word string
	if err := db.QueryRowContext(t.Context(), all).Scan(&n, &word); err != nil || word != "two" {
		t.Errorf("%d %q, %v; want the new column", n, word, err)
	}
}

// What has been asked longest ago is forgotten first.
func TestKeptStatementsAreBounded(t *testing.T) {
	db, count := one(t)
	text := func(n int) string { return fmt.Sprintf("SELECT %d + COUNT(*) FROM number", n) }
	ask := func(n int) {
		t.Helper()
		var got int
		if err := db.QueryRowContext(t.Context(), text(n)).Scan(&got); err != nil || got != n+3 {
			t.Errorf("text %d gives %d, %v", n, got, err)
		}
	}
	for n := range 2 * sqldb.MostKept {
		ask(n)
	}
	before := count.prepared.Load()
	for n := sqldb.MostKept; n < 2*sqldb.MostKept; n++ {
		ask(n)
	}
	if got := count.prepared.Load() - before; got != 0 {
		t.Errorf("%d of the last %d texts were prepared again", got, sqldb.MostKept)
	}
	ask(0)
	if got := count.prepared.Load() - before; got != 1 {
		t.Errorf("the first text was prepared %d times again, want once", got)
	}
}

// Many people ask and change at once, on both databases.
func TestStatementsOfManyPeople(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		const people, times = 8, 40
		group, ctx := errgroup.WithContext(t.Context())
		for p := range people {
			group.Go(func() error {
				for n := range times {
					if err := putAndAsk(ctx, db, fmt.Sprintf("P%d-%d", p, n)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM person`).Scan(&n); err != nil || n != people*times {
			t.Errorf("persons = %d, %v; want %d", n, err, people*times)
		}
	})
}

func putAndAsk(ctx context.Context, db *sql.DB, id string) error {
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO person (id, name, language) VALUES ($1, $1, 'fr')`, id); err != nil {
			return err
		}
		var name string
		err := tx.QueryRowContext(ctx, `SELECT name FROM person WHERE id = $1`, id).Scan(&name)
		if err == nil && name != id {
			err = fmt.Errorf("person %s is called %s", id, name)
		}
		return err
	})
}

// A page asks a dozen statements: 20 µs each on an idle processor where they are
// kept, several times as much where they are prepared anew.
func BenchmarkKeptStatement(b *testing.B) {
	db := sqldbtest.Open(b, filepath.Join(b.TempDir(), "xnet.db"))
	for b.Loop() {
		var n int
		if err := db.QueryRowContext(b.Context(), `SELECT COUNT(*) FROM sight WHERE viewer_id = $1`, "P1").Scan(&n); err != nil {
			b.Fatal(err)
		}
	}
}
