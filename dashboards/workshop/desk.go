package workshop

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// deskView is the first screen: the registration check, whose field is ready for
// the next scan whatever the answer was, and below it the repairs that are urgent.
type deskView struct {
	web.Chrome
	Answer  *answerView
	Fault   string
	Pages   []link
	Tickets []ticketLine
	Stock   *judged
}

// answerView is what a check found.
type answerView struct {
	verdict
	Asked      string
	Name, Link string
	Keeper     string
	Advice     string
	Next       []link // what to do now
	Alikes     []link
}

var deskPage = web.MustPage[deskView](templates, "templates/desk.html", "templates/ticketlines.html")

// few is how many repairs the first screen names.
const few = 5

// desk serves GET /atelier and GET /atelier?numero=: what a scanner types and ends
// with Enter is answered on the same page.
func (h *Handler) desk(c echo.Context) error {
	view := deskView{Chrome: h.Site.Chrome(c, "workshop.title")}
	status, err := h.check(c, &view)
	if err != nil {
		return err
	}
	view.Pages = pagesOf(c, view.Language)
	if view.Tickets, err = h.ticketLines(c, view.Language, "", few); err != nil {
		return err
	}
	places, err := h.places(c)
	if err != nil {
		return err
	}
	if len(places) > 0 {
		st, err := h.Machines.Stock(c.Request().Context(), who(c), places[0].ID, h.Now())
		if err != nil {
			return err
		}
		shelf := cover(view.Language, st)
		view.Stock = &shelf
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return deskPage.Render(c, status, view)
}

// pagesOf are the ways from the first screen, for who may go there.
func pagesOf(c echo.Context, l web.Language) []link {
	var pages []link
	for _, one := range []struct {
		path, key string
		roles     []accounts.Role
	}{
		{Path + "/entree", "workshop.intake", computers.Workshop}, {Path + "/reparations", "workshop.tickets", computers.Readers},
		{Path + "/stock", "workshop.stock", computers.Overseers}, {Path + "/attente", "workshop.waiting_title", computers.Sellers},
		{Path + "/etiquettes", "workshop.labels", computers.Readers},
		{Path + "/releve", "workshop.statement", computers.Overseers}, {Path + "/programme", "workshop.programme", computers.Overseers},
		{Path + "/conventions", "workshop.conventions", computers.Workshop},
	} {
		if may(c, one.roles) {
			pages = append(pages, link{Path: one.path, Name: l.T(one.key)})
		}
	}
	return pages
}

// check answers what was scanned, if anything was.
func (h *Handler) check(c echo.Context, view *deskView) (status int, err error) {
	asked := c.QueryParam("numero")
	if strings.TrimSpace(asked) == "" {
		return http.StatusOK, nil
	}
	a, err := h.Machines.Check(c.Request().Context(), who(c), asked, h.Now())
	if err != nil {
		p := problem.Of(err)
		if p.Kind != problem.Invalid || len(p.Fields) == 0 {
			return 0, err
		}
		view.Fault = view.T(p.Fields[0].Message, p.Fields[0].Args...)
		return p.StatusCode(), nil
	}
	view.Answer = h.answer(c, view.Language, a)
	if a.Verdict == computers.Unknown {
		return http.StatusNotFound, nil
	}
	return http.StatusOK, nil
}

func (h *Handler) answer(c echo.Context, l web.Language, a computers.Answer) *answerView {
	v := &answerView{verdict: unknown(l), Asked: a.Typed}
	switch a.Thing {
	case computers.ThingMachine:
		v.machine(c, l, *a.Machine, h.today(*a.Machine))
	case computers.ThingMeter, computers.ThingGateway:
		v.device(l, a)
	default:
		v.Advice = l.T("workshop.unknown_advice")
		if may(c, computers.Workshop) {
			v.Next = append(v.Next, link{Path: Path + "/entree?" + url.Values{"serie": {a.Typed}}.Encode(), Name: l.T("workshop.take_in")})
		}
	}
	for _, one := range a.Alike {
		hint := "workshop.alike_same"
		if one.Slip {
			hint = "workshop.alike_slip"
		}
		v.Alikes = append(v.Alikes, alike(l, one, l.T(hint)))
	}
	return v
}

// things names what is no machine.
var things = map[computers.Thing]string{computers.ThingMeter: "workshop.thing_meter", computers.ThingGateway: "workshop.thing_gateway"}

// alike is the way to what may be meant.
func alike(l web.Language, one computers.Likeness, hint string) link {
	number, name, more := one.Tag, one.Serial, joined(one.Tag, strings.TrimSpace(one.Maker+" "+one.Model), hint)
	if one.Thing != computers.ThingMachine {
		number, name = one.Device, cmp.Or(one.Serial, one.Device)
		more = joined(l.T(things[one.Thing]), hint)
	}
	return link{Path: Path + "?" + url.Values{"numero": {number}}.Encode(), Name: name, More: more}
}

func (v *answerView) machine(c echo.Context, l web.Language, m computers.Sheet, today civil.Date) {
	v.verdict = verdictOf(l, m.State, m.Sale, today)
	v.Name, v.Link = m.Tag+", "+what(l, m.Machine), machinePath(m.ID)
	if m.Sale == nil || !m.Sale.Ended.IsZero() {
		v.Lines = append(v.Lines, l.T("workshop.stands", l.T(states[m.State])))
	}
	if m.Keeper != nil {
		v.Keeper = keeper(l, *m.Keeper)
	}
	switch id := openTicket(m); {
	case id != "":
		v.Next = append(v.Next, link{Path: ticketPath(id), Name: l.T("workshop.see_ticket")})
	case m.State == computers.InUse:
		v.Next = append(v.Next, link{Path: machinePath(m.ID) + "#panne-t", Name: l.T("workshop.act_ticket")})
	case in(computers.Ready, computers.Reserved)(m) && may(c, computers.Sellers):
		v.Next = append(v.Next, link{Path: machinePath(m.ID) + "/vente", Name: l.T("workshop.act_sale")})
	}
	v.Next = append(v.Next, link{Path: v.Link, Name: l.T("workshop.see_machine")})
}

// device tells of a meter or a gateway that it is registered, and nothing of what
// it reads.
func (v *answerView) device(l web.Language, a computers.Answer) {
	v.verdict = verdict{Word: l.T("workshop.is_device"), Class: "is-unsold", Sign: "○"}
	v.Name = l.T("workshop.thing_gateway") + " " + a.Device.ID
	if a.Thing == computers.ThingMeter {
		v.Name = l.T("workshop.thing_meter") + " " + joined(a.Device.Serial, a.Device.ID)
	}
	v.Advice = l.T("workshop.device_advice")
}
