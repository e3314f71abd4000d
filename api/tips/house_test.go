package tips_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// What a household says of its home: by whom, once, with history, until it is erased.
func TestHouse(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		h := openHouse(t, db)
		t.Run("answers", func(t *testing.T) { testAnswers(t, h) })
		t.Run("absences", func(t *testing.T) { testAbsences(t, h) })
		t.Run("held", func(t *testing.T) { testHeld(t, h) })
	})
}

var helps = premises.Viewer{Person: "P-lea", Household: "H-rose"}

func (h *house) said(t *testing.T, v premises.Viewer) tips.House {
	t.Helper()
	said, err := h.store.House(t.Context(), v, h.now)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func testAnswers(t *testing.T, h *house) {
	rose := premises.Own("P-rose")
	if first := h.said(t, rose); first.Version != 1 || len(first.Said) > 0 || !first.May || len(first.Asked()) != 6 {
		t.Errorf("before anything was said: %+v", first)
	}
	bath := map[tips.Answer]tips.Reply{tips.HasBath: tips.Yes, tips.WaterQuestion: tips.Reply(tips.ElectricTank), tips.HasBox: tips.Unknown}
	for range 2 { // a form that is sent twice
		if err := h.store.Reply(t.Context(), rose, h.now, 1, bath); err != nil {
			t.Fatal(err)
		}
	}
	said := h.said(t, rose)
	want := map[tips.Answer]tips.Reply{tips.HasBath: tips.Yes, tips.WaterQuestion: tips.Reply(tips.ElectricTank)}
	if diff := cmp.Diff(want, said.Said); diff != "" || said.Version != 3 || said.HeatedBy() != tips.ElectricTank {
		t.Errorf("version %d (-want +got):\n%s", said.Version, diff)
	}
	if err := h.store.Reply(t.Context(), helps, h.now, 1, map[tips.Answer]tips.Reply{tips.HasBath: tips.No}); !errors.Is(err, resource.ErrStale) {
		t.Errorf("over what came meanwhile: %v", err)
	}
	if err := h.store.Reply(t.Context(), helps, h.now, 3, map[tips.Answer]tips.Reply{tips.HasBath: tips.Unknown}); err != nil {
		t.Errorf("a helper who may act: %v", err)
	}
	known := tips.Home{Answers: map[tips.Answer]bool{}}
	h.said(t, rose).Tell(&known)
	if _, given := known.Answers[tips.HasBath]; given || known.Water != tips.ElectricTank {
		t.Errorf("what was taken back is told: %+v", known)
	}
	for name, tt := range map[string]struct {
		v    premises.Viewer
		said map[tips.Answer]tips.Reply
		want problem.Kind
	}{
		"a helper who may look": {premises.Viewer{Person: "P-jean", Household: "H-rose"}, bath, problem.NotFound},
		"a neighbour":           {premises.Viewer{Person: "P-amina", Household: "H-rose"}, bath, problem.NotFound},
		"no such question":      {rose, map[tips.Answer]tips.Reply{"sauna": tips.Yes}, problem.Invalid},
		"no such reply":         {rose, map[tips.Answer]tips.Reply{tips.HasBath: "electric"}, problem.Invalid},
	} {
		if err := h.store.Reply(t.Context(), tt.v, h.now, 4, tt.said); kind(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.said(t, premises.Viewer{Person: "P-jean", Household: "H-rose"}).May || len(h.said(t, premises.Own("P-amina")).Said) > 0 {
		t.Error("who may look may answer, or a neighbour sees what was said")
	}
}

func testAbsences(t *testing.T, h *house) {
	rose, today := premises.Own("P-rose"), h.today()
	away := tips.Absence{From: today.AddDays(-20), To: today.AddDays(-10)}
	for range 2 {
		if err := h.store.Leave(t.Context(), rose, h.now, away); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]tips.Absence{
		"ends before":  {From: today, To: today},
		"too long ago": {From: today.AddDays(-400), To: today.AddDays(-390)},
		"too long":     {From: today, To: today.AddDays(367)},
	} {
		if err := h.store.Leave(t.Context(), rose, h.now, tt); kind(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	said := h.said(t, rose).Absences
	if len(said) != 1 || said[0].Absence != away {
		t.Fatalf("%+v", said)
	}
	if mine := h.said(t, premises.Own("P-paul")).Absences; len(mine) > 0 {
		t.Errorf("who joined later sees what was before: %+v", mine)
	}
	if err := h.store.TakeBack(t.Context(), premises.Own("P-amina"), h.now, said[0].ID); kind(err) != problem.NotFound {
		t.Errorf("a neighbour takes it back: %v", err)
	}
	for range 2 {
		if err := h.store.TakeBack(t.Context(), helps, h.now, said[0].ID); err != nil {
			t.Errorf("a helper takes it back: %v", err)
		}
	}
	if left := h.said(t, rose).Absences; len(left) > 0 {
		t.Errorf("%+v", left)
	}
}

// testHeld: the archive tells what was taken back too, and erasing leaves nothing.
func testHeld(t *testing.T, h *house) {
	long := civil.Date{Year: 2020, Month: time.January, Day: 1}
	all, err := h.store.StatementsOf(t.Context(), "H-rose", long)
	if err != nil || len(all.Answers) != 3 || len(all.Absences) != 1 || all.Absences[0].Taken == nil {
		t.Errorf("%v, %+v", err, all)
	}
	night, err := h.store.Houses(t.Context(), "R", "R-1", "R-2", h.today())
	if err != nil || len(night) != 1 || night[h.stay.Tenancy].Said[tips.WaterQuestion] != tips.Reply(tips.ElectricTank) || len(night[h.stay.Tenancy].Absences) > 0 {
		t.Errorf("%v, %+v", err, night)
	}
	for range 2 {
		if err := h.store.EraseHouse(t.Context(), h.stay.Tenancy); err != nil {
			t.Fatal(err)
		}
	}
	if all, err = h.store.StatementsOf(t.Context(), "H-rose", long); err != nil || len(all.Answers)+len(all.Absences) > 0 {
		t.Errorf("after erasing: %v, %+v", err, all)
	}
}
