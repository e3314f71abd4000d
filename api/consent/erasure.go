package consent

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A What is what is erased of a tenancy.
type What string

// The extents.
const (
	Fine  What = "fine"  // single readings and hours
	Daily What = "daily" // days too, where consent was their basis
	All   What = "all"   // all but what the charges need
)

// A Why is what an erasure came from.
type Why string

// The reasons.
const (
	ByWithdrawal Why = "withdrawn" // of a consent
	ByRequest    Why = "request"
	ByMove       Why = "move" // the household left the dwelling
	ByRetention  Why = "retention"
)

// An Erasure is what is to be erased of one tenancy, and when it was.
type Erasure struct {
	ID        string
	Household premises.HouseholdID
	Tenancy   string
	What      What
	Why       Why
	Asked     time.Time         // UTC
	AskedBy   accounts.PersonID // empty where nobody did
	Due       time.Time         // not before
	Done      time.Time         // zero while it waits
	Attempts  int
	Parts     []Part
}

// A Part is one meter of an erasure: of what it showed in [From, To) only what
// is as coarse as Keep stays.
type Part struct {
	Meter    metering.MeterID    `json:"meter"`
	From     time.Time           `json:"from"`
	To       time.Time           `json:"to"`
	Keep     metering.Resolution `json:"keep"`
	ZoneName string              `json:"zone"` // of the civil days that Keep speaks of
}

// settling is how long after a withdrawal readings may still come in under the
// old resolution: the registry is published each few seconds, and what was under
// way arrives. They are erased with the rest.
const settling = 20 * time.Second

// A hanging is a meter during a tenancy.
type hanging struct {
	meter    metering.MeterID
	kind     metering.Kind
	from, to time.Time
	zone     string
}

func (h hanging) part(keep metering.Resolution) Part {
	return Part{Meter: h.meter, From: h.from, To: h.to, Keep: keep, ZoneName: h.zone}
}

const hungMeters = `
SELECT binding.meter_id, meter.kind, binding.from_ms, COALESCE(binding.to_ms, 0),
       tenancy.moved_in, COALESCE(tenancy.moved_out, ''), residence.zone
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
  JOIN point ON point.dwelling_id = dwelling.id
  JOIN binding ON binding.point_id = point.id
  JOIN meter ON meter.id = binding.meter_id
 WHERE tenancy.id = $1
 ORDER BY binding.meter_id, binding.from_ms`

// hungDuring lists the meters that hung in the tenancy's dwelling while it
// lasted, until an instant.
func hungDuring(ctx context.Context, q sqldb.Querier, tenancy string, until time.Time) ([]hanging, error) {
	rows, err := q.QueryContext(ctx, hungMeters, tenancy)
	if err != nil {
		return nil, err
	}
	all, err := sqldb.Collect(rows, scanHanging)
	if err != nil {
		return nil, err
	}
	var during []hanging
	for _, h := range all {
		if until.Before(h.to) {
			h.to = until
		}
		if h.from.Before(h.to) {
			during = append(during, h)
		}
	}
	return during, nil
}

// farAway is after every reading.
var farAway = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func scanHanging(rows *sql.Rows) (hanging, error) {
	var h hanging
	var fromMs, toMs int64
	var movedIn, movedOut string
	if err := rows.Scan(&h.meter, (*string)(&h.kind), &fromMs, &toMs, &movedIn, &movedOut, &h.zone); err != nil {
		return hanging{}, err
	}
	start, end, err := bounds(movedIn, movedOut, h.zone)
	if err != nil {
		return hanging{}, err
	}
	h.from, h.to = later(sqldb.Time(fromMs), start), end
	if toMs > 0 {
		h.to = earlier(h.to, sqldb.Time(toMs))
	}
	return h, nil
}

// bounds returns the instants of a tenancy; one that lasts ends far away.
func bounds(movedIn, movedOut, zoneName string) (start, end time.Time, err error) {
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return start, end, fmt.Errorf("zone %q: %w", zoneName, err)
	}
	in, err := civil.ParseDate(movedIn)
	if err != nil {
		return start, end, err
	}
	if movedOut == "" {
		return in.Start(zone).UTC(), farAway, nil
	}
	out, err := civil.ParseDate(movedOut)
	return in.Start(zone).UTC(), out.Start(zone).UTC(), err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

