package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/deploy/bench/peer"
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

func TestFaultyNumbersAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--leaks", "3"}, {"--months", "100"}, {"--only", "nothing"}, {"--data", "/nowhere", "--only", "leaks-recall"}} {
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
