package accounts

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

type tokenAnswer struct {
	ID      TokenID    `json:"id"`
	Person  PersonID   `json:"person"`
	Name    string     `json:"name"`
	Label   string     `json:"label"`
	Scopes  string     `json:"scopes"` // separated by spaces, as OAuth 2.0 has it (RFC 6749, 3.3)
	Created time.Time  `json:"created"`
	Expires time.Time  `json:"expires"`
	Used    *time.Time `json:"used"`
}

func answerOf(t TokenRow) tokenAnswer {
	return tokenAnswer{t.ID, t.Person, t.Name, t.Label, joined(t.Scopes), t.Created, t.Expires, orNil(t.Used, t.Used.IsZero())}
}

func answerTokens(c echo.Context, p resource.Page, rows []TokenRow) error {
	answers := make([]tokenAnswer, len(rows))
	for i, row := range rows {
		answers[i] = answerOf(row)
	}
	return resource.AnswerList(c, p, answers, func(t tokenAnswer) string { return string(t.ID) })
}

// tokens serves GET /tokens: the caller's own, at most 20.
func (h *Handler) tokens(c echo.Context) error {
	session, _ := Who(c)
	rows, err := h.door.Store.Tokens(c.Request().Context(), session.Person.ID)
	if err != nil {
		return err
	}
	return answerTokens(c, resource.Page{Limit: mostTokens}, rows)
}

type tokenBody struct {
	Label   string    `json:"label"`
	Scopes  []Scope   `json:"scopes"`
	Expires time.Time `json:"expires"`
}

// Check leaves the rest to who knows the person's rights.
func (b *tokenBody) Check() []problem.Field {
	if len(b.Scopes) > len(Scopes) {
		return []problem.Field{{Name: "scopes", Message: "field.too_long", Args: []any{len(Scopes)}}}
	}
	return nil
}

// newToken serves POST /tokens {label, scopes, expires}: 201 and the secret,
// this once.
func (h *Handler) newToken(c echo.Context) error {
	sent, err := resource.Decode[tokenBody](c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	row, secret, err := h.door.NewToken(c, session, sent.Label, sent.Scopes, sent.Expires)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, struct {
		tokenAnswer
		Token Token `json:"token"`
	}{answerOf(row), secret})
}

// NewToken makes a token for a program of the session's person; see
// [Store.NewToken].
func (d *Door) NewToken(c echo.Context, session Session, label string, scopes []Scope, expires time.Time) (TokenRow, Token, error) {
	row, secret, err := d.Store.NewToken(c.Request().Context(), session, label, scopes, expires, d.Now())
	if err == nil {
		d.Log.Info("token made", "person", string(session.Person.ID), "token", string(row.ID), "scopes", joined(scopes))
	}
	return row, secret, err
}

// dropToken serves DELETE /tokens/:id.
func (h *Handler) dropToken(c echo.Context) error {
	session, _ := Who(c)
	return none(c, h.door.Store.DropToken(c.Request().Context(), session.Person.ID, TokenID(c.Param("id"))))
}

// staffTokens serves GET /staff/tokens: those of the staff below the caller.
func (h *Handler) staffTokens(c echo.Context) error {
	page, err := resource.PageOf(c)
	if err != nil {
		return err
	}
	session, _ := Who(c)
	rows, err := h.door.Store.StaffTokens(c.Request().Context(), session.Person.ID, TokenID(page.After), page.Limit+1)
	if err != nil {
		return err
	}
	return answerTokens(c, page, rows)
}

// dropStaffToken serves DELETE /staff/tokens/:id.
func (h *Handler) dropStaffToken(c echo.Context) error {
	session, _ := Who(c)
	return none(c, h.door.Store.DropStaffToken(c.Request().Context(), session.Person.ID, TokenID(c.Param("id"))))
}
