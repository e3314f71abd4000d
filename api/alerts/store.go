package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A CaseID names a stored case, for ever.
type CaseID string

// A Kept case is one that is stored.
type Kept struct {
	ID CaseID
	Case
	Version int64 // grows with each change
	// Household is whose stay it was found in; empty where nobody lived there, and
	// for a gateway and a building's meter.
	Household premises.HouseholdID
	// First and Last are the first and the last day of all of its findings.
	First, Last civil.Date
	// Zone is that of the residence, in which its dates are told.
	Zone *time.Location
	// Fault says why its finding cannot be read; only [Store.Open] returns such cases.
	Fault error
	// stored is how many of the steps are.
	stored int
}

// A Store keeps cases with their steps. It may be used from several goroutines.
type Store struct {
	db      *sql.DB
	lookout consent.Lookout
}

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB) *Store { return &Store{db: db} }

// Heeding returns a store that begins nothing about a household of which something
// was erased meanwhile: its [Store.Take], [Store.Ask] and [Store.Refuse] pass over
// what they are given of it.
func (s *Store) Heeding(l consent.Lookout) *Store { return &Store{db: s.db, lookout: l} }

const caseColumns = `
SELECT alert_case.id, alert_case.subject, COALESCE(alert_case.point_id, ''), COALESCE(alert_case.gateway_id, ''),
       COALESCE(alert_case.household_id, ''), alert_case.first_date, alert_case.last_date,
       alert_case.state, alert_case.finding, alert_case.quiet_nights,
       COALESCE(alert_case.judged_ms, 0), COALESCE(alert_case.told_ms, 0), alert_case.version, residence.zone
  FROM alert_case`

// A point is a dwelling's or a building's.
const ofResidence = `
  LEFT JOIN point ON point.id = alert_case.point_id
  LEFT JOIN dwelling ON dwelling.id = point.dwelling_id
  LEFT JOIN gateway ON gateway.id = alert_case.gateway_id
  JOIN residence ON residence.id = COALESCE(gateway.residence_id, dwelling.residence_id, point.residence_id)`

func scanKept(rows *sql.Rows) (Kept, error) {
	var k Kept
	var finding, zone, first, last string
	var judgedMs, toldMs int64
	err := rows.Scan(&k.ID, &k.Cause.Subject, &k.Cause.Point, &k.Cause.Gateway,
		&k.Household, &first, &last, &k.State, &finding, &k.Quiet, &judgedMs, &toldMs, &k.Version, &zone)
	if err != nil {
		return Kept{}, err
	}
	if err := json.Unmarshal([]byte(finding), &k.Finding); err != nil {
		return k, &unreadableError{k.ID, err}
	}
	if k.First, err = civil.ParseDate(first); err != nil {
		return Kept{}, fmt.Errorf("first day of case %s: %w", k.ID, err)
	}
	if k.Last, err = civil.ParseDate(last); err != nil {
		return Kept{}, fmt.Errorf("last day of case %s: %w", k.ID, err)
	}
	if judgedMs > 0 {
		k.Judged = sqldb.Time(judgedMs)
	}
	if toldMs > 0 {
		k.ToldAt = sqldb.Time(toldMs)
	}
	if k.Zone, err = time.LoadLocation(zone); err != nil {
		return Kept{}, fmt.Errorf("zone of case %s: %w", k.ID, err)
	}
	return k, nil
}

// An unreadableError reports a case whose finding cannot be read.
type unreadableError struct {
	id  CaseID
	err error
}

// Error names the case.
func (e *unreadableError) Error() string { return fmt.Sprintf("finding of case %s: %v", e.id, e.err) }

// Unwrap returns the cause.
func (e *unreadableError) Unwrap() error { return e.err }

// kept reads cases and their steps; until is the civil date from which on steps
// are not shown, empty for none.
func kept(ctx context.Context, q sqldb.Querier, until string, query string, args ...any) ([]Kept, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	all, err := sqldb.Collect(rows, scanKept)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].readSteps(ctx, q, until); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const stepsOf = `
SELECT state, at_ms, by_whom
  FROM alert_step
 WHERE case_id = $1
   AND ($2 = '' OR on_date < $2)
 ORDER BY number`

