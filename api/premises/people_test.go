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
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

var whole = resource.Page{Limit: 100}

// What each of the staff may read, written by hand.
func TestStaffSeeTheirResidences(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		for _, tt := range []struct {
			who                            accounts.PersonID
			residences, dwellings, persons string
			sheetR, sheetS                 bool
		}{
			{"adv-R", "R", "R-1 R-2 R-3", "P-amina P-paul P-rose", true, false},
			{"man-R", "R", "R-1 R-2 R-3", "P-amina P-paul P-rose", true, false},
			{"man-S", "S", "S-1 S-2", "P-jean", false, true},
			{"adm", "R S", "R-1 R-2 R-3 S-1 S-2", "P-amina P-jean P-paul P-rose", true, true},
			{"adm-S", "S", "S-1 S-2", "P-jean", false, true},
			{"ins-R", "R", "R-1 R-2 R-3", "", false, false},
			{"tech", "", "", "", false, false},
			{"train", "", "", "", false, false},
			{"P-rose", "", "", "", false, false},
			{"nobody", "", "", "", false, false},
		} {
			t.Run(string(tt.who), func(t *testing.T) {
				residences, err1 := s.ResidencesOf(t.Context(), tt.who, whole)
				dwellings, err2 := s.Dwellings(t.Context(), tt.who, premises.Filter{Page: whole})
				persons, err3 := s.Persons(t.Context(), tt.who, premises.Filter{Page: whole}, now)
				homes, err4 := s.Homes(t.Context(), tt.who, premises.Filter{Page: whole}, now)
				if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
					t.Fatal(err1, err2, err3, err4)
				}
				got := []string{
					joined(residences, func(r premises.Residence) string { return string(r.ID) }),
					joined(dwellings, func(d premises.Dwelling) string { return string(d.ID) }),
					joined(persons, func(r premises.Resident) string { return string(r.Person) })}
				if diff := cmp.Diff([]string{tt.residences, tt.dwellings, tt.persons}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if names := joined(homes, func(h premises.Home) string { return strings.Join(h.Names, " ") }); strings.Contains(names, "Rose") != tt.sheetR || strings.Contains(names, "Jean") != tt.sheetS {
					t.Errorf("homes of %s", names)
				}
				for household, may := range map[premises.HouseholdID]bool{"H-martin": tt.sheetR, "H-jean": tt.sheetS, "none": false} {
					before := lines(t, db, `SELECT COUNT(*) FROM access_log`)
					_, err := s.Sheet(t.Context(), by(tt.who, household, now))
					after := lines(t, db, `SELECT COUNT(*) FROM access_log`)
					if !may {
						refused(t, err, problem.NotFound, "household.none")
					}
					if (err == nil) != may || (before != after) != may {
						t.Errorf("sheet of %s: %v; %s then %s looks", household, err, before, after)
					}
				}
			})
		}
	})
}

func joined[T any](all []T, text func(T) string) string {
	var texts []string
	for _, one := range all {
		texts = append(texts, text(one))
	}
	return strings.Join(texts, " ")
}

func TestSheet(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		l := by("adv-R", "H-amina", now)
		l.Reason = "elle a appelé"
		sheet, err := s.Sheet(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		if h := sheet.Household; h.Contact != (premises.Contact{By: premises.Email, Email: "amina@example.org"}) || h.Occupants != 1 {
			t.Errorf("household = %+v", h)
		}
		if len(sheet.Members) != 1 || sheet.Members[0].Name != "Amina Diallo" || len(sheet.Stays) != 1 || sheet.Stays[0].Residence.Town != "Angers" || sheet.Today != date(t, "2026-03-18") {
			t.Errorf("sheet = %+v", sheet)
		}
		if strings.Contains(fmt.Sprintf("%+v", sheet), "Martin") {
			t.Error("the sheet shows another household")
		}
		looks, err := s.Looks(t.Context(), premises.Own("P-amina"), now.Add(time.Minute))
		want := []premises.Looked{{At: now, Household: "H-amina", Name: "Staff adv-R", Role: accounts.Advisor, What: premises.LookedAtSheet, Reason: "elle a appelé"}}
		if diff := cmp.Diff(want, looks); diff != "" || err != nil {
			t.Errorf("looks (-want +got):\n%s\n%v", diff, err)
		}
		for _, who := range []accounts.PersonID{"P-rose", "adv-R", "adm"} {
			for _, household := range []premises.HouseholdID{"", "H-amina"} {
				if looks, err := s.Looks(t.Context(), premises.Viewer{Person: who, Household: household}, now.Add(time.Minute)); err != nil || len(looks) != 0 {
					t.Errorf("%s reads %v, %v", who, looks, err)
				}
			}
		}
		l.Reason = strings.Repeat("x", 201)
		refused(t, s.Look(t.Context(), l), problem.Invalid, "reason")
	})
}

