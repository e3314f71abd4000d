package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func reading(n int) wire.UnitReading {
	return wire.UnitReading{Unit: metering.WattHour, Reading: metering.Reading{
		Meter: "M1", Quantity: metering.Index, Amount: metering.Amount(n),
		At: time.UnixMilli(1_760_000_000_000 + int64(n)).UTC()}}
}

func open(t *testing.T, dir string, o spool.Options) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func appendTo(t *testing.T, s *spool.Spool, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := s.Append([]wire.UnitReading{reading(n)}); err != nil {
			t.Fatal(err)
		}
	}
}

// amounts decodes what waits, in order.
func amounts(t *testing.T, s *spool.Spool) (all []int) {
	t.Helper()
	for _, seq := range s.Waiting(0, 1<<20) {
		payload, ok, err := s.Payload(seq)
		if err != nil || !ok {
			t.Fatalf("payload of pack %d: %v, %v", seq, ok, err)
		}
		p, err := wire.DecodePack(payload)
		if err != nil {
			t.Fatal(err)
		}
		if p.Seq != seq || p.Spool != s.ID() {
			t.Fatalf("pack %d of %s bears %d of %s", seq, s.ID(), p.Seq, p.Spool)
		}
		for _, r := range p.Readings {
			all = append(all, int(r.Amount))
		}
	}
	return all
}

func numbers(from, to int) (all []int) {
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}

func TestPacksSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Options{})
	id := s.ID()
	appendTo(t, s, 1, 10)
	if err := s.Answered([]wire.Seq{1, 2, 3, 5}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{4, 6, 7, 8, 9, 10}, amounts(t, s)); diff != "" {
		t.Error(diff)
	}
	s.Close()

	s = open(t, dir, spool.Options{})
	if s.ID() != id {
		t.Errorf("id %s after reopening, want %s", s.ID(), id)
	}
	// What was answered may come again: writing twice equals writing once.
	if diff := cmp.Diff(numbers(1, 10), amounts(t, s)); diff != "" {
		t.Error(diff)
	}
	appendTo(t, s, 11, 11)
	if got := s.Waiting(10, 9); !slices.Equal(got, []wire.Seq{1_000_000_001}) {
		t.Errorf("new pack has number %v, want the first of the second opening", got)
	}
}

func TestManyReadingsBecomeSeveralPacks(t *testing.T) {
	s := open(t, t.TempDir(), spool.Options{})
	var many []wire.UnitReading
	for n := range 2*spool.PackReadings + 1 {
		many = append(many, reading(n+1))
	}
	if err := s.Append(many); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Waiting(0, 10)); got != 3 {
		t.Errorf("%d packs, want 3", got)
	}
	if diff := cmp.Diff(numbers(1, len(many)), amounts(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestAnsweredSegmentsAreUnlinkedAndNumbersNeverReused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Options{SegmentBytes: 300})
	appendTo(t, s, 1, 20)
	if err := s.Answered(s.Waiting(0, 100)); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.seg")); len(files) != 1 {
		t.Errorf("%d segments are left, want the last one: %v", len(files), files)
	}
	for range 3 { // reopening without writing must not lose the number either
		s.Close()
		s = open(t, dir, spool.Options{SegmentBytes: 300})
	}
	appendTo(t, s, 21, 21)
	if seqs := s.Waiting(20, 5); !slices.Equal(seqs, []wire.Seq{3_000_000_001}) {
		t.Errorf("numbers after reopening: %v, want the first of the fourth opening", seqs)
	}
}

