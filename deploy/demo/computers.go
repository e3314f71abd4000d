package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// administrator does in the demo's shop what a technician and an advisor do, of
// [staff].
const administrator accounts.PersonID = "S-administrator"

// A shop is the workshop of the demo before it opens.
type shop struct {
	*computers.Store
	residence metering.SiteID
	now       time.Time
}

// machinesInDemo are how many computers there are, of which so many are made
// ready and so many of those sold; the first that was sold is brought back broken.
const (
	machinesInDemo = 9
	readyInDemo    = 6
	soldInDemo     = 3
)

// stockWorkshop gives the programme its prices and the workshop a few computers in
// every state of their life, once.
func (d *demo) stockWorkshop(ctx context.Context) (err error) {
	db, err := sqldb.Open(ctx, d.path("api.sqlite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := shop{computers.NewStore(db, training.NewStore(db, training.DefaultTerms())), d.residence.SiteID, time.Now()}
	there, err := s.Machines(ctx, administrator, computers.MachineFilter{}, resource.Page{Limit: 1}, s.now)
	if err != nil || len(there) > 0 {
		return err
	}
	if err := s.open(ctx, d); err != nil {
		return err
	}
	var ready []computers.MachineID
	for i := range machinesInDemo {
		m, err := s.takeIn(ctx, i)
		if err == nil && i < readyInDemo {
			ready = append(ready, m.ID)
			err = s.makeReady(ctx, m)
		}
		if err != nil {
			return fmt.Errorf("computer %d of the workshop: %w", i+1, err)
		}
	}
	return s.sellSome(ctx, d, ready)
}

func (s shop) open(ctx context.Context, d *demo) error {
	p := computers.DefaultProgramme(s.residence)
	p.From = d.today().AddDays(-400)
	if err := s.SetProgramme(ctx, administrator, p); err != nil {
		return err
	}
	for what, cents := range map[computers.Priced]int64{computers.PriceUsed: 6000, computers.PriceNew: 10000, computers.PriceRefurbish: 5500, computers.PriceRepair: 3000, computers.PriceRecycle: 800} {
		if err := s.SetPrice(ctx, administrator, s.residence, computers.Price{What: what, From: p.From, Cents: cents}); err != nil {
			return err
		}
	}
	return nil
}

func (s shop) takeIn(ctx context.Context, i int) (computers.Machine, error) {
	serial := fmt.Sprintf("5CG73%02dXK%d", 40+i, i)
	return s.TakeIn(ctx, administrator, computers.Arrival{Machine: computers.Machine{Residence: s.residence, Serial: serial, Kind: computers.Used, Form: computers.Laptop,
		Maker: "Dell", Model: "Latitude E5470", Processor: "Core i5-6300U", MemoryMB: 8192, Intake: computers.Intake{Donor: "Banque de l’Ouest", Lot: "2026-A"}},
		Drives: []computers.Drive{{Serial: "S3Z" + serial, Medium: computers.SSD, SizeGB: 256}}}, s.now)
}

// makeReady wipes, tests and grades a computer.
func (s shop) makeReady(ctx context.Context, m computers.Machine) error {
	sheet, err := s.Machine(ctx, administrator, m.ID, s.now)
	if err != nil {
		return err
	}
	run := computers.TestRun{Checklist: computers.CurrentChecklist().Version, Results: map[string]computers.Outcome{}}
	for _, item := range computers.CurrentChecklist().For(m.Form) {
		run.Results[item.Key] = computers.Pass
	}
	move := func(to computers.State) func() error {
		return func() error { return s.Move(ctx, administrator, m.ID, computers.Move{To: to}, s.now) }
	}
	for _, do := range []func() error{
		move(computers.Wiping),
		func() error {
			_, err := s.RecordWipe(ctx, administrator, m.ID, computers.Wipe{Drive: sheet.Drives[0].ID, Level: computers.Purge, Method: "ATA Secure Erase", Tool: "hdparm", ToolVersion: "9.65", Result: computers.Passed}, s.now)
			return err
		},
		move(computers.Testing),
		func() error { _, err := s.RecordTest(ctx, administrator, m.ID, run, s.now); return err },
		func() error { return s.SetGrades(ctx, administrator, m.ID, computers.GradeB, computers.GradeA, s.now) },
		move(computers.Ready),
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// sellSome sells to the first households that may buy, and opens the repair of the
// first computer.
func (s shop) sellSome(ctx context.Context, d *demo, ready []computers.MachineID) error {
	sold := 0
	for _, flat := range d.residence.Dwellings {
		for i := range flat.Households {
			if sold == soldInDemo {
				break
			}
			o := computers.Offer{Household: premises.HouseholdID(householdID(flat, i)), Buyer: accounts.PersonID(personID(flat, i, 0)), PriceCents: 6000, Subsidised: true, Payment: computers.Cash}
			_, err := s.Sell(ctx, administrator, ready[sold], o, s.now)
			if p := (*problem.Error)(nil); errors.As(err, &p) {
				continue // it moved out, or has moved in since
			}
			if err != nil {
				return err
			}
			if err := s.HandOver(ctx, administrator, ready[sold], computers.Handover{Accessories: "chargeur, souris", SignedBy: "Signature"}, s.now); err != nil {
				return err
			}
			sold++
		}
	}
	if sold == 0 {
		return nil
	}
	_, err := s.OpenTicket(ctx, administrator, ready[0], computers.Complaint{Problem: "L’écran reste noir"}, s.now)
	return err
}
