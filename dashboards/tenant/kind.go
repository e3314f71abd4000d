package tenant

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type kindView struct {
	web.Chrome
	whose
	Card     card
	Change   *change
	NoChange string // why there is no comparison
	Of       string // the period, as in "mars 2026"
	Spans    []choice
	Measures []choice // what the bars may count; none where it is one thing
	Previous *turn
	Next     *turn
	Day      *dayFigure
	File     string // link to the same numbers as a file; empty where there are none
	Paper    string // link to the page as it is printed
	OnPaper  bool   // everything that can be unfolded is
	Screen   string // link back from there
	HomeLink string
	Note     *noteLink
	YearLink string // where a meter read by month shows its months; empty elsewhere
}

// A turn leads to the period before or after.
type turn struct{ Link, Name string }

// A dayFigure is one day of the table, with its own indexes.
type dayFigure struct {
	Name, Big, Note string
	Second          string // as the meter counted it, where Big is in euros or in heat
	Why             *why
	Hours           string // link to its hours; empty where they are not read
}

var kindPage = web.MustPage[kindView](templates, "templates/kind.html", "templates/cards.html", "templates/whose.html", "templates/change.html")

// Fields of the page's address.
const (
	dayField   = "jour"     // a day of the table, to be explained
	paperField = "papier"   // everything unfolded, to be printed
	sheetPath  = "/fichier" // behind a period: its numbers as a file
)

// kindLink is a kind's page of a period.
func kindLink(k metering.Kind, p period) string {
	return "/consommation/" + string(k) + "/" + p.String()
}

// kind serves GET /consommation/cold_water/2026-03: what a home used of one kind
// in a week, a month or a year.
func (h *Handler) kind(c echo.Context) error {
	view := kindView{Chrome: h.Site.Chrome(c, "home.title")}
	s, err := h.sheet(c, view.Language)
	if err != nil {
		return err
	}
	view.whose, view.OnPaper = s.whose, c.QueryParam(paperField) != ""
	view.Of = s.period.name(s.Language)
	view.Title = s.T("kind."+string(s.kind)) + ", " + view.Of
	view.Card, view.HomeLink = s.card(), view.link("/")
	view.around(s)
	if len(s.offered) > 1 && len(s.slots) > 0 && s.period.span != aDay {
		for _, m := range s.offered {
			view.Measures = append(view.Measures, choice{Name: s.nameOf(m), Link: s.in(s.period, m), Here: m == s.measure})
		}
	}
	view.compare(s)
	if len(s.slots) > 0 {
		path := kindLink(s.kind, s.period)
		view.File, view.Screen = view.link(path+sheetPath), s.page(s.period)
		view.Paper = with(view.Screen, paperField, "1")
	}
	if s.period.span == aMonth {
		view.Note = noteOf(s.Language, s.whose, s.period.from.MonthOf(), s.stays, s.home.Today)
	}
	if s.period.span != aYear && !s.series.Resolution.Allows(metering.Day) && s.series.Resolution != metering.Off {
		view.YearLink = view.link(kindLink(s.kind, periodOn(aYear, s.period.from)))
	}
	if err := h.explain(c, s, &view); err != nil {
		return err
	}
	return kindPage.Render(c, http.StatusOK, view)
}

// with adds a field to a page's address.
func with(path, field, text string) string {
	sign := "?"
	if u, err := url.Parse(path); err == nil && u.RawQuery != "" {
		sign = "&"
	}
	return path + sign + field + "=" + url.QueryEscape(text)
}

// finest is the resolution that a span asks of the meter.
var finest = map[span]metering.Resolution{aDay: metering.Hour, aWeek: metering.Day, aMonth: metering.Day, aYear: metering.Month}

// around links the other spans and the periods before and after.
func (v *kindView) around(s sheet) {
	anchor := s.period.from
	if s.home.Today.Before(s.period.to()) {
		anchor = s.home.Today // from this year to this month, not to January
	}
	for _, span := range spans {
		if span == s.period.span || s.series.Resolution.Allows(finest[span]) {
			v.Spans = append(v.Spans, choice{Name: span.name(s.Language), Link: s.page(periodOn(span, anchor)), Here: span == s.period.span})
		}
	}
	if p, ok := s.nearest(period.prev); ok {
		v.Previous = v.turn(s, p, false)
	}
	if p, ok := s.nearest(period.next); ok {
		v.Next = v.turn(s, p, true)
	}
}

// nearest is the next period that way in which the reader lived somewhere; between
// two homes there may be none for a while.
func (s *sheet) nearest(way func(period) period) (period, bool) {
	first, last := s.stays[0].From, sooner(s.stays[len(s.stays)-1].To, s.home.Today.AddDays(1))
	for p := way(s.period); first.Before(p.to()) && p.from.Before(last); p = way(p) {
		if slices.ContainsFunc(s.stays, func(stay premises.Stay) bool { return stay.From.Before(p.to()) && p.from.Before(stay.To) }) {
			return p, true
		}
	}
	return period{}, false
}

