// Package webtest serves pages in tests with their sign-in and their mail, and
// asks for them as a browser does that keeps cookies and follows no redirect.
package webtest

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jba/templatecheck"
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// Fits fails the test where a page's template names what its view has not: a
// wrong field fails here, not on somebody's screen.
func Fits[V any](t *testing.T, name string, page web.Page[V]) {
	t.Helper()
	var view V
	if err := templatecheck.CheckHTML(page.Template.Lookup("layout"), view); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// A Setting is what a test decides of its site.
type Setting struct {
	Persons []accounts.Person
	Now     func() time.Time
	Sender  *notify.Sender // nil where no e-mail is sent
	Visit   time.Duration  // how long one lasts
}

// A Site is pages with sign-in over a database of their own.
type Site struct {
	URL    string
	DB     *sql.DB
	Store  *accounts.Store
	Frame  *web.Site
	Clerk  *accounts.Clerk
	Door   *accounts.Door
	Outbox *notify.Outbox // not running
	Now    func() time.Time
}

// Open serves the pages that register adds, until the test ends.
func Open(t testing.TB, s Setting, register func(*echo.Echo, *Site)) *Site {
	t.Helper()
	site := &Site{DB: sqldbtest.Open(t, t.TempDir()+"/xnet.db"), Now: s.Now}
	err := sqldb.InTx(t.Context(), site.DB, func(tx *sql.Tx) error { return accounts.Put(t.Context(), tx, s.Persons) })
	if err != nil {
		t.Fatal(err)
	}
	if site.Store, err = accounts.NewStore(site.DB, accounts.Cost{Passes: 1, MemoryKiB: 64}); err != nil {
		t.Fatal(err)
	}
	if site.Frame, err = web.NewSite(web.Advisor{Name: "Claire Moreau", Telephone: "02 41 00 00 00"}, false); err != nil {
		t.Fatal(err)
	}
	site.staff(t, s)
	router := echo.New()
	router.HTTPErrorHandler = func(err error, c echo.Context) { _ = site.Frame.Fault(c, problem.Of(err)) }
	router.Use(site.Door.Recognise)
	register(router, site)
	served := httptest.NewServer(router)
	t.Cleanup(served.Close)
	site.URL = served.URL
	return site
}

// staff sets up who writes letters and who lets people in.
func (s *Site) staff(t testing.TB, from Setting) {
	s.Clerk = &accounts.Clerk{Store: s.Store, Site: "https://roseraie.example", Advisor: "Claire", Dial: "02", Code: time.Hour, Now: s.Now,
		Say:  func(_, key string, args ...any) string { return web.French().T(key, args...) },
		Date: func(_ string, d civil.Date) string { return d.String() }}
	s.Outbox = notify.NewOutbox(s.DB, from.Sender, s.Clerk.Composers(), s.Now, testkit.Logger(t))
	s.Clerk.Outbox = s.Outbox
	s.Door = &accounts.Door{Store: s.Store, Throttle: accounts.NewThrottle(), Asks: accounts.NewAskThrottle(), Outbox: s.Outbox,
		Log: testkit.Logger(t), Now: s.Now, Terms: accounts.Terms{Length: from.Visit}}
}

// Invite returns a code for the person that works for an hour.
func (s *Site) Invite(t testing.TB, person accounts.PersonID) string {
	t.Helper()
	code, err := s.Store.Invite(t.Context(), person, s.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}

// A Browser keeps cookies and follows no redirect.
type Browser struct {
	t      testing.TB
	url    string
	client *http.Client
}

// Browser returns one in which nobody has signed in.
func (s *Site) Browser(t testing.TB) Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return Browser{t, s.URL, &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// An Answer is a page, or where it leads.
type Answer struct {
	Status int
	To     string
	Page   string
}

// plain writes a page's spaces and signs as a test types them.
var plain = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "&#39;", "'")

// Get asks for a page.
func (b Browser) Get(path string) Answer {
	b.t.Helper()
	return b.answer(b.client.Get(b.url + path))
}

// Send posts a form.
func (b Browser) Send(path string, form url.Values) Answer {
	b.t.Helper()
	return b.answer(b.client.PostForm(b.url+path, form))
}

func (b Browser) answer(response *http.Response, err error) Answer {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Answer{response.StatusCode, response.Header.Get("Location"), plain.Replace(string(text))}
}

var formToken = regexp.MustCompile(`name="jeton" value="([^"]+)"`)

// Token returns what the forms of a page prove themselves with.
func Token(t testing.TB, page string) string {
	t.Helper()
	found := formToken.FindStringSubmatch(page)
	if found == nil {
		t.Fatal("the page has no form token")
	}
	return found[1]
}
