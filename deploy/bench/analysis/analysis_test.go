package main

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/deploy/bench/verification"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// Bounds from printed tables of exact intervals.
func TestIntervals(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got, want [2]float64
	}{
		{"no event", pair(rate(0, 1)), [2]float64{0, 3.689}},
		{"one event", pair(rate(1, 1)), [2]float64{0.0253, 5.572}},
		{"ten events in two", pair(rate(10, 2)), [2]float64{4.795 / 2, 18.390 / 2}},
		{"none of ten", pair(proportion(0, 10)), [2]float64{0, 0.3085}},
		{"nine of ten", pair(proportion(9, 10)), [2]float64{0.5550, 0.9975}},
		{"all of a hundred", pair(proportion(100, 100)), [2]float64{0.9638, 1}},
	} {
		if math.Abs(tt.got[0]-tt.want[0]) > 5e-4 || math.Abs(tt.got[1]-tt.want[1]) > 5e-4 {
			t.Errorf("%s: %.4f, want %.4f", tt.name, tt.got, tt.want)
		}
	}
}

func pair(low, high float64) [2]float64 { return [2]float64{low, high} }

// What counts as found: in time, and only what had to be.
func TestScore(t *testing.T) {
	start := time.Date(2026, 5, 4, 3, 0, 0, 0, time.UTC)
	leak := func(litres, hours int) homes.Draw {
		return homes.Draw{Start: start, Length: time.Duration(hours) * time.Hour, Flow: metering.Amount(litres) * 1000}
	}
	hit := func(hours int, class alerts.Class) *homes.Alarm {
		return &homes.Alarm{At: start.Add(time.Duration(hours) * time.Hour), Verdict: alerts.Verdict{Outcome: alerts.Alarm,
			Finding: alerts.Finding{Class: class, Flow: alerts.Flow{Low: 9_000, Likely: 10_000, High: 11_000}}}}
	}
	fine, coarse := homes.Way{Curve: true, Count: 1000}, homes.Way{Count: 10_000}
	for _, tt := range []struct {
		name string
		way  homes.Way
		leak homes.Draw
		hit  *homes.Alarm
		want score
	}{
		{"in time", fine, leak(10, 60), hit(47, alerts.RunningCistern), score{due: 1, found: 1, classed: 1, sized: 1, latest: 47 * time.Hour}},
		{"early, of another class", fine, leak(45, 60), hit(20, alerts.RunningCistern), score{due: 1, found: 1, early: 1, latest: 20 * time.Hour}},
		{"late", fine, leak(10, 60), hit(49, alerts.RunningCistern), score{due: 1}},
		{"late, and in time for 10 L", coarse, leak(10, 130), hit(119, alerts.RunningCistern), score{due: 1, found: 1, classed: 1, sized: 1, latest: 119 * time.Hour}},
		{"missed", fine, leak(10, 60), nil, score{due: 1}},
		{"short", fine, leak(10, 47), nil, score{others: 1}},
		{"small, found", fine, leak(4, 60), hit(30, alerts.Drip), score{others: 1, seen: 1}},
	} {
		if got := scoreOf(tt.way, tt.leak, tt.hit); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// rows runs the program and returns what it prints; too few leaks may miss a goal.
func rows(t *testing.T, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if err := run(t.Context(), args, &out, &said); err != nil && !strings.Contains(err.Error(), "not every goal was met") {
		t.Fatalf("%v\n%s", err, &said)
	}
	return out.String()
}

// The whole at a small size: the same seed gives the same, another seed not.
func TestRows(t *testing.T) {
	t.Chdir("../../..")
	small := []string{"--leaks", "28", "--only", "leaks-recall", "--seed"}
	first, again, other := rows(t, append(small, "5")...), rows(t, append(small, "5")...), rows(t, append(small, "6")...)
	if first != again || first == other {
		t.Errorf("seed 5 gives\n%s\nand\n%s\nand seed 6\n%s", first, again, other)
	}
	first += rows(t, "--months", "300", "--only", "leaks-false-alarms")
	for _, want := range []string{`{"bench":"leaks-recall","ours":`, `{"bench":"leaks-false-alarms","ours":`, "within 120 h", "95 % ["} {
		if !strings.Contains(first, want) {
			t.Errorf("it prints no %q:\n%s", want, first)
		}
	}
}

// Coverage is judged by change over all like noises, a false "visible" by noise.
func TestJudged(t *testing.T) {
	of := func(change float64, held, visible int) verification.Result {
		return verification.Result{Noise: "n", Change: change, Runs: 100, Held: held, Visible: visible}
	}
	for _, tt := range []struct {
		name        string
		results     []verification.Result
		held        float64
		falsely     float64
		met, honest bool
	}{
		{"good", []verification.Result{of(-0.1, 91, 60), of(-0.05, 90, 30), of(0, 92, 5), of(0.05, 90, 0)}, 0.92, 0.05, true, true},
		{"one change too low", []verification.Result{of(-0.1, 86, 60), of(-0.05, 90, 30), of(0, 93, 5), of(0.05, 90, 0)}, 0.86, 0.05, false, true},
		{"too sure of itself", []verification.Result{of(-0.1, 90, 60), of(-0.05, 94, 30), of(0, 90, 5), of(0.05, 90, 0)}, 0.94, 0.05, false, true},
		{"visible where it rose", []verification.Result{of(-0.1, 90, 60), of(-0.05, 91, 30), of(0, 90, 1), of(0.05, 90, 6)}, 0.91, 0.06, true, false},
		{"a change never came to a result", []verification.Result{of(-0.1, 90, 60), of(-0.05, 91, 30), of(0, 90, 1)}, 0, 0.01, false, true},
	} {
		unlike := verification.Result{Noise: "u", Unlike: true, Change: 0, Runs: 1000, Held: 500, Visible: 400}
		results := append(tt.results, unlike)
		rows := judged(results, verification.ByChange(results))
		if len(rows) != 2 || rows[0].Ours != tt.held || rows[0].Met != tt.met || rows[1].Ours != tt.falsely || rows[1].Met != tt.honest {
			t.Errorf("%s: %+v; want %g %v and %g %v", tt.name, rows, tt.held, tt.met, tt.falsely, tt.honest)
		}
	}
}

// The rows of pages and of verification at a small size; a busy machine may miss
// a goal of theirs, not a row.
func TestRowsOfPages(t *testing.T) {
	if _, err := peer.Influxd(t.Context(), t.Output()); err != nil {
		testkit.Unavailable(t, "no InfluxDB: %v", err)
	}
	t.Chdir("../../..")
	got := rows(t, "--only", "tenant-home,residence-year", "--dwellings", "4", "--hourly-days", "2", "--rate", "10", "--span", "1s")
	for _, want := range []string{`{"bench":"tenant-home","ours":`, `{"bench":"tenant-home-cold","ours":`, `{"bench":"tenant-home-late","ours":`,
		`{"bench":"residence-year","ours":`, `{"bench":"residence-year-all","ours":`, "0 errors", "13 months of 4 meters of 4 dwellings", "13 months of 12 meters of 4 dwellings"} {
		if !strings.Contains(got, want) {
			t.Errorf("it prints no %q:\n%s", want, got)
		}
	}
}

func TestRowsOfVerification(t *testing.T) {
	t.Chdir("../../..")
	if _, err := os.Stat(dataFolder); err != nil && os.Getenv("XNET_DATA") == "" {
		t.Skipf("no real measurements: %v", err)
	}
	small := []string{"--only", "verification", "--runs", "20", "--seed"}
	first, again, other := rows(t, append(small, "5")...), rows(t, append(small, "5")...), rows(t, append(small, "6")...)
	if first != again || first == other {
		t.Errorf("seed 5 gives\n%s\nand\n%s\nand seed 6\n%s", first, again, other)
	}
	if !strings.Contains(first, `{"bench":"verification","ours":`) || !strings.Contains(first, `{"bench":"verification-false","ours":`) {
		t.Errorf("rows are missing:\n%s", first)
	}
}

func TestFaultyNumbersAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--leaks", "3"}, {"--months", "100"}, {"--only", "nothing"}, {"--runs", "3"}, {"--dwellings", "0"}, {"--span", "1ms"}, {"--rate", "0"}, {"--data", "/nowhere", "--only", "leaks-recall"}} {
		var out, said bytes.Buffer
		if err := run(t.Context(), args, &out, &said); err == nil || strings.Contains(err.Error(), "goal was met") && args[0] != "--data" {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// Each event would be phantom consumption, or lost water, to who books plain
// differences: else the row would prove nothing.
func TestEventsAreHard(t *testing.T) {
	const polls, times = 3*144 + 1, 4
	naive := map[string]ledger{}
	for _, l := range lives(1, polls, times) {
		var booked []influx.Consumption
		last := l.shown[0]
		for _, shown := range l.shown[1:] {
			if shown >= 0 {
				booked, last = append(booked, influx.Consumption{Used: max(0, shown-last)}), shown
			}
		}
		all := naive[l.of]
		all.enter(l.of, influx.Hourly, l.truth(), booked)
		all.lives++
		naive[l.of] = all
	}
	if len(naive) != len(events) {
		t.Errorf("%d events of %d happened", len(naive), len(events))
	}
	for of, all := range naive {
		harmless := of == "none" || of == "gap" || of == "stuck, then right again"
		if wrong := all.phantom+all.lost > 0; wrong == harmless || all.lives != times {
			t.Errorf("%s: %s", of, all)
		}
	}
	for _, of := range []string{"glitch to zero", "glitch below", "spike", "jump", "reverse flow that comes again"} {
		if naive[of].phantom == 0 {
			t.Errorf("%s: plain differences book no phantom", of)
		}
	}
}

// What is booked below zero must not hide what is booked beyond the truth.
func TestLedger(t *testing.T) {
	var l ledger
	l.enter("spike", influx.Hourly, 100, []influx.Consumption{{Used: 60}, {Used: 90}, {Used: -50}})
	l.enter("reset", influx.Hourly, 100, []influx.Consumption{{Used: 70}})
	if l.phantom != 50 || l.lost != 30 || l.drawn != 200 || len(l.faults) != 1 {
		t.Errorf("%+v", l)
	}
}

// The collector's own rollup on a real InfluxDB, where one can be had.
func TestPhantom(t *testing.T) {
	if _, err := peer.Influxd(t.Context(), t.Output()); err != nil {
		testkit.Unavailable(t, "no InfluxDB: %v", err)
	}
	var out, said bytes.Buffer
	if err := run(t.Context(), []string{"--only", "phantom", "--events", "1"}, &out, &said); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if !strings.Contains(out.String(), `{"bench":"phantom","ours":0,`) || !strings.Contains(out.String(), "36 events") {
		t.Errorf("%s\n%s", &out, &said)
	}
}
