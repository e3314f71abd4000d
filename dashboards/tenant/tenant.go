// Package tenant serves the pages of a tenant: signing in, and what their own
// home used.
package tenant

import (
	"embed"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
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
	e.GET(web.SignInPath, h.signInForm)
	e.POST(web.SignInPath, h.signIn)
	e.POST("/deconnexion", h.signOut, accounts.SignedIn)
	e.GET("/", h.home, accounts.SignedIn)
	e.GET("/consommation/:month", h.month, accounts.SignedIn)
}

type signInView struct {
	web.Chrome
	Fault string // what is wrong with the code; empty for nothing
}

var signInPage = web.MustPage[signInView](templates, "templates/signin.html")

// signInForm serves GET /connexion.
func (h *Handler) signInForm(c echo.Context) error {
	if _, ok := accounts.Who(c); ok {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return signInPage.Render(c, http.StatusOK, signInView{Chrome: h.site.Chrome(c, "signin.title")})
}

// signIn serves POST /connexion. What was typed is not shown again: the screen
// may be a shared one.
func (h *Handler) signIn(c echo.Context) error {
	err := h.door.Enter(c, c.FormValue("code"))
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	p := problem.Of(err)
	if p.Kind != problem.Invalid && p.Kind != problem.TooMany {
		return err
	}
	problem.SetRetry(c, p)
	c.Response().Header().Set("Cache-Control", "no-store")
	view := signInView{Chrome: h.site.Chrome(c, "signin.title"), Fault: web.Sentence(web.LanguageOf(c), p)}
	return signInPage.Render(c, p.StatusCode(), view)
}

// signOut serves POST /deconnexion.
func (h *Handler) signOut(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	if err := h.door.Leave(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.SignInPath)
}
