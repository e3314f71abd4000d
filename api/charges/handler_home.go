package charges

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// registerHome adds what a household may ask of its own home.
func (h *Handler) registerHome(g *echo.Group) {
	own := accounts.Anyone(accounts.ConsumptionRead)
	g.GET("/charges/costs", h.costs, own)
	g.GET("/charges/outlook", h.outlook, own)
	g.GET("/charges/note", h.note, own)
}

// mostDays is the longest range that one request may ask for.
const mostDays = 800

func viewer(c echo.Context) premises.Viewer {
	return premises.Viewer{Person: sender(c), Household: premises.HouseholdID(c.QueryParam("household"))}
}

func malformed(message string, err error) error {
	return &problem.Error{Kind: problem.Invalid, Message: message, Err: err}
}

// costs serves GET /charges/costs: what each kind cost on the days [from, to).
func (h *Handler) costs(c echo.Context) error {
	from, err := civil.ParseDate(c.QueryParam("from"))
	if err != nil {
		return malformed("range.malformed", err)
	}
	to, err := civil.ParseDate(c.QueryParam("to"))
	if err != nil || !from.Before(to) || from.AddDays(mostDays).Before(to) {
		return malformed("range.malformed", err)
	}
	ctx := c.Request().Context()
	v := viewer(c)
	stays, err := h.Reader.Stays(ctx, v, h.Now(), from, to)
	if err != nil {
		return err
	}
	v.Household = stays[len(stays)-1].Household // of two at once the one that was moved to last
	home, err := h.Reader.Between(ctx, v, h.Now(), from, to)
	if err != nil {
		return err
	}
	priced, err := h.Store.Priced(ctx, home)
	if err != nil {
		return err
	}
	costs := []metering.Explanation{}
	for _, s := range home.Series {
		costs = append(costs, priced.Cost(s, from, to))
	}
	return c.JSON(http.StatusOK, map[string][]metering.Explanation{"costs": costs})
}

// outlook serves GET /charges/outlook: what is paid in advance beside what the
// year may cost.
func (h *Handler) outlook(c echo.Context) error {
	o, err := h.Outlook(c.Request().Context(), viewer(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, o)
}

// Outlook is the outlook of the home where the viewer lives today. It fails as
// [consumption.Reader.Lived] does.
func (h *Handler) Outlook(ctx context.Context, v premises.Viewer) (Outlook, error) {
	now := h.Now()
	today := civil.DateIn(now, time.UTC).AddDays(1) // wherever the home is, that is not before its today
	since := civil.Date{Year: today.Year - 1, Month: time.January, Day: 1}
	priced, err := h.pricedSince(ctx, v, since, today)
	if err != nil {
		return Outlook{}, err
	}
	stay := priced.home.Stays[len(priced.home.Stays)-1]
	provisions, err := h.Store.Provisions(ctx, stay.Dwelling.ID)
	if err != nil {
		return Outlook{}, err
	}
	return priced.Outlook(priced.home.Today, provisions), nil
}

// pricedSince returns the months from since to today of the home that is lived in;
// their days too where a price changes within a month, so that what was used until
// then is known. What was used in a home before this one tells nothing of this
// one's charges.
func (h *Handler) pricedSince(ctx context.Context, v premises.Viewer, since, today civil.Date) (PricedHome, error) {
	home, err := h.Reader.LivedByMonth(ctx, v, h.Now(), since, since, today.AddDays(1))
	if err != nil {
		return PricedHome{}, err
	}
	priced, err := h.Store.Priced(ctx, home)
	if err != nil || !priced.Tariffs.changeWithinMonth(since, today) {
		return priced, err
	}
	if home, err = h.Reader.Lived(ctx, v, h.Now(), since, since, today.AddDays(1)); err != nil {
		return PricedHome{}, err
	}
	return h.Store.Priced(ctx, home)
}

// note serves GET /charges/note: that of a ?month= or a ?year=, as JSON, or as a
// page where the sender accepts application/pdf.
func (h *Handler) note(c echo.Context) error {
	ctx, now := c.Request().Context(), h.Now()
	w := Writer{h.Store, h.Reader, h.Around}
	var n Note
	if year := c.QueryParam("year"); year != "" {
		january, err := civil.ParseMonth(year + "-01")
		if err != nil {
			return malformed("month.malformed", err)
		}
		if n, err = w.Yearly(ctx, viewer(c), january.Year, now); err != nil {
			return err
		}
	} else {
		month, err := civil.ParseMonth(c.QueryParam("month"))
		if err != nil {
			return malformed("month.malformed", err)
		}
		if n, err = w.Monthly(ctx, viewer(c), month, now); err != nil {
			return err
		}
	}
	c.Response().Header().Add("Vary", "Accept")
	if !strings.Contains(c.Request().Header.Get("Accept"), "application/pdf") {
		return c.JSON(http.StatusOK, n)
	}
	return h.sendPage(c, n)
}

// sendPage answers with the note as a page, with the reader's name on it where it is
// about their own home.
func (h *Handler) sendPage(c echo.Context, n Note) error {
	session, _ := accounts.Who(c)
	to := session.Person.Name
	if c.QueryParam("household") != "" {
		to = ""
	}
	page, err := n.Page(session.Person.Language, to, h.Head, civil.DateIn(h.Now(), time.UTC))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `inline; filename="note-`+n.From.String()+`.pdf"`)
	return c.Blob(http.StatusOK, "application/pdf", page)
}

// A PricedHome is a home with what its consumption costs.
type PricedHome struct {
	Tariffs  Tariffs
	home     consumption.Home
	verified func(metering.Part) bool
}

// Priced reads the tariffs of a home's residence and the checks of its meters. Of
// stays in several residences no price is known: their meters are summed, and
// prices differ.
func (s *Store) Priced(ctx context.Context, home consumption.Home) (PricedHome, error) {
	p := PricedHome{home: home}
	if len(home.Stays) == 0 {
		return p, nil
	}
	var err error
	residence := home.Stays[0].Dwelling.Residence
	elsewhere := func(stay premises.Stay) bool { return stay.Dwelling.Residence != residence }
	if !slices.ContainsFunc(home.Stays, elsewhere) {
		if p.Tariffs, err = s.Of(ctx, residence); err != nil {
			return p, err
		}
	}
	var meters []metering.MeterID
	for _, series := range home.Series {
		meters = append(meters, series.Meters()...)
	}
	slices.Sort(meters)
	p.verified, err = s.Verified(ctx, slices.Compact(meters))
	return p, err
}

// Cost explains what a kind of the home cost on the days [from, to); see
// [Tariffs.Cost].
func (p PricedHome) Cost(s consumption.Series, from, to civil.Date) metering.Explanation {
	return p.Tariffs.Cost(s, p.home.Zone, from, to, p.verified)
}
