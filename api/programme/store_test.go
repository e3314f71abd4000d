package programme_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func inR() programme.Record { return programme.Record{Residence: "R"} }

func page() programme.Filter { return programme.Filter{Page: resource.Page{Limit: 100}} }

// A convention with all that belongs to it is written, read, replaced and removed;
// who has no role in its residence finds nothing.
func TestConvention(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 0)
		ctx := t.Context()
		partner, err := programme.Create(ctx, s, advisor, programme.Partner{Record: inR(), Name: " Atelier  du   quai ", Kind: programme.WorkshopPartner,
			People: []accounts.PersonID{technician}})
		if err != nil || partner.Name != "Atelier du quai" {
			t.Fatalf("%+v, %v", partner, err)
		}
		want := programme.Convention{Record: inR(), Partner: partner.ID, Title: "Remise en état", SignedOn: date(t, "2026-01-02"), From: date(t, "2026-01-05"),
			Until: dateP(t, "2027-01-05"), NoticeDays: 90, ReturnDays: 10,
			Commitments: []programme.Commitment{{Side: programme.Landlord, Topic: "price", Promise: "Payer à 30 jours."}, {Side: programme.Other, Topic: "stock", Promise: "Dix machines prêtes."}},
			Prices:      []programme.ServicePrice{{Service: "refurbish", PriceCents: 4000}}}
		made, err := programme.Create(ctx, s, advisor, want)
		if err != nil {
			t.Fatal(err)
		}
		want.Record = made.Record
		got, err := programme.ByID[programme.Convention](ctx, s, manager, made.ID)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v, (-want +got):\n%s", err, diff)
		}
		got.Prices, got.Title = nil, "Autre titre"
		if got, err = programme.Replace(ctx, s, advisor, got); err != nil || got.Version != 2 || len(got.Prices) != 0 {
			t.Errorf("replaced: %+v, %v", got, err)
		}
		for _, refused := range []struct {
			name      string
			got, want error
		}{
			{"old version", second(programme.Replace(ctx, s, advisor, made)), resource.ErrStale},
			{"manager writes", second(programme.Replace(ctx, s, manager, got)), programme.ErrNone},
			{"manager creates", second(programme.Create(ctx, s, manager, want)), programme.ErrNoResidence},
			{"other residence reads", second(programme.ByID[programme.Convention](ctx, s, stranger, made.ID)), programme.ErrNone},
			{"other residence removes", programme.Remove[programme.Convention](ctx, s, stranger, made.ID, 2), programme.ErrNone},
			{"partner in use", programme.Remove[programme.Partner](ctx, s, advisor, partner.ID, 1), programme.ErrInUse},
			{"same partner twice", second(programme.Create(ctx, s, advisor, partner)), programme.ErrTaken},
		} {
			if !errors.Is(refused.got, refused.want) {
				t.Errorf("%s: %v, want %v", refused.name, refused.got, refused.want)
			}
		}
		if err := programme.Remove[programme.Convention](ctx, s, advisor, made.ID, 2); err != nil {
			t.Error(err)
		}
		if all, err := programme.List[programme.Convention](ctx, s, manager, page()); err != nil || len(all) != 0 {
			t.Errorf("after removing: %v, %v", all, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// What is out of bounds is told field by field.
func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		got    []problem.Field
		fields []string
	}{
		{"partner", (&programme.Partner{}).Check(), []string{"name", "kind"}},
		{"convention backwards", (&programme.Convention{Partner: "x", Title: "x", SignedOn: date(t, "2026-01-01"), From: date(t, "2026-01-02"), Until: dateP(t, "2026-01-02")}).Check(), []string{"until"}},
		{"price twice", (&programme.Convention{Partner: "x", Title: "x", SignedOn: date(t, "2026-01-01"), From: date(t, "2026-01-02"),
			Prices: []programme.ServicePrice{{Service: "repair"}, {Service: "repair"}}}).Check(), []string{"prices.service"}},
		{"survey of nobody", (&programme.Survey{Question: "computer", On: date(t, "2026-01-01"), Dwellings: 10, Answered: number(0), Yes: number(0), Source: "x"}).Check(), []string{"answered"}},
		{"more yes than answers", (&programme.Survey{Question: "computer", On: date(t, "2026-01-01"), Dwellings: 10, Answered: number(5), Yes: number(6), Source: "x"}).Check(), []string{"yes"}},
		{"both ways of time", (&programme.StaffTime{Role: "lead", From: date(t, "2026-01-01"), Until: date(t, "2026-02-01"), HourTenths: number(1), PostThousandths: number(1), Source: "x"}).Check(), []string{"hour_tenths"}},
		{"unknown indicator", (&programme.Declared{Indicator: "luck", From: date(t, "2026-01-01"), Until: date(t, "2026-02-01"), Source: "x"}).Check(), []string{"indicator"}},
		{"no money", (&programme.Entry{On: date(t, "2026-01-01"), Side: "cost", Category: "other", Label: "x", Source: "x"}).Check(), []string{"cents"}},
		{"hidden sign", (&programme.Draft{On: date(t, "2026-01-01"), Words: "a\u202eb"}).Check(), []string{"words"}},
	} {
		var fields []string
		for _, f := range tt.got {
			fields = append(fields, f.Name)
		}
		if diff := cmp.Diff(tt.fields, fields); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A survey tells how far it may be off, and nothing where nobody knows who answered.
func TestSurveyInterval(t *testing.T) {
	s := programme.Survey{Dwellings: 600, Answered: number(100), Yes: number(60), Tenths: 600}
	low, high, known := s.Interval()
	if !known || low < 500 || low > 520 || high < 675 || high > 700 { // Wilson's: 502 to 691 of an endless number, a little less of 600
		t.Errorf("interval %d to %d, %t", low, high, known)
	}
	if s.Answered = number(600); true {
		if low, high, _ = s.Interval(); low != 600 || high != 600 {
			t.Errorf("everybody was asked: %d to %d", low, high)
		}
	}
	if _, _, known = (programme.Survey{Dwellings: 600, Tenths: 600}).Interval(); known {
		t.Error("an unknown sample has an interval")
	}
}

// Repairs are measured month by month; those that wait are counted, and only who
// may reads them.
func TestTurnarounds(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 4)
		q := &quarter{t: t, db: db, store: s, made: map[string]civil.Date{}}
		partner, err := programme.Create(t.Context(), s, advisor, programme.Partner{Record: inR(), Name: "Atelier", Kind: programme.WorkshopPartner, People: []accounts.PersonID{technician}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := programme.Create(t.Context(), s, advisor, programme.Convention{Record: inR(), Partner: partner.ID, Title: "Réparer", SignedOn: date(t, "2026-01-01"), From: date(t, "2026-01-01"), ReturnDays: 10})
		if err != nil {
			t.Fatal(err)
		}
		for n, r := range []struct{ opened, given string }{{"2026-01-02", "2026-01-07"}, {"2026-01-05", "2026-01-20"}, {"2025-12-10", "2026-01-15"}, {"2026-01-28", ""}} {
			q.repair(n, r.opened, r.given)
		}
		want := []programme.Turnaround{
			{Month: civil.Month{Year: 2026, Month: 1}, Ended: 3, Median: 15, Ninety: 36, Within: 1, Over30: 1, Waiting: 1},
			{Month: civil.Month{Year: 2026, Month: 2}, Waiting: 1},
		}
		for _, who := range []accounts.PersonID{technician, manager, advisor} {
			got, err := s.Turnarounds(t.Context(), who, c.ID, date(t, "2026-02-20"))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v, (-want +got):\n%s", who, err, diff)
			}
		}
		for who, want := range map[accounts.PersonID]int{technician: 1, manager: 1, stranger: 0} {
			if all, err := s.MeasuredConventions(t.Context(), who); err != nil || len(all) != want || want > 0 && all[0].ID != c.ID {
				t.Errorf("%s may read %v, %v", who, all, err)
			}
		}
		sqldbtest.Exec(t, db, `DELETE FROM partner_person`)
		for _, who := range []accounts.PersonID{technician, stranger} {
			if _, err := s.Turnarounds(t.Context(), who, c.ID, date(t, "2026-02-20")); !errors.Is(err, programme.ErrNone) {
				t.Errorf("%s: %v, want none", who, err)
			}
		}
	})
}

