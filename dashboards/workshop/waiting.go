package workshop

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// waitingView is the list of the households that wait for a computer, the first
// that asked first, and the form that adds one.
type waitingView struct {
	web.Chrome
	Places    []link
	Done      string
	Shelf     []string // what is ready, of each kind
	Ready     string   // address of the list of those; empty for none
	Lines     []waitLine
	Find      finder // while no household is chosen
	Household string
	Form      form
}

type waitLine struct {
	Door, Names, More string
	Withdraw          form
}

var waitingPage = web.MustPage[waitingView](templates, "templates/waiting.html", "templates/places.html", "templates/find.html", "templates/form.html")

// waitingPath is the list of a residence.
func waitingPath(residence metering.SiteID) string {
	return Path + "/attente?" + url.Values{"residence": {string(residence)}}.Encode()
}

// waiting serves GET /atelier/attente, with ?recherche= households to add and with
// ?foyer= the form for one.
func (h *Handler) waiting(c echo.Context) error { return h.showWaiting(c, nil) }

func (h *Handler) showWaiting(c echo.Context, p *problem.Error) error {
	view := waitingView{Chrome: h.Site.Chrome(c, "workshop.waiting_title")}
	here, places, err := h.place(c, Path+"/attente")
	if err != nil {
		return err
	}
	view.Places = places
	if key := map[string]string{"attente": "workshop.done_wait", "retrait": "workshop.done_withdraw"}[c.QueryParam("fait")]; key != "" {
		view.Done = view.T(key)
	}
	today := civil.DateIn(h.Now(), here.Zone)
	if err := h.shelf(c, &view, here); err != nil {
		return err
	}
	if err := h.waitLines(c, &view, here, today); err != nil {
		return err
	}
	if household := premises.HouseholdID(c.FormValue("foyer")); household != "" {
		err = h.waitForm(c, &view, here, household, today)
	} else {
		view.Find, err = h.find(c, view.Language, Path+"/attente", here.ID, option{ID: "residence", Name: string(here.ID)})
	}
	if err != nil {
		return err
	}
	if p != nil {
		view.Form.refused(c, view.Language, p)
	}
	return waitingPage.Render(c, statusOf(p), view)
}

// shelf says what is ready for those who wait.
func (h *Handler) shelf(c echo.Context, view *waitingView, here place) error {
	st, err := h.Machines.Stock(c.Request().Context(), who(c), here.ID, h.Now())
	if err != nil {
		return err
	}
	view.Shelf = []string{view.T("workshop.ready_used", st.ReadyUsed), view.T("workshop.ready_new", st.ReadyNew)}
	if st.ReadyUsed+st.ReadyNew > 0 {
		view.Ready = Path + "/stock?" + url.Values{"residence": {string(here.ID)}, "etat": {string(computers.Ready)}}.Encode() + "#liste"
	}
	return nil
}

func (h *Handler) waitLines(c echo.Context, view *waitingView, here place, today civil.Date) error {
	all, err := h.Machines.Waiting(c.Request().Context(), who(c), here.ID, h.Now())
	if err != nil {
		return err
	}
	l := view.Language
	for _, w := range all {
		one := waitLine{Door: l.T("workshop.household", string(w.Household)), Names: strings.Join(w.Names, ", "),
			More: joined(l.T(kinds[w.Kind]), l.T("workshop.asked_since", l.Date(w.Asked, today)))}
		if w.Door.Label != "" {
			one.Door = l.Door(w.Door.Label, w.Door.Building, w.Door.Staircase)
		}
		one.Withdraw = form{Slug: "retrait-" + string(w.ID), Path: Path + "/attente/" + url.PathEscape(string(w.ID)) + "/retrait?" + url.Values{"residence": {string(here.ID)}}.Encode(),
			Token: token(c), Button: l.T("workshop.do_withdraw"), Hidden: []option{newPress()}}
		view.Lines = append(view.Lines, one)
	}
	return nil
}

func (h *Handler) waitForm(c echo.Context, view *waitingView, here place, household premises.HouseholdID, today civil.Date) error {
	l := view.Language
	named, _, err := h.chosen(c, l, household, today)
	if err != nil {
		return err
	}
	view.Household, view.Find.Path = named, waitingPath(here.ID)
	asked := dayField(l, "jour", "workshop.asked_on_day", today)
	asked.Of = "asked_on"
	view.Form = form{Slug: "attente", Path: waitingPath(here.ID), Token: token(c), Title: l.T("workshop.act_wait"), Button: l.T("workshop.do_wait"),
		Hidden: []option{newPress(), {ID: "foyer", Name: string(household)}},
		Fields: []field{field{Name: "sorte", Of: "kind", Label: l.T("workshop.kind"), Look: oneOf, Options: options(l, []computers.Kind{computers.Used, computers.New}, kinds), Needed: true}.chosen(string(computers.Used)), asked}}
	return nil
}

// enlist serves POST /atelier/attente.
func (h *Handler) enlist(c echo.Context) error {
	return h.send(c, func() (string, error) {
		here, _, err := h.place(c, Path+"/attente")
		if err != nil {
			return "", err
		}
		t := &typed{c: c}
		w := computers.Wait{Residence: here.ID, Household: premises.HouseholdID(t.words("foyer", "household", true, mostName)),
			Kind: pick(t, "sorte", "kind", []computers.Kind{computers.Used, computers.New}), Asked: t.day("jour", "asked_on")}
		if err := t.err(); err != nil {
			return "", err
		}
		_, err = h.Machines.Enlist(c.Request().Context(), who(c), w, h.Now())
		return waitingPath(here.ID) + "&fait=attente", err
	}, func(p *problem.Error) error { return h.showWaiting(c, p) })
}

// withdraw serves POST /atelier/attente/{id}/retrait. One that is off the list
// already is taken off once.
func (h *Handler) withdraw(c echo.Context) error {
	return h.send(c, func() (string, error) {
		here, _, err := h.place(c, Path+"/attente")
		if err != nil {
			return "", err
		}
		err = h.Machines.Withdraw(c.Request().Context(), who(c), computers.WaitID(c.Param("id")), h.Now())
		return waitingPath(here.ID) + "&fait=retrait", err
	}, func(*problem.Error) error { return c.Redirect(http.StatusSeeOther, Path+"/attente") })
}
