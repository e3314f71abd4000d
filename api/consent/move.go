package consent

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A departure is a tenancy that ended, as whoever ended it wrote down.
type departure struct {
	event, tenancy string
	household      premises.HouseholdID
	dwelling       premises.DwellingID
	from, at       time.Time
}

const openMoves = `
SELECT id, tenancy_id, household_id, dwelling_id, from_ms, at_ms
  FROM move_event
 WHERE handled_ms IS NULL
   AND at_ms <= $1
 ORDER BY at_ms, id
 LIMIT 100`

const handleMove = `
UPDATE move_event
   SET handled_ms = $2
 WHERE id = $1
   AND handled_ms IS NULL`

const endLeft = `
UPDATE consent
   SET ended_ms = $2,
       ended_why = 'left'
 WHERE tenancy_id = $1
   AND ended_ms IS NULL`

// OrderMoves asks for the fine data of those who left a dwelling to be erased,
// and ends their consents. What was read between a departure that was written
// down late and now, without the newcomer's consent, goes with it. It returns how
// many departures it handled.
func (s *Store) OrderMoves(ctx context.Context, now time.Time) (int, error) {
	rows, err := s.db.QueryContext(ctx, openMoves, sqldb.Ms(now))
	if err != nil {
		return 0, fmt.Errorf("departures: %w", err)
	}
	open, err := sqldb.Collect(rows, func(rows *sql.Rows) (d departure, err error) {
		var fromMs, atMs int64
		err = rows.Scan(&d.event, &d.tenancy, &d.household, &d.dwelling, &fromMs, &atMs)
		d.from, d.at = sqldb.Time(fromMs), sqldb.Time(atMs)
		return d, err
	})
	if err != nil {
		return 0, fmt.Errorf("departures: %w", err)
	}
	for i, d := range open {
		err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error { return s.orderMove(ctx, tx, d, now) })
		if err != nil {
			return i, fmt.Errorf("departure from dwelling %s: %w", d.dwelling, err)
		}
	}
	return len(open), nil
}

func (s *Store) orderMove(ctx context.Context, tx *sql.Tx, d departure, now time.Time) error {
	done, err := tx.ExecContext(ctx, handleMove, d.event, sqldb.Ms(now))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err // another server was quicker
	}
	if _, err := tx.ExecContext(ctx, endLeft, d.tenancy, sqldb.Ms(d.at)); err != nil {
		return err
	}
	e := Erasure{ID: newID(), Household: d.household, Tenancy: d.tenancy, What: Fine, Why: ByMove, Asked: now, Due: now.Add(settling)}
	hung, err := hungIn(ctx, tx, d)
	if err != nil {
		return err
	}
	until, err := firstConsentAfter(ctx, tx, d, e.Due)
	if err != nil {
		return err
	}
	for _, m := range hung {
		own, after := m, m
		own.to, after.from, after.to = earlier(m.to, d.at), later(m.from, d.at), earlier(m.to, until)
		for _, h := range []hanging{own, after} {
			if h.from.Before(h.to) {
				e.Parts = append(e.Parts, h.part(Allowed(h.kind)))
			}
		}
	}
	if err := s.order(ctx, tx, e, Ended{}); err != nil {
		return err
	}
	return settleHome(ctx, tx, d.tenancy, now)
}

const hungThere = `
SELECT binding.meter_id, meter.kind, binding.from_ms, COALESCE(binding.to_ms, 0), residence.zone
  FROM point
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
  JOIN binding ON binding.point_id = point.id
  JOIN meter ON meter.id = binding.meter_id
 WHERE point.dwelling_id = $1
 ORDER BY binding.meter_id, binding.from_ms`

// hungIn lists the meters of the dwelling from the day of moving in on, whatever
// the store says of the tenancy now.
func hungIn(ctx context.Context, tx *sql.Tx, d departure) ([]hanging, error) {
	rows, err := tx.QueryContext(ctx, hungThere, string(d.dwelling))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (hanging, error) {
		var h hanging
		var fromMs, toMs int64
		err := rows.Scan(&h.meter, (*string)(&h.kind), &fromMs, &toMs, &h.zone)
		h.from, h.to = later(sqldb.Time(fromMs), d.from), farAway
		if toMs > 0 {
			h.to = sqldb.Time(toMs)
		}
		return h, err
	})
}

const nextConsent = `
SELECT COALESCE(MIN(consent.from_ms), 0)
  FROM tenancy
  JOIN consent ON consent.tenancy_id = tenancy.id
 WHERE tenancy.dwelling_id = $1
   AND tenancy.id <> $2
   AND consent.from_ms >= $3`

// firstConsentAfter returns when somebody else there first agreed to something
// since the departure; at most until.
func firstConsentAfter(ctx context.Context, tx *sql.Tx, d departure, until time.Time) (time.Time, error) {
	var ms int64
	err := tx.QueryRowContext(ctx, nextConsent, string(d.dwelling), d.tenancy, sqldb.Ms(d.at)).Scan(&ms)
	if err != nil || ms == 0 {
		return until, err
	}
	return earlier(sqldb.Time(ms), until), nil
}

const endExpiredConsents = `
UPDATE consent
   SET ended_ms = to_ms,
       ended_why = 'expired'
 WHERE ended_ms IS NULL
   AND to_ms <= $1`

// EndExpired ends the consents whose three years are over. What was read while
// they held stays as long as the retention has it.
func (s *Store) EndExpired(ctx context.Context, now time.Time) error {
	if _, err := s.db.ExecContext(ctx, endExpiredConsents, sqldb.Ms(now)); err != nil {
		return fmt.Errorf("end expired consents: %w", err)
	}
	return nil
}
