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
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func kindOf(err error) problem.Kind { return problem.Of(err).Kind }

// Who may say what of a case, on whose desk it lies, who is told of it, and what an
// erasure leaves.
func TestSayTellErase(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		now := on(28).Add(9 * time.Hour)
		if !take(t, s, "H-amina", alarm("P-2", 3, 27), on(27).Add(7*time.Hour)) {
			t.Fatal("no case")
		}
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P-man', 'Marius', 'fr'), ('P-far', 'Mireille', 'fr'), ('P-adv', 'Nadia', 'fr')`)
		sqldbtest.Exec(t, db, `INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('S', 'Sablons', 'Europe/Paris', 0)`)
		sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-man', 'manager', 'R'), ('P-man', 'advisor', 'S'), ('P-far', 'manager', 'S'), ('P-adv', 'advisor', 'R')`)
		t.Run("tell", func(t *testing.T) { testTell(t, db, s, now) })
		t.Run("desk", func(t *testing.T) { testDesk(t, s, now) })
		t.Run("say", func(t *testing.T) { testSay(t, s, now) })
		t.Run("erase", func(t *testing.T) { testErase(t, s, now) })
	})
}

func testTell(t *testing.T, db *sql.DB, s *alerts.Store, now time.Time) {
	k := open(t, s)[0]
	if told, err := s.Tell(t.Context(), k, now); err != nil || !told {
		t.Fatalf("told %t, %v", told, err)
	}
	if again, err := s.Tell(t.Context(), k, now); err != nil || again {
		t.Errorf("told twice at once: %t, %v", again, err)
	}
	if k = open(t, s)[0]; !k.ToldAt.IsZero() || k.State == alerts.Told {
		t.Errorf("nobody has printed the letter, and it is %s, told at %s", k.State, k.ToldAt)
	}
	testWaiting(t, db, s, k, now)
	for range 2 {
		if err := s.NoteTold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if k = open(t, s)[0]; k.Due(now.Add(6*24*time.Hour)) || !k.Due(now.Add(7*24*time.Hour)) {
		t.Errorf("told at %s", k.ToldAt)
	}
	var channel, person string
	var kept int
	err := db.QueryRowContext(t.Context(), `SELECT COUNT(*), MIN(channel), MIN(person_id) FROM outbox WHERE kind = 'alert' AND state = 'sent'`).Scan(&kept, &channel, &person)
	if err != nil || kept != 1 || channel != "letter" || person != "P-amina" {
		t.Errorf("%d messages, %s to %s, %v", kept, channel, person, err)
	}
	w := &alerts.Writer{Store: s, Site: "https://roseraie.example", Advisor: "Nadia", Telephone: "02 41 00 00 00", Now: func() time.Time { return now },
		Say:  func(_, key string, args ...any) string { return key + fmt.Sprint(args...) },
		Date: func(_ string, d civil.Date) string { return d.String() }}
	m := notify.Message{Person: "P-amina", Subject: string(k.ID), Created: now}
	mail, err := w.Mail(t.Context(), m)
	if err != nil || mail.Subject != "alerts.leak_subject" || !strings.Contains(mail.Text, "alerts.leak_running_cistern") ||
		!strings.Contains(mail.Text, "https://roseraie.example/alertes") || strings.Contains(mail.Text, "R-2") {
		t.Errorf("%v, %+v", err, mail)
	}
	m.Person = "P-rose"
	if _, err := w.Mail(t.Context(), m); !errors.Is(err, notify.ErrNothing) {
		t.Errorf("a neighbour is told: %v", err)
	}
	testLeavers(t, db, w, notify.Message{Person: "P-amina", Subject: string(k.ID), Created: now})
}

// testWaiting: a week later the letter that nobody printed is replaced, and that one
// is printed.
func testWaiting(t *testing.T, db *sql.DB, s *alerts.Store, k alerts.Kept, now time.Time) {
	t.Helper()
	if told, err := s.Tell(t.Context(), k, now.Add(6*24*time.Hour)); err != nil || told {
		t.Errorf("a second letter within a week: %t, %v", told, err)
	}
	if told, err := s.Tell(t.Context(), k, now.Add(8*24*time.Hour)); err != nil || !told {
		t.Errorf("no letter after a week: %t, %v", told, err)
	}
	var waiting, dropped int
	err := db.QueryRowContext(t.Context(), `SELECT SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), SUM(CASE WHEN state = 'dropped' THEN 1 ELSE 0 END)
		FROM outbox WHERE kind = 'alert'`).Scan(&waiting, &dropped)
	if err != nil || waiting != 1 || dropped != 1 {
		t.Errorf("%d letters wait, %d were dropped: %v", waiting, dropped, err)
	}
	if err := s.NoteTold(t.Context()); err != nil || !open(t, s)[0].ToldAt.IsZero() {
		t.Errorf("told by letters that nobody printed: %v", err)
	}
	sqldbtest.Exec(t, db, `UPDATE outbox SET state = 'sent', created_ms = $1, done_ms = $1 WHERE kind = 'alert' AND state = 'waiting'`, now.UnixMilli())
}

// testLeavers: a message that waited is not for who has left since it was kept, nor
// for a household that moved out.
func testLeavers(t *testing.T, db *sql.DB, w *alerts.Writer, m notify.Message) {
	t.Helper()
	today := civil.DateIn(w.Now(), time.UTC).String()
	for _, tt := range []struct{ name, leave, back string }{
		{"a member who left", `UPDATE membership SET to_date = $1 WHERE person_id = 'P-amina'`, `UPDATE membership SET to_date = NULL WHERE person_id = 'P-amina'`},
		{"a household that moved out", `UPDATE tenancy SET moved_out = $1 WHERE household_id = 'H-amina'`, `UPDATE tenancy SET moved_out = NULL WHERE household_id = 'H-amina'`},
	} {
		m.Created = w.Now().AddDate(0, 0, -3)
		sqldbtest.Exec(t, db, tt.leave, today)
		if mail, err := w.Mail(t.Context(), m); !errors.Is(err, notify.ErrNothing) {
			t.Errorf("%s is written to: %q, %v", tt.name, mail.Subject, err)
		}
		sqldbtest.Exec(t, db, tt.back)
		if _, err := w.Mail(t.Context(), m); err != nil {
			t.Errorf("after %s came back: %v", tt.name, err)
		}
	}
}

func testDesk(t *testing.T, s *alerts.Store, now time.Time) {
	for person, want := range map[string]int{"P-man": 1, "P-far": 0, "P-amina": 0, "nobody": 0} {
		all, err := s.Desk(t.Context(), accounts.PersonID(person), "", resource.Page{Limit: 10})
		if err != nil || len(all) != want {
			t.Errorf("%s: %d leaks, %v", person, len(all), err)
		}
		for _, l := range all {
			if l.Dwelling.ID != "R-2" || l.Kind != metering.ColdWater || len(l.Steps) == 0 {
				t.Errorf("%+v", l)
			}
		}
	}
	k := open(t, s)[0]
	if _, err := s.SayFor(t.Context(), "P-far", now, k.ID, k.Version, alerts.SaidRepaired); kindOf(err) != problem.NotFound {
		t.Errorf("staff of elsewhere: %v", err)
	}
	for household, want := range map[premises.HouseholdID]int{"H-amina": 1, "H-martin": 0} {
		if all, _ := s.OpenFor(t.Context(), "P-adv", household, now); len(all) != want {
			t.Errorf("household %s: %d cases", household, len(all))
		}
		for _, other := range []accounts.PersonID{"P-far", "P-man"} { // P-man manages here, and is an advisor elsewhere
			if _, err := s.OpenFor(t.Context(), other, household, now); kindOf(err) != problem.NotFound {
				t.Errorf("%s, no advisor here, looks at %s: %v", other, household, err)
			}
		}
	}
}

func testSay(t *testing.T, s *alerts.Store, now time.Time) {
	amina, k := premises.Own("P-amina"), open(t, s)[0]
	if err := s.Say(t.Context(), premises.Own("P-rose"), now, k.ID, k.Version, alerts.SaidNoLeak); kindOf(err) != problem.NotFound {
		t.Errorf("a neighbour: %v", err)
	}
	if err := s.Say(t.Context(), amina, now, k.ID, k.Version+5, alerts.SaidRepaired); !errors.Is(err, resource.ErrStale) {
		t.Errorf("an old form: %v", err)
	}
	for range 2 {
		if err := s.Say(t.Context(), amina, now, k.ID, k.Version, alerts.SaidRepaired); err != nil {
			t.Errorf("a form that is sent twice: %v", err)
		}
	}
	if k = open(t, s)[0]; k.State != alerts.Repaired {
		t.Errorf("it is %s", k.State)
	}
	if err := s.Say(t.Context(), amina, now, k.ID, k.Version, "perhaps"); kindOf(err) != problem.Invalid {
		t.Errorf("nonsense: %v", err)
	}
	if err := s.Say(t.Context(), amina, now, k.ID, k.Version, alerts.SaidNoLeak); err != nil {
		t.Errorf("no leak: %v", err)
	}
	if err := s.Say(t.Context(), amina, now, k.ID, k.Version+1, alerts.SaidConfirm); kindOf(err) != problem.Conflict {
		t.Errorf("after the end: %v", err)
	}
	pasts, err := s.Pasts(t.Context(), "R", civil.Date{Year: 2026, Month: 1, Day: 1})
	if err != nil || len(pasts["P-2"]) != 1 {
		t.Fatalf("%+v, %v", pasts, err)
	}
	again := alarm("P-2", 4, 28).Finding
	again.Class = pasts["P-2"][0].Class
	worse := again
	worse.Class = alerts.Burst
	for name, tt := range map[string]struct {
		finding   alerts.Finding
		household premises.HouseholdID
		after     time.Duration
		want      bool
	}{
		"the next day": {again, "H-amina", 24 * time.Hour, true}, "next month": {again, "H-amina", 30 * 24 * time.Hour, false},
		"a burst": {worse, "H-amina", 24 * time.Hour, false}, "another household": {again, "H-lea", 24 * time.Hour, false},
	} {
		if got := alerts.Denied(pasts["P-2"], tt.household, tt.finding, now.Add(tt.after)); got != tt.want {
			t.Errorf("%s: denied %t", name, got)
		}
	}
}

func testErase(t *testing.T, s *alerts.Store, now time.Time) {
	day := civil.DateIn(now, on(1).Location())
	refusal := &alerts.Refusal{Point: "P-2", Err: alerts.ErrTooFewDays}
	for range 2 {
		if err := s.Refuse(t.Context(), []alerts.Judged{{Point: "P-2", Household: "H-amina", Refusal: refusal}}, day); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := s.Unjudged(t.Context(), premises.Own("P-amina"), now); err != nil || len(all) != 1 || all[0].Reason != "alerts.too_few_days" {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := s.Unjudged(t.Context(), premises.Own("P-rose"), now); err != nil || len(all) != 0 {
		t.Errorf("a neighbour sees %+v, %v", all, err)
	}
	held := func() int {
		cases, err := s.Of(t.Context(), "H-amina", civil.Date{Year: 2020, Month: 1, Day: 1})
		if err != nil {
			t.Fatal(err)
		}
		return len(cases)
	}
	from, to := day.AddDays(-60), day.AddDays(60)
	if err := s.EraseOf(t.Context(), "cw-2", from, to, metering.Fine); err != nil || held() != 1 {
		t.Errorf("an erasure that keeps all: %d cases, %v", held(), err)
	}
	if err := s.EraseOf(t.Context(), "cw-1", from, to, metering.Off); err != nil || held() != 1 {
		t.Errorf("a neighbour's erasure: %d cases, %v", held(), err)
	}
	if err := s.EraseOf(t.Context(), "cw-2", from, to, metering.Off); err != nil || held() != 0 {
		t.Errorf("an erasure of all: %d cases, %v", held(), err)
	}
}
