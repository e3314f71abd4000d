package computers_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

var (
	march = civil.Month{Year: 2026, Month: 3}
	april = civil.Month{Year: 2026, Month: 4}
)

func (s *shop) statement(m civil.Month) computers.Statement {
	s.t.Helper()
	st, err := s.Statement(s.t.Context(), technician, "R", m)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// A sale is of a machine that was ready, of the last month, to who lives there now.
func TestSalesAreNotDatedFreely(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.now = s.now.AddDate(0, 0, -40) // 6 February
		old := s.ready()
		s.now = s.now.AddDate(0, 0, 40)
		fresh := s.ready()
		o := offer()
		o.SoldOn = date("2026-02-10")
		_, err := s.sell(old, o)
		wantField(t, "sold 36 days ago", err, "sold_on", "computers.sale_too_late")
		o.SoldOn = date("2026-03-10")
		_, err = s.sell(fresh, o)
		wantField(t, "sold before it was ready", err, "sold_on", "computers.before_step")
		sqldbtest.Exec(t, s.db, `UPDATE membership SET to_date = '2026-03-15' WHERE person_id = 'P-amina'`)
		_, err = s.sell(old, o)
		want(t, "to who has left since", err, computers.ErrBuyer)
		sqldbtest.Exec(t, s.db, `UPDATE membership SET to_date = NULL WHERE person_id = 'P-amina'`)
		sqldbtest.Exec(t, s.db, `UPDATE tenancy SET moved_out = '2026-03-15' WHERE household_id = 'F-1'`)
		_, err = s.sell(old, o)
		want(t, "to a household that has moved out since", err, computers.ErrProgramme)
		sqldbtest.Exec(t, s.db, `UPDATE tenancy SET moved_out = NULL WHERE household_id = 'F-1'`)
		_, err = s.sell(old, o)
		want(t, "eight days ago", err, nil)
		s.replayed(old)
	})
}

// Ready comes after the evidence, a return after the repair.
func TestStepsFollowEachOther(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.taken()
		for _, err := range []error{s.move(id, computers.Wiping), s.wipe(id), s.move(id, computers.Testing), s.test(id), s.grade(id)} {
			want(t, "refurbish", err, nil)
		}
		err := s.Move(t.Context(), technician, id, computers.Move{To: computers.Ready, On: date("2026-01-06")}, s.now)
		wantField(t, "ready before it was wiped", err, "on", "computers.before_step")
		want(t, "ready", s.move(id, computers.Ready), nil)
		_, err = s.sell(id, offer())
		want(t, "sale", err, nil)
		want(t, "handover", s.handOver(id, "2026-03-18"), nil)
		s.now = s.now.AddDate(0, 6, 0)
		ticket := s.complain(id, "")
		for _, to := range []computers.TicketState{computers.TicketDiagnosed, computers.TicketRepaired, computers.TicketGivenBack, computers.TicketClosed} {
			want(t, string(to), s.turn(ticket, to, ""), nil)
		}
		back := func(on string) error {
			return s.TakeBack(t.Context(), advisor, id, computers.Giveback{On: date(on), Reason: "x", RefundCents: 6000}, s.now)
		}
		wantField(t, "back before its repair", back("2026-03-18"), "on", "computers.before_step")
		want(t, "back", back("2026-09-18"), nil)
		wipe := computers.Wipe{Drive: s.sheet(id).Drives[0].ID, Level: computers.Purge, Method: "erase", Tool: "tool", Result: computers.Passed, VerifiedBy: "Théo", On: date("2026-09-01")}
		_, err = s.RecordWipe(t.Context(), technician, id, wipe, s.now)
		wantField(t, "wiped before it came back", err, "on", "computers.before_return")
		s.replayed(id)
	})
}

