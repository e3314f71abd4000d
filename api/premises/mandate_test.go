package premises_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

func TestGivingAMandate(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		ask := premises.NewMandate{HelperName: "Luc Fils", Language: "fr", Scope: premises.See, To: date(t, "2026-12-01")}
		m, err := s.CreateMandate(t.Context(), premises.Own("P-rose"), ask, now)
		if err != nil {
			t.Fatal(err)
		}
		luc := premises.Viewer{Person: m.Helper, Household: "H-martin"}
		if got := seen(t, s, luc, now); got != "R-1 2024-01-01..2099-01-01" {
			t.Errorf("the helper sees %s", got)
		}
		if got := lines(t, db, `SELECT COUNT(*) FROM outbox WHERE person_id = $1 AND channel = 'letter'`, string(m.Helper)); got != "1" {
			t.Errorf("%s letters wait for the helper", got)
		}
		// The same helper keeps the account; another giver's is another person.
		again, err := s.CreateMandate(t.Context(), premises.Own("P-rose"), premises.NewMandate{HelperName: "luc FILS", Language: "fr", Scope: premises.Act, To: date(t, "2027-01-01")}, now)
		if err != nil || again.Helper != m.Helper {
			t.Errorf("the second mandate is %+v, %v", again, err)
		}
		others, err := s.CreateMandate(t.Context(), premises.Own("P-amina"), ask, now)
		if err != nil || others.Helper == m.Helper {
			t.Errorf("another's helper is %+v, %v: a tenant could find out who has an account", others, err)
		}
		// A helper passes nothing on, and nobody gives what is not theirs.
		for _, v := range []premises.Viewer{luc, premises.Own(m.Helper), {Person: "P-amina", Household: "H-martin"}, premises.Own("man-R"), {Person: "man-R", Household: "H-martin"}} {
			_, err := s.CreateMandate(t.Context(), v, ask, now)
			refused(t, err, problem.NotFound, "tenancy.none")
		}
		for to, field := range map[string]string{"2026-03-18": "to field.past", "2020-01-01": "to field.past", "2030-01-01": "to field.too_late"} {
			late := ask
			late.To = date(t, to)
			_, err := s.CreateMandate(t.Context(), premises.Own("P-rose"), late, now)
			refused(t, err, problem.Invalid, field)
		}
		given, received, err := s.Mandates(t.Context(), premises.Own("P-paul"), now)
		if err != nil || len(given) != 2 || len(received) != 0 {
			t.Errorf("another member reads %v, %v, %v", given, received, err)
		}
		if given, received, err = s.Mandates(t.Context(), premises.Own(m.Helper), now); err != nil || len(given) != 0 || len(received) != 2 {
			t.Errorf("the helper reads %v, %v, %v", given, received, err)
		}
		for range 8 {
			_, err = s.CreateMandate(t.Context(), premises.Own("P-rose"), ask, now)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.CreateMandate(t.Context(), premises.Own("P-rose"), ask, now)
		refused(t, err, problem.Conflict, "mandate.too_many")
	})
}

