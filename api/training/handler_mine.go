package training

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A mineBody is a training as the buyer sees it.
type mineBody struct {
	ID       DutyID        `json:"id"`
	Name     string        `json:"name"`
	Since    civil.Date    `json:"since"`
	Due      civil.Date    `json:"due"`
	State    DutyState     `json:"state"`
	Done     *civil.Date   `json:"done,omitempty"`
	Asked    *time.Time    `json:"asked,omitempty"`
	Wish     string        `json:"wish,omitempty"`
	Ways     []wayBody     `json:"ways"`
	Position *levelBody    `json:"position,omitempty"`
	FollowUp *followUpBody `json:"follow_up,omitempty"`
	Session  *sessionBody  `json:"session,omitempty"` // of the last way
}

// mine serves GET /training/mine?household=.
func (h *Handler) mine(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	all, err := h.Store.Mine(ctx, viewerOf(c), h.Now())
	if err != nil {
		return err
	}
	answers := []mineBody{}
	for _, d := range all {
		b, err := h.bodyOfMine(c, d)
		if err != nil {
			return err
		}
		answers = append(answers, b)
	}
	page.Limit = max(page.Limit, len(answers))
	return resource.AnswerList(c, page, answers, func(b mineBody) string { return string(b.ID) })
}

func (h *Handler) bodyOfMine(c echo.Context, d Duty) (mineBody, error) {
	ctx := c.Request().Context()
	story, err := h.Store.Story(ctx, d)
	if err != nil {
		return mineBody{}, err
	}
	whole := h.bodyOfStory(d, story)
	b := mineBody{d.ID, d.Name, d.Since, d.Due, d.State, whole.Done, whole.Asked, d.Wish, whole.Ways, whole.Position, whole.FollowUp, nil}
	session, there, err := h.Store.SessionOf(ctx, d.Now)
	if err != nil || !there {
		return b, err
	}
	told := bodyOfSession(session)
	b.Session = &told
	return b, nil
}

// mineDone answers with the training as it is now.
func (h *Handler) mineDone(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	d, err := h.Store.MineByID(c.Request().Context(), viewerOf(c), DutyID(c.Param("id")), h.Now())
	if err != nil {
		return err
	}
	b, err := h.bodyOfMine(c, d)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, b)
}

type wishBody struct {
	Wish string `json:"wish"`
}

// Check leaves the wish to the store.
func (b *wishBody) Check() []problem.Field { return nil }

// anotherDate serves POST /training/mine/{id}/another-date.
func (h *Handler) anotherDate(c echo.Context) error {
	sent, err := resource.Decode[wishBody](c)
	if err != nil {
		return err
	}
	return h.mineDone(c, h.Store.AskAnotherDate(c.Request().Context(), viewerOf(c), DutyID(c.Param("id")), sent.Wish, h.Now()))
}

// positionOf serves PUT /training/mine/{id}/position.
func (h *Handler) positionOf(c echo.Context) error {
	sent, err := resource.Decode[positionBody](c)
	if err != nil {
		return err
	}
	return h.mineDone(c, h.Store.PositionOf(c.Request().Context(), viewerOf(c), DutyID(c.Param("id")), sent.position, h.Now()))
}

// followUpOf serves PUT /training/mine/{id}/follow-up.
func (h *Handler) followUpOf(c echo.Context) error {
	sent, err := resource.Decode[followUpBody](c)
	if err != nil {
		return err
	}
	return h.mineDone(c, h.Store.FollowUpOf(c.Request().Context(), viewerOf(c), DutyID(c.Param("id")), sent.followUp(), h.Now()))
}

// myCertificate serves GET /training/mine/{id}/certificate.
func (h *Handler) myCertificate(c echo.Context) error {
	d, err := h.Store.MineByID(c.Request().Context(), viewerOf(c), DutyID(c.Param("id")), h.Now())
	if err != nil {
		return err
	}
	return h.sendCertificate(c, d)
}

type callBody struct {
	Enrolment EnrolmentID `json:"enrolment"`
	Days      int         `json:"days_before"`
	Duty      DutyID      `json:"duty"`
	Name      string      `json:"name"`
	Telephone string      `json:"telephone"`
	Title     string      `json:"title"`
	Place     string      `json:"place"`
	Starts    time.Time   `json:"starts"`
}

// calls serves GET /training/calls: at most 200 reminders by telephone.
func (h *Handler) calls(c echo.Context) error {
	all, err := h.Store.Calls(c.Request().Context(), whoOf(c), h.Now())
	if err != nil {
		return err
	}
	answers := resource.Mapped(all, func(k Call) callBody {
		return callBody{k.Enrolment, k.Days, k.Duty, k.Name, k.Telephone, k.Title, k.Place, k.Starts}
	})
	return resource.AnswerList(c, resource.Page{Limit: len(answers)}, answers, func(b callBody) string { return string(b.Enrolment) })
}

type letterBody struct {
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`
	Duty  DutyID    `json:"duty"`
	Name  string    `json:"name"`
	Asked time.Time `json:"asked"`
}

// letters serves GET /training/letters: at most 50 that wait to be printed.
func (h *Handler) letters(c echo.Context) error {
	all, err := h.Clerk.Letters(c.Request().Context(), whoOf(c))
	if err != nil {
		return err
	}
	answers := resource.Mapped(all, func(l Letter) letterBody { return letterBody{l.ID, l.Kind, l.Duty, l.Name, l.Asked} })
	return resource.AnswerList(c, resource.Page{Limit: len(answers)}, answers, func(b letterBody) string { return b.ID })
}

type printBody struct {
	Letters []string `json:"letters"`
}

// Check leaves the number to the clerk.
func (b *printBody) Check() []problem.Field { return nil }

// print serves POST /training/letters/print: one PDF, and they wait no more.
func (h *Handler) print(c echo.Context) error {
	sent, err := resource.Decode[printBody](c)
	if err != nil {
		return err
	}
	file, err := h.Clerk.Print(c.Request().Context(), whoOf(c), sent.Letters)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, pdf, file)
}

type countsBody struct {
	Residence metering.SiteID `json:"residence"`
	Name      string          `json:"name"`
	Obliged   int             `json:"obliged"`
	Trained   int             `json:"trained"`
	Exempted  int             `json:"exempted"`
	Open      int             `json:"open"`
	Late      int             `json:"late"`
	OnTheWay  int             `json:"on_the_way"`
	Uninvited int             `json:"uninvited"`
	Sessions  int             `json:"sessions_held"`
	ToCome    int             `json:"sessions_to_come"`
	Asked     int             `json:"followed_up"`
	StillUsed int             `json:"still_used"`
	ForJobs   int             `json:"for_job_search"`
}

// counts serves GET /training/counts: how many, by residence, and nobody by name.
func (h *Handler) counts(c echo.Context) error {
	all, err := h.Store.Counts(c.Request().Context(), whoOf(c), h.Now())
	if err != nil {
		return err
	}
	answers := resource.Mapped(all, func(n Counts) countsBody {
		return countsBody{n.Residence, n.ResidenceName, n.Obliged, n.Trained, n.Exempted, n.Open, n.Late, n.OnTheWay, n.Uninvited,
			n.Sessions, n.ToCome, n.Asked, n.StillUsed, n.ForJobs}
	})
	return resource.AnswerList(c, resource.Page{Limit: len(answers)}, answers, func(b countsBody) string { return string(b.Residence) })
}