// repair writes a machine with a repair, given back on a day or not yet.
func (q *quarter) repair(n int, opened, given string) {
	id, flat := string(rune('a'+n)), "00"+string(rune('0'+n))
	q.exec(`INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no, received_on, state, cycle, grade_appearance, grade_function, version)
		VALUES ($1, 'R', $2, $1, '', 'used', 'desktop', 'x', 'x', '', 0, 'x', '', 0, $1, '2025-01-01', 'in_use', 1, 'B', 'B', 1)`, "PC-"+id, "TAG-"+id)
	q.exec(`INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, payment, receipt_no, sold_on, sold_by, programme_from, programme_months, handed_on, accessories, signed_by, return_reason, refund_cents)
		VALUES ($1, $2, 'R', $3, $4, 'used', 6000, 6000, 0, 'cash', $1, '2025-11-01', 'x', '2025-11-01', 12, '2025-11-02', '', 'x', '', 0)`, "SL-"+id, "PC-"+id, "F-"+flat, "P-"+flat)
	q.exec(`INSERT INTO repair_ticket (id, machine_id, sale_id, state, problem, cover, outcome, target_days, opened_on, opened_by, given_on, version)
		VALUES ($1, $2, $3, $4, 'x', 'legal', $5, 5, $6, 'x', $7, 1)`, "TK-"+id, "PC-"+id, "SL-"+id, map[bool]string{true: "diagnosed", false: "closed"}[given == ""],
		sql.NullString{String: "repaired", Valid: given != ""}, opened, sql.NullString{String: given, Valid: given != ""})
	if given != "" {
		q.exec(`INSERT INTO repair_step (ticket_id, number, state, at_ms, on_date, by_whom, note) VALUES ($1, 1, 'repaired', 1000, $2, 'x', '')`, "TK-"+id, given)
	}
}

