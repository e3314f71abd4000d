package computers

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Sheet is all that staff may know of a machine. Lists are in order of time.
type Sheet struct {
	Machine
	Zone    *time.Location // of the residence
	Drives  []Drive
	Wipes   []Wipe // without their reports
	Tests   []TestRun
	Defects []Defect
	Sale    *Sale   // the last; nil where it was never sold. Household, Buyer, SignedBy are empty for who may not be told
	Keeper  *Keeper // nil for nobody, and for who may not be told
	Tickets []Ticket
	Next    []State // where the workshop may move it, guards apart
	Lacks   []error // what it needs to be ready; empty for one that is past that
}

// A MachineFilter says which machines to list; empty fields let all by.
type MachineFilter struct {
	Residence metering.SiteID
	State     State
	Kind      Kind
	Lot       string
}

const listMachines = `
SELECT ` + machineColumns + `
  FROM machine
 WHERE` + byReaders + `
   AND ($2 = '' OR machine.residence_id = $2)
   AND ($3 = '' OR machine.state = $3)
   AND ($4 = '' OR machine.kind = $4)
   AND ($5 = '' OR machine.lot = $5)
   AND machine.tag > $6
 ORDER BY machine.tag
 LIMIT $7`

// Machines lists the machines that the person may see, by tag: one more than the
// page holds where the list goes on.
func (s *Store) Machines(ctx context.Context, who accounts.PersonID, f MachineFilter, p resource.Page, now time.Time) ([]Machine, error) {
	if err := s.ExpireHolds(ctx, now); err != nil {
		return nil, err
	}
	all, err := several(ctx, s.db, scanMachine, listMachines, string(who), string(f.Residence), string(f.State), string(f.Kind), f.Lot, p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("machines: %w", err)
	}
	return resource.Mapped(all, func(f found) Machine { return f.Machine }), nil
}

const overdueHolds = `
SELECT machine.id
  FROM machine
 WHERE machine.reserved_until < $1
 ORDER BY machine.id`

