package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Move is what happens to a dwelling in one go: who lives there leaves, and
// somebody else comes; or one of the two.
type Move struct {
	Dwelling DwellingID
	// MovedOut is the first day on which the household does not live there any
	// more; zero where nobody leaves.
	MovedOut civil.Date
	// LeaverTo is the dwelling where the leaver lives from MovedOut on; empty
	// where they leave the landlord's homes, and with them their access.
	LeaverTo DwellingID
	// MovedIn is the first day of the newcomer; zero where nobody comes.
	MovedIn  civil.Date
	Newcomer Newcomer
	Version  int64 // of the tenancy that ends; 0 where nobody leaves
}

// A Newcomer is a household that is known already, or a new one with its
// persons.
type Newcomer struct {
	Household HouseholdID // empty for a new one
	New       Household   // without id, where Household is empty
	Persons   []NewPerson
}

// Moved is what came of a move.
type Moved struct {
	Ended     Tenancy // zero where nobody left
	Begun     Tenancy // of the newcomer; zero where nobody came
	LeaverNow Tenancy // where the leaver lives now; zero where they left
	Persons   []accounts.PersonID
}

// moving is a move while it is made.
type moving struct {
	Move
	tx    *sql.Tx
	look  Look
	place place
	moved Moved
}

// A place is a dwelling that may be moved into or out of.
type place struct {
	residence metering.SiteID
	zone      *time.Location
}

// Move makes the move, writes it down for each household, and leaves a row in
// move_event for what must be erased of the leaver: all of it or nothing. Roles
// count for the dwelling. It fails with NotFound "dwelling.none" where staff may
// not change it, with Invalid and the field that does not fit, with Conflict
// where two households would live in a dwelling at once, and with
// [resource.ErrStale] where m.Version is not that of the tenancy that ends.
func (s *Store) Move(ctx context.Context, l Look, m Move) (Moved, error) {
	if err := problem.OfFields(m.check(l.At)); err != nil {
		return Moved{}, err
	}
	w := moving{Move: m, look: l}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		w.tx = tx
		var err error
		if w.place, err = w.placeOf(ctx, m.Dwelling); err != nil {
			return err
		}
		if err := w.out(ctx); err != nil {
			return err
		}
		return w.in(ctx)
	})
	if err != nil {
		return Moved{}, fmt.Errorf("move at dwelling %s: %w", m.Dwelling, overlapping(err))
	}
	return w.moved, nil
}

// check returns the faults that need no look at the store.
func (m Move) check(now time.Time) []problem.Field {
	var faults []problem.Field
	if m.MovedOut.IsZero() && m.MovedIn.IsZero() {
		return []problem.Field{{Name: "moved_out", Message: "field.missing"}, {Name: "moved_in", Message: "field.missing"}}
	}
	if !m.MovedOut.IsZero() {
		faults = append(faults, tooFar("moved_out", m.MovedOut, now)...)
	} else if m.LeaverTo != "" {
		faults = append(faults, problem.Field{Name: "moved_out", Message: "field.missing"})
	}
	if m.LeaverTo != "" && m.LeaverTo == m.Dwelling {
		faults = append(faults, problem.Field{Name: "leaver_to", Message: "field.same_dwelling"})
	}
	if m.MovedIn.IsZero() {
		return faults
	}
	faults = append(faults, tooFar("moved_in", m.MovedIn, now)...)
	if m.MovedIn.Before(m.MovedOut) {
		faults = append(faults, problem.Field{Name: "moved_in", Message: "field.before_moved_out"})
	}
	if m.Newcomer.Household == "" && len(m.Newcomer.Persons) == 0 {
		faults = append(faults, problem.Field{Name: "newcomer.persons", Message: "field.missing"})
	}
	return faults
}

const placeOf = `
SELECT dwelling.residence_id, residence.zone
  FROM dwelling
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE dwelling.id = $2
   AND` + mayChangeStock

func (w *moving) placeOf(ctx context.Context, id DwellingID) (place, error) {
	var p place
	var zone string
	err := w.tx.QueryRowContext(ctx, placeOf, string(w.look.Staff), string(id)).Scan(&p.residence, &zone)
	if err != nil {
		return place{}, found(err, "dwelling.none")
	}
	p.zone, err = time.LoadLocation(zone)
	return p, err
}

