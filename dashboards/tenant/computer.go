package tenant

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Paths of the pages about the computer that was bought from the landlord.
const (
	computerPath = "/mon-ordinateur"
	trainingPath = computerPath + "/formation"
)

// MyComputer serves the pages about the household's computer and its training.
type MyComputer struct {
	Site     *web.Site
	Homes    *premises.Store
	Machines *computers.Store
	Store    *training.Store
	Clerk    *training.Clerk
	Now      func() time.Time
}

// Register adds the pages' routes.
func (h *MyComputer) Register(e *echo.Echo) {
	anyone := accounts.Anyone(accounts.NoScope)
	e.GET(computerPath, h.computer, anyone)
	e.POST(computerPath+"/reparation", h.repair, anyone)
	e.GET(trainingPath, h.training, anyone)
	e.POST(trainingPath+"/autre-date", h.form("date", h.anotherDate), anyone)
	e.POST(trainingPath+"/niveau", h.form("niveau", h.level), anyone)
	e.POST(trainingPath+"/suivi", h.form("suivi", h.followUp), anyone)
	e.GET(trainingPath+"/attestation.pdf", h.certificate, anyone)
}

// A machineItem is a computer of the household.
type machineItem struct {
	ID, Name, Tag, Bought       string
	Guarantee, Programme, Legal string
	Covered                     bool
	Repairs                     []repairItem
	MayAsk                      bool   // for a repair
	Call                        string // how to ask without a form; empty where there is one, or a repair that tells of itself
	Typed, Fault                string // what was refused, and why
}

// A repairItem is a repair, in words.
type repairItem struct {
	What, State, Since, Limit string
	Open                      bool
}

type computerView struct {
	web.Chrome
	whose
	Done, NoHome, SeeOnly string
	Path, TrainingLink    string
	Query                 string // ?foyer=… of every link; empty at home
	Machines              []machineItem
}

var computerPage = web.MustPage[computerView](templates, "templates/computer.html", "templates/whose.html")

// repairKeys say where a repair stands.
var repairKeys = map[computers.TicketState]string{
	computers.TicketOpen: "computer.repair_open", computers.TicketDiagnosed: "computer.repair_seen", computers.TicketParts: "computer.repair_parts",
	computers.TicketTenant: "computer.repair_you", computers.TicketRepaired: "computer.repair_done", computers.TicketReplaced: "computer.repair_replaced",
	computers.TicketRefused: "computer.repair_refused", computers.TicketGivenBack: "computer.repair_back", computers.TicketClosed: "computer.repair_closed",
}

// viewed returns whose computer the address means, and the query of every link.
func (h *MyComputer) viewed(c echo.Context, l web.Language) (whose, string, error) {
	w, err := (&Handler{Parts{Site: h.Site, Homes: h.Homes, Now: h.Now}}).whose(c, l)
	if err != nil || w.Viewer.Household == "" {
		return w, "", err
	}
	return w, "?" + householdField + "=" + url.QueryEscape(string(w.Viewer.Household)), nil
}

// computer serves GET /mon-ordinateur: the guarantee, and the way to a repair.
func (h *MyComputer) computer(c echo.Context) error {
	return h.showComputer(c, http.StatusOK, machineItem{})
}

// showComputer shows the page; of the machine of wrong it shows what was typed
// and why it was refused.
func (h *MyComputer) showComputer(c echo.Context, status int, wrong machineItem) error {
	view := computerView{Chrome: h.Site.Chrome(c, "computer.title"), Path: computerPath}
	var err error
	if view.whose, view.Query, err = h.viewed(c, view.Language); err != nil {
		return err
	}
	view.TrainingLink = trainingPath + view.Query
	if c.QueryParam("fait") == "reparation" {
		view.Done = view.T("computer.done_repair")
	}
	all, err := h.Machines.Own(c.Request().Context(), view.Viewer, h.Now())
	if isNone(err) && view.Query == "" {
		view.NoHome = view.T("computer.no_home")
		return computerPage.Render(c, status, view)
	}
	if err != nil {
		return err
	}
	if !view.Act {
		view.SeeOnly = view.T("mydata.see_only")
	}
	for _, m := range all {
		item := h.machine(view.Language, m, view.Act)
		if item.ID == wrong.ID {
			item.Typed, item.Fault = wrong.Typed, wrong.Fault
		}
		view.Machines = append(view.Machines, item)
	}
	return computerPage.Render(c, status, view)
}

