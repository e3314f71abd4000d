package computers_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// BenchmarkCheck is the registration check among 2,000 machines of which one in
// four is sold, in SQLite: a third asked for as they are, a third with a slip, a
// third with O for 0. Budget: 2 ms of processor time a check, so that 20 ms are
// kept on a machine that does other work beside.
func BenchmarkCheck(b *testing.B) {
	db, err := sqldb.Open(b.Context(), b.TempDir()+"/check.db")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s := newShop(b, db, nil)
	var file strings.Builder
	file.WriteString("serial;maker;model;donor\n")
	serial := func(n int) string { return fmt.Sprintf("5CG%07dX0", n*97) }
	for n := range 2000 {
		fmt.Fprintf(&file, "%s;HP;Elite;Don\n", serial(n))
	}
	report, err := s.Import(b.Context(), technician, "R", []byte(file.String()), false, s.now, func(int, int) {})
	if err != nil || report.Made != 2000 {
		b.Fatalf("%+v: %v", report, err)
	}
	_, err = db.ExecContext(b.Context(), `
INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, payment, receipt_no,
                          sold_on, sold_by, programme_from, programme_months, handed_on, accessories, signed_by, return_reason, refund_cents)
SELECT 'S-' || id, id, 'R', 'F-1', 'P-1', 'used', 6000, 6000, 0, 'cash', substr(id, 20), '2026-02-01', 'P-x', '2026-02-01', 12, '2026-02-01', '', 'x', '', 0
  FROM machine
 WHERE substr(tag, 9) IN ('0', '4')`)
	if err != nil {
		b.Log(err)
	}
	n := 0
	begun := spent(b)
	for b.Loop() {
		typed := []byte(serial(n * 31 % 2000))
		switch n % 3 {
		case 1:
			typed[6] = 'Z'
		case 2:
			typed[len(typed)-1] = 'O'
		}
		a, err := s.Check(b.Context(), technician, string(typed), s.now)
		if err != nil || a.Machine == nil && len(a.Alike) == 0 {
			b.Fatalf("check of %s: %+v, %v", typed, a, err)
		}
		n++
	}
	b.ReportMetric(float64((spent(b)-begun).Microseconds())/float64(n), "cpu-µs/op")
}

// spent is the processor time of the program so far.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
