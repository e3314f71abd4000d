package workshop

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// stockView is what is on the shelf; for who may see machines, also the list of
// those in one state.
type stockView struct {
	web.Chrome
	Places  []link
	Where   string
	Cover   judged
	Waiting string
	// WaitingPath is the address of the waiting list; empty for who may not read it.
	WaitingPath string
	Share       string
	Failed      string
	States      []stateLine
	Listed      string // the state whose machines are listed; empty for none
	Machines    []link
	Next        string
	HasDesk     bool // the reader has the workshop's page to go back to
}

type stateLine struct {
	Name, Count, Path string
	Here              bool
}

var stockPage = web.MustPage[stockView](templates, "templates/stock.html", "templates/places.html")

// pageOf is how many machines a list shows at once.
const pageOf = 50

// stock serves GET /atelier/stock, with ?etat= the machines in a state.
func (h *Handler) stock(c echo.Context) error {
	view := stockView{Chrome: h.Site.Chrome(c, "workshop.stock"), HasDesk: may(c, computers.Readers)}
	here, places, err := h.place(c, Path+"/stock")
	if err != nil {
		return err
	}
	view.Places, view.Where = places, here.Name
	if may(c, computers.Sellers) {
		view.WaitingPath = waitingPath(here.ID)
	}
	st, err := h.Machines.Stock(c.Request().Context(), who(c), here.ID, h.Now())
	if err != nil {
		return err
	}
	view.count(c, st)
	if state := computers.State(c.QueryParam("etat")); state != "" && may(c, computers.Readers) {
		if states[state] == "" {
			return computers.ErrNone
		}
		if err := h.listState(c, &view, here.ID, state); err != nil {
			return err
		}
	}
	return stockPage.Render(c, http.StatusOK, view)
}

// cover says how long the used machines last.
func cover(l web.Language, st computers.Stock) judged {
	free := st.ReadyUsed
	switch {
	case st.CoverTenths < 0:
		return judged{l.T("workshop.cover_unknown", free), !st.Alert}
	case st.Alert:
		text := l.T("workshop.cover_short", free, weeks(l, st.CoverTenths))
		if st.CoverTenths < computers.EnoughTenths { // else they are fewer than the households that wait
			text += " " + l.T("workshop.cover_needs", weeks(l, computers.EnoughTenths))
		}
		return judged{text, false}
	}
	return judged{l.T("workshop.cover_enough", free, weeks(l, st.CoverTenths)), true}
}

// count fills the figures of the shelf.
func (v *stockView) count(c echo.Context, st computers.Stock) {
	v.Cover = cover(v.Language, st)
	v.Waiting = v.T("workshop.waiting", st.Waiting)
	if st.SoldEver > 0 {
		v.Share, v.Failed = v.T("workshop.used_share", st.UsedEver, st.SoldEver), v.T("workshop.failed_early", st.Failed)
	}
	for _, s := range computers.States {
		one := stateLine{Name: v.T(states[s]), Count: v.Number(float64(st.ByState[s]), 0), Here: c.QueryParam("etat") == string(s)}
		if st.ByState[s] > 0 && may(c, computers.Readers) {
			one.Path = Path + "/stock?" + url.Values{"residence": {string(st.Residence)}, "etat": {string(s)}}.Encode() + "#liste"
		}
		v.States = append(v.States, one)
	}
}

func (h *Handler) listState(c echo.Context, view *stockView, residence metering.SiteID, state computers.State) error {
	view.Listed = view.T(states[state])
	page := resource.Page{After: c.QueryParam("apres"), Limit: pageOf}
	all, err := h.Machines.Machines(c.Request().Context(), who(c), computers.MachineFilter{Residence: residence, State: state}, page, h.Now())
	if err != nil {
		return err
	}
	if len(all) > pageOf {
		all = all[:pageOf]
		view.Next = Path + "/stock?" + url.Values{"residence": {string(residence)}, "etat": {string(state)}, "apres": {all[pageOf-1].Tag}}.Encode() + "#liste"
	}
	for _, m := range all {
		view.Machines = append(view.Machines, link{Path: machinePath(m.ID), Name: m.Tag, More: what(view.Language, m)})
	}
	return nil
}

// weeks says how long the stock lasts: tenths of a week, with a decimal only where
// there is one.
func weeks(l web.Language, tenths int) string {
	decimals := 1
	if tenths%10 == 0 {
		decimals = 0
	}
	number := l.Number(float64(tenths)/10, decimals)
	if tenths == 10 || tenths < 20 && l.Code() == "fr" {
		return l.T("workshop.week", number)
	}
	return l.T("workshop.weeks", number)
}
