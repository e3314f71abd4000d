package served_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/internal/metering"
)

func entry(n int64) served.Entry {
	at := time.UnixMilli(1_760_000_000_000 + n).UTC()
	return served.Entry{
		Meter: "CW-20411", Quantity: metering.Index, Received: at, Answered: at.Add(3 * time.Millisecond), Index: metering.Amount(1000 * n),
	}
}

func open(t *testing.T, path string) *served.Log {
	t.Helper()
	l, err := served.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t *testing.T, path string) []served.Entry {
	t.Helper()
	entries, err := served.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestWhatIsAddedIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "served.csv")
	var want []served.Entry
	for run := range int64(2) { // the second run appends
		l := open(t, path)
		for n := range int64(3) {
			l.Add(entry(10*run + n))
			want = append(want, entry(10*run+n))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := "meter,quantity,received_ms,answered_ms,index\nCW-20411,index,1760000000000,1760000000003,0\n"
	if !strings.HasPrefix(string(text), first) || strings.Count(string(text), "meter,") != 1 {
		t.Errorf("the file begins %q", text)
	}
}

func TestFlushedWithinASecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "served.csv")
	synctest.Test(t, func(t *testing.T) {
		l := open(t, path)
		l.Add(entry(1))
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]served.Entry{entry(1)}, read(t, path)); diff != "" {
			t.Errorf("after a second (-want +got):\n%s", diff)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A process that was killed leaves the last line torn: it is not read, and what
// comes after it stands in a line of its own.
func TestTornLine(t *testing.T) {
	for _, tt := range []struct {
		name, tail string
	}{
		{"torn", "CW-2"},
		{"torn after a comma", "CW-20411,index,17600000"},
		{"long and torn", strings.Repeat("x", 10_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "served.csv")
			l := open(t, path)
			l.Add(entry(1))
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(tt.tail); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]served.Entry{entry(1)}, read(t, path)); diff != "" {
				t.Errorf("with the torn line (-want +got):\n%s", diff)
			}
			l = open(t, path)
			l.Add(entry(2))
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]served.Entry{entry(1), entry(2)}, read(t, path)); diff != "" {
				t.Errorf("after the restart (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddFromManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "served.csv")
	l := open(t, path)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range int64(1000) {
				l.Add(entry(n))
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(read(t, path)); got != 8000 {
		t.Errorf("%d entries, want 8000", got)
	}
}

func TestReadRefusesWhatIsNoLog(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"other header", "a,b\n"},
		{"too few cells", "meter,quantity,received_ms,answered_ms,index\nCW-1,index,1,2\n"},
		{"no number", "meter,quantity,received_ms,answered_ms,index\nCW-1,index,1,2,x\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "served.csv")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if entries, err := served.Read(path); err == nil {
				t.Errorf("read as %v", entries)
			}
		})
	}
	if _, err := served.Read(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent log was read")
	}
}
