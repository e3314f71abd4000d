package spool_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A witness is what a child process said before it was killed.
type witness struct {
	kept     []int // Append had returned
	failed   []int // Append had failed
	answered map[wire.Seq]bool
}

// spoolUntilKilled runs a child that spools readings from first on, and kills it
// with signal 9 after so many lines.
func spoolUntilKilled(t *testing.T, dir string, first, lines int, env ...string) witness {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+dir, firstVariable+"="+strconv.Itoa(first))
	command.Env = append(command.Env, env...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	w := witness{answered: map[wire.Seq]bool{}}
	scanner := bufio.NewScanner(out)
	for n := 0; scanner.Scan(); n++ {
		w.hear(t, scanner.Text())
		if n == lines {
			_ = command.Process.Kill() // and reads on: what was said before counts
		}
	}
	if err := command.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child ended by itself: %v", err)
	}
	return w
}

func (w *witness) hear(t *testing.T, line string) {
	t.Helper()
	var said string
	var n int64 // pack numbers pass 32 bits
	if _, err := fmt.Sscan(line, &said, &n); err != nil {
		t.Fatalf("child said %q", line)
	}
	switch said {
	case "a":
		w.kept = append(w.kept, int(n))
	case "f":
		w.failed = append(w.failed, int(n))
	case "w":
		w.answered[wire.Seq(n)] = true
	}
}

// waits decodes what waits: each reading's number and the pack that has it.
func waits(t *testing.T, s *spool.Spool) map[int]wire.Seq {
	t.Helper()
	found := map[int]wire.Seq{}
	for _, seq := range s.Waiting(0, 1<<20) {
		payload, ok, err := s.Payload(seq)
		if err != nil || !ok {
			t.Fatalf("payload of pack %d: %v, %v", seq, ok, err)
		}
		p, err := wire.DecodePack(payload)
		if err != nil || p.Seq != seq || p.Spool != s.ID() || len(p.Readings) != 1 {
			t.Fatalf("pack %d: %+v, %v", seq, p, err)
		}
		n := int(p.Readings[0].Amount)
		if p.Readings[0] != reading(n) {
			t.Fatalf("pack %d has %+v, which was never put in", seq, p.Readings[0])
		}
		if other, twice := found[n]; twice {
			t.Fatalf("reading %d stands in pack %d and in pack %d", n, other, seq)
		}
		found[n] = seq
	}
	return found
}

// TestKilledAtAnyPoint kills a process that spools and answers, again and again:
// whatever Append had returned for is there unless it was answered, and nothing
// else but the reading that was on its way.
func TestKilledAtAnyPoint(t *testing.T) {
	dir := t.TempDir()
	owed, next := map[int]bool{}, 1
	given := map[wire.Seq]bool{}
	for round := range 40 {
		w := spoolUntilKilled(t, dir, next, 1+rand.IntN(200))
		for _, n := range w.kept {
			owed[n] = true
			next = n + 1
		}
		s, err := spool.Open(dir, spool.Options{SegmentBytes: 2000})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		found := waits(t, s)
		checkOwed(t, round, s, owed, found, next, len(w.answered))
		for seq := range w.answered {
			given[seq] = true
		}
		forget(t, s, owed, found, given)
		next++ // the one that was on its way may be there
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if next < 1000 {
		t.Errorf("only %d readings were spooled: the test tests little", next)
	}
}

// checkOwed demands every reading that is owed but the oldest, as many as were
// answered for.
func checkOwed(t *testing.T, round int, s *spool.Spool, owed map[int]bool, found map[int]wire.Seq, next, answered int) {
	t.Helper()
	if cut := s.Counts().Damaged; cut > 0 {
		t.Errorf("round %d: %d packs damaged", round, cut)
	}
	oldest := next
	for n := range found {
		oldest = min(oldest, n)
		if n > next {
			t.Fatalf("round %d: reading %d is there, %d was the last on its way", round, n, next)
		}
	}
	missing := 0
	for n := range owed {
		if _, ok := found[n]; ok {
			continue
		}
		if missing++; n >= oldest { // answers go from the oldest on
			t.Fatalf("round %d: reading %d is lost, the oldest there is %d", round, n, oldest)
		}
	}
	if missing > answered {
		t.Fatalf("round %d: %d readings are gone, %d were answered for", round, missing, answered)
	}
}

// forget takes off what was answered, as a collector would, and bounds what is
// left so that the test stays quick.
func forget(t *testing.T, s *spool.Spool, owed map[int]bool, found map[int]wire.Seq, given map[wire.Seq]bool) {
	t.Helper()
	for n := range owed {
		if _, ok := found[n]; !ok {
			delete(owed, n)
		}
	}
	var seqs []wire.Seq
	for n, seq := range found {
		if given[seq] {
			seqs = append(seqs, seq)
			delete(owed, n)
		}
	}
	slices.Sort(seqs)
	if err := s.Answered(seqs); err != nil {
		t.Fatal(err)
	}
}

// TestFilesThatMayNotGrow: a write that fails in the middle costs the readings
// that Append refused, and nothing before or after.
func TestFilesThatMayNotGrow(t *testing.T) {
	dir := t.TempDir()
	const limit = 1500 // below the size at which a segment is closed
	w := spoolUntilKilled(t, dir, 1, 400, limitVariable+"="+strconv.Itoa(limit))
	if len(w.failed) == 0 || len(w.kept) == 0 {
		t.Fatalf("%d appends failed and %d did not: the limit was not met", len(w.failed), len(w.kept))
	}
	s := open(t, dir, spool.Options{})
	found := waits(t, s)
	for _, n := range w.failed {
		if seq, ok := found[n]; ok {
			t.Errorf("reading %d was refused and stands in pack %d", n, seq)
		}
	}
	if first := w.failed[0]; !slices.Contains(w.kept, first+1) {
		t.Errorf("after reading %d was refused nothing was taken any more", first)
	}
	oldest := slices.Min(append([]int{1 << 30}, keys(found)...))
	missing := 0
	for _, n := range w.kept {
		if _, ok := found[n]; ok {
			continue
		}
		if missing++; n >= oldest || missing > len(w.answered) {
			t.Errorf("reading %d is lost", n)
		}
	}
}

func keys(found map[int]wire.Seq) (all []int) {
	for n := range found {
		all = append(all, n)
	}
	return all
}