// A month that is over does not change: not by a price, not by work that is
// written down later.
func TestStatementOfAMonthStays(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.ready()
		late := s.taken()
		for _, err := range []error{s.move(late, computers.Wiping), s.wipe(late), s.move(late, computers.Testing), s.test(late), s.grade(late)} {
			want(t, "refurbish", err, nil)
		}
		s.now = s.now.AddDate(0, 1, 0) // 18 April
		if st := s.statement(march); st.TotalCents != 4500 || len(st.Lines) != 1 {
			t.Fatalf("March: %+v", st)
		}
		set := func(from string, cents int64) error {
			return s.SetPrice(t.Context(), manager, "R", computers.Price{What: computers.PriceRefurbish, From: date(from), Cents: cents, At: s.now})
		}
		wantField(t, "a price of before", set("2026-03-01", 1), "from", "computers.price_counted")
		wantField(t, "the price that was counted with", set("2024-01-01", 1), "from", "computers.price_counted")
		want(t, "what is set already", set("2024-01-01", 4500), nil)
		want(t, "a price after the last line", set("2026-03-19", 9900), nil)
		err := s.Move(t.Context(), technician, late, computers.Move{To: computers.Ready, On: date("2026-03-20")}, s.now)
		want(t, "ready, written down late", err, nil)
		if st := s.statement(march); st.TotalCents != 4500 || len(st.Lines) != 1 {
			t.Errorf("March, after: %+v", st)
		}
		if st := s.statement(april); st.TotalCents != 9900 || len(st.Lines) != 1 || st.Lines[0].On != date("2026-03-20") {
			t.Errorf("April: %+v", st)
		}
		var by string
		var was sql.NullInt64
		err = s.db.QueryRowContext(t.Context(), `SELECT by_whom, was_cents FROM workshop_price_change WHERE from_date = '2026-03-19'`).Scan(&by, &was)
		if err != nil || by != string(manager) || was.Valid {
			t.Errorf("who set the price: %q, before %v, %v", by, was, err)
		}
		changes, err := s.PriceChanges(t.Context(), technician, "R")
		if err != nil || len(changes) == 0 || changes[0] != (computers.PriceChange{What: computers.PriceRefurbish, From: date("2026-03-19"), Cents: 9900, Was: -1, At: changes[0].At, By: changes[0].By}) ||
			changes[0].By == "" || changes[0].At.UnixMilli() == 0 {
			t.Errorf("changes: %+v, %v", changes, err)
		}
		_, err = s.PriceChanges(t.Context(), stranger, "R")
		want(t, "changes of another residence's prices", err, computers.ErrNone)
	})
}

// The list price of a day on which something was sold stays.
func TestListPriceOfASaleStays(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.inUse()
		p := computers.Price{What: computers.PriceUsed, From: date("2026-03-01"), Cents: 100}
		wantField(t, "a price of before the sale", s.SetPrice(t.Context(), manager, "R", p), "from", "computers.price_counted")
		p.From = date("2026-03-19")
		want(t, "from tomorrow on", s.SetPrice(t.Context(), manager, "R", p), nil)
	})
}

// exchange gives F-1 another machine for one that broke.
func (s *shop) exchange() (id, other computers.MachineID, ticket computers.TicketID) {
	s.t.Helper()
	id, other = s.inUse(), s.ready()
	ticket = s.complain(id, "")
	want(s.t, "diagnosed", s.turn(ticket, computers.TicketDiagnosed, ""), nil)
	m := computers.TicketMove{To: computers.TicketReplaced, Replacement: other, SignedBy: "Amina Un"}
	want(s.t, "exchange", s.MoveTicket(s.t.Context(), technician, ticket, m, s.now), nil)
	return id, other, ticket
}

