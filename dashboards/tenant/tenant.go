// Package tenant serves the pages of a tenant: signing in, what their own home
// used, how that compares, and help that needs no meter.
package tenant

import (
	"embed"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

//go:embed templates/*.html
var templates embed.FS

// Parts are what the pages are made from.
type Parts struct {
	Site        *web.Site
	Door        *accounts.Door
	Homes       *premises.Store
	Consumption *consumption.Reader
	Checks      *check.Store
	Charges     *charges.Store // the prices; where none is known, pages show no euros
	Gestures    []tips.Gesture // that may be compared, in the order of the page
	Now         func() time.Time
}

// A Handler serves the pages.
type Handler struct{ Parts }

// New returns the handler.
func New(p Parts) *Handler { return &Handler{p} }

// Register adds the pages' routes.
func (h *Handler) Register(e *echo.Echo) {
	NewEntrance(h.Site, h.Door, h.Now).Register(e)
	anyone := accounts.Anyone(accounts.NoScope)
	e.GET("/", h.home, anyone)
	e.GET("/consommation/:month", h.month, anyone)
	e.GET("/consommation/:kind/:period", h.kind, anyone)
	e.GET("/consommation/:kind/:period"+sheetPath, h.file, anyone)
	e.GET(gesturesPath, h.gestures, anyone)
	e.GET(verifyPath, h.verify, anyone)
	e.GET(helpPath, h.help, anyone)
}
