package roster_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

const staffed = "\nstaff:\n  - {id: S-1, name: Bruno Sureau, roles: [manager, installer]}\n"

func TestStaffOfAFile(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		for range 2 { // again changes nothing
			if err := load(t, db, residence(t)+staffed); err != nil {
				t.Fatal(err)
			}
		}
		if err := load(t, db, residence(t)); err != nil { // what a file does not name stays
			t.Fatal(err)
		}
		var roles, elsewhere int
		err := db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(CASE WHEN residence_id = 'roseraie' THEN NULL ELSE 1 END) FROM staff_role`).
			Scan(&roles, &elsewhere)
		if err != nil || roles != 2 || elsewhere != 0 {
			t.Errorf("%d roles, %d of them not of the residence, %v, want 2 and none", roles, elsewhere, err)
		}
	})
}

func TestFaultyStaff(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"no role", "{id: S-1, name: Bruno Sureau}", "staff S-1: roles: want one of"},
		{"unknown role", "{id: S-1, name: Bruno Sureau, roles: [king]}", `staff S-1: roles: "king": want one of`},
		{"no name", "{id: S-1, roles: [manager]}", "staff S-1: name"},
		{"twice", "{id: S-1, name: Bruno, roles: [manager]}\n  - {id: S-1, name: Bruno, roles: [manager]}", "staff S-1: stands twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := roster.Parse([]byte(residence(t) + "\nstaff:\n  - " + tt.line + "\n"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
