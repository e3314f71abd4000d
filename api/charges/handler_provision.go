package charges

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type provisionBody struct {
	From         civil.Date `json:"from"`
	MonthlyCents int64      `json:"monthly_cents"`
}

// provisions serves GET /dwellings/{id}/provisions.
func (h *Handler) provisions(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	all, err := h.Store.ProvisionsFor(c.Request().Context(), sender(c), premises.DwellingID(c.Param("id")))
	if err != nil {
		return err
	}
	items := resource.Mapped(all, func(p Provision) provisionBody { return provisionBody{p.From, p.MonthlyCents} })
	page.Limit = max(page.Limit, len(items)) // few: a change a year
	return resource.AnswerList(c, page, items, func(p provisionBody) string { return p.From.String() })
}

type sentProvision struct {
	MonthlyCents *int64 `json:"monthly_cents"`
}

// Check implements [resource.Checked].
func (p *sentProvision) Check() []problem.Field {
	var f faults
	if p.MonthlyCents == nil {
		f.add("monthly_cents", "field.missing")
	} else {
		f.number("monthly_cents", *p.MonthlyCents, 0, MostProvisionCents)
	}
	return f
}

// setProvision serves PUT /dwellings/{id}/provisions/{from}.
func (h *Handler) setProvision(c echo.Context) error {
	sent, err := resource.Decode[sentProvision](c)
	if err != nil {
		return err
	}
	from, err := civil.ParseDate(c.Param("from"))
	if err != nil {
		return problem.OfFields([]problem.Field{{Name: "from", Message: "field.no_date"}})
	}
	if fault, wrong := DateFault("from", from, h.today()); wrong {
		return problem.OfFields([]problem.Field{fault})
	}
	p := Provision{Dwelling: premises.DwellingID(c.Param("id")), From: from, MonthlyCents: *sent.MonthlyCents}
	if err := h.Store.SetProvision(c.Request().Context(), sender(c), p); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, provisionBody{p.From, p.MonthlyCents})
}

// removeProvision serves DELETE /dwellings/{id}/provisions/{from}.
func (h *Handler) removeProvision(c echo.Context) error {
	from, err := civil.ParseDate(c.Param("from"))
	if err != nil {
		return problem.OfFields([]problem.Field{{Name: "from", Message: "field.no_date"}})
	}
	if err := h.Store.RemoveProvision(c.Request().Context(), sender(c), premises.DwellingID(c.Param("id")), from); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// today is the date by which what is sent is judged; a day more or less decides
// nothing of limits of years.
func (h *Handler) today() civil.Date { return civil.DateIn(h.Now(), time.UTC) }
