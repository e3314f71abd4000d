package computers

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
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
		own, err := s.own(ctx, sold, now)
		if err != nil {
			return nil, fmt.Errorf("machines of household %s: %w", seen.Household, err)
		}
		all = append(all, own)
	}
	return all, nil
}

func (s *Store) own(ctx context.Context, sold Sale, now time.Time) (OwnMachine, error) {
	f, err := one(ctx, s.db, scanMachine, findAnyMachine, string(sold.Machine))
	if err != nil {
		return OwnMachine{}, err
	}
	own := OwnMachine{ID: f.ID, Tag: f.Tag, Serial: f.Serial, Maker: f.Maker, Model: f.Model, Sale: sold, Zone: f.zone, InUse: f.State == InUse}
	all, err := several(ctx, s.db, scanTicket, ticketsOfSale, string(sold.ID))
	for i := range all {
		if err := wind(ctx, s.db, &all[i], civil.DateIn(now, f.zone)); err != nil {
			return OwnMachine{}, err
		}
	}
	own.Tickets = all
	return own, err
}

const ticketsOfSale = ticketColumns + `repair_ticket.sale_id = $1
 ORDER BY repair_ticket.opened_on, repair_ticket.id`

// OpenOwnTicket asks for the repair of a machine of the viewer's household. It
// fails as [Store.OpenTicket] does, with [ErrNone] for another household's
// machine, and with [ErrSee] for a helper who may only look.
func (s *Store) OpenOwnTicket(ctx context.Context, v premises.Viewer, id MachineID, c Complaint, now time.Time) (TicketID, error) {
	seen, err := s.homes.Seen(ctx, v, now)
	if err != nil {
		return "", fmt.Errorf("open a repair of machine %s: %w", id, err)
	}
	return s.openTicket(ctx, holdByAnyone, accounts.PersonID(v.Person), id, c, now, func(h *hand) error {
		sold, err := standing(ctx, h.tx, h.ID)
		switch {
		case err != nil || sold.Household != seen.Household:
			return ErrNone
		case !seen.Act:
			return ErrSee
		}
		return nil
	})
}
