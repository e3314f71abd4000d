package computers_test

import (
	"slices"
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

func (s *shop) check(who accounts.PersonID, typed string) computers.Answer {
	s.t.Helper()
	a, err := s.Check(s.t.Context(), who, typed, s.now)
	if err != nil {
		s.t.Fatalf("check %q: %v", typed, err)
	}
	return a
}

// named takes in a machine with this serial and MAC.
func (s *shop) named(serial, mac string) computers.Machine {
	s.t.Helper()
	a := s.arrival(computers.Used, 1)
	a.Serial, a.MAC = serial, mac
	m, err := s.TakeIn(s.t.Context(), technician, a, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestRegistrationCheck(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		m := s.named("5CG-O1I8ZQ", "00:1a:2b:3c:4d:5e")
		far := s.named("QQWWEERRTT", "")
		for _, tt := range []struct {
			name, typed string
			verdict     computers.Verdict
			slips       []bool // of look-alikes
		}{
			{"serial", "5CG-O1I8ZQ", computers.NotSold, nil},
			{"small and without signs", " 5cgo1i8zq ", computers.NotSold, nil},
			{"tag", m.Tag, computers.NotSold, nil},
			{"QR code with an address", "https://roseraie.example/atelier/" + m.Tag, computers.NotSold, nil},
			{"MAC with dashes", "00-1A-2B-3C-4D-5E", computers.NotSold, nil},
			{"O for 0, 1 for I", "5CG-0118ZQ", computers.Unknown, []bool{false}},
			{"one digit off", "5CG-O1I9ZQ", computers.Unknown, []bool{true}},
			{"two signs swapped", "5CG-O1IZ8Q", computers.Unknown, []bool{true}},
			{"a sign left out", "5CG-O1I8Z", computers.Unknown, []bool{true}},
			{"a sign too many", "5CG-O1I88ZQ", computers.Unknown, []bool{true}},
			{"nothing like it", "ABCDEFGH", computers.Unknown, nil},
		} {
			a := s.check(technician, tt.typed)
			var slips []bool
			for _, l := range a.Alike {
				slips = append(slips, l.Slip)
				if l.Machine != m.ID {
					t.Errorf("%s: %s is suggested", tt.name, l.Tag)
				}
			}
			if a.Verdict != tt.verdict || !slices.Equal(slips, tt.slips) {
				t.Errorf("%s: %s with look-alikes %v, want %s with %v", tt.name, a.Verdict, slips, tt.verdict, tt.slips)
			}
		}
		if a := s.check(stranger, far.Tag); a.Verdict != computers.Unknown || len(a.Alike) > 0 {
			t.Errorf("for another residence's workshop: %+v", a)
		}
		_, err := s.Check(t.Context(), technician, " - ", s.now)
		wantField(t, "nothing typed", err, "typed", "field.missing")
		var logged int
		if err := s.db.QueryRow(`SELECT COUNT(*) FROM registration_check`).Scan(&logged); err != nil || logged != 12 {
			t.Errorf("%d checks are written down, %v, want 12", logged, err)
		}
	})
}

func TestLookAlikeBesideTheRightOne(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		right, wrong := s.named("SN0O11", ""), s.named("SNO011", "")
		a := s.check(technician, "SN0O11")
		if a.Machine == nil || a.Machine.ID != right.ID || len(a.Alike) != 1 || a.Alike[0].Machine != wrong.ID || a.Alike[0].Slip {
			t.Errorf("answer %+v", a)
		}
	})
}

// A MAC of which one digit was misread, two swapped or one left out leads to its
// machine.
func TestMACWithASlip(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		m := s.named("SER-MAC", "f4:8e:38:5a:10:07")
		for _, typed := range []string{"f4:8e:38:5a:10:17", "f48e385a1070", "F4-8E-38-5A-10-0", "f4:8e:38:5b:10:07"} {
			a := s.check(technician, typed)
			if a.Verdict != computers.Unknown || len(a.Alike) != 1 || a.Alike[0].Machine != m.ID || !a.Alike[0].Slip {
				t.Errorf("%s: %s, alike %+v", typed, a.Verdict, a.Alike)
			}
		}
		if a := s.check(technician, "f4:8e:38:5b:11:07"); len(a.Alike) > 0 {
			t.Errorf("two digits off is alike: %+v", a.Alike)
		}
	})
}

