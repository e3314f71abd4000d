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
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Rose and Paul live in R-1, Paul since May; Jean looks for Rose, Lea acts for her;
// Amina lives next door.
const lane = `
residence: {id: R, name: La Roseraie, zone: Europe/Paris, earliest: 2020-01-01T00:00:00Z}
gateways: [{id: gw}]
dwellings:
  - {id: R-1, label: "1", households: [{id: H-rose, occupants: 2, language: fr, moved_in: 2024-01-01, consents: [fine_curve, personal_advice], persons: [{id: P-rose, name: Rose}, {id: P-paul, name: Paul}]}]}
  - {id: R-2, label: "2", households: [{id: H-amina, occupants: 1, language: fr, moved_in: 2024-01-01, persons: [{id: P-amina, name: Amina}, {id: P-jean, name: Jean}, {id: P-lea, name: Lea}]}]}
`

type house struct {
	db    *sql.DB
	store *tips.Store
	stay  tips.Stay
	now   time.Time
}

func openHouse(t *testing.T, db *sql.DB) *house {
	t.Helper()
	r, err := roster.Parse([]byte(lane))
	if err != nil {
		t.Fatal(err)
	}
	if err := roster.Store(t.Context(), db, r); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{db: db, store: tips.NewStore(db, catalogue), now: time.Date(2026, 6, 1, 8, 0, 0, 0, zone)}
	h.stay = tips.Stay{Household: "H-rose", MovedIn: civil.Date{Year: 2024, Month: 1, Day: 1}, Zone: zone}
	if err := db.QueryRowContext(t.Context(), `SELECT id FROM tenancy WHERE household_id = 'H-rose'`).Scan(&h.stay.Tenancy); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, db, `UPDATE consent SET from_ms = $1, to_ms = $2`, h.now.AddDate(-1, 0, 0).UnixMilli(), h.now.AddDate(1, 0, 0).UnixMilli())
	sqldbtest.Exec(t, db, `UPDATE membership SET from_date = '2026-05-20' WHERE person_id = 'P-paul'`)
	for helper, scope := range map[string]string{"P-jean": "see", "P-lea": "act"} {
		sqldbtest.Exec(t, db, `INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
			VALUES ($1, 'H-rose', 'P-rose', $2, $3, 'page', 'P-rose', '2026-01-01', '2027-01-01', 1)`, "M-"+helper, helper, scope)
	}
	return h
}

func (h *house) today() civil.Date { return civil.DateIn(h.now, h.stay.Zone) }

// standby is due, with figures of the two weeks before a day.
func (h *house) standby(t *testing.T, today civil.Date, watts float64) tips.Proposal {
	t.Helper()
	c, err := tips.Open()
	if err != nil {
		t.Fatal(err)
	}
	e, ok := c.Entry("night_standby")
	if !ok {
		t.Fatal("no tip night_standby")
	}
	return tips.Proposal{Entry: e, Score: watts, Saving: &tips.Saving{Period: tips.AYear, Priced: true, SupplierCents: int64(100 * watts)},
		Finding: tips.Finding{Figures: map[string]float64{"watts": watts, "excess_w": 50, "kwh_per_year": 900}, From: today.AddDays(-14), To: today,
			Kinds: []metering.Kind{metering.Electricity}, Coverage: 1}}
}

// morning settles what is due and returns how many instances changed.
func (h *house) morning(t *testing.T, due ...tips.Proposal) int {
	t.Helper()
	history, err := h.store.History(t.Context(), h.stay.Tenancy)
	if err != nil {
		t.Fatal(err)
	}
	changed := tips.Settle(h.stay, history, due, h.today())
	if kept, err := h.store.Keep(t.Context(), changed, h.now); err != nil || !kept {
		t.Fatalf("kept %t, %v", kept, err)
	}
	return len(changed)
}

