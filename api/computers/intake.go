package computers

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// An Arrival is a machine that is taken in, with its drives. An empty RegisterNo
// gets the next number; a zero day of intake is today.
type Arrival struct {
	Machine
	Drives []Drive
}

const putArrival = `
INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents,
                     register_no, received_on, state, cycle, grade_appearance, grade_function, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'received', 1, '', '', 1)`

const putName = `
INSERT INTO machine_name (folded, machine_id, kind, plain)
VALUES ($1, $2, $3, $4)`

// TakeIn adds a machine and gives it a tag. It fails with [ErrNone] where the
// person has no workshop in the residence, with [ErrSerialTaken],
// [ErrRegisterNo], [ErrDriveTaken], or a fault of "received_on".
func (s *Store) TakeIn(ctx context.Context, who accounts.PersonID, a Arrival, now time.Time) (Machine, error) {
	var made Machine
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		r, err := reached(ctx, tx, reachWorkshop, who, string(a.Residence), now)
		if err != nil {
			return err
		}
		made, err = arrive(ctx, tx, who, a, r, now)
		return err
	})
	return made, done(err, "take in machine", a.Serial)
}

// arrive writes a machine, its names, its drives and the first of its events.
func arrive(ctx context.Context, tx *sql.Tx, who accounts.PersonID, a Arrival, r reach, now time.Time) (Machine, error) {
	m := a.Machine
	if m.Intake.On.IsZero() {
		m.Intake.On = r.today
	}
	if r.today.Before(m.Intake.On) {
		return m, fault("received_on", "computers.future")
	}
	n, err := number(ctx, tx, "tag")
	if err != nil {
		return m, err
	}
	m.ID, m.Tag = MachineID(newID()), fmt.Sprintf("PC-%06d", n)
	m.State, m.Cycle, m.Version = Received, 1, 1
	if m.Intake.RegisterNo == "" {
		if n, err = number(ctx, tx, fmt.Sprintf("register-%04d", m.Intake.On.Year)); err != nil {
			return m, err
		}
		m.Intake.RegisterNo = fmt.Sprintf("%04d-%05d", m.Intake.On.Year, n)
	}
	_, err = tx.ExecContext(ctx, putArrival, string(m.ID), string(m.Residence), m.Tag, m.Serial, m.MAC, string(m.Kind), string(m.Form), m.Maker, m.Model,
		m.Processor, m.MemoryMB, m.Intake.Donor, m.Intake.Lot, m.Intake.CostCents, m.Intake.RegisterNo, m.Intake.On.String())
	if err != nil {
		return m, err
	}
	if err := putNames(ctx, tx, m); err != nil {
		return m, err
	}
	for _, d := range a.Drives {
		d.ID = DriveID(newID())
		if err := insertDrive(ctx, tx, m.ID, d); err != nil {
			return m, err
		}
	}
	_, err = tx.ExecContext(ctx, putEvent, string(m.ID), 1, sqldb.Ms(now), m.Intake.On.String(), string(who), string(TakenIn), string(Received), "", "")
	return m, err
}

func putNames(ctx context.Context, tx *sql.Tx, m Machine) error {
	for _, name := range []struct{ kind, written string }{{"serial", m.Serial}, {"tag", m.Tag}, {"mac", m.MAC}} {
		if Plain(name.written) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, putName, Fold(name.written), string(m.ID), name.kind, Plain(name.written)); err != nil {
			return err
		}
		if err := putSlips(ctx, tx, m.ID, Variants(Fold(name.written))); err != nil {
			return err
		}
	}
	return nil
}

// putSlips writes what an id is found by that was typed with a slip.
func putSlips(ctx context.Context, tx *sql.Tx, id MachineID, variants []int64) error {
	if len(variants) == 0 {
		return nil
	}
	rows, args := make([]string, len(variants)), []any{string(id)}
	for i, v := range variants {
		rows[i] = fmt.Sprintf("($%d, $1)", i+2)
		args = append(args, v)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO machine_slip (variant, machine_id) VALUES `+strings.Join(rows, ", ")+` ON CONFLICT DO NOTHING`, args...)
	return err
}