// ExpireHolds lets the reservations run out whose last day is over. Lists do it
// before they look; to do it twice is to do it once.
func (s *Store) ExpireHolds(ctx context.Context, now time.Time) error {
	// Wherever the residence is, its today is not after tomorrow in UTC.
	latest := civil.DateIn(now, time.UTC).AddDays(1).String()
	ids, err := several(ctx, s.db, text, overdueHolds, latest)
	if err != nil {
		return fmt.Errorf("reservations that are over: %w", err)
	}
	for _, id := range ids {
		err := s.change(ctx, holdByAnyone, "let the reservation run out of machine", bySystem, MachineID(id), now, func(*hand) error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

const findMachine = `
SELECT ` + machineColumns + `
  FROM machine
 WHERE machine.id = $2
   AND` + byReaders

// Machine returns all of a machine, or [ErrNone]. Where it tells somebody of the
// workshop whose it is, the household can read so.
func (s *Store) Machine(ctx context.Context, who accounts.PersonID, id MachineID, now time.Time) (Sheet, error) {
	f, err := one(ctx, s.db, scanMachine, findMachine, string(who), string(id))
	if err != nil {
		return Sheet{}, fmt.Errorf("machine %s: %w", id, err)
	}
	sh, err := s.sheet(ctx, who, f, now)
	if err != nil {
		return Sheet{}, fmt.Errorf("machine %s: %w", id, err)
	}
	return sh, nil
}

// sheet reads what belongs to a machine that was found for the person.
func (s *Store) sheet(ctx context.Context, who accounts.PersonID, f found, now time.Time) (Sheet, error) {
	sh := Sheet{Machine: f.Machine, Zone: f.zone, Next: NextSteps(f.State)}
	if sh.State == Reserved && sh.ReservedUntil.Before(civil.DateIn(now, f.zone)) {
		sh.State, sh.ReservedUntil = Ready, civil.Date{} // the event follows with whoever acts next
	}
	var err error
	if err = s.fill(ctx, &sh, s.db); err != nil {
		return Sheet{}, err
	}
	if sh.Keeper, err = s.keeper(ctx, who, f, now); err != nil {
		return Sheet{}, err
	}
	if sh.Sale, err = s.lastSale(ctx, who, f.ID); err != nil {
		return Sheet{}, err
	}
	if sh.Tickets, err = s.ticketsOf(ctx, f, now); err != nil {
		return Sheet{}, err
	}
	switch sh.State {
	case Received, Wiping, Testing, ToRepair:
		sh.Lacks = lacks(sh)
	}
	return sh, nil
}

// fill reads drives, wipes, tests and defects.
func (s *Store) fill(ctx context.Context, sh *Sheet, db sqldb.Querier) (err error) {
	id := string(sh.ID)
	if sh.Drives, err = several(ctx, db, scanDrive, drivesOf, id); err != nil {
		return err
	}
	if sh.Wipes, err = several(ctx, db, scanWipe, wipesOf, id); err != nil {
		return err
	}
	if sh.Tests, err = several(ctx, db, scanTest, testsOf, id); err != nil {
		return err
	}
	sh.Defects, err = several(ctx, db, scanDefect, defectsOf, id)
	return err
}

const drivesOf = `
SELECT machine_drive.id, machine_drive.serial, machine_drive.medium, machine_drive.maker, machine_drive.model,
       machine_drive.size_gb, machine_drive.destroyed,
       COALESCE((SELECT machine_wipe.result
                   FROM machine_wipe
                  WHERE machine_wipe.drive_id = machine_drive.id
                    AND machine_wipe.cycle = machine.cycle
                  ORDER BY machine_wipe.id DESC
                  LIMIT 1), '')
  FROM machine_drive
  JOIN machine ON machine.id = machine_drive.machine_id
 WHERE machine_drive.machine_id = $1
 ORDER BY machine_drive.id`

func scanDrive(rows *sql.Rows) (d Drive, err error) {
	var destroyed int
	var last Result
	err = rows.Scan(&d.ID, &d.Serial, &d.Medium, &d.Maker, &d.Model, &d.SizeGB, &destroyed, &last)
	d.Destroyed, d.Wiped = destroyed == 1, last == Passed
	return d, err
}

const wipesOf = `
SELECT id, drive_id, cycle, level, method, tool, tool_version, result, on_date, by_whom, report_sha256, report_form,
       CASE WHEN verified_by = '-' THEN '' ELSE verified_by END
  FROM machine_wipe
 WHERE machine_id = $1
 ORDER BY id`

func scanWipe(rows *sql.Rows) (w Wipe, err error) {
	var on string
	if err = rows.Scan(&w.ID, &w.Drive, &w.Cycle, &w.Level, &w.Method, &w.Tool, &w.ToolVersion, &w.Result, &on, &w.By, &w.SHA256, &w.Form, &w.VerifiedBy); err != nil {
		return w, err
	}
	return w, dates(dated{on, &w.On})
}

const testsOf = `
SELECT id, cycle, checklist, passed, results, on_date, by_whom
  FROM machine_test
 WHERE machine_id = $1
 ORDER BY number`

func scanTest(rows *sql.Rows) (r TestRun, err error) {
	var on, results string
	var passed int
	if err = rows.Scan(&r.ID, &r.Cycle, &r.Checklist, &passed, &results, &on, &r.By); err != nil {
		return r, err
	}
	r.Passed = passed == 1
	if err = json.Unmarshal([]byte(results), &r.Results); err != nil {
		return r, fmt.Errorf("results of test %s: %w", r.ID, err)
	}
	return r, dates(dated{on, &r.On})
}

const defectsOf = `
SELECT id, text, on_date, COALESCE(mended_on, '')
  FROM machine_defect
 WHERE machine_id = $1
 ORDER BY id`

func scanDefect(rows *sql.Rows) (d Defect, err error) {
	var on, mended string
	if err = rows.Scan(&d.ID, &d.Text, &on, &mended); err != nil {
		return d, err
	}
	return d, dates(dated{on, &d.On}, dated{mended, &d.Mended})
}

const eventsOf = `
SELECT number, at_ms, on_date, by_whom, what, state, subject, note
  FROM machine_event
 WHERE machine_id = $1
   AND number > $2
 ORDER BY number
 LIMIT $3`

// mostEvents bounds what one sheet shows of a life.
const mostEvents = 10_000

// Events lists what happened to a machine that the person may see, in order, or
// fails with [ErrNone].
func (s *Store) Events(ctx context.Context, who accounts.PersonID, id MachineID) ([]Event, error) {
	if _, err := one(ctx, s.db, scanMachine, findMachine, string(who), string(id)); err != nil {
		return nil, fmt.Errorf("events of machine %s: %w", id, err)
	}
	all, err := several(ctx, s.db, scanEvent, eventsOf, string(id), 0, mostEvents)
	if err != nil {
		return nil, fmt.Errorf("events of machine %s: %w", id, err)
	}
	return all, nil
}

func scanEvent(rows *sql.Rows) (e Event, err error) {
	var atMs int64
	var on string
	if err = rows.Scan(&e.Number, &atMs, &on, &e.By, &e.What, &e.State, &e.Subject, &e.Note); err != nil {
		return e, err
	}
	e.At = sqldb.Time(atMs)
	return e, dates(dated{on, &e.On})
}

// lacks lists what a machine needs to be ready. A new one has nothing to wipe and
// no grade until it comes back.
func lacks(sh Sheet) (all []error) {
	used := sh.Kind == Used || sh.Cycle > 1
	present := 0
	unwiped := false
	for _, d := range sh.Drives {
		if !d.Destroyed {
			present++
		}
		unwiped = unwiped || used && !d.Wiped && !d.Destroyed
	}
	if present == 0 {
		all = append(all, ErrNoDrive)
	}
	if unwiped {
		all = append(all, ErrUnwiped)
	}
	if n := len(sh.Tests); n == 0 || !sh.Tests[n-1].Passed || sh.Tests[n-1].Cycle != sh.Cycle {
		all = append(all, ErrUntested)
	}
	if used && (sh.GradeAppearance == "" || sh.GradeFunction == "") {
		all = append(all, ErrUngraded)
	}
	for _, d := range sh.Defects {
		if d.Mended.IsZero() && sh.GradeFunction != GradeD {
			return append(all, ErrDefect)
		}
	}
	return all
}
