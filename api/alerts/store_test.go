package alerts_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Two flats: the Martins leave R-1 on 10 June, Lea moves in that day; Amina lives
// in R-2, and Paul joins the Martins on 20 May.
const estateFile = `
residence: {id: R, name: La Roseraie, zone: Europe/Paris, earliest: 2020-01-01T00:00:00Z}
gateways: [{id: gw-1}]
dwellings:
  - id: R-1
    building: A
    label: "1"
    households:
      - {id: H-martin, occupants: 2, language: fr, moved_in: 2024-01-01, moved_out: 2026-06-10, persons: [{id: P-rose, name: Rose Martin}, {id: P-paul, name: Paul Martin}]}
      - {id: H-lea, occupants: 1, language: fr, moved_in: 2026-06-10, persons: [{id: P-lea, name: Lea Petit}]}
    points: [{id: P-1, kind: cold_water, meters: [{id: cw-1, gateway: gw-1, interval: 10m, index_modulus: 0, max_per_hour: 0, resolution: fine, from: 2024-01-01T00:00:00Z}]}]
  - id: R-2
    building: A
    label: "2"
    households: [{id: H-amina, occupants: 1, language: fr, moved_in: 2024-06-01, persons: [{id: P-amina, name: Amina Diallo}]}]
    points: [{id: P-2, kind: cold_water, meters: [{id: cw-2, gateway: gw-1, interval: 10m, index_modulus: 0, max_per_hour: 0, resolution: fine, from: 2024-01-01T00:00:00Z}]}]
`

