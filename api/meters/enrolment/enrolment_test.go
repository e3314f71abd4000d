package enrolment_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// each runs a test on both databases, with a folder for the broker's files.
func each(t *testing.T, test func(t *testing.T, s *enrolment.Store, f enrolment.Files)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		t.Helper()
		meterstest.Furnish(t, db)
		f := enrolment.Files{Dir: t.TempDir()}
		test(t, enrolment.NewStore(db, meters.NewStore(db), f), f)
	})
}

func offer(t *testing.T, s *enrolment.Store, g metering.GatewayID, at time.Time) enrolment.Offer {
	t.Helper()
	o, err := s.Offer(t.Context(), meterstest.Installer, g, at)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCodeWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, _ enrolment.Files) {
		o := offer(t, s, "gw-r", meterstest.Now)
		typed := enrolment.Code(" " + strings.ToLower(strings.ReplaceAll(string(o.Code), "-", " ")))
		a, err := s.Redeem(t.Context(), typed, meterstest.Now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if a.Source.String() != "R/gw-r" || a.Username != "R/gw-r" || a.Zone != "Europe/Paris" || len(a.Password) < 20 {
			t.Errorf("access %+v", a)
		}
		if _, err := s.Redeem(t.Context(), o.Code, meterstest.Now.Add(time.Hour)); !errors.Is(err, enrolment.ErrCode) {
			t.Errorf("the second time: %v, want ErrCode", err)
		}
	})
}

func TestCodesThatDoNotWork(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, _ enrolment.Files) {
		first := offer(t, s, "gw-r", meterstest.Now)
		second := offer(t, s, "gw-r", meterstest.Now)
		tries := map[string]struct {
			code enrolment.Code
			at   time.Time
		}{
			"made void by the next one": {first.Code, meterstest.Now},
			"too old":                   {second.Code, second.Until},
			"invented":                  {"AAAA-BBBB-CCCC-DDDD", meterstest.Now},
			"empty":                     {"", meterstest.Now},
		}
		for name, try := range tries {
			if _, err := s.Redeem(t.Context(), try.code, try.at); !errors.Is(err, enrolment.ErrCode) {
				t.Errorf("%s: %v, want ErrCode", name, err)
			}
		}
		if _, err := s.Redeem(t.Context(), second.Code, second.Until.Add(-time.Millisecond)); err != nil {
			t.Errorf("at the last moment: %v", err)
		}
	})
}

// TestWhoMayOffer: installers and administrators of the gateway's residence alone.
func TestWhoMayOffer(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, _ enrolment.Files) {
		for who, may := range map[accounts.PersonID]bool{meterstest.Installer: true, meterstest.Admin: true, meterstest.Elsewhere: false,
			meterstest.Manager: false, meterstest.Technician: false, meterstest.Tenant: false} {
			_, err := s.Offer(t.Context(), who, "gw-r", meterstest.Now)
			if may && err != nil || !may && !errors.Is(err, meters.ErrNone) {
				t.Errorf("%s: %v, may %v", who, err, may)
			}
		}
	})
}

// read returns a file of the broker's folder and when it was written.
func read(t *testing.T, f enrolment.Files, name string) ([]byte, time.Time) {
	t.Helper()
	path := filepath.Join(f.Dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return text, stat.ModTime()
}

// TestFilesChangeOnlyWhereTheyMust: the broker reads them anew at each change.
func TestFilesChangeOnlyWhereTheyMust(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, f enrolment.Files) {
		if _, err := s.Redeem(t.Context(), offer(t, s, "gw-r", meterstest.Now).Code, meterstest.Now); err != nil {
			t.Fatal(err)
		}
		acl, aclAt := read(t, f, "acl")
		passwords, passwordsAt := read(t, f, "passwords")
		if err := s.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, at := read(t, f, "acl")
		if !bytes.Equal(again, acl) || !at.Equal(aclAt) {
			t.Error("acl was written again")
		}
		again, at = read(t, f, "passwords")
		if !bytes.Equal(again, passwords) || !at.Equal(passwordsAt) {
			t.Error("passwords were written again")
		}
		if err := os.WriteFile(f.PasswordFile(enrolment.CollectorUser), []byte("another\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
		changed, _ := read(t, f, "passwords")
		if bytes.Equal(changed, passwords) || lines(changed) != lines(passwords) {
			t.Error("a program's new password did not reach the broker")
		}
	})
}

// Whoever enrols at the same moment as another, perhaps in another program, does
// not write the other's gateway out of the broker's files.
func TestEnrolmentsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, f enrolment.Files) {
		gateways := []metering.GatewayID{"gw-r", "gw-r2", "gw-s"}
		for range 5 {
			begin := make(chan struct{})
			var all errgroup.Group
			for _, g := range gateways {
				o, err := s.Offer(t.Context(), meterstest.Admin, g, meterstest.Now)
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() error {
					<-begin
					_, err := s.Redeem(t.Context(), o.Code, meterstest.Now)
					return err
				})
			}
			close(begin)
			if err := all.Wait(); err != nil {
				t.Fatal(err)
			}
			kept := map[string]bool{}
			for _, name := range []string{"passwords", "acl"} {
				text, _ := read(t, f, name)
				kept[string(text)] = true
			}
			if err := s.Write(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"passwords", "acl"} {
				if text, _ := read(t, f, name); !kept[string(text)] {
					t.Errorf("%s did not say what the database says:\n%s", name, text)
				}
			}
		}
	})
}