// Nothing of an exchange hangs on the machine that came back: its next household
// asks for repairs, and the workshop is told of nobody before.
func TestNextHouseholdAfterAnExchange(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id, _, ticket := s.exchange()
		if got := s.ticket(ticket); got.State != computers.TicketClosed || got.GivenOn != date("2026-03-18") || got.Keeper != nil {
			t.Errorf("the repair after the exchange: %+v", got)
		}
		if k := s.sheet(id).Keeper; k != nil {
			t.Errorf("who has what came back: %+v", k)
		}
		want(t, "received", s.move(id, computers.Received), nil)
		s.refurbish(id)
		o := offer()
		o.Household, o.Buyer = "F-2", bruno
		_, err := s.sell(id, o)
		want(t, "sale", err, nil)
		want(t, "handover", s.handOver(id, "2026-03-18"), nil)
		_, err = s.OpenOwnTicket(t.Context(), premises.Own(bruno), id, "écran noir", s.now)
		want(t, "the next household's repair", err, nil)
		sh, err := s.Machine(t.Context(), technician, id, s.now)
		if err != nil || sh.Keeper == nil || sh.Keeper.Household != "F-2" {
			t.Errorf("the workshop is told %+v, %v", sh.Keeper, err)
		}
	})
}

// What was paid for the first machine may be given back for the last, once; then
// the household has given everything back.
func TestRefundAfterAnExchange(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id, other, _ := s.exchange()
		back := func(cents int64) error {
			return s.TakeBack(t.Context(), advisor, other, computers.Giveback{Reason: "toujours en panne", RefundCents: cents}, s.now)
		}
		wantField(t, "more than was paid", back(6001), "refund_cents", "computers.refund_too_high")
		want(t, "what was paid", back(6000), nil)
		if got := s.sheet(other).Sale.RefundCents; got != 6000 {
			t.Errorf("the sale says %d cents were given back", got)
		}
		l, err := s.Ledger(t.Context(), manager, "R", date("2026-01-01"), date("2027-01-01"))
		if err != nil || l.RefundCents != 6000 || l.RevenueUsed != 6000 || l.Returns != 1 || l.Exchanges != 1 {
			t.Errorf("ledger %+v, %v", l, err)
		}
		var returned int
		err = s.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM returned_sale JOIN machine_sale ON machine_sale.id = returned_sale.id WHERE machine_sale.machine_id IN ($1, $2)`, string(id), string(other)).Scan(&returned)
		if err != nil || returned != 2 {
			t.Errorf("%d sales count as returned, want both, %v", returned, err)
		}
	})
}

// At the list price a machine is subsidised, whatever is ticked.
func TestListPriceIsSubsidised(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		owed := &obliger{}
		s := newShop(t, db, owed)
		o := offer()
		o.Subsidised = false
		sold, err := s.sell(s.ready(), o)
		if err != nil || !sold.Subsidised || len(owed.sales) != 1 {
			t.Errorf("the first: %+v, %d trainings owed, %v", sold, len(owed.sales), err)
		}
		second := s.ready()
		_, err = s.sell(second, o)
		want(t, "the second", err, computers.ErrSecond)
		o.PriceCents = 5999
		_, err = s.sell(second, o)
		want(t, "below the list price", err, computers.ErrPrice)
		o.PriceCents = 6001
		sold, err = s.sell(second, o)
		if err != nil || sold.Subsidised || len(owed.sales) != 1 {
			t.Errorf("above the list price: %+v, %d trainings owed, %v", sold, len(owed.sales), err)
		}
	})
}

// A household's words are held, and the same words on the same day are one repair.
func TestComplaintsOfHouseholds(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		ask := func(words string) (computers.TicketID, error) {
			return s.OpenOwnTicket(t.Context(), premises.Own(amina), id, words, s.now)
		}
		for typed, message := range map[string]string{"": "field.missing", " \u00a0\n": "field.missing", "\u200b": "field.missing", strings.Repeat("é", 1001): "field.too_long",
			"a\x00b": "field.malformed", "caf\xe9": "field.malformed", "\u202eabc": "field.malformed"} {
			_, err := ask(typed)
			wantField(t, typed, err, "problem", message)
		}
		first, err := ask("l’écran reste noir")
		want(t, "repair", err, nil)
		again, err := ask(" l’écran reste noir ")
		if err != nil || again != first {
			t.Errorf("the same words: %s, %v, want %s", again, err, first)
		}
		_, err = ask("et le clavier")
		want(t, "other words", err, computers.ErrTicketOpen)
		s.now = s.now.AddDate(0, 0, 1)
		_, err = ask("l’écran reste noir")
		want(t, "the same words the day after", err, computers.ErrTicketOpen)
	})
}

// Who joins a household later learns that a repair is open, not in whose words.
func TestLaterMemberReadsNoEarlierWords(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id := s.inUse()
		_, err := s.OpenOwnTicket(t.Context(), premises.Own(amina), id, "mon mari a cassé l’écran", s.now)
		want(t, "repair", err, nil)
		sqldbtest.Exec(t, s.db, `INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-tra', 'F-1', '2026-06-01')`)
		s.now = s.now.AddDate(0, 4, 0)
		for who, words := range map[accounts.PersonID]string{amina: "mon mari a cassé l’écran", trainer: ""} {
			own, err := s.Own(t.Context(), premises.Own(who), s.now)
			if err != nil || len(own) != 1 || len(own[0].Tickets) != 1 || own[0].Tickets[0].Problem != words {
				t.Errorf("%s reads %+v, %v, want %q", who, own, err, words)
			}
		}
		sqldbtest.Exec(t, s.db, `UPDATE repair_ticket SET state = 'closed'`)
		if own, err := s.Own(t.Context(), premises.Own(trainer), s.now); err != nil || len(own) != 1 || len(own[0].Tickets) != 0 {
			t.Errorf("after its close: %+v, %v", own, err)
		}
	})
}