func (h *MyComputer) machine(l web.Language, m computers.OwnMachine, act bool) machineItem {
	today := civil.DateIn(h.Now(), m.Zone)
	day := func(d civil.Date) string { return l.Date(d, today) }
	dated := func(d civil.Date) string { return l.Date(d, civil.Date{}) } // years apart, they need theirs
	item := machineItem{ID: string(m.ID), Name: l.T("computer.name", m.Maker, m.Model), Tag: l.T("computer.tag", m.Tag),
		Bought: l.T("computer.bought", dated(m.Sale.SoldOn)), Covered: m.Sale.Guarantee.Covers(today), MayAsk: act && m.InUse}
	switch until := m.Sale.Guarantee.Until(); {
	case until.IsZero():
		item.Guarantee = l.T("computer.no_guarantee")
	case item.Covered:
		item.Guarantee = l.T("computer.covered", dated(until))
	default:
		item.Guarantee = l.T("computer.over", dated(until))
	}
	if d := m.Sale.Guarantee.Programme; !d.IsZero() {
		item.Programme = l.T("computer.programme_until", dated(d))
	}
	if d := m.Sale.Guarantee.Legal; !d.IsZero() {
		item.Legal = l.T("computer.legal_until", dated(d))
	}
	for _, t := range m.Tickets {
		r := repairItem{What: t.Problem, State: l.T(repairKeys[t.State]), Since: l.T("computer.asked_on", day(t.OpenedOn)), Open: t.State != computers.TicketClosed}
		if r.Open && t.Cover == computers.ByLaw {
			r.Limit = l.T("computer.repair_limit", day(t.OpenedOn.AddDays(30)))
		}
		item.MayAsk = item.MayAsk && !r.Open
		item.Repairs = append(item.Repairs, r)
	}
	asked := slices.ContainsFunc(item.Repairs, func(r repairItem) bool { return r.Open })
	if act && !item.MayAsk && !asked { // nobody noted yet that it was handed over
		item.Call = l.T("computer.call")
	}
	return item
}

// repair serves POST /mon-ordinateur/reparation: one repair a machine at a time. The
// same words sent twice on a day are one repair.
func (h *MyComputer) repair(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	w, query, err := h.viewed(c, web.LanguageOf(c))
	if err != nil {
		return err
	}
	id, words := c.FormValue("ordinateur"), c.FormValue("panne")
	_, err = h.Machines.OpenOwnTicket(c.Request().Context(), w.Viewer, computers.MachineID(id), words, h.Now())
	if err == nil {
		return c.Redirect(http.StatusSeeOther, computerPath+and(query, "fait=reparation"))
	}
	text, status, err := refused(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	if !utf8.ValidString(words) || strings.ContainsFunc(words, accounts.Unreadable) {
		text = web.LanguageOf(c).T("computer.hidden_signs")
	}
	return h.showComputer(c, status, machineItem{ID: id, Typed: words, Fault: text})
}

// and adds to a query that may be empty.
func and(query, more string) string {
	if query == "" {
		return "?" + more
	}
	return query + "&" + more
}

// refused says in a sentence why something was not done; it returns the error
// where no person can mend it.
func refused(l web.Language, err error) (string, int, error) {
	p := problem.Of(err)
	switch {
	case p.Kind != problem.Invalid && p.Kind != problem.Conflict:
		return "", 0, err
	case len(p.Fields) == 0:
		return web.Sentence(l, p), p.StatusCode(), nil
	default:
		return l.T(p.Fields[0].Message, p.Fields[0].Args...), p.StatusCode(), nil
	}
}