const lastTenancy = `
SELECT id, household_id, dwelling_id, moved_in, COALESCE(moved_out, ''), version
  FROM tenancy
 WHERE dwelling_id = $1
   AND (moved_out IS NULL OR moved_out > $2)
 ORDER BY moved_in
 LIMIT 1`

// living returns the tenancy that lasts on the day of the move, or the first to
// come; none where the dwelling is empty.
func (w *moving) living(ctx context.Context) (t Tenancy, there bool, err error) {
	day := civil.DateIn(w.look.At, w.place.zone)
	rows, err := w.tx.QueryContext(ctx, lastTenancy, string(w.Dwelling), day.String())
	if err != nil {
		return Tenancy{}, false, err
	}
	all, err := sqldb.Collect(rows, scanTenancy)
	if err != nil || len(all) == 0 {
		return Tenancy{}, false, err
	}
	return all[0], true, nil
}

func (w *moving) out(ctx context.Context) error {
	t, there, err := w.living(ctx)
	switch {
	case err != nil:
		return err
	case w.MovedOut.IsZero() && there && t.MovedOut.IsZero():
		return problem.OfFields([]problem.Field{{Name: "moved_out", Message: "field.occupied"}})
	case w.MovedOut.IsZero():
		return nil
	case !there:
		return problem.OfFields([]problem.Field{{Name: "moved_out", Message: "field.nobody_there"}})
	case !t.MovedIn.Before(w.MovedOut):
		return problem.OfFields([]problem.Field{{Name: "moved_out", Message: "field.before_moved_in", Args: []any{t.MovedIn.String()}}})
	case t.Version != w.Version:
		return resource.ErrStale
	}
	w.look.Household = t.Household
	if err := w.look.write(ctx, w.tx); err != nil {
		return err
	}
	if err := w.endTenancy(ctx, t); err != nil {
		return err
	}
	if w.LeaverTo != "" {
		return w.leaverOn(ctx, t.Household)
	}
	return w.endAccess(ctx, t)
}

const endTenancy = `
UPDATE tenancy
   SET moved_out = $2,
       version = version + 1
 WHERE id = $1
   AND version = $3`

const dropMoveEvent = `
DELETE FROM move_event
 WHERE tenancy_id = $1
   AND handled_ms IS NULL`

const putMoveEvent = `
INSERT INTO move_event (id, tenancy_id, household_id, dwelling_id, from_ms, at_ms)
VALUES ($1, $2, $3, $4, $5, $6)`

// endTenancy ends it and asks for what is fine to be erased. A planned end that
// changes takes the place of the one before.
func (w *moving) endTenancy(ctx context.Context, t Tenancy) error {
	if _, err := w.tx.ExecContext(ctx, endTenancy, t.ID, w.MovedOut.String(), t.Version); err != nil {
		return err
	}
	if _, err := w.tx.ExecContext(ctx, dropMoveEvent, t.ID); err != nil {
		return err
	}
	_, err := w.tx.ExecContext(ctx, putMoveEvent, newID(), t.ID, string(t.Household), string(t.Dwelling),
		max(0, sqldb.Ms(t.MovedIn.Start(w.place.zone))), sqldb.Ms(w.MovedOut.Start(w.place.zone)))
	w.moved.Ended = t
	w.moved.Ended.MovedOut, w.moved.Ended.Version = w.MovedOut, t.Version+1
	return err
}

// leaverOn lets the leaver live on in another dwelling of the landlord: members
// and helpers stay.
func (w *moving) leaverOn(ctx context.Context, id HouseholdID) error {
	if _, err := w.placeOf(ctx, w.LeaverTo); err != nil {
		return unknown(err, "leaver_to")
	}
	var err error
	w.moved.LeaverNow, err = w.begin(ctx, "leaver_to", id, w.LeaverTo, w.MovedOut)
	return err
}

// unknown is the fault of a field that names what staff may not change.
func unknown(err error, field string) error {
	if p := problem.Of(err); p.Kind == problem.NotFound {
		return problem.OfFields([]problem.Field{{Name: field, Message: "field.not_found"}})
	}
	return err
}

const livesElsewhere = `
SELECT COUNT(*)
  FROM tenancy
 WHERE household_id = $1
   AND id <> $2
   AND (moved_out IS NULL OR moved_out > $3)`

const endMemberships = `
UPDATE membership
   SET to_date = $2,
       version = version + 1
 WHERE household_id = $1
   AND from_date < $2
   AND (to_date IS NULL OR to_date > $2 OR to_date = $3)`

