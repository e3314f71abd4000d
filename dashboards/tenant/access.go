package tenant

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// accessPath is the page where a person chooses how to come in, tenant or staff.
const accessPath = "/mon-acces"

// registerAccess adds the routes of the page and its forms. A form that was
// refused is answered in place; who then asks for its address again gets the
// page.
func (h *Entrance) registerAccess(e *echo.Echo) {
	g := e.Group(accessPath, accounts.Anyone(accounts.NoScope), web.Once())
	g.GET("", h.access)
	g.GET("/*", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, accessPath) })
	g.POST("/mot-de-passe", h.change("password", "mot-de-passe", h.setPassword))
	g.POST("/mot-de-passe/fin", h.change("password", "sans-mot-de-passe", func(c echo.Context, s accounts.Session) error {
		return h.door.Store.DropPassword(c.Request().Context(), s, h.now())
	}))
	g.POST("/e-mail", h.change("email", "", func(c echo.Context, s accounts.Session) error {
		return h.door.AskEmail(c, s, c.FormValue("email"))
	}))
	g.POST("/e-mail/code", h.change("email", "e-mail", func(c echo.Context, s accounts.Session) error {
		return h.door.ConfirmEmail(c, s, c.FormValue("code"))
	}))
	g.POST("/e-mail/fin", h.change("email", "sans-e-mail", func(c echo.Context, s accounts.Session) error {
		return h.door.Store.DropEmail(c.Request().Context(), s, h.now())
	}))
	g.POST("/visites/:id/fin", h.change("visits", "visite", func(c echo.Context, s accounts.Session) error {
		return h.door.Store.EndSession(c.Request().Context(), s.Person.ID, accounts.SessionID(c.Param("id")))
	}))
	g.POST("/partout", h.leaveEverywhere)
	g.POST("/cles", h.newToken)
	g.POST("/cles/:id/fin", h.change("tokens", "cle", func(c echo.Context, s accounts.Session) error {
		return h.door.Store.DropToken(c.Request().Context(), s.Person.ID, accounts.TokenID(c.Param("id")))
	}))
}

// accessDone maps what ?fait= says to a text.
var accessDone = map[string]string{
	"mot-de-passe":      "access.done_password",
	"sans-mot-de-passe": "access.done_password_end",
	"e-mail":            "access.done_email",
	"sans-e-mail":       "access.done_email_end",
	"visite":            "access.done_visit",
	"cle":               "access.done_token_end",
}

type accessView struct {
	web.Chrome
	Done        string
	Faults      map[string]string // by section: "password", "email", "visits", "tokens"
	Name        string
	CodeUntil   string // sentences; empty for none
	PasswordSet string
	NeedsOld    bool // the password in force must be typed
	MayBlankOld bool // it may be left out, because the reader just came in without it
	Email       string
	Mails       bool // the site sends e-mails
	Asked       bool // a code is on its way
	Visits      []visitLine
	Others      bool // another device than the reader's is open
	Tokens      []tokenLine
	Scopes      []accounts.Scope
	Days        []dayChoice
	Secret      string // of the key that was just made
	IsStaff     bool
}

type visitLine struct {
	ID      accounts.SessionID
	Browser string
	Seen    string
	Current bool
}

type tokenLine struct {
	ID                  accounts.TokenID
	Label, Scopes, Used string
	Until               string
}

type dayChoice struct {
	Days int
	Name string
}

var accessPage = web.MustPage[accessView](templates, "templates/access.html")

// access serves GET /mon-acces.
func (h *Entrance) access(c echo.Context) error {
	return h.showAccess(c, http.StatusOK, accessView{})
}

// change serves the POST of a small form: it does what the form asks and leads
// back to the page, or shows in the form's section what is wrong.
func (h *Entrance) change(section, done string, do func(echo.Context, accounts.Session) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		session, _ := accounts.Who(c)
		if err := do(c, session); err != nil {
			return h.accessFault(c, section, err)
		}
		to := accessPath
		if done != "" {
			to += "?fait=" + done
		}
		return c.Redirect(http.StatusSeeOther, to)
	}
}

func (h *Entrance) accessFault(c echo.Context, section string, err error) error {
	p := problem.Of(err)
	if p.Kind == problem.Internal || p.Kind == problem.Unavailable {
		return err
	}
	problem.SetRetry(c, p)
	return h.showAccess(c, p.StatusCode(), accessView{Faults: map[string]string{section: faultText(web.LanguageOf(c), p)}})
}

