package consent

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

const knownErasures = `
SELECT id
  FROM erasure`

const knownEndings = `
SELECT COUNT(*)
  FROM consent
 WHERE tenancy_id = $1
   AND purpose = $2
   AND ended_ms IS NULL
   AND from_ms <= $3`

// Replay makes the database say again what the ledger says was erased, where it
// does not: after a back-up was restored. People are forgotten and consents ended
// before it returns; readings become jobs of [Eraser]. It returns how many
// entries it applied; doing it again applies none. It fails where the ledger
// cannot be read, and nothing may be served then.
func (s *Store) Replay(ctx context.Context) (applied int, err error) {
	entries, err := s.ledger.entries()
	if err != nil {
		return 0, err
	}
	known, err := s.erasureIDs(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		fresh, err := s.replay(ctx, e, known[e.Erasure])
		if err != nil {
			return applied, fmt.Errorf("replay erasure %s: %w", e.Erasure, err)
		}
		if fresh {
			applied++
		}
	}
	if applied > 0 {
		_, err = s.Settle(ctx, time.Now())
	}
	return applied, err
}

func (s *Store) erasureIDs(ctx context.Context) (map[string]bool, error) {
	rows, err := s.db.QueryContext(ctx, knownErasures)
	if err != nil {
		return nil, fmt.Errorf("known erasures: %w", err)
	}
	ids, err := sqldb.Collect(rows, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("known erasures: %w", err)
	}
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	return known, nil
}

// replay applies one entry. One without readings to erase has no row of its own:
// it is fresh where a consent that it ended runs again.
func (s *Store) replay(ctx context.Context, e entry, known bool) (fresh bool, err error) {
	if known {
		return false, nil
	}
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, p := range e.Ended.Purposes {
			var open int
			if err := tx.QueryRowContext(ctx, knownEndings, e.Tenancy, string(p), sqldb.Ms(e.At)).Scan(&open); err != nil {
				return err
			}
			fresh = fresh || open > 0
		}
		fresh = fresh || len(e.Parts) > 0 || e.What == All
		if !fresh {
			return nil
		}
		return e.apply(ctx, tx)
	})
	return fresh, err
}

const endReplayed = `
UPDATE consent
   SET ended_ms = $3,
       ended_why = 'withdrawn'
 WHERE tenancy_id = $1
   AND purpose = $2
   AND ended_ms IS NULL
   AND from_ms <= $3`

func (e entry) apply(ctx context.Context, tx *sql.Tx) error {
	for _, p := range e.Ended.Purposes {
		if _, err := tx.ExecContext(ctx, endReplayed, e.Tenancy, string(p), sqldb.Ms(e.At)); err != nil {
			return err
		}
	}
	if len(e.Parts) > 0 || e.What == All {
		job := Erasure{ID: e.Erasure, Household: e.Household, Tenancy: e.Tenancy, What: e.What, Why: e.Why,
			Asked: e.At, AskedBy: e.By, Due: e.Due, Parts: e.Parts}
		if err := job.insert(ctx, tx); err != nil {
			return err
		}
	}
	if e.Ended.Forgotten {
		if err := forgetPeople(ctx, tx, e.Household, e.At); err != nil {
			return err
		}
	}
	return nil
}

const againSince = `
UPDATE erasure
   SET done_ms = NULL,
       due_ms = $2
 WHERE done_ms IS NOT NULL
   AND asked_ms >= $1`

// Again makes every erasure asked for since an instant a job once more: for when
// InfluxDB was restored from a back-up older than they are. It returns how many.
func (s *Store) Again(ctx context.Context, since, now time.Time) (int64, error) {
	done, err := s.db.ExecContext(ctx, againSince, sqldb.Ms(since), sqldb.Ms(now))
	if err != nil {
		return 0, fmt.Errorf("repeat erasures since %s: %w", since.Format(time.RFC3339), err)
	}
	return done.RowsAffected()
}
