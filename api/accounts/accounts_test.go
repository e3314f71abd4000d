package accounts_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// cheap keeps tests quick; TestDefaultCost measures the real one.
var cheap = accounts.Cost{Passes: 1, MemoryKiB: 64}

var now = time.Date(2026, 3, 18, 13, 0, 0, 0, time.UTC)

func TestParseCode(t *testing.T) {
	for _, tt := range []struct{ name, typed, want string }{
		{"as printed", "ACDE-2347-FGHJ", "ACDE-2347-FGHJ"},
		{"small letters", "acde-2347-fghj", "ACDE-2347-FGHJ"},
		{"without hyphens", "acde2347fghj", "ACDE-2347-FGHJ"},
		{"spaces", "  ACDE 2347 FGHJ ", "ACDE-2347-FGHJ"},
		{"spaces that do not break", "ACDE\u00a02347\u202fFGHJ", "ACDE-2347-FGHJ"},
		{"letter O for zero", "AoDE-O347-FGHJ", "A0DE-0347-FGHJ"},
		{"letters I and l for one", "AIDE-l347-FGHJ", "A1DE-1347-FGHJ"},
		{"S, Z and B for digits", "SZBE-2347-FGHJ", "528E-2347-FGHJ"},
		{"too short", "ACDE-2347-FGH", ""},
		{"too long", "ACDE-2347-FGHJK", ""},
		{"empty", "", ""},
		{"no characters of the alphabet", "ACDE-2347-FGH!", ""},
		{"other in the middle", "ACDE-23é7-FGHJ", ""},
		{"very long", strings.Repeat("A", 10000), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := accounts.ParseCode(tt.typed)
			if got.String() != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("ParseCode(%q) = %q, %v; want %q", tt.typed, got, err, tt.want)
			}
		})
	}
}

func TestEveryNewCodeParses(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		code, err := accounts.NewCode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := accounts.ParseCode(strings.ToLower(code.String()))
		if err != nil || again != code || seen[code.String()] {
			t.Fatalf("code %s is read as %s, %v, drawn before: %v", code, again, err, seen[code.String()])
		}
		seen[code.String()] = true
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add("ACDE-2347-FGHJ")
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := accounts.ParseCode(typed)
		if err != nil {
			return
		}
		if again, err := accounts.ParseCode(code.String()); err != nil || again != code {
			t.Errorf("ParseCode(%q) = %s, which is read as %s, %v", typed, code, again, err)
		}
	})
}