// TestProgress: a code waits until it is used or too old; then the board that used
// it counts since that instant, also while another code waits.
func TestProgress(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, _ enrolment.Files) {
		want := func(what string, id metering.GatewayID, at time.Time, want enrolment.Progress) {
			t.Helper()
			got, err := s.Progress(t.Context(), id, at)
			if err != nil || !got.Until.Equal(want.Until) || !got.Since.Equal(want.Since) {
				t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
			}
		}
		now, used := meterstest.Now, meterstest.Now.Add(time.Minute)
		want("nothing yet", "gw-r", now, enrolment.Progress{})
		first := offer(t, s, "gw-r", now)
		want("a code waits", "gw-r", used, enrolment.Progress{Until: first.Until})
		want("too old", "gw-r", first.Until, enrolment.Progress{})
		if _, err := s.Redeem(t.Context(), first.Code, used); err != nil {
			t.Fatal(err)
		}
		want("used", "gw-r", used, enrolment.Progress{Since: used})
		second := offer(t, s, "gw-r", used)
		want("another waits", "gw-r", used, enrolment.Progress{Until: second.Until, Since: used})
		want("another gateway", "gw-r2", used, enrolment.Progress{})
		want("no gateway", "nowhere", used, enrolment.Progress{})
	})
}

func lines(text []byte) int { return bytes.Count(text, []byte("\n")) }

// TestFilesThatCannotBeWritten: the code is not spent, and the access that counts
// is the one that the broker knows.
func TestFilesThatCannotBeWritten(t *testing.T) {
	each(t, func(t *testing.T, s *enrolment.Store, f enrolment.Files) {
		o := offer(t, s, "gw-r", meterstest.Now)
		aside := f.Dir + "-aside"
		if err := os.Rename(f.Dir, aside); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Redeem(t.Context(), o.Code, meterstest.Now); err == nil || errors.Is(err, enrolment.ErrCode) {
			t.Fatalf("without the folder: %v", err)
		}
		if err := os.Rename(aside, f.Dir); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Redeem(t.Context(), o.Code, meterstest.Now); err != nil {
			t.Errorf("once the folder is back: %v", err)
		}
	})
}

// TestNobodyElseReadsSecrets: the database holds neither code nor password.
func TestNobodyElseReadsSecrets(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		meterstest.Furnish(t, db)
		s := enrolment.NewStore(db, meters.NewStore(db), enrolment.Files{Dir: t.TempDir()})
		o := offer(t, s, "gw-r", meterstest.Now)
		var kept string
		if err := db.QueryRowContext(t.Context(), "SELECT digest FROM gateway_code").Scan(&kept); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(kept, strings.ReplaceAll(string(o.Code), "-", "")[:8]) {
			t.Errorf("the code %s stands in %s", o.Code, kept)
		}
		a, err := s.Redeem(t.Context(), o.Code, meterstest.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRowContext(t.Context(), "SELECT password FROM gateway_access").Scan(&kept); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(kept, "$7$") || strings.Contains(kept, a.Password) {
			t.Errorf("of the password %s is kept", kept)
		}
	})
}
