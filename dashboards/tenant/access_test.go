package tenant_test

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/notify/notifytest"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

var start = time.Date(2026, 3, 18, 13, 0, 0, 0, time.UTC)

// password is one that nothing forbids.
const password = "trois bateaux verts"

// A hall is the pages of signing in and of access, with a real mail server and a
// clock that tests turn.
type hall struct {
	t      *testing.T
	url    string
	db     *sql.DB
	store  *accounts.Store
	server *notifytest.Server
	clock  *atomic.Int64 // ms
}

func newHall(t *testing.T, mails bool) hall {
	t.Helper()
	db := sqldbtest.Open(t, t.TempDir()+"/xnet.db")
	h := hall{t: t, db: db, server: notifytest.Start(t), clock: &atomic.Int64{}}
	h.clock.Store(start.UnixMilli())
	now := func() time.Time { return sqldb.Time(h.clock.Load()) }
	err := sqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		return accounts.Put(t.Context(), tx, []accounts.Person{{ID: "P1", Name: "Amina Diallo", Language: "fr"}, {ID: "P2", Name: "Jean Voisin", Language: "fr"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.store, err = accounts.NewStore(db, accounts.Cost{Passes: 1, MemoryKiB: 64}); err != nil {
		t.Fatal(err)
	}
	config := h.server.Config()
	if !mails {
		config.Host = ""
	}
	sender, err := notify.NewSender(config)
	if err != nil {
		t.Fatal(err)
	}
	clerk := &accounts.Clerk{Store: h.store, Site: "https://roseraie.example", Advisor: "Claire", Dial: "02", Code: time.Hour, Now: now,
		Say:  func(_, key string, args ...any) string { return web.French().T(key, args...) },
		Date: func(_ string, d civil.Date) string { return d.String() }}
	outbox := notify.NewOutbox(db, sender, clerk.Composers(), now, testkit.Logger(t))
	door := &accounts.Door{Store: h.store, Throttle: accounts.NewThrottle(), Asks: accounts.NewAskThrottle(), Outbox: outbox,
		Log: testkit.Logger(t), Now: now, Terms: accounts.Terms{Length: 30 * 24 * time.Hour}}
	site, err := web.NewSite(web.Advisor{Name: "Claire Moreau", Telephone: "02 41 00 00 00"}, false)
	if err != nil {
		t.Fatal(err)
	}
	router := echo.New()
	router.HTTPErrorHandler = func(err error, c echo.Context) { _ = site.Fault(c, problem.Of(err)) }
	router.Use(door.Recognise)
	tenant.NewEntrance(site, door, now).Register(router)
	served := httptest.NewServer(router)
	t.Cleanup(served.Close)
	h.url = served.URL
	notifytest.Run(t, outbox)
	return h
}

// A reader is a browser that does not follow redirects.
type reader struct {
	hall
	client *http.Client
}

func (h hall) reader() reader {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return reader{h, &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn returns a reader who came in with a new code.
func (h hall) signedIn(person accounts.PersonID) reader {
	h.t.Helper()
	code, err := h.store.Invite(h.t.Context(), person, sqldb.Time(h.clock.Load()).Add(time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
	r := h.reader()
	r.post("/connexion", url.Values{"code": {code.String()}}, 303, "/")
	return r
}

func (r reader) answer(response *http.Response, err error) (status int, to, page string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), strings.ReplaceAll(string(text), "&#39;", "'")
}

// get returns a page, which must come with status 200.
func (r reader) get(path string) string {
	r.t.Helper()
	status, _, page := r.answer(r.client.Get(r.url + path))
	if status != http.StatusOK {
		r.t.Errorf("%s: status %d", path, status)
	}
	return page
}

var formToken = regexp.MustCompile(`name="jeton" value="([^"]+)"`)

// submit posts a form of the access page with its token.
func (r reader) submit(path string, form url.Values, status int, to string) string {
	r.t.Helper()
	token := formToken.FindStringSubmatch(r.get("/mon-acces"))
	if token == nil {
		r.t.Fatal("the page has no form token")
	}
	form.Set("jeton", token[1])
	return r.post(path, form, status, to)
}

// post fails the test unless the answer has the status and leads to that page.
func (r reader) post(path string, form url.Values, status int, to string) string {
	r.t.Helper()
	gotStatus, gotTo, page := r.answer(r.client.PostForm(r.url+path, form))
	if gotStatus != status || gotTo != to {
		r.t.Errorf("POST %s: status %d to %q, want %d to %q", path, gotStatus, gotTo, status, to)
	}
	return page
}

func (r reader) shows(page string, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			r.t.Errorf("the page does not show %q", text)
		}
	}
}

func TestPasswordPages(t *testing.T) {
	h := newHall(t, true)
	r := h.signedIn("P1")
	r.shows(r.get("/mon-acces"), "amina", "Vous n’avez pas encore de mot de passe.", "cet appareil", "Le code de votre lettre marche jusqu’au")
	form := func(password, again string) url.Values { return url.Values{"nouveau": {password}, "encore": {again}} }
	r.shows(r.submit("/mon-acces/mot-de-passe", form(password, password+"!"), 422, ""), "Les deux mots de passe ne sont pas les mêmes.")
	r.shows(r.submit("/mon-acces/mot-de-passe", form("motdepasse1", "motdepasse1"), 422, ""), "trop facile à deviner")
	r.submit("/mon-acces/mot-de-passe", form(password, password), 303, "/mon-acces?fait=mot-de-passe")
	page := r.get("/mon-acces?fait=mot-de-passe")
	r.shows(page, "Votre nouveau mot de passe est enregistré.", "Vous avez un mot de passe depuis le")
	name := regexp.MustCompile(`class="big">([a-z0-9]+)<`).FindStringSubmatch(page)
	if name == nil || strings.Contains(page, "Le code de votre lettre") {
		t.Fatal("the page shows no sign-in name, or a code that has ended")
	}
	other := h.reader()
	refused := other.post("/connexion/mot-de-passe", url.Values{"nom": {name[1]}, "mot-de-passe": {"wrong"}}, 422, "")
	if strings.Contains(refused, name[1]) || strings.Contains(refused, "wrong") {
		t.Error("what was typed is shown again")
	}
	other.post("/connexion/mot-de-passe", url.Values{"nom": {strings.ToUpper(name[1])}, "mot-de-passe": {password}}, 303, "/")
	other.submit("/mon-acces/partout", url.Values{}, 303, "/connexion?fait=partout")
	other.shows(other.get("/connexion?fait=partout"), "Vous êtes sorti de partout.", `action="/connexion/mot-de-passe"`)
	if status, to, _ := r.answer(r.client.Get(h.url + "/mon-acces")); status != 303 || to != "/connexion" {
		t.Errorf("the other session lives on: status %d to %s", status, to)
	}
}

func TestEmailPages(t *testing.T) {
	h := newHall(t, true)
	r := h.signedIn("P1")
	r.shows(r.submit("/mon-acces/e-mail", url.Values{"email": {"personne"}}, 422, ""), "Ce n’est pas une adresse e-mail.")
	r.submit("/mon-acces/e-mail", url.Values{"email": {"amina@example.org"}}, 303, "/mon-acces")
	code := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(h.server.Next(t).Text)
	r.shows(r.get("/mon-acces"), "Nous avons envoyé un code.")
	r.shows(r.submit("/mon-acces/e-mail/code", url.Values{"code": {"AAAA-AAAA"}}, 422, ""), "Ce code ne marche pas.")
	r.submit("/mon-acces/e-mail/code", url.Values{"code": {code}}, 303, "/mon-acces?fait=e-mail")
	r.shows(r.get("/mon-acces?fait=e-mail"), "Votre adresse : amina@example.org", "Votre adresse e-mail est enregistrée.")
	r.shows(r.submit("/mon-acces/e-mail/fin", url.Values{}, 409, ""), "votre seule manière d’entrer")

	other := h.reader()
	other.post("/connexion/e-mail", url.Values{"email": {"Amina@example.org"}}, 303, "/connexion/e-mail/code")
	other.shows(other.get("/connexion/e-mail/code"), "Si nous connaissons cette adresse, un code arrive.")
	code = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(h.server.Next(t).Text)
	h.reader().post("/connexion/e-mail/code", url.Values{"code": {code}}, 422, "")
	other.post("/connexion/e-mail/code", url.Values{"code": {code}}, 303, "/")
}

// Without a mail server nobody is offered what cannot work.
func TestWithoutMail(t *testing.T) {
	h := newHall(t, false)
	r := h.signedIn("P1")
	for path, page := range map[string]string{"/connexion": h.reader().get("/connexion"), "/mon-acces": r.get("/mon-acces")} {
		if strings.Contains(page, "/e-mail") {
			t.Errorf("%s offers codes by e-mail", path)
		}
	}
	if status, _, _ := r.answer(h.reader().client.Get(h.url + "/connexion/e-mail")); status != http.StatusNotFound {
		t.Errorf("/connexion/e-mail: status %d, want 404", status)
	}
}

func TestKeysOnThePage(t *testing.T) {
	h := newHall(t, true)
	r := h.signedIn("P1")
	page := r.submit("/mon-acces/cles", url.Values{"nom": {"tableau"}, "droit": {"consumption:read"}, "jours": {"30"}}, 200, "")
	key := regexp.MustCompile(`xnet_[A-Za-z0-9_-]{43}`).FindString(page)
	if key == "" || strings.Contains(r.get("/mon-acces"), key) {
		t.Errorf("the key %q is not shown, or shown again", key)
	}
	r.shows(r.submit("/mon-acces/cles", url.Values{"nom": {"autre"}, "droit": {"premises:write"}, "jours": {"30"}}, 422, ""), "Les réponses possibles sont consumption:read.")
	r.shows(r.submit("/mon-acces/cles", url.Values{"nom": {"autre"}, "droit": {"consumption:read"}, "jours": {"4000"}}, 422, ""), "400 jours au plus")
	id := regexp.MustCompile(`/mon-acces/cles/([^/"]+)/fin`).FindStringSubmatch(r.get("/mon-acces"))
	if id == nil {
		t.Fatal("the page lists no key")
	}
	h.signedIn("P2").submit("/mon-acces/cles/"+id[1]+"/fin", url.Values{}, 404, "")
	r.submit("/mon-acces/cles/"+id[1]+"/fin", url.Values{}, 303, "/mon-acces?fait=cle")
}

// Every form wants its token and a session; another's session cannot be closed,
// and a session of yesterday changes no way in.
func TestFormsAreGuarded(t *testing.T) {
	h := newHall(t, true)
	r, other := h.signedIn("P1"), h.signedIn("P2")
	for _, path := range []string{"/mot-de-passe", "/mot-de-passe/fin", "/e-mail", "/e-mail/code", "/e-mail/fin", "/visites/x/fin", "/partout", "/cles", "/cles/x/fin"} {
		r.post("/mon-acces"+path, url.Values{"jeton": {"wrong"}, "nouveau": {password}, "encore": {password}}, 403, "")
		h.reader().post("/mon-acces"+path, url.Values{}, 303, "/connexion")
	}
	var id string
	if err := h.db.QueryRowContext(t.Context(), `SELECT id FROM session WHERE person_id = 'P1'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	other.submit("/mon-acces/visites/"+id+"/fin", url.Values{}, 404, "")
	r.get("/mon-acces")
	h.clock.Add((31 * time.Minute).Milliseconds())
	stale := url.Values{"nouveau": {password}, "encore": {password}, "email": {"amina@example.org"}, "nom": {"x"}, "droit": {"consumption:read"}, "jours": {"30"}}
	for _, path := range []string{"/mot-de-passe", "/e-mail", "/cles"} {
		r.shows(r.submit("/mon-acces"+path, stale, 403, ""), "sortez puis entrez de nouveau")
	}
}
