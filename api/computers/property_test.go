package computers_test

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// A fair is a shop in which anybody tries anything: two machines, two households
// that nobody else knows.
type fair struct {
	*shop
	machines []computers.MachineID
	families []premises.HouseholdID
	buyers   []accounts.PersonID

	mu    sync.Mutex
	taken int64 // cents of the sales that were told to be done
	given int64 // cents of the returns that were
	sales int
}

// newFair adds what a sequence needs to a shop that others use too.
func newFair(s *shop, n int) *fair {
	f := &fair{shop: s}
	for i := range 2 {
		id := fmt.Sprintf("%d-%d", n, i)
		sqldbtest.Exec(s.t, s.db, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D-`+id+`', 'R', 'A', '1', 'x', 0, 1, 20)`)
		sqldbtest.Exec(s.t, s.db, `INSERT INTO household (id, occupants, language) VALUES ('F-`+id+`', 1, 'fr')`)
		sqldbtest.Exec(s.t, s.db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-`+id+`', 'F-`+id+`', 'D-`+id+`', '2020-01-01')`)
		sqldbtest.Exec(s.t, s.db, `INSERT INTO person (id, name, language) VALUES ('P-`+id+`', 'Famille Un', 'fr')`)
		sqldbtest.Exec(s.t, s.db, `INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-`+id+`', 'F-`+id+`', '2020-01-01')`)
		a := s.arrival(computers.Used, 1)
		a.Serial, a.Drives[0].Serial = "FAIR"+id, "DISK"+id
		m, err := s.TakeIn(s.t.Context(), technician, a, s.now)
		if err != nil {
			s.t.Fatal(err)
		}
		f.machines, f.families, f.buyers = append(f.machines, m.ID), append(f.families, premises.HouseholdID("F-"+id)), append(f.buyers, accounts.PersonID("P-"+id))
	}
	return f
}

// A deed is one thing that somebody tries, all of its choices made.
type deed struct {
	who          accounts.PersonID
	what         string
	machine      computers.MachineID
	family       int
	a, b         int // further choices
	failed, dear bool
}

// What comes first is drawn most often.
var deeds = []string{"exchange", "exchange", "give back", "prepare", "sell", "hand", "ticket", "turn", "return", "wipe", "hold", "prepare", "sell", "hand", "turn", "wiping", "testing", "test", "ready",
	"grade", "drive", "release", "received", "spare_parts", "recycled", "to_repair", "defect"}

func (f *fair) draw(t *rapid.T) deed {
	who := rapid.SampledFrom([]accounts.PersonID{admin, admin, admin, admin, technician, advisor, manager, trainer, stranger, amina}).Draw(t, "who")
	return deed{who: who, what: rapid.SampledFrom(deeds).Draw(t, "what"), machine: rapid.SampledFrom(f.machines).Draw(t, "machine"),
		family: rapid.IntRange(0, 1).Draw(t, "family"), a: rapid.IntRange(0, 8).Draw(t, "a"), b: rapid.IntRange(0, 1).Draw(t, "b"),
		failed: rapid.IntRange(0, 5).Draw(t, "failed") == 0, dear: rapid.IntRange(0, 3).Draw(t, "dear") == 0}
}

// do tries it. Whatever the order, a refusal must be one that people are told.
func (f *fair) do(d deed) error {
	ctx := f.t.Context()
	switch d.what {
	case "wipe":
		return f.tryWipe(d)
	case "test":
		_, err := f.RecordTest(ctx, d.who, d.machine, run(computers.Desktop), f.now)
		return err
	case "grade":
		return f.SetGrades(ctx, d.who, d.machine, computers.GradeB, computers.GradeB, f.now)
	case "drive":
		if d.a > 1 {
			return nil
		}
		_, err := f.AddDrive(ctx, d.who, d.machine, computers.Drive{Serial: fmt.Sprintf("EXTRA%s%d", d.machine, d.a), Medium: computers.HDD}, f.now)
		return err
	case "prepare":
		return f.prepare(d)
	case "exchange":
		return f.exchange(d)
	case "give back":
		return f.several(d, "prepare", "sell", "hand", "return")
	case "hold":
		return f.Reserve(ctx, d.who, d.machine, f.families[d.family], date("2026-03-20"), f.now)
	case "release":
		return f.Release(ctx, d.who, d.machine, f.now)
	case "sell":
		return f.trySell(d)
	case "hand":
		return f.HandOver(ctx, d.who, d.machine, computers.Handover{SignedBy: "Famille Un"}, f.now)
	case "return":
		return f.tryReturn(d)
	case "ticket":
		_, err := f.OpenTicket(ctx, d.who, d.machine, computers.Complaint{Problem: "panne"}, f.now)
		return err
	case "turn":
		return f.tryTurn(d)
	case "defect":
		_, err := f.NoteDefect(ctx, d.who, d.machine, "touche", f.now)
		return err
	}
	return f.Move(ctx, d.who, d.machine, computers.Move{To: computers.State(d.what)}, f.now)
}

func (f *fair) tryWipe(d deed) error {
	sh, err := f.Machine(f.t.Context(), d.who, d.machine, f.now)
	if err != nil {
		return err
	}
	w := computers.Wipe{Drive: sh.Drives[d.a%len(sh.Drives)].ID, Level: computers.Purge, Method: "erase", Tool: "tool", Result: computers.Passed, VerifiedBy: "Théo"}
	if d.failed {
		w.Result = computers.Failed
	}
	_, err = f.RecordWipe(f.t.Context(), d.who, d.machine, w, f.now)
	return err
}

// prepare does all that leads to ready, as far as it goes, so that sequences get
// somewhere.
func (f *fair) prepare(d deed) error {
	d.who = technician
	for _, what := range []string{"received", "wiping", "wipe", "testing", "test", "grade", "ready"} {
		step := d
		step.what, step.failed = what, false
		if err := f.do(step); err != nil && problem.Of(err).Kind == problem.Internal {
			return err
		}
	}
	return nil
}

// several does one thing after the other, as far as people are let.
func (f *fair) several(d deed, whats ...string) error {
	d.who, d.dear = admin, false
	for _, what := range whats {
		step := d
		step.what, step.failed = what, false
		if err := f.do(step); err != nil && problem.Of(err).Kind == problem.Internal {
			return err
		}
	}
	return nil
}

// exchange makes both machines ready, sells the one, lets it break and gives the
// other instead, as far as nobody comes between.
func (f *fair) exchange(d deed) error {
	other := f.machines[0]
	if d.machine == other {
		other = f.machines[1]
	}
	second := d
	second.machine = other
	if err := errors.Join(f.prepare(second), f.several(d, "prepare", "sell", "hand", "ticket")); err != nil {
		return err
	}
	all, err := f.Tickets(f.t.Context(), admin, "R", f.now)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Machine != d.machine {
			continue
		}
		for _, m := range []computers.TicketMove{{To: computers.TicketDiagnosed}, {To: computers.TicketReplaced, Replacement: other, SignedBy: "Famille Un"}, {To: computers.TicketGivenBack}, {To: computers.TicketClosed}} {
			if err := f.MoveTicket(f.t.Context(), admin, t.ID, m, f.now); err != nil && problem.Of(err).Kind == problem.Internal {
				return err
			}
		}
	}
	return nil
}

func (f *fair) trySell(d deed) error {
	o := computers.Offer{Household: f.families[d.family], Buyer: f.buyers[d.family], PriceCents: 6000, Subsidised: true, Payment: computers.Card}
	if d.dear {
		o.PriceCents, o.Subsidised = 9000, false
	}
	sold, err := f.Sell(f.t.Context(), d.who, d.machine, o, f.now)
	if err == nil {
		f.mu.Lock()
		f.taken += sold.PriceCents
		f.sales++
		f.mu.Unlock()
	}
	return err
}

func (f *fair) tryReturn(d deed) error {
	g := computers.Giveback{Reason: "rendu", RefundCents: int64(d.a) * 1000}
	err := f.TakeBack(f.t.Context(), d.who, d.machine, g, f.now)
	if err == nil {
		f.mu.Lock()
		f.given += g.RefundCents
		f.mu.Unlock()
	}
	return err
}

func (f *fair) tryTurn(d deed) error {
	all, err := f.Tickets(f.t.Context(), d.who, "R", f.now)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Machine == d.machine {
			m := computers.TicketMove{To: computers.TicketStates[d.a], SignedBy: "Famille Un"}
			if next := computers.NextTicketSteps(t.State); !d.dear && len(next) > 0 {
				m.To = next[len(next)-1-min(d.a/2, len(next)-1)]
			}
			if m.To == computers.TicketReplaced {
				m.Replacement = f.machines[d.b]
			}
			return f.MoveTicket(f.t.Context(), d.who, t.ID, m, f.now)
		}
	}
	return nil
}

