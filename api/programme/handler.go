package programme

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves the programme as JSON, and the files that are made of it.
type Handler struct {
	Store    *Store
	Printer  Printer
	Once     *resource.Once
	Now      func() time.Time
	Language func(echo.Context) string // in which texts are told, as in "fr"
}

// guards are who comes by which route.
type guards struct {
	read, write, staff, measured, anyone, once echo.MiddlewareFunc
}

func (h *Handler) guards() guards {
	return guards{
		read:     accounts.Staff(accounts.PremisesRead, Readers...),
		write:    accounts.Staff(accounts.PremisesWrite, Writers...),
		staff:    accounts.Staff(accounts.PremisesRead, Writers...),
		measured: accounts.Staff(accounts.PremisesRead, Measured...),
		anyone:   accounts.Anyone(accounts.PremisesRead),
		once:     h.Once.Middleware,
	}
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	may := h.guards()
	records[Partner](h, g, "/programme/partners", may)
	records[Convention](h, g, "/programme/conventions", may)
	records[Campaign](h, g, "/programme/campaigns", may)
	records[Survey](h, g, "/programme/surveys", may)
	records[InternetOffer](h, g, "/programme/internet-offers", may)
	records[Entry](h, g, "/programme/ledger-entries", may)
	records[Declared](h, g, "/programme/declared-figures", may)
	records[StaffTime](h, g, "/programme/staff-times", may)
	records[InsertionHours](h, g, "/programme/insertion-hours", may)
	g.GET("/programme/conventions/:id/turnaround", h.turnaround, may.measured)
	g.GET("/programme/campaigns/:id/sign-ups", h.signUps, may.read)
	g.GET("/programme/ledger", h.ledger, may.read)
	g.GET("/programme/indicators", h.indicators, may.read)
	g.GET("/programme/indicators/file", h.file, may.read)
	g.GET("/programme/queue", h.queue, may.staff)
	g.GET("/programme/queue/sheet", h.sheet, may.staff)
	g.POST("/programme/queue/:line/closing", h.closeLine, may.write, may.once)
	g.GET("/households/:id/notes", h.notes, may.staff)
	g.POST("/households/:id/notes", h.writeNote, may.write, may.once)
	g.DELETE("/programme/notes/:id", h.strikeNote, may.write)
	g.POST("/programme/notes/:id/done", h.finishNote, may.write, may.once)
	g.GET("/notes", h.seenNotes, may.anyone)
	g.GET("/households/:id/internet", h.connections, may.staff)
	g.PUT("/households/:id/internet", h.setConnection, may.write)
}

func sender(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

func residenceOf(c echo.Context) metering.SiteID { return metering.SiteID(c.QueryParam("residence")) }

// records adds the routes of one kind of record.
func records[T any, P Noun[T]](h *Handler, g *echo.Group, path string, may guards) {
	g.GET(path, func(c echo.Context) error {
		fetch := func(ctx context.Context, p resource.Page) ([]T, error) {
			return List[T, P](ctx, h.Store, sender(c), Filter{residenceOf(c), p})
		}
		return resource.AnswerPage(c, fetch, func(t T) T { return t }, func(t T) string { return P(&t).record().ID })
	}, may.read)
	g.POST(path, func(c echo.Context) error {
		sent, err := resource.Decode[sentRecord[T, P]](c)
		if err != nil {
			return err
		}
		made, err := Create[T, P](c.Request().Context(), h.Store, sender(c), sent.record)
		if err != nil {
			return err
		}
		r := P(&made).record()
		c.Response().Header().Set("Location", c.Request().URL.Path+"/"+r.ID)
		return resource.Answer(c, http.StatusCreated, r.Version, made)
	}, may.write, may.once)
	g.PUT(path+"/:id", func(c echo.Context) error {
		version, err := resource.Version(c)
		if err != nil {
			return err
		}
		sent, err := resource.Decode[sentRecord[T, P]](c)
		if err != nil {
			return err
		}
		r := P(&sent.record).record()
		r.ID, r.Version = c.Param("id"), version
		made, err := Replace[T, P](c.Request().Context(), h.Store, sender(c), sent.record)
		if err != nil {
			return err
		}
		return resource.Answer(c, http.StatusOK, P(&made).record().Version, made)
	}, may.write)
	g.DELETE(path+"/:id", func(c echo.Context) error {
		version, err := resource.Version(c)
		if err == nil {
			err = Remove[T, P](c.Request().Context(), h.Store, sender(c), c.Param("id"), version)
		}
		if err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	}, may.write)
}

// span reads ?from= and ?until=, at most 50 years; without them the last five years
// up to today.
func (h *Handler) span(c echo.Context) (from, until civil.Date, err error) {
	from, until = FiveYears(civil.DateIn(h.Now(), time.UTC))
	var wrong faults
	for name, into := range map[string]*civil.Date{"from": &from, "until": &until} {
		if text := c.QueryParam(name); text != "" {
			if *into, err = civil.ParseDate(text); err != nil {
				wrong.add(name, "field.no_date")
			}
		}
	}
	if len(wrong) == 0 {
		wrong.span(from, &until)
		if from.Year+50 < until.Year {
			wrong.add("until", "field.too_late", 50*366)
		}
	}
	return from, until, problem.OfFields(wrong)
}

// turnaround serves GET /programme/conventions/{id}/turnaround.
func (h *Handler) turnaround(c echo.Context) error {
	months, err := h.Store.Turnarounds(c.Request().Context(), sender(c), c.Param("id"), civil.DateIn(h.Now(), time.UTC))
	if err != nil {
		return err
	}
	return resource.AnswerList(c, resource.Page{Limit: len(months)}, months, func(t Turnaround) string { return t.Month.String() })
}

// signUps serves GET /programme/campaigns/{id}/sign-ups.
func (h *Handler) signUps(c echo.Context) error {
	u, err := h.Store.SignUps(c.Request().Context(), sender(c), c.Param("id"), civil.DateIn(h.Now(), time.UTC))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, u)
}

type ledgerBody struct {
	Ledger
	RevenueCents int64 `json:"revenue_cents"`
	CostCents    int64 `json:"cost_cents"`
	NetCents     int64 `json:"net_cents"`
}

// ledger serves GET /programme/ledger.
func (h *Handler) ledger(c echo.Context) error {
	from, until, err := h.span(c)
	if err != nil {
		return err
	}
	l, err := h.Store.Ledger(c.Request().Context(), sender(c), residenceOf(c), from, until)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, ledgerBody{l, l.RevenueCents(), l.CostCents(), l.RevenueCents() - l.CostCents()})
}
