package computers_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// People of the shop: staff of residence R, and of S.
const (
	technician = accounts.PersonID("P-tec")
	advisor    = accounts.PersonID("P-adv")
	manager    = accounts.PersonID("P-man")
	admin      = accounts.PersonID("P-adm")
	trainer    = accounts.PersonID("P-tra")
	stranger   = accounts.PersonID("P-far") // technician and advisor of S
	amina      = accounts.PersonID("P-amina")
	bruno      = accounts.PersonID("P-bruno")
)

// noon is the instant of a test unless it says another.
var noon = time.Date(2026, 3, 18, 11, 0, 0, 0, time.UTC)

const seed = `
INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'Roseraie', 'Europe/Paris', 0), ('S', 'Sablons', 'Europe/Paris', 0);
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES
 ('D-1', 'R', 'A', '1', 'Porte-1', 0, 3, 60), ('D-2', 'R', 'A', '1', 'Porte-2', 0, 3, 60), ('D-3', 'S', 'A', '1', 'Porte-3', 0, 3, 60);
INSERT INTO household (id, occupants, language) VALUES ('F-1', 2, 'fr'), ('F-2', 1, 'fr'), ('F-3', 1, 'fr'), ('F-gone', 1, 'fr');
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES ('T-1', 'F-1', 'D-1', '2020-01-01', NULL),
 ('T-2', 'F-2', 'D-2', '2026-01-01', NULL), ('T-3', 'F-3', 'D-3', '2020-01-01', NULL), ('T-4', 'F-gone', 'D-2', '2020-01-01', '2026-01-01');
INSERT INTO person (id, name, language) VALUES ('P-tec', 'Technique Un', 'fr'), ('P-adv', 'Conseil Un', 'fr'), ('P-man', 'Gestion Un', 'fr'),
 ('P-adm', 'Admin Un', 'fr'), ('P-tra', 'Forme Un', 'fr'), ('P-far', 'Ailleurs Un', 'fr'), ('P-amina', 'Amina Un', 'fr'), ('P-bruno', 'Bruno Un', 'fr'), ('P-carl', 'Carl Un', 'fr');
INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-amina', 'F-1', '2020-01-01'), ('P-bruno', 'F-2', '2026-01-01'), ('P-carl', 'F-3', '2020-01-01');
INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-tec', 'technician', 'R'), ('P-adv', 'advisor', 'R'), ('P-man', 'manager', 'R'),
 ('P-adm', 'administrator', NULL), ('P-tra', 'trainer', 'R'), ('P-far', 'technician', 'S'), ('P-far', 'advisor', 'S');
INSERT INTO computer_programme (residence_id, from_date, per_household, target_days, months) VALUES ('R', '2024-01-01', 1, 5, 12);
INSERT INTO workshop_price (residence_id, what, from_date, price_cents) VALUES ('R', 'used', '2024-01-01', 5500), ('R', 'used', '2026-01-01', 6000),
 ('R', 'new', '2024-01-01', 10000), ('R', 'refurbish', '2024-01-01', 4500), ('R', 'repair', '2024-01-01', 2000), ('R', 'recycle', '2024-01-01', 800);
`

// A shop is a store with people around it.
type shop struct {
	t  testing.TB
	db *sql.DB
	*computers.Store
	now    time.Time
	serial int
}

// obliger counts who was obliged.
type obliger struct{ sales []computers.SaleID }

func (o *obliger) Oblige(_ context.Context, _ *sql.Tx, s computers.Sale) error {
	o.sales = append(o.sales, s.ID)
	return nil
}

func newShop(t testing.TB, db *sql.DB, o computers.Obliger) *shop {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return &shop{t: t, db: db, Store: computers.NewStore(db, o), now: noon}
}

func each(t *testing.T, test func(t *testing.T, s *shop)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) { test(t, newShop(t, db, nil)) })
}

func date(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// want holds that an error is the one wanted; nil for none.
func want(t testing.TB, what string, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) || wanted == nil && err != nil {
		t.Errorf("%s: %v, want %v", what, err, wanted)
	}
}

// wantField holds that an error is a fault of one field.
func wantField(t testing.TB, what string, err error, name, message string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || len(p.Fields) != 1 || p.Fields[0].Name != name || p.Fields[0].Message != message {
		t.Errorf("%s: %v, want a fault of %s, %s", what, err, name, message)
	}
}

