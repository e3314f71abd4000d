package trainer

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A wayItem is one way of the buyer, in words.
type wayItem struct{ What, When, Where, Reason string }

type buyerView struct {
	web.Chrome
	Done, Fault, Part      string // part names the form that the fault belongs to
	Path                   string
	Buyer                  buyerItem
	Open, Trained, Exempt  bool
	Reason                 string // of an exemption
	Ways                   []wayItem
	Level, LevelAt         string
	Questions              []Question
	FollowUp               string // when it is asked, or was answered
	CanFollow              bool
	Still, Jobs            []Choice
	Blocked, Words         string // as typed, or as kept
	CertificateLink, State string
}

var buyerPage = web.MustPage[buyerView](templates, "templates/buyer.html", "templates/hidden.html", "templates/questions.html")

// buyer serves GET /formations/{duty}, and writes the look down.
func (h *Handler) buyer(c echo.Context) error {
	d, err := h.Store.Duty(c.Request().Context(), whoOf(c), training.DutyID(c.Param("duty")), h.Now())
	if err != nil {
		return err
	}
	l := premises.Look{At: h.Now(), Staff: whoOf(c), Household: d.Household, What: training.Looked}
	if err := h.Homes.Look(c.Request().Context(), l); err != nil {
		return err
	}
	return h.showBuyer(c, d, "", trouble{status: http.StatusOK})
}

func (h *Handler) showBuyer(c echo.Context, d training.Duty, part string, t trouble) error {
	story, err := h.Store.Story(c.Request().Context(), d)
	if err != nil {
		return err
	}
	view := buyerView{Chrome: h.Site.Chrome(c, "trainer.buyer"), Fault: t.text, Part: part, Path: buyersPath + "/" + url.PathEscape(string(d.ID))}
	view.Done = done(c, view.Language)
	view.Buyer = h.buyerItem(view.Language, d, nil)
	view.Open, view.Trained, view.Exempt, view.Reason = d.State == training.Open, d.State == training.Done, d.State == training.Exempted, d.Reason
	now := h.Now()
	today := civil.DateIn(now, d.Zone)
	for _, w := range story.Ways {
		item := wayItem{What: view.T(stateKeys[w.State]), When: view.Date(civil.DateIn(w.Since, d.Zone), today), Reason: w.Reason}
		if w.Title != "" {
			item.Where = view.T("trainer.way_at", w.Title, moment(view.Language, w.Starts, d.Zone, now), w.Place)
		}
		view.Ways = append(view.Ways, item)
	}
	view.Words = c.FormValue("motif")
	view.level(c, d, story.Position, today)
	view.follow(c, story.FollowUp, today)
	if view.Trained {
		view.State = view.T("trainer.trained_on", view.Date(d.Done, today))
		view.CertificateLink = view.Path + "/attestation.pdf"
	}
	return buyerPage.Render(c, t.status, view)
}

// level fills in the five questions, with what was typed or is kept.
func (v *buyerView) level(c echo.Context, d training.Duty, p training.Position, today civil.Date) {
	if !p.At.IsZero() {
		v.Level, v.LevelAt = v.T(LevelKey(p.Level())), v.Date(civil.DateIn(p.At, d.Zone), today)
	}
	v.Questions = Questions(c, v.Language, p, v.Part == "niveau")
}

// follow fills in what is asked a month after the training.
func (v *buyerView) follow(c echo.Context, f training.FollowUp, today civil.Date) {
	still, jobs := string(f.StillUsed), string(f.JobSearch)
	v.Blocked = f.Blocked
	if v.Part == "suivi" {
		still, jobs, v.Blocked = c.FormValue("usage"), c.FormValue("emploi"), c.FormValue("blocage")
	}
	v.Still, v.Jobs = FollowUpChoices(v.Language, still, jobs)
	due, err := civil.ParseDate(f.Due)
	if err != nil {
		return // nobody was trained
	}
	v.CanFollow = !today.AddDays(7).Before(due)
	v.FollowUp = v.T("trainer.follow_up_on", v.Date(due, today))
	if !f.Answered.IsZero() {
		v.FollowUp = v.T("trainer.follow_up_answered")
	}
}

// change makes a handler of a form on the buyer's page: what it does is done
// once, and a refusal stands beside the form.
func (h *Handler) change(part string, do func(echo.Context, training.DutyID) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		id := training.DutyID(c.Param("duty"))
		refused := do(c, id)
		if refused == nil {
			return seeOther(c, buyersPath+"/"+url.PathEscape(string(id))+"?fait="+part)
		}
		text, status, err := refusal(web.LanguageOf(c), refused)
		if err != nil {
			return err
		}
		d, err := h.Store.Duty(c.Request().Context(), whoOf(c), id, h.Now())
		if err != nil {
			return err
		}
		return h.showBuyer(c, d, part, trouble{id, text, status})
	}
}

func (h *Handler) excuse(c echo.Context, id training.DutyID) error {
	return h.Store.Excuse(c.Request().Context(), whoOf(c), id, c.FormValue("motif"), h.Now())
}

func (h *Handler) exempt(c echo.Context, id training.DutyID) error {
	return h.Store.Exempt(c.Request().Context(), whoOf(c), id, c.FormValue("motif"), h.Now())
}

func (h *Handler) reopen(c echo.Context, id training.DutyID) error {
	return h.Store.Reopen(c.Request().Context(), whoOf(c), id, h.Now())
}

func (h *Handler) position(c echo.Context, id training.DutyID) error {
	return h.Store.PositionFor(c.Request().Context(), whoOf(c), id, ReadPosition(c), h.Now())
}

func (h *Handler) followUp(c echo.Context, id training.DutyID) error {
	return h.Store.FollowUpFor(c.Request().Context(), whoOf(c), id, ReadFollowUp(c), h.Now())
}

// certificate serves GET /formations/{duty}/attestation.pdf.
func (h *Handler) certificate(c echo.Context) error {
	d, err := h.Store.Duty(c.Request().Context(), whoOf(c), training.DutyID(c.Param("duty")), h.Now())
	if err != nil {
		return err
	}
	file, err := h.Clerk.CertificatePDF(c.Request().Context(), d)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/pdf", file)
}
