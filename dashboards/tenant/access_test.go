package tenant_test

import (
	"net/http"
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
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

var start = time.Date(2026, 3, 18, 13, 0, 0, 0, time.UTC)

// password is one that nothing forbids.
const password = "trois bateaux verts"

// A hall is the pages of signing in and of access, with a real mail server and a
// clock that tests turn.
type hall struct {
	*webtest.Site
	t      *testing.T
	server *notifytest.Server
	clock  *atomic.Int64 // ms
}

func newHall(t *testing.T, mails bool) hall {
	t.Helper()
	h := hall{t: t, server: notifytest.Start(t), clock: &atomic.Int64{}}
	h.clock.Store(start.UnixMilli())
	config := h.server.Config()
	if !mails {
		config.Host = ""
	}
	sender, err := notify.NewSender(config)
	if err != nil {
		t.Fatal(err)
	}
	h.Site = webtest.Open(t, webtest.Setting{Sender: sender, Visit: 30 * 24 * time.Hour, Now: func() time.Time { return sqldb.Time(h.clock.Load()) },
		Persons: []accounts.Person{{ID: "P1", Name: "Amina Diallo", Language: "fr"}, {ID: "P2", Name: "Jean Voisin", Language: "fr"}}},
		func(e *echo.Echo, s *webtest.Site) { tenant.NewEntrance(s.Frame, s.Door, s.Now).Register(e) })
	notifytest.Run(t, h.Outbox)
	return h
}

// A reader is a browser in the hall.
type reader struct {
	webtest.Browser
	t *testing.T
}

func (h hall) reader() reader { return reader{h.Browser(h.t), h.t} }

// signedIn returns a reader who came in with a new code.
func (h hall) signedIn(person accounts.PersonID) reader {
	h.t.Helper()
	r := h.reader()
	r.post("/connexion", url.Values{"code": {h.Invite(h.t, person)}}, 303, "/")
	return r
}

// get returns a page, which must come with status 200.
func (r reader) get(path string) string {
	r.t.Helper()
	a := r.Get(path)
	if a.Status != http.StatusOK {
		r.t.Errorf("%s: status %d", path, a.Status)
	}
	return a.Page
}

// submit posts a form of the access page with its token.
func (r reader) submit(path string, form url.Values, status int, to string) string {
	r.t.Helper()
	form.Set("jeton", webtest.Token(r.t, r.get("/mon-acces")))
	return r.post(path, form, status, to)
}

// post fails the test unless the answer has the status and leads to that page.
func (r reader) post(path string, form url.Values, status int, to string) string {
	r.t.Helper()
	a := r.Send(path, form)
	if a.Status != status || a.To != to {
		r.t.Errorf("POST %s: status %d to %q, want %d to %q", path, a.Status, a.To, status, to)
	}
	return a.Page
}

func (r reader) shows(page string, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			r.t.Errorf("the page does not show %q", text)
		}
	}
}

func (r reader) hides(page string, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			r.t.Errorf("the page shows %q", text)
		}
	}
}

func TestPasswordPages(t *testing.T) {
	h := newHall(t, true)
	r := h.signedIn("P1")
	page := r.get("/mon-acces")
	r.shows(page, "amina", "Vous n’avez pas encore de mot de passe.", "cet appareil", "Le code de votre lettre marche jusqu’au",
		"Pour entrer, tapez seulement le code de votre lettre.", "Ce nom sert avec un mot de passe.")
	r.hides(page, "Tapez ce nom", "Vous ne reconnaissez pas un appareil")
	form := func(password, again string) url.Values { return url.Values{"nouveau": {password}, "encore": {again}} }
	r.shows(r.submit("/mon-acces/mot-de-passe", form(password, password+"!"), 422, ""), "Les deux mots de passe ne sont pas les mêmes.")
	r.shows(r.submit("/mon-acces/mot-de-passe", form("motdepasse1", "motdepasse1"), 422, ""), "trop facile à deviner")
	r.submit("/mon-acces/mot-de-passe", form(password, password), 303, "/mon-acces?fait=mot-de-passe")
	page = r.get("/mon-acces?fait=mot-de-passe")
	r.shows(page, "Votre nouveau mot de passe est enregistré.", "Vous avez un mot de passe depuis le", "Tapez ce nom avec votre mot de passe.")
	r.hides(page, "tapez seulement le code", "Ce nom sert avec")
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
	other.shows(other.get("/mon-acces"), "Vous ne reconnaissez pas un appareil")
	other.submit("/mon-acces/partout", url.Values{}, 303, "/connexion?fait=partout")
	other.shows(other.get("/connexion?fait=partout"), "Vous êtes sorti de partout.", `action="/connexion/mot-de-passe"`)
	if a := r.Get("/mon-acces"); a.Status != 303 || a.To != "/connexion" {
		t.Errorf("the other session lives on: status %d to %s", a.Status, a.To)
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
	if a := h.reader().Get("/connexion/e-mail"); a.Status != http.StatusNotFound {
		t.Errorf("/connexion/e-mail: status %d, want 404", a.Status)
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
	late := h.reader()
	late.post("/mon-acces/mot-de-passe", url.Values{"jeton": {"of a visit that is over"}}, 303, "/connexion?fini=1")
	late.shows(late.get("/connexion?fini=1"), "Votre visite est finie.")
	var id string
	if err := h.DB.QueryRowContext(t.Context(), `SELECT id FROM session WHERE person_id = 'P1'`).Scan(&id); err != nil {
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
