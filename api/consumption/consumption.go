// Package consumption tells a person what their own home used: by day and by
// month, with its quality and coverage, over replaced meters, and only within
// the person's own stays.
package consumption

import (
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
	i := slices.IndexFunc(s.Days, func(d Day) bool { return d.Date == date })
	if i < 0 {
		return Day{}, false
	}
	return s.Days[i], true
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
	byDate := map[civil.Date]*Day{}
	for _, p := range pieces {
		if p.loose {
			continue
		}
		d := byDate[p.date]
		if d == nil {
			d = &Day{Date: p.date}
			byDate[p.date] = d
		}
		d.Used += p.part.Used()
		d.Quality = d.Quality.Worse(p.part.From.Quality).Worse(p.part.To.Quality)
		d.Coverage = min(1, d.Coverage+p.coverage*p.weight)
		d.Open = d.Open || p.open
	}
	days := make([]Day, 0, len(byDate))
	for _, d := range byDate {
		days = append(days, *d)
	}
	slices.SortFunc(days, func(a, b Day) int { return a.Date.Start(time.UTC).Compare(b.Date.Start(time.UTC)) })
	return days
}

// totalOf explains a period from pieces that lie within it. Per meter and the
// time that it hung there the figure is one difference of indexes, exact over
// days that are not known.
func totalOf(kind metering.Kind, pieces []piece, from, to time.Time) metering.Explanation {
	merged := map[int]metering.Part{}
	weights := map[int]float64{}
	var order []int
	for _, p := range pieces {
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
