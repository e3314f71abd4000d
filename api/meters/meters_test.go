package meters_test

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// each runs the test on both databases, furnished.
func each(t *testing.T, test func(t *testing.T, db *sql.DB, s *meters.Store)) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		meterstest.Furnish(t, db)
		test(t, db, meters.NewStore(db))
	})
}

var page = resource.Page{Limit: 100}

// key is the message of the problem that err is, empty for none.
func key(err error) string {
	if err == nil {
		return ""
	}
	p := problem.Of(err)
	if p.Kind == problem.Internal {
		return err.Error()
	}
	return p.Message
}

// What staff of another residence, or of another trade, ask for is not there.
func TestStaffSeeTheirResidencesOnly(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *meters.Store) {
		ctx := t.Context()
		for _, tt := range []struct {
			who                      accounts.PersonID
			gateways, meters, points int
			seesR, changesR, seesS   bool
		}{
			{meterstest.Installer, 2, 4, 3, true, true, false},
			{meterstest.Elsewhere, 1, 1, 1, false, false, true},
			{meterstest.Manager, 2, 4, 3, true, false, false},
			{meterstest.Admin, 3, 5, 4, true, true, true},
			{meterstest.Technician, 0, 0, 0, false, false, false},
			{meterstest.Tenant, 0, 0, 0, false, false, false},
			{"P-nobody", 0, 0, 0, false, false, false},
		} {
			t.Run(string(tt.who), func(t *testing.T) {
				g, err := s.Gateways(ctx, tt.who, "", page)
				m, errM := s.Meters(ctx, tt.who, meters.MeterFilter{}, page)
				p, errP := s.Points(ctx, tt.who, meters.PointFilter{}, page)
				if err := errors.Join(err, errM, errP); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]int{tt.gateways, tt.meters, tt.points}, []int{len(g), len(m), len(p)}); diff != "" {
					t.Errorf("gateways, meters, points (-want +got):\n%s", diff)
				}
				sees := func(what string, err error, want bool) {
					t.Helper()
					if (err == nil) != want || err != nil && !errors.Is(err, meters.ErrNone) {
						t.Errorf("%s: %v, want it found: %v", what, err, want)
					}
				}
				_, err = s.GatewayByID(ctx, tt.who, "gw-r")
				sees("gateway", err, tt.seesR)
				_, err = s.MeterByID(ctx, tt.who, "cw-1")
				sees("meter", err, tt.seesR)
				_, err = s.PointByID(ctx, tt.who, "R-1-cw")
				sees("point", err, tt.seesR)
				_, err = s.MeterByID(ctx, tt.who, "cw-s")
				sees("meter of S", err, tt.seesS)
				_, err = s.WritableMeter(ctx, tt.who, "cw-1")
				sees("meter to change", err, tt.changesR)
				_, err = s.WritableGateway(ctx, tt.who, "gw-r")
				sees("gateway to change", err, tt.changesR)
			})
		}
	})
}

// Nor may they add to it.
func TestStaffChangeTheirResidencesOnly(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *meters.Store) {
		for who, may := range map[accounts.PersonID]bool{meterstest.Installer: true, meterstest.Admin: true, meterstest.Elsewhere: false,
			meterstest.Manager: false, meterstest.Technician: false, meterstest.Tenant: false} {
			for what, err := range map[string]error{
				"gateway":          s.CreateGateway(t.Context(), who, meters.Gateway{ID: metering.GatewayID("gw-new-" + who), Residence: "R"}),
				"meter":            s.CreateMeter(t.Context(), who, meters.Meter{ID: metering.MeterID("m-" + who), Gateway: "gw-r", Kind: metering.Heat, Interval: time.Minute}),
				"point":            s.CreatePoint(t.Context(), who, meters.Point{ID: metering.PointID("p-" + who), Dwelling: "R-1", Kind: metering.Heat}),
				"building's point": s.CreatePoint(t.Context(), who, meters.Point{ID: metering.PointID("b-" + who), Residence: "R", Building: "A", Kind: metering.Heat}),
			} {
				if (err == nil) != may || err != nil && !errors.Is(err, meters.ErrNone) {
					t.Errorf("%s creates a %s: %v, want it allowed: %v", who, what, err, may)
				}
			}
		}
	})
}

