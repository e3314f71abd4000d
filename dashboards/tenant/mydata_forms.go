package tenant

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// back leads to the page of the same household, which says what was done.
func (h *MyData) back(c echo.Context, done string) error {
	query := url.Values{"fait": {done}}
	if household := c.QueryParam(householdField); household != "" {
		query.Set(householdField, household)
	}
	return c.Redirect(http.StatusSeeOther, myDataPath+"?"+query.Encode())
}

// agree serves POST /mes-donnees/accords/{purpose}: the box must be ticked.
func (h *MyData) agree(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	t, ok := textOf(consent.Purpose(c.Param("purpose")))
	if !ok {
		return consent.ErrNone
	}
	if c.FormValue("oui") != "1" {
		return h.notTicked(c, t)
	}
	version, err := strconv.Atoi(c.FormValue("texte"))
	if err != nil {
		return consent.ErrOtherText
	}
	d := consent.Decision{Purpose: t.purpose, TextVersion: version, Language: web.LanguageOf(c).Code(), Channel: consent.OnPage, At: h.Now()}
	if err := h.Consents.Decide(c.Request().Context(), h.viewer(c), d, true); err != nil {
		return err
	}
	return h.back(c, "oui")
}

func (h *MyData) notTicked(c echo.Context, t purposeText) error {
	view, err := h.view(c)
	if err != nil {
		return err
	}
	for i := range view.Purposes {
		if view.Purposes[i].Purpose == string(t.purpose) {
			view.Purposes[i].Fault = view.T("mydata.not_ticked")
		}
	}
	return myDataPage.Render(c, http.StatusUnprocessableEntity, view)
}

// disagree serves POST /mes-donnees/accords/{purpose}/fin.
func (h *MyData) disagree(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	t, ok := textOf(consent.Purpose(c.Param("purpose")))
	if !ok {
		return consent.ErrNone
	}
	d := consent.Decision{Purpose: t.purpose, Channel: consent.OnPage, At: h.Now()}
	if err := h.Consents.Decide(c.Request().Context(), h.viewer(c), d, false); err != nil {
		return err
	}
	return h.back(c, "non")
}

// file serves GET /mes-donnees/fichier: the archive.
func (h *MyData) file(c echo.Context) error { return h.Consents.Export(c, h.viewer(c)) }

type eraseView struct {
	web.Chrome
	Of, Query, Fault, Seen string
	Fine, All              bool
}

// seenField bears when the last erasure was asked for that the form knew of, in
// milliseconds: sent twice, from two tabs, or again after Back, it asks once.
const seenField = "vu"

var erasePage = web.MustPage[eraseView](templates, "templates/mydata_erase.html")

// eraseForm serves GET /mes-donnees/effacer: what stays, and why, before anything
// is done.
func (h *MyData) eraseForm(c echo.Context) error { return h.showErase(c, http.StatusOK, "") }

func (h *MyData) showErase(c echo.Context, status int, fault string) error {
	sight, err := h.sight(c)
	if err != nil {
		return err
	}
	if !sight.Act {
		return &problem.Error{Kind: problem.NotFound, Message: "tenancy.none"}
	}
	view := eraseView{Chrome: h.Site.Chrome(c, "erase.title"), Fine: c.FormValue("quoi") == "fin", All: c.FormValue("quoi") == "tout"}
	if fault != "" {
		view.Fault = view.T(fault)
	}
	if !sight.Own {
		view.Of = view.T("mydata.of", sight.Giver)
		view.Query = "?" + householdField + "=" + url.QueryEscape(string(sight.Household))
	}
	last, err := h.lastWish(c.Request().Context(), sight, consent.Fine)
	if err != nil {
		return err
	}
	view.Seen = strconv.FormatInt(last, 10)
	c.Response().Header().Set("Cache-Control", "no-store")
	return erasePage.Render(c, status, view)
}

// lastWish is when the household last asked for an erasure of that much or more, in
// milliseconds since 1970; 0 for never.
func (h *MyData) lastWish(ctx context.Context, sight premises.Sight, what consent.What) (last int64, err error) {
	all, err := h.Consents.Store.Erasures(ctx, sight)
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		if e.Why == consent.ByRequest && (e.What == what || e.What == consent.All) {
			last = max(last, e.Asked.UnixMilli())
		}
	}
	return last, nil
}