func (v *kindView) turn(s sheet, to period, after bool) *turn {
	name := to.name(s.Language)
	if to.span == aDay {
		name = s.DayOfMonth(to.from)
	}
	if to.span == aWeek {
		name = s.T("period.week_of", s.DayOfMonth(to.from))
	}
	return &turn{Link: s.page(to), Name: to.neighbour(s.Language, after) + " (" + name + ")"}
}

// compare says how the period compares with the same of the year before, or why
// not.
func (v *kindView) compare(s sheet) {
	running := s.home.Today.Before(s.period.to())
	p, ok := s.paired()
	switch {
	case len(s.slots) == 0 || s.period.span == aDay || v.Card.None != "":
	// No later day is promised to what will not compare then.
	case v.Card.doubtful && v.Card.Cost != nil && v.Card.Cost.None != "": // which says why
		v.NoChange = s.T("change.unchecked_too")
	case v.Card.doubtful:
		v.NoChange = s.T("change.unchecked")
	case s.incomplete():
		v.NoChange = s.T("change.missing")
	case s.notThereYet():
		v.NoChange = s.T("change.not_there")
	case s.yearUnknown():
		v.NoChange = s.T("change.no_year")
	case running && s.period.span == aWeek:
		v.NoChange = s.T("change.week_runs")
	case running && s.period.span == aMonth && s.home.Today.Day < firstCompared:
		v.NoChange = s.T("change.too_early", firstCompared)
	case !ok:
		v.NoChange = s.T("change.no_year")
	default:
		v.Change = newChange(s.Language, s.kind, p, s.comparedWith(p, running))
		v.Change.Link = v.link(kindLink(s.kind, s.period.yearBefore()))
		v.Change.LinkOf = s.T("change.see", s.period.yearBefore().name(s.Language))
	}
}

// comparedWith names what the period stands beside.
func (s *sheet) comparedWith(p pair, running bool) string {
	ago := s.period.yearBefore()
	switch {
	case s.period.span == aWeek:
		return s.T("change.with_week", ago.name(s.Language))
	case s.period.span == aMonth && (running || p.days != len(s.slots)):
		return s.T("change.with_days", p.days, ago.name(s.Language))
	case s.period.span == aYear && (running || p.days != len(s.slots)):
		return s.T("change.with_months", p.days, ago.name(s.Language))
	default:
		return s.T("change.with", ago.name(s.Language))
	}
}

// explain adds the day that the address names, if it is one of the period's.
func (h *Handler) explain(c echo.Context, s sheet, v *kindView) error {
	date, err := civil.ParseDate(c.QueryParam(dayField))
	if err != nil || s.period.span == aYear || s.period.span == aDay {
		return nil // most addresses name none
	}
	i := slices.IndexFunc(s.slots, func(one slot) bool { return one.first == date && one.known })
	if i < 0 {
		return nil
	}
	home, err := h.Consumption.Between(c.Request().Context(), s.whose.Viewer, h.Now(), date, date.AddDays(1))
	if err != nil {
		return err
	}
	series, _ := seriesOf(home, s.kind)
	start, end := date.Bounds(s.home.Zone)
	v.Day = &dayFigure{Name: s.slots[i].name, Note: s.slots[i].note, Big: s.OfDay(s.kind, s.slots[i].used)}
	if s.series.Resolution.Allows(metering.Hour) {
		v.Day.Hours = s.page(periodOn(aDay, date))
	}
	explained := total(series, start, end)
	if told := s.measured()[i]; s.measure != counted && told.known {
		v.Day.Big, v.Day.Second = s.amount(s.kind, told.used, byDay(s.kind).in(s.measure)), v.Day.Big
		explained = s.priced.Cost(s.series, date, date.AddDays(1))
	}
	if len(explained.Parts) > 0 {
		v.Day.Why = s.why(explained)
	}
	return nil
}

// kindNow serves GET /consommation/cold_water as the month that runs, or the year
// where the meter is read by month.
func (h *Handler) kindNow(c echo.Context, k metering.Kind) error {
	w, err := h.whose(c, web.LanguageOf(c))
	if err != nil {
		return err
	}
	zone, err := h.Homes.Zone(c.Request().Context(), w.Viewer)
	if err != nil {
		return err
	}
	if k == metering.Temperature {
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	return c.Redirect(http.StatusSeeOther, w.link(kindLink(k, periodOn(aMonth, civil.DateIn(h.Now(), zone)))))
}
