// Package tenant serves the pages of a tenant: signing in, what their own home
// used, how that compares, and help that needs no meter.
package tenant

import (
	"embed"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
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
	Around      *consumption.Neighbourhood // how cold it was, and what similar homes use
	Charges     *charges.Store             // the prices; where none is known, pages show no euros
	Tips        *tips.Store
	Alerts      *alerts.Store
	Gestures    []tips.Gesture     // that may be compared, in the order of the page
	Head        charges.Letterhead // of the notes
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
	e.GET(similarPath, h.similar, anyone)
	e.GET(notePath+"/:month", h.note, anyone)
	e.GET(advicePath, h.tips, anyone)
	e.POST(advicePath+"/:id", h.answer, anyone)
	e.GET(housePath, h.house, anyone)
	e.POST(housePath, h.tellHouse, anyone)
	e.POST(awayPath, h.leave, anyone)
	e.POST(awayPath+"/:id/fin", h.comeBack, anyone)
	e.GET(casesPath, h.cases, anyone)
	e.POST(casesPath+"/:id", h.say, anyone)
	e.POST(questionPath+"/:id", h.own, anyone)
}