// rounds of two deeds at once make a sequence.
const rounds = 5

// enough sequences tell what there is to tell: those after them cost a minute on
// a machine that does other work beside.
const enough = 40

// TestAnySequence: whoever does whatever in whatever order, two at once, no machine
// is sold twice or unwiped, no event is lost, and the money is that of the sales.
func TestAnySequence(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newShop(t, db, nil)
		n, sold, swapped, back := 0, 0, 0, 0
		rapid.Check(t, func(t *rapid.T) {
			if n == enough {
				return
			}
			n++
			f := newFair(s, n)
			before := f.ledger(t)
			for range rounds {
				first, second := f.draw(t), f.draw(t)
				var errs [2]error
				var both sync.WaitGroup
				both.Go(func() { errs[0] = f.do(first) })
				both.Go(func() { errs[1] = f.do(second) })
				both.Wait()
				for i, err := range errs {
					if err != nil && problem.Of(err).Kind == problem.Internal {
						t.Fatalf("%+v: %v", []deed{first, second}[i], err)
					}
				}
			}
			f.honest(t, before)
			sold += f.sales
			after := f.ledger(t)
			swapped, back = after.Exchanges, after.Returns
		})
		t.Logf("%d sales, %d exchanges and %d returns in %d sequences", sold, swapped, back, n)
		if swapped*10 < n || back*10 < n {
			t.Errorf("%d exchanges and %d returns in %d sequences: they do not get there", swapped, back, n)
		}
		if sold*7 < n {
			t.Errorf("%d sales in %d sequences: they do not get far enough to tell anything", sold, n)
		}
	})
}

