package charges

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves tariffs and provisions to the landlord's managers, and to
// households what their own home costs.
type Handler struct {
	Store  *Store
	Reader *consumption.Reader
	Around *consumption.Neighbourhood
	Once   *resource.Once
	Head   Letterhead // of notes
	Now    func() time.Time
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	read := accounts.Staff(accounts.PremisesRead, accounts.Advisor, accounts.Manager, accounts.Administrator)
	write := accounts.Staff(accounts.PremisesWrite, accounts.Manager, accounts.Administrator)
	g.GET("/tariffs", h.tariffs, read)
	g.POST("/tariffs", h.create, write, h.Once.Middleware)
	g.GET("/tariffs/:id", h.tariff, read)
	g.PATCH("/tariffs/:id", h.update, write)
	g.DELETE("/tariffs/:id", h.remove, write)
	g.GET("/dwellings/:id/provisions", h.provisions, read)
	g.PUT("/dwellings/:id/provisions/:from", h.setProvision, write)
	g.DELETE("/dwellings/:id/provisions/:from", h.removeProvision, write)
	h.registerHome(g)
}

func sender(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

type tariffBody struct {
	ID        TariffID        `json:"id"`
	Residence metering.SiteID `json:"residence"`
	Kind      metering.Kind   `json:"kind"`
	From      civil.Date      `json:"from"`
	Until     *civil.Date     `json:"until,omitempty"`
	Bill      metering.Bill   `json:"bill"`
	Fixed     int64           `json:"fixed_monthly_cents"`
	MicroEUR  int64           `json:"price_micro_eur"`
	Per       string          `json:"per"`
	Heat      int64           `json:"heat_micro_eur"`
	WhPerM3   int64           `json:"wh_per_m3"`
	Percent   int             `json:"individual_percent"`
	Source    string          `json:"source"`
	Version   int64           `json:"version"`
}

func bodyOf(t Tariff) tariffBody {
	b := tariffBody{t.ID, t.Residence, t.Kind, t.From, nil, t.Bill, t.FixedMonthlyCents, t.MicroEUR, t.Per,
		t.HeatMicroEUR, t.WhPerM3, t.IndividualPercent, t.Source, t.Version}
	if !t.Until.IsZero() {
		b.Until = &t.Until
	}
	return b
}

// tariffs serves GET /tariffs.
func (h *Handler) tariffs(c echo.Context) error {
	residence := c.QueryParam("residence")
	fetch := func(ctx context.Context, p resource.Page) ([]Tariff, error) {
		return h.Store.List(ctx, sender(c), metering.SiteID(residence), p)
	}
	return resource.AnswerPage(c, fetch, bodyOf, func(b tariffBody) string { return string(b.ID) })
}

// tariff serves GET /tariffs/{id}.
func (h *Handler) tariff(c echo.Context) error {
	t, err := h.Store.ByID(c.Request().Context(), sender(c), TariffID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, t.Version, bodyOf(t))
}

// A tariffChange is what is sent of a new tariff or of one that changes.
type tariffChange struct {
	Residence *metering.SiteID `json:"residence"` // of a new one
	Kind      *string          `json:"kind"`      // of a new one
	From      *string          `json:"from"`
	Until     *string          `json:"until"` // empty for one that lasts
	Bill      *metering.Bill   `json:"bill"`
	Fixed     *int64           `json:"fixed_monthly_cents"`
	MicroEUR  *int64           `json:"price_micro_eur"`
	Per       *string          `json:"per"`
	Heat      *int64           `json:"heat_micro_eur"`
	WhPerM3   *int64           `json:"wh_per_m3"`
	Percent   *int             `json:"individual_percent"`
	Source    *string          `json:"source"`
}

// Check implements [resource.Checked]: what is wrong depends on what is changed.
func (n *tariffChange) Check() []problem.Field { return nil }

// apply changes the tariff and returns what is wrong with it then.
func (n *tariffChange) apply(t *Tariff) []problem.Field {
	var wrong faults
	day := func(name string, sent *string, into *civil.Date) {
		if sent == nil {
			return
		}
		*into = civil.Date{}
		if *sent == "" {
			return
		}
		var err error
		if *into, err = civil.ParseDate(*sent); err != nil {
			wrong.add(name, "field.no_date")
		}
	}
	day("from", n.From, &t.From)
	day("until", n.Until, &t.Until)
	put(&t.Bill, n.Bill)
	put(&t.FixedMonthlyCents, n.Fixed)
	put(&t.MicroEUR, n.MicroEUR)
	put(&t.Per, n.Per)
	put(&t.HeatMicroEUR, n.Heat)
	put(&t.WhPerM3, n.WhPerM3)
	put(&t.IndividualPercent, n.Percent)
	if n.Source != nil {
		t.Source = strings.TrimSpace(*n.Source)
	}
	return wrong
}

// put changes into where something was sent.
func put[T any](into *T, sent *T) {
	if sent != nil {
		*into = *sent
	}
}

// create serves POST /tariffs.
func (h *Handler) create(c echo.Context) error {
	sent, err := resource.Decode[tariffChange](c)
	if err != nil {
		return err
	}
	t := Tariff{Bill: metering.Charges, IndividualPercent: wholePercent}
	put(&t.Residence, sent.Residence)
	put((*string)(&t.Kind), sent.Kind)
	t.Per = UsualUnit(t.Kind)
	wrong := faults(sent.apply(&t))
	for name, given := range map[string]bool{"residence": t.Residence != "", "price_micro_eur": sent.MicroEUR != nil} {
		if !given {
			wrong.add(name, "field.missing")
		}
	}
	wrong = append(wrong, t.Faults(h.today())...)
	if sent.Percent == nil {
		t.IndividualPercent = UsualShare
	}
	if err := problem.OfFields(wrong); err != nil {
		return err
	}
	made, err := h.Store.Create(c.Request().Context(), sender(c), t)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/tariffs/"+url.PathEscape(string(made.ID)))
	return resource.Answer(c, http.StatusCreated, made.Version, bodyOf(made))
}

// update serves PATCH /tariffs/{id}.
func (h *Handler) update(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[tariffChange](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	t, err := h.Store.ByID(ctx, sender(c), TariffID(c.Param("id")))
	if err != nil {
		return err
	}
	wrong := faults(sent.apply(&t))
	for name, fixed := range map[string]bool{"residence": sent.Residence != nil, "kind": sent.Kind != nil} {
		if fixed {
			wrong.add(name, "field.fixed")
		}
	}
	if err := problem.OfFields(append(wrong, t.Faults(h.today())...)); err != nil {
		return err
	}
	t.Version = version
	if err := h.Store.Update(ctx, sender(c), t); err != nil {
		return err
	}
	t.Version++
	return resource.Answer(c, http.StatusOK, t.Version, bodyOf(t))
}

// remove serves DELETE /tariffs/{id}.
func (h *Handler) remove(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	if err := h.Store.Remove(c.Request().Context(), sender(c), TariffID(c.Param("id")), version); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
