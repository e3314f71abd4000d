package accounts

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// Register adds the session's routes below /api/v1.
func (d *Door) Register(g *echo.Group) {
	g.POST("/session", d.create)
	g.DELETE("/session", d.delete)
}

// create serves POST /session {code}: 204 and a cookie.
func (d *Door) create(c echo.Context) error {
	var sent struct {
		Code string `json:"code"`
	}
	if err := c.Bind(&sent); err != nil {
		return &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: err}
	}
	if err := d.Enter(c, sent.Code); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// delete serves DELETE /session: 204, with or without one. Another site cannot
// send it: browsers ask first, and the program refuses.
func (d *Door) delete(c echo.Context) error {
	if err := d.Leave(c); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