func (h *house) shown(t *testing.T, v premises.Viewer) tips.Shown {
	t.Helper()
	s, err := h.store.Shown(t.Context(), v, h.now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kind(err error) problem.Kind { return problem.Of(err).Kind }

// Who sees a tip, and who may answer it.
func TestWhoseTips(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		h := openHouse(t, db)
		h.morning(t, h.standby(t, h.today(), 110))
		rose := premises.Own("P-rose")
		tip := h.shown(t, rose).Tips[0]
		for _, tt := range []struct {
			name   string
			v      premises.Viewer
			sees   int
			answer error
		}{
			{"a neighbour", premises.Own("P-amina"), 0, &problem.Error{Kind: problem.NotFound}},
			{"a neighbour who names the household", premises.Viewer{Person: "P-amina", Household: "H-rose"}, 0, &problem.Error{Kind: problem.NotFound}},
			{"who joined after the days of the finding", premises.Own("P-paul"), 0, &problem.Error{Kind: problem.NotFound}},
			{"a helper who may look", premises.Viewer{Person: "P-jean", Household: "H-rose"}, 1, &problem.Error{Kind: problem.NotFound}},
			{"a helper who may decide", premises.Viewer{Person: "P-lea", Household: "H-rose"}, 1, nil},
			{"a member", rose, 1, nil},
		} {
			if got := len(h.shown(t, tt.v).Tips) + len(h.shown(t, tt.v).Taken); got != tt.sees {
				t.Errorf("%s sees %d tips, want %d", tt.name, got, tt.sees)
			}
			err := h.store.Answer(t.Context(), tt.v, h.now, tip.ID, tip.Version, tips.Doing)
			if (err == nil) != (tt.answer == nil) || err != nil && kind(err) != problem.NotFound {
				t.Errorf("%s answers: %v", tt.name, err)
			}
		}
	})
}

// A form that is sent twice, one that is old, one that comes too late, and what the
// history tells.
func TestAnswer(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		h := openHouse(t, db)
		h.morning(t, h.standby(t, h.today(), 110))
		rose := premises.Own("P-rose")
		tip := h.shown(t, rose).Tips[0]
		answer := func(version int64, a tips.Answered) error {
			return h.store.Answer(t.Context(), rose, h.now, tip.ID, version, a)
		}
		if err := answer(7, tips.Done); !errors.Is(err, resource.ErrStale) {
			t.Errorf("an old form: %v", err)
		}
		for range 2 {
			if err := answer(1, tips.Done); err != nil {
				t.Errorf("twice: %v", err)
			}
		}
		if err := answer(2, tips.Doing); err != nil { // a slip is taken back
			t.Errorf("another answer: %v", err)
		}
		if err := answer(3, tips.NotHere); err != nil {
			t.Errorf("not here: %v", err)
		}
		if err := answer(4, tips.Doing); kind(err) != problem.Conflict {
			t.Errorf("after the end: %v", err)
		}
		if err := answer(4, "perhaps"); kind(err) != problem.Invalid {
			t.Errorf("nonsense: %v", err)
		}
		steps, err := h.store.Steps(t.Context(), rose, h.now, tip.ID)
		if err != nil {
			t.Fatal(err)
		}
		var states []tips.State
		for _, s := range steps {
			states = append(states, s.State)
		}
		if diff := cmp.Diff([]tips.State{tips.Proposed, tips.DoneAlready, tips.Committed, tips.NotForMe}, states); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		h.now = h.now.AddDate(0, 6, 0)
		if n := h.morning(t, h.standby(t, h.today(), 120)); n != 0 {
			t.Errorf("what does not fit came again: %d changes", n)
		}
	})
}

// The same morning twice is one; the next gives new figures; what nobody answered
// rests, and what is not due any more goes.
func TestMornings(t *testing.T) {
	h := openHouse(t, sqldbtest.Open(t, t.TempDir()+"/x.db"))
	rose := premises.Own("P-rose")
	if first, second := h.morning(t, h.standby(t, h.today(), 110)), h.morning(t, h.standby(t, h.today(), 110)); first != 1 || second != 0 {
		t.Errorf("%d changes, then %d", first, second)
	}
	h.now = h.now.AddDate(0, 0, 1)
	h.morning(t, h.standby(t, h.today(), 120))
	if got := h.shown(t, rose).Tips; len(got) != 1 || got[0].Finding.Figures["watts"] != 120 || got[0].Version != 2 {
		t.Errorf("%+v", got)
	}
	h.now = h.now.AddDate(0, 0, 1)
	h.morning(t)
	if got := h.shown(t, rose).Tips; len(got) != 0 {
		t.Errorf("not due, and shown: %+v", got)
	}
	for range 40 {
		h.now = h.now.AddDate(0, 0, 1)
		h.morning(t, h.standby(t, h.today(), 130))
		if got := h.shown(t, rose).Tips; len(got) == 0 {
			return // it rests
		}
	}
	t.Error("forty mornings without an answer, and it is still there")
}

