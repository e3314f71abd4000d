package consent

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What each meter may be read at, by where it hangs now or hung last: what the
// legal basis of its kind and the consents of the household that lives there on
// the day $2 allow, and not finer than the meter's own ceiling. A building's
// main meter is nobody's, and bound by its ceiling only. $1 is the zone, $3 the
// instant.
const wantedOf = `
SELECT allowed.id, allowed.resolution, wanted.resolution
  FROM (SELECT meter.id, meter.resolution, ceiling.step AS most,
               CASE WHEN point.dwelling_id IS NULL THEN 0
                    WHEN EXISTS (` + holds + `'fine_curve') THEN fine.step
                    WHEN EXISTS (` + holds + `'daily_follow_up') THEN daily.step
                    ELSE plain.step END AS legal
          FROM residence
          JOIN gateway ON gateway.residence_id = residence.id
          JOIN meter ON meter.gateway_id = gateway.id
          JOIN binding ON binding.meter_id = meter.id
          JOIN point ON point.id = binding.point_id
          JOIN legal_basis ON legal_basis.kind = meter.kind
          JOIN resolution_rank AS ceiling ON ceiling.resolution = meter.resolution_most
          JOIN resolution_rank AS plain ON plain.resolution = legal_basis.without_any
          JOIN resolution_rank AS daily ON daily.resolution = legal_basis.with_daily
          JOIN resolution_rank AS fine ON fine.resolution = legal_basis.with_fine
         WHERE residence.zone = $1
           AND binding.from_ms <= $3
           AND NOT EXISTS (SELECT 1
                             FROM binding AS later
                            WHERE later.meter_id = meter.id
                              AND later.from_ms > binding.from_ms
                              AND later.from_ms <= $3)`

const wantedThen = `) AS allowed
  JOIN resolution_rank AS wanted ON wanted.step = CASE WHEN allowed.most > allowed.legal THEN allowed.most
                                                       ELSE allowed.legal END
 WHERE wanted.resolution <> allowed.resolution`

const (
	wantedOfAll = wantedOf + wantedThen
	// Of the meters of one tenancy's dwelling, $4.
	wantedOfHome = wantedOf + `
           AND point.dwelling_id = (SELECT dwelling_id
                                      FROM tenancy
                                     WHERE id = $4)` + wantedThen
)

// holds finds a consent of who lives at the point today; the purpose follows it.
const holds = `SELECT 1
                          FROM tenancy
                          JOIN consent ON consent.tenancy_id = tenancy.id
                         WHERE tenancy.dwelling_id = point.dwelling_id
                           AND tenancy.moved_in <= $2
                           AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
                           AND consent.household_id = tenancy.household_id
                           AND consent.ended_ms IS NULL
                           AND consent.from_ms <= $3
                           AND consent.to_ms > $3
                           AND consent.purpose = `

const setResolution = `
UPDATE meter
   SET resolution = $2
 WHERE id = $1
   AND resolution = $3`

// A change is a meter whose resolution is not what it should be.
type change struct {
	meter       metering.MeterID
	from, wants metering.Resolution
}

// Settle makes the resolution of every meter what its legal basis, the consents
// of the household that lives there at now and its own ceiling say, and returns
// how many changed. It only reads where nothing changed. It is run before each
// publication of the registry.
func (s *Store) Settle(ctx context.Context, now time.Time) (int, error) {
	return settle(ctx, s.db, now, wantedOfAll)
}

// SettleIn is [Store.Settle] within a transaction, for what changes who lives
// where or which meter hangs there.
func SettleIn(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := settle(ctx, tx, now, wantedOfAll)
	return err
}

// settleHome settles the meters of one tenancy's dwelling only, so that a
// decision takes as long in a large residence as in a small one.
func settleHome(ctx context.Context, tx *sql.Tx, tenancy string, now time.Time) error {
	_, err := settle(ctx, tx, now, wantedOfHome, tenancy)
	return err
}

func settle(ctx context.Context, q sqldb.Querier, now time.Time, query string, more ...any) (int, error) {
	zones, err := zonesOf(ctx, q)
	if err != nil {
		return 0, fmt.Errorf("settle resolutions: %w", err)
	}
	settled := 0
	for _, zone := range zones {
		args := append([]any{zone.String(), civil.DateIn(now, zone).String(), sqldb.Ms(now)}, more...)
		changes, err := collect(ctx, q, scanChange, query, args...)
		if err != nil {
			return settled, fmt.Errorf("settle resolutions: %w", err)
		}
		for _, c := range changes {
			if _, err := q.ExecContext(ctx, setResolution, string(c.meter), string(c.wants), string(c.from)); err != nil {
				return settled, fmt.Errorf("settle resolution of meter %s: %w", c.meter, err)
			}
			settled++
		}
	}
	return settled, nil
}

func scanChange(rows *sql.Rows) (c change, err error) {
	return c, rows.Scan(&c.meter, (*string)(&c.from), (*string)(&c.wants))
}