const dropLaterMemberships = `
DELETE FROM membership
 WHERE household_id = $1
   AND from_date >= $2`

const endMandates = `
UPDATE mandate
   SET to_date = $2,
       version = version + 1
 WHERE household_id = $1
   AND revoked_ms IS NULL
   AND from_date < $2
   AND to_date > $2`

const revokeLaterMandates = `
UPDATE mandate
   SET revoked_ms = $3,
       version = version + 1
 WHERE household_id = $1
   AND revoked_ms IS NULL
   AND from_date >= $2`

// endAccess ends what the members and helpers of a household may see that has
// left its last home.
func (w *moving) endAccess(ctx context.Context, t Tenancy) error {
	household, day := string(t.Household), w.MovedOut.String()
	var others int
	if err := w.tx.QueryRowContext(ctx, livesElsewhere, household, t.ID, day).Scan(&others); err != nil || others > 0 {
		return err
	}
	planned := "" // the end that is moved; no date where there was none
	if !t.MovedOut.IsZero() {
		planned = t.MovedOut.String()
	}
	if _, err := w.tx.ExecContext(ctx, dropLaterMemberships, household, day); err != nil {
		return err
	}
	if _, err := w.tx.ExecContext(ctx, endMemberships, household, day, planned); err != nil {
		return err
	}
	if _, err := w.tx.ExecContext(ctx, endMandates, household, day); err != nil {
		return err
	}
	_, err := w.tx.ExecContext(ctx, revokeLaterMandates, household, day, sqldb.Ms(w.look.At))
	return err
}

func (w *moving) in(ctx context.Context) error {
	if w.MovedIn.IsZero() {
		return nil
	}
	household, err := w.newcomer(ctx)
	if err != nil {
		return err
	}
	if w.moved.Begun, err = w.begin(ctx, "moved_in", household, w.Dwelling, w.MovedIn); err != nil {
		return err
	}
	for _, p := range w.Newcomer.Persons {
		person, err := addMember(ctx, w.tx, household, p, w.MovedIn)
		if err != nil {
			return err
		}
		w.moved.Persons = append(w.moved.Persons, person)
	}
	w.look.Household = household
	return w.look.write(ctx, w.tx)
}

const insertHousehold = `
INSERT INTO household (id, occupants, language, contact_by, telephone, email)
VALUES ($1, $2, $3, $4, $5, $6)`

func (w *moving) newcomer(ctx context.Context) (HouseholdID, error) {
	if w.Newcomer.Household != "" {
		l := w.look
		l.Household = w.Newcomer.Household
		return l.Household, unknown(changeable(ctx, w.tx, l), "newcomer.household")
	}
	h := w.Newcomer.New
	h.ID = HouseholdID(newID())
	_, err := w.tx.ExecContext(ctx, insertHousehold, string(h.ID), h.Occupants, h.Language,
		string(orLetter(h.Contact.By)), h.Contact.Telephone, h.Contact.Email)
	return h.ID, err
}

const tenancyOverlaps = `
SELECT COUNT(*)
  FROM tenancy
 WHERE dwelling_id = $1
   AND (moved_out IS NULL OR moved_out > $2)`

// begin starts a tenancy without an end; the field is named where somebody lives
// there on that day or later.
func (w *moving) begin(ctx context.Context, field string, household HouseholdID, id DwellingID, from civil.Date) (Tenancy, error) {
	var others int
	if err := w.tx.QueryRowContext(ctx, tenancyOverlaps, string(id), from.String()).Scan(&others); err != nil {
		return Tenancy{}, err
	}
	if others > 0 {
		return Tenancy{}, &problem.Error{Kind: problem.Conflict, Message: "move.occupied",
			Fields: []problem.Field{{Name: field, Message: "field.occupied"}}}
	}
	t := Tenancy{ID: newID(), Household: household, Dwelling: id, MovedIn: from, Version: 1}
	_, err := w.tx.ExecContext(ctx, putTenancy, t.ID, string(household), string(id), from.String(), orNull(civil.Date{}))
	return t, err
}

// overlapping tells what only the schema sees, when two moves are made at once.
func overlapping(err error) error {
	if _, told := errors.AsType[*problem.Error](err); !told && strings.Contains(err.Error(), "tenancy_overlap") {
		return &problem.Error{Kind: problem.Conflict, Message: "move.occupied", Err: err}
	}
	return err
}
