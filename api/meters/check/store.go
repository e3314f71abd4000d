package check

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Store keeps checks and holds them against readings. It may be used from
// several goroutines.
type Store struct {
	db     *sql.DB
	meters *meters.Store
	influx *influx.Client
}

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB, m *meters.Store, client *influx.Client) *Store {
	return &Store{db: db, meters: m, influx: client}
}

// A Sheet is the check of the meter that hangs at a point now.
type Sheet struct {
	meters.Equipment // its Place is never nil
	Progress
	// Last is the last index that was read of the meter since it hangs there, nil
	// where there is none. No earlier one is ever shown.
	Last *metering.Reading
	// Waiting says since when a dial, and Running since when a tap, waits for
	// readings; zero where none does.
	Waiting, Running time.Time
	// Latest is the last step that came to something, nil where none did.
	Latest *Step

	key     key
	open    meters.Dial
	openBy  accounts.PersonID
	version int64 // 0 where the check has not begun
}

// A Step is one that came to something. The indexes that it was held against are
// kept, and not shown again.
type Step struct {
	At      time.Time
	Outcome Outcome
	Others  []metering.MeterID // which moved instead; [OtherMoved] only
}

// A key is a binding.
type key struct {
	meter   metering.MeterID
	point   metering.PointID
	boundMs int64
}

const findCheck = `
SELECT state, COALESCE(dial_ms, 0), COALESCE(tap_ms, 0), COALESCE(due_ms, 0),
       COALESCE(open_dial_ms, 0), COALESCE(open_index, 0), COALESCE(open_digit, 0), COALESCE(open_by, ''),
       COALESCE(open_tap_ms, 0), version
  FROM meter_check
 WHERE meter_id = $1
   AND point_id = $2
   AND bound_ms = $3`

const lastStep = `
SELECT at_ms, outcome, others
  FROM meter_check_step
 WHERE meter_id = $1
   AND point_id = $2
   AND bound_ms = $3
 ORDER BY at_ms DESC, id DESC
 LIMIT 1`

// sheet reads the check of a meter that hangs.
func (s *Store) sheet(ctx context.Context, e meters.Equipment) (Sheet, error) {
	if e.Place == nil {
		return Sheet{}, meters.ErrNotBound
	}
	sh := Sheet{Equipment: e, key: key{e.ID, e.Place.Point, sqldb.Ms(e.Place.Since)}}
	k := sh.key
	var dialMs, tapMs, dueMs, waitingMs, runningMs int64
	err := s.db.QueryRowContext(ctx, findCheck, string(k.meter), string(k.point), k.boundMs).Scan((*string)(&sh.State), &dialMs, &tapMs, &dueMs,
		&waitingMs, &sh.open.Index, &sh.open.Digit, (*string)(&sh.openBy), &runningMs, &sh.version)
	if errors.Is(err, sql.ErrNoRows) {
		sh.State = Unverified
		return sh, nil
	}
	if err != nil {
		return Sheet{}, fmt.Errorf("check of meter %s: %w", k.meter, err)
	}
	sh.Dial, sh.Tap, sh.Due, sh.Waiting, sh.Running = instant(dialMs), instant(tapMs), instant(dueMs), instant(waitingMs), instant(runningMs)
	var atMs int64
	var others string
	var step Step
	err = s.db.QueryRowContext(ctx, lastStep, string(k.meter), string(k.point), k.boundMs).Scan(&atMs, (*string)(&step.Outcome), &others)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return sh, nil
	case err != nil:
		return Sheet{}, fmt.Errorf("check of meter %s: %w", k.meter, err)
	}
	step.At = instant(atMs)
	for id := range strings.FieldsSeq(others) {
		step.Others = append(step.Others, metering.MeterID(id))
	}
	sh.Latest = &step
	return sh, nil
}

// instant is zero for 0.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return sqldb.Time(ms)
}

// ms is null for the zero time.
func ms(at time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: at.UnixMilli(), Valid: !at.IsZero()}
}

const beginCheck = `
INSERT INTO meter_check (meter_id, point_id, bound_ms, state)
VALUES ($1, $2, $3, 'unverified')
    ON CONFLICT (meter_id, point_id, bound_ms) DO NOTHING`

const putCheck = `
UPDATE meter_check
   SET state = $5,
       dial_ms = $6,
       tap_ms = $7,
       due_ms = $8,
       open_dial_ms = $9,
       open_index = $10,
       open_digit = $11,
       open_by = $12,
       open_tap_ms = $13,
       version = version + 1
 WHERE meter_id = $1
   AND point_id = $2
   AND bound_ms = $3
   AND version = $4`

