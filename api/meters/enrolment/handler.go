package enrolment

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Reach is how gateways come to the broker, and whose signature they are to
// believe.
type Reach struct {
	URL string // as in "ssl://roseraie.example:8883"
	// Authority holds the certificates (PEM) that may vouch for the broker; empty
	// means the system's.
	Authority string
	// Pages is the address of the API as a gateway reaches it, as in
	// "https://roseraie.example".
	Pages string
	// ConfigKey is the public key, in base64, of the configurations that count;
	// empty means that none comes from afar.
	ConfigKey string
}

// A Handler serves enrolment as JSON.
type Handler struct {
	Store    *Store
	Reach    Reach
	Throttle *accounts.Throttle // of codes that are tried
	Now      func() time.Time
}

// Register adds the routes below /api/v1. The second is for who has nothing but a
// code.
func (h *Handler) Register(g *echo.Group) {
	g.POST("/gateways/:id/enrolment", h.offer, accounts.Staff(accounts.MetersWrite, meters.Writers...))
	g.POST("/gateway-enrolments", h.redeem)
}

// Possible reports whether it was set up how gateways come to the broker.
func (h *Handler) Possible() bool { return h.Reach.URL != "" }

var errNotSetUp = &problem.Error{Kind: problem.Conflict, Message: "enrolment.not_set_up"}

// Offer makes a code for the gateway that the request's path names, for who sends
// it; see [Store.Offer]. The answer must not be kept by anybody.
func (h *Handler) Offer(c echo.Context) (Offer, error) {
	if !h.Possible() {
		return Offer{}, errNotSetUp
	}
	session, _ := accounts.Who(c)
	c.Response().Header().Set("Cache-Control", "no-store")
	return h.Store.Offer(c.Request().Context(), session.Person.ID, metering.GatewayID(c.Param("id")), h.Now())
}

type offerJSON struct {
	Code  Code      `json:"code"`
	Until time.Time `json:"until"`
}

func (h *Handler) offer(c echo.Context) error {
	o, err := h.Offer(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, offerJSON{o.Code, o.Until.UTC()})
}

type sentCode struct {
	Code Code `json:"code"`
}

// Check implements resource.Checked.
func (s *sentCode) Check() []problem.Field {
	if strings.TrimSpace(string(s.Code)) == "" {
		return []problem.Field{{Name: "code", Message: "field.missing"}}
	}
	if len(s.Code) > 100 {
		return []problem.Field{{Name: "code", Message: "field.too_long", Args: []any{100}}}
	}
	return nil
}

type accessJSON struct {
	Site      metering.SiteID    `json:"site"`
	Gateway   metering.GatewayID `json:"gateway"`
	Zone      string             `json:"zone"`
	Broker    brokerJSON         `json:"broker"`
	ConfigKey string             `json:"config_key,omitempty"`
}

type brokerJSON struct {
	URL       string `json:"url"`
	Username  string `json:"username"`
	Password  string `json:"password"`
	Authority string `json:"authority,omitempty"`
}

func (h *Handler) redeem(c echo.Context) error {
	if !h.Possible() {
		return errNotSetUp
	}
	sent, err := resource.Decode[sentCode](c)
	if err != nil {
		return err
	}
	now, address := h.Now(), c.RealIP()
	if wait := h.Throttle.Admit(address, now); wait > 0 {
		return &problem.Error{Kind: problem.TooMany, Message: "signin.too_many", Retry: wait}
	}
	a, err := h.Store.Redeem(c.Request().Context(), sent.Code, now)
	if errors.Is(err, ErrCode) {
		return problem.OfFields([]problem.Field{{Name: "code", Message: "enrolment.code_wrong"}})
	}
	h.Throttle.Forgive(address, now)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, accessJSON{Site: a.Source.Site, Gateway: a.Source.Gateway, Zone: a.Zone, ConfigKey: h.Reach.ConfigKey,
		Broker: brokerJSON{URL: h.Reach.URL, Username: a.Username, Password: a.Password, Authority: h.Reach.Authority}})
}
