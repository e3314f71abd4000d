package workshop

import (
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type machineView struct {
	web.Chrome
	Tag, What, Done string
	State           string
	Verdict         verdict
	Ticket          string // address of the open repair
	Keeper          string
	Lacks           []string
	Papers          []link
	First, More     []form // what is to be done now, and what else can be
	Drives          []driveView
	Tests           []judged
	Defects         []defectView
	Facts           []fact
	Events          []eventView
}

type driveView struct {
	Name, More, State string
	Wiped             bool
	Wipes             []wipeView
}

// A wipeView is what was noted of a wipe, and the way to the report that is kept.
type wipeView struct{ Text, Verified, Report, Print string }

// A judged is a sentence with its sign.
type judged struct {
	Text string
	Well bool
}

type defectView struct {
	Text, When, State string
	Form              form
}

type fact struct{ Name, Text string }

type eventView struct{ What, Note, When, State string }

var machinePage = web.MustPage[machineView](templates, "templates/machine.html", "templates/form.html")

// machineOf returns the machine that the address names, or [computers.ErrNone].
func (h *Handler) machineOf(c echo.Context) (computers.Sheet, error) {
	return h.Machines.Machine(c.Request().Context(), who(c), computers.MachineID(c.Param("id")), h.Now())
}

// machine serves GET /atelier/machines/{id}.
func (h *Handler) machine(c echo.Context) error {
	m, err := h.machineOf(c)
	if err != nil {
		return err
	}
	return h.showMachine(c, m, "", nil)
}

// showMachine shows a machine; where a form of its was refused, with what was
// typed and what is wrong with it.
func (h *Handler) showMachine(c echo.Context, m computers.Sheet, slug string, p *problem.Error) error {
	view := machineView{Chrome: h.Site.Chrome(c, "workshop.machine_title", m.Tag), Tag: m.Tag}
	l := view.Language
	view.What = what(l, m.Machine)
	view.Done, view.State = doneText(c, l), l.T(states[m.State])
	view.Verdict = verdictOf(l, m.State, m.Sale, h.today(m))
	view.state(m)
	for _, a := range machineActions() {
		if !a.fits(m) || !may(c, a.roles) {
			continue
		}
		f := h.formOf(c, l, m, a)
		if a.slug == slug {
			f.refused(c, l, p)
		}
		if a.first(m) {
			view.First = append(view.First, f)
		} else {
			view.More = append(view.More, f)
		}
	}
	if err := h.life(c, &view, m); err != nil {
		return err
	}
	return machinePage.Render(c, statusOf(p), view)
}

// what names a machine in words: maker, model, how it is built, new or not.
func what(l web.Language, m computers.Machine) string {
	return joined(named(m), strings.ToLower(l.T(builds[m.Form])), strings.ToLower(l.T(kinds[m.Kind])))
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}

// state fills what the machine's card says.
func (v *machineView) state(m computers.Sheet) {
	for _, lacking := range m.Lacks {
		v.Lacks = append(v.Lacks, web.Sentence(v.Language, problem.Of(lacking)))
	}
	if m.Keeper != nil {
		v.Keeper = keeper(v.Language, *m.Keeper)
	}
	for _, t := range m.Tickets {
		if t.State != computers.TicketClosed {
			v.Ticket = ticketPath(t.ID)
		}
	}
	path := machinePath(m.ID)
	v.Papers = append(v.Papers, link{Path: Path + "/etiquettes?machine=" + string(m.ID), Name: v.T("workshop.label")})
	if m.Sale != nil {
		v.Papers = append(v.Papers, link{Path: path + "/recu.pdf", Name: v.T("workshop.receipt_title") + " (PDF)"},
			link{Path: path + "/garantie.pdf", Name: v.T("workshop.open_guarantee") + " (PDF)"})
	}
}

// keeper names whose machine it is by its door and the household's reference, and
// nobody by name.
func keeper(l web.Language, k computers.Keeper) string {
	return l.Door(k.Door.Label, k.Door.Building, k.Door.Staircase) + " – " + l.T("workshop.household", string(k.Household))
}

// life fills drives, tests, defects, facts and history.
func (h *Handler) life(c echo.Context, v *machineView, m computers.Sheet) error {
	today := h.today(m)
	v.drives(m, today)
	for _, t := range slices.Backward(m.Tests) {
		v.Tests = append(v.Tests, tested(v.Language, t, m, today))
	}
	for _, d := range m.Defects {
		one := defectView{Text: d.Text, When: v.Date(d.On, today)}
		if d.Mended.IsZero() && may(c, computers.Workshop) {
			one.Form = h.formOf(c, v.Language, m, mended(d))
		} else if !d.Mended.IsZero() {
			one.State = v.T("workshop.mended_on", v.Date(d.Mended, today))
		}
		v.Defects = append(v.Defects, one)
	}
	v.facts(m, today)
	events, err := h.Machines.Events(c.Request().Context(), who(c), m.ID)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(events) {
		local := e.At.In(m.Zone)
		when := v.Date(e.On, today)
		if civil.DateOf(local) == e.On {
			when += ", " + v.Clock(local)
		}
		one := eventView{What: v.T(happened[e.What]), Note: v.note(e), When: when, State: v.T(states[e.State])}
		if e.What == computers.Moved { // nothing else happened
			one.What, one.State = v.T("workshop.stands", one.State), ""
		}
		v.Events = append(v.Events, one)
	}
	return nil
}

func tested(l web.Language, t computers.TestRun, m computers.Sheet, today civil.Date) judged {
	if t.Passed {
		return judged{l.T("workshop.test_passed", l.Date(t.On, today)), true}
	}
	var failed []string
	for _, i := range computers.CurrentChecklist().For(m.Form) {
		if t.Results[i.Key] == computers.Fail {
			failed = append(failed, l.T(items[i.Key]))
		}
	}
	return judged{l.T("workshop.test_failed", l.Date(t.On, today), strings.Join(failed, ", ")), false}
}

func (v *machineView) drives(m computers.Sheet, today civil.Date) {
	for _, d := range m.Drives {
		one := driveView{Name: d.Serial, Wiped: d.Wiped || d.Destroyed, State: v.T("workshop.not_wiped"), More: v.T(media[d.Medium])}
		if d.SizeGB > 0 {
			one.More += ", " + v.T("workshop.gigabytes", d.SizeGB)
		}
		switch {
		case d.Destroyed:
			one.State = v.T("workshop.destroyed")
		case d.Wiped:
			one.State = v.T("workshop.wiped")
		}
		for _, w := range m.Wipes {
			if w.Drive == d.ID {
				one.Wipes = append(one.Wipes, v.wipe(m, w, today))
			}
		}
		v.Drives = append(v.Drives, one)
	}
}

// wipe says what was noted of a wipe.
func (v *machineView) wipe(m computers.Sheet, w computers.Wipe, today civil.Date) wipeView {
	one := wipeView{Text: v.T("workshop.wipe_line", v.Date(w.On, today), v.T(levels[w.Level]), joined(w.Method, strings.TrimSpace(w.Tool+" "+w.ToolVersion)), v.T(results[w.Result]))}
	if w.VerifiedBy != "" {
		one.Verified = v.T("workshop.verified_line", w.VerifiedBy)
	}
	if w.SHA256 != "" {
		one.Report, one.Print = machinePath(m.ID)+"/effacements/"+url.PathEscape(string(w.ID))+"/rapport", v.T("workshop.wipe_report", w.SHA256[:16])
	}
	return one
}

// facts are what stands on the machine and where it came from.
func (v *machineView) facts(m computers.Sheet, today civil.Date) {
	add := func(name, text string) {
		if text != "" {
			v.Facts = append(v.Facts, fact{name, text})
		}
	}
	add(v.T("workshop.serial"), m.Serial)
	add(v.T("workshop.mac"), m.MAC)
	add(v.T("workshop.processor"), m.Processor)
	if m.MemoryMB > 0 {
		add(v.T("workshop.memory"), v.T("workshop.gigabytes", int(m.MemoryMB/1024)))
	}
	if m.GradeAppearance != "" {
		add(v.T("workshop.appearance"), v.T(grades[m.GradeAppearance]))
		add(v.T("workshop.function"), v.T(grades[m.GradeFunction]))
	}
	add(v.T("workshop.donor"), m.Intake.Donor)
	add(v.T("workshop.lot"), m.Intake.Lot)
	add(v.T("workshop.register_no"), m.Intake.RegisterNo)
	add(v.T("workshop.received_on"), v.Date(m.Intake.On, today))
	add(v.T("workshop.paid"), cents(v.Language, m.Intake.CostCents))
	if s := m.Sale; s != nil {
		add(v.T("workshop.sold_on"), v.Date(s.SoldOn, today))
		add(v.T("workshop.receipt_number"), s.ReceiptNo)
		add(v.T("workshop.accessories"), s.Accessories)
	}
}

// note is what was written with an event; what the program wrote itself is said in
// words.
func (v *machineView) note(e computers.Event) string {
	switch e.What {
	case computers.Wiped:
		return v.T(results[computers.Result(e.Note)])
	case computers.Graded:
		if len(e.Note) == 2 {
			return v.T("workshop.graded", e.Note[:1], e.Note[1:])
		}
	}
	return e.Note
}
