package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const ticketColumns = `
SELECT repair_ticket.id, repair_ticket.machine_id, machine.tag, machine.residence_id, repair_ticket.sale_id, repair_ticket.state,
       repair_ticket.problem, repair_ticket.cover, COALESCE(repair_ticket.outcome, ''), COALESCE(repair_ticket.replacement, ''),
       repair_ticket.opened_on, repair_ticket.opened_by, COALESCE(repair_ticket.given_on, ''), repair_ticket.target_days,
       repair_ticket.version
  FROM repair_ticket
  JOIN machine ON machine.id = repair_ticket.machine_id
 WHERE `

func scanTicket(rows *sql.Rows) (t Ticket, err error) {
	var opened, given string
	err = rows.Scan(&t.ID, &t.Machine, &t.Tag, &t.Residence, &t.Sale, &t.State, &t.Problem, &t.Cover, &t.Outcome, &t.Replacement,
		&opened, &t.OpenedBy, &given, &t.TargetDays, &t.Version)
	if err != nil {
		return t, err
	}
	return t, dates(dated{opened, &t.OpenedOn}, dated{given, &t.GivenOn})
}

const stepsOf = `
SELECT number, state, at_ms, on_date, by_whom, note
  FROM repair_step
 WHERE ticket_id = $1
 ORDER BY number`

func scanStep(rows *sql.Rows) (s TicketStep, err error) {
	var atMs int64
	var on string
	if err = rows.Scan(&s.Number, &s.State, &atMs, &on, &s.By, &s.Note); err != nil {
		return s, err
	}
	s.At = sqldb.Time(atMs)
	return s, dates(dated{on, &s.On})
}

// wind reads the steps of a repair and works out its clocks.
func wind(ctx context.Context, db sqldb.Querier, t *Ticket, today civil.Date) (err error) {
	if t.Steps, err = several(ctx, db, scanStep, stepsOf, string(t.ID)); err != nil {
		return err
	}
	t.Clocks = clocksOf(t.OpenedOn, t.TargetDays, t.Steps, today)
	return nil
}

const ticketsOfMachine = ticketColumns + `repair_ticket.machine_id = $1
 ORDER BY repair_ticket.opened_on, repair_ticket.id`