func TestFilters(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *meters.Store) {
		for _, tt := range []struct {
			name   string
			filter meters.MeterFilter
			want   []metering.MeterID
		}{
			{"residence", meters.MeterFilter{Residence: "S"}, []metering.MeterID{"cw-s"}},
			{"gateway", meters.MeterFilter{Gateway: "gw-r"}, []metering.MeterID{"cw-1", "cw-2", "cw-spare", "el-1"}},
			{"serial", meters.MeterFilter{Serial: "30110002"}, []metering.MeterID{"cw-2"}},
			{"id typed for a serial", meters.MeterFilter{Serial: "el-1"}, []metering.MeterID{"el-1"}},
			{"unknown serial", meters.MeterFilter{Serial: "3011"}, nil},
		} {
			all, err := s.Meters(t.Context(), meterstest.Admin, tt.filter, page)
			if err != nil {
				t.Fatal(err)
			}
			var got []metering.MeterID
			for _, m := range all {
				got = append(got, m.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
		first, err := s.Meters(t.Context(), meterstest.Admin, meters.MeterFilter{}, resource.Page{Limit: 2})
		rest, errRest := s.Meters(t.Context(), meterstest.Admin, meters.MeterFilter{}, resource.Page{After: "cw-2", Limit: 2})
		if errors.Join(err, errRest) != nil || len(first) != 3 || len(rest) != 3 || rest[0].ID != "cw-s" {
			t.Errorf("pages of %d and %d, %v %v", len(first), len(rest), err, errRest)
		}
	})
}

func TestConflicts(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *meters.Store) {
		ctx := t.Context()
		at := meterstest.Ago(time.Hour)
		zero := metering.Amount(0)
		create := func(m meters.Meter) error {
			m.Gateway, m.Kind, m.Interval = "gw-r", metering.ColdWater, time.Minute
			return s.CreateMeter(ctx, meterstest.Installer, m)
		}
		for _, tt := range []struct {
			name string
			err  error
			want string
		}{
			{"gateway twice", s.CreateGateway(ctx, meterstest.Installer, meters.Gateway{ID: "gw-r", Residence: "R"}), "equipment.exists"},
			{"another residence's id", s.CreateGateway(ctx, meterstest.Installer, meters.Gateway{ID: "gw-s", Residence: "R"}), "equipment.exists"},
			{"point twice", s.CreatePoint(ctx, meterstest.Installer, meters.Point{ID: "R-1-cw", Dwelling: "R-1", Kind: metering.Gas}), "equipment.exists"},
			{"no such dwelling", s.CreatePoint(ctx, meterstest.Installer, meters.Point{ID: "X", Dwelling: "R-9", Kind: metering.Gas}), "equipment.none"},
			{"no such building", s.CreatePoint(ctx, meterstest.Installer, meters.Point{ID: "X", Residence: "R", Building: "Z", Kind: metering.Gas}), "equipment.none"},
			{"meter twice", create(meters.Meter{ID: "cw-1"}), "equipment.exists"},
			{"serial twice", create(meters.Meter{ID: "X", Serial: "30110001"}), "equipment.serial_taken"},
			{"socket twice", create(meters.Meter{ID: "X", Socket: meters.Socket{Profile: "pulse-counter-4", Bus: "cave", Slave: 7, Channel: 1}}), "equipment.socket_taken"},
			{"no such bus", create(meters.Meter{ID: "X", Socket: meters.Socket{Profile: "pulse-counter-4", Bus: "attic", Slave: 9}}), "equipment.bus_in_use"},
			{"two meters at a point", s.Hang(ctx, meterstest.Installer, meters.Binding{Meter: "cw-spare", Point: "R-1-cw", From: at, FirstIndex: &zero}), "equipment.bound"},
			{"a meter at two points", s.Hang(ctx, meterstest.Installer, meters.Binding{Meter: "cw-1", Point: "R-2-cw", From: at, FirstIndex: &zero}), "equipment.bound"},
			{"another kind", s.Hang(ctx, meterstest.Installer, meters.Binding{Meter: "cw-spare", Point: "R-1-el", From: at}), "equipment.other_kind"},
			{"another residence's point", s.Hang(ctx, meterstest.Admin, meters.Binding{Meter: "cw-spare", Point: "S-1-cw", From: at}), "equipment.none"},
			{"take down what does not hang", s.TakeDown(ctx, meterstest.Installer, "cw-spare", at, 0), "equipment.not_bound"},
			{"take down before it hung", s.TakeDown(ctx, meterstest.Installer, "cw-1", time.UnixMilli(1), 0), "equipment.not_bound"},
			{"take away a bus in use", s.UpdateGateway(ctx, meterstest.Installer, meters.Gateway{ID: "gw-r", Version: 1}), "equipment.bus_in_use"},
			{"change an old version", s.UpdateGateway(ctx, meterstest.Installer, meters.Gateway{ID: "gw-r", Version: 9}), "error.stale"},
		} {
			if got := key(tt.err); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
		for _, id := range []metering.MeterID{"X", "cw-spare"} {
			if m, err := s.MeterByID(ctx, meterstest.Installer, id); err == nil && m.Place != nil {
				t.Errorf("a refused change left %s at %s", id, m.Place.Point)
			}
		}
	})
}

