package main

import (
	"context"
	"fmt"

	"github.com/xnetroseraie/xnet/api/computers"
)

// An arrival is a computer of the demo: its name here, what it is, how many days
// ago it came, and how far the workshop has taken it.
type arrival struct {
	name        string
	kind        computers.Kind
	form        computers.Form
	maker       string
	model       string
	memoryMB    int
	daysAgo     int
	state       computers.State
	lot, donor  string
	costInCents int64
}

// arrivals are at least one for each state that the workshop leads to; those that
// are ready are then sold, reserved or brought back by [shop.trade].
var arrivals = []arrival{
	{"first", computers.Used, computers.Laptop, "Dell", "Latitude E5470", 8192, 95, computers.Ready, "2026-A", "Banque de l’Ouest", 1500},
	{"second", computers.Used, computers.Laptop, "Dell", "Latitude E5470", 8192, 95, computers.Ready, "2026-A", "Banque de l’Ouest", 1500},
	{"third", computers.Used, computers.Desktop, "HP", "EliteDesk 800 G3", 16384, 60, computers.Ready, "2026-B", "Ville d’Angers", 0},
	{"back", computers.Used, computers.Laptop, "Lenovo", "ThinkPad X250", 4096, 60, computers.Ready, "2026-B", "Ville d’Angers", 0},
	{"reserved", computers.Used, computers.Laptop, "Lenovo", "ThinkPad T470", 8192, 45, computers.Ready, "2026-C", "Cabinet Rosier", 2500},
	{"shelf", computers.Used, computers.Laptop, "Lenovo", "ThinkPad T470", 8192, 45, computers.Ready, "2026-C", "Cabinet Rosier", 2500},
	{"new", computers.New, computers.Laptop, "Acer", "Aspire 3", 8192, 20, computers.Ready, "", "Fournisseur", 79100},
	{"received", computers.Used, computers.Desktop, "HP", "ProDesk 600 G2", 8192, 1, computers.Received, "2026-D", "Hôpital des Roses", 0},
	{"wiping", computers.Used, computers.Desktop, "HP", "ProDesk 600 G2", 8192, 1, computers.Wiping, "2026-D", "Hôpital des Roses", 0},
	{"testing", computers.Used, computers.Laptop, "Fujitsu", "Lifebook U757", 8192, 6, computers.Testing, "2026-D", "Hôpital des Roses", 0},
	{"repair", computers.Used, computers.Laptop, "Fujitsu", "Lifebook U757", 8192, 6, computers.ToRepair, "2026-D", "Hôpital des Roses", 0},
	{"parts", computers.Used, computers.Desktop, "Dell", "OptiPlex 3020", 4096, 50, computers.SpareParts, "2026-B", "Ville d’Angers", 0},
	{"recycled", computers.Used, computers.Desktop, "Dell", "OptiPlex 3020", 2048, 50, computers.Recycled, "2026-B", "Ville d’Angers", 0},
}

// fill takes the computers in and leads each to its state; it returns them by
// their names here.
func (s shop) fill(ctx context.Context) (map[string]computers.MachineID, error) {
	shelf := map[string]computers.MachineID{}
	for i, a := range arrivals {
		m, err := s.takeIn(ctx, a, i)
		if err == nil {
			err = s.lead(ctx, a, m)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s, which is to be %s: %w", a.maker, a.model, a.state, err)
		}
		shelf[a.name] = m.ID
	}
	return shelf, nil
}

func (s shop) takeIn(ctx context.Context, a arrival, i int) (computers.Machine, error) {
	serial := fmt.Sprintf("5CG73%02dXK%d", 40+i, i%10)
	drive := computers.Drive{Serial: "S3Z" + serial, Medium: computers.SSD, SizeGB: 256}
	if a.form == computers.Desktop {
		drive.Medium, drive.SizeGB = computers.HDD, 500
	}
	return s.machines.TakeIn(ctx, technician, computers.Arrival{Drives: []computers.Drive{drive}, Machine: computers.Machine{Residence: s.residence,
		Serial: serial, MAC: fmt.Sprintf("f4:8e:38:5a:10:%02x", i), Kind: a.kind, Form: a.form, Maker: a.maker, Model: a.model,
		MemoryMB: a.memoryMB, Intake: computers.Intake{Donor: a.donor, Lot: a.lot, CostCents: a.costInCents}}}, s.ago(a.daysAgo))
}

// lead does what the workshop does until a computer is in its state, the day after
// it came.
func (s shop) lead(ctx context.Context, a arrival, m computers.Machine) error {
	at := s.ago(max(0, a.daysAgo-1))
	move := func(to computers.State) func() error {
		return func() error { return s.machines.Move(ctx, technician, m.ID, computers.Move{To: to}, at) }
	}
	wipe, test := func() error { return s.wipe(ctx, a, m) }, func() error { return s.test(ctx, a, m) }
	steps := map[computers.State][]func() error{
		computers.Received:   {},
		computers.Wiping:     {move(computers.Wiping)},
		computers.Testing:    {move(computers.Wiping), wipe, move(computers.Testing)},
		computers.ToRepair:   {move(computers.Wiping), wipe, move(computers.Testing), func() error { return s.note(ctx, a, m) }, move(computers.ToRepair)},
		computers.Ready:      {move(computers.Wiping), wipe, move(computers.Testing), test, move(computers.Ready)},
		computers.SpareParts: {move(computers.Wiping), wipe, move(computers.Testing), move(computers.ToRepair), move(computers.SpareParts)},
		computers.Recycled:   {move(computers.Wiping), wipe, move(computers.Testing), move(computers.ToRepair), move(computers.SpareParts), move(computers.Recycled)},
	}[a.state]
	if a.kind == computers.New {
		steps = []func() error{move(computers.Testing), test, move(computers.Ready)}
	}
	for _, do := range steps {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// wipe notes that the drive was wiped, with the report of the tool.
func (s shop) wipe(ctx context.Context, a arrival, m computers.Machine) error {
	at := s.ago(max(0, a.daysAgo-1))
	sheet, err := s.machines.Machine(ctx, technician, m.ID, at)
	if err != nil {
		return err
	}
	drive := sheet.Drives[0]
	report := fmt.Sprintf("hdparm 9.65\nDisk serial: %s\nSECURITY ERASE UNIT: completed, no error\n", drive.Serial)
	_, err = s.machines.RecordWipe(ctx, technician, m.ID, computers.Wipe{Drive: drive.ID, Level: computers.Purge, Method: "ATA Secure Erase",
		Tool: "hdparm", ToolVersion: "9.65", Result: computers.Passed, Report: []byte(report)}, at)
	return err
}

func (s shop) test(ctx context.Context, a arrival, m computers.Machine) error {
	at := s.ago(max(0, a.daysAgo-1))
	run := computers.TestRun{Checklist: computers.CurrentChecklist().Version, Results: map[string]computers.Outcome{}}
	for _, item := range computers.CurrentChecklist().For(m.Form) {
		run.Results[item.Key] = computers.Pass
	}
	if _, err := s.machines.RecordTest(ctx, technician, m.ID, run, at); err != nil {
		return err
	}
	return s.machines.SetGrades(ctx, technician, m.ID, computers.GradeB, computers.GradeA, at)
}

func (s shop) note(ctx context.Context, a arrival, m computers.Machine) error {
	_, err := s.machines.NoteDefect(ctx, technician, m.ID, "Une touche du clavier manque", s.ago(max(0, a.daysAgo-1)))
	return err
}