const insertErasure = `
INSERT INTO erasure (id, household_id, tenancy_id, what, why, asked_ms, asked_by, due_ms, attempts, fault)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '')
    ON CONFLICT (id) DO NOTHING`

const insertPart = `
INSERT INTO erasure_part (erasure_id, meter_id, from_ms, to_ms, keep, zone)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (erasure_id, meter_id, from_ms) DO NOTHING`

// What a meter showed before must not come back from a spool, but what it will
// show may come in.
const refuseUntil = `
UPDATE meter
   SET erased_until_ms = $2
 WHERE id = $1
   AND erased_until_ms < $2`

// order writes the erasure down, in the ledger first: should the transaction then
// fail, the ledger asks for what the household asked for.
func (s *Store) order(ctx context.Context, tx *sql.Tx, e Erasure, ended Ended) error {
	if err := s.ledger.append(entry{Erasure: e.ID, Household: e.Household, Tenancy: e.Tenancy, What: e.What, Why: e.Why,
		At: e.Asked, By: e.AskedBy, Due: e.Due, Parts: e.Parts, Ended: ended}); err != nil {
		return err
	}
	if len(e.Parts) == 0 && e.What != All {
		return nil
	}
	return e.insert(ctx, tx)
}

func (e Erasure) insert(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, insertErasure, e.ID, string(e.Household), e.Tenancy, string(e.What), string(e.Why),
		sqldb.Ms(e.Asked), string(e.AskedBy), sqldb.Ms(e.Due))
	if err != nil {
		return fmt.Errorf("erasure of tenancy %s: %w", e.Tenancy, err)
	}
	for _, p := range e.Parts {
		if _, err := tx.ExecContext(ctx, insertPart, e.ID, string(p.Meter), sqldb.Ms(p.From), sqldb.Ms(p.To), string(p.Keep), p.ZoneName); err != nil {
			return fmt.Errorf("erasure of meter %s: %w", p.Meter, err)
		}
		if _, err := tx.ExecContext(ctx, refuseUntil, string(p.Meter), sqldb.Ms(earlier(p.To, e.Asked))); err != nil {
			return fmt.Errorf("erasure of meter %s: %w", p.Meter, err)
		}
	}
	return nil
}

const erasureColumns = `
SELECT id, household_id, tenancy_id, what, why, asked_ms, asked_by, due_ms, COALESCE(done_ms, 0), attempts
  FROM erasure`

const seenErasures = erasureColumns + `
 WHERE household_id = $1
   AND asked_ms >= $2
 ORDER BY asked_ms DESC, id DESC`

// Erasures lists what was asked to be erased for the household of the sight, the
// last first, without parts.
func (s *Store) Erasures(ctx context.Context, g premises.Sight) ([]Erasure, error) {
	rows, err := s.db.QueryContext(ctx, seenErasures, string(g.Household), sqldb.Ms(g.ShownFrom.Start(g.Zone)))
	if err != nil {
		return nil, fmt.Errorf("erasures of household %s: %w", g.Household, err)
	}
	all, err := sqldb.Collect(rows, scanErasure)
	if err != nil {
		return nil, fmt.Errorf("erasures of household %s: %w", g.Household, err)
	}
	return all, nil
}

func scanErasure(rows *sql.Rows) (Erasure, error) {
	var e Erasure
	var askedMs, dueMs, doneMs int64
	err := rows.Scan(&e.ID, &e.Household, &e.Tenancy, &e.What, &e.Why, &askedMs, &e.AskedBy, &dueMs, &doneMs, &e.Attempts)
	e.Asked, e.Due = sqldb.Time(askedMs), sqldb.Time(dueMs)
	if doneMs > 0 {
		e.Done = sqldb.Time(doneMs)
	}
	return e, err
}
