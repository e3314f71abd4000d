package check_test

import (
	"database/sql"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

// A flat is where a check is made: cw-1 counts for R-1, cw-2 for R-2.
type flat struct {
	t      *testing.T
	db     *sql.DB
	influx *influx.Client
	checks *check.Store
}

// each runs the test on both databases, each with an empty InfluxDB.
func each(t *testing.T, test func(f flat)) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		meterstest.Furnish(t, db)
		client := influxtest.Open(t)
		test(flat{t, db, client, check.NewStore(db, meters.NewStore(db), client)})
	})
}

// reads stores the index of a meter so long after Now.
func (f flat) reads(id metering.MeterID, after time.Duration, index metering.Amount) {
	f.t.Helper()
	if err := f.influx.WriteReadings(f.t.Context(), []metering.Reading{{Meter: id, Quantity: metering.Index, At: meterstest.Now.Add(after), Amount: index}}); err != nil {
		f.t.Fatal(err)
	}
}

func (f flat) dial(digits string, after time.Duration) check.Sheet {
	f.t.Helper()
	sh, err := f.checks.Typed(f.t.Context(), meterstest.Installer, "cw-1", digits, meterstest.Now.Add(after))
	if err != nil {
		f.t.Fatal(err)
	}
	return sh
}

// settled settles and returns the sheet.
func (f flat) settled(after time.Duration) check.Sheet {
	f.t.Helper()
	if err := f.checks.Settle(f.t.Context(), meterstest.Now.Add(after)); err != nil {
		f.t.Fatal(err)
	}
	sh, err := f.checks.Find(f.t.Context(), meterstest.Installer, "cw-1", meterstest.Now.Add(after))
	if err != nil {
		f.t.Fatal(err)
	}
	return sh
}

func (f flat) is(sh check.Sheet, after time.Duration, want check.State, outcome check.Outcome) {
	f.t.Helper()
	got := check.Outcome("")
	if sh.Latest != nil {
		got = sh.Latest.Outcome
	}
	if state := sh.At(meterstest.Now.Add(after)); state != want || got != outcome {
		f.t.Errorf("%s after %s %q, want %s after %q", state, after, got, want, outcome)
	}
}

func TestDialAndTap(t *testing.T) {
	each(t, func(f flat) {
		const m = time.Minute
		f.reads("cw-1", -5*m, 153_257_000)
		f.is(f.dial("153,257", 0), 0, check.Unverified, check.Agrees)
		if _, err := f.checks.OpenTap(f.t.Context(), meterstest.Installer, "cw-1", meterstest.Now.Add(m)); err != nil {
			f.t.Fatal(err)
		}
		sh := f.settled(2 * m)
		f.is(sh, 2*m, check.Unverified, check.Agrees)
		if sh.Running.IsZero() {
			f.t.Error("the tap does not run any more, though nothing was read")
		}
		f.reads("cw-2", -5*m, 7_000)
		f.reads("cw-2", 5*m, 9_000) // the neighbours draw as well
		f.reads("cw-1", 5*m, 153_297_000)
		sh = f.settled(6 * m)
		f.is(sh, 6*m, check.Verified, check.Moved)
		if !sh.Running.IsZero() || sh.Last == nil || sh.Last.Amount != 153_297_000 || len(sh.Latest.Others) != 0 {
			f.t.Errorf("sheet %+v", sh)
		}
		const week = 7*24*time.Hour + 6*m
		f.is(f.settled(week), week, check.SecondDue, check.Moved)
		f.reads("cw-1", week-m, 160_000_000)
		f.is(f.dial("160,0", week), week, check.Verified, check.Agrees)
		f.reads("cw-1", 2*week-m, 170_000_000)
		sh = f.dial("17,0", 2*week) // a digit is missing: it is below what was read
		f.is(sh, 2*week, check.Disputed, check.Differs)
	})
}

