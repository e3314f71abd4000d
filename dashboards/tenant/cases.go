package tenant

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const (
	casesPath = "/alertes"
	saidField = "dire" // what a household says to a case
)

type casesView struct {
	web.Chrome
	whose
	HomeLink string
	Done     string
	Asked    []questionCard
	Open     []caseCard
	Over     []caseCard
}

var casesPage = web.MustPage[casesView](templates, "templates/cases.html", "templates/case.html", "templates/question.html", "templates/cards.html", "templates/whose.html", "templates/pictures.html", "templates/change.html")

// cases serves GET /alertes: what was found in the home, open and over.
func (h *Handler) cases(c echo.Context) error {
	view := casesView{Chrome: h.Site.Chrome(c, "mycases.title")}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	view.HomeLink, view.Done = view.link("/"), saidToCase(view.Language, c.QueryParam(doneField))
	if view.Done == "" {
		view.Done = saidToQuestion(view.Language, c.QueryParam(doneField))
	}
	if view.Asked, err = h.asked(c, view.Chrome, view.whose); err != nil {
		return err
	}
	all, err := h.found(c, view.Chrome, view.whose)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Over {
			view.Over = append(view.Over, one)
		} else {
			view.Open = append(view.Open, one)
		}
	}
	return casesPage.Render(c, http.StatusOK, view)
}

// found reads the cases of the home that is looked at, the last opened first.
func (h *Handler) found(c echo.Context, ch web.Chrome, w whose) ([]caseCard, error) {
	ctx, now := c.Request().Context(), h.Now()
	all, err := h.Alerts.Mine(ctx, w.Viewer, now)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	_, known, err := h.simply(c, w.Viewer)
	if err != nil {
		return nil, err
	}
	var cards []caseCard
	for _, k := range all {
		t := teller{Language: ch.Language, now: now, home: consumption.Home{Zone: k.Zone, Today: civil.DateIn(now, k.Zone)}}
		card := storyteller{teller: t, prices: known}.card(k, w.Act)
		card.Form, card.Token = w.link(casesPath+"/"+string(k.ID)), ch.FormToken
		if !card.Over {
			card.Call = newCall(ch, ch.T("mycases.call", ch.Advisor.Name))
			card.See, card.SeeOf = w.link(casesPath), ch.T("mycases.see")
		}
		cards = append(cards, card)
	}
	return cards, nil
}

// saidToCase thanks for what was said; empty for nothing.
func saidToCase(l web.Language, said string) string {
	switch alerts.Said(said) {
	case alerts.SaidConfirm:
		return l.T("mycases.said_confirm")
	case alerts.SaidRepaired:
		return l.T("mycases.said_repaired")
	case alerts.SaidNoLeak:
		return l.T("mycases.said_no_leak")
	default:
		return ""
	}
}

// say serves POST /alertes/{id}: what the household saw.
func (h *Handler) say(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	w, err := h.whose(c, web.LanguageOf(c))
	if err != nil {
		return err
	}
	version, unreadable := strconv.ParseInt(c.FormValue(versionField), 10, 64)
	said := alerts.Said(c.FormValue(saidField))
	if unreadable != nil || saidToCase(web.LanguageOf(c), string(said)) == "" {
		return &problem.Error{Kind: problem.Invalid, Message: "error.fields", Err: unreadable}
	}
	if err := h.Alerts.Say(c.Request().Context(), w.Viewer, h.Now(), alerts.CaseID(c.Param("id")), version, said); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, with(w.link(casesPath), doneField, string(said)))
}
