package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Wait is a household that waits for a machine.
type Wait struct {
	ID        WaitID
	Residence metering.SiteID
	Household premises.HouseholdID
	Kind      Kind
	Asked     civil.Date
}

const listWaits = `
SELECT machine_wait.id, machine_wait.residence_id, machine_wait.household_id, machine_wait.kind, machine_wait.asked_on
  FROM machine_wait
  JOIN residence ON residence.id = machine_wait.residence_id
 WHERE` + clipHead + sellerRoles + clipResidence + `
   AND ($2 = '' OR machine_wait.residence_id = $2)
   AND machine_wait.ended_ms IS NULL
 ORDER BY machine_wait.asked_on, machine_wait.id`

// Waiting lists the households that wait, who asked first first, for who sells in
// their residence.
func (s *Store) Waiting(ctx context.Context, who accounts.PersonID, residence metering.SiteID) ([]Wait, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (w Wait, err error) {
		var asked string
		if err = rows.Scan(&w.ID, &w.Residence, &w.Household, &w.Kind, &asked); err != nil {
			return w, err
		}
		return w, dates(dated{asked, &w.Asked})
	}, listWaits, string(who), string(residence))
	if err != nil {
		return nil, fmt.Errorf("waiting list: %w", err)
	}
	return all, nil
}

const putWait = `
INSERT INTO machine_wait (id, residence_id, household_id, kind, asked_on)
VALUES ($1, $2, $3, $4, $5)`

// Enlist puts a household of the programme at the end of the list, and returns the
// entry. It fails with [ErrNone], "household.none", [ErrProgramme], [ErrWaits] or
// a fault of "asked_on".
func (s *Store) Enlist(ctx context.Context, who accounts.PersonID, w Wait, now time.Time) (Wait, error) {
	if err := s.look(ctx, who, w.Household, now); err != nil {
		return Wait{}, err
	}
	w.ID = WaitID(newID())
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		r, err := reached(ctx, tx, reachSellers, who, string(w.Residence), now)
		if err != nil {
			return err
		}
		if w.Asked.IsZero() {
			w.Asked = r.today
		}
		if r.today.Before(w.Asked) {
			return fault("asked_on", "computers.future")
		}
		if _, err := programmeOn(ctx, tx, w.Residence, w.Household, r.today); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, putWait, string(w.ID), string(w.Residence), string(w.Household), string(w.Kind), w.Asked.String())
		return err
	})
	return w, done(err, "put on the waiting list household", string(w.Household))
}

const withdrawWait = `
UPDATE machine_wait
   SET ended_ms = $3,
       ended_why = 'withdrawn'
 WHERE id = $2
   AND ended_ms IS NULL
   AND EXISTS (SELECT 1
                 FROM residence
                WHERE residence.id = machine_wait.residence_id
                  AND` + clipHead + sellerRoles + clipResidence + `)`

// Withdraw takes a household off the list, or fails with [ErrNone].
func (s *Store) Withdraw(ctx context.Context, who accounts.PersonID, id WaitID, now time.Time) error {
	changed, err := s.db.ExecContext(ctx, withdrawWait, string(who), string(id), sqldb.Ms(now))
	if err == nil {
		var n int64
		if n, err = changed.RowsAffected(); n == 0 {
			err = errors.Join(err, orNone(err))
		}
	}
	return done(err, "take off the waiting list", string(id))
}
