package training

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A wayBody is one way to a training.
type wayBody struct {
	ID      EnrolmentID `json:"id"`
	State   State       `json:"state"`
	Since   time.Time   `json:"since"`
	Session SessionID   `json:"session,omitempty"`
	Seat    int         `json:"seat,omitempty"`
	Starts  *time.Time  `json:"starts,omitempty"`
	Reason  string      `json:"reason,omitempty"`
}

// String is the way's cell in a CSV list: its state.
func (b wayBody) String() string { return string(b.State) }

func bodyOfWay(w Way) wayBody {
	return wayBody{w.ID, w.State, w.Since, w.Session, w.Seat, orNil(w.Starts), w.Reason}
}

// A dutyBody is a duty as staff see it.
type dutyBody struct {
	ID        DutyID               `json:"id"`
	Household premises.HouseholdID `json:"household"`
	Person    accounts.PersonID    `json:"person"`
	Name      string               `json:"name"`
	Telephone string               `json:"telephone"`
	ContactBy premises.Channel     `json:"contact_by"`
	Residence metering.SiteID      `json:"residence"`
	Dwelling  premises.DwellingID  `json:"dwelling,omitempty"`
	Since     civil.Date           `json:"since"`
	Due       civil.Date           `json:"due"`
	Late      bool                 `json:"late"`
	State     DutyState            `json:"state"`
	Done      *civil.Date          `json:"done,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	Asked     *time.Time           `json:"asked,omitempty"`
	Wish      string               `json:"wish,omitempty"`
	Now       *wayBody             `json:"now,omitempty"`
}

func (h *Handler) bodyOfDuty(d Duty) dutyBody {
	b := dutyBody{d.ID, d.Household, d.Person, d.Name, d.Telephone, d.ContactBy, d.Residence, d.Door.ID, d.Since, d.Due,
		d.Late(civil.DateIn(h.Now(), d.Zone)), d.State, nil, d.Reason, orNil(d.Asked), d.Wish, nil}
	if !d.Done.IsZero() {
		b.Done = &d.Done
	}
	if d.Now.ID != "" {
		way := bodyOfWay(d.Now)
		b.Now = &way
	}
	return b
}

// duties serves GET /training/duties?state=open: by default the buyers who are
// not trained, who asked for another date first, then by the last day.
func (h *Handler) duties(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	f := Filter{Residence: metering.SiteID(c.QueryParam("residence")), State: DutyState(c.QueryParam("state")), Page: page}
	switch f.State {
	case "", Open, Done, Exempted:
	default:
		return problem.OfFields([]problem.Field{{Name: "state", Message: "field.not_one_of", Args: []any{"open, done, exempted"}}})
	}
	all, err := h.Store.Duties(c.Request().Context(), whoOf(c), f, h.Now())
	if err != nil {
		return err
	}
	return resource.AnswerList(c, page, resource.Mapped(all, h.bodyOfDuty), func(b dutyBody) string { return string(b.ID) })
}

// followUps serves GET /training/follow-ups: who is to be asked how it goes.
func (h *Handler) followUps(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	all, err := h.Store.FollowUps(c.Request().Context(), whoOf(c), page, h.Now())
	if err != nil {
		return err
	}
	return resource.AnswerList(c, page, resource.Mapped(all, h.bodyOfDuty), func(b dutyBody) string { return string(b.ID) })
}

// A positionBody is five answers from 0 to 3.
type positionBody struct {
	Computer *int `json:"computer"`
	Internet *int `json:"internet"`
	Mail     *int `json:"mail"`
	Forms    *int `json:"forms"`
	Safety   *int `json:"safety"`

	position Position
}

// Check wants every question answered.
func (b *positionBody) Check() []problem.Field {
	var faults []problem.Field
	for _, a := range []struct {
		name string
		sent *int
		into *int
	}{{"computer", b.Computer, &b.position.Computer}, {"internet", b.Internet, &b.position.Internet}, {"mail", b.Mail, &b.position.Mail},
		{"forms", b.Forms, &b.position.Forms}, {"safety", b.Safety, &b.position.Safety}} {
		if a.sent == nil {
			faults = append(faults, problem.Field{Name: a.name, Message: "field.missing"})
			continue
		}
		*a.into = *a.sent
	}
	return append(faults, b.position.Check()...)
}

type levelBody struct {
	Level    Level     `json:"level"`
	At       time.Time `json:"at"`
	Computer int       `json:"computer"`
	Internet int       `json:"internet"`
	Mail     int       `json:"mail"`
	Forms    int       `json:"forms"`
	Safety   int       `json:"safety"`
}

// String is its cell in a CSV list.
func (b levelBody) String() string { return string(b.Level) }

// A followUpBody is what is asked a month later, and what was answered.
type followUpBody struct {
	Due       string     `json:"due,omitempty"`
	Answered  *time.Time `json:"answered,omitempty"`
	StillUsed StillUsed  `json:"still_used,omitempty"`
	JobSearch JobSearch  `json:"job_search,omitempty"`
	Blocked   string     `json:"blocked,omitempty"`
}

// String is its cell in a CSV list: whether the computer is used.
func (b followUpBody) String() string { return string(b.StillUsed) }

// Check wants the two answers; what is set by us is not sent.
func (b *followUpBody) Check() []problem.Field {
	f := FollowUp{StillUsed: b.StillUsed, JobSearch: b.JobSearch, Blocked: b.Blocked}
	faults := f.Check()
	if b.Due != "" || b.Answered != nil {
		faults = append(faults, problem.Field{Name: "due", Message: "field.fixed"})
	}
	b.Blocked = f.Blocked
	return faults
}

func (b followUpBody) followUp() FollowUp {
	return FollowUp{StillUsed: b.StillUsed, JobSearch: b.JobSearch, Blocked: b.Blocked}
}

// A storyBody is a duty with all that is kept of it.
type storyBody struct {
	dutyBody
	Ways     []wayBody     `json:"ways"`
	Position *levelBody    `json:"position,omitempty"`
	FollowUp *followUpBody `json:"follow_up,omitempty"`
}

// duty serves GET /training/duties/{id}, and writes the look down.
func (h *Handler) duty(c echo.Context) error {
	ctx := c.Request().Context()
	d, err := h.Store.Duty(ctx, whoOf(c), DutyID(c.Param("id")), h.Now())
	if err != nil {
		return err
	}
	l := premises.Look{At: h.Now(), Staff: whoOf(c), Household: d.Household, What: Looked, Reason: c.QueryParam("reason")}
	if err := h.Homes.Look(ctx, l); err != nil {
		return err
	}
	return h.answerDuty(c, d)
}

func (h *Handler) answerDuty(c echo.Context, d Duty) error {
	story, err := h.Store.Story(c.Request().Context(), d)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, h.bodyOfStory(d, story))
}

func (h *Handler) bodyOfStory(d Duty, story Story) storyBody {
	b := storyBody{dutyBody: h.bodyOfDuty(d), Ways: resource.Mapped(story.Ways, func(t Told) wayBody { return bodyOfWay(t.Way) })}
	if p := story.Position; !p.At.IsZero() {
		b.Position = &levelBody{p.Level(), p.At, p.Computer, p.Internet, p.Mail, p.Forms, p.Safety}
	}
	if f := story.FollowUp; f.Due != "" {
		b.FollowUp = &followUpBody{f.Due, orNil(f.Answered), f.StillUsed, f.JobSearch, f.Blocked}
	}
	return b
}

// done answers with the duty as it is now.
func (h *Handler) done(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	d, err := h.Store.Duty(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), h.Now())
	if err != nil {
		return err
	}
	return h.answerDuty(c, d)
}

type choiceBody struct {
	Session SessionID `json:"session"`
	Wait    bool      `json:"wait"`
}

// Check holds the length of the id.
func (b *choiceBody) Check() []problem.Field {
	if len(b.Session) > 64 {
		return []problem.Field{{Name: "session", Message: "field.too_long", Args: []any{64}}}
	}
	return nil
}

// invite serves POST /training/duties/{id}/invitation.
func (h *Handler) invite(c echo.Context) error {
	sent, err := resource.Decode[choiceBody](c)
	if err != nil {
		return err
	}
	return h.done(c, h.Store.Invite(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), sent.Session, h.Now()))
}

// enrol serves POST /training/duties/{id}/enrolment.
func (h *Handler) enrol(c echo.Context) error {
	sent, err := resource.Decode[choiceBody](c)
	if err != nil {
		return err
	}
	return h.done(c, h.Store.Enrol(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), sent.Session, sent.Wait, h.Now()))
}

type reasonBody struct {
	Reason string `json:"reason"`
}

// Check leaves the reason to the store, which knows whether one is needed.
func (b *reasonBody) Check() []problem.Field { return nil }

// excuse serves POST /training/duties/{id}/excuse.
func (h *Handler) excuse(c echo.Context) error {
	sent, err := resource.Decode[reasonBody](c)
	if err != nil {
		return err
	}
	return h.done(c, h.Store.Excuse(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), sent.Reason, h.Now()))
}

// exempt serves POST /training/duties/{id}/exemption.
func (h *Handler) exempt(c echo.Context) error {
	sent, err := resource.Decode[reasonBody](c)
	if err != nil {
		return err
	}
	return h.done(c, h.Store.Exempt(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), sent.Reason, h.Now()))
}

// reopen serves DELETE /training/duties/{id}/exemption.
func (h *Handler) reopen(c echo.Context) error {
	if err := h.Store.Reopen(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// positionFor serves PUT /training/duties/{id}/position.
func (h *Handler) positionFor(c echo.Context) error {
	sent, err := resource.Decode[positionBody](c)
	if err != nil {
		return err
	}
	return h.done(c, h.Store.PositionFor(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), sent.position, h.Now()))
}

// followUpFor serves PUT /training/duties/{id}/follow-up.
func (h *Handler) followUpFor(c echo.Context) error {
	sent, err := resource.Decode[followUpBody](c)
	if err != nil {
		return err
	}
	return h.done(c, h.Store.FollowUpFor(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), sent.followUp(), h.Now()))
}

// certificate serves GET /training/duties/{id}/certificate.
func (h *Handler) certificate(c echo.Context) error {
	d, err := h.Store.Duty(c.Request().Context(), whoOf(c), DutyID(c.Param("id")), h.Now())
	if err != nil {
		return err
	}
	return h.sendCertificate(c, d)
}

func (h *Handler) sendCertificate(c echo.Context, d Duty) error {
	file, err := h.Clerk.CertificatePDF(c.Request().Context(), d)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, pdf, file)
}

// called serves POST /training/calls/{id}/{days}.
func (h *Handler) called(c echo.Context) error {
	days, err := strconv.Atoi(c.Param("days"))
	if err != nil {
		return ErrNoReminder
	}
	if err := h.Store.Called(c.Request().Context(), whoOf(c), EnrolmentID(c.Param("id")), days, h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
