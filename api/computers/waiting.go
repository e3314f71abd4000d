package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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
	Door      Door     // where it lives today; empty for nowhere. Told where the list is read
	Names     []string // of its members of today, in alphabetical order; told as the door is
}

const listWaits = `
SELECT machine_wait.id, machine_wait.residence_id, machine_wait.household_id, machine_wait.kind, machine_wait.asked_on,
       COALESCE(dwelling.building, ''), COALESCE(dwelling.staircase, ''), COALESCE(dwelling.label, ''), COALESCE(person.name, '')
  FROM machine_wait
  JOIN residence ON residence.id = machine_wait.residence_id
  LEFT JOIN tenancy ON tenancy.household_id = machine_wait.household_id
                   AND tenancy.moved_in <= $3
                   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)
  LEFT JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  LEFT JOIN membership ON membership.household_id = machine_wait.household_id
                      AND membership.from_date <= $3
                      AND (membership.to_date IS NULL OR membership.to_date > $3)
  LEFT JOIN person ON person.id = membership.person_id
 WHERE` + clipHead + sellerRoles + clipResidence + `
   AND ($2 = '' OR machine_wait.residence_id = $2)
   AND machine_wait.ended_ms IS NULL
 ORDER BY machine_wait.asked_on, machine_wait.id, dwelling.id, person.name`

// Waiting lists the households that wait, who asked first first, for who sells in
// their residence.
func (s *Store) Waiting(ctx context.Context, who accounts.PersonID, residence metering.SiteID, now time.Time) ([]Wait, error) {
	rows, err := several(ctx, s.db, scanWait, listWaits, string(who), string(residence), civil.DateIn(now, time.UTC).String())
	if err != nil {
		return nil, fmt.Errorf("waiting list: %w", err)
	}
	var all []Wait
	for _, w := range rows { // one for each member
		if len(all) == 0 || all[len(all)-1].ID != w.ID {
			all = append(all, w)
			continue
		}
		last := &all[len(all)-1]
		for _, name := range w.Names {
			if !slices.Contains(last.Names, name) {
				last.Names = append(last.Names, name)
			}
		}
	}
	return all, nil
}

func scanWait(rows *sql.Rows) (w Wait, err error) {
	var asked, name string
	err = rows.Scan(&w.ID, &w.Residence, &w.Household, &w.Kind, &asked, &w.Door.Building, &w.Door.Staircase, &w.Door.Label, &name)
	if err != nil {
		return w, err
	}
	if name != "" {
		w.Names = []string{name}
	}
	return w, dates(dated{asked, &w.Asked})
}

const putWait = `
INSERT INTO machine_wait (id, residence_id, household_id, kind, asked_on)
VALUES ($1, $2, $3, $4, $5)`

// Enlist puts a household of the programme at the end of the list, and returns the
// entry. It fails with [ErrNone], "household.none", [ErrProgramme], [ErrWaits] or
// a fault of "asked_on".
func (s *Store) Enlist(ctx context.Context, who accounts.PersonID, w Wait, now time.Time) (Wait, error) {
	if err := s.look(ctx, who, w.Household, ListedHousehold, now); err != nil {
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
