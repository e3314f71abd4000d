package computers_test

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func TestLifeOfAMachine(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		owed := &obliger{}
		s := newShop(t, db, owed)
		ctx := t.Context()
		id := s.taken()
		want(t, "test before wiping", s.move(id, computers.Testing), computers.ErrUnwiped)
		want(t, "skip to ready", s.move(id, computers.Ready), computers.ErrStep)
		want(t, "wipe", s.move(id, computers.Wiping), nil)
		want(t, "tests without wipe", s.move(id, computers.Testing), computers.ErrUnwiped)
		want(t, "evidence", s.wipe(id), nil)
		want(t, "tests", s.move(id, computers.Testing), nil)
		want(t, "ready untested", s.move(id, computers.Ready), computers.ErrUntested)
		want(t, "checklist", s.test(id), nil)
		want(t, "ready ungraded", s.move(id, computers.Ready), computers.ErrUngraded)
		want(t, "grade", s.grade(id), nil)
		defect, err := s.NoteDefect(ctx, technician, id, "touche E", s.now)
		want(t, "defect", err, nil)
		want(t, "ready with a defect", s.move(id, computers.Ready), computers.ErrDefect)
		want(t, "mend", s.MendDefect(ctx, technician, id, defect, s.now), nil)
		_, err = s.sell(id, offer())
		want(t, "sale before ready", err, computers.ErrStep)
		want(t, "ready", s.move(id, computers.Ready), nil)
		sold, err := s.sell(id, offer())
		want(t, "sale", err, nil)
		if diff := cmp.Diff([]computers.SaleID{sold.ID}, owed.sales); diff != "" {
			t.Errorf("obliged (-want +got):\n%s", diff)
		}
		if sold.ReceiptNo != "2026-0001" || sold.ListCents != 6000 || sold.Guarantee.Until() != date("2027-03-18") {
			t.Errorf("sold as %+v", sold)
		}
		want(t, "handover", s.handOver(id, "2026-03-18"), nil)
		g := s.sheet(id).Sale.Guarantee
		if g.Programme != date("2027-03-18") || g.Legal != date("2028-03-18") || g.Until() != date("2028-03-18") {
			t.Errorf("guarantee %+v", g)
		}
		want(t, "return", s.TakeBack(ctx, advisor, id, computers.Giveback{Reason: "déménagement", RefundCents: 1000}, s.now), nil)
		want(t, "scrap unwiped", s.move(id, computers.Recycled), computers.ErrUnwiped)
		want(t, "wipe again", s.wipe(id), nil)
		want(t, "scrap", s.move(id, computers.Recycled), nil)
		want(t, "after the end", s.move(id, computers.Received), computers.ErrStep)
		s.replayed(id)
	})
}

func TestEventsStay(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.taken()
		for _, statement := range []string{`UPDATE machine_event SET note = 'x'`, `DELETE FROM machine_event`} {
			if _, err := s.db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "machine_event_keep") {
				t.Errorf("%s: %v, want machine_event_keep", statement, err)
			}
		}
		s.replayed(id)
	})
}

func TestReports(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		id, other := s.taken(), s.taken()
		drive, strange := s.sheet(id).Drives[0], s.sheet(other).Drives[0]
		wipe := computers.Wipe{Drive: drive.ID, Level: computers.Purge, Method: "secure erase", Tool: "hdparm", Result: computers.Passed, VerifiedBy: "Théo"}
		for _, tt := range []struct {
			name, report string
			want         error
		}{
			{"another drive", "erased " + strange.Serial, computers.ErrReport},
			{"both", "erased " + drive.Serial + "\nerased " + strings.ToLower(strange.Serial), computers.ErrReport},
			{"none", "erased", computers.ErrReportEmpty},
			{"longer serial", "erased " + drive.Serial + "0", computers.ErrReportEmpty},
			{"its own", "Serial: " + strings.ToLower(drive.Serial) + ".", nil},
		} {
			wipe.Report = []byte(tt.report)
			before := s.sheet(id).Version
			kept, err := s.RecordWipe(ctx, technician, id, wipe, s.now)
			want(t, tt.name, err, tt.want)
			if tt.want != nil {
				if s.sheet(id).Version != before {
					t.Errorf("%s: an event was kept", tt.name)
				}
				continue
			}
			report, err := s.Report(ctx, technician, id, kept.ID)
			if err != nil || string(report.Report) != tt.report || report.SHA256 != kept.SHA256 || len(report.SHA256) != 64 {
				t.Errorf("report %+v, %v", report, err)
			}
			_, err = s.Report(ctx, stranger, id, kept.ID)
			want(t, "report for elsewhere", err, computers.ErrNone)
		}
		wipe.Report, wipe.Drive = nil, strange.ID
		_, err := s.RecordWipe(ctx, technician, id, wipe, s.now)
		wantField(t, "drive of another machine", err, "drive", "computers.drive_unknown")
		wipe.Drive, wipe.On = drive.ID, date("2026-03-19")
		_, err = s.RecordWipe(ctx, technician, id, wipe, s.now)
		wantField(t, "tomorrow", err, "on", "computers.future")
		wipe.On, wipe.Result = civil.Date{}, computers.Failed
		_, err = s.RecordWipe(ctx, technician, id, wipe, s.now)
		want(t, "failed after all", err, nil)
		if s.sheet(id).Drives[0].Wiped {
			t.Error("a drive whose last wipe failed counts as wiped")
		}
	})
}

