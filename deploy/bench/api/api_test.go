package main

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/premises/stock"
)

// Requests that wait behind one that hangs count from when they were planned: a
// loop that waited for answers before it asked again would show one slow answer.
func TestOpenLoopCountsTheWait(t *testing.T) {
	hangs := make(chan struct{})
	var begun atomic.Int64
	time.AfterFunc(300*time.Millisecond, func() { close(hangs) })
	got := openLoop(t.Context(), 100, time.Second, func(int) error {
		begun.Add(1)
		<-hangs
		return nil
	})
	if len(got.times) != 100 || begun.Load() != 100 {
		t.Fatalf("%d answers to %d requests, want 100 of each", len(got.times), begun.Load())
	}
	if ms := got.quantile(0.75); ms < 40 || got.quantile(1) < 280 {
		t.Errorf("three quarters within %.0f ms, all within %.0f ms: those planned while one hung do not count", ms, got.quantile(1))
	}
}

func TestOpenLoopCountsErrors(t *testing.T) {
	odd := errors.New("odd")
	got := openLoop(t.Context(), 1000, 10*time.Millisecond, func(n int) error {
		if n%2 == 1 {
			return odd
		}
		return nil
	})
	if got.errors != 5 || !errors.Is(got.first, odd) || len(got.times) != 10 {
		t.Errorf("%d errors, first %v, of %d; want 5 of 10", got.errors, got.first, len(got.times))
	}
}

func TestQuantile(t *testing.T) {
	var all tally
	for ms := 1; ms <= 200; ms++ {
		all.times = append(all.times, time.Duration(ms)*time.Millisecond)
	}
	for _, tt := range []struct {
		name  string
		tally tally
		q     float64
		want  float64
	}{
		{"half", all, 0.5, 100},
		{"99 of 100", all, 0.99, 198},
		{"all", all, 1, 200},
		{"one", tally{times: all.times[:1]}, 0.99, 1},
		{"none", tally{}, 0.99, 0},
	} {
		if got := tt.tally.quantile(tt.q); got != tt.want {
			t.Errorf("%s: %g ms, want %g", tt.name, got, tt.want)
		}
	}
}

// Both files say the same, without a fault: else one import would do less.
func TestFormatsAgree(t *testing.T) {
	const dwellings = 700
	var tables []stock.Table
	for _, f := range formats {
		file, err := f.write(dwellings)
		if err != nil {
			t.Fatal(err)
		}
		table := stock.Read(file, nil)
		if table.FaultCount > 0 || len(table.Rows) != dwellings {
			t.Fatalf("%s: %d rows, faults %+v", f.name, len(table.Rows), table.Faults)
		}
		tables = append(tables, table)
	}
	for n, row := range tables[0].Rows {
		if other := tables[1].Rows[n]; row != other {
			t.Fatalf("row %d: %+v as %s, %+v as %s", n, row, formats[0].name, other, formats[1].name)
		}
	}
}

// The whole at a small size: the program is built, serves and imports.
func TestRows(t *testing.T) {
	t.Chdir("../../..")
	var out, said bytes.Buffer
	err := run(t.Context(), []string{"--only", "registry-read,import-600", "--dwellings", "60", "--rate", "20", "--span", "1s", "--repeat", "1"}, &out, &said)
	if err != nil && !strings.Contains(err.Error(), "not every goal was met") { // a busy machine is slow
		t.Fatalf("%v\n%s", err, &said)
	}
	for _, want := range []string{`{"bench":"registry-read","ours":`, "0 errors of 20", `{"bench":"import-600","ours":`, `"limit":`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it prints no %q:\n%s", want, &out)
		}
	}
}
