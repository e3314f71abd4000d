package computers

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const putDrive = `
INSERT INTO machine_drive (id, machine_id, serial, medium, maker, model, size_gb, destroyed)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`

func insertDrive(ctx context.Context, tx *sql.Tx, machine MachineID, d Drive) error {
	_, err := tx.ExecContext(ctx, putDrive, string(d.ID), string(machine), d.Serial, string(d.Medium), d.Maker, d.Model, d.SizeGB)
	return err
}

// workable are the states in which the workshop has a machine open.
var workable = []State{Received, Wiping, Testing, ToRepair, Returned, SpareParts}

// AddDrive adds a drive to a machine that the workshop has open, and returns its
// id. It fails with [ErrNone], [ErrStep] or [ErrDriveTaken].
func (s *Store) AddDrive(ctx context.Context, who accounts.PersonID, id MachineID, d Drive, now time.Time) (DriveID, error) {
	d.ID = DriveID(newID())
	err := s.change(ctx, holdByWorkshop, "add a drive to machine", who, id, now, func(h *hand) error {
		if !slices.Contains(workable, h.State) {
			return ErrStep
		}
		if err := insertDrive(ctx, h.tx, id, d); err != nil {
			return err
		}
		return h.note(ctx, DriveAdded, h.today, string(d.ID), "")
	})
	return d.ID, err
}

