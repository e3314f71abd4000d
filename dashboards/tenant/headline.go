package tenant

import (
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A headline is what the first page says first: one sentence with one arrow.
type headline struct {
	Arrow    course // empty where nothing can be compared yet
	Sentence string
	More     string   // what was compared with what
	Costs    string   // that what follows is the cost
	Spent    []billed // since the month began, on each bill
	NoBill   string   // that this is no bill
	Fresh    string   // when any meter was read last
}

// A beside is a home a month and a year ago, on the same days.
type beside struct {
	year      consumption.Home
	yearKnown bool
}

// A comparison is how one kind changed.
type comparison struct {
	kind   metering.Kind
	pair   pair
	since  string // what it stands beside, as in "le mois dernier"
	with   string // the same with its days
	of     string // the month it is of where that is over; empty for the one that runs
	change *change
}

// compare compares a kind with the same days of a year ago where they are known,
// else with those of the month before. Meters that are read by month compare the
// month that is over. Heat compares with a year ago alone: a month before it was
// warmer or colder.
func (t teller) compare(s consumption.Series, b beside) (comparison, bool) {
	today := t.home.Today
	var ago consumption.Series
	if b.yearKnown {
		ago, _ = seriesOf(b.year, s.Kind)
	}
	switch {
	case s.Resolution == metering.Off:
		return comparison{}, false
	case !s.Resolution.Allows(metering.Day):
		return t.compareMonth(s, ago)
	case today.Day < firstCompared:
		return comparison{}, false
	}
	first := today.MonthOf().First()
	for _, other := range []struct {
		then  consumption.Series
		month civil.Month
		since string
	}{
		{ago, yearAgo(today.MonthOf()), t.T("headline.last_year")},
		{s, today.MonthOf().Prev(), t.T("headline.last_month")},
	} {
		if other.month == today.MonthOf().Prev() && (s.Kind == metering.Heat || !sameHomes(t.home, t.home)) {
			continue
		}
		if p, ok := sameDays(s, other.then, first, today, other.month); ok {
			if s.Kind == metering.Heat {
				t.bringTo(&p, first, first.AddDays(p.days), other.month.First())
			}
			return t.comparison(s.Kind, p, other.since, t.T("change.with_days", p.days, t.Month(other.month)), ""), true
		}
	}
	return comparison{}, false
}

func yearAgo(m civil.Month) civil.Month { return civil.Month{Year: m.Year - 1, Month: m.Month} }

// compareMonth compares the month that is over, of a meter that is read by month.
func (t teller) compareMonth(s, ago consumption.Series) (comparison, bool) {
	month := t.home.Today.MonthOf().Prev()
	used, known := wholeMonth(s, month, t.home.Zone)
	before, ok := wholeMonth(ago, yearAgo(month), t.home.Zone)
	if !known || !ok || before == 0 {
		return comparison{}, false
	}
	p := pair{used: used, before: before, days: 1}
	if s.Kind == metering.Heat {
		t.bringTo(&p, month.First(), month.Next().First(), yearAgo(month).First())
	}
	return t.comparison(s.Kind, p, t.T("headline.last_year"), t.T("change.with", t.Month(yearAgo(month))), t.Month(month)), true
}

func (t teller) comparison(k metering.Kind, p pair, since, with, of string) comparison {
	return comparison{kind: k, pair: p, since: since, with: with, of: of, change: newChange(t.Language, k, p, with)}
}

// headline chooses what to say of all kinds: the one that changed most. Where none
// compares it says why.
func (t teller) headline(all []comparison, doubtful bool) headline {
	h := headline{}
	if len(all) == 0 && doubtful {
		h.Sentence = t.T("headline.unchecked")
		if len(t.home.Series) == 1 {
			h.Sentence = t.T("headline.unchecked_one")
		}
		return h
	}
	if len(all) == 0 {
		h.Sentence = t.notYet()
		return h
	}
	most := mostChanged(all)
	h.Arrow = most.pair.course()
	part := t.T(partOf[most.kind])
	of := t.T("headline.this_month")
	if most.of != "" {
		of = t.T("headline.in", most.of)
	}
	switch h.Arrow {
	case less:
		h.Sentence = t.T("headline.less", of, part, most.since)
	case more:
		h.Sentence = t.T("headline.more", of, part, most.since)
	default:
		h.Sentence = t.T("headline.same", of, part, most.since)
		if len(all) > 1 && allSame(all) {
			h.Sentence = t.T("headline.all_same", of, most.since)
		}
	}
	h.More = most.change.With
	if h.Arrow != same {
		h.More = most.change.HowMuch + " " + h.More
	}
	if most.kind == metering.Heat {
		h.More += " " + most.change.Weather
	}
	return h
}

// allSame reports whether no kind changed, all beside the same days.
func allSame(all []comparison) bool {
	return !slices.ContainsFunc(all, func(c comparison) bool {
		return c.pair.course() != same || c.of != all[0].of || c.with != all[0].with
	})
}

// mostChanged is the comparison with the largest share. Heat that the cold was not
// taken out of is told last: it says more of the winter than of the home.
func mostChanged(all []comparison) comparison {
	raw := func(c comparison) bool { return c.kind == metering.Heat && !c.pair.corrected }
	most := all[0]
	for _, c := range all[1:] {
		larger := math.Abs(c.pair.share()) > math.Abs(most.pair.share())
		if raw(most) != raw(c) {
			larger = raw(most)
		}
		if larger {
			most = c
		}
	}
	return most
}

// notYet says why nothing is compared.
func (t teller) notYet() string {
	off := true
	for _, s := range t.home.Series {
		off = off && s.Resolution == metering.Off
	}
	switch {
	case off:
		return t.T("headline.off")
	case t.home.Today.Day < firstCompared:
		return t.T("headline.early", firstCompared)
	default:
		return t.T("headline.unknown")
	}
}
