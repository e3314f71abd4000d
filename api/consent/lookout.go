package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Lookout is kept by who reads what a household used, thinks for a while, and then
// writes what it concluded: what was erased meanwhile must not come back that way.
// The zero Lookout sees nothing.
type Lookout struct {
	Since time.Time        // when the reading began
	Now   func() time.Time // the clock by which erasures become due
}

// One that waits for its time is worked off after the writing, and takes that too.
const erasedSince = `
SELECT COUNT(*)
  FROM erasure
 WHERE household_id = $1
   AND (done_ms >= $2 OR done_ms IS NULL AND due_ms <= $3)`

// Erased reports whether anything of a household was erased since the reading began,
// or is being erased. It is asked in the transaction that writes. An empty household
// is nobody's.
func (l Lookout) Erased(ctx context.Context, q sqldb.Querier, household premises.HouseholdID) (bool, error) {
	if l.Now == nil || household == "" {
		return false, nil
	}
	var erasures int
	err := q.QueryRowContext(ctx, erasedSince, string(household), sqldb.Ms(l.Since), sqldb.Ms(l.Now())).Scan(&erasures)
	if err != nil {
		return false, fmt.Errorf("erasures of household %s: %w", household, err)
	}
	return erasures > 0, nil
}
