package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
)

// installer is who checked the meters, of [staff].
const installer = "S-installer"

// When the installer came, after the meter was hung up.
const (
	dialAfterMs   = 3_600_000
	tapAfterMs    = dialAfterMs + 300_000
	secondAfterMs = dialAfterMs + 7*24*3_600_000
)

const passCheck = `
INSERT INTO meter_check (meter_id, point_id, bound_ms, state, dial_ms, tap_ms)
SELECT meter_id, point_id, from_ms, 'verified', from_ms + $3, from_ms + $4
  FROM binding
 WHERE meter_id = $1
   AND point_id = $2
    ON CONFLICT (meter_id, point_id, bound_ms) DO NOTHING`

const passStep = `
INSERT INTO meter_check_step (id, meter_id, point_id, bound_ms, at_ms, person_id, step, outcome)
SELECT $3, meter_id, point_id, from_ms, from_ms + $4, $5, $6, $7
  FROM binding
 WHERE meter_id = $1
   AND point_id = $2`

// steps are those of a check that passes: the dial, the tap, and the dial again
// after a week.
var steps = []struct {
	afterMs       int64
	what, outcome string
}{{dialAfterMs, "dial", "agrees"}, {tapAfterMs, "tap", "moved"}, {secondAfterMs, "dial", "agrees"}}

// checkMeters writes that the installer checked the meters when they were hung up,
// 13 months before this demo was started: history has no hands to open a tap. It
// leaves out the flats whose meters the landlord's list has crossed, whose check
// can only fail, and changes no check that there is.
func (d *demo) checkMeters(ctx context.Context) (err error) {
	db, err := sqldb.Open(ctx, d.path("api.sqlite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		for _, m := range d.residence.Meters() {
			if !slices.Contains(charges.Priced, m.Kind) || d.crossed(m.Bound) {
				continue
			}
			if err := passed(ctx, tx, string(m.ID), pointID(m.Bound, m.Kind)); err != nil {
				return fmt.Errorf("check of meter %s: %w", m.ID, err)
			}
		}
		return nil
	})
}

func (d *demo) crossed(id household.DwellingID) bool {
	return slices.ContainsFunc(d.residence.Dwellings, func(flat *household.Dwelling) bool {
		return flat.ID == id && flat.Has(household.Swapped)
	})
}

func passed(ctx context.Context, tx *sql.Tx, meter, point string) error {
	done, err := tx.ExecContext(ctx, passCheck, meter, point, dialAfterMs, tapAfterMs)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err // it was checked before
	}
	for _, s := range steps {
		id := uuid.Must(uuid.NewV7()).String()
		if _, err := tx.ExecContext(ctx, passStep, meter, point, id, s.afterMs, installer, s.what, s.outcome); err != nil {
			return err
		}
	}
	return nil
}
