package tenant

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	questionPath = casesPath + "/questions"
	ownedField   = "eau" // what a household says of the water that it is asked about
)

// A questionCard asks whether water was drawn on purpose.
type questionCard struct {
	ID, Form, Token string
	Title           string
	Lines           []string
	Ours, NotOurs   string // the buttons; empty for who may only look
	Call            *call
}

// asked reads what the home that is looked at is asked.
func (h *Handler) asked(c echo.Context, ch web.Chrome, w whose) (cards []questionCard, err error) {
	now := h.Now()
	all, err := h.Alerts.Questions(c.Request().Context(), w.Viewer, now)
	for _, q := range all {
		s := storyteller{teller: teller{Language: ch.Language, now: now, home: consumption.Home{Zone: q.Zone, Today: civil.DateIn(now, q.Zone)}}}
		card := questionCard{ID: string(q.ID), Form: w.link(questionPath + "/" + string(q.ID)), Token: ch.FormToken, Title: ch.T("mycases.ask"),
			Lines: s.question(q.Finding), Call: newCall(ch, ch.T("mycases.ask_call", ch.Advisor.Name))}
		if w.Act {
			card.Ours, card.NotOurs = ch.T("mycases.ours"), ch.T("mycases.not_ours")
		}
		cards = append(cards, card)
	}
	return cards, err
}

// question says how much more ran than usual, and that it may be well.
func (s storyteller) question(f alerts.Finding) []string {
	much := s.T("mycases.ask_seen", s.day(f.Since.Latest.Add(-1)), s.perHour(f.Flow))
	if f.Source == alerts.FromDays {
		more := s.WholeLitres(float64(f.Flow.Likely) / 1000 * f.DayWindow.Hours())
		much = s.T("mycases.ask_day", s.day(f.Since.Earliest), more)
	}
	lines := []string{much, s.T("mycases.ask_why")}
	if f.Why.Kind == metering.HotWater {
		lines = append(lines, s.T("mycases.ask_hot"))
	}
	return lines
}

// own serves POST /alertes/questions/{id}: it was us, or it was not.
func (h *Handler) own(c echo.Context) error {
	w, err := h.formOf(c)
	if err != nil {
		return err
	}
	said := alerts.Owned(c.FormValue(ownedField))
	if saidToQuestion(web.LanguageOf(c), string(said)) == "" {
		return &problem.Error{Kind: problem.Invalid, Message: "error.fields"}
	}
	if err := h.Alerts.Own(c.Request().Context(), w.Viewer, h.Now(), alerts.QuestionID(c.Param("id")), said); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, with(w.link(casesPath), doneField, string(said)))
}

// saidToQuestion thanks for an answer, and says what to do now; empty for nothing.
func saidToQuestion(l web.Language, said string) string {
	switch alerts.Owned(said) {
	case alerts.Ours:
		return l.T("mycases.said_ours")
	case alerts.NotOurs:
		return l.T("mycases.said_not_ours")
	default:
		return ""
	}
}
