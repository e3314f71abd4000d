package tenant

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// shownDays is how many days the first page draws, today included.
const shownDays = 31

type homeView struct {
	web.Chrome
	whose
	Greeting  string
	Place     string // the dwelling, as on the door; empty where there is none
	Headline  *headline
	Cases     []caseCard // open ones that the reader can do something about
	Asked     []questionCard
	See       string // link to them
	Advice    adviceView
	AdviceOf  string // link to all of it
	Calm      string // that there is nothing to do; empty where there is something
	Outlook   *outlook
	Note      *noteLink
	Several   string // of two dwellings at once; empty for one
	Cards     []card
	Ways      []way // what else can be done here
	NoMeters  bool
	NoHome    bool
	Left      string // since when the reader does not live there; empty else
	MonthLink string
	MonthName string
}

var homePage = web.MustPage[homeView](templates, "templates/home.html", "templates/cards.html", "templates/whose.html", "templates/change.html", "templates/outlook.html", "templates/tip.html", "templates/case.html", "templates/question.html", "templates/pictures.html")

// home serves GET /: what the reader's home used, up to now, or a home that the
// reader helps.
func (h *Handler) home(c echo.Context) error {
	session, _ := accounts.Who(c)
	if first := web.FirstPage(session); first != "/" {
		return c.Redirect(http.StatusSeeOther, first) // somebody of the staff who lives elsewhere
	}
	ctx, now := c.Request().Context(), h.Now()
	view := homeView{Chrome: h.Site.Chrome(c, "home.title")}
	view.Greeting = view.T("home.greeting", session.Person.Name)
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	zone, err := h.Homes.Zone(ctx, view.Viewer)
	if isNone(err) {
		view.NoHome = true
		view.Ways = view.ways(view.Language)
		return homePage.Render(c, http.StatusOK, view)
	}
	if err != nil {
		return err
	}
	today := civil.DateIn(now, zone)
	from := today.MonthOf().Prev().First()
	home, err := h.Consumption.Between(ctx, view.Viewer, now, from, today.AddDays(1))
	if isNone(err) || err == nil && !livesThere(home) {
		return h.left(c, view, today)
	}
	if err != nil {
		return err
	}
	stay := home.Stays[len(home.Stays)-1]
	t, err := h.teller(c, view.Language, home, view.whose, yearBefore(from))
	if err != nil {
		return err
	}
	view.Place = view.Door(stay.Dwelling.Label, stay.Dwelling.Building, stay.Dwelling.Staircase)
	view.MonthLink, view.MonthName = view.link(monthLink(today.MonthOf())), t.Month(today.MonthOf())
	view.NoMeters = len(home.Series) == 0
	ago, err := h.beside(c, view.Viewer, home)
	if err != nil {
		return err
	}
	view.fill(t, ago)
	if err := h.beyond(c, &view, t); err != nil {
		return err
	}
	return homePage.Render(c, http.StatusOK, view)
}

// beyond adds what stands around the figures: alerts, tips, the year and the note.
func (h *Handler) beyond(c echo.Context, view *homeView, t teller) error {
	view.See, view.AdviceOf = view.link(casesPath), view.link(advicePath)
	var err error
	if view.Asked, err = h.asked(c, view.Chrome, view.whose); err != nil {
		return err
	}
	all, err := h.found(c, view.Chrome, view.whose)
	if err != nil {
		return err
	}
	view.Cases = slices.DeleteFunc(all, func(one caseCard) bool { return one.Over || !one.Water && !one.Cold })
	if view.Advice, err = h.advice(c, view.Chrome, view.whose, homePlace); err != nil {
		return err
	}
	if slices.ContainsFunc(view.Cases, func(one caseCard) bool { return one.Water }) {
		view.Advice.leaveLeaks() // nobody is told of one leak twice
	}
	if len(t.home.Series) == 0 {
		return nil
	}
	if len(view.Cases)+len(view.Asked)+len(view.Advice.Urgent)+len(view.Advice.Tips) == 0 {
		view.Calm = t.T("home.calm")
	}
	if view.Outlook, err = h.outlook(c, t, view.Viewer); err != nil {
		return err
	}
	if view.Outlook != nil && view.Outlook.Arrow == more {
		view.Calm = "" // somebody who may have to pay more has something to do
	}
	view.Note = noteOf(view.Language, view.whose, t.home.Today.MonthOf().Prev(), t.home.Stays, t.home.Today)
	if t.twoHomes() {
		view.Several = t.T("outlook.two")
	}
	return nil
}

