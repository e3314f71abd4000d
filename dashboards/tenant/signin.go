package tenant

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// Addresses of the ways in. Each is a page of its own with one form, so that
// nobody has to choose between fields.
const (
	letterPath    = web.SignInPath + "/lettre"
	passwordPath  = web.SignInPath + "/mot-de-passe"
	emailPath     = web.SignInPath + "/e-mail"
	emailCodePath = emailPath + "/code"
)

// An Entrance serves the pages of signing in and of choosing how.
type Entrance struct {
	site *web.Site
	door *accounts.Door
	now  func() time.Time
	kept keptForms
}

// NewEntrance returns the handler.
func NewEntrance(site *web.Site, door *accounts.Door, now func() time.Time) *Entrance {
	return &Entrance{site: site, door: door, now: now}
}

// Register adds the pages' routes.
func (h *Entrance) Register(e *echo.Echo) {
	h.site.KeepForms(h.keepForm)
	h.registerSignIn(e)
	e.GET(resumePath, h.resume, accounts.Anyone(accounts.NoScope))
	e.POST(resumePath, h.resumed, accounts.Anyone(accounts.NoScope))
	h.registerAccess(e)
	e.POST("/deconnexion", h.signOut, accounts.Anyone(accounts.NoScope))
}

// registerSignIn adds the routes of coming in.
func (h *Entrance) registerSignIn(e *echo.Echo) {
	e.GET(web.SignInPath, h.signInForm)
	e.POST(web.SignInPath, h.signIn)
	e.GET(letterPath, h.form(signInView{}))
	e.GET(passwordPath, h.form(signInView{ByPassword: true}))
	e.POST(passwordPath, h.signInByPassword)
	e.GET(emailPath, h.form(signInView{ByEmail: true}))
	e.POST(emailPath, h.askCode)
	e.GET(emailCodePath, h.codeForm)
	e.POST(emailCodePath, h.signInByEmail)
}

type signInView struct {
	web.Chrome
	ByPassword, ByEmail, Sent bool   // which form: that of a letter's code where none is true
	Mails                     bool   // the site sends e-mails
	Everywhere                bool   // the reader has just signed out everywhere
	Over                      bool   // the reader's visit was over when they sent a form
	Kept                      bool   // what they typed then waits for them
	Fault                     string // what is wrong with what was typed; empty for nothing
}

var signInPage = web.MustPage[signInView](templates, "templates/signin.html")

// show answers with a form. What was typed is not shown again: the screen may be
// a shared one.
func (h *Entrance) show(c echo.Context, status int, view signInView) error {
	view.Chrome = h.site.Chrome(c, "signin.title")
	view.Mails = h.door.Outbox.Sends()
	c.Response().Header().Set("Cache-Control", "no-store")
	return signInPage.Render(c, status, view)
}

// form serves GET of a form; who is signed in already goes on to the first page.
func (h *Entrance) form(view signInView) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, ok := accounts.Who(c); ok {
			return c.Redirect(http.StatusSeeOther, "/")
		}
		if view.ByEmail && !h.door.Outbox.Sends() {
			return &problem.Error{Kind: problem.NotFound, Message: "email.off"}
		}
		return h.show(c, http.StatusOK, view)
	}
}

// signInForm serves GET /connexion: the form that was last of use here.
func (h *Entrance) signInForm(c echo.Context) error {
	view := signInView{Everywhere: c.QueryParam("fait") == "partout", Over: c.QueryParam(web.OverField) != ""}
	if _, err := c.Cookie(web.KeptCookie); err == nil {
		view.Kept = true
	}
	switch h.door.LastWay(c) {
	case accounts.ByPassword:
		view.ByPassword = true
	case accounts.ByEmail:
		view.ByEmail = h.door.Outbox.Sends()
	}
	return h.form(view)(c)
}

// codeForm serves GET /connexion/e-mail/code.
func (h *Entrance) codeForm(c echo.Context) error {
	if !h.door.Asked(c) {
		return c.Redirect(http.StatusSeeOther, emailPath)
	}
	return h.form(signInView{Sent: true})(c)
}

// signIn serves POST /connexion.
func (h *Entrance) signIn(c echo.Context) error {
	return h.entered(c, signInView{}, h.door.Enter(c, c.FormValue("code")))
}

// signInByPassword serves POST /connexion/mot-de-passe.
func (h *Entrance) signInByPassword(c echo.Context) error {
	err := h.door.EnterByPassword(c, c.FormValue("nom"), c.FormValue("mot-de-passe"))
	return h.entered(c, signInView{ByPassword: true}, err)
}

// signInByEmail serves POST /connexion/e-mail/code.
func (h *Entrance) signInByEmail(c echo.Context) error {
	return h.entered(c, signInView{Sent: true}, h.door.EnterByEmail(c, c.FormValue("code")))
}

func (h *Entrance) entered(c echo.Context, view signInView, err error) error {
	if err == nil {
		return c.Redirect(http.StatusSeeOther, afterSignIn(c))
	}
	return h.refused(c, view, err)
}

// afterSignIn is where who has come in goes on: to the form that they had sent when
// their visit was over, else to the first page.
func afterSignIn(c echo.Context) string {
	if _, err := c.Cookie(web.KeptCookie); err == nil {
		return resumePath
	}
	return "/"
}

// askCode serves POST /connexion/e-mail. The answer is the same whosever the
// address is.
func (h *Entrance) askCode(c echo.Context) error {
	if err := h.door.AskCode(c, c.FormValue("email")); err != nil {
		return h.refused(c, signInView{ByEmail: true}, err)
	}
	return c.Redirect(http.StatusSeeOther, emailCodePath)
}

// refused shows the form again with what is wrong.
func (h *Entrance) refused(c echo.Context, view signInView, err error) error {
	p := problem.Of(err)
	if p.Kind != problem.Invalid && p.Kind != problem.TooMany {
		return err
	}
	problem.SetRetry(c, p)
	view.Fault = faultText(web.LanguageOf(c), p)
	return h.show(c, p.StatusCode(), view)
}

// faultText is what is wrong with a short form: the first field's fault, or the
// problem itself.
func faultText(l web.Language, p *problem.Error) string {
	if len(p.Fields) > 0 {
		return l.T(p.Fields[0].Message, p.Fields[0].Args...)
	}
	return web.Sentence(l, p)
}

// signOut serves POST /deconnexion.
func (h *Entrance) signOut(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	if err := h.door.Leave(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.SignInPath)
}
