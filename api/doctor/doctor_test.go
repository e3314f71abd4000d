package doctor_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/doctor"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

var now = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

func said(t *testing.T, checks ...doctor.Check) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := doctor.Run(t.Context(), &out, checks)
	return out.String(), err
}

func TestClock(t *testing.T) {
	at := func(when time.Time) func() time.Time { return func() time.Time { return when } }
	kernel := func(right bool, err error) func() (bool, error) { return func() (bool, error) { return right, err } }
	for _, tt := range []struct {
		name, says string
		check      doctor.Check
		ill        bool
	}{
		{"right", "well   clock: a time server keeps it right\n", doctor.Clock(kernel(true, nil), at(now)), false},
		{"free", "no time server keeps it right\n       do: timedatectl set-ntp true", doctor.Clock(kernel(false, nil), at(now)), true},
		{"of 1970", "it says 1970-01-02\n       do: timedatectl set-ntp true", doctor.Clock(kernel(true, nil), at(time.Unix(86400, 0).UTC())), true},
		{"unknown", "WRONG  clock: no\n", doctor.Clock(kernel(false, errors.New("no")), at(now)), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := said(t, tt.check)
			if !strings.Contains(got, tt.says) || errors.Is(err, doctor.ErrIll) != tt.ill {
				t.Errorf("%q, %v; want %q", got, err, tt.says)
			}
		})
	}
}

// A disk of one megabyte is filled; that takes the right to mount one.
func TestDiskThatFillsUp(t *testing.T) {
	folder := t.TempDir()
	if got, err := said(t, doctor.Disks([]string{filepath.Join(folder, "none")})); err == nil || !strings.Contains(got, "do: make the folder") {
		t.Errorf("no folder: %q, %v", got, err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("NOT RUN: a disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, 0) })
	if got, err := said(t, doctor.Disks([]string{folder})); err != nil || !strings.Contains(got, "well   disk") {
		t.Errorf("empty: %q, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "large"), make([]byte, 970_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := said(t, doctor.Disks([]string{folder})); !errors.Is(err, doctor.ErrIll) || !strings.Contains(got, "% full") || !strings.Contains(got, "do: make room") {
		t.Errorf("full: %q, %v", got, err)
	}
}

// What SQL knows is the same on both databases.
func TestStanding(t *testing.T) {
	testkit.DB(t, func(t *testing.T, dsn string) {
		db := sqldbtest.Open(t, dsn)
		meterstest.Furnish(t, db)
		hour := time.Hour.Milliseconds()
		ms := sqldb.Ms(now)
		if _, err := db.ExecContext(t.Context(), `INSERT INTO gateway_report (residence_id, gateway_id, heard_ms, online, program, boot, clock, spool_packs, spool_oldest_ms, spool_alarm, config, config_fault)
			VALUES ('R', 'gw-r', $1, 1, '', '', '', 3, $2, 0, '', 'no meter'), ('R', 'gw-r2', $2, 0, '', '', '', 0, 0, 0, '', '')`, ms, ms-hour); err != nil {
			t.Fatal(err)
		}
		for id, m := range map[string][2]any{"m1": {"waiting", ms - 3*hour}, "m2": {"waiting", ms - 2*hour}, "m3": {"failed", ms - hour}, "m4": {"failed", ms - 24*30*hour}} {
			var done any
			if m[0] == "failed" {
				done = m[1]
			}
			if _, err := db.ExecContext(t.Context(), `INSERT INTO outbox (id, channel, kind, subject, recipient, state, attempts, created_ms, next_ms, done_ms)
				VALUES ($1, 'email', 'code', 's', '', $2, 1, $3, $3, $4)`, id, m[0], m[1], done); err != nil {
				t.Fatal(err)
			}
		}
		got, err := doctor.StandingAt(t.Context(), db, now)
		if err != nil {
			t.Fatal(err)
		}
		want := doctor.Standing{Gateways: []doctor.Gateway{
			{Site: "R", ID: "gw-r", Heard: now, Online: true, SpoolOldest: now.Add(-time.Hour), Fault: "no meter"},
			{Site: "R", ID: "gw-r2", Heard: now.Add(-time.Hour)}, {Site: "S", ID: "gw-s"}},
			Waiting: []doctor.Queue{{Channel: "email", Waiting: 2, Failed: 1, Oldest: now.Add(-3 * time.Hour)}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("standing (-want +got):\n%s", diff)
		}
		if got.Gateways[0].Silent(now) || !got.Gateways[1].Silent(now) || !got.Gateways[2].Silent(now) {
			t.Error("silent: want the second, which said farewell, and the third, which was never heard")
		}
	})
}
