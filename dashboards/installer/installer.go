// Package installer serves the pages of who hangs up gateways and meters: what is
// silent or not verified, the check of one meter on a phone, and a gateway with
// its configuration. They show devices and their last index, never a history.
package installer

import (
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

//go:embed templates/*.html
var templates embed.FS

// path is where the pages begin.
const path = "/equipements"

// Parts are what the pages ask; all are required.
type Parts struct {
	Site    *web.Site
	Meters  *meters.Store
	Checks  *check.Store
	Watch   *watch.Store
	Configs *configuration.Store
	// Enrolments gives a gateway its access to the broker.
	Enrolments *enrolment.Handler
	Now        func() time.Time
}

// A Handler serves the pages and their forms.
type Handler struct{ Parts }

// New returns the handler.
func New(p Parts) *Handler { return &Handler{p} }

// Register adds the routes. A manager sees what is silent, and no index.
func (h *Handler) Register(e *echo.Echo) {
	read := accounts.Staff(accounts.NoScope, meters.Readers...)
	write := accounts.Staff(accounts.NoScope, meters.Writers...)
	e.GET(path, h.list, read)
	e.GET(path+"/compteur", h.find, write)
	e.GET(path+"/compteurs/:id", h.meter, write)
	e.POST(path+"/compteurs/:id/cadran", h.change(h.dial), write, web.Once())
	e.POST(path+"/compteurs/:id/robinet", h.change(h.tap), write)
	e.POST(path+"/compteurs/:id/pose", h.change(h.hang), write)
	e.POST(path+"/compteurs/:id/remplacement", h.change(h.replace), write)
	e.GET(path+"/passerelles/:id", h.gateway, read)
	e.POST(path+"/passerelles/:id/configuration", h.change(h.publish), write)
	once := web.Once()
	e.POST(path+"/passerelles/:id/raccordement", h.enrol, write, once)
	e.GET(newPath, h.create, write)
	e.POST(newPath, h.created, write, once)
	for slug, first := range map[string]bool{"pose": true, "remplacement": false} {
		e.GET(path+"/passerelles/:id/"+slug, h.steps(first), write)
		e.POST(path+"/passerelles/:id/"+slug, h.stepsCode(first), write, once)
	}
}

// who asks; the route's guard has let them by.
func who(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

// mayWrite reports whether the person may see indexes and change things, in some
// residence at least.
func mayWrite(c echo.Context) bool {
	session, _ := accounts.Who(c)
	return session.Has(meters.Writers...)
}

// change serves the POST of a form: it does what the form asks and leads to the
// page that it names. What a person can mend is said there, on the page that the
// form stands on.
func (h *Handler) change(do func(echo.Context) (string, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		next, err := do(c)
		if err == nil {
			return c.Redirect(http.StatusSeeOther, next)
		}
		p := problem.Of(err)
		switch p.Kind {
		case problem.Invalid, problem.Conflict, problem.Stale:
			c.Response().Header().Set("Cache-Control", "no-store")
			return h.again(c, p)
		default:
			return err
		}
	}
}

// again shows the page of the form with what is wrong.
func (h *Handler) again(c echo.Context, p *problem.Error) error {
	if strings.HasPrefix(c.Path(), path+"/passerelles/") {
		return h.showGateway(c, p, nil)
	}
	return h.showMeter(c, p)
}

// sentence says what is wrong: of the first field that is, or of the whole.
func sentence(l web.Language, p *problem.Error) string {
	if p == nil {
		return ""
	}
	if len(p.Fields) > 0 {
		return l.T(p.Fields[0].Message, p.Fields[0].Args...)
	}
	return web.Sentence(l, p)
}

// statusOf is 200 where nothing is wrong.
func statusOf(p *problem.Error) int {
	if p == nil {
		return http.StatusOK
	}
	return p.StatusCode()
}

// done maps what ?fait= says to a text.
var done = map[string]string{
	"pose":         "equipment.done_hung",
	"remplacement": "equipment.done_replaced",
	"publication":  "equipment.done_published",
	"inchangee":    "equipment.done_unchanged",

	"enregistrement": "equipment.done_registered",
}

func doneText(c echo.Context, l web.Language) string {
	if key, ok := done[c.QueryParam("fait")]; ok {
		return l.T(key)
	}
	return ""
}

// standings says each standing in words.
var standings = map[watch.Standing]string{
	watch.Bound:         "equipment.is_bound",
	watch.Late:          "equipment.is_late",
	watch.Silent:        "equipment.is_silent",
	watch.Stuck:         "equipment.is_stuck",
	watch.WrongPlace:    "equipment.is_wrong_place",
	watch.NeverSeen:     "equipment.is_never_seen",
	watch.Unbound:       "equipment.is_unbound",
	watch.GatewaySilent: "equipment.is_gateway_silent",
}

// standingOf says a meter's standing in words: one that was taken down is told from
// one that never hung.
func standingOf(l web.Language, f watch.Fare) string {
	if f.Standing == watch.Unbound && f.Removed {
		return l.T("equipment.is_removed")
	}
	return l.T(standings[f.Standing])
}

// states says each state of a check in words.
var states = map[check.State]string{
	check.Unverified: "equipment.unverified",
	check.Verified:   "equipment.verified",
	check.SecondDue:  "equipment.second_due",
	check.Disputed:   "equipment.disputed",
}

// place says where a point is, as its door does.
func place(l web.Language, dwelling premises.DwellingID, building, staircase, label string) string {
	if dwelling != "" {
		return l.Door(label, building, staircase)
	}
	if building == "" {
		return l.T("equipment.main_meter")
	}
	return joined(l.T("equipment.main_meter"), l.T("home.building", building))
}