// The swapped flats of the book: the dial of R-1 hangs on the channel of R-2.
func TestSwappedFlats(t *testing.T) {
	each(t, func(f flat) {
		const m = time.Minute
		for _, id := range []metering.MeterID{"cw-1", "cw-2"} {
			f.reads(id, -5*m, 1000)
		}
		if _, err := f.checks.OpenTap(f.t.Context(), meterstest.Installer, "cw-1", meterstest.Now); err != nil {
			f.t.Fatal(err)
		}
		f.reads("cw-1", 5*m, 1000)
		sh := f.settled(6 * m)
		if sh.Running.IsZero() || sh.Latest != nil {
			f.t.Errorf("nothing moved, and it is decided: %+v", sh.Latest)
		}
		f.reads("cw-2", 5*m, 41_000)
		sh = f.settled(7 * m)
		f.is(sh, 7*m, check.Unverified, check.OtherMoved)
		if len(sh.Latest.Others) != 1 || sh.Latest.Others[0] != "cw-2" {
			f.t.Errorf("moved instead: %v, want cw-2", sh.Latest.Others)
		}
	})
}

// What may not be read finely of a neighbour is not looked at.
func TestCoarseNeighboursAreNotLookedAt(t *testing.T) {
	each(t, func(f flat) {
		const m = time.Minute
		sqldbtest.Exec(t, f.db, `UPDATE meter SET resolution = 'day' WHERE id = 'cw-2'`)
		for _, id := range []metering.MeterID{"cw-1", "cw-2"} {
			f.reads(id, -5*m, 1000)
		}
		if _, err := f.checks.OpenTap(f.t.Context(), meterstest.Installer, "cw-1", meterstest.Now); err != nil {
			f.t.Fatal(err)
		}
		f.reads("cw-1", 5*m, 1000)
		f.reads("cw-2", 5*m, 41_000)
		if sh := f.settled(7 * m); sh.Latest != nil {
			f.t.Errorf("decided by %+v", sh.Latest)
		}
		if sh := f.settled(31 * m); !sh.Running.IsZero() {
			f.t.Error("a tap that nobody closed runs for ever")
		}
	})
}

func TestDialWaitsForTheNextReading(t *testing.T) {
	each(t, func(f flat) {
		const m = time.Minute
		f.reads("cw-1", -5*m, 100_000_000)
		for _, tt := range []struct {
			digits string
			next   metering.Amount
			want   check.Outcome
		}{{"100,040", 100_050_000, check.Agrees}, {"100,140", 100_110_000, check.Differs}} {
			start := time.Duration(tt.next-100_050_000) * time.Microsecond * 10 // the second case is 10 minutes later
			sh := f.dial(tt.digits, start)
			if sh.Waiting.IsZero() {
				f.t.Fatalf("%s is decided at once: %+v", tt.digits, sh.Latest)
			}
			f.reads("cw-1", start+5*m, tt.next)
			sh = f.settled(start + 6*m)
			f.is(sh, start+6*m, check.Unverified, tt.want)
			if !sh.Waiting.IsZero() {
				f.t.Error("the dial still waits")
			}
		}
		f.dial("100,900", time.Hour-m*55)
		if sh := f.settled(5 * time.Hour); !sh.Waiting.IsZero() {
			f.t.Error("a dial waits for ever")
		}
	})
}

