package tenant

import (
	"errors"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A sheet is what a home used of one kind in a period, and in the same one of the
// year before. The page, its table and the file all come from it.
type sheet struct {
	teller
	whose  whose
	kind   metering.Kind
	period period
	series consumption.Series
	last   consumption.Series // of the year before; of nothing where it does not compare
	stays  []premises.Stay    // all that the reader may see, not only of the period
	slots  []slot
	hours  consumption.DayOfHours // of a single day

	measure measure // what the bars count
	offered []measure
}

// sheet returns what the page's address asks for. What is not the reader's is not
// found, as are kinds and periods that do not exist.
func (h *Handler) sheet(c echo.Context, l web.Language) (sheet, error) {
	kind, wrong := metering.ParseKind(c.Param("kind"))
	p, unreadable := parsePeriod(c.Param("period"))
	if err := errors.Join(wrong, unreadable); err != nil || kind == metering.Temperature {
		return sheet{}, &problem.Error{Kind: problem.NotFound, Message: "error.not_found", Err: err}
	}
	s := sheet{kind: kind, period: p, measure: measure(c.QueryParam(measureField))}
	var err error
	if s.whose, err = h.whose(c, l); err != nil {
		return sheet{}, err
	}
	ctx, now := c.Request().Context(), h.Now()
	zone, err := h.Homes.Zone(ctx, s.whose.Viewer)
	if err != nil {
		return sheet{}, err
	}
	tomorrow := civil.DateIn(now, zone).AddDays(1)
	if !p.from.Before(tomorrow) {
		return sheet{}, &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	home, err := h.Consumption.Between(ctx, s.whose.Viewer, now, p.from, sooner(p.to(), tomorrow))
	if err != nil {
		return sheet{}, err
	}
	known := false
	if s.series, known = seriesOf(home, kind); !known {
		return sheet{}, &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	if s.teller, err = h.teller(c, l, home, s.whose, p.yearBefore().from); err != nil {
		return sheet{}, err
	}
	if s.stays, err = h.Homes.During(ctx, s.whose.Viewer, now, everSince, tomorrow); err != nil {
		return sheet{}, err
	}
	if s.last, err = h.yearBefore(c, s); err != nil {
		return sheet{}, err
	}
	if p.span == aDay {
		if err := h.hoursOf(c, &s); err != nil {
			return sheet{}, err
		}
	}
	s.fill()
	return s, nil
}

// everSince is before any stay.
var everSince = civil.Date{Year: firstYear, Month: time.January, Day: 1}

// yearBefore returns the same kind in the period a year ago; of nothing where the
// household lived elsewhere, the meter is not read, or nobody knows yet whose it is:
// what does not compare does not stand side by side either.
func (h *Handler) yearBefore(c echo.Context, s sheet) (consumption.Series, error) {
	ago, nothing := s.period.yearBefore(), consumption.Series{Kind: s.kind}
	if s.series.Resolution == metering.Off || s.period.span == aDay || doubtful(s.priced.Cost(s.series, s.period.from, s.period.to())) {
		return nothing, nil
	}
	home, err := h.Consumption.Between(c.Request().Context(), s.whose.Viewer, h.Now(), ago.from, ago.to())
	if isNone(err) || err == nil && !sameHomes(home, s.home) {
		return nothing, nil
	}
	if err != nil {
		return nothing, err
	}
	found, _ := seriesOf(home, s.kind)
	return found, nil
}

func sooner(a, b civil.Date) civil.Date {
	if b.Before(a) {
		return b
	}
	return a
}

// lived is the part of the period that has a place on the page: since the first
// day there, until the last.
func (s *sheet) lived() (from, to civil.Date) {
	from, to = s.period.from, s.period.to()
	if first := s.home.Stays[0].From; from.Before(first) {
		from = first
	}
	if last := s.home.Stays[len(s.home.Stays)-1].To; !s.home.Today.Before(last) {
		to = sooner(to, last)
	}
	return from, to
}

// fill makes the slots: months of a year, days of anything else. Meters that are
// read by month have no days.
func (s *sheet) fill() {
	from, to := s.lived()
	switch {
	case s.series.Resolution == metering.Off:
	case s.period.span == aDay:
		if len(s.hours.Hours) > 0 {
			s.slots = s.hourSlots()
		}
	case s.period.span == aYear:
		for m := from.MonthOf(); m.First().Before(to); m = m.Next() {
			slot := s.monthSlot(s.series, m)
			slot.before, slot.beforeKnown = wholeMonth(s.last, yearAgo(m), s.home.Zone)
			s.slots = append(s.slots, slot)
		}
	case s.series.Resolution.Allows(metering.Day):
		for day := from; day.Before(to); day = day.AddDays(1) {
			slot := s.daySlot(s.series, day)
			if slot.before, slot.beforeKnown = whole(s.last, s.dayBefore(day)); s.period.span == aWeek {
				slot.label = s.ShortDay(day)
			}
			s.slots = append(s.slots, slot)
		}
	}
}

// dayBefore is the day that stands in grey behind another: the same day of the
// week, or that of the same number.
func (s *sheet) dayBefore(date civil.Date) civil.Date {
	if s.period.span == aWeek {
		return date.AddDays(-7 * weeksOfYear)
	}
	if leapDay(date) {
		return civil.Date{}
	}
	return civil.Date{Year: date.Year - 1, Month: date.Month, Day: date.Day}
}

// leapDay reports whether most years lack the day.
func leapDay(d civil.Date) bool { return d.Month == time.February && d.Day == 29 }

// paired sums the slots that are over, and their like of the year before. It is
// false where one of them is not known whole, or where too little is over.
func (s *sheet) paired() (pair, bool) {
	var p pair
	var through slot // the last that counts
	for _, slot := range s.slots {
		switch {
		case slot.open || slot.coming || leapDay(slot.first):
			continue
		case !slot.whole || !slot.beforeKnown:
			return pair{}, false
		}
		p.used, p.before, p.days = p.used+slot.used, p.before+slot.before, p.days+1
		through = slot
	}
	enough := p.days > 0
	if s.period.span == aDay {
		return pair{}, false
	}
	if s.period.span != aYear {
		enough = p.days >= firstCompared-1
	}
	if s.kind == metering.Heat && p.days > 0 {
		s.bringTo(&p, s.slots[0].first, s.after(through), s.dayBefore(s.slots[0].first))
	}
	return p, enough && p.before > 0
}

// incomplete reports whether a slot that is over is not known whole, so that this
// period is what cannot be compared.
func (s *sheet) incomplete() bool {
	return slices.ContainsFunc(s.slots, func(one slot) bool { return !one.open && !one.coming && !one.whole })
}

// yearUnknown reports whether a slot that is over has none a year ago to stand beside.
func (s *sheet) yearUnknown() bool {
	return slices.ContainsFunc(s.slots, func(one slot) bool {
		return !one.open && !one.coming && !one.beforeKnown && !leapDay(one.first)
	})
}

// notThereYet reports whether the household came to live there after the period a
// year ago.
func (s *sheet) notThereYet() bool {
	here, ago := s.home.Stays[len(s.home.Stays)-1].Dwelling.ID, s.period.yearBefore()
	return !slices.ContainsFunc(s.stays, func(stay premises.Stay) bool {
		return stay.Dwelling.ID == here && stay.From.Before(ago.to())
	})
}

// card says the period's figure, with its chart, its table and its indexes.
func (s *sheet) card() card {
	c := card{Kind: s.kind, Title: s.T("kind." + string(s.kind))}
	explained := s.priced.Cost(s.series, s.period.from, s.period.to())
	switch {
	case s.series.Resolution == metering.Off:
		s.setOff(&c)
		return c
	case len(explained.Parts) == 0:
		c.None = s.T("period.nothing")
	default:
		s.setTotal(&c, explained, s.when(explained))
		c.Mark = s.partly(c.Mark, s.slots)
	}
	s.offered = s.measures(explained)
	if !slices.Contains(s.offered, s.measure) {
		s.measure = counted
	}
	if !s.series.Resolution.Allows(metering.Day) && s.period.span != aDay {
		c.Lines = append(c.Lines, s.T("home.monthly"))
	}
	switch s.period.span {
	case aYear:
		c.Chart = s.draw(s.kind, s.measured(), byMonth(s.kind).in(s.measure), s.monthPage)
	case aDay:
		if why := s.noHours(); why != "" {
			c.Lines = append(c.Lines, why)
		}
		c.Chart = s.draw(s.kind, s.slots, byHour(s.kind), noLink)
		if c.Chart != nil && s.hourRuns(c.end) {
			c.Chart.Running = s.T("period.hour_running")
		}
	case aWeek:
		c.Chart = s.draw(s.kind, s.measured(), byWeekday(s.kind).in(s.measure), s.dayAlone)
	default:
		c.Chart = s.draw(s.kind, s.measured(), byDay(s.kind).in(s.measure), s.dayAlone)
	}
	if s.home.Today.Before(s.period.to()) {
		s.setFresh(&c, s.series)
	}
	return c
}

// when says which days the figure counts, as its indexes have it.
func (t teller) when(e metering.Explanation) string {
	from, to := spanned(e.Parts)
	first, last := civil.DateIn(from, t.home.Zone), civil.DateIn(to.Add(-time.Nanosecond), t.home.Zone)
	switch {
	case first == t.home.Today:
		return t.T("home.so_far")
	case last == t.home.Today:
		return t.T("home.since", t.DayOfMonth(first))
	case first == last:
		return t.T("period.on", t.DayOfMonth(first))
	default:
		return t.T("month.part", t.DayOfMonth(first), t.DayOfMonth(last))
	}
}

// monthPage is where a month of the year's table leads.
func (s *sheet) monthPage(one slot) string {
	return s.page(periodOn(aMonth, one.first))
}

// dayAlone is where a day of the table is explained.
func (s *sheet) dayAlone(one slot) string {
	return with(s.page(s.period), dayField, one.first.String()) + "#" + dayField
}
