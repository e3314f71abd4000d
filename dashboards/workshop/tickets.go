package workshop

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A ticketLine is one repair in a list: the two clocks in words, the law's first.
type ticketLine struct {
	Path, Tag, State, Problem string
	Legal, Target             judged
}

type ticketsView struct {
	web.Chrome
	Tickets []ticketLine
}

var ticketsPage = web.MustPage[ticketsView](templates, "templates/tickets.html", "templates/ticketlines.html")

// tickets serves GET /atelier/reparations: those whose legal clock ends first come
// first.
func (h *Handler) tickets(c echo.Context) error {
	view := ticketsView{Chrome: h.Site.Chrome(c, "workshop.tickets")}
	var err error
	if view.Tickets, err = h.ticketLines(c, view.Language, metering.SiteID(c.QueryParam("residence")), 0); err != nil {
		return err
	}
	return ticketsPage.Render(c, http.StatusOK, view)
}

// ticketLines lists the first repairs, all where most is 0.
func (h *Handler) ticketLines(c echo.Context, l web.Language, residence metering.SiteID, most int) ([]ticketLine, error) {
	all, err := h.Machines.Tickets(c.Request().Context(), who(c), residence, h.Now())
	if most > 0 && len(all) > most {
		all = all[:most]
	}
	lines := make([]ticketLine, len(all))
	for i, t := range all {
		lines[i] = ticketLine{Path: ticketPath(t.ID), Tag: t.Tag, State: l.T(ticketStates[t.State]), Problem: t.Problem, Legal: legalClock(l, t.Clocks), Target: targetClock(l, t.Clocks)}
	}
	return lines, err
}

// legalClock says the law's deadline in words: nothing pauses it.
func legalClock(l web.Language, c computers.Clocks) judged {
	due := l.Date(c.LegalDue, civil.Date{})
	switch {
	case c.LegalDone && c.LegalLeft >= 0:
		return judged{l.T("workshop.legal_kept"), true}
	case c.LegalDone:
		return judged{l.T("workshop.legal_missed", -c.LegalLeft), false}
	case c.LegalLeft < 0:
		return judged{l.T("workshop.legal_over", -c.LegalLeft, due), false}
	case c.LegalLeft == 0:
		return judged{l.T("workshop.legal_today"), false}
	}
	return judged{l.T("workshop.legal_left", c.LegalLeft, due), c.LegalLeft > 7}
}

// targetClock says that of the programme, in working days, which rests while
// somebody is waited for. What a partner promised in a convention is another thing:
// days of the calendar, from request to return.
func targetClock(l web.Language, c computers.Clocks) judged {
	switch {
	case c.TargetDone && c.TargetLeft >= 0:
		return judged{l.T("workshop.target_kept", c.TargetUsed), true}
	case c.TargetDone:
		return judged{l.T("workshop.target_missed", c.TargetUsed), false}
	case c.Paused && c.TargetLeft >= 0:
		return judged{l.T("workshop.target_paused", c.TargetLeft), true}
	case c.TargetLeft < 0:
		return judged{l.T("workshop.target_over", -c.TargetLeft), false}
	}
	return judged{l.T("workshop.target_left", c.TargetLeft), c.TargetLeft > 0}
}

type ticketView struct {
	web.Chrome
	Tag, Machine, What, Done string
	State, Cover, Problem    string
	Legal, Target            judged
	Keeper                   string
	Replacement              string // address of the machine given instead
	Form                     *form
	Steps                    []eventView
}

var ticketPage = web.MustPage[ticketView](templates, "templates/ticket.html", "templates/form.html")

func (h *Handler) ticketOf(c echo.Context) (computers.Ticket, error) {
	return h.Machines.Ticket(c.Request().Context(), who(c), computers.TicketID(c.Param("id")), h.Now())
}

// ticket serves GET /atelier/reparations/{id}.
func (h *Handler) ticket(c echo.Context) error {
	t, err := h.ticketOf(c)
	if err != nil {
		return err
	}
	return h.showTicket(c, t, nil)
}