const putStep = `
INSERT INTO meter_check_step (id, meter_id, point_id, bound_ms, at_ms, person_id, step, outcome, dial_index, read_index, others)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

// A record is a step with its evidence.
type record struct {
	Step
	by         accounts.PersonID
	what       string // dial or tap
	dial, read sql.NullInt64
}

// put stores the sheet, and the step that changed it if there was one, unless
// somebody changed it meanwhile: then it fails with [resource.ErrStale].
func (s *Store) put(ctx context.Context, sh Sheet, steps ...record) error {
	k := sh.key
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if sh.version == 0 {
			if _, err := tx.ExecContext(ctx, beginCheck, string(k.meter), string(k.point), k.boundMs); err != nil {
				return err
			}
			sh.version = 1
		}
		waits := !sh.Waiting.IsZero()
		done, err := tx.ExecContext(ctx, putCheck, string(k.meter), string(k.point), k.boundMs, sh.version, string(sh.State),
			ms(sh.Dial), ms(sh.Tap), ms(sh.Due), ms(sh.Waiting), sql.NullInt64{Int64: int64(sh.open.Index), Valid: waits},
			sql.NullInt64{Int64: int64(sh.open.Digit), Valid: waits},
			sql.NullString{String: string(sh.openBy), Valid: waits || !sh.Running.IsZero()}, ms(sh.Running))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(resource.ErrStale, err)
		}
		for _, r := range steps {
			others := make([]string, len(r.Others))
			for i, id := range r.Others {
				others[i] = string(id)
			}
			_, err := tx.ExecContext(ctx, putStep, uuid.Must(uuid.NewV7()).String(), string(k.meter), string(k.point), k.boundMs,
				sqldb.Ms(r.At), string(r.by), r.what, string(r.Outcome), r.dial, r.read, strings.Join(others, " "))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("check of meter %s: %w", k.meter, err)
	}
	return nil
}

const openChecks = `
SELECT meter_check.meter_id
  FROM meter_check
  JOIN binding ON binding.meter_id = meter_check.meter_id
              AND binding.point_id = meter_check.point_id
              AND binding.from_ms = meter_check.bound_ms
              AND binding.to_ms IS NULL
 WHERE meter_check.open_dial_ms IS NOT NULL
    OR meter_check.open_tap_ms IS NOT NULL
 ORDER BY meter_check.meter_id`

func (s *Store) openMeters(ctx context.Context) ([]metering.MeterID, error) {
	rows, err := s.db.QueryContext(ctx, openChecks)
	if err != nil {
		return nil, fmt.Errorf("open checks: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (id metering.MeterID, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("open checks: %w", err)
	}
	return all, nil
}

// One entry is enough for the minutes in which somebody looks again and again.
const noteLook = `
INSERT INTO access_log (id, at_ms, person_id, role, household_id, what, reason)
SELECT $2, $3, $1,
       COALESCE((SELECT MAX(staff_role.role)
                   FROM staff_role
                  WHERE staff_role.person_id = $1
                    AND staff_role.role IN ('installer', 'administrator')), 'installer'),
       tenancy.household_id, $7, ''
  FROM tenancy
 WHERE tenancy.dwelling_id = $4
   AND tenancy.moved_in <= $5
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $5)
   AND NOT EXISTS (SELECT 1
                     FROM access_log
                    WHERE access_log.household_id = tenancy.household_id
                      AND access_log.person_id = $1
                      AND access_log.what = $7
                      AND access_log.at_ms > $6)`

// lookAgain is how long one entry speaks for further looks.
const lookAgain = 15 * time.Minute

// noteLook writes down, for the household that lives there, that its meter was
// looked at.
func (s *Store) noteLook(ctx context.Context, who accounts.PersonID, e meters.Equipment, now time.Time) error {
	if e.Place == nil || e.Place.Dwelling == "" {
		return nil
	}
	_, err := s.db.ExecContext(ctx, noteLook, string(who), uuid.Must(uuid.NewV7()).String(), sqldb.Ms(now), string(e.Place.Dwelling),
		civil.DateIn(now, e.Zone).String(), sqldb.Ms(now.Add(-lookAgain)), meters.LookedAtMeter)
	if err != nil {
		return fmt.Errorf("note the look at meter %s: %w", e.ID, err)
	}
	return nil
}