// A run for an earlier day changes nothing of what a later one left, and proposes
// nothing; an answer of today is not undone by yesterday's run.
func TestEarlierMorning(t *testing.T) {
	h := openHouse(t, sqldbtest.Open(t, t.TempDir()+"/x.db"))
	rose := premises.Own("P-rose")
	h.morning(t, h.standby(t, h.today(), 110))
	late, today := h.now.AddDate(0, 0, -25), h.now
	h.now = late
	for _, due := range [][]tips.Proposal{nil, {h.standby(t, h.today(), 300)}} {
		if changes := h.morning(t, due...); changes != 0 {
			t.Errorf("%d changes by a run for 25 days ago", changes)
		}
	}
	h.now = today
	tip := h.shown(t, rose).Tips[0]
	if tip.Finding.Figures["watts"] != 110 {
		t.Errorf("today's tip has the figures of then: %+v", tip.Finding)
	}
	if err := h.store.Answer(t.Context(), rose, h.now, tip.ID, tip.Version, tips.Doing); err != nil {
		t.Fatal(err)
	}
	taken := h.shown(t, rose).Taken[0]
	moved, err := taken.Watch(tips.Outcome{Verdict: tips.Visible, WeeksLooked: 4}, h.today().AddDays(-1))
	if err != nil || moved.State != tips.Committed {
		t.Errorf("yesterday's run makes it %s, %v", moved.State, err)
	}
}

// What was taken back hides its tips at once, and an erasure takes them away.
func TestConsentAndErasure(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		h := openHouse(t, db)
		rose := premises.Own("P-rose")
		h.morning(t, h.standby(t, h.today(), 110))
		sqldbtest.Exec(t, db, `UPDATE consent SET ended_ms = $1, ended_why = 'withdrawn', ended_by = '', ended_channel = 'page' WHERE purpose = 'personal_advice'`, h.now.UnixMilli())
		if got := h.shown(t, rose).Tips; len(got) != 0 {
			t.Errorf("shown without the consent: %+v", got)
		}
		for want := int64(1); want >= 0; want-- {
			if n, err := h.store.Erase(t.Context(), h.stay.Tenancy, true); err != nil || n != want {
				t.Errorf("erased %d, want %d: %v", n, want, err)
			}
		}
		if held, err := h.store.Of(t.Context(), "H-rose", civil.Date{Year: 2020, Month: 1, Day: 1}); err != nil || len(held) != 0 {
			t.Errorf("held %+v, %v", held, err)
		}
	})
}

// What is taken up is observed from the next day on, and its result stays.
func TestWatch(t *testing.T) {
	h := openHouse(t, sqldbtest.Open(t, t.TempDir()+"/x.db"))
	rose := premises.Own("P-rose")
	h.morning(t, h.standby(t, h.today(), 110))
	tip := h.shown(t, rose).Tips[0]
	if err := h.store.Answer(t.Context(), rose, h.now, tip.ID, tip.Version, tips.Doing); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		days    int
		outcome tips.Outcome
		want    tips.State
	}{
		{0, tips.Outcome{Verdict: tips.TooEarly, Reason: tips.FewWeeks}, tips.Committed},
		{1, tips.Outcome{Verdict: tips.TooEarly, Reason: tips.FewWeeks}, tips.TooEarly},
		{29, tips.Outcome{Verdict: tips.Visible, Change: -0.1, Low: -0.15, High: -0.05, WeeksLooked: 4}, tips.Visible},
		{1, tips.Outcome{}, tips.Visible},
	} {
		h.now = h.now.AddDate(0, 0, tt.days)
		taken := h.shown(t, rose).Taken[0]
		moved, err := taken.Watch(tt.outcome, h.today())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.store.Keep(t.Context(), []tips.Kept{moved}, h.now); err != nil {
			t.Fatal(err)
		}
		if got := h.shown(t, rose).Taken[0]; got.State != tt.want {
			t.Errorf("after %d days more it is %s, want %s", tt.days, got.State, tt.want)
		}
	}
	if got := h.shown(t, rose).Taken[0].Observed; got.Change != -0.1 || got.WeeksLooked != 4 {
		t.Errorf("observed %+v", got)
	}
}