func (f *fair) ledger(t *rapid.T) computers.Ledger {
	l, err := f.Ledger(f.t.Context(), manager, "R", date("2026-01-01"), date("2027-01-01"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// honest holds what must be true after any sequence.
func (f *fair) honest(t *rapid.T, before computers.Ledger) {
	after := f.ledger(t)
	if got := after.RevenueUsed - before.RevenueUsed; got != f.taken {
		t.Errorf("the ledger grew by %d cents, the sales made %d", got, f.taken)
	}
	if got := after.RefundCents - before.RefundCents; got != f.given {
		t.Errorf("refunds grew by %d cents, %d were given", got, f.given)
	}
	if got := after.SoldUsed - before.SoldUsed; got != f.sales {
		t.Errorf("the ledger counts %d more sales, %d were made", got, f.sales)
	}
	for _, id := range f.machines {
		f.upright(t, id)
	}
	for _, family := range f.families {
		var subsidised int
		err := f.db.QueryRow(`SELECT COUNT(*) FROM machine_sale WHERE household_id = '` + string(family) + `' AND subsidised = 1 AND ended_on IS NULL`).Scan(&subsidised)
		if err != nil || subsidised > 1 {
			t.Errorf("household %s has %d subsidised machines, %v", family, subsidised, err)
		}
	}
}

// upright holds a machine's life against its events alone.
func (f *fair) upright(t *rapid.T, id computers.MachineID) {
	sh, err := f.Machine(f.t.Context(), admin, id, f.now)
	events, err2 := f.Events(f.t.Context(), admin, id)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	state, cycle, err := computers.Replay(events)
	if err != nil || state != sh.State || cycle != sh.Cycle || int64(len(events)) != sh.Version {
		t.Errorf("it is %s, %d, %d; its events make %s, %d, %d: %v", sh.State, sh.Cycle, sh.Version, state, cycle, len(events), err)
	}
	wipes := map[string]computers.Wipe{}
	for _, w := range sh.Wipes {
		wipes[string(w.ID)] = w
	}
	clean, drives := map[computers.DriveID]bool{}, map[computers.DriveID]bool{sh.Drives[0].ID: true}
	standing := false
	for _, e := range events {
		switch e.What {
		case computers.DriveAdded:
			drives[computers.DriveID(e.Subject)] = true
		case computers.Wiped:
			clean[wipes[e.Subject].Drive] = wipes[e.Subject].Result == computers.Passed
		case computers.TakenBack, computers.ExchangedFor:
			clear(clean)
			standing = false
		case computers.SoldTo, computers.ExchangeGiven:
			if standing {
				t.Errorf("event %d sells a machine that is sold", e.Number)
			}
			standing = true
			for d := range drives {
				if !clean[d] {
					t.Errorf("event %d sells a machine whose drive %s is not wiped", e.Number, d)
				}
			}
		}
	}
}
