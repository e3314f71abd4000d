package nightly_test

import (
	"slices"
	"testing"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func (s *street) tips(t *testing.T) *tips.Store {
	t.Helper()
	catalogue, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	return tips.NewStore(s.db, catalogue)
}

// What a household says about its home brings tips, the next morning.
func testSaid(t *testing.T, s *street) {
	store := s.tips(t)
	standby, leaking := s.person(t, household.HighStandby, 0), s.person(t, household.LeakingToilet, 0)
	said := map[tips.Answer]tips.Reply{tips.HasBox: tips.Yes, tips.HasSecondFreezer: tips.Yes}
	if err := store.Reply(t.Context(), standby, s.now, 1, said); err != nil {
		t.Fatal(err)
	}
	today := epoch.AddDays(lastDay)
	if err := store.Leave(t.Context(), leaking, s.now, tips.Absence{From: today.AddDays(-9), To: today.AddDays(-4)}); err != nil {
		t.Fatal(err)
	}
	s.run(t, lastDay, true)
	found := ids(s.shown(t, household.HighStandby, 0).Tips)
	if !slices.Contains(found, "second_freezer") || slices.Contains(found, "box_off_at_night") {
		t.Errorf("with a second freezer, and a box of which nobody said what goes through it: %v", found)
	}
	if found := ids(s.shown(t, household.LeakingToilet, 0).Tips); !slices.Contains(found, "water_while_away") {
		t.Errorf("water ran while nobody was at home: %v", found)
	}
	if err := store.Reply(t.Context(), standby, s.now, 3, map[tips.Answer]tips.Reply{tips.NeedsLine: tips.No, tips.HasSecondFreezer: tips.No}); err != nil {
		t.Fatal(err)
	}
	s.run(t, lastDay, true)
	if found := ids(s.shown(t, household.HighStandby, 0).Tips); !slices.Contains(found, "box_off_at_night") || slices.Contains(found, "second_freezer") {
		t.Errorf("without the freezer, and with a box that nothing needs: %v", found)
	}
}

// A tip that was taken up is too early, not visible or visible, by what the meter
// and the other homes say.
func testObserved(t *testing.T, s *street) {
	store, v := s.tips(t), s.person(t, household.ColdFlat, 0)
	shown := s.shown(t, household.ColdFlat, 0).Tips
	i := slices.IndexFunc(shown, func(k tips.Kept) bool { return k.Tip == "shorter_shower" })
	if i < 0 {
		t.Fatalf("the tips are %v", ids(shown))
	}
	tip := shown[i]
	if err := store.Answer(t.Context(), v, s.now, tip.ID, tip.Version, tips.Doing); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		want tips.State
		days int
		less bool
	}{{tips.TooEarly, 10, false}, {tips.NotVisible, 29, false}, {tips.Visible, 29, true}} {
		if tt.less {
			s.halve(t, v, 29)
		}
		day := epoch.AddDays(lastDay - tt.days).String()
		sqldbtest.Exec(t, s.db, `UPDATE tip_instance SET state = 'committed', committed_date = $1, since_date = $1, observed = NULL WHERE id = $2`, day, string(tip.ID))
		s.run(t, lastDay, true)
		k, err := store.ByID(t.Context(), v, s.now, tip.ID)
		if err != nil || k.State != tt.want || k.Observed.Verdict != tt.want {
			t.Errorf("after %d days, halved %t: %v, %s, %+v", tt.days, tt.less, err, k.State, k.Observed)
		}
		if tt.less && (k.Observed.Change > -0.3 || k.Observed.Change < -0.7 || k.Observed.Others < 10) {
			t.Errorf("half as much is told as %+v", k.Observed)
		}
	}
}

// halve has a flat's cold water run half as much for some days before the last.
func (s *street) halve(t *testing.T, v premises.Viewer, days int) {
	t.Helper()
	dwelling := string(v.Person)[:len(v.Person)-len(".1.p")]
	i := slices.IndexFunc(s.truth.Meters(), func(m *household.Meter) bool { return string(m.Bound) == dwelling && m.Kind == metering.ColdWater })
	m := s.truth.Meters()[i]
	from := epoch.AddDays(lastDay - days)
	index := s.truth.Index(m, from.Start(s.truth.Zone))
	var all []influx.Consumption
	for date := from; date.Before(epoch.AddDays(lastDay)); date = date.AddDays(1) {
		c, known := s.used(m, date.Start(s.truth.Zone), date.AddDays(1).Start(s.truth.Zone))
		if !known {
			continue
		}
		c.Used /= 2
		index += c.Used
		c.Index = index
		all = append(all, c)
	}
	if err := s.client.WriteConsumption(t.Context(), influx.Daily, all); err != nil {
		t.Fatal(err)
	}
}
