// Package tenant serves the pages of a tenant: signing in, and what their own
// home used.
package tenant

import (
	"embed"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

//go:embed templates/*.html
var templates embed.FS

// A Handler serves the pages.
type Handler struct {
	site        *web.Site
	door        *accounts.Door
	homes       *premises.Store
	consumption *consumption.Reader
	now         func() time.Time
}

// New returns the handler.
func New(site *web.Site, door *accounts.Door, homes *premises.Store, reader *consumption.Reader, now func() time.Time) *Handler {
	return &Handler{site: site, door: door, homes: homes, consumption: reader, now: now}
}

// Register adds the pages' routes.
func (h *Handler) Register(e *echo.Echo) {
	NewEntrance(h.site, h.door, h.now).Register(e)
	e.GET("/", h.home, accounts.Anyone(accounts.NoScope))
	e.GET("/consommation/:month", h.month, accounts.Anyone(accounts.NoScope))
}
