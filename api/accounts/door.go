package accounts

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
)

// A Door lets persons in and out: what pages and JSON share of signing in.
type Door struct {
	Store    *Store
	Throttle *Throttle      // of sign-ins
	Asks     *Throttle      // of codes asked for by e-mail
	Outbox   *notify.Outbox // of codes by e-mail
	Log      *slog.Logger
	Now      func() time.Time
	Terms    Terms // how long sessions live
	Secure   bool  // the cookies travel by HTTPS only
}

// Cookies: the session, the request for a code by e-mail, and the way in that
// the browser's person last used, for the page to begin with.
const (
	cookieName  = "xnet_session"
	askedCookie = "xnet_code"
	wayCookie   = "xnet_entree"
	wayFor      = 400 * 24 * time.Hour
	sessionKey  = "xnet.session"
	// FormField is the name of the form field that bears the form token.
	FormField = "jeton"
)

// Enter signs the sender in with a code as typed and sets the cookie. Whatever
// is wrong with a code is one problem, "signin.refused"; an address that tries
// too often gets "signin.too_many".
func (d *Door) Enter(c echo.Context, typed string) error {
	return d.enter(c, ByCode, func(a Arrival) (Entry, error) {
		code, err := ParseCode(typed)
		if err != nil {
			return Entry{}, ErrCodeWrong
		}
		return d.Store.SignIn(c.Request().Context(), code, a)
	})
}

// EnterByPassword signs the sender in with a sign-in name or e-mail address and
// a password, as [Door.Enter] does.
func (d *Door) EnterByPassword(c echo.Context, name, password string) error {
	return d.enter(c, ByPassword, func(a Arrival) (Entry, error) {
		return d.Store.SignInByPassword(c.Request().Context(), name, password, a)
	})
}

// EnterByEmail signs the sender in with the code of an e-mail that the same
// browser asked for, as [Door.Enter] does.
func (d *Door) EnterByEmail(c echo.Context, typed string) error {
	return d.enter(c, ByEmail, func(a Arrival) (Entry, error) {
		code, err := ParseShortCode(typed)
		if err != nil {
			return Entry{}, ErrCodeWrong
		}
		return d.Store.SignInByEmail(c.Request().Context(), d.asked(c), code, a)
	})
}

func (d *Door) enter(c echo.Context, way Way, try func(Arrival) (Entry, error)) error {
	entry, err := guarded(d, c, func(a Arrival) (Entry, error) { return try(a) })
	if errors.Is(err, ErrCodeWrong) {
		d.Log.Info("sign-in refused", "way", string(way))
		return &problem.Error{Kind: problem.Invalid, Message: "signin.refused", Err: err}
	}
	if err != nil {
		return err
	}
	d.Log.Info("signed in", "person", string(entry.Person), "way", string(way))
	return d.admit(c, entry)
}

// guarded lets the sender's address try something, unless it tries too often. Only
// wrong codes and passwords count: who looks for a good new password may try on.
func guarded[T any](d *Door, c echo.Context, try func(Arrival) (T, error)) (T, error) {
	var none T
	now, address := d.Now(), c.RealIP()
	if wait := d.Throttle.Admit(address, now); wait > 0 {
		return none, &problem.Error{Kind: problem.TooMany, Message: "signin.too_many", Retry: wait}
	}
	done, err := try(d.arrival(c))
	if !errors.Is(err, ErrCodeWrong) && !errors.Is(err, ErrOldPassword) {
		d.Throttle.Forgive(address, now)
	}
	return done, err
}

func (d *Door) arrival(c echo.Context) Arrival {
	return Arrival{At: d.Now(), Browser: BrowserOf(c.Request().UserAgent()), Terms: d.Terms}
}

// admit gives the browser its new session and ends the one it had: a session
// that somebody else planted before the sign-in is worth nothing after it.
func (d *Door) admit(c echo.Context, entry Entry) error {
	if before, err := c.Cookie(d.name(cookieName)); err == nil {
		if err := d.Store.SignOut(c.Request().Context(), Token(before.Value)); err != nil {
			return err
		}
	}
	c.SetCookie(d.cookie(cookieName, string(entry.Token), entry.Length))
	c.SetCookie(d.cookie(askedCookie, "", -1))
	c.SetCookie(d.cookie(wayCookie, string(entry.Way), wayFor))
	return nil
}

// AskCode sends a code to an e-mail address as typed, if it is somebody's way in,
// and gives the browser the cookie that the code needs. The answer is the same
// for every address. What is wrong is a fault of the field "email".
func (d *Door) AskCode(c echo.Context, typed string) error {
	return d.ask(c, typed, func(email string) (Token, error) {
		return d.Store.AskEmailCode(c.Request().Context(), email, d.Now())
	})
}

// AskEmail sends a code to an address that the sender wants to come in with.
func (d *Door) AskEmail(c echo.Context, session Session, typed string) error {
	return d.ask(c, typed, func(email string) (Token, error) {
		return d.Store.AskEmail(c.Request().Context(), session, email, d.Now())
	})
}

func (d *Door) ask(c echo.Context, typed string, ask func(email string) (Token, error)) error {
	email, faults := ParseEmail("email", typed)
	if err := problem.OfFields(faults); err != nil {
		return err
	}
	if !d.Outbox.Sends() {
		return errMailOff
	}
	if wait := d.Asks.Admit(c.RealIP(), d.Now()); wait > 0 {
		return &problem.Error{Kind: problem.TooMany, Message: "signin.too_many", Retry: wait}
	}
	browser, err := ask(email)
	if err != nil {
		return err
	}
	d.Outbox.Wake()
	c.SetCookie(d.cookie(askedCookie, string(browser), emailCodeFor))
	return nil
}

