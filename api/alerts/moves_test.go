package alerts_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// movers move in and out of R-1, each with one member who may look for ever.
var movers = map[premises.HouseholdID]accounts.PersonID{"H-martin": "P-rose", "H-lea": "P-lea", "H-amina": "P-amina"}

// A lived stay is [in, out) in days of June; an out of 0 has no end.
type lived struct {
	household premises.HouseholdID
	in, out   int
}

func (l lived) holds(day int) bool { return day >= l.in && (l.out == 0 || day < l.out) }

// A move on a day of June is known from another day on, before or after it.
type move struct {
	to   premises.HouseholdID // empty: the flat stays empty
	on   int
	word int
}

// A street is what happens to R-1 in a run of the property.
type street struct {
	t          *rapid.T
	db         *sql.DB
	s          *alerts.Store
	zone       *time.Location
	moves      []move
	leak, ends int // it leaks on the days [leak, ends)
	known      []lived
}

const lastMorning = 16

func drawStreet(t *rapid.T) street {
	to := rapid.SampledFrom([]premises.HouseholdID{"H-martin", "H-lea", "H-amina", ""})
	st := street{t: t, leak: rapid.IntRange(1, 10).Draw(t, "leak"), moves: []move{{to: to.Draw(t, "first"), on: 1, word: 1}}}
	st.ends = st.leak + rapid.IntRange(1, 15).Draw(t, "days of leak")
	for day := 1; ; {
		day += rapid.IntRange(1, 8).Draw(t, "days to the next move")
		if day > lastMorning {
			return st
		}
		word := day + rapid.IntRange(-2, 3).Draw(t, "word")
		st.moves = append(st.moves, move{to.Draw(t, "who"), day, max(word, st.moves[len(st.moves)-1].word)})
	}
}

