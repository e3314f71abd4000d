package alerts_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func june(day int) civil.Date { return civil.Date{Year: 2026, Month: time.June, Day: day} }

// nights is an alarm of P-1 whose days are two civil days of June and those
// between, with the indexes of the last.
func nights(t *testing.T, first, last int) alerts.Verdict {
	t.Helper()
	zone := paris(t)
	v := alarm("P-1", last-first+1, 0)
	v.Finding.Since = alerts.Since{Latest: june(first).Start(zone)}
	from, to := june(last).Bounds(zone)
	v.Finding.Last = to
	v.Finding.Why = metering.Explain(metering.ColdWater, from, to, []metering.Part{{
		From: metering.Boundary{Meter: "cw-1", At: from, Index: 1000}, To: metering.Boundary{Meter: "cw-1", At: to, Index: 25_000}}})
	return v
}

func morning(t *testing.T, day int) time.Time {
	t.Helper()
	return alerts.Morning(june(day), paris(t))
}

// told is what a person is shown on a morning of June: each case's state, and its
// first and last day.
func told(t *testing.T, s *alerts.Store, who premises.Viewer, day int) string {
	t.Helper()
	all, err := s.Seen(t.Context(), who, morning(t, day))
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, k := range all {
		first, last := k.Finding.Days(k.Zone)
		shown = append(shown, fmt.Sprintf("%s %d-%d", k.State, first.Day, last.Day))
	}
	return strings.Join(shown, ", ")
}

// On the day on which the Martins leave and Lea moves in the run judges the
// Martins' nights: none of them is Lea's to read, whoever the run says they are of.
func TestMovingDay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		var refusal *alerts.StayError
		for _, household := range []premises.HouseholdID{"H-lea", "H-amina", ""} {
			opened, err := s.Take(t.Context(), nights(t, 5, 8), household, morning(t, 10))
			if opened || !errors.Is(err, alerts.ErrOutsideStay) || !errors.As(err, &refusal) || refusal.Household != household ||
				refusal.First != june(5) || refusal.Last != june(8) {
				t.Errorf("nights of the Martins for %q: opened %v, %v", household, opened, err)
			}
		}
		if take(t, s, "H-martin", nights(t, 5, 8), morning(t, 10)) {
			t.Error("a case was opened for who lives there no more")
		}
		if !take(t, s, "H-martin", nights(t, 5, 8), morning(t, 9)) {
			t.Error("no case was opened the day before")
		}
		if got := told(t, s, premises.Own("P-rose"), 9); got != "confirmed 5-8" {
			t.Errorf("the Martins see %q", got)
		}
		for _, day := range []int{10, 11, 20} {
			if got := told(t, s, premises.Own("P-lea"), day); got != "" {
				t.Errorf("Lea sees %q on the %dth", got, day)
			}
		}
		if _, err := s.Take(t.Context(), nights(t, 9, 10), "H-lea", morning(t, 11)); !errors.Is(err, alerts.ErrOutsideStay) {
			t.Errorf("a finding of both households: %v", err)
		}
	})
}

// What a finding shows beside the days that counted is as much the former
// household's: its begin is left out, its indexes are refused.
func TestWhatCameBefore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		v := nights(t, 10, 11)
		v.Finding.Why = nights(t, 8, 9).Finding.Why
		if _, err := s.Take(t.Context(), v, "H-lea", morning(t, 12)); !errors.Is(err, alerts.ErrOutsideStay) {
			t.Errorf("indexes of the former household: %v", err)
		}
		v = nights(t, 10, 11)
		v.Finding.Since.Earliest = june(9).Start(paris(t))
		take(t, s, "H-lea", v, morning(t, 12))
		silent := nights(t, 5, 11)
		silent.Finding.Cause.Subject, silent.Finding.Why = alerts.Silence, metering.Explanation{}
		take(t, s, "H-lea", silent, morning(t, 12).Add(time.Hour))
		if got := told(t, s, premises.Own("P-lea"), 12); got != "opened 10-11, opened 10-11" {
			t.Errorf("Lea sees %q", got)
		}
		v.Finding.Last = time.Time{}
		if _, err := s.Take(t.Context(), v, "H-lea", morning(t, 12)); !errors.Is(err, alerts.ErrNoDays) {
			t.Errorf("a finding that does not say its days: %v", err)
		}
	})
}

