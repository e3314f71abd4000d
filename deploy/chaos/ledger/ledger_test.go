package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

var start = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// entry is the n-th time that meter M1 was read, every two seconds.
func entry(n int) served.Entry {
	at := start.Add(time.Duration(n) * 2 * time.Second)
	return served.Entry{Meter: "M1", Quantity: metering.Index, Index: metering.Amount(100 + n), Received: at, Answered: at.Add(time.Millisecond)}
}

func reading(n int) metering.Reading {
	e := entry(n)
	return metering.Reading{Meter: e.Meter, Quantity: e.Quantity, At: e.Received.Add(2 * time.Millisecond), Amount: e.Index}
}

func later(r metering.Reading, by time.Duration) metering.Reading {
	r.At = r.At.Add(by)
	return r
}

// counts are the figures of a verdict.
type counts struct{ Compared, Kept, Missing, Wrong, Double, Cut, Excused int }

func of(v ledger.Verdict) counts {
	c := counts{Compared: v.Compared, Kept: v.Kept, Missing: v.Missing, Wrong: v.Wrong, Double: v.Double, Cut: v.Cut}
	for _, n := range v.Excused {
		c.Excused += n
	}
	return c
}

func TestCompare(t *testing.T) {
	killed := func(n int) ledger.Kill { // in the middle of the cycle in which the n-th read was
		at := entry(n).Received.Add(time.Second)
		return ledger.Kill{Gateway: "G1", From: at, Gone: at.Add(time.Millisecond)}
	}
	early := func(metering.GatewayID, time.Time) []time.Duration { return []time.Duration{-8 * time.Second} }
	noRoom := func(_ metering.GatewayID, e served.Entry) string {
		return map[bool]string{true: "for lack of room"}[e.Index == 101]
	}
	for _, tt := range []struct {
		name  string
		kept  []metering.Reading
		shown ledger.Shown // what differs from four reads and no fault
		want  counts
	}{
		{"all kept", []metering.Reading{reading(0), reading(1), reading(2), reading(3)}, ledger.Shown{}, counts{Compared: 4, Kept: 4}},
		{"one missing", []metering.Reading{reading(0), reading(2), reading(3)}, ledger.Shown{}, counts{Compared: 4, Kept: 3, Missing: 1}},
		{"one double", []metering.Reading{reading(0), reading(1), later(reading(1), 5*time.Millisecond), reading(2), reading(3)}, ledger.Shown{},
			counts{Compared: 4, Kept: 4, Double: 1}},
		{"one at another instant", []metering.Reading{reading(0), later(reading(1), -time.Second), reading(2), reading(3)}, ledger.Shown{},
			counts{Compared: 4, Kept: 4, Wrong: 1}},
		{"one that was never shown", []metering.Reading{reading(0), reading(1), reading(2), reading(3), reading(9)}, ledger.Shown{},
			counts{Compared: 4, Kept: 5, Wrong: 1}},
		{"one cut off by a kill", []metering.Reading{reading(0), reading(2), reading(3)}, ledger.Shown{Kills: []ledger.Kill{killed(1)}},
			counts{Compared: 3, Kept: 3, Cut: 1}},
		{"a kill cuts off one cycle", []metering.Reading{reading(0), reading(3)}, ledger.Shown{Kills: []ledger.Kill{killed(2)}, Cycle: 5 * time.Second},
			counts{Compared: 3, Kept: 2, Cut: 1, Missing: 1}},
		{"a kill of another gateway cuts off nothing", []metering.Reading{reading(0), reading(2), reading(3)},
			ledger.Shown{Kills: []ledger.Kill{{Gateway: "G2", From: entry(1).Received, Gone: entry(1).Received}}}, counts{Compared: 4, Kept: 3, Missing: 1}},
		{"not yet to be kept", []metering.Reading{reading(0), reading(1), reading(2)}, ledger.Shown{Until: entry(2).Received}, counts{Compared: 3, Kept: 3}},
		{"by a clock that was wrong", []metering.Reading{later(reading(0), -8*time.Second), later(reading(1), -8*time.Second),
			later(reading(2), -8*time.Second), reading(3)}, ledger.Shown{Steps: early}, counts{Compared: 4, Kept: 4, Wrong: 1}},
		{"excused", []metering.Reading{reading(0), reading(3)}, ledger.Shown{Excused: noRoom}, counts{Compared: 3, Kept: 2, Missing: 1, Excused: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.shown
			s.Served = []served.Entry{entry(0), entry(1), entry(2), entry(3)}
			s.Gateways = map[metering.MeterID]metering.GatewayID{"M1": "G1"}
			s.Timeout = time.Second
			if s.Cycle == 0 {
				s.Cycle = 2 * time.Second
			}
			if s.Until.IsZero() {
				s.Until = start.Add(time.Hour)
			}
			if diff := cmp.Diff(tt.want, of(s.Compare(tt.kept))); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExact(t *testing.T) {
	higher := reading(1)
	higher.Amount += 1000
	all := []metering.Reading{reading(0), reading(1), reading(2)}
	for _, tt := range []struct {
		name   string
		stored []metering.Reading
		want   counts
	}{
		{"the same", all, counts{Compared: 3, Kept: 3}},
		{"one missing", all[:2], counts{Compared: 3, Kept: 2, Missing: 1}},
		{"one with another amount", []metering.Reading{reading(0), higher, reading(2)}, counts{Compared: 3, Kept: 3, Wrong: 1}},
		{"one that nobody wrote", append([]metering.Reading{reading(7)}, all...), counts{Compared: 3, Kept: 4, Wrong: 1}},
		{"one at two instants", append([]metering.Reading{later(reading(1), time.Second)}, all...), counts{Compared: 3, Kept: 4, Wrong: 1, Double: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := ledger.Exact(all, tt.stored, start)
			if diff := cmp.Diff(tt.want, of(v)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			if v.Sound() != (len(v.Faults) == 0) {
				t.Errorf("sound %t, faults %s", v.Sound(), strings.Join(v.Faults, "; "))
			}
		})
	}
}

func TestLacking(t *testing.T) {
	higher := reading(1)
	higher.Amount++
	got := ledger.Lacking([]metering.Reading{reading(0), reading(1), higher, reading(2), reading(2)}, []metering.Reading{reading(1), reading(0), reading(5)})
	if diff := cmp.Diff([]metering.Reading{higher, reading(2)}, got); diff != "" {
		t.Errorf("lacking (-want +got):\n%s", diff)
	}
}

// TestWatch keeps what a real spool writes and deletes.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	box, err := spool.Open(dir, spool.Options{SegmentBytes: 500})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	write := func(n int) {
		if err := box.Append([]wire.UnitReading{{Reading: reading(n), Unit: metering.WattHour}}); err != nil {
			t.Fatal(err)
		}
	}
	write(0) // before the watch
	w, err := ledger.Watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	var want []metering.Reading
	for n := range 20 {
		if n > 0 {
			write(n)
		}
		want = append(want, reading(n))
		testkit.Eventually(t, 5*time.Second, func() error { // no collector answers at once
			got, err := w.Written()
			if err == nil && got.Packs != len(want) {
				err = fmt.Errorf("%d packs seen, want %d", got.Packs, len(want))
			}
			return err
		})
		if err := box.Answered(box.Waiting(0, 100)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 5*time.Second, func() error {
		got, err := w.Written()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Readings, cmp.Transformer("sorted", byInstant)); diff != "" || got.Packs != len(want) || got.Missed != 0 {
			return &differ{diff}
		}
		return nil
	})
	if left, err := ledger.OnDisk(dir); err != nil || left.Packs == 0 || left.Packs == len(want) {
		t.Errorf("%d packs on the disk, %v; want those of the last segment", left.Packs, err)
	}
}

type differ struct{ diff string }

func (d *differ) Error() string { return d.diff }

func byInstant(rs []metering.Reading) map[int64]metering.Reading {
	at := map[int64]metering.Reading{}
	for _, r := range rs {
		at[r.At.UnixMilli()] = r
	}
	return at
}
