package consumption_test

import (
	"errors"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

var errOld = errors.New("4 May is still the old one")

// What is kept is at most so old; the last reading is always new; and what a
// household takes back is not shown a moment longer.
func TestRemember(t *testing.T) {
	server := testkit.Influx(t)
	reader, client, db := homeAndStore(t, server, head+onePoint)
	write(t, client, []closedDay{{"a", "2026-05-04", 500, 500}}, map[string]metering.Amount{"2026-05-05 12:00:00": 600})
	look := func() consumption.Series {
		t.Helper()
		now := local(t, "2026-05-05 12:30:01")
		home, err := reader.Between(t.Context(), premises.Own("p"), now, date(t, "2026-05-01"), date(t, "2026-05-06"))
		if err != nil {
			t.Fatal(err)
		}
		return home.Series[0]
	}
	used := func(s consumption.Series, day string) metering.Amount {
		d, _ := s.Day(date(t, day))
		return d.Used
	}
	const kept = 2 * time.Second
	reader.Remember(kept)
	begun := time.Now()
	if got := used(look(), "2026-05-04"); got != 500 {
		t.Fatalf("4 May: %d", got)
	}
	write(t, client, []closedDay{{"a", "2026-05-04", 520, 520}}, map[string]metering.Amount{"2026-05-05 12:30:00": 700})
	s := look()
	if got := used(s, "2026-05-04"); got != 500 && time.Since(begun) < kept {
		t.Errorf("4 May is asked for again: %d", got)
	}
	if s.Last != local(t, "2026-05-05 12:30:00").UTC() {
		t.Errorf("the last reading is an old one: %s", s.Last)
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := used(look(), "2026-05-04"); got != 520 {
			return errOld
		}
		return nil
	})
	write(t, client, []closedDay{{"a", "2026-05-04", 530, 530}}, nil)
	reader.Forget()
	if got := used(look(), "2026-05-04"); got != 530 {
		t.Errorf("kept after all was forgotten: %d", got)
	}
	sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'off'`)
	if s := look(); len(s.Days) != 0 || len(s.Months) != 0 || !s.Last.IsZero() {
		t.Errorf("shown after it was taken back: %+v", s)
	}
	// Erased, and agreed to anew: that is another question, and the answer is empty.
	sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'day'`)
	erase := influx.Range{From: local(t, "2026-05-01 00:00:00"), To: local(t, "2026-05-06 00:00:00")}
	if err := client.Coarsen(t.Context(), "a", erase.From, erase.To, metering.Off, nil); err != nil {
		t.Fatal(err)
	}
	if s := look(); len(s.Days) != 0 {
		t.Errorf("shown after it was erased: %+v", s.Days)
	}
}
