package premises_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// lines writes what a query finds, a line a row.
func lines(t testing.TB, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		cells := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, c := range cells {
			line = append(line, either(c.Valid, c.String, "-"))
		}
		all = append(all, strings.Join(line, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// everything is what a move may change.
func everything(t testing.TB, db *sql.DB) string {
	t.Helper()
	return lines(t, db, `SELECT household_id, dwelling_id, moved_in, moved_out, version FROM tenancy ORDER BY dwelling_id, moved_in`) + "\n" +
		lines(t, db, `SELECT person_id, household_id, from_date, to_date FROM membership ORDER BY person_id, household_id`) + "\n" +
		lines(t, db, `SELECT id, to_date, revoked_ms FROM mandate ORDER BY id`) + "\n" +
		lines(t, db, `SELECT COUNT(*) FROM household`) + "\n" + lines(t, db, `SELECT COUNT(*) FROM person`) + "\n" +
		lines(t, db, `SELECT dwelling_id, at_ms FROM move_event ORDER BY id`) + "\n" + lines(t, db, `SELECT COUNT(*) FROM access_log`)
}

var lea = premises.Newcomer{New: premises.Household{Occupants: 2, Language: "fr", Contact: premises.Contact{By: premises.Telephone, Telephone: "06 00 00 00 00"}},
	Persons: []premises.NewPerson{{Name: "Lea Petit", Language: "fr"}, {Name: "Tom Petit", Language: "en"}}}

func TestMoveOutAndIn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		sqldbtest.Exec(t, db, helperSees+`('m1', 'H-martin', 'P-rose', 'P-jean', 'see', 'page', 'P-rose', '2026-01-01', '2027-01-01', 1),
			('m2', 'H-martin', 'P-rose', 'P-amina', 'act', 'page', 'P-rose', '2026-04-10', '2027-01-01', 1)`)
		out, in := date(t, "2026-04-01"), date(t, "2026-04-03")
		moved, err := s.Move(t.Context(), by("man-R", "", now), premises.Move{Dwelling: "R-1", MovedOut: out, MovedIn: in, Newcomer: lea, Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		if moved.Ended.Household != "H-martin" || moved.Begun.Dwelling != "R-1" || len(moved.Persons) != 2 || moved.LeaverNow.ID != "" {
			t.Errorf("moved = %+v", moved)
		}
		got := lines(t, db, `SELECT household_id, moved_in, moved_out FROM tenancy WHERE dwelling_id = 'R-1' ORDER BY moved_in`)
		if want := "H-martin 2024-01-01 2026-04-01\n" + string(moved.Begun.Household) + " 2026-04-03 -"; got != want {
			t.Errorf("tenancies of R-1:\n%s\nwant\n%s", got, want)
		}
		if got := lines(t, db, `SELECT person_id, to_date FROM membership WHERE household_id = 'H-martin' ORDER BY person_id`); got != "P-paul 2026-04-01\nP-rose 2026-04-01" {
			t.Errorf("memberships of who left:\n%s", got)
		}
		if got := lines(t, db, `SELECT id, to_date, revoked_ms IS NOT NULL AND revoked_ms > 0 FROM mandate ORDER BY id`); !strings.HasPrefix(got, "m1 2026-04-01") || !strings.Contains(got, "m2 2027-01-01") ||
			lines(t, db, `SELECT id FROM mandate WHERE revoked_ms IS NOT NULL`) != "m2" {
			t.Errorf("mandates of who left:\n%s", got)
		}
		paris := zone(t, "Europe/Paris")
		want := fmt.Sprintf("%s H-martin R-1 %d %d -", moved.Ended.ID, date(t, "2024-01-01").Start(paris).UnixMilli(), out.Start(paris).UnixMilli())
		if got := lines(t, db, `SELECT tenancy_id, household_id, dwelling_id, from_ms, at_ms, handled_ms FROM move_event`); got != want {
			t.Errorf("what is to be erased:\n%s\nwant\n%s", got, want)
		}
		if got := lines(t, db, `SELECT household_id, person_id, role, what FROM access_log ORDER BY id`); got !=
			"H-martin man-R manager look.sheet\n"+string(moved.Begun.Household)+" man-R manager look.sheet" {
			t.Errorf("written down:\n%s", got)
		}
		if got := lines(t, db, `SELECT name, language FROM person WHERE name LIKE '% Petit' ORDER BY name`); got != "Lea Petit fr\nTom Petit en" {
			t.Errorf("newcomers:\n%s", got)
		}

		// The end is moved while it lies ahead: one erasure, at the new day.
		moved, err = s.Move(t.Context(), by("man-R", "", now), premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-02"), Version: moved.Ended.Version})
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(t, db, `SELECT tenancy_id, at_ms FROM move_event`); got != fmt.Sprint(moved.Ended.ID, " ", date(t, "2026-04-02").Start(paris).UnixMilli()) {
			t.Errorf("after the end was moved:\n%s", got)
		}
		if got := lines(t, db, `SELECT DISTINCT to_date FROM membership WHERE household_id = 'H-martin'`); got != "2026-04-02" {
			t.Errorf("memberships end %s", got)
		}
	})
}

// The leaver lives on in another dwelling: members and helpers stay, and what is
// fine in the first is erased all the same.
func TestMoveWithinTheStock(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		sqldbtest.Exec(t, db, helperSees+`('m1', 'H-martin', 'P-rose', 'P-jean', 'see', 'page', 'P-rose', '2026-01-01', '2027-01-01', 1)`)
		moved, err := s.Move(t.Context(), by("adm", "", now), premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-03-10"), LeaverTo: "R-3", Version: 1})
		if err != nil || moved.LeaverNow.Dwelling != "R-3" {
			t.Fatal(moved, err)
		}
		for _, v := range []premises.Viewer{premises.Own("P-rose"), {Person: "P-jean", Household: "H-martin"}} {
			if got := seen(t, s, v, now); got != "R-1 2024-01-01..2026-03-10, R-3 2026-03-10..2099-01-01" {
				t.Errorf("%s sees %s", v.Person, got)
			}
		}
		if got := lines(t, db, `SELECT dwelling_id FROM move_event`); got != "R-1" {
			t.Errorf("to be erased: %s", got)
		}
	})
}

func TestMoveRefuses(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		d := func(text string) premises.Move {
			return premises.Move{Dwelling: "R-1", MovedOut: date(t, text), Version: 1}
		}
		before := everything(t, db)
		for _, tt := range []struct {
			name  string
			who   accounts.PersonID
			move  premises.Move
			kind  problem.Kind
			field string
		}{
			{"nothing", "man-R", premises.Move{Dwelling: "R-1"}, problem.Invalid, "moved_out field.missing"},
			{"out before in", "man-R", premises.Move{Dwelling: "R-2", MovedOut: date(t, "2024-06-01").AddDays(0), Version: 1}, problem.Invalid, "moved_out field.too_early"},
			{"far in the past", "man-R", d("2025-12-01"), problem.Invalid, "moved_out field.too_early"},
			{"far in the future", "man-R", d("2027-06-01"), problem.Invalid, "moved_out field.too_late"},
			{"in before out", "man-R", premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-01"), MovedIn: date(t, "2026-03-31"), Newcomer: lea, Version: 1}, problem.Invalid, "moved_in field.before_moved_out"},
			{"in without out", "man-R", premises.Move{Dwelling: "R-1", MovedIn: date(t, "2026-04-01"), Newcomer: lea}, problem.Invalid, "moved_out field.occupied"},
			{"in far away", "man-R", premises.Move{Dwelling: "R-3", MovedIn: date(t, "2020-04-01"), Newcomer: lea}, problem.Invalid, "moved_in field.too_early"},
			{"nobody comes", "man-R", premises.Move{Dwelling: "R-3", MovedIn: date(t, "2026-04-01")}, problem.Invalid, "newcomer.persons"},
			{"nobody leaves", "man-R", premises.Move{Dwelling: "R-3", MovedOut: date(t, "2026-04-01")}, problem.Invalid, "moved_out field.nobody_there"},
			{"to itself", "man-R", premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-01"), LeaverTo: "R-1", Version: 1}, problem.Invalid, "leaver_to field.same_dwelling"},
			{"to an occupied one", "man-R", premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-01"), LeaverTo: "R-2", Version: 1}, problem.Conflict, "leaver_to field.occupied"},
			{"to another's", "man-R", premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-01"), LeaverTo: "S-2", Version: 1}, problem.Invalid, "leaver_to field.not_found"},
			{"to nowhere", "man-R", premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-01"), LeaverTo: "none", Version: 1}, problem.Invalid, "leaver_to field.not_found"},
			{"another's household", "man-R", premises.Move{Dwelling: "R-3", MovedIn: date(t, "2026-04-01"), Newcomer: premises.Newcomer{Household: "H-jean"}}, problem.Invalid, "newcomer.household field.not_found"},
			{"another version", "man-R", premises.Move{Dwelling: "R-1", MovedOut: date(t, "2026-04-01"), Version: 2}, problem.Stale, "error.stale"},
			{"another's manager", "man-S", d("2026-04-01"), problem.NotFound, "dwelling.none"},
			{"an advisor", "adv-R", d("2026-04-01"), problem.NotFound, "dwelling.none"},
			{"an installer", "ins-R", d("2026-04-01"), problem.NotFound, "dwelling.none"},
			{"a tenant", "P-rose", d("2026-04-01"), problem.NotFound, "dwelling.none"},
			{"no dwelling", "adm", premises.Move{Dwelling: "none", MovedOut: date(t, "2026-04-01"), Version: 1}, problem.NotFound, "dwelling.none"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				_, err := s.Move(t.Context(), by(tt.who, "", now), tt.move)
				refused(t, err, tt.kind, tt.field)
			})
		}
		if diff := cmp.Diff(before, everything(t, db)); diff != "" {
			t.Errorf("refused moves left something (-before +after):\n%s", diff)
		}
		sqldbtest.Exec(t, db, `UPDATE tenancy SET moved_in = '2026-03-01' WHERE dwelling_id = 'R-1'`)
		_, err := s.Move(t.Context(), by("man-R", "", now), d("2026-03-01"))
		refused(t, err, problem.Invalid, "moved_out field.before_moved_in")
	})
}

// Of two who move at once, one is told.
func TestMovesAtOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			all.Go(func() {
				m := premises.Move{Dwelling: "R-3", MovedIn: date(t, "2026-04-01").AddDays(i % 2), Newcomer: lea}
				_, errs[i] = s.Move(t.Context(), by("man-R", "", now), m)
			})
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
				continue
			}
			if p := problem.Of(err); p.Kind != problem.Conflict && p.Kind != problem.Invalid {
				t.Errorf("a move is refused with %v", err)
			}
		}
		if got := lines(t, db, `SELECT COUNT(*) FROM tenancy WHERE dwelling_id = 'R-3'`); done != 1 || got != "1" {
			t.Errorf("%d moves were made, %s tenancies", done, got)
		}
		if got := lines(t, db, `SELECT COUNT(*) FROM household`); got != "4" {
			t.Errorf("%s households are left", got)
		}
	})
}

func TestNewcomerWhoWasThereBefore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		_, err := s.Move(t.Context(), by("man-R", "", now), premises.Move{Dwelling: "R-3", MovedIn: date(t, "2026-03-20"), Newcomer: premises.Newcomer{Household: "H-amina"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := seen(t, s, premises.Own("P-amina"), now.Add(72*time.Hour)); got != "R-2 2024-06-01..2099-01-01, R-3 2026-03-20..2099-01-01" {
			t.Errorf("who has two homes sees %s", got)
		}
		// Leaving one of two homes ends no membership.
		if _, err := s.Move(t.Context(), by("man-R", "", now), premises.Move{Dwelling: "R-2", MovedOut: date(t, "2026-03-25"), Version: 1}); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, db, `SELECT to_date FROM membership WHERE person_id = 'P-amina'`); got != "-" {
			t.Errorf("the membership ends %s", got)
		}
	})
}
