package programme_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// What closed the line of a leak, and who confirmed it at the desk, is told by its
// days: the last word and the last visit, to who may read it; not what was no word,
// and not the word of the household, of the nights, or of somebody from elsewhere.
func TestVisited(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := settle(t, db, 2)
		for i, c := range []struct{ residence, matter, leak, outcome, on string }{
			{"R", "leak", "L-1", "called", "2026-03-02"}, {"R", "leak", "L-1", "visited", "2026-03-09"}, {"R", "leak", "L-1", "written", "2026-03-10"},
			{"R", "leak", "L-1", "not_reached", "2026-03-16"}, {"R", "leak", "L-2", "called", "2026-03-03"},
			{"R", "leak", "L-3", "not_reached", "2026-03-03"}, {"R", "cold", "L-4", "visited", "2026-03-03"}, {"S", "leak", "L-5", "visited", "2026-03-03"},
		} {
			sqldbtest.Exec(t, db, `INSERT INTO queue_closing (action_id, residence_id, matter, subject_id, household_id, outcome, closed_ms, closed_on, closed_by, again_date)
				VALUES ($1, $2, $3, $4, NULL, $5, $6, $7, 'adv', NULL)`, string(rune('a'+i)), c.residence, c.matter, c.leak, c.outcome, now.UnixMilli(), c.on)
		}
		sqldbtest.Exec(t, db, `INSERT INTO point (id, dwelling_id, kind) VALUES ('PT-leak', 'D-001', 'cold_water')`)
		for leak, by := range map[string]string{"L-6": "man", "L-7": "nights", "L-8": "P-001", "L-9": "ad2"} {
			sqldbtest.Exec(t, db, `INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date, ended_ms)
				VALUES ($1, 'water', 'PT-leak', 'F-001', 'verified', '{}', 0, 1, '2026-03-01', '2026-03-02', 1)`, leak)
			sqldbtest.Exec(t, db, `INSERT INTO alert_step (case_id, number, state, at_ms, on_date, by_whom) VALUES ($1, 1, 'confirmed', 1, '2026-03-04', $2)`, leak, by)
		}
		want := map[string]programme.Contact{
			"L-1": {Reached: date(t, "2026-03-10"), Visited: date(t, "2026-03-09")},
			"L-2": {Reached: date(t, "2026-03-03")},
			"L-3": {},
			"L-6": {Reached: date(t, "2026-03-04"), Visited: date(t, "2026-03-04")},
		}
		for _, who := range []accounts.PersonID{advisor, manager} {
			got, err := s.Visited(t.Context(), who, "R")
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v, (-want +got):\n%s", who, err, diff)
			}
		}
		if _, err := s.Visited(t.Context(), technician, "R"); !errors.Is(err, programme.ErrNoResidence) {
			t.Errorf("a technician: %v", err)
		}
		if _, err := s.Visited(t.Context(), stranger, "R"); !errors.Is(err, programme.ErrNoResidence) {
			t.Errorf("somebody of another residence: %v", err)
		}
	})
}
