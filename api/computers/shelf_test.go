package computers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		var file strings.Builder
		file.WriteString("numero_serie;marque;modele;donneur;type;forme;prix_eur;recu_le;disques\n")
		for n := range 500 {
			fmt.Fprintf(&file, "ser-%03d;HP;Elite;Imprimerie;occasion;portable;105,50;2026-02-01;disk-%03d ssd 256\n", n, n)
		}
		told := 0
		report, err := s.Import(ctx, technician, "R", []byte(file.String()), false, s.now, func(made, of int) {
			told++
			if made != told || of != 500 {
				t.Errorf("progress %d of %d, want %d of 500", made, of, told)
			}
		})
		if err != nil || report.Made != 500 || told != 500 {
			t.Fatalf("report %+v, told %d times, %v", report, told, err)
		}
		a := s.check(technician, "SER-499")
		if a.Machine == nil || a.Machine.Form != computers.Laptop || a.Machine.Intake.CostCents != 10550 || a.Machine.Drives[0].Medium != computers.SSD {
			t.Errorf("imported as %+v", a.Machine)
		}
		bad := "serial;maker;model;donor;received_on;memory_mb\nNEW1;HP;Elite;Don;;\nSER-001;HP;Elite;Don;;\n\nNEW2;;Elite;Don;2026-03-19;lots\nnew1;HP;Elite;Don;;\n"
		report, err = s.Import(ctx, technician, "R", []byte(bad), false, s.now, func(int, int) { t.Error("something was stored") })
		var got []string
		for _, f := range report.Faults {
			got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Column, f.Message))
		}
		wanted := "3 serial computers.serial_taken, 5 memory_mb computers.not_number, 5 maker field.missing, 6 serial computers.import_twice"
		if err != nil || strings.Join(got, ", ") != wanted {
			t.Errorf("faults %q, %v, want %q", strings.Join(got, ", "), err, wanted)
		}
		if a := s.check(technician, "NEW1"); a.Machine != nil {
			t.Error("a line of a faulty file was stored")
		}
		_, err = s.Import(ctx, stranger, "R", []byte(bad), false, s.now, func(int, int) {})
		want(t, "import elsewhere", err, computers.ErrNone)
	})
}

func TestShelfAndMoney(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		id := s.inUse()
		s.ready()
		stock, err := s.Stock(ctx, manager, "R", s.now)
		if err != nil || stock.ReadyUsed != 1 || stock.SoldUsed != 1 || stock.CoverTenths != 130 || stock.Alert {
			t.Errorf("stock %+v, %v", stock, err)
		}
		w, err := s.Enlist(ctx, advisor, computers.Wait{Residence: "R", Household: "F-2", Kind: computers.Used}, s.now)
		want(t, "enlist", err, nil)
		_, err = s.Enlist(ctx, advisor, computers.Wait{Residence: "R", Household: "F-2", Kind: computers.Used}, s.now)
		want(t, "enlist twice", err, computers.ErrWaits)
		want(t, "withdraw", s.Withdraw(ctx, advisor, w.ID, s.now), nil)
		want(t, "withdraw twice", s.Withdraw(ctx, advisor, w.ID, s.now), computers.ErrNone)
		ticket := s.complain(id, "")
		want(t, "diagnosed", s.turn(ticket, computers.TicketDiagnosed, ""), nil)
		want(t, "repaired", s.turn(ticket, computers.TicketRepaired, ""), nil)
		want(t, "given back", s.turn(ticket, computers.TicketGivenBack, ""), nil)
		want(t, "closed", s.turn(ticket, computers.TicketClosed, ""), nil)
		want(t, "return", s.TakeBack(ctx, advisor, id, computers.Giveback{Reason: "x", RefundCents: 2500}, s.now), nil)
		l, err := s.Ledger(ctx, manager, "R", date("2026-01-01"), date("2026-04-01"))
		if err != nil || l.RevenueUsed != 6000 || l.SoldUsed != 1 || l.RefundCents != 2500 || l.Returns != 1 || l.BoughtUsed != 2 || l.BoughtUsedCents != 21000 {
			t.Errorf("ledger %+v, %v", l, err)
		}
		st, err := s.Statement(ctx, manager, "R", civil.Month{Year: 2026, Month: 3})
		if err != nil || len(st.Lines) != 3 || st.TotalCents != 2*4500+2000 || st.Unpriced != 0 {
			t.Errorf("statement %+v, %v", st, err)
		}
		register, err := s.Register(ctx, manager, "R", date("2026-01-01"), date("2026-02-01"))
		if err != nil || len(register) != 2 || register[0].RegisterNo != "2026-00001" || register[0].Donor != "Imprimerie Loire" {
			t.Errorf("register %+v, %v", register, err)
		}
		if stock, err = s.Stock(ctx, manager, "R", s.now); err != nil || stock.Failed != 1 {
			t.Errorf("failed within 3 months: %+v, %v", stock, err)
		}
	})
}
