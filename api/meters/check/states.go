package check

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const statesOf = `
SELECT binding.meter_id,
       CASE WHEN meter_check.state = 'verified' AND meter_check.due_ms <= $2 THEN 'second_reading_due'
            ELSE COALESCE(meter_check.state, 'unverified') END
  FROM binding
  JOIN point ON point.id = binding.point_id
  LEFT JOIN meter_check ON meter_check.meter_id = binding.meter_id
                       AND meter_check.point_id = binding.point_id
                       AND meter_check.bound_ms = binding.from_ms
 WHERE point.dwelling_id = $1
   AND binding.to_ms IS NULL`

// States returns the state at now of each meter that hangs in a dwelling. The
// caller has found the dwelling among somebody's stays. No figure of a meter
// whose state has not passed may be shown in euros.
func (s *Store) States(ctx context.Context, dwelling premises.DwellingID, now time.Time) (map[metering.MeterID]State, error) {
	rows, err := s.db.QueryContext(ctx, statesOf, string(dwelling), sqldb.Ms(now))
	if err != nil {
		return nil, fmt.Errorf("checks of dwelling %s: %w", dwelling, err)
	}
	type row struct {
		meter metering.MeterID
		state State
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.meter, (*string)(&r.state))
	})
	if err != nil {
		return nil, fmt.Errorf("checks of dwelling %s: %w", dwelling, err)
	}
	states := make(map[metering.MeterID]State, len(all))
	for _, r := range all {
		states[r.meter] = r.state
	}
	return states, nil
}