func TestCheckFollowsTheGuarantee(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		tag := s.sheet(id).Tag
		told := func(who accounts.PersonID) (computers.Verdict, string, bool) {
			a := s.check(who, tag)
			return a.Verdict, a.Until.String(), a.Machine.Keeper != nil || a.Machine.Sale.Household != "" || a.Machine.Sale.SignedBy != "" || a.Machine.Sale.Buyer != ""
		}
		if v, until, whose := told(technician); v != computers.Covered || until != "2028-03-18" || whose {
			t.Errorf("to the workshop: %s until %s, whose: %t", v, until, whose)
		}
		if _, _, whose := told(advisor); !whose {
			t.Error("who sells is not told whose it is")
		}
		ticket := s.complain(id, "")
		if a := s.check(technician, tag); a.Machine.Keeper == nil || a.Machine.Keeper.Door.Label != "Porte-1" || a.Machine.Sale.SignedBy != "" || a.Machine.Sale.Buyer != "" {
			t.Errorf("while a repair is open the workshop is told %+v", a.Machine.Keeper)
		}
		var looks int
		if err := s.db.QueryRow(`SELECT COUNT(*) FROM access_log WHERE household_id = 'F-1' AND person_id = 'P-tec' AND role = 'technician' AND what = 'look.machine'`).Scan(&looks); err != nil || looks != 1 {
			t.Errorf("%d looks of the workshop are written down, %v", looks, err)
		}
		for _, to := range []computers.TicketState{computers.TicketDiagnosed, computers.TicketRefused, computers.TicketGivenBack, computers.TicketClosed} {
			want(t, string(to), s.turn(ticket, to, ""), nil)
		}
		if _, _, whose := told(technician); whose {
			t.Error("the workshop is told whose it is after the repair")
		}
		s.now = s.now.AddDate(2, 0, 1)
		if v, until, _ := told(technician); v != computers.Expired || until != "2028-03-18" {
			t.Errorf("a day after the end: %s until %s", v, until)
		}
	})
}

func TestCheckKnowsDevices(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		for _, statement := range []string{
			`INSERT INTO gateway (id, residence_id) VALUES ('gw-1', 'R'), ('gw-9', 'S')`,
			`INSERT INTO point (id, dwelling_id, kind) VALUES ('PT-1', 'D-1', 'cold_water')`,
			`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial) VALUES ('cw-1', 'gw-1', 'cold_water', 0, 0, 600, 'day', 'SN-1'), ('cw-2', 'gw-1', 'cold_water', 0, 0, 600, 'day', 'SN-2')`,
			`INSERT INTO binding (meter_id, point_id, from_ms) VALUES ('cw-1', 'PT-1', 1735689600000)`,
		} {
			sqldbtest.Exec(t, s.db, statement)
		}
		for _, tt := range []struct {
			typed string
			thing computers.Thing
			hangs bool
		}{
			{"SN-1", computers.ThingMeter, true}, {"cw-1", computers.ThingMeter, true}, {"SN-2", computers.ThingMeter, false},
			{"gw-1", computers.ThingGateway, false}, {"gw-9", computers.Nothing, false},
		} {
			a := s.check(technician, tt.typed)
			if a.Thing != tt.thing || (a.Device != nil) != (tt.thing != "") || a.Device != nil && a.Device.Since.IsZero() == tt.hangs {
				t.Errorf("%s: %+v, %+v", tt.typed, a, a.Device)
			}
		}
		sqldbtest.Exec(t, s.db, `UPDATE meter SET serial = 'SN-20411' WHERE id = 'cw-1'`)
		sqldbtest.Exec(t, s.db, `INSERT INTO gateway (id, residence_id) VALUES ('gw-2034', 'R'), ('gw-2035', 'S')`)
		for _, tt := range []struct {
			typed, device string
			slip          bool
		}{
			{"SN-20412", "cw-1", true}, {"SN-2O411", "cw-1", false}, {"sn-20411", "cw-1", false}, {"SN-24011", "cw-1", true},
			{"gw-2036", "gw-2034", true}, {"GW-2034", "gw-2034", false}, {"SN-20499", "", false}, {"SN-204111", "", false},
		} {
			a := s.check(technician, tt.typed)
			if a.Verdict != computers.Unknown || (len(a.Alike) == 0) != (tt.device == "") {
				t.Errorf("%s: %s, alike %+v", tt.typed, a.Verdict, a.Alike)
				continue
			}
			for _, l := range a.Alike {
				if l.Device != tt.device || l.Slip != tt.slip || l.Machine != "" {
					t.Errorf("%s: alike %+v, want %s", tt.typed, l, tt.device)
				}
			}
		}
	})
}

func TestSheetHidesFromOthers(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		for _, who := range []accounts.PersonID{manager, trainer, stranger, amina, "P-nobody"} {
			_, err := s.Machine(t.Context(), who, id, s.now)
			want(t, "sheet for "+string(who), err, computers.ErrNone)
		}
		stock, err := s.Stock(t.Context(), manager, "R", s.now)
		if err != nil || stock.ByState[computers.InUse] != 1 {
			t.Errorf("stock for a manager: %+v, %v", stock, err)
		}
		_, err = s.Stock(t.Context(), stranger, "R", s.now)
		want(t, "stock for elsewhere", err, computers.ErrNone)
	})
}
