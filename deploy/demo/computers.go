package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Who does what in the demo's workshop, of [staff].
const (
	administrator accounts.PersonID = "S-administrator"
	advisor       accounts.PersonID = "S-advisor"
	technician    accounts.PersonID = "S-technician"
	trainer       accounts.PersonID = "S-trainer"
)

// A shop is the workshop of the demo before it opens, and its trainings.
type shop struct {
	machines  *computers.Store
	lessons   *training.Store
	residence metering.SiteID
	zone      *time.Location
	now       time.Time // of the demo's start
	buyers    []buyer   // in the order of the flats
}

// A buyer is somebody who lives in the residence all the time that the workshop
// has been open, with the household.
type buyer struct {
	household premises.HouseholdID
	person    accounts.PersonID
}

// Days before the demo's start on which things happened.
const (
	opened     = 400 // the programme
	soldFirst  = 80
	soldSecond = 66 // a training was due 60 days later
	sessionWas = 40
	soldThird  = 2
	soldBack   = 30
	broughtTo  = 9
	broke      = 4
)

// stockWorkshop gives the programme its prices, the workshop computers in every
// state of their life, and its buyers their trainings, once.
func (d *demo) stockWorkshop(ctx context.Context) (err error) {
	db, err := sqldb.Open(ctx, d.path("api.sqlite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := d.shop(db)
	there, err := s.machines.Machines(ctx, administrator, computers.MachineFilter{}, resource.Page{Limit: 1}, s.now)
	if err != nil || len(there) > 0 {
		return err
	}
	if err := s.open(ctx); err != nil {
		return fmt.Errorf("programme of computers: %w", err)
	}
	shelf, err := s.fill(ctx)
	if err != nil {
		return fmt.Errorf("computers of the workshop: %w", err)
	}
	if err := s.trade(ctx, shelf); err != nil {
		return fmt.Errorf("sales of the workshop: %w", err)
	}
	if err := s.teach(ctx); err != nil {
		return fmt.Errorf("trainings: %w", err)
	}
	d.screen.step("workshop: %d computers, %d sold, 1 in repair; 2 sessions of training", len(arrivals), soldInDemo)
	return nil
}

func (d *demo) shop(db *sql.DB) shop {
	lessons := training.NewStore(db, training.DefaultTerms())
	s := shop{machines: computers.NewStore(db, lessons), lessons: lessons, residence: d.residence.SiteID, zone: d.residence.Zone, now: time.Now()}
	for _, flat := range d.residence.Dwellings {
		for i, h := range flat.Households {
			if h.MovedOut.IsZero() && h.MovedIn.Before(d.today().AddDays(-soldFirst)) {
				s.buyers = append(s.buyers, buyer{premises.HouseholdID(householdID(flat, i)), accounts.PersonID(personID(flat, i, 0))})
			}
		}
	}
	return s
}

// ago is ten o'clock so many days before the start, where the residence is, and
// the start itself for none.
func (s shop) ago(days int) time.Time {
	if days == 0 {
		return s.now
	}
	return s.day(days).Start(s.zone).Add(10 * time.Hour)
}

func (s shop) day(ago int) civil.Date { return civil.DateIn(s.now, s.zone).AddDays(-ago) }

// open sets the terms of the programme and its prices: those of the case study for
// households, and made-up ones for what the workshop does for the landlord.
func (s shop) open(ctx context.Context) error {
	p := computers.DefaultProgramme(s.residence)
	p.From = s.day(opened)
	if err := s.machines.SetProgramme(ctx, administrator, p); err != nil {
		return err
	}
	for what, cents := range map[computers.Priced]int64{computers.PriceUsed: 6000, computers.PriceNew: 10000, computers.PriceRefurbish: 5500,
		computers.PriceRepair: 3000, computers.PriceRecycle: 800} {
		if err := s.machines.SetPrice(ctx, administrator, s.residence, computers.Price{What: what, From: p.From, Cents: cents}); err != nil {
			return err
		}
	}
	return nil
}

// trade sells what is on the shelf: one long ago to somebody who was trained, one
// to somebody who was not and whose computer is broken, one that waits to be
// handed over, and one at the full price that was brought back. One is reserved,
// and a household waits for a new one.
func (s shop) trade(ctx context.Context, shelf map[string]computers.MachineID) error {
	if len(s.buyers) < 6 {
		return fmt.Errorf("%d households may buy: the residence needs 6", len(s.buyers))
	}
	for i, name := range []string{"first", "second", "third"} {
		ago := []int{soldFirst, soldSecond, soldThird}[i]
		if err := s.sell(ctx, shelf[name], s.buyers[i], computers.Offer{PriceCents: 6000, Subsidised: true, Payment: computers.Cash}, ago, name != "third"); err != nil {
			return err
		}
	}
	if err := s.sell(ctx, shelf["back"], s.buyers[3], computers.Offer{PriceCents: 12000, Payment: computers.Card}, soldBack, true); err != nil {
		return err
	}
	err := s.machines.TakeBack(ctx, advisor, shelf["back"], computers.Giveback{Reason: "Écran trop petit", RefundCents: 12000}, s.ago(broughtTo))
	if err != nil {
		return err
	}
	if err := s.machines.Reserve(ctx, advisor, shelf["reserved"], s.buyers[4].household, s.day(-10), s.now); err != nil {
		return err
	}
	wait := computers.Wait{Residence: s.residence, Household: s.buyers[5].household, Kind: computers.New, Asked: s.day(12)}
	if _, err := s.machines.Enlist(ctx, advisor, wait, s.now); err != nil {
		return err
	}
	return s.breakDown(ctx, shelf["second"])
}

// soldInDemo are the sales at the programme's price.
const soldInDemo = 3

func (s shop) sell(ctx context.Context, id computers.MachineID, to buyer, o computers.Offer, ago int, handed bool) error {
	o.Household, o.Buyer = to.household, to.person
	if _, err := s.machines.Sell(ctx, advisor, id, o, s.ago(ago)); err != nil || !handed {
		return err
	}
	given := computers.Handover{Accessories: "chargeur, souris", SignedBy: "Signature du locataire"}
	return s.machines.HandOver(ctx, technician, id, given, s.ago(ago).Add(time.Hour))
}

// breakDown brings a computer to the workshop, which looks for what it needs.
func (s shop) breakDown(ctx context.Context, id computers.MachineID) error {
	ticket, err := s.machines.OpenTicket(ctx, advisor, id, computers.Complaint{Problem: "L’écran reste noir"}, s.ago(broke))
	if err != nil {
		return err
	}
	return s.machines.MoveTicket(ctx, technician, ticket, computers.TicketMove{To: computers.TicketDiagnosed, Note: "Câble de l’écran usé"}, s.ago(broke-1))
}