// TestNothingAnsweredStaysForLong: a segment ends when it is an hour old or is
// sealed, so that what was answered leaves the disk though little is read.
func TestNothingAnsweredStaysForLong(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	s := open(t, dir, spool.Options{Now: func() time.Time { return now }})
	files := func(want int, when string) {
		t.Helper()
		if found, _ := filepath.Glob(filepath.Join(dir, "*.seg")); len(found) != want {
			t.Errorf("%s: %d segments, want %d", when, len(found), want)
		}
	}
	answer := func() {
		t.Helper()
		if err := s.Answered(s.Waiting(0, 100)); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, s, 1, 1)
	answer()
	now = now.Add(59 * time.Minute)
	appendTo(t, s, 2, 2)
	files(1, "within the hour")
	now = now.Add(time.Minute)
	appendTo(t, s, 3, 3)
	files(2, "pack 2 waits in a segment that is an hour old")
	answer()
	files(1, "all of the old segment is answered")
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	files(0, "sealed, and nothing waits")
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	appendTo(t, s, 4, 4)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	files(1, "sealed, and a pack waits")
	if diff := cmp.Diff(numbers(4, 4), amounts(t, s)); diff != "" {
		t.Error(diff)
	}
	answer()
	files(0, "the sealed segment is answered")
	appendTo(t, s, 5, 5)
	if diff := cmp.Diff(numbers(5, 5), amounts(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, spool.Options{})
	if _, err := spool.Open(dir, spool.Options{}); !errors.Is(err, spool.ErrInUse) {
		t.Errorf("second opening: %v, want %v", err, spool.ErrInUse)
	}
}

func TestFullSpool(t *testing.T) {
	limits := spool.Options{MaxBytes: 2000, SegmentBytes: 400}
	t.Run("drops the oldest and counts", func(t *testing.T) {
		s := open(t, t.TempDir(), limits)
		appendTo(t, s, 1, 50)
		left := amounts(t, s)
		c := s.Counts()
		if c.Dropped == 0 || int(c.Dropped)+len(left) != 50 || c.Bytes > limits.MaxBytes {
			t.Errorf("%d left, counts %+v", len(left), c)
		}
		if diff := cmp.Diff(numbers(51-len(left), 50), left); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("refuses where told so", func(t *testing.T) {
		refusing := limits
		refusing.Refuse = true
		s := open(t, t.TempDir(), refusing)
		var err error
		n := 0
		for ; err == nil && n < 50; n++ {
			err = s.Append([]wire.UnitReading{reading(n + 1)})
		}
		if !errors.Is(err, spool.ErrFull) {
			t.Fatalf("after %d packs: %v, want %v", n, err, spool.ErrFull)
		}
		if diff := cmp.Diff(numbers(1, n-1), amounts(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestDamage cuts and zeroes a segment at every byte: at most what stands behind
// the damage in that segment is lost, it is counted, and nothing comes out that
// was not put in.
func TestDamage(t *testing.T) {
	origin := t.TempDir()
	s := open(t, origin, spool.Options{SegmentBytes: 500})
	appendTo(t, s, 1, 12)
	s.Close()
	files, err := filepath.Glob(filepath.Join(origin, "*.seg"))
	if err != nil || len(files) < 3 {
		t.Fatalf("segments %v, %v", files, err)
	}
	whole, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		every  int // the width of the damage
		damage func(b []byte, at int) []byte
	}{
		{"cut", 1, func(b []byte, at int) []byte { return b[:at] }},
		{"zeroed", 5, func(b []byte, at int) []byte { clear(b[at:min(at+5, len(b))]); return b }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for at := 0; at < len(whole); at += tt.every {
				checkDamaged(t, origin, filepath.Base(files[1]), tt.damage(slices.Clone(whole), at), at)
			}
		})
	}
}

func checkDamaged(t *testing.T, origin, name string, damaged []byte, at int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(origin)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(dir, spool.Options{SegmentBytes: 500})
	if err != nil {
		t.Fatalf("damage at byte %d: %v", at, err)
	}
	defer s.Close()
	left := amounts(t, s)
	if !slices.IsSorted(left) || left[0] != 1 || left[len(left)-1] != 12 || len(slices.Compact(slices.Clone(left))) != len(left) {
		t.Fatalf("damage at byte %d: %v is left", at, left)
	}
	if next := firstNumber(t, s); next <= 12 {
		t.Fatalf("damage at byte %d: number %d is given again", at, next)
	}
}

func firstNumber(t *testing.T, s *spool.Spool) wire.Seq {
	t.Helper()
	before := s.Waiting(0, 100)
	appendTo(t, s, 99, 99)
	after := s.Waiting(before[len(before)-1], 10)
	return after[0]
}

func TestTornTailOfTheLastSegmentIsCutAndItsNumbersAreNotReused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Options{})
	appendTo(t, s, 1, 5)
	s.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	stat, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(files[0], stat.Size()-150); err != nil { // packs 4 and 5
		t.Fatal(err)
	}
	s = open(t, dir, spool.Options{})
	if diff := cmp.Diff([]int{1, 2, 3, 4}[:len(amounts(t, s))], amounts(t, s)); diff != "" {
		t.Error(diff)
	}
	if s.Counts().CutBytes == 0 {
		t.Error("the cut is not counted")
	}
	if next := firstNumber(t, s); next <= 5 {
		t.Errorf("number %d is given again", next)
	}
}
