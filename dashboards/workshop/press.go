package workshop

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// newPress is the mark of a form that is shown, for [web.Once].
func newPress() option { return option{ID: web.PressField, Name: web.NewPress()} }

// send serves the POST of a form: it does what the form asks and leads on. What a
// person can mend is said by again, on the page that the form stands on.
func (h *Handler) send(c echo.Context, do func() (string, error), again func(*problem.Error) error) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	next, err := do()
	if err == nil {
		return c.Redirect(http.StatusSeeOther, next)
	}
	p := problem.Of(err)
	switch p.Kind {
	case problem.Invalid, problem.Conflict, problem.Stale:
		c.Response().Header().Set("Cache-Control", "no-store")
		return again(p)
	default:
		return err
	}
}
