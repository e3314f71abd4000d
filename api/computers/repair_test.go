package computers_test

import (
	"testing"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
)

func (s *shop) complain(id computers.MachineID, on string) computers.TicketID {
	s.t.Helper()
	ticket, err := s.OpenTicket(s.t.Context(), advisor, id, computers.Complaint{Problem: "ne démarre plus", On: maybe(on)}, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return ticket
}

func (s *shop) turn(id computers.TicketID, to computers.TicketState, on string) error {
	return s.MoveTicket(s.t.Context(), technician, id, computers.TicketMove{To: to, On: maybe(on)}, s.now)
}

func (s *shop) ticket(id computers.TicketID) computers.Ticket {
	s.t.Helper()
	t, err := s.Ticket(s.t.Context(), technician, id, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

func TestRepairProlongs(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		s.now = s.now.AddDate(0, 0, 26) // Monday 13 April
		ticket := s.complain(id, "2026-04-01")
		_, err := s.OpenTicket(t.Context(), advisor, id, computers.Complaint{Problem: "encore"}, s.now)
		want(t, "second ticket", err, computers.ErrTicketOpen)
		want(t, "repaired at once", s.turn(ticket, computers.TicketRepaired, ""), computers.ErrStep)
		want(t, "diagnosed", s.turn(ticket, computers.TicketDiagnosed, "2026-04-02"), nil)
		if st := s.sheet(id).State; st != computers.InRepair {
			t.Errorf("it is %s, want in_repair", st)
		}
		wantField(t, "step before the one before", s.turn(ticket, computers.TicketParts, "2026-04-01"), "on", "computers.before_step")
		want(t, "parts", s.turn(ticket, computers.TicketParts, "2026-04-03"), nil)
		// Friday 3 April counts, the parts come on Thursday 9 April; Easter Monday is the 6th.
		c := s.ticket(ticket).Clocks
		if c.LegalDue != date("2026-05-01") || c.LegalLeft != 18 || !c.Paused || c.TargetUsed != 2 || c.TargetLeft != 3 {
			t.Errorf("clocks while parts are waited for: %+v", c)
		}
		want(t, "parts came", s.turn(ticket, computers.TicketDiagnosed, "2026-04-09"), nil)
		want(t, "repaired", s.turn(ticket, computers.TicketRepaired, "2026-04-10"), nil)
		if g := s.sheet(id).Sale.Guarantee; g.Repairs != 0 {
			t.Errorf("prolonged before it is given back: %+v", g)
		}
		want(t, "given back", s.turn(ticket, computers.TicketGivenBack, "2026-04-13"), nil)
		want(t, "closed", s.turn(ticket, computers.TicketClosed, ""), nil)
		c = s.ticket(ticket).Clocks
		if c.TargetUsed != 3 || !c.TargetDone || !c.LegalDone || c.LegalLeft != 18 {
			t.Errorf("clocks at the end: %+v", c)
		}
		if g := s.sheet(id).Sale.Guarantee; g.Legal != date("2028-09-18") || g.Repairs != 1 {
			t.Errorf("after a repair under the law: %+v", g)
		}
		s.replayed(id)
	})
}

func TestRefusedRepairProlongsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		ticket := s.complain(id, "")
		want(t, "return with a repair open", s.TakeBack(t.Context(), advisor, id, computers.Giveback{Reason: "x"}, s.now), computers.ErrTicketOpen)
		for _, to := range []computers.TicketState{computers.TicketDiagnosed, computers.TicketRefused, computers.TicketGivenBack, computers.TicketClosed} {
			want(t, string(to), s.turn(ticket, to, ""), nil)
		}
		if g := s.sheet(id).Sale.Guarantee; g.Legal != date("2028-03-18") {
			t.Errorf("guarantee %+v", g)
		}
	})
}

func TestExchangeRestartsTheGuarantee(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id, other, unready := s.inUse(), s.ready(), s.taken()
		s.now = s.now.AddDate(1, 0, 0)
		ticket := s.complain(id, "")
		want(t, "diagnosed", s.turn(ticket, computers.TicketDiagnosed, ""), nil)
		give := func(m computers.MachineID) error {
			return s.MoveTicket(t.Context(), technician, ticket, computers.TicketMove{To: computers.TicketReplaced, Replacement: m, SignedBy: "Amina Un"}, s.now)
		}
		want(t, "one that is not ready", give(unready), computers.ErrOtherKind)
		want(t, "itself", give(id), computers.ErrOtherKind)
		want(t, "exchange", give(other), nil)
		old, now := s.sheet(id), s.sheet(other)
		if old.State != computers.Returned || old.Sale.EndedWhy != "exchanged" || now.State != computers.InUse {
			t.Errorf("old one %s, %s; new one %s", old.State, old.Sale.EndedWhy, now.State)
		}
		if g := now.Sale.Guarantee; g.Legal != date("2029-03-18") || g.Programme != date("2027-03-18") || now.Sale.PriceCents != 0 || !now.Sale.Subsidised {
			t.Errorf("the new one's sale: %+v", now.Sale)
		}
		third := s.ready()
		_, err := s.sell(third, offer())
		want(t, "another subsidised one", err, computers.ErrSecond)
		if got := s.ticket(ticket); got.State != computers.TicketClosed || got.GivenOn != date("2027-03-18") || !got.Clocks.LegalDone || !got.Clocks.TargetDone {
			t.Errorf("the repair after the exchange: %+v", got)
		}
		s.replayed(id)
		s.replayed(other)
	})
}

func TestOwnMachines(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		ctx := t.Context()
		own, err := s.Own(ctx, premises.Own(amina), s.now)
		if err != nil || len(own) != 1 || own[0].ID != id || own[0].Sale.Guarantee.Until() != date("2028-03-18") {
			t.Fatalf("own machines %+v, %v", own, err)
		}
		if none, err := s.Own(ctx, premises.Own(bruno), s.now); err != nil || len(none) != 0 {
			t.Errorf("a neighbour's machines %+v, %v", none, err)
		}
		_, err = s.OpenOwnTicket(ctx, premises.Own(bruno), id, "x", s.now)
		want(t, "a neighbour's repair", err, computers.ErrNone)
		ticket, err := s.OpenOwnTicket(ctx, premises.Own(amina), id, "ne démarre plus", s.now)
		want(t, "own repair", err, nil)
		if got := s.ticket(ticket); got.Cover != computers.ByLaw || got.Keeper == nil || got.Keeper.Household != "F-1" {
			t.Errorf("ticket %+v", got)
		}
		_, err = s.OpenOwnTicket(ctx, premises.Own(amina), id, "encore", s.now)
		want(t, "twice", err, computers.ErrTicketOpen)
	})
}
