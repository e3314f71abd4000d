package accounts

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

// A Handler serves the JSON of accounts. All but signing in and out is for
// browsers: no program's token changes who may come in or what they may do.
//
// Answers that bear a secret (a code, a token) stand behind no idempotency key,
// because what is kept for a repetition would be the secret in clear.
type Handler struct {
	door  *Door
	clerk *Clerk
	once  *resource.Once
}

// NewHandler returns the handler; once stands before creations without secrets.
func NewHandler(door *Door, clerk *Clerk, once *resource.Once) *Handler {
	return &Handler{door: door, clerk: clerk, once: once}
}

// Register adds the routes below /api/v1.
func (h *Handler) Register(g *echo.Group) {
	g.POST("/session", h.signIn)
	g.DELETE("/session", h.signOut)
	g.POST("/session/email", h.askCode)
	g.POST("/session/email/code", h.signInByEmail)
	own := Anyone(NoScope)
	g.GET("/session", h.session, own)
	g.GET("/sessions", h.sessions, own)
	g.DELETE("/sessions", h.endSessions, own)
	g.DELETE("/sessions/:id", h.endSession, own)
	g.GET("/access", h.access, own)
	g.PUT("/access/password", h.setPassword, own)
	g.DELETE("/access/password", h.dropPassword, own)
	g.POST("/access/email", h.askEmail, own)
	g.POST("/access/email/code", h.confirmEmail, own)
	g.DELETE("/access/email", h.dropEmail, own)
	g.GET("/tokens", h.tokens, own)
	g.POST("/tokens", h.newToken, own)
	g.DELETE("/tokens/:id", h.dropToken, own)
	h.registerStaff(g)
}

// longestTyped bounds what is typed at the door, beyond what can be right.
const longestTyped = 1000

func tooLong(field, text string, most int) []problem.Field {
	if len(text) > most {
		return []problem.Field{{Name: field, Message: "field.too_long", Args: []any{most}}}
	}
	return nil
}

type signInBody struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Check wants a code, or a name and a password.
func (b *signInBody) Check() []problem.Field {
	faults := append(tooLong("name", b.Name, longestEmail), tooLong("password", b.Password, longestTyped)...)
	if b.Code != "" && (b.Name != "" || b.Password != "") {
		faults = append(faults, problem.Field{Name: "code", Message: "field.unknown"})
	}
	return faults
}

// signIn serves POST /session {code} or {name, password}: 204 and a cookie.
func (h *Handler) signIn(c echo.Context) error {
	sent, err := resource.Decode[signInBody](c)
	if err != nil {
		return err
	}
	if sent.Name != "" || sent.Password != "" {
		err = h.door.EnterByPassword(c, sent.Name, sent.Password)
	} else {
		err = h.door.Enter(c, sent.Code)
	}
	return none(c, err)
}