func TestWhatCannotBeChecked(t *testing.T) {
	each(t, func(f flat) {
		ctx, now := f.t.Context(), meterstest.Now
		f.reads("cw-1", -time.Hour, 1000) // too old to speak of a dial
		typed := func(who accounts.PersonID, id metering.MeterID, digits string) error {
			_, err := f.checks.Typed(ctx, who, id, digits, now)
			return err
		}
		_, tap := f.checks.OpenTap(ctx, meterstest.Installer, "cw-1", now)
		_, closed := f.checks.CloseTap(ctx, meterstest.Installer, "cw-1", now)
		_, manager := f.checks.Find(ctx, meterstest.Manager, "cw-1", now)
		_, elsewhere := f.checks.Find(ctx, meterstest.Elsewhere, "cw-1", now)
		_, tenant := f.checks.Find(ctx, meterstest.Tenant, "cw-1", now)
		for name, tt := range map[string]struct{ err, want error }{
			"old reading":           {typed(meterstest.Installer, "cw-1", "0,001"), meters.ErrNotRead},
			"tap of a silent meter": {tap, meters.ErrNotRead},
			"close what is closed":  {closed, meters.ErrNoTap},
			"hangs nowhere":         {typed(meterstest.Installer, "cw-spare", "1"), meters.ErrNotBound},
			"a manager":             {manager, meters.ErrNone},
			"another residence":     {elsewhere, meters.ErrNone},
			"a tenant":              {tenant, meters.ErrNone},
			"typed by a manager":    {typed(meterstest.Manager, "cw-1", "1"), meters.ErrNone},
		} {
			if !errors.Is(tt.err, tt.want) {
				f.t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
			}
		}
		var steps int
		if err := f.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM meter_check_step`).Scan(&steps); err != nil || steps != 0 {
			f.t.Errorf("%d steps noted, %v", steps, err)
		}
	})
}

// The index of the meter that hung there before is not shown, and the household
// sees who looked.
func TestLastIndexOnly(t *testing.T) {
	each(t, func(f flat) {
		sqldbtest.Exec(t, f.db, `UPDATE binding SET from_ms = $1 WHERE meter_id = 'cw-1'`, meterstest.Ago(time.Hour).UnixMilli())
		f.reads("cw-1", -2*time.Hour, 9_999) // when it hung elsewhere
		sh := f.settled(0)
		if sh.Last != nil {
			f.t.Errorf("shown: %+v", sh.Last)
		}
		for range 3 {
			f.settled(time.Minute)
		}
		var looks, others int
		if err := f.db.QueryRowContext(f.t.Context(), `SELECT (SELECT COUNT(*) FROM access_log WHERE household_id = 'F-1' AND person_id = 'P-installer' AND role = 'installer' AND what = 'look.meter'),
		       (SELECT COUNT(*) FROM access_log WHERE household_id <> 'F-1')`).Scan(&looks, &others); err != nil || looks != 1 || others != 0 {
			f.t.Errorf("%d looks noted, %d of others, %v; want one", looks, others, err)
		}
	})
}

// Another binding begins unverified, and so does a meter that comes back.
func TestAnotherBindingIsUnverified(t *testing.T) {
	each(t, func(f flat) {
		fleet := meters.NewStore(f.db)
		sqldbtest.Exec(t, f.db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state, dial_ms, tap_ms) VALUES ('cw-1', 'R-1-cw', 1735689600000, 'verified', 1, 1)`)
		f.is(f.settled(0), 0, check.Verified, "")
		zero := metering.Amount(0)
		if err := errors.Join(fleet.TakeDown(f.t.Context(), meterstest.Installer, "cw-1", meterstest.Ago(time.Hour), 5),
			fleet.Hang(f.t.Context(), meterstest.Installer, meters.Binding{Meter: "cw-1", Point: "R-1-cw", From: meterstest.Ago(time.Minute), FirstIndex: &zero})); err != nil {
			f.t.Fatal(err)
		}
		f.is(f.settled(0), 0, check.Unverified, "")
	})
}

func TestStatesOfADwelling(t *testing.T) {
	each(t, func(f flat) {
		sqldbtest.Exec(f.t, f.db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state, due_ms) VALUES
			('cw-1', 'R-1-cw', 1735689600000, 'verified', $1), ('cw-2', 'R-2-cw', 1735689600000, 'verified', NULL), ('el-1', 'R-1-el', 1, 'verified', NULL)`, meterstest.Now.UnixMilli())
		for after, want := range map[time.Duration]check.State{-time.Second: check.Verified, 0: check.SecondDue} {
			got, err := f.checks.States(f.t.Context(), "R-1", meterstest.Now.Add(after))
			// el-1 was verified when it hung there before; cw-2 is another home's.
			if diff := cmp.Diff(map[metering.MeterID]check.State{"cw-1": want, "el-1": check.Unverified}, got); err != nil || diff != "" {
				f.t.Errorf("states %v (-want +got):\n%s", err, diff)
			}
		}
	})
}
