package computers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/consent"
)

// held is what the archive of a household says.
func (s *shop) held(r computers.Records, of string) string {
	s.t.Helper()
	files, err := r.Held(s.t.Context(), "F-1", date(of))
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(files["ordinateurs.json"])
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// The archive tells a household its receipt, its guarantee and its repair, and
// nothing of another; an erasure takes the words of what is over and leaves the
// receipt; ten years after the year of the sale nobody is named any more.
func TestRecordsOfAHousehold(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		id := s.inUse()
		ticket := s.complain(id, "2026-03-18")
		records := computers.Records{Store: s.Store, Now: func() time.Time { return s.now }}
		whole := s.held(records, "2026-01-01")
		for _, wanted := range []string{`"receipt_no":"2026-0001"`, `"price_cents":6000`, s.sheet(id).Tag, "legal_until", s.sheet(id).Tickets[0].Problem} {
			if !strings.Contains(whole, wanted) {
				t.Errorf("the archive lacks %s: %s", wanted, whole)
			}
		}
		other, err := records.Held(ctx, "F-2", date("2026-01-01"))
		if text, _ := json.Marshal(other); err != nil || strings.Contains(string(text), "2026-0001") {
			t.Errorf("another household's archive: %s, %v", text, err)
		}
		complaint := s.sheet(id).Tickets[0].Problem
		erase := func(what consent.What) {
			t.Helper()
			for range 2 { // erasing twice is erasing once
				want(t, "erase", records.Forget(ctx, consent.Erasure{Household: "F-1", What: what}), nil)
			}
		}
		erase(consent.All)
		if got := s.sheet(id).Tickets[0].Problem; got != complaint {
			t.Errorf("an open repair lost its words: %q", got)
		}
		for _, to := range []computers.TicketState{computers.TicketDiagnosed, computers.TicketRepaired, computers.TicketGivenBack, computers.TicketClosed} {
			want(t, string(to), s.turn(ticket, to, "2026-03-18"), nil)
		}
		erase(consent.Fine)
		if got := s.sheet(id).Tickets[0].Problem; got != complaint {
			t.Errorf("an erasure of readings took words about a repair: %q", got)
		}
		erase(consent.All)
		after := s.sheet(id)
		if after.Tickets[0].Problem == complaint || after.Tickets[0].Steps[0].Note != "" || after.Sale.ReceiptNo != "2026-0001" || after.Sale.Guarantee.Repairs != 1 {
			t.Errorf("after the erasure: %+v, %+v", after.Tickets[0], after.Sale)
		}
		s.replayed(id)

		s.now = time.Date(2036, 12, 31, 12, 0, 0, 0, time.UTC)
		if n, err := records.Expire(ctx); n != 0 || err != nil {
			t.Errorf("in the tenth year %d sales are forgotten, %v", n, err)
		}
		s.now = time.Date(2037, 1, 2, 12, 0, 0, 0, time.UTC)
		for i, wanted := range []int64{1, 0} {
			if n, err := records.Expire(ctx); n != wanted || err != nil {
				t.Errorf("round %d after ten years: %d sales forgotten, %v", i, n, err)
			}
		}
		if text := s.held(records, "2026-01-01"); strings.Contains(text, "2026-0001") {
			t.Errorf("the household is still named: %s", text)
		}
		l, err := s.Ledger(ctx, manager, "R", date("2026-01-01"), date("2027-01-01"))
		if err != nil || l.RevenueUsed != 6000 || l.SoldUsed != 1 {
			t.Errorf("the ledger forgot money: %+v, %v", l, err)
		}
	})
}