func estate(t *testing.T, db *sql.DB) *alerts.Store {
	t.Helper()
	r, err := roster.Parse([]byte(estateFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := roster.Store(t.Context(), db, r); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Exec(t, db, `UPDATE membership SET from_date = '2026-05-20' WHERE person_id = 'P-paul'`)
	return alerts.NewStore(db)
}

// alarm is one of a point, of so many nights up to a day, with all that a finding
// may have.
func alarm(point metering.PointID, nights, day int) alerts.Verdict {
	f := until(finding(nights), day)
	f.Since = alerts.Since{Earliest: on(day - nights).Add(-time.Hour), Latest: on(day - nights)}
	f.Cause.Point, f.Chance, f.DayWindow, f.Window, f.Smallest = point, 1e-5, 30*time.Minute, time.Hour, 2000
	f.Why = metering.Explain(metering.ColdWater, on(day-1), on(day), []metering.Part{{
		From: metering.Boundary{Meter: "cw-1", At: on(day - 1), Index: 1000}, To: metering.Boundary{Meter: "cw-1", At: on(day), Index: 25_000}}})
	return alerts.Verdict{Outcome: alerts.Alarm, Finding: f}
}

func take(t *testing.T, s *alerts.Store, household premises.HouseholdID, v alerts.Verdict, at time.Time) bool {
	t.Helper()
	opened, err := s.Take(t.Context(), v, household, at)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func open(t *testing.T, s *alerts.Store) []alerts.Kept {
	t.Helper()
	all, err := s.Open(t.Context(), "R")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// change does deeds to the only open case.
func change(t *testing.T, s *alerts.Store, first int, names ...string) alerts.Case {
	t.Helper()
	k := open(t, s)[0]
	c := k.Case
	for i, name := range names {
		var err error
		if c, err = deeds[name](c, first+i); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Change(t.Context(), k, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// What is read is what was stored, through the whole life of a case.
func TestStoreKeepsTheLife(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		if !take(t, s, "H-martin", alarm("P-1", 1, 0), on(0)) {
			t.Fatal("not opened")
		}
		want := alerts.Open(alarm("P-1", 1, 0).Finding, on(0))
		for n, name := range []string{"tell", "see 3", "flows", "repair", "quiet", "quiet", "quiet"} {
			got := open(t, s)
			if len(got) != 1 {
				t.Fatalf("%d open cases before %s", len(got), name)
			}
			if diff := cmp.Diff(want, got[0].Case, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("before %s (-want +got):\n%s", name, diff)
			}
			want = change(t, s, n+1, name)
		}
		if want.State != alerts.Verified || len(open(t, s)) != 0 {
			t.Errorf("%s, and %d are open", want.State, len(open(t, s)))
		}
		seen, err := s.Seen(t.Context(), premises.Own("P-rose"), on(20))
		if err != nil || len(seen) != 1 || seen[0].State != alerts.Verified {
			t.Errorf("the household sees %+v, %v", seen, err)
		}
	})
}

func TestOneOpenCaseACause(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		const at = 8
		opened := make(chan bool, at)
		for range at {
			go func() {
				did, err := s.Take(t.Context(), alarm("P-1", 1, 0), "H-martin", on(0))
				if err != nil {
					t.Error(err)
				}
				opened <- did
			}()
		}
		n := 0
		for range at {
			if <-opened {
				n++
			}
		}
		if n != 1 || len(open(t, s)) != 1 || open(t, s)[0].Version != 1 {
			t.Fatalf("%d of %d runs opened a case: %+v", n, at, open(t, s))
		}
		// The schema holds it, whatever a program does.
		_, err := db.ExecContext(t.Context(), `INSERT INTO alert_case (id, subject, point_id, state, finding, quiet_nights, opened_ms, first_date, last_date)
			VALUES ('x', 'water', 'P-1', 'told', '{}', 0, 1, '2026-05-04', '2026-05-04')`)
		if err == nil {
			t.Error("a second open case of the cause was stored")
		}
		if take(t, s, "H-martin", alarm("P-1", 3, 2), on(2)) || open(t, s)[0].State != alerts.Confirmed {
			t.Errorf("the third night: %+v", open(t, s))
		}
		silent := alerts.Verdict{Outcome: alerts.Alarm, Finding: alerts.Finding{
			Cause: alerts.Cause{Subject: alerts.Silence, Gateway: "gw-1"}, Since: alerts.Since{Latest: on(1)}, Last: on(2)}}
		cold := alarm("P-1", 2, 2)
		cold.Finding.Cause.Subject = alerts.Cold
		if !take(t, s, "H-amina", alarm("P-2", 1, 2), on(2)) || !take(t, s, "", silent, on(2)) || !take(t, s, "H-martin", cold, on(2)) || take(t, s, "", silent, on(3)) {
			t.Error("other causes have cases of their own")
		}
		if take(t, s, "H-amina", alerts.Verdict{Outcome: alerts.Ask, Finding: alarm("P-2", 1, 2).Finding}, on(2)) {
			t.Error("a question opened a case")
		}
		if len(open(t, s)) != 4 {
			t.Errorf("%d are open, want 4", len(open(t, s)))
		}
		change(t, s, 3, "dismiss")
		if !take(t, s, "H-martin", alarm("P-1", 1, 9), on(9)) {
			t.Error("the cause of a case that is over opens no other")
		}
	})
}

func TestSecondChangeIsTold(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		take(t, s, "H-martin", alarm("P-1", 1, 0), on(0))
		k := open(t, s)[0]
		told, err := k.Tell(on(1), "advisor")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Change(t.Context(), k, told); err != nil {
			t.Fatal(err)
		}
		if err := s.Change(t.Context(), k, told); !errors.Is(err, resource.ErrStale) {
			t.Errorf("the second of two changes: %v", err)
		}
		if got := open(t, s)[0]; len(got.Steps) != 2 || got.State != alerts.Told {
			t.Errorf("%+v", got)
		}
	})
}

// What each person sees of three cases: of the Martins before Paul joined, of the
// Martins after, and of Lea.
func TestSeen(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		take(t, s, "H-martin", alarm("P-1", 1, 0), on(0)) // 4 May
		change(t, s, 1, "tell", "dismiss")
		take(t, s, "H-martin", alarm("P-1", 1, 30), on(30)) // 3 June
		change(t, s, 31, "tell", "confirm")
		change(t, s, 37, "leave") // 10 June
		take(t, s, "H-lea", alarm("P-1", 1, 40), on(40))
		for _, p := range []string{"P-jean", "P-far"} {
			sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ($1, $2, 'fr')`, p, "Helper "+p)
		}
		sqldbtest.Exec(t, db, `INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
			VALUES ('m', 'H-martin', 'P-paul', 'P-jean', 'see', 'page', 'P-paul', '2026-05-21', '2026-06-09', 1)`)
		own := premises.Own
		for _, tt := range []struct {
			name string
			v    premises.Viewer
			day  int
			want string
		}{
			{"who lived there", own("P-rose"), 38, "2026-06-03 confirmed 3, 2026-05-04 dismissed 3"}, // not that it ended by the move
			{"who joined later", own("P-paul"), 38, "2026-06-03 confirmed 3"},
			{"who moved in", own("P-lea"), 41, "2026-06-13 opened 1"},
			{"a neighbour", own("P-amina"), 41, ""},
			{"a neighbour who names the household", premises.Viewer{Person: "P-amina", Household: "H-martin"}, 41, ""},
			{"a helper", premises.Viewer{Person: "P-jean", Household: "H-martin"}, 33, "2026-06-03 confirmed 3"},
			{"a helper as for an own home", own("P-jean"), 33, ""},
			{"a helper after the mandate", premises.Viewer{Person: "P-jean", Household: "H-martin"}, 36, ""},
			{"nobody", own("P-far"), 33, ""},
		} {
			all, err := s.Seen(t.Context(), tt.v, on(tt.day))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range all {
				got = append(got, fmt.Sprint(k.Steps[0].At.Format(time.DateOnly), " ", k.State, " ", len(k.Steps)))
				one, err := s.ByID(t.Context(), tt.v, on(tt.day), k.ID)
				if err != nil || one.State != k.State {
					t.Errorf("%s: case %s: %+v, %v", tt.name, k.ID, one, err)
				}
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("%s sees %q, want %q", tt.name, got, tt.want)
			}
		}
		lea := open(t, s)[0]
		for _, person := range []premises.Viewer{own("P-rose"), own("P-amina"), {Person: "P-lea", Household: "H-martin"}} {
			if _, err := s.ByID(t.Context(), person, on(41), lea.ID); problem.Of(err).Kind != problem.NotFound {
				t.Errorf("%v reads Lea's case: %v", person, err)
			}
		}
		if _, err := s.ByID(t.Context(), own("P-lea"), on(41), ""); problem.Of(err).Kind != problem.NotFound {
			t.Errorf("a case without an id: %v", err)
		}
	})
}

// A case that goes on after a move that nobody had told of is not the former
// tenant's to read: it tells of the next one's water.
func TestLateWordOfAMove(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		sqldbtest.Exec(t, db, `DELETE FROM tenancy WHERE household_id = 'H-lea'`)
		sqldbtest.Exec(t, db, `UPDATE tenancy SET moved_out = NULL WHERE household_id = 'H-martin'`)
		take(t, s, "H-martin", alarm("P-1", 1, 30), on(30))
		take(t, s, "H-martin", alarm("P-1", 9, 39), on(39)) // two days after the Martins left
		sqldbtest.Exec(t, db, `UPDATE tenancy SET moved_out = '2026-06-10' WHERE household_id = 'H-martin'`)
		sqldbtest.Exec(t, db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-lea', 'H-lea', 'R-1', '2026-06-10')`)
		for _, person := range []premises.Viewer{premises.Own("P-rose"), premises.Own("P-lea")} {
			if all, err := s.Seen(t.Context(), person, on(41)); err != nil || len(all) != 0 {
				t.Errorf("%s sees %+v, %v", person.Person, all, err)
			}
		}
	})
}

