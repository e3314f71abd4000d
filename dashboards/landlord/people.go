package landlord

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type homesView struct {
	web.Chrome
	search
	Items []item
}

var homesPage = web.MustPage[homesView](templates, "templates/people.html", "templates/search.html")

// homes serves GET /personnes: who lives in a residence, by door.
func (h *Handler) homes(c echo.Context) error {
	view := homesView{Chrome: h.site.Chrome(c, "people.title")}
	f, err := h.search(c, &view.search, "/personnes")
	if err != nil {
		return err
	}
	if len(view.Places) == 0 {
		return homesPage.Render(c, http.StatusOK, view)
	}
	now := h.now()
	all, err := h.store.Homes(c.Request().Context(), staffOf(c), f, now)
	if err != nil {
		return err
	}
	if len(all) > f.Limit {
		all = all[:f.Limit]
		view.Next = view.page(f, all[f.Limit-1].Tenancy.ID)
	}
	for _, home := range all {
		names := strings.Join(home.Names, ", ")
		if names == "" {
			names = view.T("people.nobody_named")
		}
		more := doorOf(view.Language, home.Dwelling)
		today := civil.DateOf(now.UTC())
		switch {
		case today.Before(home.Tenancy.MovedIn):
			more += " · " + view.T("people.arrives", view.Date(home.Tenancy.MovedIn, today))
		case !home.Tenancy.MovedOut.IsZero():
			more += " · " + view.T("people.leaves", view.Date(home.Tenancy.MovedOut, today))
		}
		view.Items = append(view.Items, item{householdLink(home.Household.ID), names, more})
	}
	return homesPage.Render(c, http.StatusOK, view)
}

func householdLink(id premises.HouseholdID) string { return "/personnes/" + url.PathEscape(string(id)) }

// donePeople says what was done to a household.
var donePeople = map[string]string{
	"contact": "people.done_contact", "foyer": "people.done_household", "membre": "people.done_member", "nom": "people.done_name",
	"depart": "people.done_leave", "aide": "people.done_mandate", "aide-fin": "people.done_mandate_end", "demenage": "move.done",
}

type member struct {
	premises.Member
	Since   string
	Left    string // since when they do not belong to it any more; empty while they do
	Invited string
}

type mandate struct {
	premises.Mandate
	Text    string
	Lasting bool
	Invited string
}

type householdView struct {
	web.Chrome
	Done      string
	Faults    []string
	Path      string
	Sheet     premises.Sheet
	Names     string
	Stays     []item
	MoveLink  string // empty for who may not, or where nobody lives there any more
	Members   []member
	Mandates  []mandate
	Givers    []option
	Contacts  []option
	Languages []option
	Scopes    []option
	Ways      []option
	Keeps     bool
	Today     string
	YearOn    string // a day in a year
}

var householdPage = web.MustPage[householdView](templates, "templates/household.html", "templates/faults.html")

// household serves GET /personnes/{household}: the sheet, which is written down
// each time that it is shown.
func (h *Handler) household(c echo.Context) error { return h.showHousehold(c, http.StatusOK, nil) }

// backToHousehold leads who asks for a form's address to its page.
func (h *Handler) backToHousehold(c echo.Context) error {
	return seeOther(c, householdLink(premises.HouseholdID(c.Param("household"))))
}

func (h *Handler) look(c echo.Context, what premises.What) premises.Look {
	return premises.Look{At: h.now(), Staff: staffOf(c), Household: premises.HouseholdID(c.Param("household")), What: what}
}

func (h *Handler) showHousehold(c echo.Context, status int, faults []string) error {
	sheet, err := h.store.Sheet(c.Request().Context(), h.look(c, premises.LookedAtSheet))
	if err != nil {
		return err
	}
	view := householdView{Chrome: h.site.Chrome(c, "people.title"), Faults: faults, Sheet: sheet, Path: householdLink(sheet.Household.ID), Keeps: keeps(c)}
	view.Done = done(c, view.Language, donePeople)
	view.Today, view.YearOn = sheet.Today.String(), sheet.Today.AddDays(365).String()
	view.stays()
	view.members()
	view.mandates()
	view.options()
	if view.Title = view.Names; view.Names == "" {
		view.Title = view.T("people.nobody_named")
	}
	return householdPage.Render(c, status, view)
}