// Who sets terms, prices or grades says which version it changes, and a day that
// nobody can mean is refused.
func TestVersionsOfTerms(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		terms, err := s.Programme(ctx, manager, "R")
		want(t, "terms", err, nil)
		want(t, "terms as seen", s.SetProgramme(ctx, manager, terms), nil)
		want(t, "the same once more", s.SetProgramme(ctx, manager, terms), resource.ErrStale)
		terms.Version = -1
		want(t, "as the first", s.SetProgramme(ctx, manager, terms), resource.ErrStale)
		terms.Version, terms.From = 0, date("0001-01-02")
		wantField(t, "the year 1", s.SetProgramme(ctx, manager, terms), "from", "computers.day_range")
		seen, err := s.PricesVersion(ctx, manager, "R")
		p := computers.Price{What: computers.PriceNew, From: date("2027-01-01"), Cents: 9000, At: s.now, Seen: seen}
		want(t, "version of prices", err, nil)
		want(t, "price as seen", s.SetPrice(ctx, manager, "R", p), nil)
		p.Cents = 8000
		want(t, "the list has changed", s.SetPrice(ctx, manager, "R", p), resource.ErrStale)
		p.Seen, p.From = 0, date("9999-12-31")
		wantField(t, "the year 9999", s.SetPrice(ctx, manager, "R", p), "from", "computers.day_range")
		id := s.taken()
		version := s.sheet(id).Version
		want(t, "grades as seen", s.Regrade(ctx, technician, id, version, computers.GradeA, computers.GradeA, s.now), nil)
		want(t, "grades of before", s.Regrade(ctx, technician, id, version, computers.GradeB, computers.GradeB, s.now), resource.ErrStale)
	})
}

// What a scanner sends beside a serial is left out.
func TestCheckLeavesHiddenSignsOut(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		serial := s.sheet(s.taken()).Serial
		for _, typed := range []string{serial + "\x00", serial + "\xe9", "\u202e" + serial} {
			a, err := s.Check(t.Context(), technician, typed, s.now)
			if err != nil || a.Machine == nil {
				t.Errorf("%q: %+v, %v", typed, a, err)
			}
		}
	})
}
