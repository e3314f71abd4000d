package programme

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A household was active in a month where a member's session was used in it. Only
// that is kept: no page, no day, no person.
const countSessions = `
INSERT INTO active_month (month, residence_id, household_id)
SELECT DISTINCT CAST($1 AS TEXT), dwelling.residence_id, membership.household_id
  FROM session
  JOIN membership ON membership.person_id = session.person_id
                 AND membership.from_date <= $2
                 AND (membership.to_date IS NULL OR membership.to_date > $2)
  JOIN tenancy ON tenancy.household_id = membership.household_id
              AND tenancy.moved_in <= $2
              AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE session.seen_ms >= $3
   AND session.seen_ms <= $4
    ON CONFLICT DO NOTHING`

// CountActive writes down which households used their pages this month, in UTC. It
// may be called as often as one likes; once an hour misses nobody, because sessions
// are kept for longer.
func (s *Store) CountActive(ctx context.Context, now time.Time) error {
	today := civil.DateIn(now, time.UTC)
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, countSessions, today.MonthOf().String(), today.String(),
			sqldb.Ms(today.MonthOf().First().Start(time.UTC)), sqldb.Ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("count active households: %w", err)
	}
	return nil
}

// countEvery is how often active households are counted.
const countEvery = time.Hour

// RunActive counts active households each hour until the context ends.
func (s *Store) RunActive(ctx context.Context, now func() time.Time, log *slog.Logger) {
	ticker := time.NewTicker(countEvery)
	defer ticker.Stop()
	for {
		if err := s.CountActive(ctx, now()); err != nil && ctx.Err() == nil {
			log.Warn("active households not counted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