func TestRecordingAMandate(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		ask := premises.NewMandate{Giver: "P-rose", HelperName: "Luc Fils", Language: "fr", Scope: premises.Act, To: date(t, "2026-12-01"), Channel: premises.ByTelephone}
		m, err := s.RecordMandate(t.Context(), by("adv-R", "H-martin", now), ask)
		if err != nil || m.RecordedBy != "adv-R" {
			t.Fatal(m, err)
		}
		if got := lines(t, db, `SELECT person_id, household_id FROM access_log`); got != "adv-R H-martin" {
			t.Errorf("written down: %s", got)
		}
		for _, tt := range []struct {
			who       accounts.PersonID
			household premises.HouseholdID
			giver     accounts.PersonID
			kind      problem.Kind
			key       string
		}{
			{"man-S", "H-martin", "P-rose", problem.NotFound, "household.none"},
			{"ins-R", "H-martin", "P-rose", problem.NotFound, "household.none"},
			{"P-rose", "H-martin", "P-rose", problem.NotFound, "household.none"},
			{"adv-R", "none", "P-rose", problem.NotFound, "household.none"},
			{"adv-R", "H-martin", "P-amina", problem.Invalid, "giver field.no_member"},
			{"adv-R", "H-amina", "P-rose", problem.Invalid, "giver field.no_member"},
		} {
			ask.Giver = tt.giver
			_, err := s.RecordMandate(t.Context(), by(tt.who, tt.household, now), ask)
			refused(t, err, tt.kind, tt.key)
		}
		if got := lines(t, db, `SELECT COUNT(*) FROM mandate`) + lines(t, db, `SELECT COUNT(*) FROM access_log`); got != "11" {
			t.Errorf("refused mandates left something: %s", got)
		}
	})
}

func TestEndingAMandate(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P-help', 'Helper', 'fr')`)
		give := func(id premises.MandateID) {
			sqldbtest.Exec(t, db, helperSees+`($1, 'H-martin', 'P-rose', 'P-help', 'see', 'page', 'P-rose', '2026-01-01', '2026-06-01', 1)`, string(id))
		}
		helper := premises.Viewer{Person: "P-help", Household: "H-martin"}
		give("m1")
		for _, v := range []premises.Viewer{premises.Own("P-amina"), premises.Own("man-R"), premises.Own("nobody")} {
			refused(t, s.RevokeMandate(t.Context(), v, "m1", 1, now), problem.NotFound, "mandate.none")
		}
		refused(t, s.RevokeMandate(t.Context(), premises.Own("P-rose"), "none", 1, now), problem.NotFound, "mandate.none")
		refused(t, s.RevokeMandate(t.Context(), premises.Own("P-rose"), "m1", 2, now), problem.Stale, "error.stale")
		refused(t, s.ChangeMandate(t.Context(), helper, "m1", premises.MandateChange{To: date(t, "2027-01-01"), Version: 1}, now), problem.NotFound, "mandate.none")
		if got := seen(t, s, helper, now); got == "nothing" {
			t.Fatal("refused ends ended it")
		}
		if err := s.ChangeMandate(t.Context(), premises.Own("P-rose"), "m1", premises.MandateChange{To: date(t, "2026-03-20"), Version: 1}, now); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, s, helper, now.Add(48*time.Hour)); got != "nothing" {
			t.Errorf("after the earlier end the helper sees %s", got)
		}
		// A member, the helper, and staff on request end it at once.
		if err := s.RevokeMandate(t.Context(), premises.Own("P-paul"), "m1", 2, now); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, s, helper, now); got != "nothing" {
			t.Errorf("after it was revoked the helper sees %s", got)
		}
		refused(t, s.RevokeMandate(t.Context(), premises.Own("P-paul"), "m1", 3, now), problem.Stale, "error.stale")
		give("m2")
		if err := s.RevokeMandate(t.Context(), premises.Own("P-help"), "m2", 1, now); err != nil {
			t.Fatal(err)
		}
		give("m3")
		for _, who := range []accounts.PersonID{"man-S", "ins-R", "P-rose"} {
			refused(t, s.ChangeMandateFor(t.Context(), by(who, "", now), "m3", premises.MandateChange{Revoke: true, Version: 1}), problem.NotFound, "mandate.none")
		}
		if err := s.ChangeMandateFor(t.Context(), by("adv-R", "", now), "m3", premises.MandateChange{Revoke: true, Version: 1}); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, db, `SELECT person_id, household_id FROM access_log`); got != "adv-R H-martin" {
			t.Errorf("written down: %s", got)
		}
		if got := lines(t, db, `SELECT COUNT(*) FROM mandate WHERE revoked_ms IS NULL`); got != "0" {
			t.Errorf("%s stand", got)
		}
	})
}
