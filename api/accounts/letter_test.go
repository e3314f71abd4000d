package accounts_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// TestInvitationSpeaksToItsReader: who works here is not told of their own home, nor
// who helps others; who lives here is, whatever else they do.
func TestInvitationSpeaksToItsReader(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		e := enter(t, db, "tenant", "staff", "both", "helper", "former", "nobody")
		sqldbtest.Exec(t, db, `INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'La Roseraie', 'Europe/Paris', 0)`)
		sqldbtest.Exec(t, db, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D', 'R', 'A', '1', '3', 1, 3, 60)`)
		sqldbtest.Exec(t, db, `INSERT INTO household (id, occupants, language) VALUES ('H', 2, 'fr')`)
		sqldbtest.Exec(t, db, `INSERT INTO membership (person_id, household_id, from_date) VALUES ('tenant', 'H', '2020-01-01'), ('both', 'H', '2020-01-01')`)
		sqldbtest.Exec(t, db, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T', 'H', 'D', '2020-01-01')`)
		sqldbtest.Exec(t, db, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('staff', 'advisor', 'R'), ('both', 'installer', 'R')`)
		sqldbtest.Exec(t, db, `INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms, revoked_ms)
			VALUES ('M1', 'H', 'tenant', 'helper', 'see', 'page', 'tenant', '2025-01-01', '2027-01-01', 1, NULL),
			       ('M2', 'H', 'tenant', 'former', 'see', 'page', 'tenant', '2025-01-01', '2027-01-01', 1, 5)`)
		compose := e.clerk.Composers()["invitation"]
		for person, want := range map[string]string{"tenant": "", "staff": "_staff", "both": "", "helper": "_helper", "former": "", "nobody": ""} {
			mail, err := compose(t.Context(), notify.Message{Subject: person, Recipient: person + "@example.org"})
			if err != nil {
				t.Fatalf("%s: %v", person, err)
			}
			if mail.Subject != "mail.invitation_subject"+want || !strings.Contains(mail.Text, "mail.invitation_lead"+want+"\n") {
				t.Errorf("%s reads %q and\n%s", person, mail.Subject, mail.Text)
			}
		}
	})
}

func TestCheckPerson(t *testing.T) {
	for name, want := range map[string]bool{"Amina Diallo": true, "Łukasz Œuvrard-Müller": true, "محمد علی": true, "": false,
		"A\nB": false, "Amina \u202eollaiD": false, "Amina\u2066 Diallo": false, strings.Repeat("a", 201): false, "\xff": false} {
		if faults := accounts.CheckPerson(accounts.Person{Name: name, Language: "fr"}); (len(faults) == 0) != want {
			t.Errorf("%q: %v", name, faults)
		}
	}
}