// A note is read by its household from the day on which the reader belongs to it,
// and by nobody once it is struck.
func TestNotesSeen(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 2)
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('late', 'Arrivée Tard', 'fr')`)
		sqldbtest.Exec(t, db, `INSERT INTO membership (person_id, household_id, from_date) VALUES ('late', 'F-000', '2026-03-15')`)
		var ids []programme.NoteID
		for _, on := range []string{"2026-03-10", "2026-03-16"} {
			id, err := s.WriteNote(t.Context(), advisor, "F-000", programme.Draft{On: date(t, on), Words: "Vu le " + on + "."}, now)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		count := func(who accounts.PersonID, household premises.HouseholdID) int {
			t.Helper()
			all, err := s.SeenNotes(t.Context(), premises.Viewer{Person: who, Household: household}, now)
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		for _, tt := range []struct {
			name string
			got  int
			want int
		}{
			{"member", count("P-000", ""), 2}, {"who joined later", count("late", ""), 1}, {"neighbour", count("P-001", ""), 0},
			{"neighbour who names the household", count("P-001", "F-000"), 0}, {"manager", count(manager, "F-000"), 0},
		} {
			if tt.got != tt.want {
				t.Errorf("%s: %d notes, want %d", tt.name, tt.got, tt.want)
			}
		}
		if err := s.StrikeNote(t.Context(), stranger, ids[0], now); !errors.Is(err, programme.ErrNone) {
			t.Errorf("struck from another residence: %v", err)
		}
		if err := s.StrikeNote(t.Context(), advisor, ids[0], now); err != nil || count("P-000", "") != 1 {
			t.Errorf("struck: %v, %d left", err, count("P-000", ""))
		}
		if _, err := s.WriteNote(t.Context(), manager, "F-000", programme.Draft{On: date(t, "2026-03-10"), Words: "x"}, now); problem.Of(err).Kind != problem.NotFound {
			t.Errorf("a manager's note: %v", err)
		}
	})
}

// The money of years is what the workshop's monthly statements and the sales say.
func TestLedgerAgreesWithStatements(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 4)
		q := &quarter{t: t, db: db, store: s, made: map[string]civil.Date{}}
		q.exec(`INSERT INTO workshop_price (residence_id, what, from_date, price_cents) VALUES ('R', 'repair', '2026-01-10', 2500), ('R', 'repair', '2026-02-01', 3000), ('R', 'refurbish', '2025-01-01', 4000)`)
		for n, r := range []struct{ opened, given string }{{"2026-01-02", "2026-01-07"}, {"2026-01-05", "2026-01-20"}, {"2026-01-10", "2026-02-15"}} {
			q.repair(n, r.opened, r.given)
		}
		for n, e := range []struct{ on, what, state string }{{"2025-01-02", "taken_in", "received"}, {"2025-02-01", "moved", "ready"}, {"2025-02-03", "moved", "testing"},
			{"2025-02-05", "moved", "ready"}, {"2025-06-01", "taken_back", "returned"}, {"2025-07-01", "moved", "ready"}} {
			q.exec(`INSERT INTO machine_event (machine_id, number, at_ms, on_date, by_whom, what, state, subject, note) VALUES ('PC-a', $1, 1000, $2, 'x', $3, $4, '', '')`, n+1, e.on, e.what, e.state)
		}
		from, until := date(t, "2025-01-01"), date(t, "2026-03-01")
		l, err := s.Ledger(t.Context(), manager, "R", from, until)
		if err != nil {
			t.Fatal(err)
		}
		var cents int64
		unpriced := 0
		for m := from.MonthOf(); m.First().Before(until); m = m.Next() {
			st, err := computers.NewStore(db, nil).Statement(t.Context(), manager, "R", m)
			if err != nil {
				t.Fatal(err)
			}
			cents += st.TotalCents
			unpriced += st.Unpriced
		}
		if l.ServiceCents != cents || l.Unpriced != unpriced || cents != 2*4000+2500+3000 || unpriced != 1 {
			t.Errorf("services %d, %d unpriced; statements say %d and %d", l.ServiceCents, l.Unpriced, cents, unpriced)
		}
		if l.SoldUsed != 3 || l.RevenueCents() != 18000 {
			t.Errorf("sold %d for %d", l.SoldUsed, l.RevenueCents())
		}
		if _, err := s.Ledger(t.Context(), technician, "R", from, until); !errors.Is(err, programme.ErrNoResidence) {
			t.Errorf("technician: %v", err)
		}
	})
}

// A household is active in a month where a member used a session; once is enough.
func TestCountActive(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 3)
		for n, seen := range []time.Time{now, now.AddDate(0, -1, 0)} {
			id := "00" + string(rune('0'+n))
			sqldbtest.Exec(t, db, `INSERT INTO session (id, token_hash, person_id, way, browser, created_ms, seen_ms, expires_ms, form_token) VALUES ($1, $2, $3, 'code', '', 1000, $4, $4, $5)`,
				id, id+"00000000000000000000000000000000000000000000000000000000000000"[:61], "P-"+id, seen.UnixMilli(), "0000000000000000000000000000000000000000000")
		}
		for range 2 {
			if err := s.CountActive(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.Indicators(t.Context(), manager, programme.Period{Residence: "R", From: date(t, "2026-01-01"), Until: date(t, "2026-04-01")}, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			if i.Key == "active_households" && (i.Computed == nil || *i.Computed != 1000) {
				t.Errorf("active households %v, want 1", i.Computed)
			}
		}
	})
}

// Sign-ups are counted before, during and after, each household once a window.
func TestSignUps(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 4)
		c, err := programme.Create(t.Context(), s, advisor, programme.Campaign{Record: inR(), Title: "Réunions", Goal: programme.ToComputer, Audience: "tous", Channel: "meeting",
			From: date(t, "2026-02-01"), Until: date(t, "2026-02-15"), Reach: number(40)})
		if err != nil {
			t.Fatal(err)
		}
		for n, on := range []string{"2026-01-10", "2026-02-01", "2026-02-20", "2025-12-01"} {
			sqldbtest.Exec(t, db, `INSERT INTO machine_wait (id, residence_id, household_id, kind, asked_on) VALUES ($1, 'R', $2, 'used', $3)`, "W-"+on, "F-00"+string(rune('0'+n)), on)
		}
		u, err := s.SignUps(t.Context(), manager, c.ID, date(t, "2026-03-18"))
		if err != nil || u.Before != 1 || u.During != 1 || u.After != 1 || u.Running {
			t.Errorf("%+v, %v", u, err)
		}
		for _, goal := range programme.Goals { // each goal's query holds on both databases
			c.Goal = goal
			if c, err = programme.Replace(t.Context(), s, advisor, c); err != nil {
				t.Fatal(err)
			}
			if _, err := s.SignUps(t.Context(), manager, c.ID, date(t, "2026-03-18")); err != nil {
				t.Errorf("%s: %v", goal, err)
			}
		}
	})
}
