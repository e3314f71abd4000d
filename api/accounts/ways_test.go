package accounts_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// password is one that nothing forbids.
const password = "trois bateaux verts"

// says fails the test unless err is a problem with that message, of the problem
// itself or of one of its fields.
func says(t *testing.T, what string, err error, message string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %s", what, message)
		return
	}
	p := problem.Of(err)
	if p.Message == message {
		return
	}
	for _, f := range p.Fields {
		if f.Message == message {
			return
		}
	}
	t.Errorf("%s: %v %v, want %s", what, err, p.Fields, message)
}

func TestPassword(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1")
		code := invite(t, s, "P1")
		first, err := s.SignIn(t.Context(), code, visit)
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.SignIn(t.Context(), code, visit)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.SetPassword(t.Context(), session(t, s, first), "", "azerty", visit)
		says(t, "short password", err, "password.too_short")
		entry, err := s.SetPassword(t.Context(), session(t, s, first), "", password, visit)
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]accounts.Token{"the session that set it": first.Token, "another session": other.Token} {
			if _, err := s.Session(t.Context(), token, now, visit.Terms); !errors.Is(err, accounts.ErrNoSession) {
				t.Errorf("%s lives on: %v", name, err)
			}
		}
		if _, err := s.SignIn(t.Context(), code, visit); !errors.Is(err, accounts.ErrCodeWrong) {
			t.Errorf("the letter's code still works: %v", err)
		}
		access, err := s.Access(t.Context(), "P1", now)
		if err != nil || !access.Password.Equal(now) || !strings.HasPrefix(access.Name, "person") {
			t.Fatalf("access = %+v, %v", access, err)
		}
		for _, typed := range []string{access.Name, strings.ToUpper(access.Name), " " + access.Name[:3] + " " + access.Name[3:]} {
			if _, err := s.SignInByPassword(t.Context(), typed, password, visit); err != nil {
				t.Errorf("name typed as %q: %v", typed, err)
			}
		}
		for what, try := range map[string][2]string{"wrong password": {access.Name, password + " "}, "empty": {access.Name, ""}, "nobody": {"nobody1234", password},
			"no name": {"", password}, "book": {access.Name, strings.Repeat(password, 1000)}, "long name": {strings.Repeat("a", 10000), password}} {
			if _, err := s.SignInByPassword(t.Context(), try[0], try[1], visit); !errors.Is(err, accounts.ErrCodeWrong) {
				t.Errorf("%s: %v", what, err)
			}
		}
		testChange(t, s, session(t, s, entry))
	})
}

// testChange changes a password in force.
func testChange(t *testing.T, s *accounts.Store, session accounts.Session) {
	const next = "quatre chaises rouges"
	_, err := s.SetPassword(t.Context(), session, "wrong", next, visit)
	says(t, "wrong old password", err, "password.old_wrong")
	_, err = s.SetPassword(t.Context(), session, "", next, visit)
	says(t, "no old password", err, "password.old_wrong")
	says(t, "last way in", s.DropPassword(t.Context(), session, now), "access.last_way")
	if _, err := s.SetPassword(t.Context(), session, password, next, at(now.Add(time.Hour))); err != nil {
		t.Errorf("old session with the old password: %v", err)
	}
}

// A browser that was left open hours ago cannot take the account over.
func TestStaleSessionChangesNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1")
		_, session := signIn(t, s, "P1")
		later := now.Add(31 * time.Minute)
		_, err := s.SetPassword(t.Context(), session, "", password, at(later))
		says(t, "password", err, "access.not_fresh")
		_, err = s.AskEmail(t.Context(), session, "amina@example.org", later)
		says(t, "address", err, "access.not_fresh")
		_, _, err = s.NewToken(t.Context(), session, "program", []accounts.Scope{accounts.ConsumptionRead}, later.Add(time.Hour), later)
		says(t, "token", err, "access.not_fresh")
		says(t, "no password any more", s.DropPassword(t.Context(), session, later), "access.not_fresh")
	})
}