// twoHomes reports whether the reader lives in several dwellings today.
func (t teller) twoHomes() bool {
	now := slices.DeleteFunc(slices.Clone(t.home.Stays), func(s premises.Stay) bool { return !t.home.Today.Before(s.To) })
	return slices.ContainsFunc(now, func(s premises.Stay) bool { return s.Dwelling.ID != now[0].Dwelling.ID })
}

// teller returns what tells of a home: prices, checks of meters, and for homes with
// a meter of heat how cold it was since a day.
func (h *Handler) teller(c echo.Context, l web.Language, home consumption.Home, w whose, since civil.Date) (teller, error) {
	ctx := c.Request().Context()
	t := teller{Language: l, home: home, now: h.Now(), helped: w.Helped != ""}
	var err error
	if t.priced, err = h.Charges.Priced(ctx, home); err != nil {
		return t, err
	}
	if _, heated := seriesOf(home, metering.Heat); heated {
		residence := home.Stays[len(home.Stays)-1].Dwelling.Residence
		t.weather, err = h.Around.Weather(ctx, residence, since, home.Today)
	}
	return t, err
}

// fill adds a card for each kind, and what to say first.
func (v *homeView) fill(t teller, ago beside) {
	v.Ways = v.ways(t.Language)
	var all []comparison
	var spent sums
	var daily []card
	doubtful := false
	for _, s := range t.home.Series {
		card := t.homeCard(s)
		t.lead(&card, s, v.whose, t.home.Today)
		if c, ok := t.compare(s, ago); ok && !card.doubtful {
			all = append(all, c)
			card.Change = c.change
		}
		doubtful = doubtful || card.doubtful
		if s.Resolution.Allows(metering.Day) { // others tell of the month before
			spent.add(card)
			daily = append(daily, card)
		}
		v.Cards = append(v.Cards, card)
	}
	if len(t.home.Series) > 0 {
		h := t.headline(all, doubtful)
		h.Fresh = freshest(daily)
		h.Costs, h.Spent, h.NoBill = t.T("headline.costs"), t.told(spent), t.T("cost.no_bill")
		v.Headline = &h
		v.sayOnce(h.Fresh)
	}
}

// lead links a card to the kind's own page: the month of a day, or the year where
// the meter is read by month. A meter that is not read has none.
func (t teller) lead(c *card, s consumption.Series, w whose, day civil.Date) {
	switch {
	case s.Resolution == metering.Off:
	case s.Resolution.Allows(metering.Day):
		c.More, c.MoreOf = w.link(kindLink(s.Kind, periodOn(aMonth, day))), t.T("home.more", c.Title)
	default:
		c.More, c.MoreOf = w.link(kindLink(s.Kind, periodOn(aYear, day))), t.T("home.more_months", c.Title)
	}
}

// sayOnce leaves out the time of the last reading where the headline says it.
func (v *homeView) sayOnce(fresh string) {
	for i := range v.Cards {
		if v.Cards[i].Fresh == fresh {
			v.Cards[i].Fresh = ""
		}
	}
}

// beside returns what the home used a year ago: on the same days, and in the month
// before them.
func (h *Handler) beside(c echo.Context, v premises.Viewer, home consumption.Home) (beside, error) {
	if len(home.Series) == 0 {
		return beside{}, nil
	}
	month := yearAgo(home.Today.MonthOf())
	ago, err := h.Consumption.Between(c.Request().Context(), v, h.Now(), month.Prev().First(), month.First().AddDays(min(home.Today.Day, month.Days())))
	if isNone(err) {
		return beside{}, nil
	}
	return beside{year: ago, yearKnown: err == nil && sameHomes(home, ago)}, err
}

// A way leads to something that can be done here.
type way struct{ Link, Name, Why string }

// ways are the pages that help whoever lives there. Only meters compare with other
// homes; the rest is of use without them.
func (v *homeView) ways(l web.Language) []way {
	all := []way{
		{v.link(gesturesPath), l.T("ways.gestures"), l.T("ways.gestures_why")},
		{v.link(verifyPath), l.T("ways.verify"), l.T("ways.verify_why")},
		{v.link(helpPath), l.T("ways.help"), l.T("ways.help_why")},
	}
	if v.NoHome || v.NoMeters {
		return all
	}
	return append([]way{{v.link(similarPath), l.T("ways.similar"), l.T("ways.similar_why")}}, all...)
}

func isNone(err error) bool { return err != nil && problem.Of(err).Kind == problem.NotFound }

func livesThere(home consumption.Home) bool {
	return home.Today.Before(home.Stays[len(home.Stays)-1].To)
}