// A report as PDF is kept byte by byte once somebody typed the serial that stands
// in it; without any report somebody must have verified; the schema holds both.
func TestReportsThatPeopleRead(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		id := s.taken()
		drive := s.sheet(id).Drives[0]
		wipe := computers.Wipe{Drive: drive.ID, Level: computers.Purge, Method: "secure erase", Tool: "hdparm", Result: computers.Passed}
		pdf := []byte("%PDF-1.7\n\x00\xff binary")
		for _, tt := range []struct {
			name, read, verified string
			report               []byte
			field, message       string
		}{
			{"PDF, nothing read", "", "", pdf, "report_serial", "computers.no_report_serial"},
			{"PDF of another drive", "WD-OTHER", "", pdf, "report_serial", "computers.report_serial_other"},
			{"PDF, one sign more", drive.Serial + "0", "", pdf, "report_serial", "computers.report_serial_other"},
			{"neither text nor PDF", drive.Serial, "Théo", []byte("PK\x03\x04\x00"), "report", "computers.report_form"},
			{"too long", drive.Serial, "Théo", append(bytes.Clone(pdf), make([]byte, computers.MostReportBytes)...), "report", "computers.report_too_long"},
			{"no report, nobody", "", "", nil, "verified_by", "computers.no_verifier"},
			{"empty report, nobody", "", "", []byte{}, "verified_by", "computers.no_verifier"},
			{"PDF that was read", strings.ToLower(drive.Serial), "", pdf, "", ""},
			{"no report, verified", "", "Théo Le Gall", nil, "", ""},
		} {
			w := wipe
			w.Report, w.ReadSerial, w.VerifiedBy = tt.report, tt.read, tt.verified
			before := s.sheet(id)
			kept, err := s.RecordWipe(ctx, technician, id, w, s.now)
			if tt.field != "" {
				wantField(t, tt.name, err, tt.field, tt.message)
				if after := s.sheet(id); after.Version != before.Version || len(after.Wipes) != len(before.Wipes) {
					t.Errorf("%s: something was kept", tt.name)
				}
				continue
			}
			want(t, tt.name, err, nil)
			last := s.sheet(id).Wipes[len(before.Wipes)]
			if last.VerifiedBy != tt.verified || last.SHA256 != kept.SHA256 || last.ReadSerial != "" {
				t.Errorf("%s: kept %+v", tt.name, last)
			}
			if tt.report == nil {
				continue
			}
			report, err := s.Report(ctx, advisor, id, kept.ID)
			name, media := report.File()
			if err != nil || !bytes.Equal(report.Report, pdf) || media != "application/pdf" || name != "wipe-"+kept.SHA256[:12]+".pdf" {
				t.Errorf("%s: %q, %s, %s, %v", tt.name, report.Report, name, media, err)
			}
		}
		_, err := s.db.ExecContext(ctx, `UPDATE machine_wipe SET verified_by = '' WHERE report IS NULL`)
		if err == nil {
			t.Error("the schema keeps a wipe that passed without report and name")
		}
	})
}

func TestFlashIsNotOverwritten(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.taken()
		drive, err := s.AddDrive(t.Context(), technician, id, computers.Drive{Serial: "SSD1", Medium: computers.SSD}, s.now)
		want(t, "drive", err, nil)
		w := computers.Wipe{Drive: drive, Level: computers.Clear, Method: "overwrite", Tool: "nwipe", Result: computers.Passed, VerifiedBy: "Théo"}
		_, err = s.RecordWipe(t.Context(), technician, id, w, s.now)
		wantField(t, "overwritten", err, "level", "computers.level_too_low")
		w.Level = computers.Destroy
		_, err = s.RecordWipe(t.Context(), technician, id, w, s.now)
		want(t, "destroyed", err, nil)
		if d := s.sheet(id).Drives[1]; !d.Destroyed {
			t.Errorf("drive %+v, want it destroyed", d)
		}
	})
}

