package tenant

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/trainer"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A lessonItem is the training of one purchase.
type lessonItem struct {
	ID, Lead, Due, Late      string
	Open, Trained, Place     bool
	When, Where, Course      string
	Partner, Childcare, Trip string // these, the place and the course are in the staff's own words, which are French
	MayAsk                   bool
	Asked                    string
	Level                    string
	Questions                []trainer.Question
	FollowUp                 bool
	Answered                 bool
	Still, Jobs              []trainer.Choice
	Blocked, Wish            string
	Part, Fault              string // the form that was refused, and why
	Certificate              string
}

type trainingView struct {
	web.Chrome
	whose
	Done, SeeOnly      string
	Path, ComputerLink string
	Query              string
	Lessons            []lessonItem
}

var trainingPage = web.MustPage[trainingView](templates, "templates/training.html", "templates/whose.html")

// trainingDone says what ?fait= means.
var trainingDone = map[string]string{"date": "lesson.done_date", "niveau": "lesson.done_level", "suivi": "lesson.done_follow_up"}

// training serves GET /mon-ordinateur/formation.
func (h *MyComputer) training(c echo.Context) error {
	return h.showTraining(c, http.StatusOK, lessonItem{})
}

func (h *MyComputer) showTraining(c echo.Context, status int, wrong lessonItem) error {
	view := trainingView{Chrome: h.Site.Chrome(c, "lesson.title"), Path: trainingPath}
	var err error
	if view.whose, view.Query, err = h.viewed(c, view.Language); err != nil {
		return err
	}
	view.ComputerLink = computerPath + view.Query
	if key, ok := trainingDone[c.QueryParam("fait")]; ok {
		view.Done = view.T(key)
	}
	all, err := h.Store.Mine(c.Request().Context(), view.Viewer, h.Now())
	if err != nil {
		return err
	}
	if !view.Act && len(all) > 0 {
		view.SeeOnly = view.T("mydata.see_only")
	}
	for _, d := range all {
		item, err := h.lesson(c, view.Language, d, wrong)
		if err != nil {
			return err
		}
		view.Lessons = append(view.Lessons, item)
	}
	return trainingPage.Render(c, status, view)
}

func (h *MyComputer) lesson(c echo.Context, l web.Language, d training.Duty, wrong lessonItem) (lessonItem, error) {
	ctx := c.Request().Context()
	story, err := h.Store.Story(ctx, d)
	if err != nil {
		return lessonItem{}, err
	}
	today := civil.DateIn(h.Now(), d.Zone)
	item := lessonItem{ID: string(d.ID), Open: d.State == training.Open, Trained: d.State == training.Done, Wish: d.Wish,
		Due: l.T("lesson.due", l.Date(d.Due, today)), Lead: l.T(lessonLead(d))}
	if wrong.ID == item.ID {
		item.Part, item.Fault = wrong.Part, wrong.Fault
	}
	if d.Late(today) && !d.Now.State.HasPlace() {
		item.Late = l.T("lesson.late")
	}
	if !d.Asked.IsZero() {
		item.Asked = l.T("lesson.asked", l.Date(civil.DateIn(d.Asked, d.Zone), today))
	}
	if item.Trained {
		item.Certificate = trainingPath + "/attestation.pdf" + "?formation=" + url.QueryEscape(item.ID)
		if household := c.QueryParam(householdField); household != "" {
			item.Certificate += "&" + householdField + "=" + url.QueryEscape(household)
		}
	}
	session, there, err := h.Store.SessionOf(ctx, d.Now)
	if err != nil {
		return lessonItem{}, err
	}
	if there && d.Now.State.IsOpen() {
		item.session(l, session, d.Now.State, today)
	}
	item.MayAsk = item.Open && (session.Starts.IsZero() || !d.Now.State.HasPlace() || session.Starts.After(h.Now()))
	item.answers(c, l, story, today)
	return item, nil
}

