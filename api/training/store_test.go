package training_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const people = `
INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'La Roseraie', 'Europe/Paris', 0), ('S', 'Les Sablons', 'Europe/Paris', 0);
INSERT INTO person (id, name, language) VALUES ('P-adv', 'Claire', 'fr'), ('P-tra', 'Fabien', 'fr'), ('P-tr2', 'Fanny', 'fr'), ('P-man', 'Marius', 'fr'),
 ('P-tec', 'Theo', 'fr'), ('P-ad2', 'Aristide', 'fr'), ('P-out', 'Olivia', 'fr'), ('P-help', 'Gustave', 'fr');
INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-adv', 'advisor', 'R'), ('P-tra', 'trainer', 'R'), ('P-tr2', 'trainer', 'R'), ('P-man', 'manager', 'R'),
 ('P-tec', 'technician', 'R'), ('P-ad2', 'administrator', 'S');`

// A school is a store with a course and buyers 1 to n in residence R.
type school struct {
	db     *sql.DB
	store  *training.Store
	course training.CourseID
	now    time.Time
	duties []training.DutyID
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func newSchool(t testing.TB, db *sql.DB, buyers int) *school {
	t.Helper()
	s := &school{db: db, store: training.NewStore(db, training.DefaultTerms()), now: time.Date(2026, 3, 18, 10, 0, 0, 0, paris(t))}
	sqldbtest.Exec(t, db, people)
	for i := 1; i <= buyers; i++ {
		s.sell(t, i, day(2026, 3, 2))
	}
	course, err := s.store.CreateCourse(t.Context(), "P-adv", training.Course{Title: "Premiers pas", Theme: training.FirstSteps}, s.now)
	if err != nil {
		t.Fatal(err)
	}
	s.course = course.ID
	duties, err := s.store.Duties(t.Context(), "P-adv", training.Filter{Page: resource.Page{Limit: 1000}}, s.now)
	if err != nil {
		t.Fatal(err)
	}
	if len(duties) != buyers {
		t.Fatalf("%d duties, want %d", len(duties), buyers)
	}
	for i := range buyers {
		for _, d := range duties {
			if d.Sale == fmt.Sprint("sale-", i+1) {
				s.duties = append(s.duties, d.ID)
			}
		}
	}
	return s
}

func day(year int, month time.Month, d int) civil.Date {
	return civil.Date{Year: year, Month: month, Day: d}
}

// sell makes a household with a buyer and sells them a machine.
func (s *school) sell(t testing.TB, i int, on civil.Date) {
	t.Helper()
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D-%d', 'R', 'A', '1', '%d', 1, 3, 60)`, i, i),
		fmt.Sprintf(`INSERT INTO household (id, occupants, language, telephone) VALUES ('F-%d', 1, 'fr', '06000000%02d')`, i, i),
		fmt.Sprintf(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-%d', 'F-%d', 'D-%d', '2025-01-01')`, i, i, i),
		fmt.Sprintf(`INSERT INTO person (id, name, language) VALUES ('P-%d', 'Acheteur %d', 'fr')`, i, i),
		fmt.Sprintf(`INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-%d', 'F-%d', '2025-01-01')`, i, i),
	} {
		sqldbtest.Exec(t, s.db, statement)
	}
	sale := computers.Sale{ID: computers.SaleID(fmt.Sprint("sale-", i)), Residence: "R", Household: premises.HouseholdID(fmt.Sprint("F-", i)), SoldOn: on, Subsidised: true}
	sale.Buyer = personID(fmt.Sprint("P-", i))
	for range 2 { // a repeated transaction obliges once
		if err := sqldb.InTx(t.Context(), s.db, func(tx *sql.Tx) error { return s.store.Oblige(t.Context(), tx, sale) }); err != nil {
			t.Fatal(err)
		}
	}
}

func personID(id string) accounts.PersonID { return accounts.PersonID(id) }

func (s *school) session(t testing.TB, in time.Duration, capacity, mayWait int) training.Session {
	t.Helper()
	at := s.now.Add(in).In(paris(t))
	made, err := s.store.CreateSession(t.Context(), "P-adv", s.plan(at, capacity, mayWait), s.now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (s *school) plan(at time.Time, capacity, mayWait int) training.Plan {
	return training.Plan{Course: s.course, Residence: "R", Trainer: "P-tra", Date: at.Format(time.DateOnly), From: at.Format("15:04"),
		To: at.Add(2 * time.Hour).Format("15:04"), Place: "Cyber Centre " + at.Format(time.RFC3339), Language: "fr", Capacity: capacity, MayWait: mayWait}
}

func (s *school) duty(t testing.TB, i int) training.Duty {
	t.Helper()
	d, err := s.store.Duty(t.Context(), "P-adv", s.duties[i], s.now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func want(t testing.TB, what string, err error, reason error) {
	t.Helper()
	if !errors.Is(err, reason) {
		t.Errorf("%s: %v, want %v", what, err, reason)
	}
}

func good(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

const hour = time.Hour

func TestDutyOfASale(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 1)
		d := s.duty(t, 0)
		if d.Due != day(2026, 5, 1) || d.Since != day(2026, 3, 2) || d.State != training.Open || d.Telephone != "0600000001" || d.Name != "Acheteur 1" || d.Door.Label != "1" {
			t.Errorf("duty = %+v", d)
		}
		if d.Late(day(2026, 5, 1)) || !d.Late(day(2026, 5, 2)) {
			t.Error("the last day is in time, the next one is not")
		}
		for _, nobody := range []string{"P-tra", "P-man", "P-tec", "P-ad2", "P-1", "P-out"} {
			if all, err := s.store.Duties(t.Context(), personID(nobody), training.Filter{Page: resource.Page{Limit: 9}}, s.now); err != nil || len(all) > 0 {
				t.Errorf("%s lists %d duties, %v", nobody, len(all), err)
			}
			_, err := s.store.Duty(t.Context(), personID(nobody), s.duties[0], s.now)
			want(t, nobody, err, training.ErrNoDuty)
		}
	})
}

func TestTheWayOfABuyer(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 1)
		ctx, d := t.Context(), s.duties[0]
		first, second := s.session(t, 10*24*hour, 2, 0), s.session(t, 20*24*hour, 2, 0)
		good(t, "invite", s.store.Invite(ctx, "P-adv", d, "", s.now))
		good(t, "invite again", s.store.Invite(ctx, "P-adv", d, "", s.now))
		if w := s.duty(t, 0).Now; w.State != training.Invited || w.Session != first.ID {
			t.Errorf("invited: %+v", w)
		}
		good(t, "enrol", s.store.Enrol(ctx, "P-adv", d, first.ID, false, s.now))
		good(t, "enrol twice", s.store.Enrol(ctx, "P-adv", d, first.ID, false, s.now))
		want(t, "enrol in another", s.store.Enrol(ctx, "P-adv", d, second.ID, false, s.now), training.ErrTwice)
		want(t, "invite", s.store.Invite(ctx, "P-adv", d, "", s.now), training.ErrTwice)
		want(t, "attendance before", s.store.Record(ctx, "P-tra", first.ID, []training.Mark{{Enrolment: s.duty(t, 0).Now.ID, Present: true}}, s.now), training.ErrNotYet)
		s.now = first.Starts.Add(hour)
		want(t, "excuse after", s.store.Excuse(ctx, "P-adv", d, "", s.now), training.ErrPast)
		want(t, "enrol in the past", s.store.Enrol(ctx, "P-adv", d, first.ID, false, s.now), training.ErrPast)
		way := s.duty(t, 0).Now.ID
		want(t, "another trainer", s.store.Record(ctx, "P-tr2", first.ID, []training.Mark{{Enrolment: way}}, s.now), training.ErrNoSession)
		for range 2 {
			good(t, "absent", s.store.Record(ctx, "P-tra", first.ID, []training.Mark{{Enrolment: way}}, s.now))
		}
		if w := s.duty(t, 0).Now; w.State != training.Invited || w.Session != second.ID {
			t.Errorf("after an absence: %+v, want a proposal of the next session", w)
		}
		for range 2 {
			good(t, "present after all", s.store.Record(ctx, "P-tra", first.ID, []training.Mark{{Enrolment: way, Present: true}}, s.now))
		}
		trained := s.duty(t, 0)
		if trained.State != training.Done || trained.Done != first.Day() {
			t.Errorf("trained: %+v", trained)
		}
		want(t, "excuse", s.store.Excuse(ctx, "P-adv", d, "", s.now), training.ErrNotOwed)
		want(t, "exempt", s.store.Exempt(ctx, "P-adv", d, "sait déjà", s.now), training.ErrNotOwed)
		answer := training.FollowUp{StillUsed: training.UsedOften, JobSearch: training.ForJobs}
		want(t, "follow-up too early", s.store.FollowUpFor(ctx, "P-adv", d, answer, s.now), training.ErrNotYet)
		s.now = s.now.AddDate(0, 1, 0)
		if all, err := s.store.FollowUps(ctx, "P-adv", resource.Page{Limit: 9}, s.now); err != nil || len(all) != 1 {
			t.Errorf("to be followed up: %d, %v", len(all), err)
		}
		good(t, "follow-up", s.store.FollowUpFor(ctx, "P-adv", d, answer, s.now))
		if all, err := s.store.FollowUps(ctx, "P-adv", resource.Page{Limit: 9}, s.now); err != nil || len(all) != 0 {
			t.Errorf("still to be followed up: %d, %v", len(all), err)
		}
		counts, err := s.store.Counts(ctx, "P-man", s.now)
		if err != nil || len(counts) != 1 {
			t.Fatalf("counts: %v, %v", counts, err)
		}
		wanted := training.Counts{Residence: "R", ResidenceName: "La Roseraie", Obliged: 1, Trained: 1, Sessions: 2, Asked: 1, StillUsed: 1, ForJobs: 1}
		if diff := cmp.Diff(wanted, counts[0]); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
}

// Two people, or fifty, who enrol at the same moment never get one place twice.
func TestTheLastPlaceAtTheSameSecond(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		const buyers, places, waiting = 24, 5, 3
		s := newSchool(t, db, buyers)
		at := s.session(t, 10*24*hour, places, waiting)
		var all sync.WaitGroup
		begin, results := make(chan struct{}), make([]error, buyers)
		for i := range buyers {
			all.Go(func() {
				<-begin
				results[i] = s.store.Enrol(t.Context(), "P-adv", s.duties[i], at.ID, true, s.now)
			})
		}
		close(begin)
		all.Wait()
		placed := 0
		for i, err := range results {
			switch {
			case err == nil:
				placed++
			case !errors.Is(err, training.ErrNoRoom):
				t.Errorf("buyer %d: %v", i, err)
			}
		}
		got, err := s.store.Session(t.Context(), "P-adv", at.ID)
		if err != nil || placed != places+waiting || got.Taken != places || got.Waiting != waiting || got.Free() != 0 {
			t.Errorf("%d enrolled or waiting, session %+v, %v", placed, got, err)
		}
		_, rows, err := s.store.Sheet(t.Context(), "P-tra", at.ID)
		seats := map[int]bool{}
		for _, r := range rows {
			seats[r.Seat] = true
		}
		if err != nil || len(rows) != places || len(seats) != places {
			t.Errorf("sheet of %d rows with %d places, %v", len(rows), len(seats), err)
		}
	})
}

