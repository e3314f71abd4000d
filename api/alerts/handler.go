package alerts

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves cases as JSON: to households their own, to staff open ones.
type Handler struct {
	Store *Store
	Homes *premises.Store // writes down who of the staff looked
	Now   func() time.Time
	Say   func(language, key string, args ...any) string
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	staff := accounts.Staff(accounts.NoScope, accounts.Advisor, accounts.Manager, accounts.Administrator)
	g.GET("/alerts", h.mine, accounts.Anyone(accounts.ConsumptionRead))
	g.POST("/alerts/:id/steps", h.say, accounts.Anyone(accounts.NoScope))
	g.GET("/households/:id/alerts", h.household, accounts.Staff(accounts.NoScope, accounts.Advisor))
	g.GET("/leaks", h.desk, staff)
	g.POST("/leaks/:id/steps", h.sayFor, staff)
}

func sender(c echo.Context) accounts.Person {
	session, _ := accounts.Who(c)
	return session.Person
}

func viewer(c echo.Context) premises.Viewer {
	return premises.Viewer{Person: sender(c).ID, Household: premises.HouseholdID(c.QueryParam("household"))}
}

// Steps do not say who made them: a person's id is nobody else's business.
type stepJSON struct {
	State State     `json:"state"`
	At    time.Time `json:"at"`
}

type caseJSON struct {
	ID      CaseID           `json:"id"`
	Subject Subject          `json:"subject"`
	Point   metering.PointID `json:"point,omitempty"`
	State   State            `json:"state"`
	Open    bool             `json:"open"`
	Finding Finding          `json:"finding"`
	// LostLeastML and LostMostML ran away until the last night, in mL; of water.
	LostLeastML metering.Amount `json:"lost_least_ml"`
	LostMostML  metering.Amount `json:"lost_most_ml"`
	Steps       []stepJSON      `json:"steps"`
	Version     int64           `json:"version"`
}

func (k Kept) json() caseJSON {
	least, most := k.Finding.Lost(k.Finding.Last)
	return caseJSON{ID: k.ID, Subject: k.Cause.Subject, Point: k.Cause.Point, State: k.State, Open: !k.State.Over(), Finding: k.Finding,
		LostLeastML: least, LostMostML: most, Version: k.Version,
		Steps: resource.Mapped(k.Steps, func(s Step) stepJSON { return stepJSON{s.State, s.At.UTC()} })}
}

type unjudgedJSON struct {
	Unjudged
	Text string `json:"text"`
}

// mine serves GET /alerts.
func (h *Handler) mine(c echo.Context) error {
	ctx, v := c.Request().Context(), viewer(c)
	if _, err := h.Homes.Seen(ctx, v, h.Now()); err != nil {
		return err
	}
	all, err := h.Store.Mine(ctx, v, h.Now())
	if err != nil {
		return err
	}
	unjudged, err := h.Store.Unjudged(ctx, v, h.Now())
	if err != nil {
		return err
	}
	texts := resource.Mapped(unjudged, func(u Unjudged) unjudgedJSON { return unjudgedJSON{u, h.Say(sender(c).Language, u.Reason)} })
	return c.JSON(http.StatusOK, map[string]any{"cases": resource.Mapped(all, Kept.json), "unjudged": texts})
}

type saidBody struct {
	Step Said `json:"step"`
}

// Check implements [resource.Checked].
func (b *saidBody) Check() []problem.Field {
	if !slices.Contains(AllSaid, b.Step) {
		return []problem.Field{{Name: "step", Message: "field.not_one_of", Args: []any{"confirm, repaired, not_a_leak"}}}
	}
	return nil
}

// word reads which version is meant and what is said of it.
func word(c echo.Context) (int64, Said, error) {
	version, err := resource.Version(c)
	if err != nil {
		return 0, "", err
	}
	sent, err := resource.Decode[saidBody](c)
	return version, sent.Step, err
}

// say serves POST /alerts/{id}/steps.
func (h *Handler) say(c echo.Context) error {
	version, said, err := word(c)
	if err != nil {
		return err
	}
	ctx, v, id := c.Request().Context(), viewer(c), CaseID(c.Param("id"))
	if err := h.Store.Say(ctx, v, h.Now(), id, version, said); err != nil {
		return err
	}
	k, err := h.Store.ByID(ctx, v, h.Now(), id)
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, k.Version, k.json())
}

// household serves GET /households/{id}/alerts, and writes the look down.
func (h *Handler) household(c echo.Context) error {
	ctx, id := c.Request().Context(), premises.HouseholdID(c.Param("id"))
	open, err := h.Store.OpenFor(ctx, sender(c).ID, id, h.Now())
	if err != nil {
		return err
	}
	if err := h.Homes.Look(ctx, premises.Look{At: h.Now(), Staff: sender(c).ID, Household: id, What: premises.LookedAtUse}); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"cases": resource.Mapped(open, Kept.json)})
}

type leakJSON struct {
	ID          CaseID              `json:"id"`
	Residence   metering.SiteID     `json:"residence"`
	Dwelling    premises.DwellingID `json:"dwelling"`
	Building    string              `json:"building"`
	Staircase   string              `json:"staircase"`
	Label       string              `json:"label"`
	Kind        metering.Kind       `json:"kind"`
	Class       Class               `json:"class"`
	LowMLPerH   metering.Amount     `json:"low_ml_per_hour"`
	HighMLPerH  metering.Amount     `json:"high_ml_per_hour"`
	Since       string              `json:"since"`
	Nights      int                 `json:"nights"`
	LostLeastML metering.Amount     `json:"lost_least_ml"`
	LostMostML  metering.Amount     `json:"lost_most_ml"`
	State       State               `json:"state"`
	ToldAt      string              `json:"told_at,omitempty"`
	Version     int64               `json:"version"`
}

func (l OpenLeak) json() leakJSON {
	least, most := l.Finding.Lost(l.Finding.Last)
	j := leakJSON{ID: l.ID, Residence: l.Residence, Dwelling: l.Dwelling.ID, Building: l.Dwelling.Building, Staircase: l.Dwelling.Staircase,
		Label: l.Dwelling.Label, Kind: l.Kind, Class: l.Finding.Class, LowMLPerH: l.Finding.Flow.Low, HighMLPerH: l.Finding.Flow.High,
		Since: l.Finding.Since.Latest.UTC().Format(time.RFC3339), Nights: l.Finding.Nights, LostLeastML: least, LostMostML: most,
		State: l.State, Version: l.Version}
	if !l.ToldAt.IsZero() {
		j.ToldAt = l.ToldAt.UTC().Format(time.RFC3339)
	}
	return j
}

// desk serves GET /leaks.
func (h *Handler) desk(c echo.Context) error {
	fetch := func(ctx context.Context, p resource.Page) ([]OpenLeak, error) {
		return h.Store.Desk(ctx, sender(c).ID, metering.SiteID(c.QueryParam("residence")), p)
	}
	return resource.AnswerPage(c, fetch, OpenLeak.json, func(l leakJSON) string { return string(l.ID) })
}

// sayFor serves POST /leaks/{id}/steps.
func (h *Handler) sayFor(c echo.Context) error {
	version, said, err := word(c)
	if err != nil {
		return err
	}
	l, err := h.Store.SayFor(c.Request().Context(), sender(c).ID, h.Now(), CaseID(c.Param("id")), version, said)
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, l.Version, l.json())
}
