package training

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Looked is what the log of accesses says of who of the staff opened a buyer's
// sheet.
const Looked premises.What = "look.training"

// Who may do what; in which residences is the affair of each query.
var (
	Workers = []accounts.Role{accounts.Advisor, accounts.Administrator}                                     // on duties and plans
	Holders = []accounts.Role{accounts.Trainer, accounts.Advisor, accounts.Administrator}                   // of sessions, with names
	Readers = []accounts.Role{accounts.Trainer, accounts.Advisor, accounts.Manager, accounts.Administrator} // of sessions, without
	Counted = []accounts.Role{accounts.Advisor, accounts.Manager, accounts.Administrator}                   // of how many
)

// A Handler serves trainings as JSON.
type Handler struct {
	Store *Store
	Clerk *Clerk
	Homes *premises.Store
	Once  *resource.Once
	Now   func() time.Time
}

// Register adds the routes below /api/v1. No program's token comes by.
func (h *Handler) Register(g *echo.Group) {
	workers, holders := accounts.Staff(accounts.NoScope, Workers...), accounts.Staff(accounts.NoScope, Holders...)
	readers, counted := accounts.Staff(accounts.NoScope, Readers...), accounts.Staff(accounts.NoScope, Counted...)
	own, once := accounts.Anyone(accounts.NoScope), h.Once.Middleware
	t := g.Group("/training")
	t.GET("/courses", h.courses, readers)
	t.POST("/courses", h.createCourse, workers, once)
	t.GET("/sessions", h.sessions, readers)
	t.POST("/sessions", h.createSession, workers, once)
	t.GET("/sessions/:id", h.session, readers)
	t.PATCH("/sessions/:id", h.updateSession, workers)
	t.POST("/sessions/:id/cancellation", h.callOff, workers, once)
	t.GET("/sessions/:id/sheet", h.sheet, holders)
	t.GET("/sessions/:id/sheet.pdf", h.sheetPDF, holders)
	t.PUT("/sessions/:id/attendance", h.record, holders)
	t.GET("/duties", h.duties, workers)
	t.GET("/duties/:id", h.duty, workers)
	t.POST("/duties/:id/invitation", h.invite, workers, once)
	t.POST("/duties/:id/enrolment", h.enrol, workers, once)
	t.POST("/duties/:id/excuse", h.excuse, workers, once)
	t.POST("/duties/:id/exemption", h.exempt, workers, once)
	t.DELETE("/duties/:id/exemption", h.reopen, workers)
	t.PUT("/duties/:id/position", h.positionFor, workers)
	t.PUT("/duties/:id/follow-up", h.followUpFor, workers)
	t.GET("/duties/:id/certificate", h.certificate, workers)
	t.GET("/follow-ups", h.followUps, workers)
	t.GET("/calls", h.calls, workers)
	t.POST("/calls/:id/:days", h.called, workers, once)
	t.GET("/letters", h.letters, workers)
	t.POST("/letters/print", h.print, workers)
	t.GET("/counts", h.counts, counted)
	t.GET("/mine", h.mine, own)
	t.POST("/mine/:id/another-date", h.anotherDate, own, once)
	t.PUT("/mine/:id/position", h.positionOf, own)
	t.PUT("/mine/:id/follow-up", h.followUpOf, own)
	t.GET("/mine/:id/certificate", h.myCertificate, own)
}

