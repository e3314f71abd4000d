package tenant

import (
	"slices"
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

// partly tells in the mark of a figure that only some of its slots are estimated: one
// that is over is measured.
func (t teller) partly(mark string, slots []slot) string {
	measured := func(one slot) bool { return one.known && !one.open && !one.estimated }
	if mark == "" || !slices.ContainsFunc(slots, measured) {
		return mark
	}
	return t.T("note.partly")
}

// ofSlot writes what a slot counted. An estimated hour claims no tenths of a litre,
// which the measured ones beside it do not have.
func (t teller) ofSlot(k metering.Kind, one slot, of words) string {
	if of.hours && one.estimated && k.IndexUnit() != metering.WattHour {
		return t.WholeLitres(float64(one.used) / 1000)
	}
	return t.amount(k, one.used, of)
}

// leastCubic is the least that a column of months writes in m³, in mL: of less nothing
// would be left there.
const leastCubic = 10_000

// amount writes so much: litres or kWh of a day, m³ or kWh of a month. Hours are too
// small for tenths of a kWh.
func (t teller) amount(k metering.Kind, a metering.Amount, of words) string {
	switch {
	case of.measure == euros:
		return t.exactly(int64(a))
	case of.measure == warmth:
		return t.KilowattHours(a)
	case of.months && k.IndexUnit() != metering.WattHour && a >= leastCubic:
		return t.CubicMetres(a) // one unit down the column
	case of.months:
		return written(t.Language, k, a)
	case of.hours && k.IndexUnit() == metering.WattHour:
		return t.KWh(float64(a) / 1000)
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
		b.Written = t.ofSlot(k, one, of)
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
	if one.coming {
		r.Used = "–"
	}
	if one.beforeKnown {
		r.Before = t.amount(k, one.before, of)
	}
	return r
}
