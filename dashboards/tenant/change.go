package tenant

import (
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A course is where consumption goes.
type course string

// The courses, by the name of their arrow.
const (
	less course = "less"
	same course = "same"
	more course = "more"
)

// sameShare is the share of a figure that may change and still be called the
// same: from one month to the next a home that changes nothing varies as much.
const sameShare = 0.05

// courseOf says how used compares with before.
func courseOf(used, before metering.Amount) course {
	switch change := float64(used - before); {
	case change > sameShare*float64(before):
		return more
	case change < -sameShare*float64(before):
		return less
	default:
		return same
	}
}

// A pair is the use of the same days in two periods.
type pair struct {
	used, before metering.Amount
	days         int // or months, where the pair is of months
	// colder is by how much colder the days were than those before, as a share; what
	// was used before is brought to that cold where corrected says so.
	colder    float64
	corrected bool
}

func (p pair) course() course { return courseOf(p.used, p.before) }

// share is how much the pair changed, as a part of before; 0 where nothing was
// used before.
func (p pair) share() float64 {
	if p.before == 0 {
		return 0
	}
	return float64(p.used-p.before) / float64(p.before)
}

// firstCompared is the day of a month from which it is compared: fewer days say
// more of the days than of the people.
const firstCompared = 7

// sameDays pairs the days [from, to) with as many days of another month, each with
// that of its number. It is false where one of them is not known whole: an
// unknown day would look like a saving.
func sameDays(now, then consumption.Series, from, to civil.Date, month civil.Month) (pair, bool) {
	var p pair
	for day := from; day.Before(to); day = day.AddDays(1) {
		other := civil.Date{Year: month.Year, Month: month.Month, Day: day.Day}
		if day.Day > month.Days() {
			break // the 31st of a month with 30 days
		}
		a, ok := whole(now, day)
		b, known := whole(then, other)
		if !ok || !known {
			return pair{}, false
		}
		p.used, p.before, p.days = p.used+a, p.before+b, p.days+1
	}
	return p, p.days >= firstCompared-1 && p.before > 0
}

// whole is what was used on a day that is over and known from end to end.
func whole(s consumption.Series, day civil.Date) (metering.Amount, bool) {
	d, ok := s.Day(day)
	return d.Used, ok && !d.Open && d.Coverage >= wholeDay
}

// wholeMonth is what was used in a month that is over, from its first instant to
// its last: that of moving in or out is a part, and compares with none.
func wholeMonth(s consumption.Series, month civil.Month, zone *time.Location) (metering.Amount, bool) {
	m, ok := s.Month(month)
	if !ok || m.Open || m.Why.Coverage < wholeDay {
		return 0, false
	}
	from, to := spanned(m.Why.Parts)
	start, end := month.Bounds(zone)
	return m.Why.Used, !from.After(start) && !to.Before(end)
}

// spanned is from the first instant of the parts, which are some, to their last.
func spanned(parts []metering.Part) (from, to time.Time) {
	from, to = parts[0].From.At, parts[0].To.At
	for _, p := range parts[1:] {
		if p.From.At.Before(from) {
			from = p.From.At
		}
		if p.To.At.After(to) {
			to = p.To.At
		}
	}
	return from, to
}

// A change is a comparison as a person reads it: an arrow, a word beside it and
// the figures.
type change struct {
	Arrow course
	Word  string
	// HowMuch is the difference, With what was compared, Both the two figures.
	HowMuch, With, Both string
	Weather             string // of heat: what the cold has to do with it
	Link, LinkOf        string // to the figure that it stands beside
}

// newChange says a pair in words; with names what it was compared with.
func newChange(l web.Language, k metering.Kind, p pair, with string) *change {
	used, before, by := sides(l, k, p)
	c := &change{Arrow: p.course(), With: with, Both: l.T("change.both", used, before)}
	if p.corrected {
		c.Both = l.T("change.both_cold", used, before)
	}
	if k == metering.Heat {
		c.Weather = p.weather(l)
	}
	switch c.Arrow {
	case less:
		c.Word, c.HowMuch = l.T("change.less"), l.T("change.less_by", written(l, k, -by))
	case more:
		c.Word, c.HowMuch = l.T("change.more"), l.T("change.more_by", written(l, k, by))
	default:
		c.Word, c.HowMuch = l.T("change.same"), l.T("change.same_by")
	}
	return c
}

// sides are the two figures of a pair, both in one unit, and their difference as a
// reader reckons it from what is written.
func sides(l web.Language, k metering.Kind, p pair) (used, before string, by metering.Amount) {
	if inCubicMetres(k, p) {
		return l.CubicMetres(p.used), l.CubicMetres(p.before), web.ShownCubicMetres(p.used) - web.ShownCubicMetres(p.before)
	}
	return written(l, k, p.used), written(l, k, p.before), web.ShownOfMonth(k, p.used) - web.ShownOfMonth(k, p.before)
}

// inCubicMetres reports whether one side of a pair is written in m³, and the other
// is not so small that nothing of it would be left there.
func inCubicMetres(k metering.Kind, p pair) bool {
	const cubicMetre = 1_000_000 // mL
	return k.IndexUnit() != metering.WattHour && max(p.used, p.before) >= cubicMetre && min(p.used, p.before) >= leastCubic
}

// written is the figure as people say it: the first of the two ways to write a
// month's.
func written(l web.Language, k metering.Kind, a metering.Amount) string {
	first, _ := l.OfMonth(k, a)
	return first
}

// partOf names a kind after "plus" and "moins".
var partOf = map[metering.Kind]string{
	metering.ColdWater: "change.cold_water", metering.HotWater: "change.hot_water", metering.Electricity: "change.electricity",
	metering.Heat: "change.heat", metering.Gas: "change.gas",
}

// sameHomes reports whether both periods were lived in the same dwelling: another
// one's figures say nothing of what the household does.
func sameHomes(a, b consumption.Home) bool {
	if len(a.Stays) == 0 || len(b.Stays) == 0 {
		return false
	}
	home := a.Stays[0].Dwelling.ID
	for _, stay := range append(a.Stays[1:len(a.Stays):len(a.Stays)], b.Stays...) {
		if stay.Dwelling.ID != home {
			return false
		}
	}
	return true
}

// seriesOf returns a home's series of a kind, or one of which nothing is known.
func seriesOf(home consumption.Home, k metering.Kind) (consumption.Series, bool) {
	for _, s := range home.Series {
		if s.Kind == k {
			return s, true
		}
	}
	return consumption.Series{Kind: k}, false
}

// total explains what a series counted over its months. Per meter the figure is
// one difference of indexes wherever its months touch: between months that do
// not, somebody else may have lived there.
func total(s consumption.Series, from, to time.Time) metering.Explanation {
	var parts []metering.Part
	for _, month := range s.Months {
		for _, p := range month.Why.Parts {
			if i := touching(parts, p); i >= 0 {
				parts[i].To = p.To
				continue
			}
			parts = append(parts, p)
		}
	}
	return metering.Explain(s.Kind, from, to, parts)
}

func touching(parts []metering.Part, next metering.Part) int {
	for i, p := range parts {
		if p.To.Meter == next.From.Meter && p.To.At.Equal(next.From.At) {
			return i
		}
	}
	return -1
}
