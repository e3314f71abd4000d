package nightly_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
)

// What a run must leave alone: the present, where it is of an earlier day; other
// homes, where one cannot be read; and what was erased while it thought.
func TestWhatARunLeavesAlone(t *testing.T) {
	t.Parallel()
	s := newStreet(t, sqldbtest.Open(t, t.TempDir()+"/x.db"), leakDay+9, leakDay-15, household.LeakingToilet)
	in := epoch.AddDays(leakDay).String()
	sqldbtest.Exec(t, s.db, `UPDATE tenancy SET moved_in = $1 WHERE household_id = 'A1-03.1'`, in)
	sqldbtest.Exec(t, s.db, `INSERT INTO household (id, occupants, language) VALUES ('F-old', 2, 'fr')`)
	sqldbtest.Exec(t, s.db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES ('T-old', 'F-old', 'A1-03', '2025-10-23', $1)`, in)
	for day := leakDay + 3; day <= leakDay+4; day++ {
		s.now = s.morning(day).Add(time.Minute)
		s.run(t, day, false)
	}
	if len(s.cases(t, household.LeakingToilet, 0)) != 1 {
		t.Fatal("no case to begin with")
	}
	t.Run("an earlier day", func(t *testing.T) { testEarlierDay(t, s) })
	t.Run("an unreadable row", func(t *testing.T) { testUnreadable(t, s) })
	t.Run("an erasure meanwhile", func(t *testing.T) { testErasedMeanwhile(t, s) })
	t.Run("who left", func(t *testing.T) { testLeaver(t, s) })
}

// present is what a run may change but for its quiet days.
func (s *street) present(t *testing.T) map[string]int {
	t.Helper()
	held := s.everything(t)
	maps.DeleteFunc(held, func(row string, _ int) bool {
		return strings.HasPrefix(row, "quiet_day") || strings.HasPrefix(row, "similar_month")
	})
	return held
}

func testEarlierDay(t *testing.T, s *street) {
	before, all := s.present(t), len(s.everything(t))
	for _, day := range []int{leakDay - 2, leakDay + 2} {
		if counts := s.run(t, day, false); !counts.Late || counts.Judged+counts.Opened+counts.Ended+counts.Told+counts.Proposed+counts.Changed > 0 || counts.Homes != 44 {
			t.Errorf("%+v", counts)
		}
		if diff := cmp.Diff(before, s.present(t)); diff != "" {
			t.Errorf("changed by a run for day %d (-before +after):\n%s", day, diff)
		}
	}
	if now := len(s.everything(t)); now < all {
		t.Errorf("%d rows, then %d", all, now)
	}
}

// count is a number that the database tells.
func (s *street) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func testUnreadable(t *testing.T, s *street) {
	for i, broken := range []struct{ table, where string }{
		{"tip_instance", `id = (SELECT MIN(id) FROM tip_instance)`}, {"alert_case", `point_id = 'A1-03.cold_water'`}} {
		day := leakDay + 5 + i
		s.now = s.morning(day).Add(time.Minute)
		sqldbtest.Exec(t, s.db, `CREATE TABLE aside AS SELECT id, finding FROM `+broken.table+` WHERE `+broken.where)
		sqldbtest.Exec(t, s.db, `UPDATE `+broken.table+` SET finding = '{"From":"x","Since":"x","since":"x","Nights":"x"}' WHERE id IN (SELECT id FROM aside)`)
		if counts := s.run(t, day, false); counts.Homes != 43 || counts.Failed != 1 {
			t.Errorf("%s: %+v", broken.table, counts)
		}
		if counts := s.run(t, day, false); counts.Unchanged != 43 || counts.Failed != 1 {
			t.Errorf("%s, still unreadable: %+v", broken.table, counts)
		}
		sqldbtest.Exec(t, s.db, `UPDATE `+broken.table+` SET finding = (SELECT aside.finding FROM aside WHERE aside.id = `+broken.table+`.id) WHERE id IN (SELECT id FROM aside)`)
		sqldbtest.Exec(t, s.db, `DROP TABLE aside`)
		if counts := s.run(t, day, false); counts.Unchanged != 43 || counts.Homes != 1 || counts.Failed != 0 {
			t.Errorf("%s, once it is mended: %+v", broken.table, counts)
		}
	}
}

// held are the rows about a household.
func (s *street) held(t *testing.T, household string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, table := range []string{"alert_case", "alert_question", "alert_refusal", "tip_instance"} {
		found[table] = s.count(t, `SELECT COUNT(*) FROM `+table+` WHERE household_id = $1`, household)
	}
	found["quiet_day"] = s.count(t, `SELECT COUNT(*) FROM quiet_day WHERE meter_id IN (SELECT meter_id FROM binding WHERE point_id = 'A1-03.cold_water')`)
	return found
}

// testErasedMeanwhile: an erasure that ends between the reading and the writing is
// not undone by the writing.
func testErasedMeanwhile(t *testing.T, s *street) {
	const who = "A1-03.1"
	s.forgetAll(t, who)
	none := s.held(t, who)
	s.now = s.morning(leakDay + 7).Add(time.Minute)
	sqldbtest.Exec(t, s.db, `INSERT INTO erasure (id, household_id, tenancy_id, what, why, asked_ms, asked_by, due_ms, done_ms, attempts, fault)
		SELECT 'E-1', household_id, id, 'all', 'request', $1, '', $1, $1, 1, '' FROM tenancy WHERE household_id = $2`, s.now.UnixMilli(), who)
	s.run(t, leakDay+7, false)
	if diff := cmp.Diff(none, s.held(t, who)); diff != "" {
		t.Errorf("after an erasure during the run (-want +got):\n%s", diff)
	}
	s.now = s.morning(leakDay + 8).Add(time.Minute)
	s.run(t, leakDay+8, false)
	if got := s.held(t, who); got["alert_case"] != 1 || got["quiet_day"] == 0 {
		t.Errorf("the next morning, when it is over: %v", got)
	}
}

func (s *street) forgetAll(t *testing.T, household string) {
	t.Helper()
	for _, table := range []string{"alert_case", "alert_question", "alert_refusal", "tip_instance"} {
		sqldbtest.Exec(t, s.db, `DELETE FROM `+table+` WHERE household_id = $1`, household)
	}
	sqldbtest.Exec(t, s.db, `DELETE FROM quiet_day WHERE meter_id IN (SELECT meter_id FROM binding WHERE point_id = 'A1-03.cold_water')`)
}

// testLeaver: a first run for a day on which a household still lived there, made
// after it left, concludes nothing about it.
func testLeaver(t *testing.T, s *street) {
	const who = "A1-03.1"
	s.forgetAll(t, who)
	sqldbtest.Exec(t, s.db, `UPDATE tenancy SET moved_out = $1 WHERE household_id = $2`, epoch.AddDays(leakDay+8).String(), who)
	sqldbtest.Exec(t, s.db, `DELETE FROM nightly_home`)
	sqldbtest.Exec(t, s.db, `DELETE FROM nightly_run`)
	none := s.held(t, who)
	s.now = s.morning(leakDay + 9).Add(time.Minute)
	if counts := s.run(t, leakDay+6, false); counts.Late || counts.Homes != 44 {
		t.Errorf("%+v", counts)
	}
	if diff := cmp.Diff(none, s.held(t, who)); diff != "" {
		t.Errorf("about a household that left (-want +got):\n%s", diff)
	}
}
