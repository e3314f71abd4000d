// Package workshop serves the pages of who refurbishes, sells and repairs the
// programme's computers: the registration check first, then intake, wipes, tests,
// stock, sales, repairs by clock, labels and the statement of the month. They show
// machines and tickets, never consumption, and a household only while a repair of
// its machine is open, or to who sells.
package workshop

import (
	"embed"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

//go:embed templates/*.html
var templates embed.FS

// Path is where the pages begin.
const Path = "/atelier"

// Parts are what the pages ask; all are required.
type Parts struct {
	Site     *web.Site
	Machines *computers.Store
	Homes    *premises.Store
	Sender   []string // who writes papers, at most 5 lines
	Now      func() time.Time
}

// A Handler serves the pages and their forms.
type Handler struct {
	Parts
}

// New returns the handler.
func New(p Parts) *Handler { return &Handler{Parts: p} }

// who asks; the route's guard has let them by.
func who(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

// may reports whether the person has one of the roles, in some residence at least.
func may(c echo.Context, roles []accounts.Role) bool {
	session, _ := accounts.Who(c)
	return session.Has(roles...)
}

// A link leads to a page.
type link struct {
	Path, Name, More string
	Here             bool
}

// machinePath is the address of a machine's page.
func machinePath(id computers.MachineID) string {
	return Path + "/machines/" + url.PathEscape(string(id))
}

// ticketPath is the address of a repair's page.
func ticketPath(id computers.TicketID) string {
	return Path + "/reparations/" + url.PathEscape(string(id))
}

// statusOf is 200 where nothing is wrong.
func statusOf(p *problem.Error) int {
	if p == nil {
		return 200
	}
	return p.StatusCode()
}

// guarded lets by who has one of the roles.
func guarded(roles []accounts.Role) echo.MiddlewareFunc {
	return accounts.Staff(accounts.NoScope, roles...)
}
