package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
)

type faultView struct {
	Chrome
	Sentence string
	CallUs   bool
}

var faultPage = MustPage[faultView](files, "error.html")

// Fault answers with the page of a problem: what happened, in a sentence, and
// whom to call. Who is not signed in is led to the sign-in page.
func (s *Site) Fault(c echo.Context, p *problem.Error) error {
	if p.Kind == problem.SignedOut {
		return c.Redirect(http.StatusSeeOther, s.signInAfter(c))
	}
	problem.SetRetry(c, p)
	title := "error.title"
	if p.Kind == problem.Unavailable {
		title = "service.title"
	}
	view := faultView{Chrome: s.Chrome(c, title), Sentence: Sentence(LanguageOf(c), p),
		CallUs: p.Kind == problem.Unavailable || p.Kind == problem.Internal}
	c.Response().Header().Set("Cache-Control", "no-store")
	return faultPage.Render(c, p.StatusCode(), view)
}

// signInAfter is where who is not signed in goes on. Who sends a form with a token
// was signed in when it was shown: the page tells them that the visit is over.
// Files are not read for that.
func (s *Site) signInAfter(c echo.Context) string {
	form := strings.HasPrefix(c.Request().Header.Get(echo.HeaderContentType), echo.MIMEApplicationForm)
	if form && c.FormValue(accounts.FormField) != "" {
		if s.keepForm != nil && s.keepForm(c) {
			c.SetCookie(&http.Cookie{Name: KeptCookie, Value: "1", Path: "/", MaxAge: keptSeconds, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
		}
		return SignInPath + "?" + OverField + "=1"
	}
	return SignInPath
}

// KeptCookie says that a form waits for whoever sent it when their visit was over.
// It holds nothing of the form.
const KeptCookie = "xnet_reprise"

const keptSeconds = 15 * 60

// KeepForms has keep called with each form that comes after its visit was over; it
// reports whether the form waits for its person. To be called before the site serves.
func (s *Site) KeepForms(keep func(echo.Context) bool) { s.keepForm = keep }

// OverField tells the sign-in page that the reader's visit was over.
const OverField = "fini"

// SignInPath is the address of the sign-in page.
const SignInPath = "/connexion"

// Sentence says the problem in the reader's language.
func Sentence(l Language, p *problem.Error) string {
	if p.Retry > 0 {
		return l.T(p.Message, problem.Seconds(p.Retry))
	}
	return l.T(p.Message, p.Args...)
}