func store(t *testing.T, db *sql.DB, persons ...string) *accounts.Store {
	t.Helper()
	err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		var all []accounts.Person
		for _, id := range persons {
			all = append(all, accounts.Person{ID: accounts.PersonID(id), Name: "Person " + id, Language: "fr"})
		}
		return accounts.Put(t.Context(), tx, all)
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := accounts.NewStore(db, cheap)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func invite(t *testing.T, s *accounts.Store, person accounts.PersonID) accounts.Code {
	t.Helper()
	code, err := s.Invite(t.Context(), person, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// visit is a sign-in at now on terms of a minute.
var visit = accounts.Arrival{At: now, Browser: "Firefox, Linux", Terms: accounts.Terms{Length: time.Minute}}

// at is visit at another instant.
func at(instant time.Time) accounts.Arrival {
	a := visit
	a.At = instant
	return a
}

func signIn(t *testing.T, s *accounts.Store, person accounts.PersonID) (accounts.Entry, accounts.Session) {
	t.Helper()
	entry, err := s.SignIn(t.Context(), invite(t, s, person), visit)
	if err != nil {
		t.Fatal(err)
	}
	return entry, session(t, s, entry)
}

func session(t *testing.T, s *accounts.Store, entry accounts.Entry) accounts.Session {
	t.Helper()
	found, err := s.Session(t.Context(), entry.Token, now, visit.Terms)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSignIn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1", "P2")
		code, other := invite(t, s, "P1"), invite(t, s, "P2")
		entry, err := s.SignIn(t.Context(), code, visit)
		if err != nil {
			t.Fatal(err)
		}
		session, err := s.Session(t.Context(), entry.Token, now.Add(59*time.Second), visit.Terms)
		if err != nil || session.Person.ID != "P1" || session.FormToken == "" || session.FormToken == string(entry.Token) {
			t.Errorf("session = %+v, %v", session, err)
		}
		mixed, err := accounts.ParseCode(code.String()[:5] + other.String()[5:])
		if err != nil {
			t.Fatal(err)
		}
		for name, refused := range map[string]func() error{
			"mixed codes":  func() error { _, err := s.SignIn(t.Context(), mixed, visit); return err },
			"expired code": func() error { _, err := s.SignIn(t.Context(), code, at(now.Add(time.Hour))); return err },
			"expired session": func() error {
				_, err := s.Session(t.Context(), entry.Token, now.Add(time.Minute), visit.Terms)
				return err
			},
			"unknown token": func() error { _, err := s.Session(t.Context(), entry.Token+"x", now, visit.Terms); return err },
		} {
			if err := refused(); !errors.Is(err, accounts.ErrCodeWrong) && !errors.Is(err, accounts.ErrNoSession) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestInviteReplaces(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1")
		first := invite(t, s, "P1")
		entry, err := s.SignIn(t.Context(), first, visit)
		if err != nil {
			t.Fatal(err)
		}
		second := invite(t, s, "P1")
		if _, err := s.SignIn(t.Context(), first, visit); !errors.Is(err, accounts.ErrCodeWrong) {
			t.Errorf("the old code still works: %v", err)
		}
		if _, err := s.Session(t.Context(), entry.Token, now, visit.Terms); !errors.Is(err, accounts.ErrNoSession) {
			t.Errorf("the old session lives on: %v", err)
		}
		if _, err := s.SignIn(t.Context(), second, visit); err != nil {
			t.Errorf("the new code does not work: %v", err)
		}
		if _, err := s.Invite(t.Context(), "P9", now); !errors.Is(err, accounts.ErrNoPerson) {
			t.Errorf("invite of nobody: %v", err)
		}
	})
}

func TestStoreHoldsNoSecret(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := store(t, db, "P1")
		code := invite(t, s, "P1")
		var selector, hash string
		if err := db.QueryRowContext(t.Context(), `SELECT selector, hash FROM sign_in`).Scan(&selector, &hash); err != nil {
			t.Fatal(err)
		}
		if selector != code.String()[:4] || strings.Contains(hash, code.String()[5:9]) {
			t.Errorf("selector %q and hash %q of code %s", selector, hash, code)
		}
	})
}

func TestThrottle(t *testing.T) {
	throttle := accounts.NewThrottle()
	for try := range 5 {
		if wait := throttle.Admit("192.0.2.1", now); wait != 0 {
			t.Fatalf("try %d waits %s", try, wait)
		}
	}
	if wait := throttle.Admit("192.0.2.1", now); wait != 2*time.Second {
		t.Errorf("try after the free ones waits %s, want 2s", wait)
	}
	if wait := throttle.Admit("192.0.2.2", now); wait != 0 {
		t.Errorf("another address waits %s", wait)
	}
	if wait := throttle.Admit("192.0.2.1", now.Add(2*time.Second)); wait != 0 {
		t.Errorf("after the wait: %s more", wait)
	}
	if wait := throttle.Admit("192.0.2.1", now.Add(2*time.Second)); wait != 4*time.Second {
		t.Errorf("the wait doubles to %s, want 4s", wait)
	}
	if wait := throttle.Admit("192.0.2.1", now.Add(time.Hour)); wait != 0 {
		t.Errorf("after an hour: %s", wait)
	}
}

func TestThrottleForgives(t *testing.T) {
	throttle := accounts.NewThrottle()
	for try := range 50 {
		if wait := throttle.Admit("192.0.2.1", now); wait != 0 {
			t.Fatalf("neighbour %d with a right code waits %s", try, wait)
		}
		throttle.Forgive("192.0.2.1", now)
	}
}

func TestThrottleSeesIPv6Networks(t *testing.T) {
	throttle := accounts.NewThrottle()
	for i := range 5 {
		throttle.Admit(fmt.Sprintf("2001:db8::%d", i+1), now)
	}
	if wait := throttle.Admit("2001:db8::99", now); wait == 0 {
		t.Error("an address of the same /64 is let in")
	}
	if wait := throttle.Admit("2001:db8:0:1::1", now); wait != 0 {
		t.Errorf("another /64 waits %s", wait)
	}
}

// Nobody waits longer than a minute, whatever was tried before.
func TestThrottleIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		throttle, at := accounts.NewThrottle(), now
		for _, seconds := range rapid.SliceOf(rapid.IntRange(0, 200)).Draw(t, "gaps") {
			at = at.Add(time.Duration(seconds) * time.Second)
			if wait := throttle.Admit("192.0.2.1", at); wait < 0 || wait > time.Minute {
				t.Fatalf("waits %s", wait)
			}
		}
	})
}