// What is erased is gone with its steps, and nothing of the next household.
func TestErase(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		take(t, s, "H-amina", alarm("P-2", 1, 0), on(0))
		take(t, s, "H-martin", alarm("P-1", 1, 30), on(30))
		change(t, s, 31, "tell") // of P-2, which was opened first
		sqldbtest.Exec(t, db, `UPDATE alert_case SET state = 'left', ended_ms = opened_ms WHERE point_id = 'P-1'`)
		take(t, s, "H-lea", alarm("P-1", 1, 40), on(40))
		from, to := civil.Date{Year: 2024, Month: 1, Day: 1}, civil.Date{Year: 2026, Month: 6, Day: 10}
		for _, want := range []int64{1, 0} {
			if n, err := s.Erase(t.Context(), "P-1", from, to); n != want || err != nil {
				t.Errorf("%d cases were erased, %v; want %d", n, err, want)
			}
		}
		for person, want := range map[accounts.PersonID]int{"P-rose": 0, "P-lea": 1, "P-amina": 1} {
			if all, err := s.Seen(t.Context(), premises.Own(person), on(41)); len(all) != want || err != nil {
				t.Errorf("%s sees %d cases, %v; want %d", person, len(all), err, want)
			}
		}
		var steps int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM alert_step`).Scan(&steps); err != nil || steps != 3 {
			t.Errorf("%d steps are left, %v; want 3", steps, err)
		}
	})
}
