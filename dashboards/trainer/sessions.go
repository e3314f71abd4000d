package trainer

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A sessionItem is a session in a list.
type sessionItem struct {
	Link, When, Title, Where, Places string // link is empty for who sees no names
	Off                              string
}

// A countItem is how many, of one residence.
type countItem struct{ Name, Trained, Open, Followed string }

// A planForm is what was typed for a new session.
type planForm struct {
	Typed                         training.Plan
	Capacity, MayWait             string
	Courses, Places, Trainers     []Choice
	Languages                     []Choice
	Earliest, Latest              string
	Faults                        map[string]string // by field
	Fault, CourseFault            string
	Title, About                  string
	Themes                        []Choice
	Open, CourseOpen, HasNoCourse bool
}

type sessionsView struct {
	web.Chrome
	Done         string
	Coming, Past []sessionItem
	Counts       []countItem
	Works        bool
	Plan         planForm
}

var sessionsPage = web.MustPage[sessionsView](templates, "templates/sessions.html", "templates/hidden.html")

// sessions serves GET /seances.
func (h *Handler) sessions(c echo.Context) error {
	plan := planForm{Typed: training.Plan{Language: "fr"}, Capacity: "8", MayWait: "4"}
	return h.showSessions(c, http.StatusOK, plan)
}

func (h *Handler) showSessions(c echo.Context, status int, plan planForm) error {
	view := sessionsView{Chrome: h.Site.Chrome(c, "trainer.sessions"), Works: works(c)}
	view.Done = done(c, view.Language)
	ctx, now := c.Request().Context(), h.Now()
	page := resource.Page{Limit: mostSessions}
	// A session that has begun stays among those to come until the next day: its
	// sheet is wanted.
	today := now.Add(-12 * time.Hour)
	coming, err := h.Store.Sessions(ctx, whoOf(c), training.Span{From: today, To: now.AddDate(2, 0, 0), Page: page})
	if err != nil {
		return err
	}
	past, err := h.Store.Sessions(ctx, whoOf(c), training.Span{From: now.AddDate(0, -6, 0), To: today, Page: page})
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	names := session.Has(training.Holders...)
	view.Coming, view.Past = h.items(view.Language, coming, names), h.items(view.Language, past, names)
	if session.Has(training.Counted...) {
		if err := h.counts(c, &view, &plan); err != nil {
			return err
		}
	}
	if view.Works {
		if err := h.choices(c, view.Language, &plan); err != nil {
			return err
		}
	}
	view.Plan = plan
	return sessionsPage.Render(c, status, view)
}

func (h *Handler) items(l web.Language, all []training.Session, names bool) []sessionItem {
	var items []sessionItem
	for _, s := range all {
		item := sessionItem{When: moment(l, s.Starts, s.Zone, h.Now()), Title: s.Course.Title, Where: s.Place,
			Places: l.T("trainer.taken", s.Taken, s.Capacity)}
		if s.Waiting > 0 {
			item.Places = l.T("trainer.taken_waiting", s.Taken, s.Capacity, s.Waiting)
		}
		if names {
			item.Link = sessionsPath + "/" + url.PathEscape(string(s.ID))
		}
		if !s.CalledOff.IsZero() {
			item.Off = l.T("trainer.off")
		}
		items = append(items, item)
	}
	return items
}

func (h *Handler) counts(c echo.Context, view *sessionsView, plan *planForm) error {
	all, err := h.Store.Counts(c.Request().Context(), whoOf(c), h.Now())
	if err != nil {
		return err
	}
	for _, n := range all {
		item := countItem{Name: n.ResidenceName, Trained: view.T("trainer.count_trained", n.Trained, n.Obliged),
			Open: view.T("trainer.count_open", n.Open, n.Late)}
		if n.Asked > 0 {
			item.Followed = view.T("trainer.count_followed", n.StillUsed, n.Asked, n.ForJobs)
		}
		view.Counts = append(view.Counts, item)
		plan.Places = append(plan.Places, Choice{string(n.Residence), n.ResidenceName, n.Residence == plan.Typed.Residence})
	}
	return nil
}

