package nightly_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/nightly"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// leakDay is when the toilet begins to leak.
const leakDay = 340

// The leak has its case within two days of its beginning, is told once a week, is
// found again after a repair that was none, and leaves with the household.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := newStreet(t, sqldbtest.Open(t, t.TempDir()+"/x.db"), leakDay+12, leakDay-31, household.LeakingToilet)
	store := alerts.NewStore(s.db)
	opened := 0
	for day := leakDay - 1; day <= leakDay+3; day++ {
		s.now = s.morning(day).Add(time.Minute)
		counts := s.run(t, day, false)
		s.sendAll(t)
		if counts.Opened > 0 && opened == 0 {
			opened = day
		}
		if counts.Opened > 0 && day != opened || counts.Homes != 44 {
			t.Errorf("day %d: %+v", day, counts)
		}
	}
	if opened <= leakDay || opened > leakDay+2 {
		t.Fatalf("the leak of day %d has its case on the morning of day %d", leakDay, opened)
	}
	rose := s.person(t, household.LeakingToilet, 0)
	k := s.cases(t, household.LeakingToilet, 0)[0]
	s.now = s.morning(leakDay + 3).Add(3 * time.Hour)
	for range 2 { // a form that is sent twice
		if err := store.Say(t.Context(), rose, s.now, k.ID, k.Version, alerts.SaidRepaired); err != nil {
			t.Fatal(err)
		}
	}
	if k = s.cases(t, household.LeakingToilet, 0)[0]; k.State != alerts.Repaired {
		t.Fatalf("it is %s", k.State)
	}
	for day := leakDay + 4; day <= leakDay+11; day++ {
		s.now = s.morning(day).Add(time.Minute)
		s.run(t, day, false)
		s.sendAll(t)
	}
	if k = s.cases(t, household.LeakingToilet, 0)[0]; k.State != alerts.Confirmed {
		t.Errorf("it flows on and is %s", k.State)
	}
	told := 0
	for _, step := range k.Steps {
		if step.State == alerts.Told {
			told++
		}
	}
	if told != 2 {
		t.Errorf("told %d times in eleven days: %+v", told, k.Steps)
	}
	sqldbtest.Exec(t, s.db, `UPDATE tenancy SET moved_out = $1 WHERE household_id = 'A1-03.1'`, epoch.AddDays(leakDay+12).String())
	s.now = s.morning(leakDay + 12).Add(time.Minute)
	s.run(t, leakDay+12, false)
	open, err := store.OpenAt(t.Context(), "A1-03.cold_water")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range open {
		if k.Household != "" {
			t.Errorf("the leaver's case stays: %+v", k.Case)
		}
	}
}

// sendAll has what waits in the outbox leave.
func (s *street) sendAll(t *testing.T) {
	t.Helper()
	sqldbtest.Exec(t, s.db, `UPDATE outbox SET state = 'sent', done_ms = $1 WHERE state = 'waiting'`, s.now.Add(time.Minute).UnixMilli())
}

// A run that is cut off goes on where it was, one at a time, and a morning that is
// not over is refused.
func TestResume(t *testing.T) {
	sqldbtest.Each(t, testResume)
}

func testResume(t *testing.T, db *sql.DB) {
	s := newStreet(t, db, leakDay+3, leakDay-8, household.LeakingToilet)
	all, err := s.runner.Residences(t.Context(), "")
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	if _, err := s.runner.Residences(t.Context(), "elsewhere"); !errors.Is(err, nightly.ErrNoResidence) {
		t.Errorf("a residence that is not there: %v", err)
	}
	if _, err := s.runner.Residence(t.Context(), all[0], epoch.AddDays(leakDay+4), false); !errors.Is(err, nightly.ErrTooEarly) {
		t.Errorf("tomorrow's nights: %v", err)
	}
	ctx, cut := context.WithCancel(t.Context())
	var held error
	s.runner.Progress = func(id metering.SiteID, done, of int) {
		if done != 44 || of != 44 {
			t.Errorf("%d of %d homes", done, of)
		}
		other := *s.runner
		other.Progress = nil
		_, held = other.Residence(t.Context(), all[0], epoch.AddDays(leakDay+3), false)
		cut()
	}
	if _, err := s.runner.Residence(ctx, all[0], epoch.AddDays(leakDay+3), false); !errors.Is(err, context.Canceled) {
		t.Fatalf("cut off: %v", err)
	}
	if !errors.Is(held, nightly.ErrHeld) {
		t.Errorf("a second program at the same time: %v", held)
	}
	if ended, err := s.runner.Ended(t.Context(), all[0].ID, epoch.AddDays(leakDay+3)); err != nil || ended {
		t.Errorf("ended %t, %v", ended, err)
	}
	s.runner.Progress = nil
	if counts := s.run(t, leakDay+3, false); counts.Unchanged != 44 {
		t.Errorf("the run that goes on did %+v", counts)
	}
	if ended, err := s.runner.Ended(t.Context(), all[0].ID, epoch.AddDays(leakDay+3)); err != nil || !ended {
		t.Errorf("ended %t, %v", ended, err)
	}
}