// The leak of the Martins runs on: Lea has her own case as soon as her own days
// show it, theirs is over, and no run that repeats or comes late takes it from her.
func TestLeakOutlivesItsHousehold(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		take(t, s, "H-martin", nights(t, 5, 8), morning(t, 9))
		if !take(t, s, "H-lea", nights(t, 10, 10), morning(t, 11)) {
			t.Fatal("Lea's own night opened nothing")
		}
		for _, late := range []int{9, 12} {
			if take(t, s, "H-martin", nights(t, 6, 8), morning(t, late)) {
				t.Errorf("a late run of the %dth opened a case", late)
			}
		}
		take(t, s, "H-lea", nights(t, 10, 12), morning(t, 13))
		take(t, s, "H-lea", nights(t, 10, 11), morning(t, 14)) // late: of fewer days
		all := open(t, s)
		if len(all) != 1 || all[0].Household != "H-lea" || all[0].First != june(10) || all[0].Last != june(12) {
			t.Fatalf("open: %+v", all)
		}
		if got := told(t, s, premises.Own("P-lea"), 14); got != "confirmed 10-12" {
			t.Errorf("Lea sees %q", got)
		}
		if got := told(t, s, premises.Own("P-rose"), 9); got != "confirmed 5-8" {
			t.Errorf("the Martins saw %q", got)
		}
		var state, by string
		const last = `SELECT alert_case.state, by_whom FROM alert_case JOIN alert_step ON case_id = id
			WHERE household_id = 'H-martin' ORDER BY number DESC LIMIT 1`
		if err := db.QueryRowContext(t.Context(), last).Scan(&state, &by); err != nil || state != "left" || by != "move" {
			t.Errorf("the Martins' case ended %s by %s, %v", state, by, err)
		}
		change(t, s, 42, "dismiss")
		if take(t, s, "H-lea", nights(t, 10, 12), morning(t, 15)) {
			t.Error("an alarm that was taken before opened a case that is over again")
		}
	})
}

// A flat that nobody lives in leaks too: its case is nobody's to read and ends with
// the next household's own.
func TestEmptyFlat(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		sqldbtest.Exec(t, db, `UPDATE tenancy SET moved_in = '2026-06-20' WHERE household_id = 'H-lea'`)
		take(t, s, "H-martin", nights(t, 5, 8), morning(t, 9))
		if !take(t, s, "", nights(t, 10, 14), morning(t, 15)) || take(t, s, "", nights(t, 10, 15), morning(t, 16)) {
			t.Error("the empty flat has no case of its own")
		}
		const movedIn = `UPDATE tenancy SET moved_in = $1 WHERE household_id = 'H-lea'`
		sqldbtest.Exec(t, db, movedIn, "2026-06-10") // a late word; nobody has told her of it yet
		if got := told(t, s, premises.Own("P-lea"), 17); got != "" {
			t.Errorf("Lea sees %q of the empty flat", got)
		}
		sqldbtest.Exec(t, db, movedIn, "2026-06-20")
		for person, want := range map[accounts.PersonID]string{"P-rose": "confirmed 5-8", "P-lea": ""} {
			if got := told(t, s, premises.Own(person), 21); got != want {
				t.Errorf("%s sees %q, want %q", person, got, want)
			}
		}
		if !take(t, s, "H-lea", nights(t, 20, 20), morning(t, 21)) || told(t, s, premises.Own("P-lea"), 21) != "opened 20-20" || len(open(t, s)) != 1 {
			t.Errorf("Lea sees %q; open: %+v", told(t, s, premises.Own("P-lea"), 21), open(t, s))
		}
	})
}

// A case goes with the days of its findings, whenever it was opened and whatever
// its latest finding tells.
func TestEraseByDays(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		for _, tt := range []struct {
			name     string
			from, to int
			want     int64
		}{
			{"the day before its first", 1, 3, 0},
			{"its first day", 1, 4, 1},
			{"its last day, after it was opened", 8, 9, 1},
			{"days between", 5, 6, 1},
			{"the day of the run alone", 9, 10, 0},
			{"the next household's", 10, 30, 0},
		} {
			s := estate(t, db)
			take(t, s, "H-martin", nights(t, 3, 4), morning(t, 5))
			take(t, s, "H-martin", nights(t, 6, 8), morning(t, 9)) // with a pause; the case is the same
			if n, err := s.Erase(t.Context(), "P-1", june(tt.from), june(tt.to)); n != tt.want || err != nil {
				t.Errorf("%s: %d cases were erased, %v; want %d", tt.name, n, err, tt.want)
			}
			sqldbtest.Exec(t, db, `DELETE FROM alert_case`)
		}
	})
}