// Who is invited anew starts over: whatever a thief set up ends.
func TestInviteStartsOver(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1")
		_, thief := signIn(t, s, "P1")
		_, key, err := s.NewToken(t.Context(), thief, "key", []accounts.Scope{accounts.ConsumptionRead}, now.Add(time.Hour), now)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := s.SetPassword(t.Context(), thief, "", password, visit)
		if err != nil {
			t.Fatal(err)
		}
		before, err := s.Access(t.Context(), "P1", now)
		if err != nil {
			t.Fatal(err)
		}
		sqldbtest.Exec(t, db, `UPDATE way_in SET email = 'thief@example.org' WHERE person_id = 'P1'`)
		invite(t, s, "P1")
		after, err := s.Access(t.Context(), "P1", now)
		if err != nil || !after.Password.IsZero() || after.Email != "" || after.Name != before.Name {
			t.Errorf("access = %+v, %v; before %+v", after, err, before)
		}
		if _, err := s.SignInByPassword(t.Context(), before.Name, password, visit); !errors.Is(err, accounts.ErrCodeWrong) {
			t.Errorf("the thief's password works: %v", err)
		}
		if _, err := s.Session(t.Context(), entry.Token, now, visit.Terms); !errors.Is(err, accounts.ErrNoSession) {
			t.Errorf("the thief's session lives: %v", err)
		}
		if _, err := s.TokenSession(t.Context(), key, now); !errors.Is(err, accounts.ErrNoSession) {
			t.Errorf("the thief's key works: %v", err)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	for _, tt := range []struct{ password, want string }{
		{password, ""},
		{"vélo bleu du lundi", ""},
		{"Wn4$kqTz", ""},
		{"correct cheval pile agrafe", ""},
		{"日本語のパスワード", ""},
		{"98 rue des 3 lilas", ""},
		{"", "field.missing"},
		{"court7!", "password.too_short"},
		{"ééééééé", "password.too_short"},
		{"password", "password.common"},
		{"P4ssw0rd!", "password.common"},
		{"motdepasse", "password.common"},
		{"MotDePasse123", "password.common"},
		{"Soleil2024", "password.common"},
		{"soleilsoleil", "password.common"},
		{"marseille13", "password.common"},
		{"azertyuiop", "password.common"},
		{"qsdfghjklm", "password.common"},
		{"12345678", "password.common"},
		{"87654321", "password.common"},
		{"01021984", "password.common"},
		{"0612345678", "password.common"},
		{"a12345678", "password.common"},
		{"aaaaaaaa", "password.common"},
		{"abcdefgh", "password.common"},
		{"Amina1985", "password.common"},
		{"diallo49000", "password.common"},
		{"aminadiallo", ""},
		{"xnetroseraie", "password.common"},
		{"mot\x00de passe long", "field.malformed"},
		{"mot\xffde passe long", "field.malformed"},
		{strings.Repeat("trois bateaux ", 40), "field.too_long"},
	} {
		t.Run(tt.password, func(t *testing.T) {
			var got string
			if faults := accounts.CheckPassword("new", tt.password, "Amina Diallo", "amina4827", ""); len(faults) > 0 {
				got = faults[0].Message
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("motdepasse1", "Amina Diallo")
	f.Add("\xff\xfe12345678", "")
	f.Fuzz(func(t *testing.T, password, own string) {
		if faults := accounts.CheckPassword("new", password, own); len(faults) == 0 && (len(password) < 8 || len(password) > 512) {
			t.Errorf("%q of %d bytes is let through", password, len(password))
		}
	})
}

func TestSignInNames(t *testing.T) {
	for personal, want := range map[string]string{"Amina Diallo": "amina", "Mme Hélène Dupré": "helene", "DIALLO Amina": "diallo",
		"Łukasz Şahin": "ukasz", "Li Wu": "acces", "محمد": "acces", "Jean-Christophe Bouteiller": "jean", "Maximilienne-Antoinette": "maximilienne"} {
		got, err := accounts.NewSignInName(personal)
		if err != nil || len(got) != len(want)+4 || !strings.HasPrefix(got, want) {
			t.Errorf("%s is to sign in as %s, %v; want %s and four digits", personal, got, err, want)
		}
	}
}

// A large landlord has more people of one first name than four digits tell apart.
func TestSignInNameWhereAllShortOnesAreTaken(t *testing.T) {
	const crowd = `
WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
INSERT INTO `
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1")
		sqldbtest.Exec(t, db, crowd+`person (id, name, language) SELECT 'X' || i, 'Person', 'fr' FROM n`)
		sqldbtest.Exec(t, db, crowd+`way_in (person_id, name) SELECT 'X' || i, 'person' || i FROM n`)
		invite(t, s, "P1")
		var name string
		if err := db.QueryRowContext(t.Context(), `SELECT name FROM way_in WHERE person_id = 'P1'`).Scan(&name); err != nil {
			t.Fatal(err)
		}
		if len(name) != len("person")+5 {
			t.Errorf("P1 signs in as %s, want a word and five digits", name)
		}
	})
}
