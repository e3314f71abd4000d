package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Store keeps machines, sales and repairs. It may be used from several
// goroutines and programs at once: whoever changes a machine holds its row, so
// that each step sees what the one before left.
type Store struct {
	db      *sql.DB
	obliger Obliger
	homes   *premises.Store
}

// NewStore returns a store on a migrated database. The obliger may be nil: then a
// sale obliges to nothing.
func NewStore(db *sql.DB, obliger Obliger) *Store {
	return &Store{db: db, obliger: obliger, homes: premises.NewStore(db)}
}

// Clips: $1 has one of the roles in the machine's residence.
const (
	clipHead      = ` EXISTS (SELECT 1 FROM staff_role WHERE staff_role.person_id = $1 AND staff_role.role IN `
	clipMachine   = ` AND (staff_role.residence_id IS NULL OR staff_role.residence_id = machine.residence_id)) `
	clipResidence = ` AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id)) `

	workshopRoles = `('technician', 'administrator')`
	sellerRoles   = `('advisor', 'administrator')`
	readerRoles   = `('technician', 'advisor', 'administrator')`
	overseerRoles = `('technician', 'advisor', 'manager', 'administrator')`
	setterRoles   = `('manager', 'administrator')`

	byWorkshop = clipHead + workshopRoles + clipMachine
	bySellers  = clipHead + sellerRoles + clipMachine
	byReaders  = clipHead + readerRoles + clipMachine
)

const machineColumns = `machine.id, machine.residence_id, machine.tag, machine.serial, machine.mac, machine.kind, machine.form,
       machine.maker, machine.model, machine.processor, machine.memory_mb,
       machine.received_on, machine.donor, machine.lot, machine.cost_cents, machine.register_no,
       machine.state, machine.cycle, machine.grade_appearance, machine.grade_function,
       COALESCE(machine.reserved_until, ''), machine.version,
       (SELECT zone FROM residence WHERE residence.id = machine.residence_id), COALESCE(machine.reserved_for, '')`

// A found is a machine with what its row says besides.
type found struct {
	Machine
	zone        *time.Location
	reservedFor premises.HouseholdID
}

func scanMachine(rows *sql.Rows) (found, error) {
	var f found
	m, in := &f.Machine, &f.Intake
	var received, until, zone string
	err := rows.Scan(&m.ID, &m.Residence, &m.Tag, &m.Serial, &m.MAC, &m.Kind, &m.Form, &m.Maker, &m.Model, &m.Processor, &m.MemoryMB,
		&received, &in.Donor, &in.Lot, &in.CostCents, &in.RegisterNo, &m.State, &m.Cycle, &m.GradeAppearance, &m.GradeFunction,
		&until, &m.Version, &zone, &f.reservedFor)
	if err != nil {
		return found{}, err
	}
	if f.zone, err = time.LoadLocation(zone); err != nil {
		return found{}, fmt.Errorf("residence %s: zone %q: %w", m.Residence, zone, err)
	}
	return f, dates(dated{received, &in.On}, dated{until, &m.ReservedUntil})
}

// A dated is a text of the store and the date it becomes; empty for none.
type dated struct {
	text string
	date *civil.Date
}

func dates(all ...dated) (err error) {
	for _, d := range all {
		if d.text == "" {
			continue
		}
		if *d.date, err = civil.ParseDate(d.text); err != nil {
			return err
		}
	}
	return nil
}

// several reads rows.
func several[T any](ctx context.Context, db sqldb.Querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, scan)
}

// one reads the first row, or fails with [ErrNone].
func one[T any](ctx context.Context, db sqldb.Querier, scan func(*sql.Rows) (T, error), query string, args ...any) (T, error) {
	all, err := several(ctx, db, scan, query, args...)
	if err != nil || len(all) == 0 {
		var zero T
		return zero, errors.Join(err, orNone(err))
	}
	return all[0], nil
}

func orNone(err error) error {
	if err != nil {
		return nil
	}
	return ErrNone
}

func text(rows *sql.Rows) (found string, err error) { return found, rows.Scan(&found) }

// conflict turns what the schema refused into what a person is told. SQLite says
// what was broken in words only, so the words of both databases are looked at.
func conflict(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	for _, known := range []struct {
		words []string
		told  error
	}{
		{[]string{"machine_serial_key", "machine.serial"}, ErrSerialTaken},
		{[]string{"machine_residence_id_register_no_key", "machine.register_no"}, ErrRegisterNo},
		{[]string{"machine_drive_serial_key", "machine_drive.serial"}, ErrDriveTaken},
		{[]string{"machine_sale_slot", "machine_sale.household_id, machine_sale.slot"}, ErrSecond},
		{[]string{"machine_sale_once", "machine_sale.machine_id"}, ErrStep},
		{[]string{"repair_ticket_once", "repair_ticket.machine_id"}, ErrTicketOpen},
		{[]string{"machine_wait_once", "machine_wait.household_id"}, ErrWaits},
		{[]string{"workshop_price_change_pkey", "workshop_price_change.residence_id"}, resource.ErrStale},
	} {
		for _, w := range known.words {
			if strings.Contains(said, w) {
				return known.told
			}
		}
	}
	return err
}

// done names what was done to what, and tells what the schema refused.
func done(err error, doing, id string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, id, conflict(err))
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// A hand holds a machine's row within a transaction, for one person at one
// instant.
type hand struct {
	found
	tx    *sql.Tx
	who   accounts.PersonID
	now   time.Time
	today civil.Date // where the machine is
}

