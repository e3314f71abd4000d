package nightly

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// leaseFor is how long a run is somebody's without a sign of life.
	leaseFor = 10 * time.Minute
	// journalKept is how many days the journal of a run is kept.
	journalKept = 60
)

// A journal writes down how far a run has come.
type journal struct {
	db        *sql.DB
	now       func() time.Time
	residence metering.SiteID
	date      civil.Date
	holder    string
	again     bool
}

const beginRun = `
INSERT INTO nightly_run (residence_id, on_date, begun_ms, lease_ms, holder)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (residence_id, on_date) DO UPDATE
   SET lease_ms = excluded.lease_ms,
       holder = excluded.holder
 WHERE nightly_run.lease_ms < excluded.begun_ms`

const forgetRuns = `
DELETE FROM nightly_run
 WHERE residence_id = $1
   AND on_date < $2`

// begin takes the run, or takes it over from who gives no sign of life.
func (r *Runner) begin(ctx context.Context, residence metering.SiteID, date civil.Date, again bool) (*journal, error) {
	j := &journal{db: r.DB, now: r.Now, residence: residence, date: date, holder: uuid.Must(uuid.NewV7()).String(), again: again}
	now := r.Now()
	done, err := r.DB.ExecContext(ctx, beginRun, string(residence), date.String(), sqldb.Ms(now), sqldb.Ms(now.Add(leaseFor)), j.holder)
	if err != nil {
		return nil, err
	}
	if n, err := done.RowsAffected(); err != nil {
		return nil, err
	} else if n == 0 {
		return nil, ErrHeld
	}
	if _, err := r.DB.ExecContext(ctx, forgetRuns, string(residence), date.AddDays(-journalKept).String()); err != nil {
		return nil, err
	}
	return j, nil
}

const prolongRun = `
UPDATE nightly_run
   SET lease_ms = $4
 WHERE residence_id = $1
   AND on_date = $2
   AND holder = $3`

// release lets the next one go on at once.
func (j *journal) release(ctx context.Context) error {
	return j.own(context.WithoutCancel(ctx), j.db, prolongRun, j.now().Add(-time.Millisecond))
}

const endRun = `
UPDATE nightly_run
   SET ended_ms = $4,
       lease_ms = $5
 WHERE residence_id = $1
   AND on_date = $2
   AND holder = $3`

// end also ends the lease, so that a run again need not wait.
func (j *journal) end(ctx context.Context) error {
	return j.own(ctx, j.db, endRun, j.now(), sqldb.Ms(j.now().Add(-time.Millisecond)))
}

// own changes the run's row; it fails with [ErrHeld] where another took the run over.
func (j *journal) own(ctx context.Context, q sqldb.Querier, statement string, at time.Time, more ...any) error {
	args := append([]any{string(j.residence), j.date.String(), j.holder, sqldb.Ms(at)}, more...)
	done, err := q.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return ErrHeld
	}
	return nil
}

const laterRuns = `
SELECT COUNT(*)
  FROM nightly_run
 WHERE residence_id = $1
   AND on_date > $2`

// overtaken reports whether a later day was run already, or is being run.
func (j *journal) overtaken(ctx context.Context) (bool, error) {
	var later int
	err := j.db.QueryRowContext(ctx, laterRuns, string(j.residence), j.date.String()).Scan(&later)
	return later > 0, err
}

const doneHomes = `
SELECT dwelling_id, counts
  FROM nightly_home
 WHERE residence_id = $1
   AND on_date = $2
   AND dwelling_id >= $3
   AND dwelling_id <= $4`

// left are the homes that are not done or failed, of some in order of their ids.
func (j *journal) left(ctx context.Context, all []*home) ([]*home, error) {
	if j.again {
		return all, nil
	}
	rows, err := j.db.QueryContext(ctx, doneHomes, string(j.residence), j.date.String(), string(all[0].dwelling.ID), string(all[len(all)-1].dwelling.ID))
	if err != nil {
		return nil, err
	}
	done := map[premises.DwellingID]bool{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var id premises.DwellingID
		var counts string
		err := rows.Scan(&id, &counts)
		var c Counts
		done[id] = json.Unmarshal([]byte(counts), &c) == nil && c.Failed == 0
		return struct{}{}, err
	})
	if err != nil {
		return nil, err
	}
	var todo []*home
	for _, h := range all {
		if !done[h.dwelling.ID] {
			todo = append(todo, h)
		}
	}
	return todo, nil
}

const noteHome = `
INSERT INTO nightly_home (residence_id, on_date, dwelling_id, done_ms, counts)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (residence_id, on_date, dwelling_id) DO UPDATE
   SET done_ms = excluded.done_ms,
       counts = excluded.counts`

// note writes down homes that are done or failed, with a sign of life: all of them, or none
// where another took the run over, see [ErrHeld].
func (j *journal) note(ctx context.Context, all []*home) error {
	return sqldb.InTx(ctx, j.db, func(tx *sql.Tx) error {
		for _, h := range all {
			text, err := json.Marshal(h.counts)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, noteHome, string(j.residence), j.date.String(), string(h.dwelling.ID), sqldb.Ms(j.now()), string(text)); err != nil {
				return fmt.Errorf("journal of home %s: %w", h.dwelling.ID, err)
			}
		}
		return j.own(ctx, tx, prolongRun, j.now().Add(leaseFor))
	})
}

const endedRun = `
SELECT COUNT(*)
  FROM nightly_run
 WHERE residence_id = $1
   AND on_date = $2
   AND ended_ms IS NOT NULL`

// Ended reports whether the run of a residence's day is done.
func (r *Runner) Ended(ctx context.Context, residence metering.SiteID, date civil.Date) (bool, error) {
	var ended int
	if err := r.DB.QueryRowContext(ctx, endedRun, string(residence), date.String()).Scan(&ended); err != nil {
		return false, fmt.Errorf("nights of %s in %s: %w", date, residence, err)
	}
	return ended > 0, nil
}
