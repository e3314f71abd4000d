package programme

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Figure is a number in thousandths of its unit: 4,800 € is 4_800_000. JSON has
// it as a decimal number.
type Figure int64

// figureOf rounds a number to a figure.
func figureOf(n float64) *Figure {
	f := Figure(math.Round(n * 1000))
	return &f
}

func countOf(n int) *Figure {
	f := Figure(n) * 1000
	return &f
}

func centsOf(cents int64) *Figure {
	f := Figure(cents * 10)
	return &f
}

// Decimal writes the figure with a point and no more decimals than it needs.
func (f Figure) Decimal() string {
	sign, n := "", int64(f)
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%s%d.%03d", sign, n/1000, n%1000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// String is the decimal number, as files have it.
func (f Figure) String() string { return f.Decimal() }

// MarshalJSON writes a decimal number.
func (f Figure) MarshalJSON() ([]byte, error) { return []byte(f.Decimal()), nil }

// UnmarshalJSON reads a decimal number of at most three decimals.
func (f *Figure) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(n) > 1e12 || math.Abs(n*1000-math.Round(n*1000)) > 1e-4 {
		return fmt.Errorf("figure %s: want a decimal number of at most three decimals", text)
	}
	*f = Figure(math.Round(n * 1000))
	return nil
}

// A Unit is what a figure counts.
type Unit string

// The units.
const (
	Percent Unit = "percent"
	Count   Unit = "count" // of what the indicator's name says
	Euros   Unit = "eur"
	Days    Unit = "days"
	Weeks   Unit = "weeks"
	Cubic   Unit = "m3"
	Hours   Unit = "hours"
)

// Fraction reports whether a figure counts things of which there is no part, as
// households, and is no whole number: it came of a share.
func Fraction(u Unit, f Figure) bool { return u == Count && f%1000 != 0 }

// A Declared figure is what somebody said of an indicator for the days
// [From, Until), kept apart from what records tell.
type Declared struct {
	Record
	Indicator  Key         `json:"indicator"`
	From       civil.Date  `json:"from"`
	Until      civil.Date  `json:"until"`
	Figure     Figure      `json:"figure"` // in the indicator's unit
	About      bool        `json:"about"`  // the source says "about"
	Source     string      `json:"source"`
	SourceDate *civil.Date `json:"source_date,omitempty"`
	Note       string      `json:"note"`
}

// mostFigure bounds what may be declared, in either direction.
const mostFigure = 1_000_000_000_000

// Check implements [Noun].
func (d *Declared) Check() []problem.Field {
	var f faults
	if _, known := specOf(d.Indicator); !known {
		f.add("indicator", "field.not_found")
	}
	f.span(d.From, &d.Until)
	f.number("figure", int64(d.Figure), -mostFigure, mostFigure)
	f.text("source", &d.Source, 1, 300)
	if d.SourceDate != nil {
		f.date("source_date", *d.SourceDate)
	}
	f.text("note", &d.Note, 0, 500)
	return f
}

func (*Declared) table() string { return "declared_figure" }

func (d *Declared) columns() []column {
	about := 0
	if d.About {
		about = 1
	}
	return []column{
		{"indicator", string(d.Indicator), &d.Indicator}, {"from_date", d.From.String(), day{&d.From}}, {"until_date", d.Until.String(), day{&d.Until}},
		{"thousandths", int64(d.Figure), &d.Figure}, {"about", about, &d.About}, {"source", d.Source, &d.Source},
		{"source_date", dateOrNull(d.SourceDate), maybeDay{&d.SourceDate}}, {"note", d.Note, &d.Note},
	}
}
