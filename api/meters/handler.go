package meters

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves gateways, points, meters and where they hang as JSON.
type Handler struct {
	store   *Store
	replace Replacer
	once    *resource.Once
	now     func() time.Time
}

// A Replacer replaces a meter, as [Store.Replace] does, or says why it doubts.
type Replacer func(context.Context, accounts.PersonID, Replacement) (Meter, error)

// NewHandler returns the handler.
func NewHandler(s *Store, replace Replacer, once *resource.Once, now func() time.Time) *Handler {
	return &Handler{store: s, replace: replace, once: once, now: now}
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	read := accounts.Staff(accounts.MetersRead, Readers...)
	write := accounts.Staff(accounts.MetersWrite, Writers...)
	g.GET("/gateways", h.listGateways, read)
	g.POST("/gateways", h.createGateway, write, h.once.Middleware)
	g.GET("/gateways/:id", h.gateway, read)
	g.PUT("/gateways/:id", h.updateGateway, write)
	g.GET("/points", h.listPoints, read)
	g.POST("/points", h.createPoint, write, h.once.Middleware)
	g.GET("/points/:id", h.point, read)
	g.GET("/meters", h.listMeters, read)
	g.POST("/meters", h.createMeter, write, h.once.Middleware)
	g.GET("/meters/:id", h.meter, read)
	g.PUT("/meters/:id", h.updateMeter, write)
	g.POST("/meters/:id/binding", h.hang, write, h.once.Middleware)
	g.POST("/meters/:id/removal", h.takeDown, write, h.once.Middleware)
	g.POST("/meters/:id/replacement", h.replaceMeter, write, h.once.Middleware)
}