// left is the first page of who lives nowhere now: the way to earlier months.
func (h *Handler) left(c echo.Context, view homeView, today civil.Date) error {
	stays, err := h.Homes.During(c.Request().Context(), view.Viewer, h.Now(), everSince, today)
	if isNone(err) {
		view.NoHome = true
		return homePage.Render(c, http.StatusOK, view)
	}
	if err != nil {
		return err
	}
	last := stays[len(stays)-1].To
	month := last.AddDays(-1).MonthOf()
	view.Left = view.T("home.left", view.Date(last, today))
	view.MonthLink, view.MonthName = view.link(monthLink(month)), view.Month(month)
	return homePage.Render(c, http.StatusOK, view)
}

func monthLink(m civil.Month) string { return "/consommation/" + m.String() }

// homeCard says what a kind used this month, yesterday and by day.
func (t teller) homeCard(s consumption.Series) card {
	c := card{Kind: s.Kind, Title: t.T("kind." + string(s.Kind))}
	switch s.Resolution {
	case metering.Off:
		t.setOff(&c)
		return c
	case metering.Month:
		last := t.home.Today.MonthOf().Prev()
		t.setFigure(&c, s, last.First(), last.Next().First(), t.T("month.whole", t.Month(last)), t.T("home.no_month"))
		c.Lines = []string{t.T("home.monthly")}
	default:
		t.dailyCard(&c, s)
	}
	t.setFresh(&c, s)
	return c
}

func (t teller) dailyCard(c *card, s consumption.Series) {
	today := t.home.Today
	if e := t.priced.Cost(s, today.MonthOf().First(), today.AddDays(1)); len(e.Parts) > 0 {
		t.setTotal(c, e, t.when(e)) // a meter may have begun later than the month
		c.Mark = t.partly(c.Mark, t.days(s, today.MonthOf().First(), today))
	} else {
		c.None = t.T("home.no_figure")
	}
	if yesterday, ok := s.Day(today.AddDays(-1)); ok {
		key := "home.yesterday"
		switch {
		case yesterday.Quality == metering.Estimated:
			key = "home.yesterday_estimated"
		case yesterday.Coverage < wholeDay:
			key = "home.yesterday_partial"
		}
		c.Lines = append(c.Lines, t.T(key, t.OfDay(s.Kind, yesterday.Used)))
	}
	if day, ok := s.Day(today); ok && day.Open {
		c.Lines = append(c.Lines, t.T("home.today", t.OfDay(s.Kind, day.Used)))
	}
	if s.Resolution == metering.Day {
		c.Lines = append(c.Lines, t.T("home.daily"))
	}
	end := today.AddDays(1)
	if _, ok := s.Day(today); !ok && s.Resolution == metering.Day {
		end = today // read at midnight: today has no figure, and none is missing
	}
	c.Chart = t.draw(s.Kind, t.days(s, end.AddDays(-shownDays), end), byDay(s.Kind), noLink)
}

// setFresh says how new a card's figure is, or that its meter is silent.
func (t teller) setFresh(c *card, s consumption.Series) {
	c.fresh, c.freshAt = t.freshness(*c, s)
	switch {
	case s.Silent && s.Last.IsZero():
		c.Notes = append(c.Notes, t.T("home.silent_never"))
	case s.Silent:
		date := t.Date(civil.DateIn(s.Last, t.home.Zone), t.home.Today)
		c.Notes = append(c.Notes, t.T("home.silent", t.T("home.the", date)))
	default:
		c.Fresh = c.fresh
	}
}

// freshness says how new a card's figure is; nothing where there is none. A meter that
// is read by day or month may have been looked at since, and one that is silent tells
// nothing more: what counts is the last day of the figure.
func (t teller) freshness(c card, s consumption.Series) (said string, at time.Time) {
	switch {
	case s.Silent || !s.Resolution.Allows(metering.Hour):
		if c.end.IsZero() {
			return "", time.Time{}
		}
		last := civil.DateIn(c.end.Add(-time.Nanosecond), t.home.Zone)
		return t.T("home.fresh_day", t.Date(last, t.home.Today)), c.end
	case s.Last.IsZero():
		return "", time.Time{}
	default:
		return t.T("home.fresh", t.Moment(s.Last, t.now, t.home.Zone)), s.Last
	}
}

// freshest is the newest of what the cards tell of their time, or would tell; empty
// where none does.
func freshest(cards []card) string {
	var newest card
	for _, c := range cards {
		if c.freshAt.After(newest.freshAt) {
			newest = c
		}
	}
	return newest.fresh
}