func TestReplacement(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *meters.Store) {
		ctx, at := t.Context(), meterstest.Ago(time.Hour)
		sqldbtest.Exec(t, db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state) VALUES ('cw-1', 'R-1-cw', 1735689600000, 'verified')`)
		r := meters.Replacement{Old: "cw-1", Version: 1, At: at, Last: 153_257_000, Serial: "40220001", First: 12_000}
		next, err := s.Replace(ctx, meterstest.Installer, r)
		if err != nil {
			t.Fatal(err)
		}
		// The counter went from 148 257 litres on: with its 1 000 mL a pulse, the
		// new dial's 12 litres are 148 245 litres less than it shows.
		if next.ID != "R-1-cw-40220001" || next.StartIndex != 12_000-148_257_000 || next.Socket.Channel != 1 || next.Pulse != 1000 {
			t.Errorf("new meter %+v", next)
		}
		points, err := s.Fitted(ctx, "R-1")
		if err != nil {
			t.Fatal(err)
		}
		water := points[slices.IndexFunc(points, func(p meters.Fitted) bool { return p.ID == "R-1-cw" })]
		if len(water.Hangings) != 2 {
			t.Fatalf("hangings %+v", water.Hangings)
		}
		old, now := water.Hangings[0], water.Hangings[1]
		if !old.To.Equal(at) || *old.LastIndex != 153_257_000 || !now.From.Equal(at) || *now.FirstIndex != 12_000 || !now.To.IsZero() {
			t.Errorf("old %+v, new %+v", old.Binding, now.Binding)
		}
		if gone, err := s.MeterByID(ctx, meterstest.Installer, "cw-1"); err != nil || gone.Place != nil || gone.Socket.Bus != "" {
			t.Errorf("the old meter: %+v, %v", gone, err)
		}
		var checks int
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM meter_check WHERE meter_id = $1`, string(next.ID)).Scan(&checks); err != nil || checks != 0 {
			t.Errorf("the new meter begins with %d checks, %v", checks, err)
		}
		for name, again := range map[string]error{
			"error.stale":            second(s.Replace(ctx, meterstest.Installer, r)),
			"equipment.not_bound":    second(s.Replace(ctx, meterstest.Installer, meters.Replacement{Old: "cw-1", Version: 2, At: at, Serial: "5"})),
			"equipment.none":         second(s.Replace(ctx, meterstest.Manager, meters.Replacement{Old: "cw-2", Version: 1, At: at, Serial: "5"})),
			"equipment.serial_taken": second(s.Replace(ctx, meterstest.Installer, meters.Replacement{Old: "cw-2", Version: 1, At: at, Serial: "40220001"})),
		} {
			if got := key(again); got != name {
				t.Errorf("%q, want %q", got, name)
			}
		}
		if kept, err := s.MeterByID(ctx, meterstest.Installer, "cw-2"); err != nil || kept.Place == nil || kept.Socket.Bus != "cave" {
			t.Errorf("a refused replacement changed the meter: %+v, %v", kept, err)
		}
	})
}