// lessonLead is the key of the sentence that says how it stands.
func lessonLead(d training.Duty) string {
	switch {
	case d.State == training.Done:
		return "lesson.trained"
	case d.State == training.Exempted:
		return "lesson.exempted"
	case d.Now.State.HasPlace() && d.Now.State.IsOpen():
		return "lesson.has_place"
	case d.Now.State == training.Waiting:
		return "lesson.waiting"
	case d.Now.State == training.Invited && d.Now.Session != "":
		return "lesson.invited"
	default:
		return "lesson.to_come"
	}
}

func (i *lessonItem) session(l web.Language, s training.Session, state training.State, today civil.Date) {
	i.Place = state.HasPlace()
	i.Course, i.Where, i.Partner, i.Childcare, i.Trip = s.Course.Title, s.Place, s.Partner, s.Childcare, s.Transport
	i.When = l.T("lesson.when", l.Date(s.Day(), today), l.Clock(s.Starts.In(s.Zone)), l.Clock(s.Ends.In(s.Zone)))
}

func (i *lessonItem) answers(c echo.Context, l web.Language, story training.Story, today civil.Date) {
	p, f := story.Position, story.FollowUp
	if !p.At.IsZero() {
		i.Level = l.T(trainer.LevelKey(p.Level()))
	}
	i.Questions = trainer.Questions(c, l, p, i.Part == "niveau")
	still, jobs := string(f.StillUsed), string(f.JobSearch)
	i.Blocked, i.Answered = f.Blocked, !f.Answered.IsZero()
	switch i.Part {
	case "suivi":
		still, jobs, i.Blocked = c.FormValue("usage"), c.FormValue("emploi"), c.FormValue("blocage")
	case "date":
		i.Wish = c.FormValue("souhait")
	}
	i.Still, i.Jobs = trainer.FollowUpChoices(l, still, jobs)
	due, err := civil.ParseDate(f.Due)
	i.FollowUp = err == nil && !today.AddDays(7).Before(due)
}

// form makes a handler of a form of the page.
func (h *MyComputer) form(part string, do func(echo.Context, premises.Viewer, training.DutyID) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		w, query, err := h.viewed(c, web.LanguageOf(c))
		if err != nil {
			return err
		}
		id := training.DutyID(c.FormValue("formation"))
		failed := do(c, w.Viewer, id)
		if failed == nil {
			return c.Redirect(http.StatusSeeOther, trainingPath+and(query, "fait="+part))
		}
		text, status, err := refused(web.LanguageOf(c), failed)
		if err != nil {
			return err
		}
		return h.showTraining(c, status, lessonItem{ID: string(id), Part: part, Fault: text})
	}
}

func (h *MyComputer) anotherDate(c echo.Context, v premises.Viewer, id training.DutyID) error {
	return h.Store.AskAnotherDate(c.Request().Context(), v, id, c.FormValue("souhait"), h.Now())
}

func (h *MyComputer) level(c echo.Context, v premises.Viewer, id training.DutyID) error {
	return h.Store.PositionOf(c.Request().Context(), v, id, trainer.ReadPosition(c), h.Now())
}

func (h *MyComputer) followUp(c echo.Context, v premises.Viewer, id training.DutyID) error {
	return h.Store.FollowUpOf(c.Request().Context(), v, id, trainer.ReadFollowUp(c), h.Now())
}

// certificate serves GET /mon-ordinateur/formation/attestation.pdf?formation=.
func (h *MyComputer) certificate(c echo.Context) error {
	w, _, err := h.viewed(c, web.LanguageOf(c))
	if err != nil {
		return err
	}
	d, err := h.Store.MineByID(c.Request().Context(), w.Viewer, training.DutyID(c.QueryParam("formation")), h.Now())
	if err != nil {
		return err
	}
	file, err := h.Clerk.CertificatePDF(c.Request().Context(), d)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/pdf", file)
}
