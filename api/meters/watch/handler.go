package watch

import (
	"context"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves what gateways report, and incidents, as JSON.
type Handler struct {
	store *Store
	now   func() time.Time
}

// NewHandler returns the handler.
func NewHandler(s *Store, now func() time.Time) *Handler { return &Handler{store: s, now: now} }

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	read := accounts.Staff(accounts.MetersRead, meters.Readers...)
	g.GET("/equipment/gateways", h.gateways, read)
	g.GET("/equipment/meters", h.fares, read)
	g.GET("/equipment/unknown", h.strangers, read)
	g.GET("/incidents", h.incidents, read)
}

func sender(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

type gatewayJSON struct {
	ID         metering.GatewayID `json:"id"`
	Residence  metering.SiteID    `json:"residence"`
	Name       string             `json:"name"`
	Place      string             `json:"place"`
	Registered bool               `json:"registered"`
	Silent     bool               `json:"silent"`
	Online     bool               `json:"online"`
	HeardAt    string             `json:"heard_at,omitempty"`
	Program    string             `json:"program"`
	Clock      string             `json:"clock"`
	SpoolPacks int64              `json:"spool_packs"`
	SpoolAlarm bool               `json:"spool_alarm"`
	Config     string             `json:"config"`
	Fault      string             `json:"config_fault,omitempty"`
}

func (h *Handler) gateways(c echo.Context) error {
	now := h.now()
	fetch := func(ctx context.Context, page resource.Page) ([]GatewayStanding, error) {
		return h.store.Gateways(ctx, sender(c), metering.SiteID(c.QueryParam("residence")), page)
	}
	shape := func(g GatewayStanding) gatewayJSON {
		return gatewayJSON{g.ID, g.Residence, g.Name, g.Place, g.Registered, g.Silent(now), g.Online, written(g.Heard), g.Program,
			g.ClockState, g.SpoolPacks, g.SpoolAlarm, g.Config, g.Fault}
	}
	return resource.AnswerPage(c, fetch, shape, func(g gatewayJSON) string { return string(g.ID) })
}

// written is an instant as text, empty for none, so that a cell of a table is
// too.
func written(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

type fareJSON struct {
	Meter      metering.MeterID    `json:"meter"`
	Residence  metering.SiteID     `json:"residence"`
	Gateway    metering.GatewayID  `json:"gateway"`
	Serial     string              `json:"serial"`
	Kind       metering.Kind       `json:"kind"`
	Standing   Standing            `json:"standing"`
	Since      string              `json:"since,omitempty"`
	LastGoodAt string              `json:"last_good_at,omitempty"`
	Check      check.State         `json:"check"`
	Point      metering.PointID    `json:"point,omitempty"`
	Dwelling   premises.DwellingID `json:"dwelling,omitempty"`
	Building   string              `json:"building,omitempty"`
	Staircase  string              `json:"staircase,omitempty"`
	Label      string              `json:"label,omitempty"`
}

func (h *Handler) fares(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	f := FareFilter{Residence: metering.SiteID(c.QueryParam("residence")), Gateway: metering.GatewayID(c.QueryParam("gateway")),
		Standing: Standing(c.QueryParam("standing")), Check: check.State(c.QueryParam("check"))}
	var faults []problem.Field
	if f.Standing != "" && !slices.Contains(Standings, f.Standing) {
		faults = append(faults, problem.Field{Name: "standing", Message: "field.malformed"})
	}
	if f.Check != "" && !slices.Contains(check.States, f.Check) {
		faults = append(faults, problem.Field{Name: "check", Message: "field.malformed"})
	}
	if err := problem.OfFields(faults); err != nil {
		return err
	}
	all, err := h.store.Fares(c.Request().Context(), sender(c), f, h.now(), page)
	if err != nil {
		return err
	}
	items := make([]fareJSON, len(all))
	for i, m := range all {
		items[i] = fareJSON{m.Meter, m.Residence, m.Gateway, m.Serial, m.Kind, m.Standing, written(m.Since), written(m.LastGood), m.Check,
			m.Point, m.Dwelling, m.Building, m.Staircase, m.Label}
	}
	return resource.AnswerList(c, page, items, func(m fareJSON) string { return string(m.Meter) })
}

type strangerJSON struct {
	Residence  metering.SiteID    `json:"residence"`
	Gateway    metering.GatewayID `json:"gateway"`
	Meter      metering.MeterID   `json:"meter"`
	Serial     string             `json:"serial"`
	Kind       metering.Kind      `json:"kind"`
	LastGoodAt string             `json:"last_good_at,omitempty"`
}

func (h *Handler) strangers(c echo.Context) error {
	fetch := func(ctx context.Context, page resource.Page) ([]Stranger, error) {
		return h.store.Strangers(ctx, sender(c), metering.SiteID(c.QueryParam("residence")), "", page)
	}
	shape := func(s Stranger) strangerJSON {
		return strangerJSON{s.Residence, s.Gateway, s.Meter, s.Serial, s.Kind, written(s.LastGood)}
	}
	return resource.AnswerPage(c, fetch, shape, func(s strangerJSON) string { return string(s.Gateway) + "/" + string(s.Meter) })
}

type incidentJSON struct {
	ID        string             `json:"id"`
	Residence metering.SiteID    `json:"residence"`
	Kind      IncidentKind       `json:"kind"`
	Gateway   metering.GatewayID `json:"gateway"`
	Meter     metering.MeterID   `json:"meter,omitempty"`
	From      string             `json:"from"`
	To        string             `json:"to,omitempty"`
}

func (h *Handler) incidents(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	f := IncidentFilter{Residence: metering.SiteID(c.QueryParam("residence"))}
	switch c.QueryParam("open") {
	case "", "false":
	case "true":
		f.Open = true
	default:
		return problem.OfFields([]problem.Field{{Name: "open", Message: "field.malformed"}})
	}
	all, err := h.store.Incidents(c.Request().Context(), sender(c), f, page)
	if err != nil {
		return err
	}
	items := make([]incidentJSON, len(all))
	for i, in := range all {
		items[i] = incidentJSON{in.ID, in.Residence, in.Kind, in.Gateway, in.Meter, written(in.From), written(in.To)}
	}
	return resource.AnswerList(c, page, items, func(i incidentJSON) string { return i.ID })
}
