package consumption

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A TotalsHandler serves what the homes of a residence used together, and what of
// a building is not accounted for, to the residence's managers.
type TotalsHandler struct {
	Totals *Totals
	Now    func() time.Time
}

// Register adds the routes below /api/v1.
func (h *TotalsHandler) Register(g *echo.Group) {
	manager := accounts.Staff(accounts.ConsumptionRead, accounts.Manager)
	g.GET("/residences/:id/consumption", h.totals, manager)
	g.GET("/residences/:id/balances", h.balances, manager)
}

type totalFigure struct {
	Total
	EnergyWh *metering.Amount `json:"energy_wh,omitempty"`
	VolumeML *metering.Amount `json:"volume_ml,omitempty"`
}

type groupFigures struct {
	Group
	Periods []totalFigure `json:"periods"`
}

type kindFigures struct {
	Kind    metering.Kind  `json:"kind"`
	Refused Silence        `json:"refused,omitempty"`
	Groups  []groupFigures `json:"groups"`
}

// totals serves GET /residences/{id}/consumption.
func (h *TotalsHandler) totals(c echo.Context) error {
	s, err := askedScope(c)
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	var all []KindTotals
	if s.Kind == "" {
		all, err = h.Totals.EveryKind(c.Request().Context(), session.Person.ID, s, h.Now())
	} else {
		all = make([]KindTotals, 1)
		all[0], err = h.Totals.During(c.Request().Context(), session.Person.ID, s, h.Now())
	}
	if err != nil {
		return err
	}
	kinds := []kindFigures{}
	for _, k := range all {
		kinds = append(kinds, kindFigures{k.Kind, k.Refused, figuresOf(k)})
	}
	return c.JSON(http.StatusOK, map[string]any{"from": s.From, "to": s.To, "by": s.By, "step": s.Step, "kinds": kinds})
}

func figuresOf(k KindTotals) []groupFigures {
	groups := []groupFigures{}
	for _, g := range k.Groups {
		one := groupFigures{Group: g.Group, Periods: []totalFigure{}}
		for _, p := range g.Periods {
			figure := totalFigure{Total: p}
			if p.Quality != metering.Missing { // none is not nothing
				f := newFigure(k.Kind, p.Used, p.Quality, p.Coverage)
				figure.EnergyWh, figure.VolumeML = f.EnergyWh, f.VolumeML
			}
			one.Periods = append(one.Periods, figure)
		}
		groups = append(groups, one)
	}
	return groups
}

// balances serves GET /residences/{id}/balances.
func (h *TotalsHandler) balances(c echo.Context) error {
	s, err := askedScope(c)
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	all, err := h.Totals.Balances(c.Request().Context(), session.Person.ID, s, h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"from": s.From, "to": s.To, "balances": all})
}

// askedScope reads what a query asks for: ?from=&to=, ?week= or ?year= as of a home,
// and by, step and kind.
func askedScope(c echo.Context) (s Scope, err error) {
	s = Scope{Residence: metering.SiteID(c.Param("id")), By: Level(c.QueryParam("by")), Step: Step(c.QueryParam("step"))}
	if s.By == "" {
		s.By = OfResidence
	}
	if s.Step == "" {
		s.Step = StepWhole
	}
	if !slices.Contains(Levels, s.By) || !slices.Contains(Steps, s.Step) {
		return s, malformed("range.malformed", nil)
	}
	if name := c.QueryParam("kind"); name != "" {
		if s.Kind, err = metering.ParseKind(name); err != nil {
			return s, malformed("kind.unknown", err)
		}
	}
	if c.QueryParam("week") != "" || c.QueryParam("year") != "" {
		s.From, s.To, err = askedDays(c)
		return s, err
	}
	if s.From, err = civil.ParseDate(c.QueryParam("from")); err == nil {
		s.To, err = civil.ParseDate(c.QueryParam("to"))
	}
	if err != nil {
		return s, malformed("range.malformed", err)
	}
	return s, nil
}