func second[A any](_ A, err error) error { return err }

// A change of how a meter is read makes it unverified.
func TestRereadMeterIsUnverified(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *meters.Store) {
		ctx := t.Context()
		sqldbtest.Exec(t, db, `INSERT INTO meter_check (meter_id, point_id, bound_ms, state) VALUES ('cw-1', 'R-1-cw', 1735689600000, 'verified')`)
		checks := func() (n int) {
			if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM meter_check`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		m, err := s.MeterByID(ctx, meterstest.Installer, "cw-1")
		if err != nil {
			t.Fatal(err)
		}
		m.Meter.MaxPerHour = 1
		if err := s.UpdateMeter(ctx, meterstest.Installer, m.Meter); err != nil || checks() != 1 {
			t.Errorf("another plausible maximum: %v, %d checks", err, checks())
		}
		if err := s.UpdateMeter(ctx, meterstest.Installer, m.Meter); !errors.Is(err, resource.ErrStale) {
			t.Errorf("the second of two changes: %v", err)
		}
		m.Meter.Version, m.Meter.Pulse = 2, 10_000
		if err := s.UpdateMeter(ctx, meterstest.Installer, m.Meter); err != nil || checks() != 0 {
			t.Errorf("another pulse: %v, %d checks", err, checks())
		}
	})
}

// The registry has main meters, and says until when what was read is erased.
func TestRegistryOfBuildingsAndErasures(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, s *meters.Store) {
		ctx := t.Context()
		first := metering.Amount(7)
		if err := errors.Join(
			s.CreatePoint(ctx, meterstest.Installer, meters.Point{ID: "A-main", Residence: "R", Building: "A", Kind: metering.ColdWater}),
			s.Hang(ctx, meterstest.Installer, meters.Binding{Meter: "cw-spare", Point: "A-main", From: meterstest.Ago(time.Hour), FirstIndex: &first})); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Exec(t, db, `UPDATE meter SET erased_until_ms = 1760000000000 WHERE id = 'cw-1'`)
		registry, err := s.Registry(ctx, premises.Residence{ID: "R", Zone: time.UTC, Earliest: time.UnixMilli(0)})
		if err != nil {
			t.Fatal(err)
		}
		erased := map[metering.MeterID]int64{}
		for _, m := range registry.Meters {
			erased[m.Meter] = m.ErasedUntilMs
		}
		if diff := cmp.Diff(map[metering.MeterID]int64{"cw-1": 1760000000000, "cw-2": 0, "el-1": 0, "cw-spare": 0}, erased); diff != "" {
			t.Errorf("meters and what is erased (-want +got):\n%s", diff)
		}
		for _, fault := range []string{
			`INSERT INTO point (id, kind) VALUES ('x', 'gas')`,
			`INSERT INTO point (id, kind, dwelling_id, residence_id, building) VALUES ('x', 'gas', 'R-1', 'R', 'A')`,
			`INSERT INTO point (id, kind, residence_id) VALUES ('x', 'gas', 'R')`,
			`INSERT INTO point (id, kind, residence_id, building) VALUES ('x', 'gas', 'R', 'nowhere')`,
			`INSERT INTO point (id, kind, dwelling_id) VALUES ('x', 'gas', 'nowhere')`,
		} {
			if _, err := db.ExecContext(ctx, fault); err == nil {
				t.Errorf("the schema takes %s", fault)
			}
		}
	})
}

func TestParseDial(t *testing.T) {
	for _, tt := range []struct {
		text string
		kind metering.Kind
		want meters.Dial
		ok   bool
	}{
		{"00123,456", metering.ColdWater, meters.Dial{Index: 123_456_000, Digit: 1000}, true},
		{"123.4", metering.Gas, meters.Dial{Index: 123_400_000, Digit: 100_000}, true},
		{" 00 123 ", metering.HotWater, meters.Dial{Index: 123_000_000, Digit: 1_000_000}, true},
		{"4711,5", metering.Electricity, meters.Dial{Index: 4_711_500, Digit: 100}, true},
		{"0,000001", metering.ColdWater, meters.Dial{Index: 1, Digit: 1}, true},
		{"999999999,999999", metering.ColdWater, meters.Dial{Index: 999_999_999_999_999, Digit: 1}, true},
		{"1,0000001", metering.ColdWater, meters.Dial{}, false},
		{"1,2345", metering.Heat, meters.Dial{}, false},
		{"", metering.ColdWater, meters.Dial{}, false},
		{",", metering.ColdWater, meters.Dial{}, false},
		{"1,2,3", metering.ColdWater, meters.Dial{}, false},
		{"-1", metering.ColdWater, meters.Dial{}, false},
		{"1e3", metering.ColdWater, meters.Dial{}, false},
		{"12345678901234567890", metering.ColdWater, meters.Dial{}, false},
		{"9999999999", metering.ColdWater, meters.Dial{}, false},
	} {
		got, err := meters.ParseDial(tt.text, tt.kind)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%q of %s: %+v, %v, want %+v", tt.text, tt.kind, got, err, tt.want)
		}
	}
}

func FuzzParseDial(f *testing.F) {
	f.Add("00123,456")
	f.Add("9223372036854775807")
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range []metering.Kind{metering.ColdWater, metering.Electricity} {
			if d, err := meters.ParseDial(text, k); err == nil && (d.Index < 0 || d.Digit < 1 || !d.Fits(d.Index, 0)) {
				t.Errorf("dial %q is %+v, which does not fit itself", text, d)
			}
		}
	})
}

// Equipment is added where somebody may change it, not where they may see it.
func TestWritableResidences(t *testing.T) {
	each(t, func(t *testing.T, _ *sql.DB, s *meters.Store) {
		for who, want := range map[accounts.PersonID][]metering.SiteID{meterstest.Installer: {"R"}, meterstest.Elsewhere: {"S"}, meterstest.Admin: {"R", "S"},
			meterstest.Manager: nil, meterstest.Technician: nil, meterstest.Tenant: nil} {
			all, err := s.WritableResidences(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			var got []metering.SiteID
			for _, r := range all {
				got = append(got, r.ID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", who, diff)
			}
		}
	})
}

// What a form leaves out of a bus is what JSON leaves out.
func TestFill(t *testing.T) {
	g := meters.Gateway{ID: "gw-b2", Residence: "R", Name: "Cave B", Buses: []meters.Bus{{Name: "cable", URL: "rtu:///dev/ttyUSB0"}}, Version: 1}
	want := g
	want.Buses = []meters.Bus{{Name: "cable", URL: "rtu:///dev/ttyUSB0", Baud: 9600, Parity: "none", StopBits: 1, Timeout: time.Second, Interval: 10 * time.Minute}}
	faults := g.Fill()
	if diff := cmp.Diff(want, g); diff != "" || len(faults) > 0 {
		t.Errorf("%v (-want +got):\n%s", faults, diff)
	}
	bad := meters.Gateway{ID: "a b", Buses: []meters.Bus{{Name: "cable", URL: "ftp://x", Baud: -1}}}
	var names []string
	for _, f := range bad.Fill() {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"id", "residence", "buses[0].url", "buses[0].baud"}, names); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}
