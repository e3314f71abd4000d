package landlord

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// notInvited hides who may not be invited.
func notInvited(err error) error {
	if errors.Is(err, accounts.ErrNoPerson) {
		return &problem.Error{Kind: problem.NotFound, Message: "person.none"}
	}
	return err
}

func (v *householdView) zone() *time.Location {
	if len(v.Sheet.Stays) == 0 {
		return time.UTC
	}
	return v.Sheet.Stays[0].Residence.Zone
}

// mostNames is how many persons the form takes at once; more join later.
const mostNames = 4

type moveView struct {
	web.Chrome
	Faults    []string
	Path      string
	BackLink  string
	Place     string
	Since     string // since when somebody lives there; empty where nobody does
	Version   int64
	Out, In   string // as typed
	LeaverTo  string
	Names     []string
	Occupants string
	Contacts  []option
	Telephone string
	Email     string
	Languages []option
}

// NameOf is the label of one of the names, the first being 0.
func (v moveView) NameOf(i int) string { return v.T("move.name_of", i+1) }

var movePage = web.MustPage[moveView](templates, "templates/move.html", "templates/faults.html")

// moveForm serves GET /logements/fiche/A-12/demenagement.
func (h *Handler) moveForm(c echo.Context) error {
	return h.showMove(c, http.StatusOK, moveView{Occupants: "1", Names: make([]string, mostNames),
		Languages: languages("fr"), Contacts: contacts(web.LanguageOf(c), premises.Letter)})
}

func contacts(l web.Language, chosen premises.Channel) (options []option) {
	for _, by := range premises.Channels {
		options = append(options, option{string(by), l.T(contactNames[by]), by == chosen})
	}
	return options
}

// showMove shows the form with what was typed. It does not tell who lives there:
// that would be a look at their sheet.
func (h *Handler) showMove(c echo.Context, status int, v moveView) error {
	ctx, id := c.Request().Context(), premises.DwellingID(c.Param("id"))
	d, err := h.store.Dwelling(ctx, staffOf(c), id)
	if err != nil {
		return err
	}
	place, err := h.store.Residence(ctx, staffOf(c), d.Residence)
	if err != nil {
		return err
	}
	all, err := h.store.Tenancies(ctx, staffOf(c), id)
	if err != nil {
		return err
	}
	v.Chrome = h.site.Chrome(c, "move.title")
	v.BackLink, v.Path, v.Place = ficheOf(id), ficheOf(id)+"/demenagement", doorOf(v.Language, d)+", "+place.Name
	if t, there := living(all, h.today(place)); there {
		v.Since, v.Version = v.T("move.lived_in", v.Date(t.MovedIn, h.today(place))), t.Version
		if v.Out == "" && !t.MovedOut.IsZero() {
			v.Out = t.MovedOut.String()
		}
	}
	return movePage.Render(c, status, v)
}

// living finds the tenancy that a move ends, as the store does: the first that is
// not over.
func living(all []premises.Tenancy, today civil.Date) (found premises.Tenancy, there bool) {
	for _, t := range all { // the last first
		if t.MovedOut.IsZero() || today.Before(t.MovedOut) {
			found, there = t, true
		}
	}
	return found, there
}

// move serves POST /logements/fiche/A-12/demenagement.
func (h *Handler) move(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	l := premises.Look{At: h.now(), Staff: staffOf(c), What: premises.MovedHousehold}
	m, err := readMove(c)
	if err == nil {
		_, err = h.store.Move(c.Request().Context(), l, m)
	}
	if err == nil {
		return seeOther(c, ficheOf(m.Dwelling)+"?fait=demenage")
	}
	texts, p, err := faultsOf(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	return h.showMove(c, p.StatusCode(), typedMove(c, texts))
}

func readMove(c echo.Context) (premises.Move, error) {
	f := form{c: c}
	m := premises.Move{Dwelling: premises.DwellingID(c.Param("id")), LeaverTo: premises.DwellingID(f.text("vers")), Version: f.version(),
		MovedOut: f.day("sortie", "moved_out", false), MovedIn: f.day("entree", "moved_in", false)}
	n := &m.Newcomer
	for _, name := range c.Request().Form["nom"] {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if len(n.Persons) == mostNames {
			f.fault("name", "field.too_long")
			break
		}
		person := premises.NewPerson{Name: name, Language: f.text("langue")}
		f.faults = append(f.faults, person.Faults()...)
		n.Persons = append(n.Persons, person)
	}
	if m.MovedIn.IsZero() {
		if len(n.Persons) > 0 && f.text("entree") == "" {
			f.fault("moved_in", "field.missing")
		}
		return m, f.err()
	}
	n.New = premises.Household{Occupants: f.number("occupants", "occupants"), Language: f.text("langue"),
		Contact: premises.Contact{By: premises.Channel(f.text("par")), Telephone: f.text("telephone"), Email: f.text("courriel")}}
	f.faults = append(f.faults, n.New.Faults()...)
	if len(n.Persons) == 0 {
		f.fault("name", "field.missing")
	}
	return m, f.err()
}

// typedMove keeps what was typed for the form that is shown again.
func typedMove(c echo.Context, faults []string) moveView {
	f := form{c: c}
	v := moveView{Faults: faults, Out: f.text("sortie"), In: f.text("entree"), LeaverTo: f.text("vers"), Occupants: f.text("occupants"),
		Telephone: f.text("telephone"), Email: f.text("courriel"), Languages: languages(f.text("langue")),
		Contacts: contacts(web.LanguageOf(c), premises.Channel(f.text("par")))}
	v.Names = append(v.Names, c.Request().Form["nom"]...)
	for len(v.Names) < mostNames {
		v.Names = append(v.Names, "")
	}
	v.Names = v.Names[:mostNames]
	return v
}
