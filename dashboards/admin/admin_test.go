package admin_test

import (
	"database/sql"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/admin"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

var start = time.Date(2026, 3, 18, 13, 0, 0, 0, time.UTC)

// An office is the settings page over two residences: boss administers all,
// admin1 the first, manager1 and manager2 manage one each.
type office struct {
	*webtest.Site
	t *testing.T
}

func newOffice(t *testing.T) office {
	t.Helper()
	setting := webtest.Setting{Now: func() time.Time { return start }, Visit: time.Hour}
	for _, id := range []string{"boss", "admin1", "manager1", "manager2", "tenant"} {
		setting.Persons = append(setting.Persons, accounts.Person{ID: accounts.PersonID(id), Name: "Nom " + id, Language: "fr"})
	}
	o := office{t: t, Site: webtest.Open(t, setting, func(e *echo.Echo, s *webtest.Site) {
		e.POST("/enter", func(c echo.Context) error { return s.Door.Enter(c, c.FormValue("code")) })
		told := &alerts.Writer{Store: alerts.NewStore(s.DB), Sender: []string{"La Roseraie"}, Advisor: "Nadia", Telephone: "02 41 00 00 00", Now: s.Now,
			Say:  func(_, key string, args ...any) string { return web.French().T(key, args...) },
			Date: func(_ string, d civil.Date) string { return d.String() }}
		admin.New(s.Frame, s.Door, s.Clerk, told, s.Now).Register(e)
	})}
	sqldbtest.Exec(t, o.DB, `INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R1', 'La Roseraie', 'Europe/Paris', 0), ('R2', 'Les Lilas', 'Europe/Paris', 0)`)
	sqldbtest.Exec(t, o.DB, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('boss', 'administrator', NULL),
		('admin1', 'administrator', 'R1'), ('manager1', 'manager', 'R1'), ('manager2', 'manager', 'R2')`)
	return o
}

// A reader is a browser in which somebody signed in.
type reader struct {
	webtest.Browser
	t *testing.T
}

func (o office) reader(person accounts.PersonID) reader {
	o.t.Helper()
	r := reader{o.Browser(o.t), o.t}
	if person != "" {
		r.post("/enter", url.Values{"code": {o.Invite(o.t, person)}}, 200)
	}
	return r
}

func (r reader) post(path string, form url.Values, status int) string {
	r.t.Helper()
	a := r.Send(path, form)
	if a.Status != status {
		r.t.Errorf("POST %s %v: status %d, want %d", path, form, a.Status, status)
	}
	return a.Page
}

func (r reader) page() string {
	r.t.Helper()
	return r.Get("/reglages").Page
}

// submit posts a form with its token.
func (r reader) submit(path string, status int, fields ...string) string {
	r.t.Helper()
	form := url.Values{"jeton": {webtest.Token(r.t, r.page())}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return r.post(path, form, status)
}

func TestWhoMayOpenThePage(t *testing.T) {
	o := newOffice(t)
	for person, want := range map[accounts.PersonID]int{"": 303, "tenant": 403, "manager1": 403, "admin1": 200, "boss": 200} {
		r := o.reader(person)
		if a := r.Get("/reglages"); a.Status != want || want != 200 && strings.Contains(a.Page, "Nom boss") {
			t.Errorf("%q: status %d, want %d", person, a.Status, want)
		}
		refused := want
		if want == 200 {
			refused = 403 // the form's token is missing
		}
		for _, path := range []string{"/personnes", "/roles", "/roles/fin", "/cles/fin", "/invitation", "/lettres"} {
			r.post("/reglages"+path, url.Values{"personne": {"tenant"}, "role": {"administrator"}}, refused)
		}
	}
}

func TestAnAdministratorOfOneResidence(t *testing.T) {
	o := newOffice(t)
	r := o.reader("admin1")
	page := r.page()
	for text, want := range map[string]bool{"Nom manager1": true, "Nom admin1": true, "La Roseraie": true, "Nom boss": false, "Nom manager2": false,
		"Les Lilas": false, `<option value="">`: false} {
		if strings.Contains(page, text) != want {
			t.Errorf("the page shows %q: %v, want %v", text, !want, want)
		}
	}
	r.submit("/reglages/roles", 422, "personne", "manager1", "role", "manager", "residence", "R2")
	r.submit("/reglages/roles", 422, "personne", "admin1", "role", "administrator", "residence", "")
	r.submit("/reglages/roles", 404, "personne", "manager2", "role", "advisor", "residence", "R1")
	r.submit("/reglages/roles/fin", 422, "personne", "boss", "role", "administrator", "residence", "")
	r.submit("/reglages/invitation", 404, "personne", "boss")
	r.submit("/reglages/invitation", 404, "personne", "manager2")
	r.submit("/reglages/personnes", 422, "nom", "Paul Neuf", "langue", "fr", "role", "advisor", "residence", "R2")
	r.submit("/reglages/personnes", 422, "nom", "", "langue", "fr", "role", "advisor", "residence", "R1")

	r.submit("/reglages/personnes", 303, "nom", "Paul <b>Neuf</b>", "langue", "fr", "role", "advisor", "residence", "R1")
	page = r.page()
	if !strings.Contains(page, "Paul &lt;b&gt;Neuf&lt;/b&gt;") || !strings.Contains(page, "Pas encore invité") {
		t.Error("the new person is not shown, or not as typed")
	}
	r.submit("/reglages/roles", 303, "personne", "manager1", "role", "installer", "residence", "R1")
	r.submit("/reglages/roles/fin", 303, "personne", "manager1", "role", "manager", "residence", "R1")
	if letter := r.submit("/reglages/invitation", 200, "personne", "manager1"); !strings.HasPrefix(letter, "%PDF-") {
		t.Errorf("the letter is %.40q", letter)
	}
	if page := o.reader("boss").submit("/reglages/roles/fin", 409, "personne", "boss", "role", "administrator", "residence", ""); !strings.Contains(page, "dernier administrateur") {
		t.Error("the page does not say why the last administrator stays")
	}
}

// The letter about a leak is printed where the others are, once, by who works in its
// residence; not one whose case is over.
func TestAlertLettersOnThePage(t *testing.T) {
	o := newOffice(t)
	sqldbtest.Exec(t, o.DB, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D', 'R1', 'A', '2', '12', 1, 3, 60)`)
	sqldbtest.Exec(t, o.DB, `INSERT INTO household (id, occupants, language) VALUES ('H', 2, 'fr')`)
	sqldbtest.Exec(t, o.DB, `INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T', 'H', 'D', '2020-01-01')`)
	sqldbtest.Exec(t, o.DB, `INSERT INTO membership (person_id, household_id, from_date) VALUES ('tenant', 'H', '2020-01-01')`)
	sqldbtest.Exec(t, o.DB, `INSERT INTO point (id, dwelling_id, kind) VALUES ('P', 'D', 'cold_water')`)
	for id, ended := range map[string]sql.NullInt64{"open": {}, "over": {Int64: start.UnixMilli(), Valid: true}} {
		state := map[bool]string{false: "told", true: "verified"}[ended.Valid]
		sqldbtest.Exec(t, o.DB, `INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date, ended_ms)
			VALUES ($1, 'water', 'P', 'H', $2, '{"cause":{"subject":"water","point":"P"},"class":"running_cistern","flow":{"likely_ml_per_hour":25000},"since":{"latest":"2026-01-02T06:00:00Z"},"last":"2026-01-03T06:00:00Z"}',
			        0, $3, '2026-01-02', '2026-01-02', $4)`, id, state, start.UnixMilli()-1, ended)
		sqldbtest.Exec(t, o.DB, `INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms)
			VALUES ($1, 'letter', 'alert', 'tenant', $1, '', 'waiting', 0, $2, $2)`, id, start.UnixMilli())
	}
	r := o.reader("admin1")
	page := r.page()
	if !strings.Contains(page, "Lettres d’alerte") || !strings.Contains(page, `value="open"`) || strings.Contains(page, `value="over"`) {
		t.Error("the page does not list the one letter that waits")
	}
	r.submit("/reglages/lettres/alertes", 422)
	r.submit("/reglages/lettres/alertes", 404, "lettre", "over")
	file := r.submit("/reglages/lettres/alertes", 200, "lettre", "open")
	if !strings.HasPrefix(file, "%PDF-") {
		t.Fatalf("the letter is %.40q", file)
	}
	r.submit("/reglages/lettres/alertes", 404, "lettre", "open")
	if strings.Contains(r.page(), `value="open"`) {
		t.Error("a printed letter waits on")
	}
}

func TestWaitingLettersOnThePage(t *testing.T) {
	o := newOffice(t)
	err := sqldb.InTx(t.Context(), o.DB, func(tx *sql.Tx) error { return accounts.AskLetter(t.Context(), tx, "manager1", start) })
	if err != nil {
		t.Fatal(err)
	}
	r := o.reader("admin1")
	id := regexp.MustCompile(`name="lettre" value="([^"]+)"`).FindStringSubmatch(r.page())
	if id == nil {
		t.Fatal("the page lists no letter")
	}
	if letter := r.submit("/reglages/lettres", 200, "lettre", id[1]); !strings.HasPrefix(letter, "%PDF-") {
		t.Errorf("the letters are %.40q", letter)
	}
	r.submit("/reglages/lettres", 404, "lettre", id[1])
	r.submit("/reglages/lettres", 422)

	for _, person := range []string{"manager1", "manager2"} {
		sqldbtest.Exec(t, o.DB, `INSERT INTO outbox (id, channel, kind, person_id, subject, recipient, state, attempts, created_ms, next_ms, done_ms)
			VALUES ($1, 'email', 'invitation', $1, $1, '', 'failed', 1, $2, $2, $2)`, person, start.UnixMilli())
	}
	_, failed, _ := strings.Cut(r.page(), "Invitations par e-mail qui ne sont pas parties")
	failed, _, _ = strings.Cut(failed, "</ul>")
	if !strings.Contains(failed, "Nom manager1") || strings.Contains(failed, "Nom manager2") {
		t.Errorf("e-mails that did not leave: %q", failed)
	}
}

func TestNonsense(t *testing.T) {
	o := newOffice(t)
	if forms := webtest.Nonsense(t, o.reader("boss").Reader(), "/reglages"); forms < 4 {
		t.Errorf("%d forms", forms)
	}
}
