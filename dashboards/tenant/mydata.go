package tenant

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// myDataPath is the page on which a household decides what is read of it.
const myDataPath = "/mes-donnees"

// MyData serves the page and its forms.
type MyData struct {
	Site     *web.Site
	Homes    *premises.Store
	Consents *consent.Handler
	Now      func() time.Time
	// Invite draws a code for a helper who has no way in yet.
	Invite func(ctx context.Context, helper accounts.PersonID) (code string, err error)

	erasing sync.Mutex // held while an erasure is ordered
}

// Register adds the page's routes.
func (h *MyData) Register(e *echo.Echo) {
	g := e.Group(myDataPath, accounts.Anyone(accounts.NoScope), web.Once())
	g.GET("", h.page)
	g.POST("/accords/:purpose", h.agree)
	g.POST("/accords/:purpose/fin", h.disagree)
	g.GET("/fichier", h.file)
	g.GET("/effacer", h.eraseForm)
	g.POST("/effacer", h.erase)
	g.POST("/aidants", h.addHelper)
	g.POST("/aidants/:id/fin", h.endHelper)
	g.GET("/*", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, myDataPath) })
}

type myDataView struct {
	web.Chrome
	Done, NoHome, Of, SeeOnly string
	Act, Own                  bool
	Query                     string // ?foyer=… of every form; empty at home
	Purposes                  []purposeView
	Former                    []string
	Erasures                  []erasureView
	Looks, MoreLooks          []lookView
	Helpers                   []helperView
	Helper                    helperForm
}

// A purposeView is one question and what was answered.
type purposeView struct {
	Purpose, Title   string
	Text, Effect     []string
	Given            bool
	Since, Until     string
	How, Version     string
	Fault            string
	TextVersion      int
	TextVersionShown int
}

type erasureView struct{ What, Why, When string }

type lookView struct{ Who, What, Why string }

type helperView struct {
	ID, Name, Scope, Until string
	Version                int64
}

// A helperForm is what was typed, and what came of it.
type helperForm struct {
	Name, To, Scope      string
	NameFault, DateFault string
	Fault                string
	Earliest, Latest     string
	Code, CodeOf, Known  string
	Open                 bool
}

var myDataPage = web.MustPage[myDataView](templates, "templates/mydata.html")

// page serves GET /mes-donnees.
func (h *MyData) page(c echo.Context) error {
	view, err := h.view(c)
	if err != nil {
		return err
	}
	if key, ok := myDataDone[c.QueryParam("fait")]; ok {
		view.Done = view.T(key)
	}
	return myDataPage.Render(c, http.StatusOK, view)
}

func (h *MyData) viewer(c echo.Context) premises.Viewer {
	session, _ := accounts.Who(c)
	return premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(c.QueryParam(householdField))}
}

// sight returns what the reader may see of the household that the address names;
// who has no home of their own sees the first that they help.
func (h *MyData) sight(c echo.Context) (premises.Sight, error) {
	v := h.viewer(c)
	sight, err := h.Homes.Seen(c.Request().Context(), v, h.Now())
	if v.Household != "" || !isNone(err) {
		return sight, err
	}
	all, failed := h.Homes.Households(c.Request().Context(), v.Person, h.Now())
	if failed != nil {
		return premises.Sight{}, failed
	}
	if len(all) == 0 {
		return premises.Sight{}, err
	}
	return all[0], nil
}

func (h *MyData) view(c echo.Context) (myDataView, error) {
	view := myDataView{Chrome: h.Site.Chrome(c, "mydata.title")}
	sight, err := h.sight(c)
	if isNone(err) && c.QueryParam(householdField) == "" {
		view.NoHome = view.T("mydata.none")
		return view, nil
	}
	if err != nil {
		return view, err
	}
	view.Act, view.Own = sight.Act, sight.Own
	if !sight.Own {
		view.Query = "?" + householdField + "=" + url.QueryEscape(string(sight.Household))
		view.Of = view.T("mydata.of", sight.Giver)
		if !sight.Act {
			view.SeeOnly = view.T("mydata.see_only")
		}
	}
	whom := watched{sight, premises.Viewer{Person: h.viewer(c).Person, Household: sight.Household}}
	for _, fill := range []func(context.Context, *myDataView, watched) error{h.consents, h.erasures, h.looks, h.helpers} {
		if err := fill(c.Request().Context(), &view, whom); err != nil {
			return view, err
		}
	}
	return view, nil
}

// watched is the household of the page, and who reads it.
type watched struct {
	premises.Sight
	viewer premises.Viewer
}

