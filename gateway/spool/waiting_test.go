package spool_test

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestAlarm(t *testing.T) {
	var log bytes.Buffer
	s := open(t, t.TempDir(), spool.Options{MaxBytes: 10_000, SegmentBytes: 1000,
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	n := 0
	for ; !s.Counts().Alarm; n++ {
		if n == 1000 {
			t.Fatal("no alarm though the spool is full")
		}
		appendTo(t, s, n+1, n+1)
	}
	if c := s.Counts(); c.Bytes < 8000 || c.Bytes > 8400 || c.Dropped > 0 {
		t.Errorf("alarm at %d of 10000 bytes, %d dropped, want it at 80 %%", c.Bytes, c.Dropped)
	}
	appendTo(t, s, n+1, n+3)
	if err := s.Answered(s.Waiting(0, n/2)); err != nil {
		t.Fatal(err)
	}
	if s.Counts().Alarm {
		t.Error("the alarm stands though half the spool is empty")
	}
	if warned := strings.Count(log.String(), "level=WARN"); warned != 1 {
		t.Errorf("warned %d times, want once:\n%s", warned, log.String())
	}
	if !strings.Contains(log.String(), "room again") {
		t.Errorf("the end of the alarm was not logged:\n%s", log.String())
	}
}

func TestLastAppendedOutlivesThePacks(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	s := open(t, dir, spool.Options{Now: now})
	appendTo(t, s, 1, 2)
	s.Close()
	s = open(t, dir, spool.Options{Now: now})
	if err := s.Answered(s.Waiting(0, 9)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got := open(t, dir, spool.Options{}).LastAppended(); !got.Equal(at) {
		t.Errorf("last appended at %s, want %s", got, at)
	}
}

// memoryFolder is a folder whose fsync costs nothing, where there is one.
func memoryFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "xnet-spool-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestManyPacksWaiting: what an uplink asks for takes the same time whether a
// hundred packs wait or two hundred thousand.
func TestManyPacksWaiting(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const packs, rounds = 200_000, 2000
	s := open(t, memoryFolder(t), spool.Options{})
	appendTo(t, s, 1, packs)
	start := time.Now()
	for n := range rounds {
		middle := s.Waiting(wire.Seq(packs/2+n), 64)
		oldest := s.Waiting(0, 1)
		if _, ok, err := s.Payload(middle[n%64]); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if err := s.Answered(oldest); err != nil {
			t.Fatal(err)
		}
		if s.Counts().Packs != packs-n-1 {
			t.Fatalf("%d packs wait, want %d", s.Counts().Packs, packs-n-1)
		}
	}
	if each := time.Since(start) / rounds; each > 500*time.Microsecond {
		t.Errorf("a round of asking takes %s with %d packs waiting, want at most 500 µs", each, packs)
	}
}

func BenchmarkWaiting(b *testing.B) { // budget 20 µs with 100,000 packs waiting
	s, err := spool.Open(memoryFolder(b), spool.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for n := range 100_000 {
		if err := s.Append([]wire.UnitReading{reading(n + 1)}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, ok, _ := s.Payload(s.Waiting(50_000, 64)[63]); !ok {
			b.Fatal("no payload")
		}
	}
}

// TestSpoolBehavesAsAList holds any sequence of appending, answering, asking and
// reopening against a plain list.
func TestSpoolBehavesAsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "xnet-spool-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		options := spool.Options{SegmentBytes: 600}
		s, err := spool.Open(dir, options)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { s.Close() }()
		var list []wire.Seq
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "readings") {
					n++
					if err := s.Append([]wire.UnitReading{reading(n)}); err != nil {
						t.Fatal(err)
					}
					list = append(list, s.Last())
				}
			},
			"answer": func(t *rapid.T) {
				if len(list) == 0 {
					t.Skip("nothing waits")
				}
				i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
				if err := s.Answered([]wire.Seq{list[i], 999_999_999_999}); err != nil {
					t.Fatal(err)
				}
				list = slices.Delete(list, i, i+1)
			},
			"reopen": func(t *rapid.T) {
				s.Close()
				if s, err = spool.Open(dir, options); err != nil {
					t.Fatal(err)
				}
				again := s.Waiting(0, 1<<20) // of a segment, what was answered comes again
				for _, seq := range list {
					if !slices.Contains(again, seq) {
						t.Fatalf("pack %d is lost: %v", seq, again)
					}
				}
				list = again
			},
			"": func(t *rapid.T) {
				after := wire.Seq(0)
				if len(list) > 0 {
					after = list[rapid.IntRange(0, len(list)-1).Draw(t, "after")]
				}
				want := slices.DeleteFunc(slices.Clone(list), func(seq wire.Seq) bool { return seq <= after })
				if got := s.Waiting(after, 1<<20); !slices.Equal(got, want) {
					t.Fatalf("after %d wait %v, want %v", after, got, want)
				}
				if got := s.Counts(); got.Packs != len(list) || got.Oldest.IsZero() != (len(list) == 0) {
					t.Fatalf("counts %+v with %d packs", got, len(list))
				}
			},
		})
	})
}
