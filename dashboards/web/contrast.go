package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

const contrastCookie = "xnet_contraste"

// The contrasts, as the cookie and the address have them.
const (
	strong = "fort"
	normal = "normal"
)

// contrastOf reports whether the sender chose black on white, and returns the way
// to the other contrast.
func contrastOf(c echo.Context, l Language) (bool, Switch) {
	back := "?retour=" + url.QueryEscape(here(c))
	if cookie, err := c.Cookie(contrastCookie); err == nil && cookie.Value == strong {
		return true, Switch{normal, l.T("site.contrast_off"), "/contraste/" + normal + back}
	}
	return false, Switch{strong, l.T("site.contrast"), "/contraste/" + strong + back}
}

// switchContrast serves GET /contraste/fort?retour=/…: back to a page of this site.
func (s *Site) switchContrast(c echo.Context) error {
	chosen := c.Param("contrast")
	if chosen != strong && chosen != normal {
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	c.SetCookie(&http.Cookie{Name: contrastCookie, Value: chosen, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
	return c.Redirect(http.StatusSeeOther, local(c.QueryParam("retour")))
}
