package main

import (
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/backup"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// machine is the environment of a machine's programs; InfluxDB keeps all, since
// the house's days are fixed.
func machine(dsn, influxURL string) func(string) string {
	return environment(map[string]string{"XNET_API_DATABASE_DSN": dsn, "XNET_API_ADVISOR_NAME": "Claire Moreau",
		"XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00", "XNET_API_INFLUX_URL": influxURL,
		"XNET_API_INFLUX_KEEP_READINGS_DAYS": "0", "XNET_API_INFLUX_KEEP_HOURLY_DAYS": "0", "XNET_API_INFLUX_KEEP_DAILY_DAYS": "0"})
}

// serveAgain serves the pages of a machine, with the codes of a house.
func serveAgain(t *testing.T, env func(string) string, of house, server *testkit.InfluxServer) house {
	t.Helper()
	c, err := configured{}.load(program{env, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	again := house{influx: server, codes: of.codes, db: sqldbtest.Open(t, c.Database.DSN)}
	client, err := influx.Open(c.Influx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	handler, err := serverFor(t, c, again, client).routes()
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	again.url = served.URL
	return again
}

func serverFor(t *testing.T, c Config, h house, client *influx.Client) server {
	return server{config: c, db: h.db, influx: client, log: testkit.Logger(t), now: func() time.Time { return fixedNow(t) },
		figures: figures.NewRegistry(), ready: func() error { return nil }}
}

// dsn is the path of the house's database.
func (h house) dsn(t *testing.T) (path string) {
	t.Helper()
	if err := h.db.QueryRowContext(t.Context(), `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		t.Fatal(err)
	}
	return path
}

var secrets = regexp.MustCompile(`value="[^"]{20,}"`)

// pages are those that the people of the house come for, without what is of one
// session.
func (h house) pages(t *testing.T) map[string]string {
	t.Helper()
	shown := map[string]string{}
	for person, paths := range map[string][]string{"P-new": {"/", "/consommation/2026-02", "/consommation/2026-03"}, "P-old": {"/", "/consommation/2026-02"}, "P-next": {"/"}} {
		v := h.visit(t, person)
		for _, path := range paths {
			status, page := v.get(path)
			if status != 200 {
				t.Errorf("%s %s: status %d", person, path, status)
			}
			shown[person+" "+path] = secrets.ReplaceAllString(page, `value=""`)
		}
	}
	return shown
}

// A back-up restored on an empty machine gives the same pages; what was erased
// after it stays erased; half a back-up changes nothing.
func TestBackupOfEverything(t *testing.T) {
	h := newHouse(t)
	dsn := h.dsn(t)
	folder := t.TempDir()
	kept, env := filepath.Join(folder, "kept"), machine(dsn, h.influx.URL)
	before := h.pages(t)
	if said := command(t, env, "backup-all", kept); !strings.Contains(said, "InfluxDB daily: ") || !strings.Contains(said, dsn+".erasures") {
		t.Errorf("backup-all says %q", said)
	}
	if err := run(t.Context(), []string{"backup-all", kept}, env, io.Discard); !errors.Is(err, backup.ErrExists) {
		t.Errorf("over a back-up: %v, want %v", err, backup.ErrExists)
	}
	away := testkit.Influx(t)
	t.Run("half a back-up", func(t *testing.T) { testHalfABackup(t, kept, away.URL) })
	t.Run("empty machine", func(t *testing.T) {
		fresh := machine(filepath.Join(t.TempDir(), "new", "api.db"), away.URL)
		command(t, fresh, "restore-all", kept)
		if diff := cmp.Diff(before, serveAgain(t, fresh, h, away).pages(t)); diff != "" {
			t.Errorf("pages of the restored machine (-want +got):\n%s", diff)
		}
	})
	t.Run("erased since", func(t *testing.T) { testErasedSince(t, h, dsn, kept, away) })
	t.Run("InfluxDB away", func(t *testing.T) {
		h.influx.Kill()
		if err := run(t.Context(), []string{"backup-all", filepath.Join(folder, "other")}, env, io.Discard); !errors.Is(err, influx.ErrTemporary) {
			t.Errorf("error %v, want %v", err, influx.ErrTemporary)
		}
		if left, err := filepath.Glob(filepath.Join(folder, "other*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// testHalfABackup takes from a copy, or adds to it, one thing at a time.
func testHalfABackup(t *testing.T, kept, influxURL string) {
	dsn := filepath.Join(t.TempDir(), "api.db")
	entries, err := os.ReadDir(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if s, err := e.Info(); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", e.Name(), s, err)
		}
		for what, do := range map[string]func(string) error{
			"missing": os.Remove,
			"cut":     func(path string) error { return change(path, func(text []byte) []byte { return text[:len(text)/2] }) },
			"changed": func(path string) error {
				return change(path, func(text []byte) []byte { text[len(text)/2] ^= 1; return text })
			},
		} {
			half := filepath.Join(t.TempDir(), "half")
			if err := os.CopyFS(half, os.DirFS(kept)); err != nil {
				t.Fatal(err)
			}
			if err := do(filepath.Join(half, e.Name())); err != nil {
				t.Fatal(err)
			}
			err := run(t.Context(), []string{"restore-all", half}, machine(dsn, influxURL), io.Discard)
			if !errors.Is(err, backup.ErrBroken) || !strings.Contains(err.Error(), half) {
				t.Errorf("%s %s: %v, want %v", e.Name(), what, err, backup.ErrBroken)
			}
		}
	}
	if _, err := os.Stat(dsn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused back-up made a database: %v", err)
	}
}

func change(path string, do func([]byte) []byte) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, do(text), 0o600)
}

// testErasedSince restores with the ledger that an administrator copied away.
func testErasedSince(t *testing.T, h house, dsn, kept string, away *testkit.InfluxServer) {
	store := consent.NewStore(h.db, consent.OpenLedger(dsn+".erasures"))
	sqldbtest.Exec(t, h.db, `INSERT INTO person (id, name, language) VALUES ('P-clerk', 'Luc', 'fr')`)
	if _, err := store.EraseAll(t.Context(), "F-next", consent.ByRequest, "P-clerk", time.Now()); err != nil {
		t.Fatal(err)
	}
	env := machine(filepath.Join(t.TempDir(), "api.db"), away.URL)
	said := command(t, env, "restore-all", "--ledger", dsn+".erasures", kept)
	if !strings.Contains(said, "ledger of erasures: 1 entries added") || !strings.Contains(said, "1 erasures done again") {
		t.Errorf("restore-all says %q", said)
	}
	c, err := configured{}.load(program{env, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	client, err := influx.Open(c.Influx)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	from, to := fixedNow(t).AddDate(-1, 0, 0), fixedNow(t).AddDate(1, 0, 0)
	days, err := client.Consumption(t.Context(), influx.Daily, []metering.MeterID{"cw-2", "cw-3"}, from, to)
	if err != nil || len(days["cw-2"]) == 0 || len(days["cw-3"]) > 0 {
		t.Errorf("days of the neighbours %d, of whom asked to be erased %d, %v; want some and none", len(days["cw-2"]), len(days["cw-3"]), err)
	}
	if err := run(t.Context(), []string{"restore-all", kept}, env, io.Discard); !errors.Is(err, sqldb.ErrOccupied) {
		t.Errorf("over a database: %v, want %v", err, sqldb.ErrOccupied)
	}
}
