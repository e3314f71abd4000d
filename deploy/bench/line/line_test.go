package line_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/bench/line"
)

// T(20) at 9600 baud is 1/11.3 s: the line must never be faster than its bytes,
// and a bare master hardly slower.
func TestLineTakesTheTimeOfItsBytes(t *testing.T) {
	o := line.Options{Baud: 9600, Turnaround: 20 * time.Millisecond}
	if got, want := o.Exchange(20).Round(time.Millisecond), 89*time.Millisecond; got != want {
		t.Fatalf("T(20) = %s, want %s", got, want)
	}
	l, err := line.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	slaves := []byte{1, 2, 3, 4}
	const cycles = 3
	if err := l.Master(t.Context(), slaves, 20, cycles); err != nil {
		t.Fatal(err)
	}
	exchanges, early := l.Take()
	if early != 0 {
		t.Errorf("%d requests came within the silence", early)
	}
	alone := o.Exchange(20) - o.Silence() // the silence that follows is the master's
	var took []time.Duration
	for _, x := range exchanges {
		took = append(took, x.End.Sub(x.Start))
	}
	slices.Sort(took)
	// A busy machine may stretch some of them, and shortens none.
	if least, median := took[0], took[len(took)/2]; least < alone || median > alone+alone/5 {
		t.Errorf("exchanges took %s, want %s each", took, alone)
	}
	all, broken := line.Cycles(exchanges, 1, len(slaves))
	if len(all) != cycles-1 || broken != 0 { // the last one has no end
		t.Errorf("%d cycles and %d broken ones, want %d and none", len(all), broken, cycles-1)
	}
}

func TestCycles(t *testing.T) {
	base := time.Unix(0, 0)
	at := func(slave byte, start, end int) line.Exchange {
		x := line.Exchange{Slave: slave, Start: base.Add(time.Duration(start) * time.Second)}
		if end > 0 {
			x.End = base.Add(time.Duration(end) * time.Second)
		}
		return x
	}
	got, broken := line.Cycles([]line.Exchange{
		at(1, 10, 11), at(2, 12, 0), at(3, 20, 25), // slave 2 is dead
		at(1, 30, 31),                              // broken off
		at(1, 40, 0), at(1, 41, 42), at(3, 43, 44), // asked twice
		at(1, 50, 51),
	}, 1, 2)
	// Two requests to the first slave in a row are one beginning.
	if diff := cmp.Diff([]time.Duration{15 * time.Second, 14 * time.Second}, got); diff != "" || broken != 0 {
		t.Errorf("cycles (-want +got):\n%s%d broken, want none", diff, broken)
	}
}
