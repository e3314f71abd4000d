package alerts_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// What was read before an erasure is not written after it, of that household and for
// that reading only.
func TestErasedWhileReading(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, erased := estate(t, db), on(27).Add(8*time.Hour)
		sqldbtest.Exec(t, db, `INSERT INTO erasure (id, household_id, tenancy_id, what, why, asked_ms, asked_by, due_ms, done_ms, attempts, fault)
			SELECT 'E-' || id, household_id, id, 'all', 'request', $1, '', $1, $1, 1, '' FROM tenancy WHERE household_id = 'H-amina'`, erased.UnixMilli())
		reading := func(since time.Time) *alerts.Store {
			return s.Heeding(consent.Lookout{Since: since, Now: func() time.Time { return since.Add(2 * time.Hour) }})
		}
		before, after, at := reading(erased.Add(-time.Hour)), reading(erased.Add(time.Hour)), on(28)
		if take(t, before, "H-amina", alarm("P-2", 3, 27), at) || len(open(t, s)) != 0 {
			t.Error("a case of what was erased")
		}
		if !take(t, before, "H-martin", alarm("P-1", 3, 27), on(27)) {
			t.Error("no case of a neighbour")
		}
		sqldbtest.Exec(t, db, `UPDATE erasure SET done_ms = NULL`)
		if take(t, after, "H-amina", alarm("P-2", 3, 27), at) {
			t.Error("a case while an erasure is under way")
		}
		sqldbtest.Exec(t, db, `UPDATE erasure SET done_ms = due_ms`)
		if !take(t, after, "H-amina", alarm("P-2", 3, 27), at) {
			t.Error("no case of what was read after the erasure")
		}
	})
}