func (v *householdView) stays() {
	today := v.Sheet.Today
	for i, t := range v.Sheet.Stays {
		text := v.T("people.since", v.Date(t.MovedIn, today))
		if !t.MovedOut.IsZero() {
			text = v.T("people.from_to", v.Date(t.MovedIn, today), v.Date(t.MovedOut.AddDays(-1), today))
		}
		link := ""
		if v.Keeps {
			link = ficheOf(t.Tenancy.Dwelling)
		}
		v.Stays = append(v.Stays, item{link, doorOf(v.Language, t.Door) + ", " + t.Residence.Name, text})
		if i == 0 && v.Keeps && (t.MovedOut.IsZero() || today.Before(t.MovedOut)) {
			v.MoveLink = ficheOf(t.Tenancy.Dwelling) + "/demenagement"
		}
	}
}

func (v *householdView) members() {
	var names []string
	today := v.Sheet.Today
	for _, m := range v.Sheet.Members {
		one := member{Member: m, Since: v.T("people.since", v.Date(m.From, today)), Invited: v.invited(m.Invited)}
		if !m.To.IsZero() {
			one.Left = v.T("people.until", v.Date(m.To.AddDays(-1), today))
		}
		if m.To.IsZero() || today.Before(m.To) {
			names = append(names, m.Name)
			v.Givers = append(v.Givers, option{ID: string(m.ID), Name: m.Name})
		}
		v.Members = append(v.Members, one)
	}
	v.Names = strings.Join(names, ", ")
}

func (v *householdView) invited(yes bool) string {
	if yes {
		return v.T("people.has_access")
	}
	return v.T("people.has_no_access")
}

func (v *householdView) mandates() {
	today := v.Sheet.Today
	for _, m := range v.Sheet.Mandates {
		one := mandate{Mandate: m, Lasting: m.Lasts(today), Invited: v.invited(m.Invited)}
		one.Text = v.T(scopeNames[m.Scope], m.GiverName) + " " + v.T("people.until", v.Date(m.To.AddDays(-1), today)) + "."
		if !m.Revoked.IsZero() {
			one.Text = v.T("people.revoked", v.Date(civil.DateIn(m.Revoked, v.zone()), today))
		}
		v.Mandates = append(v.Mandates, one)
	}
}

var scopeNames = map[premises.MandateScope]string{premises.See: "people.helps_see", premises.Act: "people.helps_act"}

var contactNames = map[premises.Channel]string{premises.Letter: "people.by_letter", premises.Telephone: "people.by_telephone", premises.Email: "people.by_email"}

func (v *householdView) options() {
	for _, by := range premises.Channels {
		v.Contacts = append(v.Contacts, option{string(by), v.T(contactNames[by]), by == v.Sheet.Household.Contact.By})
	}
	v.Languages = languages(v.Sheet.Household.Language)
	v.Scopes = []option{{ID: string(premises.See), Name: v.T("people.scope_see")}, {ID: string(premises.Act), Name: v.T("people.scope_act")}}
	v.Ways = []option{{ID: premises.ByTelephone, Name: v.T("people.asked_telephone")}, {ID: premises.OnPaper, Name: v.T("people.asked_paper")}}
}

// languages are those that a letter may be written in.
func languages(chosen string) []option {
	options := []option{{"fr", "Français", false}, {"en", "English", false}}
	known := false
	for i := range options {
		options[i].Chosen = options[i].ID == chosen
		known = known || options[i].Chosen
	}
	if !known && chosen != "" {
		options = append(options, option{chosen, chosen, true})
	}
	return options
}

// change serves the POST of a form of the sheet: it does what the form asks and
// leads back to the sheet, or shows what is wrong.
func (h *Handler) change(what string, do func(echo.Context, *form) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		err := do(c, &form{c: c})
		if err == nil {
			return seeOther(c, householdLink(premises.HouseholdID(c.Param("household")))+"?fait="+what)
		}
		texts, p, err := faultsOf(web.LanguageOf(c), err)
		if err != nil {
			return err
		}
		return h.showHousehold(c, p.StatusCode(), texts)
	}
}

