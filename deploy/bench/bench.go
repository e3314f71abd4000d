// Package bench prints what benchmarks measured: a table for people and, last,
// one line of JSON a row for programs.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
)

// A Row is one measured figure beside its peer's, the physical limit and the
// goal. Make it with [New], so that Met is computed.
type Row struct {
	Bench string   `json:"bench"`
	Ours  float64  `json:"ours"`
	Peer  *float64 `json:"peer"`  // nil where there is none
	Limit *float64 `json:"limit"` // nil where there is none
	Unit  string   `json:"unit"`
	Goal  string   `json:"goal"`
	Met   bool     `json:"met"`
	// Note is for the table only.
	Note string `json:"-"`
}

// A Goal judges a row.
type Goal struct {
	Text string
	Met  func(Row) bool
}

// AtMost is the goal that ours is no more than a bound.
func AtMost(bound float64, unit string) Goal {
	return Goal{"at most " + number(bound) + " " + unit, func(r Row) bool { return r.Ours <= bound }}
}

// AtLeast is the goal that ours is no less than a bound.
func AtLeast(bound float64, unit string) Goal {
	return Goal{"at least " + number(bound) + " " + unit, func(r Row) bool { return r.Ours >= bound }}
}

// Below is the goal that ours is less than a bound.
func Below(bound float64, unit string) Goal {
	return Goal{"less than " + number(bound) + " " + unit, func(r Row) bool { return r.Ours < bound }}
}

// TimesLimit is the goal that ours is at most so many times the limit. A row
// without limit does not meet it.
func TimesLimit(times float64) Goal {
	return Goal{"at most " + number(times) + " x the limit", func(r Row) bool {
		return r.Limit != nil && r.Ours <= times**r.Limit
	}}
}

// All is the goal that is met when each of the goals is, with a text of its own.
func All(text string, goals ...func(Row) bool) Goal {
	return Goal{text, func(r Row) bool {
		return !slices.ContainsFunc(goals, func(met func(Row) bool) bool { return !met(r) })
	}}
}

// New judges a row by its goal.
func New(r Row, goal Goal) Row {
	r.Goal = goal.Text
	r.Met = goal.Met(r)
	return r
}

// Figure is the pointer that Peer and Limit want.
func Figure(f float64) *float64 { return &f }

// Median returns the middle of figures, or the mean of the two in the middle; 0
// for none.
func Median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Print writes the table and then the lines of JSON. It reports whether every
// goal was met.
func Print(w io.Writer, rows []Row) (met bool, err error) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "bench\tours\tpeer\tlimit\tours/limit\tunit\tgoal\tmet\t")
	met = true
	for _, r := range rows {
		ratio := "-"
		if r.Limit != nil && *r.Limit != 0 {
			ratio = strconv.FormatFloat(r.Ours / *r.Limit, 'f', 3, 64)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Bench, number(r.Ours), optional(r.Peer),
			optional(r.Limit), ratio, r.Unit, r.Goal, map[bool]string{true: "yes", false: "NO"}[r.Met], r.Note)
		met = met && r.Met
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			return false, fmt.Errorf("row %s: %w", r.Bench, err)
		}
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return false, err
		}
	}
	return met, nil
}

func optional(f *float64) string {
	if f == nil {
		return "-"
	}
	return number(*f)
}

// number shows four significant digits, and whole numbers whole.
func number(f float64) string {
	switch {
	case f == float64(int64(f)) || f >= 10_000 || f <= -10_000:
		return strconv.FormatFloat(f, 'f', 0, 64)
	default:
		return strconv.FormatFloat(f, 'g', 4, 64)
	}
}