// choices fills in what can be chosen for a new session.
func (h *Handler) choices(c echo.Context, l web.Language, plan *planForm) error {
	courses, err := h.Store.Courses(c.Request().Context(), "", mostSessions)
	if err != nil {
		return err
	}
	for _, one := range courses {
		plan.Courses = append(plan.Courses, Choice{string(one.ID), one.Title, one.ID == plan.Typed.Course})
	}
	plan.HasNoCourse = len(courses) == 0
	trainers, err := h.Store.Trainers(c.Request().Context(), whoOf(c))
	if err != nil {
		return err
	}
	for _, one := range trainers {
		plan.Trainers = append(plan.Trainers, Choice{string(one.ID), one.Name, one.ID == plan.Typed.Trainer})
	}
	for _, code := range []string{"fr", "en"} {
		named, _ := web.ParseLanguage(code)
		plan.Languages = append(plan.Languages, Choice{code, named.T("language.name"), code == plan.Typed.Language})
	}
	for _, t := range training.Themes {
		plan.Themes = append(plan.Themes, Choice{string(t), l.T(training.ThemeKey(t)), c.FormValue("theme") == string(t)})
	}
	today := civil.DateIn(h.Now(), time.UTC)
	plan.Earliest, plan.Latest = today.String(), today.AddDays(366).String()
	return nil
}

// createSession serves POST /seances.
func (h *Handler) createSession(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	f := form{c}
	p := training.Plan{Course: training.CourseID(f.text("cours")), Residence: metering.SiteID(f.text("residence")),
		Trainer: accounts.PersonID(f.text("formateur")), Date: f.text("date"), From: f.text("debut"), To: f.text("fin"),
		Place: f.text("lieu"), Partner: f.text("partenaire"), Language: f.text("langue"), Childcare: f.text("garde"),
		Transport: f.text("trajet"), Capacity: f.number("places"), MayWait: f.number("attente")}
	typed := planForm{Typed: p, Capacity: f.text("places"), MayWait: f.text("attente"), Open: true}
	err := problem.OfFields(p.Check())
	if err == nil {
		_, err = h.Store.CreateSession(c.Request().Context(), whoOf(c), p, h.Now())
	}
	if err == nil {
		return seeOther(c, sessionsPath+"?fait=seance")
	}
	return h.refusePlan(c, typed, err)
}

// refusePlan shows the form again, each fault beside its field.
func (h *Handler) refusePlan(c echo.Context, typed planForm, refused error) error {
	l := web.LanguageOf(c)
	text, status, err := refusal(l, refused)
	if err != nil {
		return err
	}
	typed.Faults = map[string]string{}
	for _, f := range problem.Of(refused).Fields {
		typed.Faults[f.Name] = l.T(f.Message, f.Args...)
	}
	typed.Fault = text
	if len(typed.Faults) > 0 {
		typed.Fault = l.T("error.fields")
	}
	return h.showSessions(c, status, typed)
}

// createCourse serves POST /seances/cours.
func (h *Handler) createCourse(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	f := form{c}
	course := training.Course{Title: f.text("titre"), Theme: training.Theme(f.text("theme")), About: f.text("contenu")}
	err := problem.OfFields(course.Check())
	if err == nil {
		_, err = h.Store.CreateCourse(c.Request().Context(), whoOf(c), course, h.Now())
	}
	if err == nil {
		return seeOther(c, sessionsPath+"?fait=cours")
	}
	text, status, err := refusal(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	return h.showSessions(c, status, planForm{Typed: training.Plan{Language: "fr"}, Capacity: "8", MayWait: "4",
		CourseFault: text, CourseOpen: true, Title: f.text("titre"), About: f.text("contenu")})
}