// changeContact serves POST /personnes/{household}/contact.
func (h *Handler) changeContact(c echo.Context, f *form) error {
	l := h.look(c, premises.ChangedContact)
	household, err := h.store.Household(c.Request().Context(), l.Staff, l.Household, l.At)
	if err != nil {
		return err
	}
	household.Contact = premises.Contact{By: premises.Channel(f.text("par")), Telephone: f.text("telephone"), Email: f.text("courriel")}
	if err := problem.OfFields(household.Faults()); err != nil {
		return err
	}
	household.Version = f.version()
	return h.store.UpdateContact(c.Request().Context(), l, household)
}

// changeHousehold serves POST /personnes/{household}/foyer.
func (h *Handler) changeHousehold(c echo.Context, f *form) error {
	l := h.look(c, premises.ChangedHousehold)
	household, err := h.store.Household(c.Request().Context(), l.Staff, l.Household, l.At)
	if err != nil {
		return err
	}
	household.Occupants, household.Language = f.number("occupants", "occupants"), f.text("langue")
	f.faults = append(f.faults, household.Faults()...)
	if err := f.err(); err != nil {
		return err
	}
	household.Version = f.version()
	return h.store.UpdateHousehold(c.Request().Context(), l, household)
}

// addMember serves POST /personnes/{household}/membres.
func (h *Handler) addMember(c echo.Context, f *form) error {
	n := premises.NewPerson{Name: f.text("nom"), Language: f.text("langue")}
	from := f.day("depuis", "from", true)
	f.faults = append(f.faults, n.Faults()...)
	if err := f.err(); err != nil {
		return err
	}
	_, err := h.store.AddMember(c.Request().Context(), h.look(c, premises.ChangedMembers), n, from)
	return err
}

// rename serves POST /personnes/{household}/nom.
func (h *Handler) rename(c echo.Context, f *form) error {
	n := premises.NewPerson{Name: f.text("nom"), Language: f.text("langue")}
	if err := problem.OfFields(n.Faults()); err != nil {
		return err
	}
	p := accounts.Person{ID: accounts.PersonID(f.text("personne")), Name: n.Name, Language: n.Language, Version: f.version()}
	return h.store.UpdatePerson(c.Request().Context(), h.look(c, premises.ChangedMembers), p)
}

// leave serves POST /personnes/{household}/depart.
func (h *Handler) leave(c echo.Context, f *form) error {
	d := premises.Departure{Person: accounts.PersonID(f.text("personne")), On: f.day("le", "on", true), Version: f.version()}
	if err := f.err(); err != nil {
		return err
	}
	return h.store.Leave(c.Request().Context(), h.look(c, premises.ChangedMembers), d)
}

// addMandate serves POST /personnes/{household}/aides: a helper whom a member
// asked for by telephone or on paper.
func (h *Handler) addMandate(c echo.Context, f *form) error {
	n := premises.NewMandate{Giver: accounts.PersonID(f.text("de")), HelperName: f.text("nom"), Language: f.text("langue"),
		Scope: premises.MandateScope(f.text("droit")), Channel: premises.ByTelephone}
	if f.text("demande") == premises.OnPaper {
		n.Channel = premises.OnPaper
	}
	if last := f.day("jusqu_au", "to", true); !last.IsZero() {
		n.To = last.AddDays(1) // people say the last day
	}
	f.faults = append(f.faults, n.Faults()...)
	if err := f.err(); err != nil {
		return err
	}
	_, err := h.store.RecordMandate(c.Request().Context(), h.look(c, premises.ChangedMandate), n)
	return err
}

// endMandate serves POST /personnes/{household}/aides/fin.
func (h *Handler) endMandate(c echo.Context, f *form) error {
	change := premises.MandateChange{Revoke: true, Version: f.version()}
	return h.store.ChangeMandateFor(c.Request().Context(), h.look(c, premises.ChangedMandate), premises.MandateID(f.text("mandat")), change)
}

// invite serves POST /personnes/{household}/invitation: a letter with a new code,
// for a member or a helper of the household.
func (h *Handler) invite(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	ctx, l, person := c.Request().Context(), h.look(c, premises.InvitedPerson), accounts.PersonID(c.FormValue("personne"))
	if _, err := h.store.Person(ctx, l, person); err != nil {
		return err
	}
	invitation, err := h.clerk.InviteByLetter(ctx, l.Staff, person)
	if err != nil {
		return notInvited(err)
	}
	letter, err := h.clerk.Print(ctx, invitation)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="invitation.pdf"`)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, "application/pdf", letter)
}
