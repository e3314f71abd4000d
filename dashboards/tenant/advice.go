package tenant

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const (
	advicePath   = "/conseils"
	answerField  = "reponse" // what a household says to a tip
	versionField = "version" // of what was answered
	backField    = "retour"  // the page that the form stood on
	doneField    = "fait"    // what was done, for the page that is led to
	homePlace    = "accueil" // of backField
)

// An adviceView is the tips of a home, as they stand on a page.
type adviceView struct {
	Urgent, Tips, Taken, Answered []tipCard
	Rights                        []tipCard
	Done                          string // what the reader just said; empty for nothing
}

// none reports whether there is nothing to show.
func (v adviceView) none() bool {
	return len(v.Urgent)+len(v.Tips)+len(v.Taken)+len(v.Answered) == 0
}

// leaveLeaks leaves out what is told as an alert.
func (v *adviceView) leaveLeaks() {
	leak := func(t tipCard) bool { return t.leak }
	v.Urgent, v.Tips = slices.DeleteFunc(v.Urgent, leak), slices.DeleteFunc(v.Tips, leak)
}

type tipsView struct {
	web.Chrome
	whose
	adviceView
	HomeLink  string
	HouseLink string // to what the household says about its home
	None      bool
}

var tipsPage = web.MustPage[tipsView](templates, "templates/tips.html", "templates/tip.html", "templates/cards.html", "templates/whose.html", "templates/change.html")

// tips serves GET /conseils: all tips of the home with their state.
func (h *Handler) tips(c echo.Context) error {
	view := tipsView{Chrome: h.Site.Chrome(c, "mytips.title")}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	view.HomeLink, view.HouseLink = view.link("/"), view.link(housePath)
	if view.adviceView, err = h.advice(c, view.Chrome, view.whose, ""); err != nil {
		return err
	}
	view.None = view.none()
	return tipsPage.Render(c, http.StatusOK, view)
}

// advice reads the tips of the home that is looked at; place names the page that
// their forms stand on.
func (h *Handler) advice(c echo.Context, ch web.Chrome, w whose, place string) (adviceView, error) {
	l, now := ch.Language, h.Now()
	shown, err := h.Tips.Shown(c.Request().Context(), w.Viewer, now)
	if err != nil {
		return adviceView{}, err
	}
	view := adviceView{Done: saidToTip(l, c.QueryParam(doneField))}
	for _, part := range []struct {
		kept []tips.Kept
		to   *[]tipCard
	}{{shown.Urgent, &view.Urgent}, {shown.Tips, &view.Tips}, {shown.Taken, &view.Taken}, {shown.Answered, &view.Answered}, {shown.Rights, &view.Rights}} {
		for _, k := range part.kept {
			t := adviser{teller: teller{Language: l, now: now, home: consumption.Home{Zone: k.Zone, Today: civil.DateIn(now, k.Zone)}}}
			card := t.card(k, w.Act)
			card.Form, card.Place, card.Token = w.link(advicePath+"/"+string(k.ID)), place, ch.FormToken
			if k.Entry.Role == tips.Urgent || k.Entry.Role == tips.Comfort {
				card.Call = newCall(ch, ch.T("home.call", ch.Advisor.Name))
			}
			*part.to = append(*part.to, card)
		}
	}
	return view, nil
}

// saidToTip thanks for an answer, and says what comes of it; empty for none.
func saidToTip(l web.Language, said string) string {
	switch tips.Answered(said) {
	case tips.Doing:
		return l.T("mytips.said_doing")
	case tips.Done:
		return l.T("mytips.said_done")
	case tips.NotHere:
		return l.T("mytips.said_not_here")
	default:
		return ""
	}
}

// answer serves POST /conseils/{id}: "je le fais", "déjà fait" or "pas chez moi".
func (h *Handler) answer(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	w, err := h.whose(c, web.LanguageOf(c))
	if err != nil {
		return err
	}
	version, unreadable := strconv.ParseInt(c.FormValue(versionField), 10, 64)
	said := tips.Answered(c.FormValue(answerField))
	if unreadable != nil || saidToTip(web.LanguageOf(c), string(said)) == "" {
		return &problem.Error{Kind: problem.Invalid, Message: "error.fields", Err: unreadable}
	}
	id := tips.InstanceID(c.Param("id"))
	if err := h.Tips.Answer(c.Request().Context(), w.Viewer, h.Now(), id, version, said); err != nil {
		return err
	}
	back := advicePath
	if c.FormValue(backField) == homePlace {
		back = "/"
	}
	return c.Redirect(http.StatusSeeOther, with(w.link(back), doneField, string(said))+"#conseils")
}
