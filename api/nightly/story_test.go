package nightly_test

import (
	"database/sql"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
)

const lastDay = 394

func (s *street) shown(t *testing.T, story household.Story, n int) tips.Shown {
	t.Helper()
	catalogue, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := tips.NewStore(s.db, catalogue).Shown(t.Context(), s.person(t, story, n), s.now)
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

func (s *street) cases(t *testing.T, story household.Story, n int) []alerts.Kept {
	t.Helper()
	all, err := alerts.NewStore(s.db).Mine(t.Context(), s.person(t, story, n), s.now)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func ids(all []tips.Kept) (ids []tips.ID) {
	for _, k := range all {
		ids = append(ids, k.Tip)
	}
	return ids
}

// What the residence's stories come to on one morning, late in November.
func TestStories(t *testing.T) {
	t.Parallel()
	s := newStreet(t, sqldbtest.Open(t, t.TempDir()+"/x.db"), lastDay, lastDay-61, household.Careful, household.NightWorker, household.Swapped, household.LeakingToilet)
	first := s.run(t, lastDay, false)
	if first.Homes != 44 || first.Judged != 88 || first.Opened != 2 || first.Told != 2 || first.Refused["alerts.unchecked"] != 4 {
		t.Errorf("the run did %+v", first)
	}
	for _, tt := range []struct {
		story  household.Story
		flat   int
		tips   []tips.ID
		cases  []alerts.Subject
		rights bool
	}{
		{household.LeakingToilet, 0, []tips.ID{"toilet_leak"}, []alerts.Subject{alerts.Water}, true},
		{household.HighStandby, 0, []tips.ID{"night_standby"}, nil, true},
		{household.ColdFlat, 0, []tips.ID{"cold_home", "shorter_shower"}, []alerts.Subject{alerts.Cold}, true},
		{household.Careful, 0, []tips.ID{"bravo_water"}, nil, true},
		{household.NightWorker, 0, []tips.ID{"mixer_on_cold"}, nil, true},
		{household.Swapped, 0, nil, nil, true},
		{household.Swapped, 1, nil, nil, true},
	} {
		shown := s.shown(t, tt.story, tt.flat)
		if diff := cmp.Diff(tt.tips, ids(shown.Tips)); diff != "" || len(shown.Urgent) > 0 || len(shown.Rights) > 0 != tt.rights {
			t.Errorf("%s: urgent %v, rights %v, tips (-want +got):\n%s", tt.story, ids(shown.Urgent), ids(shown.Rights), diff)
		}
		var subjects []alerts.Subject
		for _, k := range s.cases(t, tt.story, tt.flat) {
			subjects = append(subjects, k.Cause.Subject)
		}
		if diff := cmp.Diff(tt.cases, subjects); diff != "" {
			t.Errorf("%s: cases (-want +got):\n%s", tt.story, diff)
		}
	}
	t.Run("leak", func(t *testing.T) { testLeak(t, s) })
	t.Run("standby", func(t *testing.T) { testStandby(t, s) })
	t.Run("cold", func(t *testing.T) { testCold(t, s) })
	t.Run("swapped", func(t *testing.T) { testSwapped(t, s) })
	t.Run("again", func(t *testing.T) { testAgain(t, s) })
	t.Run("said", func(t *testing.T) { testSaid(t, s) })
	t.Run("observed", func(t *testing.T) { testObserved(t, s) })
}

// testLeak holds the leak's flow, class and begin against the truth.
func testLeak(t *testing.T, s *street) {
	k := s.cases(t, household.LeakingToilet, 0)[0]
	begins := epoch.AddDays(340).Start(s.truth.Zone)
	f := k.Finding
	if f.Class != alerts.RunningCistern || f.Flow.Low > 25_000 || f.Flow.High < 25_000 || f.Flow.High > 26_000 || k.State != alerts.Confirmed {
		t.Errorf("%s, %+v", k.State, f)
	}
	if f.Since.Earliest.After(begins) || f.Since.Latest.Sub(begins).Abs() > 24*time.Hour {
		t.Errorf("since %+v, it began %s", f.Since, begins)
	}
	for _, tip := range s.shown(t, household.LeakingToilet, 0).Tips {
		if tip.Tip == "toilet_leak" && (tip.Saving == nil || tip.Saving.ChargesCents < 100_000 || tip.Saving.ChargesCents > 105_000) {
			t.Errorf("25 L/h are 219 m³ a year, at 4.69 € the m³ 1,027 €; the tip says %+v", tip.Saving)
		}
	}
}

// testStandby: 150 W more than the home needs, in watts and in the supplier's euros.
func testStandby(t *testing.T, s *street) {
	tip := s.shown(t, household.HighStandby, 0).Tips[0]
	watts, excess := tip.Finding.Figures["watts"], tip.Finding.Figures["excess_w"]
	if watts < 150 || excess < 50 || excess > watts-50 {
		t.Errorf("%g W at night, %g W too many", watts, excess)
	}
	want := excess * 8.76 * 19.4 // cents: kWh a year at 0.194 €
	if got := tip.Saving; got == nil || !got.Priced || got.ChargesCents != 0 || math.Abs(float64(got.SupplierCents)-want) > 2 {
		t.Errorf("%g W cost %.0f cents a year, the tip says %+v", excess, want, got)
	}
}

// testCold: the household is told that it is cold, and never to heat less.
func testCold(t *testing.T, s *street) {
	k := s.cases(t, household.ColdFlat, 0)[0]
	if k.Finding.MilliCelsius < 14_000 || k.Finding.MilliCelsius >= 18_000 || !k.ToldAt.IsZero() { // its letter waits
		t.Errorf("%+v", k.Case)
	}
	for _, tip := range s.shown(t, household.ColdFlat, 0).Tips {
		if tip.Entry.Use == "heating" && tip.Entry.Role != tips.Comfort || tip.Tip == "cold_home" && tip.Saving != nil {
			t.Errorf("a cold home is advised %s", tip.Tip)
		}
	}
}

// testSwapped: behind crossed meters nothing is claimed, and why not is said.
func testSwapped(t *testing.T, s *street) {
	for flat := range 2 {
		unjudged, err := alerts.NewStore(s.db).Unjudged(t.Context(), s.person(t, household.Swapped, flat), s.now)
		if err != nil || len(unjudged) != 2 || unjudged[0].Reason != "alerts.unchecked" {
			t.Errorf("%v, %+v", err, unjudged)
		}
	}
}

// everything is all that a run may change, but for its journal.
func (s *street) everything(t *testing.T) map[string]int {
	t.Helper()
	held := map[string]int{}
	for _, table := range []string{"alert_case", "alert_step", "alert_refusal", "tip_instance", "tip_step", "tip_need", "outbox", "quiet_day", "similar_month"} {
		rows, err := s.db.QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(any)
			}
			err := rows.Scan(cells...)
			line := table
			for _, c := range cells {
				line += fmt.Sprintf("|%v", *c.(*any))
			}
			held[line]++
			return struct{}{}, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return held
}

// testAgain: the same day again changes nothing, whether homes are passed over or
// done again.
func testAgain(t *testing.T, s *street) {
	before := s.everything(t)
	if counts := s.run(t, lastDay, false); counts.Homes != 0 || counts.Unchanged != 44 {
		t.Errorf("the second run did %+v", counts)
	}
	if counts := s.run(t, lastDay, true); counts.Homes != 44 || counts.Opened+counts.Ended+counts.Told+counts.Proposed+counts.Changed > 0 {
		t.Errorf("the third run did %+v", counts)
	}
	if diff := cmp.Diff(before, s.everything(t)); diff != "" {
		t.Errorf("the same day again (-before +after):\n%s", diff)
	}
}
