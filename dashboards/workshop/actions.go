package workshop

import (
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// An action is one thing that can be done to a machine: whom it is for, in which
// states it is offered, what it asks and what it does. It leads to where do says;
// empty leads back to the machine.
type action struct {
	slug          string
	title, button string // keys
	roles         []accounts.Role
	fits, first   func(computers.Sheet) bool
	ask           func(l web.Language, m computers.Sheet, today civil.Date) []field
	do            func(h *Handler, c echo.Context, m computers.Sheet) (next string, err error)
	file          bool
	mark          []option // hidden
	versioned     bool     // the form bears the version of the machine that it shows
}

func in(states ...computers.State) func(computers.Sheet) bool {
	return func(m computers.Sheet) bool { return slices.Contains(states, m.State) }
}

func never(computers.Sheet) bool { return false }

// open are the states in which the workshop has a machine before it.
var open = []computers.State{computers.Received, computers.Wiping, computers.Testing, computers.ToRepair, computers.Returned, computers.SpareParts}

// machineActions lists what can be done, in the order of a life.
func machineActions() []action {
	return []action{wipeAction(), testAction(), gradeAction(), moveAction(), handoverAction(), breakAction(),
		driveAction(), defectAction(), takeBackAction(), releaseAction()}
}

// formOf is an action's form on a machine's page.
func (h *Handler) formOf(c echo.Context, l web.Language, m computers.Sheet, a action) form {
	f := form{Slug: a.slug, Path: machinePath(m.ID) + "/" + a.slug, Token: token(c), Title: l.T(a.title), Button: l.T(a.button),
		Hidden: append([]option{newPress()}, a.mark...), Multipart: a.file}
	if a.versioned {
		f.Hidden = append(f.Hidden, seen(m.Version))
	}
	if a.ask != nil {
		f.Fields = a.ask(l, m, h.today(m))
	}
	return f
}

// act serves the POST of an action's form.
func (h *Handler) act(a action) echo.HandlerFunc {
	return func(c echo.Context) error {
		var m computers.Sheet
		return h.send(c, func() (string, error) {
			var err error
			if m, err = h.machineOf(c); err != nil {
				return "", err
			}
			next, err := a.do(h, c, m)
			if err == nil && next == "" {
				next = machinePath(m.ID) + "?fait=" + a.slug
			}
			return next, err
		}, func(p *problem.Error) error { return h.showMachine(c, m, a.slug, p) })
	}
}

// done maps what ?fait= says to a text.
var done = map[string]string{
	"entree": "workshop.done_intake", "disque": "workshop.done_drive", "effacement": "workshop.done_wipe", "essais": "workshop.done_test", "notes": "workshop.done_grade", "etape": "workshop.done_move",
	"defaut": "workshop.done_defect", "repare": "workshop.done_mended", "reservation": "workshop.done_reserved", "liberer": "workshop.done_released", "vente": "workshop.done_sold",
	"remise": "workshop.done_handover", "panne": "workshop.done_ticket", "retour": "workshop.done_return", "reparation": "workshop.done_repair_step",
}

func doneText(c echo.Context, l web.Language) string {
	if key, ok := done[c.QueryParam("fait")]; ok {
		return l.T(key)
	}
	return ""
}

// dayField asks for a day that is not to come; today stands there.
func dayField(l web.Language, name, label string, today civil.Date) field {
	return field{Name: name, Of: "on", Label: l.T(label), Look: day, Typed: today.String(), Last: today.String(), Needed: true}
}

// dayOf reads such a day.
func dayOf(c echo.Context, name, of string) (civil.Date, error) {
	d, err := civil.ParseDate(c.FormValue(name))
	if err != nil {
		return d, fault(of, "field.no_date")
	}
	return d, nil
}

// A typed reads the fields of a form and gathers what is wrong with them.
type typed struct {
	c      echo.Context
	faults []problem.Field
}

func (t *typed) refuse(of, key string, args ...any) {
	t.faults = append(t.faults, problem.Field{Name: of, Message: key, Args: args})
}

// words reads a text of at most so many letters.
func (t *typed) words(name, of string, needed bool, most int) string {
	text := said(t.c, name)
	switch {
	case needed && text == "":
		t.refuse(of, "field.missing")
	case len([]rune(text)) > most:
		t.refuse(of, "field.too_long", most)
	case !clean(text):
		t.refuse(of, "field.malformed")
	}
	return text
}

// day reads a date.
func (t *typed) day(name, of string) civil.Date {
	d, err := dayOf(t.c, name, of)
	if err != nil {
		t.refuse(of, "field.no_date")
	}
	return d
}

// pick reads one of the answers.
func pick[T ~string](t *typed, name, of string, all []T) T {
	answer := T(t.c.FormValue(name))
	if !slices.Contains(all, answer) {
		t.refuse(of, "field.missing")
	}
	return answer
}

func (t *typed) err() error { return problem.OfFields(t.faults) }
