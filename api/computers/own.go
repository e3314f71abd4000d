package computers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// An OwnMachine is a machine as its household sees it: its guarantee and its
// repairs, and nothing of whose it was before.
type OwnMachine struct {
	ID      MachineID
	Tag     string
	Serial  string
	Maker   string
	Model   string
	Sale    Sale
	Tickets []Ticket
	Zone    *time.Location
	InUse   bool // so that a repair may be asked for, if none is open
}

const findAnyMachine = `
SELECT ` + machineColumns + `
  FROM machine
 WHERE machine.id = $1`

// Own lists the machines that the viewer's household has, in the order of buying;
// see [premises.Store.Seen] for who may look. It fails with the problem NotFound
// "tenancy.none" where the viewer has no household to see.
func (s *Store) Own(ctx context.Context, v premises.Viewer, now time.Time) ([]OwnMachine, error) {
	seen, err := s.homes.Seen(ctx, v, now)
	if err != nil {
		return nil, fmt.Errorf("machines of person %s: %w", v.Person, err)
	}
	sales, err := several(ctx, s.db, scanSale, salesOf, string(seen.Household))
	if err != nil {
		return nil, fmt.Errorf("machines of household %s: %w", seen.Household, err)
	}
	var all []OwnMachine
	for _, sold := range sales {
		own, err := s.own(ctx, sold, seen.ShownFrom, now)
		if err != nil {
			return nil, fmt.Errorf("machines of household %s: %w", seen.Household, err)
		}
		all = append(all, own)
	}
	return all, nil
}

// own is a machine with its repairs from a day on. Of those before, one that is open
// is told without its words: who joined later did not hear them.
func (s *Store) own(ctx context.Context, sold Sale, since civil.Date, now time.Time) (OwnMachine, error) {
	f, err := one(ctx, s.db, scanMachine, findAnyMachine, string(sold.Machine))
	if err != nil {
		return OwnMachine{}, err
	}
	own := OwnMachine{ID: f.ID, Tag: f.Tag, Serial: f.Serial, Maker: f.Maker, Model: f.Model, Sale: sold, Zone: f.zone, InUse: f.State == InUse}
	all, err := several(ctx, s.db, scanTicket, ticketsOfSale, string(sold.ID), since.String())
	for i := range all {
		if err := wind(ctx, s.db, &all[i], civil.DateIn(now, f.zone)); err != nil {
			return OwnMachine{}, err
		}
	}
	own.Tickets = all
	return own, err
}

const ticketsOfSale = `
SELECT repair_ticket.id, repair_ticket.machine_id, machine.tag, machine.residence_id, repair_ticket.sale_id, repair_ticket.state,
       CASE WHEN repair_ticket.opened_on >= $2 THEN repair_ticket.problem ELSE '' END,
       repair_ticket.cover, COALESCE(repair_ticket.outcome, ''), COALESCE(repair_ticket.replacement, ''),
       repair_ticket.opened_on, repair_ticket.opened_by, COALESCE(repair_ticket.given_on, ''), repair_ticket.target_days,
       repair_ticket.version
  FROM repair_ticket
  JOIN machine ON machine.id = repair_ticket.machine_id
 WHERE repair_ticket.sale_id = $1
   AND (repair_ticket.opened_on >= $2 OR repair_ticket.state <> 'closed')
 ORDER BY repair_ticket.opened_on, repair_ticket.id`

const sameComplaint = ticketColumns + `repair_ticket.machine_id = $1
   AND repair_ticket.state <> 'closed'
   AND repair_ticket.problem = $2
   AND repair_ticket.opened_by = $3
   AND repair_ticket.opened_on = $4`

// OpenOwnTicket asks today for the repair of a machine of the viewer's household, in
// words of at most 1000 characters; the same words on the same day are the same
// repair. It fails as [Store.OpenTicket] does, with faults of "problem", with
// [ErrNone] for another household's machine, and with [ErrSee] for a helper who may
// only look.
func (s *Store) OpenOwnTicket(ctx context.Context, v premises.Viewer, id MachineID, words string, now time.Time) (TicketID, error) {
	asked := ownComplaintBody{words}
	if err := problem.OfFields(asked.Check()); err != nil {
		return "", err
	}
	c := Complaint{Problem: asked.Problem}
	seen, err := s.homes.Seen(ctx, v, now)
	if err != nil {
		return "", fmt.Errorf("open a repair of machine %s: %w", id, err)
	}
	var again TicketID
	ticket, err := s.openTicket(ctx, holdByAnyone, accounts.PersonID(v.Person), id, c, now, func(h *hand) error {
		sold, err := standing(ctx, h.tx, h.ID)
		switch {
		case err != nil || sold.Household != seen.Household:
			return ErrNone
		case !seen.Act:
			return ErrSee
		}
		same, err := several(ctx, h.tx, scanTicket, sameComplaint, string(h.ID), c.Problem, string(v.Person), h.today.String())
		if err == nil && len(same) > 0 {
			again, err = same[0].ID, ErrTicketOpen
		}
		return err
	})
	if again != "" && errors.Is(err, ErrTicketOpen) {
		return again, nil
	}
	return ticket, err
}
