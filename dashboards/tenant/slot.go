package tenant

import (
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A slot is a day or a month of the period: a bar of the chart, and a line of the
// table where it has come.
type slot struct {
	first       civil.Date
	at          time.Time // of an hour; zero for others
	label, name string
	used        metering.Amount
	known       bool
	open        bool // not over
	estimated   bool // or known in part
	partial     bool
	whole       bool // over, and known from its first instant to its last
	coming      bool
	note        string
	before      metering.Amount
	beforeKnown bool
}

// wholeDay is the coverage from which a day or a month counts as whole.
const wholeDay = 0.98

func (t teller) daySlot(s consumption.Series, date civil.Date) slot {
	day, ok := s.Day(date)
	one := slot{first: date, label: strconv.Itoa(date.Day), name: t.Day(date), used: day.Used, known: ok, open: day.Open}
	t.judge(&one, day.Quality, day.Coverage)
	one.whole = ok && !one.open && !one.partial
	// What is read once a day has no figure for a day that is not over.
	one.coming = t.home.Today.Before(date) || date == t.home.Today && !ok
	return one
}

func (t teller) monthSlot(s consumption.Series, m civil.Month) slot {
	month, ok := s.Month(m)
	one := slot{first: m.First(), label: t.ShortMonth(m), name: t.MonthName(m), used: month.Why.Used, known: ok, open: ok && month.Open}
	t.judge(&one, month.Why.Quality, month.Why.Coverage)
	_, one.whole = wholeMonth(s, m, t.home.Zone)
	// A meter that is read by month has none for a month that is not over.
	one.coming = t.home.Today.Before(m.First()) || m == t.home.Today.MonthOf() && !ok
	return one
}

// judge writes the word beside a figure; none beside one that is whole and
// measured.
func (t teller) judge(one *slot, q metering.Quality, coverage float64) {
	switch {
	case !one.known:
	case one.open:
		one.note = t.T("note.open")
	case coverage < wholeDay:
		one.note, one.estimated, one.partial = t.T("note.partial"), true, true
	case q == metering.Estimated:
		one.note, one.estimated = t.T("note.estimated"), true
	}
}

// amount writes what a slot counted: litres or kWh of a day, m³ or kWh of a month.
func (t teller) amount(k metering.Kind, a metering.Amount, of words) string {
	switch {
	case of.measure == euros:
		return t.exactly(int64(a))
	case of.measure == warmth:
		return t.KilowattHours(a)
	case of.months:
		return written(t.Language, k, a)
	default:
		return t.OfDay(k, a)
	}
}

// bar draws a slot. What is to come is empty rather than unknown.
func (t teller) bar(k metering.Kind, one slot, of words) web.Bar {
	b := web.Bar{Label: one.label, Name: one.name, Used: one.used, Note: one.note, Known: one.known || one.coming,
		Open: one.open, Estimated: one.estimated, Written: t.T("chart.unknown")}
	if of.measure == euros {
		b.Written = t.T("chart.cost_unknown")
	}
	switch {
	case one.known:
		b.Written = t.amount(k, one.used, of)
	case one.coming:
		b.Written = t.T("chart.coming")
	}
	if one.beforeKnown {
		b.Before, b.BeforeWritten = one.before, t.T("chart.before_of", t.amount(k, one.before, of))
	}
	return b
}

// line is a slot in the table; link is empty where no page explains it.
func (t teller) line(k metering.Kind, one slot, bar web.Bar, of words, link string) row {
	r := row{Name: one.name, Used: bar.Written, Note: one.note}
	if one.known {
		r.Link = link
	}
	if one.beforeKnown {
		r.Before = t.amount(k, one.before, of)
	}
	return r
}
