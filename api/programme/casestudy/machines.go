package casestudy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// loadMachines takes each computer from its purchase to its handover.
func (l *load) loadMachines(ctx context.Context) error {
	c := l.Computers
	err := l.machines.SetProgramme(ctx, l.clerk, computers.Programme{Residence: Residence, From: mustDate(c.From), Until: mustDate(c.Until),
		PerHousehold: c.PerHousehold, TargetDays: c.TargetDays, Months: c.Months})
	if err != nil {
		return err
	}
	for what, cents := range map[computers.Priced]int64{computers.PriceUsed: c.UsedCents, computers.PriceNew: c.NewCents} {
		if err := l.machines.SetPrice(ctx, l.clerk, Residence, computers.Price{What: what, From: mustDate(c.From), Cents: cents}); err != nil {
			return err
		}
	}
	known, err := l.known(ctx)
	if err != nil {
		return err
	}
	for i, m := range l.machineRows {
		if err := l.loadMachine(ctx, m, known[m.registerNo]); err != nil {
			return fmt.Errorf("computer %s: %w", m.registerNo, err)
		}
		l.tell(Step{"computers", i + 1, len(l.machineRows)})
	}
	return nil
}

// known returns the computers that an earlier load took in, by register number.
func (l *load) known(ctx context.Context) (map[string]computers.Machine, error) {
	all, err := l.machines.Machines(ctx, l.clerk, computers.MachineFilter{Residence: Residence}, resource.Page{Limit: 1000}, l.at(mustDate(l.Computers.Until)))
	known := map[string]computers.Machine{}
	for _, m := range all {
		known[m.Intake.RegisterNo] = m
	}
	return known, err
}

// loadMachine goes on from the state that the computer has.
func (l *load) loadMachine(ctx context.Context, row machineRow, m computers.Machine) error {
	if m.ID == "" {
		var err error
		if m, err = l.takeIn(ctx, row); err != nil {
			return err
		}
	}
	for m.State != computers.InUse {
		before := m.State
		if err := l.next(ctx, row, m); err != nil {
			return fmt.Errorf("from %s: %w", before, err)
		}
		sheet, err := l.machines.Machine(ctx, l.clerk, m.ID, l.at(row.handed))
		if err != nil {
			return err
		}
		if m = sheet.Machine; m.State == before {
			return fmt.Errorf("it stays %s", before)
		}
	}
	return nil
}

func (l *load) takeIn(ctx context.Context, row machineRow) (computers.Machine, error) {
	model := "Unité centrale d’occasion"
	if row.kind == string(computers.New) {
		model = "Ordinateur neuf"
	}
	return l.machines.TakeIn(ctx, l.clerk, computers.Arrival{
		Machine: computers.Machine{Residence: Residence, Serial: "CAS-" + row.registerNo, Kind: computers.Kind(row.kind), Form: computers.Desktop,
			Maker: "Divers", Model: model, MemoryMB: 512,
			Intake: computers.Intake{On: row.received, Donor: row.donor, CostCents: row.costCents, RegisterNo: row.registerNo}},
		Drives: []computers.Drive{{Serial: "DD-" + row.registerNo, Medium: computers.HDD, SizeGB: 40}},
	}, l.at(row.received))
}

// next takes a computer one state on, on the days that the records tell.
func (l *load) next(ctx context.Context, row machineRow, m computers.Machine) error {
	prepared := l.at(row.received.AddDays(1))
	move := func(to computers.State) error {
		return l.machines.Move(ctx, l.clerk, m.ID, computers.Move{To: to}, prepared)
	}
	switch m.State {
	case computers.Received:
		if m.Kind == computers.New {
			return move(computers.Testing)
		}
		return move(computers.Wiping)
	case computers.Wiping:
		if err := l.wipe(ctx, row, m); err != nil {
			return err
		}
		return move(computers.Testing)
	case computers.Testing:
		results := map[string]computers.Outcome{}
		list := computers.CurrentChecklist()
		for _, item := range list.For(m.Form) {
			results[item.Key] = computers.Pass
		}
		run := computers.TestRun{Checklist: list.Version, Results: maps.Clone(results)}
		if _, err := l.machines.RecordTest(ctx, l.clerk, m.ID, run, prepared); err != nil {
			return err
		}
		if err := l.machines.SetGrades(ctx, l.clerk, m.ID, computers.GradeB, computers.GradeA, prepared); err != nil {
			return err
		}
		return move(computers.Ready)
	case computers.Ready:
		_, err := l.machines.Sell(ctx, l.clerk, m.ID, computers.Offer{Household: household(row.flat), Buyer: person(row.flat), PriceCents: row.priceCents,
			Subsidised: true, Payment: computers.Cash, SoldOn: row.sold}, l.at(row.sold))
		return err
	case computers.Sold:
		return l.machines.HandOver(ctx, l.clerk, m.ID, computers.Handover{On: row.handed, Accessories: "écran, clavier, souris",
			SignedBy: fmt.Sprintf("Famille %03d", row.flat)}, l.at(row.handed))
	}
	return fmt.Errorf("state %s: the records know no way on", m.State)
}

func (l *load) wipe(ctx context.Context, row machineRow, m computers.Machine) error {
	day := l.at(row.received.AddDays(1))
	sheet, err := l.machines.Machine(ctx, l.clerk, m.ID, day)
	if err != nil {
		return err
	}
	for drive := range slices.Values(sheet.Drives) {
		_, err := l.machines.RecordWipe(ctx, l.clerk, m.ID, computers.Wipe{Drive: drive.ID, Level: computers.Clear, Method: "réécriture",
			Tool: "outil de l’atelier", Result: computers.Passed, VerifiedBy: "atelier", On: civil.DateIn(day, l.zone)}, day)
		if err != nil {
			return err
		}
	}
	return nil
}
