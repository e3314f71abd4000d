package training_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func (s *school) clerk() *training.Clerk {
	return &training.Clerk{Store: s.store, Sender: []string{"Le Toit Angevin", "1 place de la Paix", "49000 Angers"}, Advisor: "Claire Moreau", Dial: "02 41 00 00 00",
		Now:  func() time.Time { return s.now },
		Say:  func(_, key string, args ...any) string { return web.French().T(key, args...) },
		Date: func(_ string, d civil.Date) string { return web.French().Date(d, civil.Date{}) },
		Door: func(_, label, building, staircase string) string {
			return web.French().Door(label, building, staircase)
		}}
}

// Each paper is a PDF for who may have it, the same each time, and nothing for
// others. XNET_SCREENSHOTS names a folder to look at them.
func TestPapers(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := newSchool(t, db, 3)
		ctx, clerk := t.Context(), s.clerk()
		at := s.session(t, 10*24*hour, 4, 0)
		good(t, "invite", s.store.Invite(ctx, "P-adv", s.duties[0], at.ID, s.now))
		for i := range 2 {
			good(t, "enrol", s.store.Enrol(ctx, "P-adv", s.duties[i+1], at.ID, false, s.now))
		}
		keep := func(name string, make func() ([]byte, error)) {
			t.Helper()
			file, err := make()
			again, err2 := make()
			if err != nil || err2 != nil || !bytes.HasPrefix(file, []byte("%PDF")) || !bytes.Equal(file, again) {
				t.Errorf("%s: %d bytes, %v, %v, the same again: %v", name, len(file), err, err2, bytes.Equal(file, again))
			}
			if folder := os.Getenv("XNET_SCREENSHOTS"); folder != "" {
				good(t, name, os.WriteFile(filepath.Join(folder, name+".pdf"), file, 0o600))
			}
		}
		keep("sheet", func() ([]byte, error) { return clerk.SheetPDF(ctx, "P-tra", at.ID, "fr") })
		for _, nobody := range []string{"P-tr2", "P-man", "P-ad2", "P-1"} {
			_, err := clerk.SheetPDF(ctx, personID(nobody), at.ID, "fr")
			want(t, "sheet for "+nobody, err, training.ErrNoSession)
		}
		letters, err := clerk.Letters(ctx, "P-adv")
		if err != nil || len(letters) != 3 {
			t.Fatalf("%d letters, %v", len(letters), err)
		}
		if others, err := clerk.Letters(ctx, "P-ad2"); err != nil || len(others) != 0 {
			t.Errorf("%d letters for another residence, %v", len(others), err)
		}
		ids := []string{letters[0].ID, letters[1].ID}
		var file []byte
		keep("letters", func() ([]byte, error) {
			if file == nil {
				file, err = clerk.Print(ctx, "P-adv", ids)
			}
			return file, err
		})
		_, err = clerk.Print(ctx, "P-adv", ids)
		want(t, "printed twice", err, training.ErrNoLetter)
		_, err = clerk.CertificatePDF(ctx, s.duty(t, 1))
		want(t, "certificate before", err, training.ErrNotTrained)
		s.now = at.Starts.Add(hour)
		good(t, "present", s.store.Record(ctx, "P-tra", at.ID, []training.Mark{{Enrolment: s.duty(t, 1).Now.ID, Present: true}}, s.now))
		keep("certificate", func() ([]byte, error) { return clerk.CertificatePDF(ctx, s.duty(t, 1)) })
	})
}