// none answers 204 unless something went wrong.
func none(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// signOut serves DELETE /session: 204, with or without one. Another site cannot
// send it: browsers ask first, and the program refuses.
func (h *Handler) signOut(c echo.Context) error { return none(c, h.door.Leave(c)) }

type emailBody struct {
	Email string `json:"email"`
}

// Check leaves the address to who reads it.
func (b *emailBody) Check() []problem.Field { return tooLong("email", b.Email, longestTyped) }

type codeBody struct {
	Code string `json:"code"`
}

// Check wants a code of a sensible length.
func (b *codeBody) Check() []problem.Field { return tooLong("code", b.Code, longestTyped) }

// askCode serves POST /session/email {email}: 204 and a cookie, whosever the
// address is.
func (h *Handler) askCode(c echo.Context) error {
	sent, err := resource.Decode[emailBody](c)
	if err != nil {
		return err
	}
	return none(c, h.door.AskCode(c, sent.Email))
}

// signInByEmail serves POST /session/email/code {code}: 204 and a cookie.
func (h *Handler) signInByEmail(c echo.Context) error {
	sent, err := resource.Decode[codeBody](c)
	if err != nil {
		return err
	}
	return none(c, h.door.EnterByEmail(c, sent.Code))
}

type sessionAnswer struct {
	Person   PersonID  `json:"person"`
	Name     string    `json:"name"`
	Language string    `json:"language"`
	Roles    []Role    `json:"roles"`
	Way      Way       `json:"way"`
	Opened   time.Time `json:"opened"`
	Expires  time.Time `json:"expires"`
}

// session serves GET /session: who is signed in.
func (h *Handler) session(c echo.Context) error {
	s, _ := Who(c)
	return c.JSON(http.StatusOK, sessionAnswer{s.Person.ID, s.Person.Name, s.Person.Language,
		append([]Role{}, s.Roles...), s.Way, s.Opened, s.Expires})
}

type visitAnswer struct {
	ID      SessionID `json:"id"`
	Way     Way       `json:"way"`
	Browser string    `json:"browser"`
	Opened  time.Time `json:"opened"`
	Seen    time.Time `json:"seen"`
	Current bool      `json:"current"`
}

// sessions serves GET /sessions: the caller's own, at most 20.
func (h *Handler) sessions(c echo.Context) error {
	session, _ := Who(c)
	visits, err := h.door.Store.Visits(c.Request().Context(), session, h.door.Now(), h.door.Terms)
	if err != nil {
		return err
	}
	answers := make([]visitAnswer, len(visits))
	for i, v := range visits {
		answers[i] = visitAnswer{v.ID, v.Way, v.Browser, v.Opened, v.Seen, v.ID == session.ID}
	}
	return resource.AnswerList(c, resource.Page{Limit: mostSessions}, answers, func(v visitAnswer) string { return string(v.ID) })
}

// endSessions serves DELETE /sessions: sign-out everywhere.
func (h *Handler) endSessions(c echo.Context) error {
	session, _ := Who(c)
	return none(c, h.door.LeaveEverywhere(c, session))
}

// endSession serves DELETE /sessions/:id.
func (h *Handler) endSession(c echo.Context) error {
	session, _ := Who(c)
	return none(c, h.door.Store.EndSession(c.Request().Context(), session.Person.ID, SessionID(c.Param("id"))))
}

type accessAnswer struct {
	Name        string     `json:"name"`
	CodeExpires *time.Time `json:"code_expires"`
	PasswordSet *time.Time `json:"password_set"`
	Email       *string    `json:"email"`
}

// access serves GET /access: the caller's ways in.
func (h *Handler) access(c echo.Context) error {
	session, _ := Who(c)
	a, err := h.door.Store.Access(c.Request().Context(), session.Person.ID, h.door.Now())
	if err != nil {
		return err
	}
	answer := accessAnswer{Name: a.Name, CodeExpires: orNil(a.Code, a.Code.IsZero()),
		PasswordSet: orNil(a.Password, a.Password.IsZero()), Email: orNil(a.Email, a.Email == "")}
	return c.JSON(http.StatusOK, answer)
}

func orNil[T any](v T, isNone bool) *T {
	if isNone {
		return nil
	}
	return &v
}

type passwordBody struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// Check leaves the rest to who knows the person.
func (b *passwordBody) Check() []problem.Field {
	return append(tooLong("old", b.Old, longestTyped), tooLong("new", b.New, longestTyped)...)
}

// setPassword serves PUT /access/password {old, new}: 204 and a new cookie; all
// other sessions end.
func (h *Handler) setPassword(c echo.Context) error {
	sent, err := resource.Decode[passwordBody](c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	return none(c, h.door.SetPassword(c, session, sent.Old, sent.New))
}

// dropPassword serves DELETE /access/password.
func (h *Handler) dropPassword(c echo.Context) error {
	session, _ := Who(c)
	return none(c, h.door.Store.DropPassword(c.Request().Context(), session, h.door.Now()))
}

// askEmail serves POST /access/email {email}: a code leaves to the address.
func (h *Handler) askEmail(c echo.Context) error {
	sent, err := resource.Decode[emailBody](c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	return none(c, h.door.AskEmail(c, session, sent.Email))
}

// confirmEmail serves POST /access/email/code {code}.
func (h *Handler) confirmEmail(c echo.Context) error {
	sent, err := resource.Decode[codeBody](c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	return none(c, h.door.ConfirmEmail(c, session, sent.Code))
}

// dropEmail serves DELETE /access/email.
func (h *Handler) dropEmail(c echo.Context) error {
	session, _ := Who(c)
	return none(c, h.door.Store.DropEmail(c.Request().Context(), session, h.door.Now()))
}
