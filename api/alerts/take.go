package alerts

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const (
	// byMove makes the step by which a case leaves with its household.
	byMove = "move"
	// mostTries is how often a finding is taken that meets another change.
	mostTries = 5
)

// Take stores what a detector found in a household's stay: an alarm opens a case,
// or goes to the open one of its cause, as in [Book.Take]. It reports whether it
// opened one; other outcomes are passed over. Household is empty where nobody
// lived there, for a building's meter and for a gateway.
//
// An open case of a household that lives there no more is ended by the same step:
// what it tells is not the next one's, whose own days open another. Days before
// the next one moved in are left out of what is told of its begin.
//
// An alarm that was taken before changes nothing, nor one that comes late: about a
// stay that is over at the instant at, or after a case of a later stay. Of two
// that open a cause at once one does. It fails with a
// [*StayError] where a day that counted is not of the household's stay.
func (s *Store) Take(ctx context.Context, v Verdict, household premises.HouseholdID, at time.Time) (opened bool, err error) {
	if v.Outcome != Alarm {
		return false, nil
	}
	for range mostTries {
		err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
			if gone, err := s.lookout.Erased(ctx, tx, household); err != nil || gone {
				return err
			}
			opened, err = take(ctx, tx, v.Finding, household, at)
			return err
		})
		if !errors.Is(err, resource.ErrStale) { // somebody changed the open case
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("%s case of %s%s: %w", v.Finding.Cause.Subject, v.Finding.Cause.Point, v.Finding.Cause.Gateway, err)
	}
	return opened, nil
}

func take(ctx context.Context, tx *sql.Tx, f Finding, household premises.HouseholdID, at time.Time) (opened bool, err error) {
	h, err := homeOf(ctx, tx, f.Cause)
	if err != nil {
		return false, err
	}
	f, of, err := h.place(f, household)
	if err != nil {
		return false, err
	}
	gone := of.overOn(civil.DateIn(at, h.zone))
	k, open, err := openOfCause(ctx, tx, f.Cause)
	if err != nil {
		return false, err
	}
	if open {
		theirs, still := h.stayOf(k)
		switch {
		case still && theirs == of && !gone:
			return false, k.see(ctx, tx, f, at)
		case still && of.in.Before(theirs.in), gone && theirs != of:
			return false, nil
		}
		if err := k.leave(ctx, tx, at); err != nil {
			return false, err
		}
	}
	if gone {
		return false, nil
	}
	return begin(ctx, tx, h, of, f, at)
}

// begin opens a case, unless one of the same stay that is over has those days.
func begin(ctx context.Context, tx *sql.Tx, h home, of stay, f Finding, at time.Time) (opened bool, err error) {
	over, err := kept(ctx, tx, "", overOfCause, string(f.Cause.Subject), string(f.Cause.Point), string(f.Cause.Gateway), string(of.household))
	if err != nil || slices.ContainsFunc(over, func(k Kept) bool { return k.takenBefore(f) }) {
		return false, err
	}
	fresh := Kept{ID: CaseID(uuid.Must(uuid.NewV7()).String()), Case: Open(f, at), Household: of.household, Version: 1, Zone: h.zone}
	if opened, err = insert(ctx, tx, fresh.withDays(), at); err != nil || opened {
		return opened, err
	}
	return false, resource.ErrStale // another run opened it: see what it did
}

const ofCause = `
 WHERE alert_case.subject = $1
   AND COALESCE(alert_case.point_id, '') = $2
   AND COALESCE(alert_case.gateway_id, '') = $3`

const openCase = caseColumns + ofResidence + ofCause + `
   AND alert_case.ended_ms IS NULL`

// What left with its household may be opened again, where the word of the move was
// wrong.
const overOfCause = caseColumns + ofResidence + ofCause + `
   AND COALESCE(alert_case.household_id, '') = $4
   AND alert_case.ended_ms IS NOT NULL
   AND alert_case.state <> 'left'`

func openOfCause(ctx context.Context, q sqldb.Querier, c Cause) (Kept, bool, error) {
	all, err := kept(ctx, q, "", openCase, string(c.Subject), string(c.Point), string(c.Gateway))
	if err != nil || len(all) == 0 {
		return Kept{}, false, err
	}
	return all[0], true, nil
}

// see gives a finding to the open case of its cause. One that was given before
// changes nothing.
func (k Kept) see(ctx context.Context, tx *sql.Tx, f Finding, at time.Time) error {
	before, err := json.Marshal(k.Finding)
	if err != nil {
		return err
	}
	k.Case = k.See(f, at)
	after, err := json.Marshal(k.Finding)
	if err != nil || len(k.Steps) == k.stored && bytes.Equal(before, after) {
		return err
	}
	return update(ctx, tx, k)
}

// leave ends the open case of a household that moved out, not before its last step.
func (k Kept) leave(ctx context.Context, tx *sql.Tx, at time.Time) (err error) {
	if k.Case, err = k.Leave(later(at, k.Steps[len(k.Steps)-1].At), byMove); err != nil {
		return err
	}
	return update(ctx, tx, k)
}

const placeOf = `
SELECT COALESCE(point.dwelling_id, ''), residence.zone
  FROM point
  LEFT JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = COALESCE(dwelling.residence_id, point.residence_id)
 WHERE point.id = $1
 UNION ALL
SELECT '', residence.zone
  FROM gateway
  JOIN residence ON residence.id = gateway.residence_id
 WHERE gateway.id = $2`

const staysIn = `
SELECT household_id, moved_in, COALESCE(moved_out, '')
  FROM tenancy
 WHERE dwelling_id = $1
 ORDER BY moved_in`

// homeOf reads where a cause lies and who lives there. It fails with
// [sql.ErrNoRows] for a point or a gateway that is not stored.
func homeOf(ctx context.Context, tx *sql.Tx, c Cause) (h home, err error) {
	var dwelling, zone string
	if err := tx.QueryRowContext(ctx, placeOf, string(c.Point), string(c.Gateway)).Scan(&dwelling, &zone); err != nil {
		return home{}, fmt.Errorf("look up where it lies: %w", err)
	}
	if h.zone, err = time.LoadLocation(zone); err != nil {
		return home{}, err
	}
	rows, err := tx.QueryContext(ctx, staysIn, dwelling)
	if err != nil {
		return home{}, err
	}
	h.stays, err = sqldb.Collect(rows, scanStay)
	return h, err
}

func scanStay(rows *sql.Rows) (s stay, err error) {
	var in, out string
	if err := rows.Scan(&s.household, &in, &out); err != nil {
		return stay{}, err
	}
	if s.in, err = civil.ParseDate(in); err == nil && out != "" {
		s.out, err = civil.ParseDate(out)
	}
	return s, err
}

const insertCase = `
INSERT INTO alert_case (id, subject, point_id, gateway_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10)
    ON CONFLICT DO NOTHING`

func insert(ctx context.Context, tx *sql.Tx, k Kept, at time.Time) (bool, error) {
	finding, err := json.Marshal(k.Finding)
	if err != nil {
		return false, err
	}
	done, err := tx.ExecContext(ctx, insertCase, string(k.ID), string(k.Cause.Subject), orNull(string(k.Cause.Point)),
		orNull(string(k.Cause.Gateway)), orNull(string(k.Household)), string(k.State), string(finding), sqldb.Ms(at),
		k.First.String(), k.Last.String())
	if err != nil {
		return false, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, k.writeSteps(ctx, tx)
}

func orNull(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }
