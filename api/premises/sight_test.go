package premises_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func splitYAML(text string) []string { return strings.Split(text, "\n---\n") }

// seen writes what a viewer may see over all days: "R-1 2024-01-01..2024-05-01".
func seen(t testing.TB, s *premises.Store, v premises.Viewer, now time.Time) string {
	t.Helper()
	stays, err := s.During(t.Context(), v, now, civil.Date{Year: 2000, Month: 1, Day: 1}, civil.Date{Year: 2099, Month: 1, Day: 1})
	if err != nil {
		refused(t, err, problem.NotFound, "tenancy.none")
		return "nothing"
	}
	var all []string
	for _, stay := range stays {
		all = append(all, fmt.Sprintf("%s %s..%s", stay.Dwelling.ID, stay.From, stay.To))
	}
	return strings.Join(all, ", ")
}

const (
	helperSees = "INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms) VALUES "
)

// Each minute around midnight of a move, in winter, and on the days of 23 and 25
// hours: who moves sees only their own days in both flats, the new tenant none
// of before, and who leaves sees nothing from that day on, helpers included.
func TestEachMinuteAroundMidnight(t *testing.T) {
	for _, day := range []string{"2026-02-10", "2026-03-29", "2026-10-25"} {
		t.Run(day, func(t *testing.T) {
			sqldbtest.Each(t, func(t *testing.T, db *sql.DB) { minutesAround(t, db, day) })
		})
	}
}

func minutesAround(t *testing.T, db *sql.DB, day string) {
	s := estate(t, db)
	move := date(t, day)
	before := noon(t, move.AddDays(-20).String())
	// The Martins move from; Lea comes into R-1. Paul leaves the
	// household that day, and Jean, who helps on Paul's word, with him; Amina
	// helps on Rose's word until the day after.
	moved, err := s.Move(t.Context(), by("man-R", "", before), premises.Move{Dwelling: "R-1", MovedOut: move, LeaverTo: "R-3", MovedIn: move,
		Newcomer: premises.Newcomer{New: premises.Household{Occupants: 1, Language: "fr"}, Persons: []premises.NewPerson{{Name: "Lea", Language: "fr"}}}, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	lea := moved.Persons[0]
	sqldbtest.Exec(t, db, helperSees+`('m1', 'H-martin', 'P-paul', 'P-jean', 'see', 'page', 'P-paul', '2026-01-01', '2027-01-01', 1),
		('m2', 'H-martin', 'P-rose', 'P-amina', 'see', 'page', 'P-rose', '2026-01-01', $1, 1)`, move.AddDays(1).String())
	sqldbtest.Exec(t, db, `UPDATE membership SET to_date = $1 WHERE person_id = 'P-paul'`, day)

	paris := zone(t, "Europe/Paris")
	start, end := move.Bounds(paris)
	d := move.String()
	both := fmt.Sprintf("R-1 2024-01-01..%s, R-3 %s..2099-01-01", d, d)
	newcomer := fmt.Sprintf("R-1 %s..2099-01-01", d)
	check := func(now time.Time) {
		t.Helper()
		early, late := now.Before(start), !now.Before(end)
		for _, tt := range []struct {
			name string
			v    premises.Viewer
			want string
		}{
			{"who moves", premises.Own("P-rose"), both},
			{"the new tenant", premises.Own(lea), either(early, "nothing", newcomer)},
			{"who leaves", premises.Own("P-paul"), either(early, both, "nothing")},
			{"the helper of who leaves", premises.Viewer{Person: "P-jean", Household: "H-martin"}, either(early, both, "nothing")},
			{"the helper of who stays", premises.Viewer{Person: "P-amina", Household: "H-martin"}, either(late, "nothing", both)},
			{"the helper's own home", premises.Own("P-amina"), "R-2 2024-06-01..2099-01-01"},
			{"the former tenant of the new one's household", premises.Viewer{Person: "P-rose", Household: moved.Begun.Household}, "nothing"},
			{"the new tenant of the former one's household", premises.Viewer{Person: lea, Household: "H-martin"}, "nothing"},
		} {
			if got := seen(t, s, tt.v, now); got != tt.want {
				t.Fatalf("at %s %s sees %q, want %q", now.In(paris), tt.name, got, tt.want)
			}
		}
	}
	for _, bound := range []time.Time{start, end} {
		for minute := -10; minute <= 10; minute++ {
			check(bound.Add(time.Duration(minute) * time.Minute))
		}
		check(bound.Add(-time.Millisecond))
		check(bound.Add(time.Millisecond))
	}
	for at := start.Add(30 * time.Minute); at.Before(start.Add(5 * time.Hour)); at = at.Add(15 * time.Minute) {
		check(at) // over the change of the clocks
	}
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// A mandate shows what its giver may see, never more, and ends with what it rests
// on.
func TestMandateShowsNoMoreThanItsGiver(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		sqldbtest.Exec(t, db, `UPDATE membership SET from_date = '2025-05-01' WHERE person_id = 'P-paul'`)
		sqldbtest.Exec(t, db, helperSees+`('m', 'H-martin', 'P-paul', 'P-jean', 'see', 'page', 'P-paul', '2026-01-10', '2026-06-01', 1)`)
		v, now := premises.Viewer{Person: "P-jean", Household: "H-martin"}, noon(t, "2026-03-18")
		for _, tt := range []struct{ name, change, undo, at, want string }{
			{"while it stands", "", "", "2026-03-18", "R-1 2025-05-01..2099-01-01"}, // from the day on which its giver joined
			{"before its first day", "", "", "2026-01-09", "nothing"},
			{"its first day", "", "", "2026-01-10", "R-1 2025-05-01..2099-01-01"},
			{"its last day", "", "", "2026-05-31", "R-1 2025-05-01..2099-01-01"},
			{"after its last day", "", "", "2026-06-01", "nothing"},
			{"revoked", `UPDATE mandate SET revoked_ms = 5`, `UPDATE mandate SET revoked_ms = NULL`, "2026-03-18", "nothing"},
			{"its giver left", `UPDATE membership SET to_date = '2026-03-18' WHERE person_id = 'P-paul'`,
				`UPDATE membership SET to_date = NULL`, "2026-03-18", "nothing"},
			{"the day before its giver leaves", `UPDATE membership SET to_date = '2026-03-19' WHERE person_id = 'P-paul'`,
				`UPDATE membership SET to_date = NULL`, "2026-03-18", "R-1 2025-05-01..2099-01-01"},
			{"the household left", `UPDATE tenancy SET moved_out = '2026-03-18' WHERE household_id = 'H-martin'`,
				`UPDATE tenancy SET moved_out = NULL`, "2026-03-18", "nothing"},
			{"the day before the household leaves", `UPDATE tenancy SET moved_out = '2026-03-19' WHERE household_id = 'H-martin'`,
				`UPDATE tenancy SET moved_out = NULL`, "2026-03-18", "R-1 2025-05-01..2026-03-19"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if tt.change != "" {
					sqldbtest.Exec(t, db, tt.change)
					defer sqldbtest.Exec(t, db, tt.undo)
				}
				if got := seen(t, s, v, noon(t, tt.at)); got != tt.want {
					t.Errorf("sees %q, want %q", got, tt.want)
				}
				_, err := s.Seen(t.Context(), v, noon(t, tt.at))
				if (err == nil) != (tt.want != "nothing") {
					t.Errorf("the household is shown: %v", err)
				}
			})
		}
		// The helper's own home and the helped one never mix.
		if got := seen(t, s, premises.Own("P-jean"), now); got != "S-1 2024-01-01..2099-01-01" {
			t.Errorf("the helper's own homes are %q", got)
		}
		// A mandate is not passed on, nor does it show the giver's other helpers' homes.
		if got := seen(t, s, premises.Viewer{Person: "P-paul", Household: "H-jean"}, now); got != "nothing" {
			t.Errorf("who is helped sees the helper's home: %q", got)
		}
	})
}

// The right ends at midnight where the home is, not where the person's other home
// is.
func TestTodayIsThatOfTheHome(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		sqldbtest.Exec(t, db, helperSees+`('m', 'H-jean', 'P-jean', 'P-rose', 'see', 'page', 'P-jean', '2026-01-01', '2026-03-18', 1)`)
		v := premises.Viewer{Person: "P-rose", Household: "H-jean"}
		midnight := date(t, "2026-03-18").Start(zone(t, "Indian/Reunion"))
		if got := seen(t, s, v, midnight.Add(-time.Minute)); got == "nothing" {
			t.Error("a minute before midnight on Réunion the mandate has ended")
		}
		if got := seen(t, s, v, midnight); got != "nothing" {
			t.Errorf("at midnight on Réunion, 21:00 in Paris, the helper sees %q", got)
		}
		got, err := s.Zone(t.Context(), v)
		if err != nil || got.String() != "Indian/Reunion" {
			t.Errorf("zone = %v, %v", got, err)
		}
	})
}

func TestHouseholds(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		sqldbtest.Exec(t, db, helperSees+`('m1', 'H-martin', 'P-rose', 'P-amina', 'see', 'page', 'P-rose', '2026-01-01', '2026-06-01', 1),
			('m2', 'H-martin', 'P-paul', 'P-amina', 'act', 'page', 'P-paul', '2026-01-01', '2026-07-01', 1),
			('m3', 'H-jean', 'P-jean', 'P-amina', 'see', 'page', 'P-jean', '2026-01-01', '2026-02-01', 1)`)
		var got []string
		all, err := s.Households(t.Context(), "P-amina", noon(t, "2026-03-18"))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range all {
			got = append(got, fmt.Sprint(g.Household, " ", g.Own, " ", g.Act, " ", g.Giver, " ", g.Dwelling.ID))
		}
		want := []string{"H-amina true true  R-2", "H-martin false true Paul Martin R-1"} // each once, the strongest; none that ended
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("households (-want +got):\n%s", diff)
		}
		none, err := s.Households(t.Context(), "tech", noon(t, "2026-03-18"))
		if err != nil || len(none) != 0 {
			t.Errorf("a technician may look at %v, %v", none, err)
		}
	})
}

// Staff see homes by the pages of staff, which are logged, never as viewers.
func TestStaffAreNoViewers(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		for _, r := range staffRoles {
			for _, h := range []premises.HouseholdID{"", "H-martin"} {
				if got := seen(t, s, premises.Viewer{Person: accounts.PersonID(r.person), Household: h}, noon(t, "2026-03-18")); got != "nothing" {
					t.Errorf("%s sees %q", r.person, got)
				}
			}
		}
	})
}