// erase serves POST /mes-donnees/effacer.
func (h *MyData) erase(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	what, ok := map[string]consent.What{"fin": consent.Fine, "tout": consent.All}[c.FormValue("quoi")]
	switch {
	case !ok:
		return h.showErase(c, http.StatusUnprocessableEntity, "erase.not_chosen")
	case c.FormValue("lu") != "1":
		return h.showErase(c, http.StatusUnprocessableEntity, "erase.not_ticked")
	}
	if err := h.eraseOnce(c, what); err != nil {
		return err
	}
	return h.back(c, "efface")
}

// eraseOnce orders the erasure unless one of as much was ordered since the form was
// shown.
func (h *MyData) eraseOnce(c echo.Context, what consent.What) error {
	h.erasing.Lock()
	defer h.erasing.Unlock()
	sight, err := h.Homes.Seen(c.Request().Context(), h.viewer(c), h.Now())
	if err != nil {
		return err
	}
	last, err := h.lastWish(c.Request().Context(), sight, what)
	if err != nil {
		return err
	}
	if seen, _ := strconv.ParseInt(c.FormValue(seenField), 10, 64); last > seen && sight.Act {
		return nil
	}
	return h.Consents.Erase(c.Request().Context(), h.viewer(c), what)
}

const (
	mostHelperDays = 3 * 366
	longestHelper  = 200
)

// addHelper serves POST /mes-donnees/aidants. The code of a new helper is shown
// once, in the answer itself: it is kept nowhere.
func (h *MyData) addHelper(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	form := helperForm{Name: strings.Join(strings.Fields(c.FormValue("nom")), " "), To: c.FormValue("jusqu"), Scope: c.FormValue("portee"), Open: true}
	m, err := h.give(c, form)
	if err != nil {
		return h.showHelper(c, form, err)
	}
	form = helperForm{Open: true}
	language := web.LanguageOf(c)
	if m.Invited {
		form.Known = language.T("mydata.helper_known", m.HelperName)
		return h.showHelper(c, form, nil)
	}
	if form.Code, err = h.Invite(c.Request().Context(), m.Helper); err != nil {
		return err
	}
	form.CodeOf = language.T("mydata.helper_code", m.HelperName)
	return h.showHelper(c, form, nil)
}

func (h *MyData) give(c echo.Context, form helperForm) (premises.Mandate, error) {
	last, err := civil.ParseDate(form.To)
	if err != nil {
		return premises.Mandate{}, problem.OfFields([]problem.Field{{Name: "to", Message: "field.no_date"}})
	}
	if n := len([]rune(form.Name)); n < 2 || n > longestHelper {
		return premises.Mandate{}, problem.OfFields([]problem.Field{{Name: "helper_name", Message: "field.missing"}})
	}
	scope := premises.See
	if form.Scope == string(premises.Act) {
		scope = premises.Act
	}
	// The last day is the one that was typed.
	n := premises.NewMandate{HelperName: form.Name, Language: web.LanguageOf(c).Code(), Scope: scope, To: last.AddDays(1)}
	if err := problem.OfFields(n.Faults()); err != nil {
		return premises.Mandate{}, err
	}
	return h.Homes.CreateMandate(c.Request().Context(), h.viewer(c), n, h.Now())
}

func (h *MyData) showHelper(c echo.Context, form helperForm, failed error) error {
	status := http.StatusOK
	if failed != nil {
		p := problem.Of(failed)
		if p.Kind != problem.Invalid && p.Kind != problem.Conflict {
			return failed
		}
		status = p.StatusCode()
		form.explain(web.LanguageOf(c), p)
	}
	view, err := h.view(c)
	if err != nil {
		return err
	}
	form.Earliest, form.Latest = view.Helper.Earliest, view.Helper.Latest
	if form.To == "" {
		form.To = view.Helper.To
	}
	view.Helper = form
	return myDataPage.Render(c, status, view)
}

// explain says beside each field what is wrong with it.
func (f *helperForm) explain(l web.Language, p *problem.Error) {
	if len(p.Fields) == 0 {
		f.Fault = web.Sentence(l, p)
	}
	for _, field := range p.Fields {
		if field.Name == "to" {
			f.DateFault = l.T("mydata.helper_date")
		} else {
			f.NameFault = l.T("mydata.helper_fault")
		}
	}
}

// endHelper serves POST /mes-donnees/aidants/{id}/fin.
func (h *MyData) endHelper(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	version, err := strconv.ParseInt(c.FormValue("version"), 10, 64)
	if err != nil {
		return &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: err}
	}
	v := h.viewer(c)
	if err := h.Homes.RevokeMandate(c.Request().Context(), v, premises.MandateID(c.Param("id")), version, h.Now()); err != nil {
		return err
	}
	return h.back(c, "aidant-termine")
}