func (s *shop) arrival(kind computers.Kind, drives int) computers.Arrival {
	s.serial++
	id := string(rune('A'+s.serial/26%26)) + string(rune('A'+s.serial%26))
	a := computers.Arrival{Machine: computers.Machine{Residence: "R", Serial: "5CG" + id + "77", Kind: kind, Form: computers.Desktop, Maker: "HP",
		Model: "EliteDesk", MemoryMB: 8192, Intake: computers.Intake{On: date("2026-01-05"), Donor: "Imprimerie Loire", Lot: "L1", CostCents: 10500}}}
	for n := range drives {
		a.Drives = append(a.Drives, computers.Drive{Serial: "WD" + id + string(rune('A'+n)) + "9", Medium: computers.HDD, SizeGB: 500})
	}
	return a
}

// taken takes in a used machine with a drive.
func (s *shop) taken() computers.MachineID {
	s.t.Helper()
	m, err := s.TakeIn(s.t.Context(), technician, s.arrival(computers.Used, 1), s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return m.ID
}

func (s *shop) sheet(id computers.MachineID) computers.Sheet {
	s.t.Helper()
	sh, err := s.Machine(s.t.Context(), admin, id, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return sh
}

func (s *shop) move(id computers.MachineID, to computers.State) error {
	return s.Move(s.t.Context(), technician, id, computers.Move{To: to}, s.now)
}

func (s *shop) wipe(id computers.MachineID) error {
	var errs []error
	for _, d := range s.sheet(id).Drives {
		_, err := s.RecordWipe(s.t.Context(), technician, id, computers.Wipe{Drive: d.ID, Level: computers.Clear, Method: "overwrite", Tool: "nwipe",
			ToolVersion: "0.36", Result: computers.Passed, Report: []byte("Disk " + d.Serial + ": erased")}, s.now)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// run is a checklist on which everything passed.
func run(form computers.Form) computers.TestRun {
	list := computers.CurrentChecklist()
	r := computers.TestRun{Checklist: list.Version, Results: map[string]computers.Outcome{}}
	for _, i := range list.For(form) {
		r.Results[i.Key] = computers.Pass
	}
	return r
}

func (s *shop) test(id computers.MachineID) error {
	_, err := s.RecordTest(s.t.Context(), technician, id, run(computers.Desktop), s.now)
	return err
}

func (s *shop) grade(id computers.MachineID) error {
	return s.SetGrades(s.t.Context(), technician, id, computers.GradeB, computers.GradeA, s.now)
}

// ready makes a used machine ready.
func (s *shop) ready() computers.MachineID {
	s.t.Helper()
	id := s.taken()
	s.refurbish(id)
	return id
}

func (s *shop) refurbish(id computers.MachineID) {
	s.t.Helper()
	err := errors.Join(s.move(id, computers.Wiping), s.wipe(id), s.move(id, computers.Testing), s.test(id), s.grade(id), s.move(id, computers.Ready))
	if err != nil {
		s.t.Fatal(err)
	}
}

func offer() computers.Offer {
	return computers.Offer{Household: "F-1", Buyer: amina, PriceCents: 6000, Subsidised: true, Payment: computers.Cash}
}

func (s *shop) sell(id computers.MachineID, o computers.Offer) (computers.Sale, error) {
	return s.Sell(s.t.Context(), advisor, id, o, s.now)
}

func (s *shop) handOver(id computers.MachineID, on string) error {
	return s.HandOver(s.t.Context(), technician, id, computers.Handover{On: date(on), Accessories: "souris", SignedBy: "Amina Un"}, s.now)
}

// inUse makes a machine that F-1 bought and has.
func (s *shop) inUse() computers.MachineID {
	s.t.Helper()
	id := s.ready()
	if _, err := s.sell(id, offer()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.handOver(id, "2026-03-18"); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// replayed holds that the machine is what its events make of it.
func (s *shop) replayed(id computers.MachineID) {
	s.t.Helper()
	events, err := s.Events(s.t.Context(), admin, id)
	if err != nil {
		s.t.Fatal(err)
	}
	state, cycle, err := computers.Replay(events)
	sh := s.sheet(id)
	if err != nil || state != sh.State || cycle != sh.Cycle || int64(len(events)) != sh.Version {
		s.t.Errorf("machine %s is %s in cycle %d at version %d; its %d events make %s, %d, %v", sh.Tag, sh.State, sh.Cycle, sh.Version, len(events), state, cycle, err)
	}
}
