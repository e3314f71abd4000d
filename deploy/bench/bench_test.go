package bench_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

func TestPrint(t *testing.T) {
	rows := []bench.Row{
		bench.New(bench.Row{Bench: "poll-9600", Ours: 2.9, Peer: bench.Figure(4.5), Limit: bench.Figure(2.8), Unit: "s"}, bench.TimesLimit(1.05)),
		bench.New(bench.Row{Bench: "poll-memory", Ours: 26, Unit: "MB"}, bench.AtMost(25, "MB")),
	}
	var out strings.Builder
	met, err := bench.Print(&out, rows)
	if err != nil {
		t.Fatal(err)
	}
	if met {
		t.Error("all is met, want not: 26 MB is more than 25")
	}
	table, lines, _ := strings.Cut(out.String(), "\n\n")
	want := `{"bench":"poll-9600","ours":2.9,"peer":4.5,"limit":2.8,"unit":"s","goal":"at most 1.05 x the limit","met":true}
{"bench":"poll-memory","ours":26,"peer":null,"limit":null,"unit":"MB","goal":"at most 25 MB","met":false}
`
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines for programs (-want +got):\n%s", diff)
	}
	for _, word := range []string{"1.036", "NO", "yes", "poll-memory"} {
		if !strings.Contains(table, word) {
			t.Errorf("the table lacks %q:\n%s", word, table)
		}
	}
}

func TestGoals(t *testing.T) {
	row := func(ours float64) bench.Row { return bench.Row{Ours: ours, Limit: bench.Figure(10)} }
	for _, tt := range []struct {
		name string
		row  bench.Row
		goal bench.Goal
		want bool
	}{
		{"at most, equal", row(5), bench.AtMost(5, "s"), true},
		{"at most, more", row(5.1), bench.AtMost(5, "s"), false},
		{"at least, equal", row(5), bench.AtLeast(5, "/s"), true},
		{"at least, less", row(4.9), bench.AtLeast(5, "/s"), false},
		{"below, equal", row(5), bench.Below(5, "%"), false},
		{"times the limit", row(10.5), bench.TimesLimit(1.05), true},
		{"more than times the limit", row(10.6), bench.TimesLimit(1.05), false},
		{"no limit", bench.Row{Ours: 1}, bench.TimesLimit(1.05), false},
		{"one of two", row(5), bench.All("both", func(bench.Row) bool { return true }, func(bench.Row) bool { return false }), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := bench.New(tt.row, tt.goal).Met; got != tt.want {
				t.Errorf("met %t, want %t", got, tt.want)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name    string
		figures []float64
		want    float64
	}{
		{"odd", []float64{9, 1, 5}, 5},
		{"even", []float64{4, 1, 2, 100}, 3},
		{"none", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := bench.Median(tt.figures); got != tt.want {
				t.Errorf("got %g, want %g", got, tt.want)
			}
		})
	}
}