func whoOf(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

func viewerOf(c echo.Context) premises.Viewer {
	return premises.Viewer{Person: whoOf(c), Household: premises.HouseholdID(c.QueryParam("household"))}
}

type courseBody struct {
	ID    CourseID `json:"id,omitempty"`
	Title string   `json:"title"`
	Theme Theme    `json:"theme"`
	About string   `json:"about"`
}

// Check returns the faults of the fields; an id is given, not chosen.
func (b *courseBody) Check() []problem.Field {
	c := Course{Title: b.Title, Theme: b.Theme, About: b.About}
	faults := c.Check()
	if b.ID != "" {
		faults = append(faults, problem.Field{Name: "id", Message: "field.fixed"})
	}
	b.Title, b.About = c.Title, c.About
	return faults
}

func bodyOfCourse(c Course) courseBody { return courseBody(c) }

// courses serves GET /training/courses.
func (h *Handler) courses(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	all, err := h.Store.Courses(c.Request().Context(), CourseID(page.After), page.Limit+1)
	if err != nil {
		return err
	}
	return resource.AnswerList(c, page, resource.Mapped(all, bodyOfCourse), func(b courseBody) string { return string(b.ID) })
}

// createCourse serves POST /training/courses.
func (h *Handler) createCourse(c echo.Context) error {
	sent, err := resource.Decode[courseBody](c)
	if err != nil {
		return err
	}
	made, err := h.Store.CreateCourse(c.Request().Context(), whoOf(c), Course{Title: sent.Title, Theme: sent.Theme, About: sent.About}, h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, bodyOfCourse(made))
}

// notesBody are the fields of a session that may change.
type notesBody struct {
	Trainer   accounts.PersonID `json:"trainer"`
	Place     string            `json:"place"`
	Partner   string            `json:"partner"`
	Language  string            `json:"language"`
	Childcare string            `json:"childcare"`
	Transport string            `json:"transport"`
	Capacity  int               `json:"capacity"`
	MayWait   int               `json:"may_wait"`
}

// Check brings the texts into their normal form.
func (b *notesBody) Check() []problem.Field {
	n := Notes(*b)
	faults := n.Check()
	*b = notesBody(n)
	return faults
}

type planBody struct {
	Course    CourseID        `json:"course"`
	Residence metering.SiteID `json:"residence"`
	Date      string          `json:"date"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	notesBody

	plan Plan
}

// Check returns the faults of the fields.
func (b *planBody) Check() []problem.Field {
	n := b.notesBody
	b.plan = Plan{Course: b.Course, Residence: b.Residence, Date: b.Date, From: b.From, To: b.To, Trainer: n.Trainer, Place: n.Place,
		Partner: n.Partner, Language: n.Language, Childcare: n.Childcare, Transport: n.Transport, Capacity: n.Capacity, MayWait: n.MayWait}
	return b.plan.Check()
}

// A sessionBody tells how many places are taken and never by whom.
type sessionBody struct {
	ID        SessionID         `json:"id"`
	Course    CourseID          `json:"course"`
	Title     string            `json:"title"`
	Theme     Theme             `json:"theme"`
	Residence metering.SiteID   `json:"residence"`
	Trainer   accounts.PersonID `json:"trainer,omitempty"`
	Starts    time.Time         `json:"starts"`
	Ends      time.Time         `json:"ends"`
	Place     string            `json:"place"`
	Partner   string            `json:"partner"`
	Language  string            `json:"language"`
	Childcare string            `json:"childcare"`
	Transport string            `json:"transport"`
	Capacity  int               `json:"capacity"`
	Taken     int               `json:"taken"`
	Free      int               `json:"free"`
	MayWait   int               `json:"may_wait"`
	Waiting   int               `json:"waiting"`
	CalledOff *time.Time        `json:"called_off,omitempty"`
}

// String is its cell in a CSV list of something else: its id.
func (b sessionBody) String() string { return string(b.ID) }

func bodyOfSession(s Session) sessionBody {
	b := sessionBody{s.ID, s.Course.ID, s.Course.Title, s.Course.Theme, s.Residence, s.Trainer, s.Starts, s.Ends, s.Place, s.Partner,
		s.Language, s.Childcare, s.Transport, s.Capacity, s.Taken, s.Free(), s.MayWait, s.Waiting, orNil(s.CalledOff)}
	return b
}

// orNil is nil for no instant, so that JSON leaves it out.
func orNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// sessions serves GET /training/sessions?from=&to=: those to come, by default.
func (h *Handler) sessions(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	span := Span{Residence: metering.SiteID(c.QueryParam("residence")), From: h.Now(), To: h.Now().AddDate(2, 0, 0), Page: page}
	if len(span.Residence) > 100 {
		return problem.OfFields([]problem.Field{{Name: "residence", Message: "field.too_long", Args: []any{100}}})
	}
	for _, bound := range []struct {
		name string
		at   *time.Time
	}{{"from", &span.From}, {"to", &span.To}} {
		if typed := c.QueryParam(bound.name); typed != "" {
			if *bound.at, err = time.Parse(time.RFC3339, typed); err != nil {
				return problem.OfFields([]problem.Field{{Name: bound.name, Message: "field.malformed"}})
			}
		}
	}
	all, err := h.Store.Sessions(c.Request().Context(), whoOf(c), span)
	if err != nil {
		return err
	}
	return resource.AnswerList(c, page, resource.Mapped(all, bodyOfSession), func(b sessionBody) string { return string(b.ID) })
}

// createSession serves POST /training/sessions.
func (h *Handler) createSession(c echo.Context) error {
	sent, err := resource.Decode[planBody](c)
	if err != nil {
		return err
	}
	made, err := h.Store.CreateSession(c.Request().Context(), whoOf(c), sent.plan, h.Now())
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/training/sessions/"+string(made.ID))
	return resource.Answer(c, http.StatusCreated, made.Version, bodyOfSession(made))
}

// session serves GET /training/sessions/{id}.
func (h *Handler) session(c echo.Context) error {
	s, err := h.Store.Session(c.Request().Context(), whoOf(c), SessionID(c.Param("id")))
	if err != nil {
		return err
	}
	// The places change without the session: no answer from before is the same.
	c.Request().Header.Del("If-None-Match")
	return resource.Answer(c, http.StatusOK, s.Version, bodyOfSession(s))
}

// updateSession serves PATCH /training/sessions/{id}: all fields that may change.
func (h *Handler) updateSession(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[notesBody](c)
	if err != nil {
		return err
	}
	if err := h.Store.UpdateSession(c.Request().Context(), whoOf(c), SessionID(c.Param("id")), Notes(sent), version, h.Now()); err != nil {
		return err
	}
	return h.session(c)
}

// callOff serves POST /training/sessions/{id}/cancellation.
func (h *Handler) callOff(c echo.Context) error {
	if err := h.Store.CallOff(c.Request().Context(), whoOf(c), SessionID(c.Param("id")), h.Now()); err != nil {
		return err
	}
	return h.session(c)
}

type rowBody struct {
	Enrolment EnrolmentID `json:"enrolment"`
	Seat      int         `json:"seat"`
	Name      string      `json:"name"`
	State     State       `json:"state"`
}

type sheetBody struct {
	sessionBody
	Rows []rowBody `json:"rows"`
}

// sheet serves GET /training/sessions/{id}/sheet: names, and nothing else of who
// comes.
func (h *Handler) sheet(c echo.Context) error {
	session, rows, err := h.Store.Sheet(c.Request().Context(), whoOf(c), SessionID(c.Param("id")))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, sheetBody{bodyOfSession(session), resource.Mapped(rows, func(r Row) rowBody { return rowBody{r.ID, r.Seat, r.Name, r.State} })})
}

// sheetPDF serves GET /training/sessions/{id}/sheet.pdf.
func (h *Handler) sheetPDF(c echo.Context) error {
	session, _ := accounts.Who(c)
	file, err := h.Clerk.SheetPDF(c.Request().Context(), session.Person.ID, SessionID(c.Param("id")), session.Person.Language)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, pdf, file)
}

const pdf = "application/pdf"

type marksBody struct {
	Marks []markBody `json:"marks"`
}

type markBody struct {
	Enrolment EnrolmentID `json:"enrolment"`
	Present   *bool       `json:"present"`
}

// Check holds that every mark says yes or no.
func (b *marksBody) Check() []problem.Field {
	if len(b.Marks) == 0 || len(b.Marks) > mostSeats {
		return []problem.Field{{Name: "marks", Message: "field.out_of_range", Args: []any{1, mostSeats}}}
	}
	for _, m := range b.Marks {
		if m.Present == nil {
			return []problem.Field{{Name: "marks", Message: "field.missing"}}
		}
	}
	return nil
}

// record serves PUT /training/sessions/{id}/attendance.
func (h *Handler) record(c echo.Context) error {
	sent, err := resource.Decode[marksBody](c)
	if err != nil {
		return err
	}
	marks := resource.Mapped(sent.Marks, func(m markBody) Mark { return Mark{m.Enrolment, *m.Present} })
	if err := h.Store.Record(c.Request().Context(), whoOf(c), SessionID(c.Param("id")), marks, h.Now()); err != nil {
		return err
	}
	return h.sheet(c)
}