// setPassword wants the new password twice: nobody can see what they type.
func (h *Entrance) setPassword(c echo.Context, s accounts.Session) error {
	password := c.FormValue("nouveau")
	if password != c.FormValue("encore") {
		return problem.OfFields([]problem.Field{{Name: "encore", Message: "password.different"}})
	}
	return h.door.SetPassword(c, s, c.FormValue("ancien"), password)
}

// leaveEverywhere serves POST /mon-acces/partout.
func (h *Entrance) leaveEverywhere(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	if err := h.door.LeaveEverywhere(c, session); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.SignInPath+"?fait=partout")
}

// tokenDays are how long a key may be chosen to work.
var tokenDays = []int{30, 90, 365}

// newToken serves POST /mon-acces/cles. It answers with the page itself, because
// the key is shown this once and stands in no address.
func (h *Entrance) newToken(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(c.FormValue("jours"))
	if err != nil || days < 1 || days > tokenDays[len(tokenDays)-1] {
		days = 0 // refused below, as an end that has passed
	}
	var scopes []accounts.Scope
	for _, scope := range form["droit"] {
		scopes = append(scopes, accounts.Scope(scope))
	}
	_, secret, err := h.door.NewToken(c, session, c.FormValue("nom"), scopes, h.now().AddDate(0, 0, days))
	if err != nil {
		return h.accessFault(c, "tokens", err)
	}
	return h.showAccess(c, http.StatusOK, accessView{Secret: string(secret)})
}

// showAccess fills the page in.
func (h *Entrance) showAccess(c echo.Context, status int, view accessView) error {
	session, _ := accounts.Who(c)
	ctx, now := c.Request().Context(), h.now()
	view.Chrome = h.site.Chrome(c, "access.title")
	if key, ok := accessDone[c.QueryParam("fait")]; ok {
		view.Done = view.T(key)
	}
	zone, err := h.door.Store.Zone(ctx)
	if err != nil {
		return err
	}
	access, err := h.door.Store.Access(ctx, session.Person.ID, now)
	if err != nil {
		return err
	}
	visits, err := h.door.Store.Visits(ctx, session, now, h.door.Terms)
	if err != nil {
		return err
	}
	tokens, err := h.door.Store.Tokens(ctx, session.Person.ID)
	if err != nil {
		return err
	}
	clock := clock{view.Language, now, zone}
	view.ways(access, session, clock)
	view.Mails, view.Asked = h.door.Outbox.Sends(), h.door.Asked(c)
	for _, v := range visits {
		view.Visits = append(view.Visits, visitLine{v.ID, cmp.Or(v.Browser, view.T("access.visit_unknown")),
			view.T("access.visit_seen", clock.moment(v.Seen)), v.ID == session.ID})
		view.Others = view.Others || v.ID != session.ID
	}
	for _, t := range tokens {
		view.Tokens = append(view.Tokens, tokenLineOf(t, clock))
	}
	view.Scopes, view.IsStaff = accounts.ScopesFor(session), len(session.Roles) > 0
	for _, days := range tokenDays {
		view.Days = append(view.Days, dayChoice{days, view.T("access.token_days", days)})
	}
	return accessPage.Render(c, status, view)
}

// ways says which ways in there are.
func (v *accessView) ways(a accounts.Access, s accounts.Session, k clock) {
	v.Name, v.Email = a.Name, a.Email
	if !a.Code.IsZero() {
		v.CodeUntil = k.T("access.code_until", k.day(a.Code))
	}
	if a.Password.IsZero() {
		return
	}
	v.PasswordSet = k.T("access.password_since", k.day(a.Password))
	v.NeedsOld = true
	v.MayBlankOld = s.Way != accounts.ByPassword && s.Fresh(k.now)
}

func tokenLineOf(t accounts.TokenRow, k clock) tokenLine {
	line := tokenLine{ID: t.ID, Label: t.Label, Until: k.T("access.token_until", k.day(t.Expires)), Used: k.T("access.token_unused")}
	for i, scope := range t.Scopes {
		if i > 0 {
			line.Scopes += ", "
		}
		line.Scopes += string(scope)
	}
	if !t.Used.IsZero() {
		line.Used = k.T("access.token_used", k.moment(t.Used))
	}
	return line
}

// A clock writes instants for a reader.
type clock struct {
	web.Language
	now  time.Time
	zone *time.Location
}

func (k clock) moment(at time.Time) string { return k.Moment(at, k.now, k.zone) }

func (k clock) day(at time.Time) string {
	return k.Date(civil.DateIn(at, k.zone), civil.DateIn(k.now, k.zone))
}
