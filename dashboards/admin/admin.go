// Package admin serves the page of an administrator: who works with the site,
// where, and with which programs.
package admin

import (
	"embed"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

//go:embed templates/*.html
var templates embed.FS

// path is the page's address.
const path = "/reglages"

// A Handler serves the page and its forms.
type Handler struct {
	site  *web.Site
	door  *accounts.Door
	clerk *accounts.Clerk
	told  *alerts.Writer
	now   func() time.Time
}

// New returns the handler. The clerk prints invitations, the writer letters about
// alerts.
func New(site *web.Site, door *accounts.Door, clerk *accounts.Clerk, told *alerts.Writer, now func() time.Time) *Handler {
	return &Handler{site: site, door: door, clerk: clerk, told: told, now: now}
}

// Register adds the routes. A form that was refused is answered in place; who
// then asks for its address again gets the page.
func (h *Handler) Register(e *echo.Echo) {
	g := e.Group(path, accounts.Staff(accounts.NoScope, accounts.Administrator), web.Once())
	g.GET("", h.page)
	g.GET("/*", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, path) })
	g.POST("/personnes", h.change("ajout", h.add))
	g.POST("/roles", h.change("role", h.give))
	g.POST("/roles/fin", h.change("sans-role", h.take))
	g.POST("/cles/fin", h.change("cle", h.dropToken))
	g.POST("/invitation", h.letter)
	g.POST("/lettres", h.letters)
	g.POST("/lettres/alertes", h.alertLetters)
}

// done maps what ?fait= says to a text.
var done = map[string]string{
	"ajout":     "staff.done_added",
	"role":      "staff.done_given",
	"sans-role": "staff.done_taken",
	"cle":       "staff.done_token",
}

// Sizes of the page's lists.
const (
	pageOfStaff   = 200
	pageOfTokens  = 100
	pageOfLetters = 50
)

type view struct {
	web.Chrome
	Done       string
	Fault      string
	Typed      string // the name in a form that was refused
	Members    []member
	Next       string // link to the rest of the members; empty where there is none
	Roles      []choice
	Places     []choice
	Everywhere bool // roles for every residence may be given
	Tokens     []token
	Letters    []letter
	Failed     []letter // invitations by e-mail that did not leave
	Alerts     []letter // that tell of alerts
}

type choice struct{ ID, Name string }

type member struct {
	ID    accounts.PersonID
	Name  string
	Ways  string
	Posts []post
}

type post struct {
	Role            accounts.Role
	Residence       string
	RoleName, Where string
}

type token struct {
	ID                    accounts.TokenID
	Person, Label, Scopes string
	Until, Used           string
}

type letter struct{ ID, Name, Asked string }

var settingsPage = web.MustPage[view](templates, "templates/settings.html")

// page serves GET /reglages.
func (h *Handler) page(c echo.Context) error { return h.show(c, http.StatusOK, view{}) }

// change serves the POST of a form: it does what the form asks and leads back to
// the page, or shows what is wrong.
func (h *Handler) change(done string, do func(echo.Context) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		if err := do(c); err != nil {
			return h.fault(c, err)
		}
		return c.Redirect(http.StatusSeeOther, path+"?fait="+done)
	}
}

// fieldNames are the labels of the fields that a problem may name.
var fieldNames = map[string]string{"name": "staff.name", "language": "staff.language", "role": "staff.role", "residence": "staff.where"}

// fault shows the page with what is wrong.
func (h *Handler) fault(c echo.Context, err error) error {
	p := problem.Of(err)
	if p.Kind == problem.Internal || p.Kind == problem.Unavailable {
		return err
	}
	l := web.LanguageOf(c)
	text := web.Sentence(l, p)
	if len(p.Fields) > 0 {
		text = l.T(p.Fields[0].Message, p.Fields[0].Args...)
		if key, ok := fieldNames[p.Fields[0].Name]; ok {
			text = l.T("stock.fault", l.T(key), text)
		}
	}
	return h.show(c, p.StatusCode(), view{Fault: text, Typed: c.FormValue("nom")})
}

func postOf(c echo.Context) accounts.Post {
	return accounts.Post{Role: accounts.Role(c.FormValue("role")), Residence: c.FormValue("residence")}
}

// add serves POST /reglages/personnes.
func (h *Handler) add(c echo.Context) error {
	session, _ := accounts.Who(c)
	_, err := h.door.Store.AddMember(c.Request().Context(), session.Person.ID, c.FormValue("nom"), c.FormValue("langue"), postOf(c))
	return err
}

// give serves POST /reglages/roles.
func (h *Handler) give(c echo.Context) error {
	return h.door.GiveRole(c, accounts.PersonID(c.FormValue("personne")), postOf(c))
}

// take serves POST /reglages/roles/fin.
func (h *Handler) take(c echo.Context) error {
	return h.door.TakeRole(c, accounts.PersonID(c.FormValue("personne")), postOf(c))
}

// dropToken serves POST /reglages/cles/fin.
func (h *Handler) dropToken(c echo.Context) error {
	session, _ := accounts.Who(c)
	return h.door.Store.DropStaffToken(c.Request().Context(), session.Person.ID, accounts.TokenID(c.FormValue("cle")))
}

// letter serves POST /reglages/invitation with the letter itself.
func (h *Handler) letter(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	if err := h.clerk.Letter(c, accounts.PersonID(c.FormValue("personne")), http.StatusOK); err != nil {
		return h.fault(c, err)
	}
	return nil
}

// letters serves POST /reglages/lettres with the ticked letters.
func (h *Handler) letters(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	if err := h.clerk.PrintLetters(c, form["lettre"]); err != nil {
		return h.fault(c, err)
	}
	return nil
}

// alertLetters serves POST /reglages/lettres/alertes with the ticked letters.
func (h *Handler) alertLetters(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	file, err := h.told.Print(c.Request().Context(), session.Person.ID, form["lettre"])
	if err != nil {
		return h.fault(c, err)
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="alertes.pdf"`)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.Blob(http.StatusOK, "application/pdf", file)
}

// show fills the page in.
func (h *Handler) show(c echo.Context, status int, v view) error {
	v.Chrome = h.site.Chrome(c, "staff.title")
	if key, ok := done[c.QueryParam("fait")]; ok && v.Fault == "" {
		v.Done = v.T(key)
	}
	for _, fill := range []func(echo.Context, *view) error{h.fillStaff, h.fillTokens, h.fillLetters} {
		if err := fill(c, &v); err != nil {
			return err
		}
	}
	return settingsPage.Render(c, status, v)
}