func (k *Kept) readSteps(ctx context.Context, q sqldb.Querier, until string) error {
	rows, err := q.QueryContext(ctx, stepsOf, string(k.ID), until)
	if err != nil {
		return err
	}
	k.Steps, err = sqldb.Collect(rows, func(rows *sql.Rows) (s Step, err error) {
		var atMs int64
		err = rows.Scan(&s.State, &atMs, &s.By)
		s.At = sqldb.Time(atMs)
		return s, err
	})
	k.stored = len(k.Steps)
	return err
}

const openOf = caseColumns + ofResidence + `
 WHERE alert_case.ended_ms IS NULL
   AND residence.id = $1
 ORDER BY alert_case.opened_ms, alert_case.id`

// Open lists the open cases of a residence, the oldest first, for the nightly run
// and its counts: who asks for a person asks [Store.Seen]. One whose finding cannot be
// read bears its Fault, and does not keep the others from being listed.
func (s *Store) Open(ctx context.Context, residence metering.SiteID) ([]Kept, error) {
	rows, err := s.db.QueryContext(ctx, openOf, string(residence))
	if err != nil {
		return nil, fmt.Errorf("open cases of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, scanOpen)
	if err != nil {
		return nil, fmt.Errorf("open cases of %s: %w", residence, err)
	}
	for i := range all {
		if err := all[i].readSteps(ctx, s.db, ""); err != nil {
			return nil, fmt.Errorf("open cases of %s: %w", residence, err)
		}
	}
	return all, nil
}

// scanOpen is [scanKept] for a list of which one may be unreadable.
func scanOpen(rows *sql.Rows) (Kept, error) {
	k, err := scanKept(rows)
	if unreadable, is := errors.AsType[*unreadableError](err); is {
		k.Fault, err = unreadable, nil
	}
	return k, err
}

const updateCase = `
UPDATE alert_case
   SET state = $3,
       finding = $4,
       first_date = $5,
       last_date = $6,
       quiet_nights = $7,
       judged_ms = $8,
       told_ms = $9,
       ended_ms = $10,
       version = version + 1
 WHERE id = $1
   AND version = $2`

func update(ctx context.Context, tx *sql.Tx, k Kept) error {
	finding, err := json.Marshal(k.Finding)
	if err != nil {
		return err
	}
	k = k.withDays()
	var ended time.Time
	if k.State.Over() {
		ended = k.Steps[len(k.Steps)-1].At
	}
	done, err := tx.ExecContext(ctx, updateCase, string(k.ID), k.Version, string(k.State), string(finding),
		k.First.String(), k.Last.String(), k.Quiet, msOrNull(k.Judged), msOrNull(k.ToldAt), msOrNull(ended))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return resource.ErrStale
	}
	return k.writeSteps(ctx, tx)
}

func msOrNull(at time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: sqldb.Ms(at), Valid: !at.IsZero()}
}

const insertStep = `
INSERT INTO alert_step (case_id, number, state, at_ms, on_date, by_whom)
VALUES ($1, $2, $3, $4, $5, $6)`

// writeSteps stores the steps that are not yet.
func (k Kept) writeSteps(ctx context.Context, tx *sql.Tx) error {
	for i, s := range k.Steps[k.stored:] {
		_, err := tx.ExecContext(ctx, insertStep, string(k.ID), k.stored+i+1, string(s.State), sqldb.Ms(s.At),
			civil.DateIn(s.At, k.Zone).String(), s.By)
		if err != nil {
			return err
		}
	}
	return nil
}

// Change stores what one of the case's methods returned for k, which was read
// before. It fails with [resource.ErrStale] where somebody changed it since, and
// changes nothing then.
func (s *Store) Change(ctx context.Context, k Kept, to Case) error {
	k.Case = to
	if err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error { return update(ctx, tx, k) }); err != nil {
		return fmt.Errorf("case %s: %w", k.ID, err)
	}
	return nil
}

const eraseCases = `
DELETE FROM alert_case
 WHERE point_id = $1
   AND last_date >= $2
   AND first_date < $3`

// Erase deletes the cases of a point of which a finding has a day in [from, to),
// whenever they were opened, with their steps, open ones too, as when a household
// asks for what is known of it to be erased. It returns how many there were; erasing again changes nothing.
func (s *Store) Erase(ctx context.Context, point metering.PointID, from, to civil.Date) (int64, error) {
	done, err := s.db.ExecContext(ctx, eraseCases, string(point), from.String(), to.String())
	if err != nil {
		return 0, fmt.Errorf("erase the cases of point %s: %w", point, err)
	}
	return done.RowsAffected()
}
