package training_test

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A household's archive tells its own training; an erasure takes answers and words
// of what is over; a year later they go by themselves, and the training with the
// receipt, ten years after the year of the sale.
func TestRecordsOfAHousehold(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 2)
		ctx := t.Context()
		records := training.Records{Store: s.store, Now: func() time.Time { return s.now }}
		held := func(household premises.HouseholdID) string {
			t.Helper()
			files, err := records.Held(ctx, household, civil.Date{Year: 1970, Month: 1, Day: 1})
			text, err2 := json.Marshal(files["formations.json"])
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			return string(text)
		}
		session := s.session(t, 10*24*hour, 2, 0)
		for i := range 2 {
			good(t, "level", s.store.PositionFor(ctx, "P-adv", s.duties[i], training.Position{Computer: 2, Internet: 1}, s.now))
		}
		good(t, "enrol", s.store.Enrol(ctx, "P-adv", s.duties[0], session.ID, false, s.now))
		s.now = session.Starts.Add(hour)
		good(t, "present", s.store.Record(ctx, "P-tra", session.ID, []training.Mark{{Enrolment: s.duty(t, 0).Now.ID, Present: true}}, s.now))
		s.now = s.now.AddDate(0, 1, 1)
		good(t, "follow-up", s.store.FollowUpFor(ctx, "P-adv", s.duties[0], training.FollowUp{StillUsed: training.UsedOften, JobSearch: training.ForJobs, Blocked: "le clavier"}, s.now))

		mine, other := s.duty(t, 0), s.duty(t, 1)
		if text := held(mine.Household); !strings.Contains(text, "le clavier") || !strings.Contains(text, string(mine.ID)) || strings.Contains(text, string(other.ID)) {
			t.Errorf("the archive: %s", text)
		}
		erase := func(what consent.What, of premises.HouseholdID) {
			t.Helper()
			for range 2 {
				good(t, "erase", records.Forget(ctx, consent.Erasure{Household: of, What: what}))
			}
		}
		erase(consent.Daily, mine.Household)
		erase(consent.All, other.Household) // its training is still owed
		if !strings.Contains(held(mine.Household), "le clavier") || !strings.Contains(held(other.Household), `"position"`) {
			t.Error("an erasure took what was not meant")
		}
		if n, err := records.Expire(ctx); n != 0 || err != nil {
			t.Errorf("within the year %d are forgotten, %v", n, err)
		}
		erase(consent.All, mine.Household)
		text := held(mine.Household)
		if strings.Contains(text, "le clavier") || strings.Contains(text, `"position"`) || !strings.Contains(text, `"done"`) {
			t.Errorf("after the erasure: %s", text)
		}
		counts, err := s.store.Counts(ctx, "P-man", s.now)
		if err != nil || len(counts) != 1 || counts[0].Trained != 1 || counts[0].StillUsed != 1 {
			t.Errorf("the counts forgot a training: %+v, %v", counts, err)
		}
		year := mine.Since.Year
		for _, tt := range []struct {
			now  time.Time
			left int
		}{{time.Date(year+10, 12, 31, 12, 0, 0, 0, time.UTC), 1}, {time.Date(year+11, 1, 2, 12, 0, 0, 0, time.UTC), 0}} {
			s.now = tt.now
			if _, err := records.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			left, err := s.store.Duties(ctx, "P-adv", training.Filter{State: training.Done, Page: resource.Page{Limit: 9}}, s.now)
			if err != nil || len(left) != tt.left {
				t.Errorf("on %s %d trainings are left, %v; want %d", tt.now.Format(time.DateOnly), len(left), err, tt.left)
			}
		}
	})
}

// Answers go by themselves a year after the training, not before.
func TestAnswersAreKeptAYear(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 1)
		ctx := t.Context()
		records := training.Records{Store: s.store, Now: func() time.Time { return s.now }}
		good(t, "level", s.store.PositionFor(ctx, "P-adv", s.duties[0], training.Position{Computer: 2}, s.now))
		good(t, "exempt", s.store.Exempt(ctx, "P-adv", s.duties[0], "formatrice de métier", s.now))
		due := s.duty(t, 0).Due
		s.now = due.Start(time.UTC).AddDate(1, 0, 0)
		if n, err := records.Expire(ctx); n != 0 || err != nil {
			t.Errorf("on the last day of the year %d are forgotten, %v", n, err)
		}
		s.now = s.now.AddDate(0, 0, 1)
		if n, err := records.Expire(ctx); n != 2 || err != nil {
			t.Errorf("after it %d are forgotten, %v; want the answers and the reason", n, err)
		}
		if d := s.duty(t, 0); d.State != training.Exempted || d.Reason != "–" {
			t.Errorf("the exemption itself: %+v", d)
		}
		if n, err := records.Expire(ctx); n != 0 || err != nil {
			t.Errorf("again %d, %v", n, err)
		}
	})
}