func (h *MyData) consents(ctx context.Context, view *myDataView, w watched) error {
	all, err := h.Consents.Store.Consents(ctx, w.Sight)
	if err != nil {
		return err
	}
	now := h.Now()
	day := func(at time.Time) string { return view.Date(civil.DateIn(at, w.Zone), civil.Date{}) }
	for _, t := range purposeTexts {
		p := purposeView{Purpose: string(t.purpose), Title: view.T(t.title), Effect: sentences(view.Language, t.effect),
			TextVersion: t.purpose.TextVersion()}
		p.TextVersionShown = p.TextVersion
		for _, c := range all {
			if c.Purpose != t.purpose || !c.Holds(now) {
				continue
			}
			p.Given, p.TextVersionShown = true, c.TextVersion
			p.Since, p.Until = view.T("mydata.since", day(c.From)), view.T("mydata.until", day(c.To))
			if key, ok := channelTexts[c.Channel]; ok {
				p.How = view.T(key)
			}
			break
		}
		p.Text = sentences(view.Language, t.versions[min(p.TextVersionShown, len(t.versions))-1])
		p.Version = view.T("mydata.version", p.TextVersionShown)
		view.Purposes = append(view.Purposes, p)
	}
	for _, c := range all {
		if t, ok := textOf(c.Purpose); ok && c.EndedWhy != "" {
			view.Former = append(view.Former, view.T(endingTexts[c.EndedWhy], view.T(t.title), day(c.From), day(c.Ended)))
		}
	}
	return nil
}

// patience is how long an erasure may wait before the page says that it does.
const patience = 5 * time.Minute

func (h *MyData) erasures(ctx context.Context, view *myDataView, w watched) error {
	all, err := h.Consents.Store.Erasures(ctx, w.Sight)
	if err != nil {
		return err
	}
	now := h.Now()
	moment := func(at time.Time) string {
		local := at.In(w.Zone)
		return view.Date(civil.DateOf(local), civil.DateIn(now, w.Zone)) + ", " + view.Clock(local)
	}
	for _, e := range all {
		v := erasureView{What: view.T(erasedTexts[e.What]), Why: view.T(whyTexts[e.Why])}
		switch {
		case !e.Done.IsZero():
			v.When = view.T("mydata.was", moment(e.Done))
		case now.Sub(e.Asked) > patience:
			v.When = view.T("mydata.will_be_later", moment(e.Asked))
		default:
			v.When = view.T("mydata.will_be", moment(e.Asked))
		}
		view.Erasures = append(view.Erasures, v)
	}
	return nil
}

// firstLooks is how many looks the page shows before it folds the rest.
const firstLooks = 5

func (h *MyData) looks(ctx context.Context, view *myDataView, w watched) error {
	all, err := h.Homes.Looks(ctx, w.viewer, h.Now())
	if err != nil {
		return err
	}
	for _, l := range all {
		name := l.Name
		if name == "" {
			name = view.T("mydata.looks_unknown")
		}
		local := l.At.In(w.Zone)
		when := view.Date(civil.DateOf(local), civil.DateIn(h.Now(), w.Zone)) + ", " + view.Clock(local)
		v := lookView{Who: view.T("mydata.look", when, name, view.T("role."+string(l.Role))), What: view.T(string(l.What))}
		if l.Reason != "" {
			v.Why = view.T("mydata.why", l.Reason)
		}
		view.Looks = append(view.Looks, v)
	}
	if len(view.Looks) > firstLooks {
		view.MoreLooks = slices.Clone(view.Looks[firstLooks:])
		view.Looks = view.Looks[:firstLooks]
	}
	return nil
}

func (h *MyData) helpers(ctx context.Context, view *myDataView, w watched) error {
	if !w.Own {
		return nil
	}
	today := civil.DateIn(h.Now(), w.Zone)
	given, _, err := h.Homes.Mandates(ctx, w.viewer, h.Now())
	if err != nil {
		return err
	}
	for _, m := range given {
		if !m.Lasts(today) {
			continue
		}
		scope := "mydata.helper_see"
		if m.Scope == premises.Act {
			scope = "mydata.helper_act"
		}
		view.Helpers = append(view.Helpers, helperView{ID: string(m.ID), Name: m.HelperName, Scope: view.T(scope),
			Until: view.T("mydata.helper_until", view.Date(m.To.AddDays(-1), civil.Date{})), Version: m.Version})
	}
	view.Helper.Earliest, view.Helper.Latest = today.String(), today.AddDays(mostHelperDays).String()
	view.Helper.To = today.AddDays(365).String()
	return nil
}