// sender is who asks; the route's guard has let them by.
func sender(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

func (h *Handler) listGateways(c echo.Context) error {
	fetch := func(ctx context.Context, page resource.Page) ([]Gateway, error) {
		return h.store.Gateways(ctx, sender(c), metering.SiteID(c.QueryParam("residence")), page)
	}
	return resource.AnswerPage(c, fetch, listedGatewayOf, func(g listedGateway) string { return string(g.ID) })
}

func (h *Handler) gateway(c echo.Context) error {
	g, err := h.store.GatewayByID(c.Request().Context(), sender(c), metering.GatewayID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, g.Version, gatewayOf(g))
}

func (h *Handler) createGateway(c echo.Context) error {
	sent, err := resource.Decode[newGateway](c)
	if err != nil {
		return err
	}
	g := sent.gateway(sent.ID, sent.Residence, 1)
	if err := h.store.CreateGateway(c.Request().Context(), sender(c), g); err != nil {
		return err
	}
	return h.created(c, "/gateways/"+string(g.ID), 1, gatewayOf(g))
}

func (h *Handler) updateGateway(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[gatewayChange](c)
	if err != nil {
		return err
	}
	g := sent.gateway(metering.GatewayID(c.Param("id")), "", version)
	if err := h.store.UpdateGateway(c.Request().Context(), sender(c), g); err != nil {
		return err
	}
	return h.gateway(c)
}

// created answers with what was made and where it is.
func (h *Handler) created(c echo.Context, path string, version int64, body any) error {
	c.Response().Header().Set("Location", "/api/v1"+path)
	return resource.Answer(c, http.StatusCreated, version, body)
}

func (h *Handler) listPoints(c echo.Context) error {
	f := PointFilter{Residence: metering.SiteID(c.QueryParam("residence")), Dwelling: premises.DwellingID(c.QueryParam("dwelling"))}
	fetch := func(ctx context.Context, page resource.Page) ([]Spot, error) {
		return h.store.Points(ctx, sender(c), f, page)
	}
	return resource.AnswerPage(c, fetch, spotOf, func(p spotJSON) string { return string(p.ID) })
}

func (h *Handler) point(c echo.Context) error {
	p, err := h.store.PointByID(c.Request().Context(), sender(c), metering.PointID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, p.Version, spotOf(p))
}

func (h *Handler) createPoint(c echo.Context) error {
	sent, err := resource.Decode[newPoint](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := h.store.CreatePoint(ctx, sender(c), sent.point()); err != nil {
		return err
	}
	p, err := h.store.PointByID(ctx, sender(c), sent.ID)
	if err != nil {
		return err
	}
	return h.created(c, "/points/"+string(p.ID), p.Version, spotOf(p))
}

func (h *Handler) listMeters(c echo.Context) error {
	f := MeterFilter{Residence: metering.SiteID(c.QueryParam("residence")), Gateway: metering.GatewayID(c.QueryParam("gateway")), Serial: c.QueryParam("serial")}
	fetch := func(ctx context.Context, page resource.Page) ([]Equipment, error) {
		return h.store.Meters(ctx, sender(c), f, page)
	}
	return resource.AnswerPage(c, fetch, meterOf, func(m meterJSON) string { return string(m.ID) })
}

func (h *Handler) meter(c echo.Context) error { return h.answerMeter(c, http.StatusOK) }

func (h *Handler) answerMeter(c echo.Context, status int) error {
	m, err := h.store.MeterByID(c.Request().Context(), sender(c), metering.MeterID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, status, m.Version, meterOf(m))
}

func (h *Handler) createMeter(c echo.Context) error {
	sent, err := resource.Decode[newMeter](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := h.store.CreateMeter(ctx, sender(c), sent.meter(Meter{ID: sent.ID, Kind: metering.Kind(sent.Kind)}, 1)); err != nil {
		return err
	}
	m, err := h.store.MeterByID(ctx, sender(c), sent.ID)
	if err != nil {
		return err
	}
	return h.created(c, "/meters/"+string(m.ID), m.Version, meterOf(m))
}

func (h *Handler) updateMeter(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[meterChange](c)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), metering.MeterID(c.Param("id"))
	before, err := h.store.WritableMeter(ctx, sender(c), id)
	if err != nil {
		return err
	}
	if fault := sent.checkIndexes(before.Kind); fault != nil {
		return fault
	}
	if err := h.store.UpdateMeter(ctx, sender(c), sent.meter(before.Meter, version)); err != nil {
		return err
	}
	return h.meter(c)
}

func (h *Handler) hang(c echo.Context) error {
	sent, err := resource.Decode[newBinding](c)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), metering.MeterID(c.Param("id"))
	m, err := h.store.WritableMeter(ctx, sender(c), id)
	if err != nil {
		return err
	}
	at, err := instantOf("from", sent.From, h.now())
	if err != nil {
		return err
	}
	first, err := sent.First.amount("first", m.Meter)
	if err != nil {
		return err
	}
	if err := h.store.Hang(ctx, sender(c), Binding{Meter: id, Point: sent.Point, From: at, FirstIndex: &first}); err != nil {
		return err
	}
	return h.answerMeter(c, http.StatusCreated)
}

func (h *Handler) takeDown(c echo.Context) error {
	sent, err := resource.Decode[removal](c)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), metering.MeterID(c.Param("id"))
	m, err := h.store.WritableMeter(ctx, sender(c), id)
	if err != nil {
		return err
	}
	at, err := instantOf("at", sent.At, h.now())
	if err != nil {
		return err
	}
	last, err := sent.Last.amount("last", m.Meter)
	if err != nil {
		return err
	}
	if err := h.store.TakeDown(ctx, sender(c), id, at, last); err != nil {
		return err
	}
	return h.answerMeter(c, http.StatusOK)
}

func (h *Handler) replaceMeter(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[replacement](c)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), metering.MeterID(c.Param("id"))
	old, err := h.store.WritableMeter(ctx, sender(c), id)
	if err != nil {
		return err
	}
	r, err := sent.replacement(old.Meter, version, h.now())
	if err != nil {
		return err
	}
	next, err := h.replace(ctx, sender(c), r)
	if err != nil {
		return err
	}
	m, err := h.store.MeterByID(ctx, sender(c), next.ID)
	if err != nil {
		return err
	}
	return h.created(c, "/meters/"+string(m.ID), m.Version, meterOf(m))
}

// Limits of an instant that somebody sends: how far it may lie behind, and how
// far their clock may be ahead.
const (
	earliestBehind = 10 * 366 * 24 * time.Hour
	clockAhead     = 5 * time.Minute
)

// instantOf reads an instant of the past, now where it is empty.
func instantOf(name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now.UTC().Truncate(time.Millisecond), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, problem.OfFields([]problem.Field{{Name: name, Message: "field.no_date"}})
	}
	if at.After(now.Add(clockAhead)) || at.Before(now.Add(-earliestBehind)) {
		return time.Time{}, problem.OfFields([]problem.Field{{Name: name, Message: "equipment.instant"}})
	}
	return at.UTC().Truncate(time.Millisecond), nil
}