const putWipe = `
INSERT INTO machine_wipe (id, machine_id, drive_id, cycle, level, method, tool, tool_version, result, on_date, by_whom, report, report_sha256,
                          report_form, verified_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

// Drives of other machines that a report may name by mistake.
const drivesElsewhere = `
SELECT machine_drive.serial
  FROM machine_drive
 WHERE machine_drive.machine_id <> $1
   AND machine_drive.serial IN `

const destroyDrive = `
UPDATE machine_drive
   SET destroyed = 1
 WHERE id = $1`

// RecordWipe adds evidence to a drive of a machine that the workshop has open, and
// returns it as it is kept. The level must suffice for the medium. A report must
// name the drive's serial: the program looks for it in a text, a person reads it
// in a PDF and types it. Without a report the name of who verified is needed. It
// fails with [ErrNone], [ErrWiping],
// [ErrReport], [ErrReportEmpty] or faults of fields, and then keeps nothing.
func (s *Store) RecordWipe(ctx context.Context, who accounts.PersonID, id MachineID, w Wipe, now time.Time) (Wipe, error) {
	if len(w.Report) == 0 {
		w.Report = nil
	}
	err := s.change(ctx, holdByWorkshop, "record a wipe of machine", who, id, now, func(h *hand) error {
		if !slices.Contains(workable, h.State) {
			return ErrWiping
		}
		drive, err := h.drive(ctx, w.Drive)
		if err != nil {
			return err
		}
		if w.On, err = h.evidenceDay(ctx, w.On); err != nil {
			return err
		}
		if err := h.judgeWipe(ctx, w, drive); err != nil {
			return err
		}
		w.ID, w.Cycle, w.By = WipeID(newID()), h.Cycle, who
		w.Form, _ = FormOf(w.Report)
		if w.Report != nil {
			sum := sha256.Sum256(w.Report)
			w.SHA256 = hex.EncodeToString(sum[:])
		}
		return h.putWipe(ctx, w)
	})
	w.Report = nil
	return w, err
}

func (h *hand) drive(ctx context.Context, id DriveID) (Drive, error) {
	all, err := several(ctx, h.tx, scanDrive, drivesOf, string(h.ID))
	if err != nil {
		return Drive{}, err
	}
	i := slices.IndexFunc(all, func(d Drive) bool { return d.ID == id && !d.Destroyed })
	if i < 0 {
		return Drive{}, fault("drive", "computers.drive_unknown")
	}
	return all[i], nil
}

func (h *hand) judgeWipe(ctx context.Context, w Wipe, d Drive) error {
	if w.Result == Passed && !w.Level.Suffices(d.Medium) {
		return fault("level", "computers.level_too_low")
	}
	form, known := FormOf(w.Report)
	switch {
	case len(w.Report) > MostReportBytes:
		return fault("report", "computers.report_too_long", MostReportBytes>>10)
	case !known:
		return fault("report", "computers.report_form")
	case form == PDFReport:
		return checkRead(w.ReadSerial, d.Serial)
	case form == NoReport && w.Result == Passed && w.VerifiedBy == "":
		return fault("verified_by", "computers.no_verifier")
	case form == NoReport:
		return nil
	}
	return h.judgeText(ctx, w.Report, d)
}

// checkRead holds the serial that somebody read in a PDF against the drive's.
func checkRead(typed, serial string) error {
	switch {
	case Plain(typed) == "":
		return fault("report_serial", "computers.no_report_serial")
	case Plain(typed) != Plain(serial):
		return fault("report_serial", "computers.report_serial_other")
	}
	return nil
}

// judgeText holds a report as text against the drives that are known.
func (h *hand) judgeText(ctx context.Context, report []byte, d Drive) error {
	var elsewhere []string
	for some := range slices.Chunk(slices.Sorted(maps.Keys(reportWords(report))), mostIn) {
		known, err := several(ctx, h.tx, text, drivesElsewhere+list(2, len(some)), append([]any{string(h.ID)}, asAny(some)...)...)
		if err != nil {
			return err
		}
		elsewhere = append(elsewhere, known...)
	}
	return CheckReport(report, d.Serial, elsewhere)
}

func (h *hand) putWipe(ctx context.Context, w Wipe) error {
	_, err := h.tx.ExecContext(ctx, putWipe, string(w.ID), string(h.ID), string(w.Drive), w.Cycle, string(w.Level), w.Method, w.Tool,
		w.ToolVersion, string(w.Result), w.On.String(), string(w.By), w.Report, w.SHA256, string(w.Form), w.VerifiedBy)
	if err != nil {
		return err
	}
	if w.Level == Destroy && w.Result == Passed {
		if _, err := h.tx.ExecContext(ctx, destroyDrive, string(w.Drive)); err != nil {
			return err
		}
	}
	return h.note(ctx, Wiped, w.On, string(w.ID), string(w.Result))
}

const findReport = `
SELECT machine_wipe.report, machine_wipe.report_sha256, machine_wipe.report_form
  FROM machine_wipe
  JOIN machine ON machine.id = machine_wipe.machine_id
 WHERE machine_wipe.id = $2
   AND machine_wipe.machine_id = $3
   AND machine_wipe.report IS NOT NULL
   AND` + byReaders

// Report returns a wipe with what the tool wrote of it, byte by byte, its SHA-256
// and its form, and nothing else; or [ErrNone].
func (s *Store) Report(ctx context.Context, who accounts.PersonID, machine MachineID, wipe WipeID) (Wipe, error) {
	w := Wipe{ID: wipe}
	err := s.db.QueryRowContext(ctx, findReport, string(who), string(wipe), string(machine)).Scan(&w.Report, &w.SHA256, &w.Form)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNone
	}
	if err != nil {
		return Wipe{}, fmt.Errorf("report of wipe %s: %w", wipe, err)
	}
	return w, nil
}

// File is the name and the media type under which a kept report is handed out: a
// text as bytes, so that no browser runs what stands in it.
func (w Wipe) File() (name, media string) {
	name = "wipe-" + w.SHA256[:min(12, len(w.SHA256))]
	if w.Form == PDFReport {
		return name + ".pdf", "application/pdf"
	}
	return name + ".txt", "application/octet-stream"
}

const putTest = `
INSERT INTO machine_test (id, machine_id, cycle, number, checklist, passed, results, on_date, by_whom)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

// RecordTest adds a checklist gone through, of a machine that is being tested, and
// returns it as it is kept. It fails with [ErrNone], [ErrStep] or faults of
// fields.
func (s *Store) RecordTest(ctx context.Context, who accounts.PersonID, id MachineID, r TestRun, now time.Time) (TestRun, error) {
	err := s.change(ctx, holdByWorkshop, "record a test of machine", who, id, now, func(h *hand) error {
		if h.State != Testing {
			return ErrStep
		}
		on, err := h.evidenceDay(ctx, r.On)
		if err != nil {
			return err
		}
		if err := r.judge(h.Form); err != nil {
			return err
		}
		results, err := r.text()
		if err != nil {
			return err
		}
		r.ID, r.On, r.By, r.Cycle = newID(), on, who, h.Cycle
		passed := 0
		if r.Passed {
			passed = 1
		}
		_, err = h.tx.ExecContext(ctx, putTest, r.ID, string(id), r.Cycle, h.Version+1, r.Checklist, passed, results, on.String(), string(who))
		if err != nil {
			return err
		}
		return h.note(ctx, Tested, on, r.ID, "")
	})
	return r, err
}