// hear stores the moves that are known on a day.
func (st *street) hear(day int) {
	st.known = nil
	for _, m := range st.moves {
		if m.word > day {
			break
		}
		if n := len(st.known); n > 0 && st.known[n-1].out == 0 {
			st.known[n-1].out = m.on
		}
		if m.to != "" {
			st.known = append(st.known, lived{household: m.to, in: m.on})
		}
	}
	st.exec(`DELETE FROM tenancy WHERE dwelling_id = 'R-1'`)
	for n, l := range st.known {
		out := sql.NullString{String: june(l.out).String(), Valid: l.out > 0}
		st.exec(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out) VALUES ($1, $2, 'R-1', $3, $4)`,
			fmt.Sprint("T-", n), string(l.household), june(l.in).String(), out)
	}
}

func (st *street) exec(statement string, args ...any) {
	if _, err := st.db.ExecContext(st.t.Context(), statement, args...); err != nil {
		st.t.Fatalf("%s: %v", statement, err)
	}
}

// livesOn is who is known to live there on a day, from its first day on; without
// anybody it is from the day on which the last one left.
func (st *street) livesOn(day int) (home lived) {
	home.in = 1
	for _, l := range st.known {
		switch {
		case l.holds(day):
			return l
		case l.in > day:
			home.out = l.in
			return home
		}
		home.in = l.out
	}
	return home
}

// verdict is that of the run of a morning about the days from one on.
func (st *street) verdict(from, morning int) alerts.Verdict {
	var days []alerts.QuietDay
	for day := 1; day < morning; day++ {
		flow := metering.Amount(0)
		if day >= st.leak && day < st.ends {
			flow = 25_000
		}
		days = append(days, alerts.OfFigure(june(day).Start(st.zone), flow, 30*time.Minute, st.zone))
	}
	m := alerts.Meter{Point: "P-1", Kind: metering.ColdWater, Count: litre, Zone: st.zone, Checked: true}
	return alerts.LeakInWindows(m, alerts.Nights{days}.Since(june(from).Start(st.zone)), nil)
}

func (st *street) morning(day int) time.Time { return alerts.Morning(june(day), st.zone) }

// take runs it; careless runs may be refused, for one reason alone.
func (st *street) take(v alerts.Verdict, household premises.HouseholdID, at int, careless bool) {
	_, err := st.s.Take(st.t.Context(), v, household, st.morning(at))
	if err != nil && !(careless && errors.Is(err, alerts.ErrOutsideStay)) {
		st.t.Fatalf("%q on the %dth: %v", household, at, err)
	}
}

// run is that of a morning, as it should be.
func (st *street) run(day int) {
	of := st.livesOn(day - 1)
	st.take(st.verdict(of.in, day), of.household, day, false)
}

// stray is a run that repeats, comes late, tells an old instant, or does not heed
// who lived there.
func (st *street) stray(day int) {
	about := rapid.IntRange(2, day).Draw(st.t, "about")
	at := rapid.SampledFrom([]int{about, day}).Draw(st.t, "at")
	of := st.livesOn(about - 1)
	if rapid.Bool().Draw(st.t, "careless") {
		of.in = rapid.IntRange(1, about).Draw(st.t, "from")
		of.household = rapid.SampledFrom([]premises.HouseholdID{"H-martin", "H-lea", "H-amina", ""}).Draw(st.t, "for")
		st.take(st.verdict(of.in, about), of.household, at, true)
		return
	}
	st.take(st.verdict(of.in, about), of.household, at, false)
}

// end dismisses what is open.
func (st *street) end(day int) {
	all, err := st.s.Open(st.t.Context(), "R")
	if err != nil {
		st.t.Fatal(err)
	}
	for _, k := range all {
		c, err := k.Dismiss(st.morning(day).Add(time.Hour), "advisor")
		if err == nil {
			err = st.s.Change(st.t.Context(), k, c)
		}
		if err != nil {
			st.t.Fatal(err)
		}
	}
}

// shown are the cases that a household's member sees on a day.
func (st *street) shown(household premises.HouseholdID, day int) []alerts.Kept {
	all, err := st.s.Seen(st.t.Context(), premises.Own(movers[household]), st.morning(day).Add(2*time.Hour))
	if err != nil {
		st.t.Fatal(err)
	}
	return all
}

// safe checks that nobody sees a day that is not of one stay of their own.
func (st *street) safe(day int) {
	for household := range movers {
		for _, k := range st.shown(household, day) {
			instants := []time.Time{k.Finding.Since.Latest, k.Finding.Last.Add(-1)}
			if !k.Finding.Since.Earliest.IsZero() {
				instants = append(instants, k.Finding.Since.Earliest)
			}
			if !st.inOneStay(household, instants) {
				st.t.Fatalf("on the %dth %s sees %v of %+v", day, household, instants, st.known)
			}
		}
	}
}

func (st *street) inOneStay(household premises.HouseholdID, instants []time.Time) bool {
	for _, l := range st.known {
		inside := l.household == household
		for _, at := range instants {
			date := civil.DateIn(at, st.zone)
			inside = inside && !date.Before(june(l.in)) && (l.out == 0 || date.Before(june(l.out)))
		}
		if inside {
			return true
		}
	}
	return false
}

// open checks, after the run of a morning, that a leak of the day before is open
// for who lived there then and still does, and for nobody else.
func (st *street) open(day int) {
	of := st.livesOn(day - 1)
	if leaks := day-1 >= st.leak && day-1 < st.ends; !leaks || !of.holds(day) {
		return
	}
	all, err := st.s.Open(st.t.Context(), "R")
	if err != nil || len(all) != 1 || all[0].Household != of.household {
		st.t.Fatalf("on the %dth %+v lives there; open: %+v, %v", day, of, all, err)
	}
	if of.household == "" {
		return
	}
	for _, k := range st.shown(of.household, day) {
		if k.ID == all[0].ID && !k.State.Over() {
			return
		}
	}
	st.t.Fatalf("on the %dth %+v does not see its case %+v", day, of, all[0])
}

// Whoever moves when, whenever it is known, and whatever runs repeat or come late:
// nobody sees a day of a finding that is not of their own stay, and a leak that
// runs on is open for who lives there.
func TestStaysAreKeptApart(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		sqldbtest.Exec(t, db, `UPDATE membership SET from_date = '2020-01-01', to_date = NULL`)
		rapid.Check(t, func(r *rapid.T) {
			st := drawStreet(r)
			st.db, st.s, st.zone = db, s, paris(t)
			st.exec(`DELETE FROM alert_case`)
			for day := 2; day <= lastMorning; day++ {
				st.hear(day)
				st.safe(day)
				if rapid.IntRange(0, 9).Draw(r, "no run") > 0 {
					st.run(day)
					st.open(day)
				}
				for range rapid.IntRange(0, 2).Draw(r, "stray runs") {
					st.stray(day)
				}
				if rapid.IntRange(0, 5).Draw(r, "end") == 0 {
					st.end(day)
				}
				st.safe(day)
			}
		})
	})
}