func (s *Store) ticketsOf(ctx context.Context, f found, now time.Time) ([]Ticket, error) {
	all, err := several(ctx, s.db, scanTicket, ticketsOfMachine, string(f.ID))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := wind(ctx, s.db, &all[i], civil.DateIn(now, f.zone)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const openTickets = ticketColumns + byReaders + `
   AND ($2 = '' OR machine.residence_id = $2)
   AND repair_ticket.state <> 'closed'
 ORDER BY repair_ticket.opened_on, repair_ticket.id
 LIMIT $3`

// mostTickets bounds what one list shows.
const mostTickets = 500

// Tickets lists the repairs that are open, of one residence or of all that the
// person may see: those whose law's clock ends first come first, at most 500. No
// keeper is named; [Store.Ticket] does.
func (s *Store) Tickets(ctx context.Context, who accounts.PersonID, residence metering.SiteID, now time.Time) ([]Ticket, error) {
	all, err := several(ctx, s.db, scanTicket, openTickets, string(who), string(residence), mostTickets)
	if err != nil {
		return nil, fmt.Errorf("open repairs: %w", err)
	}
	for i := range all {
		f, err := one(ctx, s.db, scanMachine, findMachine, string(who), string(all[i].Machine))
		if err != nil {
			return nil, fmt.Errorf("machine %s: %w", all[i].Machine, err)
		}
		if err := wind(ctx, s.db, &all[i], civil.DateIn(now, f.zone)); err != nil {
			return nil, fmt.Errorf("repair %s: %w", all[i].ID, err)
		}
	}
	return all, nil
}

const findTicket = ticketColumns + byReaders + `
   AND repair_ticket.id = $2`

// Ticket returns a repair that the person may see, with whose machine it is as
// long as it is open; or [ErrNone].
func (s *Store) Ticket(ctx context.Context, who accounts.PersonID, id TicketID, now time.Time) (Ticket, error) {
	t, err := one(ctx, s.db, scanTicket, findTicket, string(who), string(id))
	if err != nil {
		return Ticket{}, fmt.Errorf("repair %s: %w", id, err)
	}
	f, err := one(ctx, s.db, scanMachine, findMachine, string(who), string(t.Machine))
	if err == nil {
		err = wind(ctx, s.db, &t, civil.DateIn(now, f.zone))
	}
	if err == nil && t.State != TicketClosed {
		t.Keeper, err = s.keeper(ctx, who, f, now)
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("repair %s: %w", id, err)
	}
	return t, nil
}

const anyOpenTicket = ticketColumns + `repair_ticket.machine_id = $1
   AND repair_ticket.state <> 'closed'`

// noTicket fails with [ErrTicketOpen] while a repair of the machine is open.
func noTicket(ctx context.Context, h *hand) error {
	all, err := several(ctx, h.tx, scanTicket, anyOpenTicket, string(h.ID))
	if err == nil && len(all) > 0 {
		err = ErrTicketOpen
	}
	return err
}

const putTicket = `
INSERT INTO repair_ticket (id, machine_id, sale_id, state, problem, cover, target_days, opened_on, opened_by, version)
VALUES ($1, $2, $3, 'opened', $4, $5, $6, $7, $8, 1)`

const putStep = `
INSERT INTO repair_step (ticket_id, number, state, at_ms, on_date, by_whom, note)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

const findTarget = `
SELECT COALESCE((SELECT target_days FROM computer_programme WHERE residence_id = $1), 5)`

// A Complaint asks for a repair.
type Complaint struct {
	Problem string     // in words of who asks
	On      civil.Date // zero for today
}

// OpenTicket asks for the repair of a machine that is in use, and returns the id.
// It fails with [ErrNone], [ErrStep], [ErrTicketOpen] or a fault of "on".
func (s *Store) OpenTicket(ctx context.Context, who accounts.PersonID, id MachineID, c Complaint, now time.Time) (TicketID, error) {
	return s.openTicket(ctx, holdByReaders, who, id, c, now, func(*hand) error { return nil })
}

func (s *Store) openTicket(ctx context.Context, query string, who accounts.PersonID, id MachineID, c Complaint, now time.Time, may func(*hand) error) (TicketID, error) {
	ticket := TicketID(newID())
	err := s.change(ctx, query, "open a repair of machine", who, id, now, func(h *hand) error {
		if err := may(h); err != nil {
			return err
		}
		if err := noTicket(ctx, h); err != nil {
			return err
		}
		if h.State != InUse {
			return ErrStep
		}
		on, err := h.day(ctx, "on", c.On)
		if err != nil {
			return err
		}
		sold, err := standing(ctx, h.tx, h.ID)
		if err != nil {
			return err
		}
		if on.Before(sold.HandedOn) {
			return fault("on", ErrHandedOn.Message)
		}
		days, err := one(ctx, h.tx, func(rows *sql.Rows) (n int, err error) { return n, rows.Scan(&n) }, findTarget, string(h.Residence))
		if err != nil {
			return err
		}
		_, err = h.tx.ExecContext(ctx, putTicket, string(ticket), string(h.ID), string(sold.ID), c.Problem,
			string(sold.Guarantee.CoverOn(on)), days, on.String(), string(who))
		if err != nil {
			return err
		}
		if err := h.putStep(ctx, ticket, 1, TicketOpen, on, ""); err != nil {
			return err
		}
		return h.note(ctx, TicketOpened, on, string(ticket), "")
	})
	return ticket, err
}

func (h *hand) putStep(ctx context.Context, id TicketID, number int64, to TicketState, on civil.Date, note string) error {
	_, err := h.tx.ExecContext(ctx, putStep, string(id), number, string(to), sqldb.Ms(h.now), on.String(), string(h.who), note)
	return err
}

// A TicketMove is a step of a repair.
type TicketMove struct {
	To   TicketState
	On   civil.Date // zero for today
	Note string
	// Replacement is the ready machine that is given instead, and SignedBy the name
	// under its receipt; both for [TicketReplaced] only.
	Replacement MachineID
	SignedBy    string
}

const putTicketState = `
UPDATE repair_ticket
   SET state = $2,
       outcome = $3,
       given_on = $4,
       replacement = $5,
       version = version + 1
 WHERE id = $1`

// MoveTicket takes a repair a step on. Diagnosed means that the machine has come;
// given back that the household has it again; replaced gives the household
// another machine at once, with a legal guarantee of its own, and closes the
// repair: there is nothing left to give back. It fails with
// [ErrNone], [ErrStep], [ErrOtherKind] or faults of "on".
func (s *Store) MoveTicket(ctx context.Context, who accounts.PersonID, id TicketID, m TicketMove, now time.Time) error {
	t, err := one(ctx, s.db, scanTicket, findTicket, string(who), string(id))
	if err != nil {
		return fmt.Errorf("repair %s: %w", id, err)
	}
	return s.change(ctx, holdByWorkshop, "repair machine", who, t.Machine, now, func(h *hand) error {
		if t, err = one(ctx, h.tx, scanTicket, findTicket, string(who), string(id)); err != nil {
			return err // as it is now that the machine is in hand
		}
		if !slices.Contains(ticketLeads[t.State], m.To) {
			return ErrStep
		}
		if m.On, err = h.day(ctx, "on", m.On); err != nil {
			return err
		}
		if err := wind(ctx, h.tx, &t, h.today); err != nil {
			return err
		}
		if last := t.Steps[len(t.Steps)-1]; m.On.Before(last.On) {
			return fault("on", "computers.before_step")
		}
		if err := s.turn(ctx, h, &t, m); err != nil {
			return err
		}
		return h.putTurn(ctx, t, m)
	})
}

// putTurn writes down where a repair stands now and the step that led there; that
// of an exchange is followed by its close.
func (h *hand) putTurn(ctx context.Context, t Ticket, m TicketMove) error {
	number, state := t.Steps[len(t.Steps)-1].Number+1, m.To
	if err := h.putStep(ctx, t.ID, number, m.To, m.On, m.Note); err != nil {
		return err
	}
	if m.To == TicketReplaced {
		state = TicketClosed
		if err := h.putStep(ctx, t.ID, number+1, state, m.On, ""); err != nil {
			return err
		}
	}
	_, err := h.tx.ExecContext(ctx, putTicketState, string(t.ID), string(state), nullText(string(t.Outcome)), nullDate(t.GivenOn), nullText(string(t.Replacement)))
	return err
}

// turn does to the machine what the step of its repair means.
func (s *Store) turn(ctx context.Context, h *hand, t *Ticket, m TicketMove) error {
	switch m.To {
	case TicketDiagnosed:
		if h.State == InUse {
			return h.step(ctx, RepairBegun, InRepair, m.On, string(t.ID), "")
		}
	case TicketRepaired, TicketRefused:
		t.Outcome = m.To
	case TicketReplaced:
		t.Outcome, t.Replacement, t.GivenOn = m.To, m.Replacement, m.On
		return s.exchange(ctx, h, m)
	case TicketGivenBack:
		t.GivenOn = m.On
		if h.State == InRepair {
			return h.step(ctx, GivenBack, InUse, m.On, string(t.ID), "")
		}
	}
	return nil
}

// exchange ends the sale of the machine in hand and gives its household the
// replacement, which must be ready and in the same residence.
func (s *Store) exchange(ctx context.Context, h *hand, m TicketMove) error {
	old, err := standing(ctx, h.tx, h.ID)
	if err != nil {
		return err
	}
	if m.Replacement == h.ID {
		return ErrOtherKind
	}
	// Looked at before it is held: two exchanges that each want the machine of the
	// other must not wait for each other.
	if seen, err := one(ctx, h.tx, scanMachine, findMachine, string(h.who), string(m.Replacement)); err == nil && seen.State != Ready {
		return ErrOtherKind
	}
	other, err := hold(ctx, h.tx, holdByWorkshop, h.who, m.Replacement, h.now)
	if errors.Is(err, ErrNone) || err == nil && (other.State != Ready || other.Residence != h.Residence) {
		return ErrOtherKind
	}
	if err != nil {
		return err
	}
	if _, err := other.day(ctx, "on", m.On); err != nil {
		return err
	}
	if err := noTicket(ctx, other); err != nil {
		return err
	}
	sh := Sheet{Machine: other.Machine}
	if err := s.fill(ctx, &sh, h.tx); err != nil {
		return err
	}
	if err := errors.Join(guard(sh, Ready), provenBy(sh, "on", m.On)); err != nil {
		return err
	}
	if err := h.endSale(ctx, old.ID, m.On, "exchanged", "", 0); err != nil {
		return err
	}
	h.beginCycle()
	if err := h.step(ctx, ExchangedFor, Returned, m.On, string(old.ID), ""); err != nil {
		return err
	}
	given := Sale{ID: SaleID(newID()), Machine: other.ID, Residence: old.Residence, Household: old.Household, Buyer: old.Buyer, Kind: other.Kind,
		Exchange: old.ID, Subsidised: old.Subsidised, slot: old.slot, Payment: NoMoney, SoldOn: m.On, SoldBy: h.who,
		ProgrammeFrom: old.ProgrammeFrom, ProgrammeMonths: old.ProgrammeMonths, HandedOn: m.On, SignedBy: m.SignedBy}
	if err := other.putSale(ctx, &given); err != nil {
		return err
	}
	return other.step(ctx, ExchangeGiven, InUse, m.On, string(given.ID), "")
}