// asked is the token of the browser's request for a code; empty where there is
// none.
func (d *Door) asked(c echo.Context) Token {
	cookie, err := c.Cookie(d.name(askedCookie))
	if err != nil {
		return ""
	}
	return Token(cookie.Value)
}

// Asked reports whether the browser waits for a code by e-mail.
func (d *Door) Asked(c echo.Context) bool { return d.asked(c) != "" }

// LastWay is the way in that the browser's person last used, [ByCode] where that
// is not known.
func (d *Door) LastWay(c echo.Context) Way {
	if cookie, err := c.Cookie(d.name(wayCookie)); err == nil {
		switch way := Way(cookie.Value); way {
		case ByPassword, ByEmail:
			return way
		}
	}
	return ByCode
}

// ConfirmEmail makes the address of a code as typed a way in of the session.
func (d *Door) ConfirmEmail(c echo.Context, session Session, typed string) error {
	_, err := guarded(d, c, func(a Arrival) (struct{}, error) {
		code, err := ParseShortCode(typed)
		if err != nil {
			return struct{}{}, ErrCodeWrong
		}
		return struct{}{}, d.Store.ConfirmEmail(c.Request().Context(), session, d.asked(c), code, a.At)
	})
	if errors.Is(err, ErrCodeWrong) {
		return problem.OfFields([]problem.Field{{Name: "code", Message: "email.code_wrong"}})
	}
	if err != nil {
		return err
	}
	d.Log.Info("e-mail address confirmed", "person", string(session.Person.ID))
	d.Outbox.Wake() // the address of before is told
	c.SetCookie(d.cookie(askedCookie, "", -1))
	return nil
}

// SetPassword changes the password of the session's person and goes on with a
// new session, the only one left.
func (d *Door) SetPassword(c echo.Context, session Session, old, new string) error {
	entry, err := guarded(d, c, func(a Arrival) (Entry, error) {
		return d.Store.SetPassword(c.Request().Context(), session, old, new, a)
	})
	if err != nil {
		return err
	}
	d.Log.Info("password set", "person", string(session.Person.ID))
	d.Outbox.Wake() // the address is told
	return d.admit(c, entry)
}

// Leave ends the sender's session and takes the cookie back.
func (d *Door) Leave(c echo.Context) error {
	c.SetCookie(d.cookie(cookieName, "", -1))
	token, err := c.Cookie(d.name(cookieName))
	if err != nil {
		return nil // no cookie: nothing to end
	}
	return d.Store.SignOut(c.Request().Context(), Token(token.Value))
}

// LeaveEverywhere ends all sessions of the session's person, this one too.
func (d *Door) LeaveEverywhere(c echo.Context, session Session) error {
	if err := d.Store.EndSessions(c.Request().Context(), session.Person.ID); err != nil {
		return err
	}
	d.Log.Info("signed out everywhere", "person", string(session.Person.ID))
	c.SetCookie(d.cookie(cookieName, "", -1))
	return nil
}

// name is a cookie's name: where cookies travel by HTTPS, browsers hold the
// prefix to this one host, so that no neighbouring site can set it (RFC 6265bis).
func (d *Door) name(cookie string) string {
	if d.Secure {
		return "__Host-" + cookie
	}
	return cookie
}

func (d *Door) cookie(name, token string, lives time.Duration) *http.Cookie {
	maxAge := int(lives / time.Second)
	if lives < 0 {
		maxAge = -1
	}
	return &http.Cookie{Name: d.name(name), Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteLaxMode}
}

// Recognise is middleware that finds the session of the sender's cookie or of a
// program's token, for [Who]. It lets those without either through. A request
// with an Authorization header is a program's: its cookie is not looked at, and
// a token that is not good is refused.
func (d *Door) Recognise(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		session, err := d.recognise(c)
		switch {
		case err == nil:
			admit(c, session)
		case !errors.Is(err, ErrNoSession):
			return err
		}
		return next(c)
	}
}

func (d *Door) recognise(c echo.Context) (Session, error) {
	ctx, now := c.Request().Context(), d.Now()
	if header := c.Request().Header.Values(echo.HeaderAuthorization); len(header) > 0 {
		kind, secret, _ := strings.Cut(header[0], " ")
		session, err := Session{}, ErrNoSession
		if len(header) == 1 && strings.EqualFold(kind, "Bearer") {
			session, err = d.Store.TokenSession(ctx, Token(strings.TrimSpace(secret)), now)
		}
		if errors.Is(err, ErrNoSession) {
			c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer error="invalid_token"`)
			return Session{}, &problem.Error{Kind: problem.SignedOut, Message: "token.refused", Err: errors.New("token unknown or expired")}
		}
		return session, err
	}
	token, err := c.Cookie(d.name(cookieName))
	if err != nil {
		return Session{}, ErrNoSession
	}
	return d.Store.Session(ctx, Token(token.Value), now, d.Terms)
}

// Who returns the sender's session, or false where there is none.
func Who(c echo.Context) (Session, bool) {
	session, ok := c.Get(sessionKey).(Session)
	return session, ok
}