// The schema itself refuses what the program never asks for.
func TestTheSchemaRefusesOverbooking(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 2)
		at := s.session(t, 10*24*hour, 1, 0)
		good(t, "enrol", s.store.Enrol(t.Context(), "P-adv", s.duties[0], at.ID, false, s.now))
		for name, statement := range map[string]string{
			"a place that is taken":      `INSERT INTO training_enrolment (id, duty_id, session_id, seat, state, created_ms, changed_ms) VALUES ('x', $1, $2, 1, 'enrolled', 1, 1)`,
			"a place that is not there":  `INSERT INTO training_enrolment (id, duty_id, session_id, seat, state, created_ms, changed_ms) VALUES ('x', $1, $2, 2, 'enrolled', 1, 1)`,
			"enrolled without a place":   `INSERT INTO training_enrolment (id, duty_id, session_id, state, created_ms, changed_ms) VALUES ('x', $1, $2, 'enrolled', 1, 1)`,
			"a place of who was excused": `INSERT INTO training_enrolment (id, duty_id, session_id, seat, state, created_ms, changed_ms) VALUES ('x', $1, $2, 1, 'excused', 1, 1)`,
		} {
			if _, err := db.ExecContext(t.Context(), statement, string(s.duties[1]), string(at.ID)); err == nil {
				t.Errorf("%s: the schema took it", name)
			}
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO training_enrolment (id, duty_id, state, created_ms, changed_ms) VALUES ('y', $1, 'invited', 1, 1)`, string(s.duties[0])); err == nil {
			t.Error("two ways at once: the schema took it")
		}
	})
}

func TestWaitingListMovesUp(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 3)
		at := s.session(t, 10*24*hour, 1, 2)
		ctx := t.Context()
		good(t, "first", s.store.Enrol(ctx, "P-adv", s.duties[0], at.ID, false, s.now))
		want(t, "full", s.store.Enrol(ctx, "P-adv", s.duties[1], at.ID, false, s.now), training.ErrFull)
		if w := s.duty(t, 1).Now; w.State != "" {
			t.Errorf("after a refusal: %+v, want nothing changed", w)
		}
		for i := 1; i <= 2; i++ {
			s.now = s.now.Add(time.Minute)
			good(t, "wait", s.store.Enrol(ctx, "P-adv", s.duties[i], at.ID, true, s.now))
		}
		good(t, "another date", s.store.AskAnotherDate(ctx, premises.Own("P-1"), s.duties[0], "le mardi", s.now))
		good(t, "asked twice", s.store.AskAnotherDate(ctx, premises.Own("P-1"), s.duties[0], "le mardi", s.now))
		if first, second, third := s.duty(t, 0), s.duty(t, 1), s.duty(t, 2); first.Now.State != training.Excused || first.Wish != "le mardi" ||
			second.Now.State != training.Enrolled || third.Now.State != training.Waiting {
			t.Errorf("states %s, %s, %s", first.Now.State, second.Now.State, third.Now.State)
		}
		all, err := s.store.Duties(ctx, "P-adv", training.Filter{Page: resource.Page{Limit: 9}}, s.now)
		if err != nil || all[0].ID != s.duties[0] {
			t.Errorf("who asked for another date does not come first: %v", err)
		}
		more := training.Notes{Trainer: "P-tra", Place: at.Place, Language: "fr", Capacity: 2, MayWait: 2}
		want(t, "another version", s.store.UpdateSession(ctx, "P-adv", at.ID, more, at.Version+1, s.now), resource.ErrStale)
		good(t, "one place more", s.store.UpdateSession(ctx, "P-adv", at.ID, more, at.Version, s.now))
		if third := s.duty(t, 2); third.Now.State != training.Enrolled {
			t.Errorf("after a place more: %s", third.Now.State)
		}
		more.Capacity = 1
		want(t, "fewer places than people", s.store.UpdateSession(ctx, "P-adv", at.ID, more, at.Version+1, s.now), training.ErrSeatsTaken)
		good(t, "excuse", s.store.Excuse(ctx, "P-adv", s.duties[1], "malade", s.now))
		good(t, "one place fewer", s.store.UpdateSession(ctx, "P-adv", at.ID, more, at.Version+1, s.now))
	})
}

func TestCalledOff(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 2)
		ctx := t.Context()
		at, next := s.session(t, 10*24*hour, 1, 1), s.session(t, 20*24*hour, 1, 0)
		good(t, "enrol", s.store.Enrol(ctx, "P-adv", s.duties[0], at.ID, false, s.now))
		good(t, "wait", s.store.Enrol(ctx, "P-adv", s.duties[1], at.ID, true, s.now))
		want(t, "trainer", s.store.CallOff(ctx, "P-tra", at.ID, s.now), training.ErrNoSession)
		for range 2 {
			good(t, "call off", s.store.CallOff(ctx, "P-adv", at.ID, s.now))
		}
		for i := range 2 {
			if w := s.duty(t, i).Now; w.State != training.Invited || w.Session != next.ID {
				t.Errorf("buyer %d: %+v, want a proposal of the other session", i, w)
			}
		}
		want(t, "enrol", s.store.Enrol(ctx, "P-adv", s.duties[0], at.ID, false, s.now), training.ErrCalledOff)
		if n := waitingLetters(t, db); n != 2 {
			t.Errorf("%d letters wait, want one for each: what was told before does not hold", n)
		}
	})
}

func waitingLetters(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outbox WHERE state = 'waiting'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDatesThatAreRefused(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 1)
		at := s.now.Add(48 * hour)
		for _, tt := range []struct {
			name, field string
			change      func(*training.Plan)
		}{
			{"yesterday", "date", func(p *training.Plan) { p.Date = "2026-03-17" }},
			{"an hour ago", "date", func(p *training.Plan) { p.Date, p.From, p.To = "2026-03-18", "09:00", "11:00" }},
			{"in two years", "date", func(p *training.Plan) { p.Date = "2028-03-18" }},
			{"29 February of no leap year", "date", func(p *training.Plan) { p.Date = "2027-02-29" }},
			{"no such trainer", "trainer", func(p *training.Plan) { p.Trainer = "P-adv" }},
			{"no such course", "course", func(p *training.Plan) { p.Course = "nowhere" }},
			{"ends before it begins", "to", func(p *training.Plan) { p.To = "00:30" }},
			{"no places", "capacity", func(p *training.Plan) { p.Capacity = 0 }},
		} {
			p := s.plan(at, 4, 0)
			tt.change(&p)
			err := problem.OfFields(p.Check())
			if err == nil {
				_, err = s.store.CreateSession(t.Context(), "P-adv", p, s.now)
			}
			var refused *problem.Error
			if !errors.As(err, &refused) || len(refused.Fields) == 0 || refused.Fields[0].Name != tt.field {
				t.Errorf("%s: %v, want a fault of %s", tt.name, err, tt.field)
			}
		}
		p := s.plan(at, 4, 0)
		if _, err := s.store.CreateSession(t.Context(), "P-ad2", p, s.now); err == nil || problem.Of(err).Message != "residence.none" {
			t.Errorf("another residence's administrator: %v", err)
		}
		if _, err := s.store.CreateSession(t.Context(), "P-adv", p, s.now); err != nil {
			t.Error(err)
		}
		_, err := s.store.CreateSession(t.Context(), "P-adv", p, s.now)
		want(t, "sent twice", err, training.ErrSameSession)
	})
}

// A training on 29 January, or on 29 February, is followed up on a day that is.
func TestFollowUpOfTheEndOfAMonth(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		for i, tt := range []struct{ held, due string }{{"2027-01-31", "2027-02-28"}, {"2028-01-30", "2028-02-29"}, {"2028-02-29", "2028-03-29"}} {
			s := &school{db: db}
			if i == 0 {
				s = newSchool(t, db, 3)
			} else {
				s.store = training.NewStore(db, training.DefaultTerms())
			}
			held, err := civil.ParseDate(tt.held)
			if err != nil {
				t.Fatal(err)
			}
			s.now = held.AddDays(-5).Start(paris(t)).Add(10 * hour)
			courses, err := s.store.Courses(t.Context(), "", 1)
			if err != nil {
				t.Fatal(err)
			}
			s.course = courses[0].ID
			at := s.session(t, 5*24*hour, 3, 0)
			all, err := s.store.Duties(t.Context(), "P-adv", training.Filter{Page: resource.Page{Limit: 9}}, s.now)
			if err != nil {
				t.Fatal(err)
			}
			good(t, "enrol", s.store.Enrol(t.Context(), "P-adv", all[0].ID, at.ID, false, s.now))
			s.duties, s.now = []training.DutyID{all[0].ID}, at.Starts.Add(hour)
			good(t, "present", s.store.Record(t.Context(), "P-tra", at.ID, []training.Mark{{Enrolment: s.duty(t, 0).Now.ID, Present: true}}, s.now))
			story, err := s.store.Story(context.WithoutCancel(t.Context()), s.duty(t, 0))
			if err != nil || story.FollowUp.Due != tt.due {
				t.Errorf("held on %s: asked on %s, %v, want %s", tt.held, story.FollowUp.Due, err, tt.due)
			}
		}
	})
}
