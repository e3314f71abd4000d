package accounts_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// quickest is the shortest of some runs, in time on the clock and in time that
// the process worked: what else a machine does lengthens the first.
func quickest(t *testing.T, runs int, try func() error) (clock, work time.Duration) {
	t.Helper()
	var clocks, works []time.Duration
	for range runs {
		begun, worked := time.Now(), worked(t)
		if err := try(); err != nil && !errors.Is(err, accounts.ErrCodeWrong) {
			t.Fatal(err)
		}
		clocks, works = append(clocks, time.Since(begun)), append(works, workedSince(t, worked))
	}
	return slices.Min(clocks), slices.Min(works)
}

func worked(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func workedSince(t *testing.T, before time.Duration) time.Duration {
	t.Helper()
	return worked(t) - before
}

// A guess is felt by who guesses and not by who signs in, and takes as long
// where there is nobody to be guessed: 50 to 300 ms of argon2id.
func TestDefaultCost(t *testing.T) {
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	store(t, db, "P1")
	s, err := accounts.NewStore(db, accounts.DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	entry, err := s.SignIn(t.Context(), invite(t, s, "P1"), visit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetPassword(t.Context(), session(t, s, entry), "", password, visit); err != nil {
		t.Fatal(err)
	}
	access, err := s.Access(t.Context(), "P1", now)
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := accounts.NewCode()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	byPassword := func(name, password string) func() error {
		return func() error { _, err := s.SignInByPassword(ctx, name, password, visit); return err }
	}
	times := map[string]time.Duration{}
	for name, try := range map[string]func() error{
		"right password":     byPassword(access.Name, password),
		"wrong password":     byPassword(access.Name, "wrong "+password),
		"name nobody has":    byPassword("nobody1234", password),
		"code nobody has":    func() error { _, err := s.SignIn(ctx, nobody, visit); return err },
		"code nobody asked":  func() error { _, err := s.SignInByEmail(ctx, "none", accounts.ShortCode{}, visit); return err },
		"address nobody has": byPassword("nobody@example.org", password),
	} {
		clock, work := quickest(t, 5, try)
		t.Logf("%s: %s, of which %s of work", name, clock, work)
		times[name] = work
		if times[name] < 50*time.Millisecond || times[name] > 300*time.Millisecond {
			t.Errorf("%s took %s, want 50 to 300 ms", name, times[name])
		}
	}
	for name, spent := range times {
		if known := times["wrong password"]; spent > known*3/2 || spent < known*2/3 {
			t.Errorf("%s took %s, a wrong password %s: the difference tells who exists", name, spent, known)
		}
	}
}
