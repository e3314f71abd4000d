package configuration

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves configurations as JSON.
type Handler struct {
	store *Store
	now   func() time.Time
}

// NewHandler returns the handler.
func NewHandler(s *Store, now func() time.Time) *Handler { return &Handler{store: s, now: now} }

// Register adds the routes below /api/v1. The document bears start indexes, which
// a manager does not see.
func (h *Handler) Register(g *echo.Group) {
	g.GET("/gateways/:id/configuration", h.status, accounts.Staff(accounts.MetersRead, meters.Writers...))
	g.PUT("/gateways/:id/configuration", h.publish, accounts.Staff(accounts.MetersWrite, meters.Writers...))
}

type statusJSON struct {
	Gateway metering.GatewayID `json:"gateway"`
	// Digest names the document; publishing says which one is meant.
	Digest   string             `json:"digest"`
	Document string             `json:"document"`
	Fault    string             `json:"fault,omitempty"`
	Left     []metering.MeterID `json:"left_out,omitempty"`
	// Published is the last version, absent where there is none; Applied is what
	// the gateway reports.
	Published   string     `json:"published,omitempty"`
	PublishedAt *time.Time `json:"published_at,omitempty"`
	Same        bool       `json:"same"`
	Pending     bool       `json:"pending"`
	Applied     string     `json:"applied"`
	Refusal     string     `json:"refusal,omitempty"`
}

func (h *Handler) status(c echo.Context) error { return h.answer(c, http.StatusOK) }

func (h *Handler) answer(c echo.Context, status int) error {
	session, _ := accounts.Who(c)
	s, err := h.store.Status(c.Request().Context(), session.Person.ID, metering.GatewayID(c.Param("id")))
	if err != nil {
		return err
	}
	made := statusJSON{Gateway: s.Gateway.ID, Digest: s.Draft.Digest(), Document: s.Draft.Document, Fault: s.Draft.Fault, Left: s.Draft.Left,
		Same: s.Same, Pending: s.Pending(), Applied: s.Applied, Refusal: s.Refusal}
	if s.Published > 0 {
		made.Published, made.PublishedAt = strconv.FormatInt(s.Published, 10), &s.PublishedAt
	}
	return c.JSON(status, made)
}

type wanted struct {
	Digest string `json:"digest"`
}

// Check implements resource.Checked.
func (w *wanted) Check() []problem.Field {
	if w.Digest == "" {
		return []problem.Field{{Name: "digest", Message: "field.missing"}}
	}
	return nil
}

// publish is idempotent: the same document is published once.
func (h *Handler) publish(c echo.Context) error {
	sent, err := resource.Decode[wanted](c)
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	_, fresh, err := h.store.Publish(c.Request().Context(), session.Person.ID, metering.GatewayID(c.Param("id")), sent.Digest, h.now())
	switch {
	case err != nil:
		return err
	case fresh:
		return h.answer(c, http.StatusCreated)
	default:
		return h.answer(c, http.StatusOK)
	}
}