// SetGrades judges how a machine looks and works. It fails with [ErrNone], or
// [ErrStep] where the workshop does not have it open.
func (s *Store) SetGrades(ctx context.Context, who accounts.PersonID, id MachineID, appearance, function Grade, now time.Time) error {
	return s.Regrade(ctx, who, id, 0, appearance, function, now)
}

// Regrade does what [Store.SetGrades] does to the version of the machine that the
// sender saw, 0 for whichever; it fails with [resource.ErrStale] where the machine
// has another.
func (s *Store) Regrade(ctx context.Context, who accounts.PersonID, id MachineID, version int64, appearance, function Grade, now time.Time) error {
	return s.change(ctx, holdByWorkshop, "grade machine", who, id, now, func(h *hand) error {
		if version != 0 && version != h.Version {
			return resource.ErrStale
		}
		if !slices.Contains(workable, h.State) {
			return ErrStep
		}
		h.GradeAppearance, h.GradeFunction = appearance, function
		return h.note(ctx, Graded, h.today, "", string(appearance)+string(function))
	})
}

const putDefect = `
INSERT INTO machine_defect (id, machine_id, text, on_date)
VALUES ($1, $2, $3, $4)`

// NoteDefect writes down something wrong, and returns its id. It fails with
// [ErrNone], or [ErrStep] where the machine is no more.
func (s *Store) NoteDefect(ctx context.Context, who accounts.PersonID, id MachineID, what string, now time.Time) (string, error) {
	defect := newID()
	err := s.change(ctx, holdByWorkshop, "note a defect of machine", who, id, now, func(h *hand) error {
		if !slices.Contains(workable, h.State) && h.State != InRepair {
			return ErrStep
		}
		if _, err := h.tx.ExecContext(ctx, putDefect, defect, string(id), what, h.today.String()); err != nil {
			return err
		}
		return h.note(ctx, DefectNoted, h.today, defect, "")
	})
	return defect, err
}

const mendDefect = `
UPDATE machine_defect
   SET mended_on = $3
 WHERE id = $1
   AND machine_id = $2
   AND mended_on IS NULL`

// MendDefect writes down that a defect is mended; [ErrNone] where none is open.
func (s *Store) MendDefect(ctx context.Context, who accounts.PersonID, id MachineID, defect string, now time.Time) error {
	return s.change(ctx, holdByWorkshop, "mend a defect of machine", who, id, now, func(h *hand) error {
		changed, err := h.tx.ExecContext(ctx, mendDefect, defect, string(id), h.today.String())
		if err != nil {
			return err
		}
		if n, err := changed.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, orNone(err))
		}
		return h.note(ctx, DefectMended, h.today, defect, "")
	})
}

// A Move is a step of the workshop.
type Move struct {
	To   State
	On   civil.Date // zero for today
	Note string
}

// Move takes a machine from one state of the workshop to another. It fails with
// [ErrNone], [ErrStep], or what the machine lacks: to be ready all drives wiped,
// the checklist passed, grades, and no open defect; to become spare parts or
// scrap all drives wiped since it was last in use.
func (s *Store) Move(ctx context.Context, who accounts.PersonID, id MachineID, m Move, now time.Time) error {
	return s.change(ctx, holdByWorkshop, "move machine", who, id, now, func(h *hand) error {
		if !Leads(Moved, h.State, m.To) {
			return ErrStep
		}
		if err := noTicket(ctx, h); err != nil {
			return err // of whoever had it before
		}
		on, err := h.day(ctx, "on", m.On)
		if err != nil {
			return err
		}
		sh := Sheet{Machine: h.Machine}
		if err := s.fill(ctx, &sh, h.tx); err != nil {
			return err
		}
		if err := guard(sh, m.To); err != nil {
			return err
		}
		if m.To == Ready {
			if err := provenBy(sh, "on", on); err != nil {
				return err
			}
		}
		return h.step(ctx, Moved, m.To, on, "", m.Note)
	})
}

// guard holds back a machine that lacks what the state asks for.
func guard(sh Sheet, to State) error {
	lacking := lacks(sh)
	switch {
	case to == Ready && len(lacking) > 0:
		return lacking[0]
	case to == Testing && sh.State == Received && (sh.Kind == Used || sh.Cycle > 1):
		return ErrUnwiped
	case (to == SpareParts || to == Recycled || to == Testing && sh.State == Wiping) && slices.Contains(lacking, error(ErrUnwiped)):
		return ErrUnwiped
	}
	return nil
}