// Writing the version onto itself holds the row until the transaction ends, and
// returns it as it is then.
const holdMachine = `
UPDATE machine
   SET version = version
 WHERE machine.id = $2
   AND `

const (
	holdByWorkshop = holdMachine + byWorkshop + "RETURNING " + machineColumns
	holdBySellers  = holdMachine + bySellers + "RETURNING " + machineColumns
	holdByReaders  = holdMachine + byReaders + "RETURNING " + machineColumns
	// holdByAnyone is for who has been let by another way: a household.
	holdByAnyone = holdMachine + "$1 <> '' RETURNING " + machineColumns
)

// hold takes a machine in hand; [ErrNone] where the person may not.
func hold(ctx context.Context, tx *sql.Tx, query string, who accounts.PersonID, id MachineID, now time.Time) (*hand, error) {
	f, err := one(ctx, tx, scanMachine, query, string(who), string(id))
	if err != nil {
		return nil, err
	}
	h := &hand{found: f, tx: tx, who: who, now: now, today: civil.DateIn(now, f.zone)}
	return h, h.expire(ctx)
}

// expire lets a reservation run out whose last day is over.
func (h *hand) expire(ctx context.Context) error {
	if h.State != Reserved || !h.ReservedUntil.Before(h.today) {
		return nil
	}
	who := h.who
	h.who = bySystem
	defer func() { h.who = who }()
	over := h.ReservedUntil.AddDays(1)
	h.ReservedUntil, h.reservedFor = civil.Date{}, ""
	return h.step(ctx, HoldExpired, Ready, over, "", "")
}

// change takes a machine in hand, lets do change it, and stores all of it or
// nothing.
func (s *Store) change(ctx context.Context, query, doing string, who accounts.PersonID, id MachineID, now time.Time, do func(*hand) error) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		h, err := hold(ctx, tx, query, who, id, now)
		if err != nil {
			return err
		}
		return do(h)
	})
	return done(err, doing, string(id))
}

const putEvent = `
INSERT INTO machine_event (machine_id, number, at_ms, on_date, by_whom, what, state, subject, note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

const putMachine = `
UPDATE machine
   SET state = $2,
       cycle = $3,
       grade_appearance = $4,
       grade_function = $5,
       reserved_for = $6,
       reserved_until = $7,
       version = $8
 WHERE id = $1`

// note adds an event that changes no state.
func (h *hand) note(ctx context.Context, what What, on civil.Date, subject, note string) error {
	return h.step(ctx, what, h.State, on, subject, note)
}

// step adds an event that leads to a state, and keeps what the machine is after
// it. It fails with [ErrStep] where the event does not lead there.
func (h *hand) step(ctx context.Context, what What, to State, on civil.Date, subject, note string) error {
	if !Leads(what, h.State, to) {
		return ErrStep
	}
	h.State = to
	h.Version++
	_, err := h.tx.ExecContext(ctx, putEvent, string(h.ID), h.Version, sqldb.Ms(h.now), on.String(), string(h.who), string(what), string(to), subject, note)
	if err != nil {
		return err
	}
	_, err = h.tx.ExecContext(ctx, putMachine, string(h.ID), string(h.State), h.Cycle, string(h.GradeAppearance), string(h.GradeFunction),
		nullText(string(h.reservedFor)), nullDate(h.ReservedUntil), h.Version)
	return err
}

func nullText(t string) sql.NullString { return sql.NullString{String: t, Valid: t != ""} }

func nullDate(d civil.Date) sql.NullString {
	return sql.NullString{String: d.String(), Valid: !d.IsZero()}
}

func fault(field, message string, args ...any) error {
	return problem.OfFields([]problem.Field{{Name: field, Message: message, Args: args}})
}

const nextNumber = `
INSERT INTO machine_counter (name, last_number)
VALUES ($1, 1)
    ON CONFLICT (name) DO UPDATE
   SET last_number = machine_counter.last_number + 1
RETURNING last_number`

// number gives out the next number of a name. Who takes one holds it until the
// transaction ends, so that none is left out.
func number(ctx context.Context, tx *sql.Tx, name string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, nextNumber, name).Scan(&n)
	return n, err
}

// A reach is a residence that a person has a role in, and its day.
type reach struct {
	zone  *time.Location
	today civil.Date
}

const (
	reachHead      = `SELECT residence.zone FROM residence WHERE residence.id = $2 AND `
	reachWorkshop  = reachHead + clipHead + workshopRoles + clipResidence
	reachSellers   = reachHead + clipHead + sellerRoles + clipResidence
	reachReaders   = reachHead + clipHead + readerRoles + clipResidence
	reachOverseers = reachHead + clipHead + overseerRoles + clipResidence
	reachSetters   = reachHead + clipHead + setterRoles + clipResidence
)

// reached returns the residence's day, or [ErrNone] where the person has no role
// there that the query asks for.
func reached(ctx context.Context, db sqldb.Querier, query string, who accounts.PersonID, residence string, now time.Time) (reach, error) {
	name, err := one(ctx, db, text, query, string(who), residence)
	if err != nil {
		return reach{}, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return reach{}, fmt.Errorf("residence %s: zone %q: %w", residence, name, err)
	}
	return reach{zone, civil.DateIn(now, zone)}, nil
}

// mostIn is how many texts one query asks for at once.
const mostIn = 500

// list writes placeholders for n texts, the first of them $from.
func list(from, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(", $" + strconv.Itoa(from+i))
	}
	return "(" + strings.TrimPrefix(b.String(), ", ") + ")"
}

func asAny(texts []string) []any {
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all
}