// Who joins later does not read who looked before.
func TestLooksBeforeJoining(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		if err := s.Look(t.Context(), by("man-R", "H-martin", now)); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Exec(t, db, `UPDATE membership SET from_date = '2026-03-19' WHERE person_id = 'P-paul'`)
		later := noon(t, "2026-03-20")
		for who, want := range map[accounts.PersonID]int{"P-rose": 1, "P-paul": 0} {
			if looks, err := s.Looks(t.Context(), premises.Own(who), later); err != nil || len(looks) != want {
				t.Errorf("%s reads %v, %v; want %d", who, looks, err, want)
			}
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE access_log SET reason = 'other'`); err == nil {
			t.Error("what was looked at can be rewritten")
		}
	})
}

func TestChangesOfHouseholds(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		get := func() premises.Household {
			t.Helper()
			h, err := s.Household(t.Context(), "adm", "H-martin", now)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		h := get()
		h.Contact = premises.Contact{By: premises.Telephone, Telephone: "02 41 11 22 33"}
		if err := s.UpdateContact(t.Context(), by("adv-R", "H-martin", now), h); err != nil {
			t.Fatal(err)
		}
		refused(t, s.UpdateContact(t.Context(), by("man-R", "H-martin", now), h), problem.Stale, "error.stale") // the second is told
		h = get()
		h.Occupants = 3
		refused(t, s.UpdateHousehold(t.Context(), by("adv-R", "H-martin", now), h), problem.NotFound, "household.none")
		refused(t, s.UpdateHousehold(t.Context(), by("man-S", "H-martin", now), h), problem.NotFound, "household.none")
		refused(t, s.UpdateContact(t.Context(), by("ins-R", "H-martin", now), h), problem.NotFound, "household.none")
		if err := s.UpdateHousehold(t.Context(), by("man-R", "H-martin", now), h); err != nil {
			t.Fatal(err)
		}
		if got := get(); got.Occupants != 3 || got.Version != 3 || got.Contact.Telephone != "02 41 11 22 33" {
			t.Errorf("household = %+v", got)
		}
		if got := lines(t, db, `SELECT person_id, household_id FROM access_log ORDER BY id`); got != "adv-R H-martin\nman-R H-martin" {
			t.Errorf("only what was done is written down:\n%s", got)
		}
		if _, err := db.ExecContext(t.Context(), `UPDATE household SET contact_by = 'e-mail' WHERE id = 'H-martin'`); err == nil {
			t.Error("a household is told by e-mail without an address")
		}
	})
}

func TestMembersComeAndGo(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		l := by("man-R", "H-martin", now)
		n := premises.NewPerson{Name: "Zoé Martin", Language: "fr"}
		zoe, err := s.AddMember(t.Context(), l, n, date(t, "2026-03-10"))
		if err != nil {
			t.Fatal(err)
		}
		if got := seen(t, s, premises.Own(zoe), now); got != "R-1 2026-03-10..2099-01-01" {
			t.Errorf("who joins sees %s", got)
		}
		_, err = s.AddMember(t.Context(), by("adv-R", "H-martin", now), n, date(t, "2026-03-10"))
		refused(t, err, problem.NotFound, "household.none")
		_, err = s.AddMember(t.Context(), by("man-R", "H-jean", now), n, date(t, "2026-03-10"))
		refused(t, err, problem.NotFound, "household.none")
		_, err = s.AddMember(t.Context(), l, n, date(t, "2025-03-10"))
		refused(t, err, problem.Invalid, "from field.too_early")

		refused(t, s.Leave(t.Context(), l, premises.Departure{Person: zoe, On: date(t, "2026-03-18"), Version: 9}), problem.Stale, "error.stale")
		refused(t, s.Leave(t.Context(), l, premises.Departure{Person: "P-amina", On: date(t, "2026-03-18"), Version: 1}), problem.NotFound, "person.none")
		refused(t, s.Leave(t.Context(), by("adv-R", "H-martin", now), premises.Departure{Person: zoe, On: date(t, "2026-03-18"), Version: 1}), problem.NotFound, "household.none")
		refused(t, s.Leave(t.Context(), l, premises.Departure{Person: zoe, On: date(t, "2029-03-18"), Version: 1}), problem.Invalid, "on")
		if err := s.Leave(t.Context(), l, premises.Departure{Person: zoe, On: date(t, "2026-03-18"), Version: 1}); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, s, premises.Own(zoe), now); got != "nothing" {
			t.Errorf("who left that day sees %s", got)
		}
		if got := seen(t, s, premises.Own("P-rose"), now); got == "nothing" {
			t.Error("who stays sees nothing")
		}
		// Who leaves before the day of joining was never there.
		paul, err := s.AddMember(t.Context(), l, premises.NewPerson{Name: "X", Language: "fr"}, date(t, "2026-05-10"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Leave(t.Context(), l, premises.Departure{Person: paul, On: date(t, "2026-04-01"), Version: 1}); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, db, `SELECT COUNT(*) FROM membership WHERE person_id = $1`, string(paul)); got != "0" {
			t.Errorf("%s memberships are left", got)
		}
	})
}

func TestPersons(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		sqldbtest.Exec(t, db, `INSERT INTO person (id, name, language) VALUES ('P-help', 'Helper', 'fr')`)
		sqldbtest.Exec(t, db, helperSees+`('m1', 'H-martin', 'P-rose', 'P-help', 'see', 'page', 'P-rose', '2026-01-01', '2026-06-01', 1)`)
		for _, tt := range []struct {
			who, person accounts.PersonID
			may         bool
		}{
			{"adv-R", "P-rose", true}, {"adv-R", "P-help", true}, {"adv-R", "P-jean", false}, {"adv-R", "adm", false}, {"adv-R", "none", false},
			{"man-S", "P-rose", false}, {"man-S", "P-help", false}, {"ins-R", "P-rose", false}, {"P-paul", "P-rose", false}, {"adm", "P-jean", true},
		} {
			k, err := s.Person(t.Context(), by(tt.who, "", now), tt.person)
			if (err == nil) != tt.may {
				t.Errorf("%s reads %s: %+v, %v", tt.who, tt.person, k, err)
			}
		}
		if got := lines(t, db, `SELECT DISTINCT person_id, household_id FROM access_log ORDER BY person_id`); got != "adm H-jean\nadv-R H-martin" {
			t.Errorf("written down:\n%s", got)
		}
		k, err := s.Person(t.Context(), by("man-R", "", now), "P-rose")
		if err != nil {
			t.Fatal(err)
		}
		k.Name = "Rose Martin-Roy"
		refused(t, s.UpdatePerson(t.Context(), by("adv-R", "", now), k.Person), problem.NotFound, "person.none")
		refused(t, s.UpdatePerson(t.Context(), by("man-S", "", now), k.Person), problem.NotFound, "person.none")
		if err := s.UpdatePerson(t.Context(), by("man-R", "", now), k.Person); err != nil {
			t.Fatal(err)
		}
		refused(t, s.UpdatePerson(t.Context(), by("man-R", "", now), k.Person), problem.Stale, "error.stale")
		found, err := s.Persons(t.Context(), "man-R", premises.Filter{Search: "ROY rosé", Page: whole}, now)
		if err != nil || len(found) != 1 || found[0].Person != "P-rose" {
			t.Errorf("found %v, %v", found, err)
		}
	})
}

func TestListsGoOn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		var dwellings, homes, persons []string
		for after := ""; ; {
			all, err := s.Dwellings(t.Context(), "adm", premises.Filter{Page: resource.Page{Limit: 2, After: after}})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range all[:min(2, len(all))] {
				dwellings, after = append(dwellings, string(d.ID)), string(d.ID)
			}
			if len(all) <= 2 {
				break
			}
		}
		for after := ""; ; {
			all, err := s.Homes(t.Context(), "adm", premises.Filter{Page: resource.Page{Limit: 1, After: after}}, now)
			if err != nil {
				t.Fatal(err)
			}
			homes, after = append(homes, strings.Join(all[0].Names, "+")), all[0].Tenancy.ID
			if len(all) == 1 {
				break
			}
		}
		for after := ""; ; {
			all, err := s.Persons(t.Context(), "adm", premises.Filter{Page: resource.Page{Limit: 1, After: after}}, now)
			if err != nil {
				t.Fatal(err)
			}
			persons, after = append(persons, string(all[0].Person)), all[0].Key()
			if len(all) == 1 {
				break
			}
		}
		want := [][]string{{"R-1", "R-2", "R-3", "S-1", "S-2"}, {"Paul Martin+Rose Martin", "Amina Diallo", "Jean Payet"}, {"P-amina", "P-jean", "P-paul", "P-rose"}}
		if diff := cmp.Diff(want, [][]string{dwellings, homes, persons}); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for search, want := range map[string]int{"amina": 1, "DIALLO amina": 1, "amina martin": 0, "A": 2, "R-1 paul": 1} {
			if all, err := s.Homes(t.Context(), "man-R", premises.Filter{Search: search, Page: whole}, now); err != nil || len(all) != want {
				t.Errorf("%q finds %d, %v; want %d", search, len(all), err, want)
			}
		}
	})
}
