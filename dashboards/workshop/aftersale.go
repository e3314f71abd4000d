package workshop

import (
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

func releaseAction() action {
	return action{slug: "liberer", title: "workshop.act_release", button: "workshop.do_release", roles: computers.Sellers, fits: in(computers.Reserved), first: never,
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			return "", h.Machines.Release(c.Request().Context(), who(c), m.ID, h.Now())
		}}
}

func handoverAction() action {
	return action{slug: "remise", title: "workshop.act_handover", button: "workshop.do_handover", roles: computers.Readers,
		fits: in(computers.Sold), first: in(computers.Sold),
		ask: func(l web.Language, _ computers.Sheet, today civil.Date) []field {
			return []field{
				{Name: "accessoires", Of: "accessories", Label: l.T("workshop.accessories"), Hint: l.T("workshop.accessories_hint"), Look: line, Most: mostNote},
				{Name: "signe", Of: "signed_by", Label: l.T("workshop.signed_by"), Hint: l.T("workshop.signed_hint"), Look: line, Most: mostName, Needed: true},
				dayField(l, "jour", "workshop.on_day", today),
			}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			o := computers.Handover{On: t.day("jour", "on"), Accessories: t.words("accessoires", "accessories", false, mostNote), SignedBy: t.words("signe", "signed_by", true, mostName)}
			if err := t.err(); err != nil {
				return "", err
			}
			return "", h.Machines.HandOver(c.Request().Context(), who(c), m.ID, o, h.Now())
		}}
}

// breakAction opens a repair and leads to its page.
func breakAction() action {
	return action{slug: "panne", title: "workshop.act_ticket", button: "workshop.do_ticket", roles: computers.Readers,
		fits: func(m computers.Sheet) bool { return m.State == computers.InUse && openTicket(m) == "" }, first: in(computers.InUse),
		ask: func(l web.Language, _ computers.Sheet, today civil.Date) []field {
			return []field{
				{Name: "panne", Of: "problem", Label: l.T("workshop.problem"), Hint: l.T("workshop.problem_hint"), Look: area, Most: mostNote, Needed: true},
				dayField(l, "jour", "workshop.asked_on", today),
			}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			asked := computers.Complaint{Problem: t.words("panne", "problem", true, mostNote), On: t.day("jour", "on")}
			if err := t.err(); err != nil {
				return "", err
			}
			id, err := h.Machines.OpenTicket(c.Request().Context(), who(c), m.ID, asked, h.Now())
			return ticketPath(id) + "?fait=panne", err
		}}
}

// openTicket is the repair of a machine that is not closed; empty for none.
func openTicket(m computers.Sheet) computers.TicketID {
	at := slices.IndexFunc(m.Tickets, func(t computers.Ticket) bool { return t.State != computers.TicketClosed })
	if at < 0 {
		return ""
	}
	return m.Tickets[at].ID
}

func takeBackAction() action {
	return action{slug: "retour", title: "workshop.act_return", button: "workshop.do_return", roles: computers.Readers,
		fits: func(m computers.Sheet) bool { return in(computers.Sold, computers.InUse)(m) && openTicket(m) == "" }, first: never,
		ask: func(l web.Language, _ computers.Sheet, today civil.Date) []field {
			return []field{
				{Name: "raison", Of: "reason", Label: l.T("workshop.reason"), Look: line, Most: mostNote, Needed: true},
				{Name: "rendu", Of: "refund_cents", Label: l.T("workshop.refund"), Hint: l.T("workshop.refund_hint"), Look: line, Most: 12, Mode: "decimal"},
				dayField(l, "jour", "workshop.on_day", today),
			}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			g := computers.Giveback{On: t.day("jour", "on"), Reason: t.words("raison", "reason", true, mostNote), RefundCents: t.euros("rendu", "refund_cents", false)}
			if err := t.err(); err != nil {
				return "", err
			}
			return "", h.Machines.TakeBack(c.Request().Context(), who(c), m.ID, g, h.Now())
		}}
}

// mostEuros is more than any machine of a programme costs.
const mostEuros = 10_000

// euros reads an amount with at most two decimals, as in "60" or "59,90", in
// cents; nothing is 0.
func (t *typed) euros(name, of string, needed bool) int64 {
	text := strings.NewReplacer(",", ".", "€", "", " ", "", "\u00a0", "").Replace(said(t.c, name))
	if text == "" {
		if needed {
			t.refuse(of, "field.missing")
		}
		return 0
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64)
	if err != nil || len(fraction) > 2 || n < 0 || n > mostEuros*100 {
		t.refuse(of, "workshop.no_euros")
		return 0
	}
	return n
}