func (h *Handler) showTicket(c echo.Context, t computers.Ticket, p *problem.Error) error {
	m, err := h.Machines.Machine(c.Request().Context(), who(c), t.Machine, h.Now())
	if err != nil {
		return err
	}
	view := ticketView{Chrome: h.Site.Chrome(c, "workshop.ticket_title", t.Tag), Tag: t.Tag, Machine: machinePath(t.Machine), Problem: t.Problem}
	l := view.Language
	view.What, view.Done = what(l, m.Machine), doneText(c, l)
	view.State, view.Cover = l.T(ticketStates[t.State]), l.T(covers[t.Cover])
	view.Legal, view.Target = legalClock(l, t.Clocks), targetClock(l, t.Clocks)
	if t.Keeper != nil {
		view.Keeper = keeper(l, *t.Keeper)
	}
	if t.Replacement != "" {
		view.Replacement = machinePath(t.Replacement)
	}
	if next := computers.NextTicketSteps(t.State); len(next) > 0 && may(c, computers.Workshop) {
		f, err := h.ticketForm(c, l, t, m)
		if err != nil {
			return err
		}
		if p != nil {
			f.refused(c, l, p)
		}
		view.Form = &f
	}
	for _, s := range slices.Backward(t.Steps) {
		view.Steps = append(view.Steps, eventView{What: l.T(ticketStates[s.State]), Note: s.Note, When: l.Date(s.On, h.today(m))})
	}
	return ticketPage.Render(c, statusOf(p), view)
}

// ticketForm asks for the next step; where the machine can be replaced, also by
// which one of the stock.
func (h *Handler) ticketForm(c echo.Context, l web.Language, t computers.Ticket, m computers.Sheet) (form, error) {
	next := computers.NextTicketSteps(t.State)
	step := field{Name: "vers", Of: "to", Label: l.T("workshop.next_step"), Look: oneOf, Options: options(l, next, ticketMoves), Needed: true}
	if len(next) == 1 {
		step = step.chosen(string(next[0]))
	}
	f := form{Slug: "reparation", Path: ticketPath(t.ID), Token: token(c), Title: l.T("workshop.act_move"), Button: l.T("workshop.do_move"), Hidden: []option{newPress()},
		Fields: []field{step, dayField(l, "jour", "workshop.on_day", h.today(m)), {Name: "remarque", Of: "note", Label: l.T("workshop.note"), Look: line, Most: mostNote}}}
	if !slices.Contains(next, computers.TicketReplaced) {
		return f, nil
	}
	ready, err := h.Machines.Machines(c.Request().Context(), who(c), computers.MachineFilter{Residence: t.Residence, State: computers.Ready}, resource.Page{Limit: mostChoices}, h.Now())
	if err != nil || len(ready) == 0 {
		return f, err
	}
	instead := []option{{ID: "", Name: l.T("workshop.no_replacement")}}
	for _, one := range ready {
		instead = append(instead, option{ID: string(one.ID), Name: one.Tag + ", " + named(one)})
	}
	f.Fields = append(f.Fields, field{Name: "remplacement", Of: "replacement", Label: l.T("workshop.replacement"), Hint: l.T("workshop.replacement_hint"), Look: choose, Options: instead},
		field{Name: "signe", Of: "signed_by", Label: l.T("workshop.signed_by"), Look: line, Most: mostName})
	return f, nil
}

// mostChoices is how many answers a field offers at most.
const mostChoices = 200

// moveTicket serves POST /atelier/reparations/{id}.
func (h *Handler) moveTicket(c echo.Context) error {
	var t computers.Ticket
	return h.send(c, func() (string, error) {
		var err error
		if t, err = h.ticketOf(c); err != nil {
			return "", err
		}
		return ticketPath(t.ID) + "?fait=reparation", h.moved(c, t)
	}, func(p *problem.Error) error { return h.showTicket(c, t, p) })
}

func (h *Handler) moved(c echo.Context, t computers.Ticket) error {
	in := &typed{c: c}
	step := computers.TicketMove{To: pick(in, "vers", "to", computers.NextTicketSteps(t.State)), On: in.day("jour", "on"), Note: in.words("remarque", "note", false, mostNote)}
	if step.To == computers.TicketReplaced {
		step.Replacement = computers.MachineID(in.words("remplacement", "replacement", true, mostSerial))
		step.SignedBy = in.words("signe", "signed_by", true, mostName)
	}
	if err := in.err(); err != nil {
		return err
	}
	return atField(h.Machines.MoveTicket(c.Request().Context(), who(c), t.ID, step, h.Now()), "replacement", computers.ErrOtherKind)
}
