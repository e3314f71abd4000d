package alerts_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A question about a day's water reaches the household, on the page and on paper,
// once a week, until it is answered.
func TestQuestion(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, zone := estate(t, db), time.UTC
		f := alarm("P-2", 1, 27).Finding
		f.Source, f.Class = alerts.FromDays, alerts.Burst
		now := on(28).Add(9 * time.Hour)
		today := civil.DateIn(now, zone)
		for i, tt := range []struct {
			household premises.HouseholdID
			later     int
			want      bool
		}{{"", 0, false}, {"H-amina", 0, true}, {"H-amina", 0, false}, {"H-amina", 3, false}} {
			asked, err := s.Ask(t.Context(), f, tt.household, today.AddDays(tt.later), zone, now)
			if err != nil || asked != tt.want {
				t.Errorf("%d: asked %t, %v", i, asked, err)
			}
		}
		amina, rose := premises.Own("P-amina"), premises.Own("P-rose")
		all, err := s.Questions(t.Context(), amina, now)
		if err != nil || len(all) != 1 || all[0].Finding.Flow != f.Flow {
			t.Fatalf("%v, %+v", err, all)
		}
		if others, err := s.Questions(t.Context(), rose, now); err != nil || len(others) > 0 {
			t.Errorf("a neighbour reads it: %v, %+v", err, others)
		}
		if late, err := s.Questions(t.Context(), amina, now.AddDate(0, 0, 8)); err != nil || len(late) > 0 {
			t.Errorf("it waits for ever: %v", err)
		}
		printLetter(t, db, s, now)
		id := all[0].ID
		if err := s.Own(t.Context(), rose, now, id, alerts.Ours); kindOf(err) != problem.NotFound {
			t.Errorf("a neighbour answers: %v", err)
		}
		if err := s.Own(t.Context(), amina, now, id, "perhaps"); kindOf(err) != problem.Invalid {
			t.Errorf("no answer: %v", err)
		}
		for _, said := range []alerts.Owned{alerts.Ours, alerts.NotOurs} { // the first word holds
			if err := s.Own(t.Context(), amina, now, id, said); err != nil {
				t.Fatal(err)
			}
		}
		if left, err := s.Questions(t.Context(), amina, now); err != nil || len(left) > 0 {
			t.Errorf("after the answer: %v, %+v", err, left)
		}
		held, err := s.QuestionsOf(t.Context(), "H-amina", today.AddDays(-100))
		if err != nil || len(held) != 1 || held[0].Said != alerts.Ours {
			t.Errorf("%v, %+v", err, held)
		}
		sqldbtest.Exec(t, db, `UPDATE alert_question SET first_date = '2026-05-01', last_date = '2026-05-01'`)
		var meter metering.MeterID
		if err := db.QueryRowContext(t.Context(), `SELECT meter_id FROM binding WHERE point_id = 'P-2'`).Scan(&meter); err != nil {
			t.Fatal(err)
		}
		if err := s.EraseOf(t.Context(), meter, civil.Date{Year: 2026, Month: 5, Day: 1}, civil.Date{Year: 2026, Month: 5, Day: 2}, metering.Month); err != nil {
			t.Fatal(err)
		}
		if held, err := s.QuestionsOf(t.Context(), "H-amina", civil.Date{Year: 2020, Month: 1, Day: 1}); err != nil || len(held) > 0 {
			t.Errorf("after erasing: %v, %+v", err, held)
		}
	})
}

// printLetter prints the letter that asks, once, in the name of who may.
func printLetter(t *testing.T, db *sql.DB, s *alerts.Store, now time.Time) {
	t.Helper()
	sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P-man', 'Marius', 'fr')`)
	sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-man', 'manager', 'R')`)
	w := &alerts.Writer{Store: s, Site: "https://roseraie.example", Sender: []string{"La Roseraie"}, Advisor: "Nadia", Telephone: "02 41 00 00 00",
		Now:  func() time.Time { return now },
		Say:  func(_, key string, args ...any) string { return key + fmt.Sprint(args...) },
		Date: func(_ string, d civil.Date) string { return d.String() }}
	waiting, err := w.Letters(t.Context(), "P-man")
	if err != nil || len(waiting) != 1 || waiting[0].Name != "Amina Diallo" {
		t.Fatalf("%v, %+v", err, waiting)
	}
	if none, err := w.Letters(t.Context(), "P-amina"); err != nil || len(none) > 0 {
		t.Errorf("who is no staff prints: %v, %+v", err, none)
	}
	file, err := w.Print(t.Context(), "P-man", []string{waiting[0].ID})
	if err != nil || !bytes.HasPrefix(file, []byte("%PDF-")) {
		t.Fatalf("%v, %.20q", err, file)
	}
	if _, err := w.Print(t.Context(), "P-man", []string{waiting[0].ID}); kindOf(err) != problem.NotFound {
		t.Errorf("printed twice: %v", err)
	}
}