func TestSaleRefused(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id, second := s.ready(), s.ready()
		before := s.sheet(id)
		for _, tt := range []struct {
			name   string
			change func(*computers.Offer)
			want   error
		}{
			{"moved out", func(o *computers.Offer) { o.Household = "F-gone" }, computers.ErrProgramme},
			{"not a member", func(o *computers.Offer) { o.Buyer = bruno }, computers.ErrBuyer},
			{"cheaper", func(o *computers.Offer) { o.PriceCents = 5900 }, computers.ErrPrice},
			{"dearer and subsidised", func(o *computers.Offer) { o.PriceCents = 6100 }, computers.ErrPrice},
			{"last year's price", func(o *computers.Offer) { o.PriceCents = 5500 }, computers.ErrPrice},
		} {
			o := offer()
			tt.change(&o)
			_, err := s.sell(id, o)
			want(t, tt.name, err, tt.want)
		}
		o := offer()
		o.SoldOn = date("2026-03-19")
		_, err := s.sell(id, o)
		wantField(t, "tomorrow", err, "sold_on", "computers.future")
		o.SoldOn = date("2026-01-04")
		_, err = s.sell(id, o)
		wantField(t, "before intake", err, "sold_on", "computers.before_intake")
		_, err = s.Sell(t.Context(), stranger, id, offer(), s.now)
		if err == nil {
			t.Error("staff of another residence sold")
		}
		_, err = s.Sell(t.Context(), technician, id, offer(), s.now)
		if err == nil {
			t.Error("a technician sold")
		}
		if diff := cmp.Diff(before, s.sheet(id), cmp.Comparer(func(a, b error) bool { return a == b }), cmp.AllowUnexported(computers.Sale{}), cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
			t.Errorf("refused sales changed something (-before +after):\n%s", diff)
		}
		_, err = s.sell(id, offer())
		want(t, "sale", err, nil)
		_, err = s.sell(id, offer())
		want(t, "sold twice", err, computers.ErrStep)
		_, err = s.sell(second, offer())
		want(t, "second subsidised", err, computers.ErrSecond)
		o = offer()
		o.Subsidised, o.PriceCents = false, 9000
		_, err = s.sell(second, o)
		want(t, "second at full price", err, nil)
	})
}

func TestReservation(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		id := s.ready()
		wantField(t, "past", s.Reserve(ctx, advisor, id, "F-2", date("2026-03-17"), s.now), "until", "computers.until_range")
		want(t, "reserve", s.Reserve(ctx, advisor, id, "F-2", date("2026-03-20"), s.now), nil)
		want(t, "reserve again", s.Reserve(ctx, advisor, id, "F-1", date("2026-03-20"), s.now), computers.ErrStep)
		_, err := s.sell(id, offer())
		want(t, "to another", err, computers.ErrReserved)
		s.now = s.now.AddDate(0, 0, 2)
		_, err = s.sell(id, offer())
		want(t, "to another on the last day", err, computers.ErrReserved)
		s.now = s.now.AddDate(0, 0, 1)
		if st := s.sheet(id).State; st != computers.Ready {
			t.Errorf("after the last day it is %s, want ready", st)
		}
		_, err = s.sell(id, offer())
		want(t, "to another afterwards", err, nil)
		s.replayed(id)
		events, err := s.Events(ctx, admin, id)
		want(t, "events", err, nil)
		if e := events[len(events)-2]; e.What != computers.HoldExpired || e.By != "system" {
			t.Errorf("the event before the sale is %+v, want hold_expired", e)
		}
	})
}

func TestNewMachine(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		m, err := s.TakeIn(t.Context(), technician, s.arrival(computers.New, 1), s.now)
		want(t, "intake", err, nil)
		want(t, "tests", s.move(m.ID, computers.Testing), nil)
		want(t, "checklist", s.test(m.ID), nil)
		want(t, "ready", s.move(m.ID, computers.Ready), nil)
		o := offer()
		o.PriceCents = 10000
		_, err = s.sell(m.ID, o)
		want(t, "sale", err, nil)
		want(t, "return before handover", s.TakeBack(t.Context(), advisor, m.ID, computers.Giveback{Reason: "ne veut plus", RefundCents: 10000}, s.now), nil)
		want(t, "received again", s.move(m.ID, computers.Received), nil)
		want(t, "tests unwiped", s.move(m.ID, computers.Testing), computers.ErrUnwiped)
		s.replayed(m.ID)
	})
}
