package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

const letterPrinted = `
UPDATE outbox
   SET state = 'sent',
       done_ms = $2
 WHERE id = $1
   AND state = 'waiting'`

// Printed notes that a letter was printed, and reports whether it waited: of two
// who print it at once one is told that it did not.
func Printed(ctx context.Context, db sqldb.Querier, letter string, at time.Time) (bool, error) {
	done, err := db.ExecContext(ctx, letterPrinted, letter, sqldb.Ms(at))
	if err != nil {
		return false, fmt.Errorf("letter %s: %w", letter, err)
	}
	n, err := done.RowsAffected()
	return n > 0, err
}
