package tenant

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type monthView struct {
	web.Chrome
	whose
	HomeLink           string
	Cards              []card
	Previous, Next     string // links; empty where there is nothing
	PreviousName, Name string
	NextName           string
	Note               *noteLink
}

var monthPage = web.MustPage[monthView](templates, "templates/month.html", "templates/cards.html", "templates/whose.html", "templates/change.html")

// month serves GET /consommation/2026-03: a month of the reader's home, or of one
// that the reader helps; and leads from /consommation/cold_water to the kind's own
// page.
func (h *Handler) month(c echo.Context) error {
	if kind, err := metering.ParseKind(c.Param("month")); err == nil {
		return h.kindNow(c, kind)
	}
	month, err := civil.ParseMonth(c.Param("month"))
	if err != nil {
		return &problem.Error{Kind: problem.NotFound, Message: "month.malformed", Err: err}
	}
	ctx, now := c.Request().Context(), h.Now()
	view := monthView{Chrome: h.Site.Chrome(c, "home.title")}
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	zone, err := h.Homes.Zone(ctx, view.Viewer)
	if err != nil {
		return err
	}
	today := civil.DateIn(now, zone)
	tomorrow := today.AddDays(1)
	to := month.Next().First()
	if tomorrow.Before(to) {
		to = tomorrow
	}
	if !month.First().Before(to) {
		return &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	home, err := h.Consumption.Between(ctx, view.Viewer, now, month.First(), to)
	if err != nil {
		return err
	}
	all, err := h.Homes.During(ctx, view.Viewer, now, everSince, tomorrow)
	if err != nil {
		return err
	}
	t, err := h.teller(c, view.Language, home, view.whose, month.First())
	if err != nil {
		return err
	}
	view.Name = t.Month(month)
	view.Title, view.HomeLink = view.Name, view.link("/")
	view.neighbours(month, all)
	view.Note = noteOf(view.Language, view.whose, month, all, today)
	for _, s := range home.Series {
		card := t.monthCard(s, month, to)
		t.lead(&card, s, view.whose, month.First())
		view.Cards = append(view.Cards, card)
	}
	return monthPage.Render(c, http.StatusOK, view)
}

// neighbours links the months before and after, where the reader lived.
func (v *monthView) neighbours(month civil.Month, stays []premises.Stay) {
	before, after := month.Prev(), month.Next()
	if stays[0].From.Before(month.First()) {
		v.Previous, v.PreviousName = v.link(monthLink(before)), v.Month(before)
	}
	if after.First().Before(stays[len(stays)-1].To) {
		v.Next, v.NextName = v.link(monthLink(after)), v.Month(after)
	}
}

func (t teller) monthCard(s consumption.Series, month civil.Month, to civil.Date) card {
	c := card{Kind: s.Kind, Title: t.T("kind." + string(s.Kind))}
	if s.Resolution == metering.Off {
		t.setOff(&c)
		return c
	}
	if e := t.priced.Cost(s, month.First(), to); len(e.Parts) > 0 {
		t.setTotal(&c, e, t.ofMonth(e, month))
	} else {
		c.None = t.T("month.nothing")
	}
	if t.home.Today.Before(month.Next().First()) {
		t.setFresh(&c, s)
	}
	if s.Resolution == metering.Month {
		c.Lines = []string{t.T("home.monthly")}
		return c
	}
	slots := t.days(s, t.home.Stays[0].From, t.home.Stays[len(t.home.Stays)-1].To)
	c.Mark = t.partly(c.Mark, slots)
	c.Chart = t.draw(s.Kind, slots, byDay(s.Kind), noLink)
	return c
}

// ofMonth says which part of the month the figure is of.
func (t teller) ofMonth(e metering.Explanation, month civil.Month) string {
	from, to := spanned(e.Parts)
	start, end := month.Bounds(t.home.Zone)
	if !from.After(start) && !to.Before(end) {
		return t.T("month.whole", t.Month(month))
	}
	return t.when(e)
}
