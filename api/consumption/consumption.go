// Package consumption tells a person what their own home used: by day and by
// month, with its quality and coverage, over replaced meters, and only within
// the person's own stays.
package consumption

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Day is what all meters of a kind counted on one day.
type Day struct {
	Date    civil.Date
	Used    metering.Amount // base unit of the kind
	Quality metering.Quality
	// Coverage is the share of the day that the figure spans, 0 to 1.
	Coverage float64
	// Open says that the day is not over: Used is what was counted so far.
	Open bool
}

// A Month is what all meters of a kind counted in one month.
type Month struct {
	Month civil.Month
	// Why carries the figure. Its coverage is that of the part of the month in
	// which the person lived there.
	Why  metering.Explanation
	Open bool // not over: the figure is what was counted so far
}

// A Series is what a home used of one kind.
type Series struct {
	Kind metering.Kind
	// Resolution is the finest of the meters that hang there.
	Resolution metering.Resolution
	Days       []Day   // those that are known, in order of time
	Months     []Month // those that are known, in order of time
	// Last is the instant of the last reading, in UTC; zero where there is
	// none in the stay, or where the stay is over.
	Last time.Time
	// Silent says that the next reading is overdue.
	Silent bool

	known *gathered // what [Series.Over] answers from
}

// Day returns the series' day of that date, or false where it is not known.
func (s Series) Day(date civil.Date) (Day, bool) {
	i, known := slices.BinarySearchFunc(s.Days, date, func(d Day, date civil.Date) int { return byDate(d.Date, date) })
	if !known {
		return Day{}, false
	}
	return s.Days[i], true
}

// byDate orders days of the calendar.
func byDate(a, b civil.Date) int {
	return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Month, b.Month), cmp.Compare(a.Day, b.Day))
}

// Month returns the series' month, or false where it is not known.
func (s Series) Month(month civil.Month) (Month, bool) {
	i := slices.IndexFunc(s.Months, func(m Month) bool { return m.Month == month })
	if i < 0 {
		return Month{}, false
	}
	return s.Months[i], true
}

// patience is how long after a reading the next one of a resolution may take
// before the meter is silent: three polls, or well past the period's end.
func patience(r metering.Resolution, interval time.Duration) time.Duration {
	switch r {
	case metering.Fine:
		return max(3*interval, 30*time.Minute)
	case metering.Hour:
		return 3 * time.Hour
	case metering.Day:
		return 50 * time.Hour
	default:
		return 34 * 24 * time.Hour
	}
}

// daysOf sums pieces by day.
func daysOf(pieces []piece) []Day {
	at := make(map[civil.Date]int, len(pieces))
	days := make([]Day, 0, len(pieces))
	for i := range pieces {
		p := &pieces[i]
		if p.loose {
			continue
		}
		n, known := at[p.date]
		if !known {
			n = len(days)
			at[p.date] = n
			days = append(days, Day{Date: p.date})
		}
		d := &days[n]
		d.Used += p.part.Used()
		d.Quality = d.Quality.Worse(p.part.From.Quality).Worse(p.part.To.Quality)
		d.Coverage = min(1, d.Coverage+p.coverage*p.weight)
		d.Open = d.Open || p.open
	}
	slices.SortFunc(days, func(a, b Day) int { return byDate(a.Date, b.Date) })
	return days
}

// totalOf explains a period from pieces that lie within it. Per meter and the
// time that it hung there the figure is one difference of indexes, exact over
// days that are not known.
func totalOf(kind metering.Kind, pieces []piece, from, to time.Time) metering.Explanation {
	each := func(yield func(*piece) bool) {
		for i := range pieces {
			if !yield(&pieces[i]) {
				return
			}
		}
	}
	return totalOfEach(kind, each, from, to)
}

// totalOfEach is [totalOf] of pieces that need no list of their own.
func totalOfEach(kind metering.Kind, pieces iter.Seq[*piece], from, to time.Time) metering.Explanation {
	merged := map[int]metering.Part{}
	weights := map[int]float64{}
	var order []int
	for p := range pieces {
		meter := p.span
		part, known := merged[meter]
		if !known {
			part = p.part
			order = append(order, meter)
		}
		if p.part.From.At.Before(part.From.At) {
			part.From = p.part.From
		}
		if p.part.To.At.After(part.To.At) {
			part.To = p.part.To
		}
		merged[meter], weights[meter] = part, p.weight
	}
	parts := make([]metering.Part, 0, len(order))
	var covered float64
	for _, meter := range order {
		part := merged[meter]
		parts = append(parts, part)
		covered += weights[meter] * float64(part.To.At.Sub(part.From.At)) / float64(to.Sub(from))
	}
	slices.SortFunc(parts, func(a, b metering.Part) int { return a.From.At.Compare(b.From.At) })
	why := metering.Explain(kind, from, to, parts)
	why.Coverage = min(1, covered) // Explain knows one point; a home may have two of a kind
	return why
}
