package accounts

import (
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A Door lets persons in and out: what pages and JSON share of signing in.
type Door struct {
	Store    *Store
	Throttle *Throttle
	Log      *slog.Logger
	Now      func() time.Time
	Length   time.Duration // of a session
	Secure   bool          // the cookie travels by HTTPS only
}

const (
	cookieName = "xnet_session"
	sessionKey = "xnet.session"
	// FormField is the name of the form field that bears the form token.
	FormField = "jeton"
)

// Enter signs the sender in with a code as typed and sets the cookie. Whatever
// is wrong with a code is one problem, "signin.refused"; an address that tries
// too often gets "signin.too_many".
func (d *Door) Enter(c echo.Context, typed string) error {
	now, address := d.Now(), c.RealIP()
	if wait := d.Throttle.Admit(address, now); wait > 0 {
		return &problem.Error{Kind: problem.TooMany, Message: "signin.too_many", Retry: wait}
	}
	code, err := ParseCode(typed)
	if err != nil {
		return &problem.Error{Kind: problem.Invalid, Message: "signin.refused", Err: err}
	}
	token, err := d.Store.SignIn(c.Request().Context(), code, now, d.Length)
	if errors.Is(err, ErrCodeWrong) {
		return &problem.Error{Kind: problem.Invalid, Message: "signin.refused", Err: err}
	}
	if err != nil {
		return err
	}
	d.Throttle.Forgive(address, now)
	c.SetCookie(d.cookie(string(token), int(d.Length/time.Second)))
	return nil
}

// Leave ends the sender's session and takes the cookie back.
func (d *Door) Leave(c echo.Context) error {
	c.SetCookie(d.cookie("", -1))
	token, err := c.Cookie(cookieName)
	if err != nil {
		return nil // no cookie: nothing to end
	}
	return d.Store.SignOut(c.Request().Context(), Token(token.Value))
}

func (d *Door) cookie(token string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteLaxMode}
}

// Recognise is middleware that finds the session of the sender's cookie, for
// [Who]. It lets those without one through.
func (d *Door) Recognise(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		token, err := c.Cookie(cookieName)
		if err != nil {
			return next(c)
		}
		session, err := d.Store.Session(c.Request().Context(), Token(token.Value), d.Now())
		switch {
		case err == nil:
			c.Set(sessionKey, session)
		case !errors.Is(err, ErrNoSession):
			return err
		}
		return next(c)
	}
}

// Who returns the sender's session, or false where there is none.
func Who(c echo.Context) (Session, bool) {
	session, ok := c.Get(sessionKey).(Session)
	return session, ok
}

// SignedIn is middleware that lets only those with a session through; others
// get the problem "session.none".
func SignedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, ok := Who(c); !ok {
			return &problem.Error{Kind: problem.SignedOut, Message: "session.none"}
		}
		c.Response().Header().Set("Cache-Control", "no-store")
		return next(c)
	}
}

// CheckForm fails with the problem "form.stale" unless the form bears the
// session's form token.
func CheckForm(c echo.Context) error {
	session, ok := Who(c)
	sent := c.FormValue(FormField)
	if !ok || subtle.ConstantTimeCompare([]byte(sent), []byte(session.FormToken)) != 1 {
		return &problem.Error{Kind: problem.Forbidden, Message: "form.stale"}
	}
	return nil
}
