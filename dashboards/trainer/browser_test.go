package trainer_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/trainer"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const buyers = 2

// A classroom is the pages over a residence with two buyers who are not trained.
type classroom struct {
	*webtest.Site
	store *training.Store
	now   time.Time
}

func newClassroom(t *testing.T) *classroom {
	t.Helper()
	c := &classroom{now: time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return c.now }
	setting := webtest.Setting{Now: now, Visit: 100 * 24 * time.Hour}
	for id, name := range map[string]string{"adv": "Claire", "tra": "Fabien", "P-1": "Zoé Martin", "P-2": "Malik Diallo"} {
		setting.Persons = append(setting.Persons, accounts.Person{ID: accounts.PersonID(id), Name: name, Language: "fr"})
	}
	c.Site = webtest.Open(t, setting, func(e *echo.Echo, s *webtest.Site) {
		c.store = training.NewStore(s.DB, training.DefaultTerms())
		clerk := &training.Clerk{Store: c.store, Advisor: "Claire", Dial: "02", Now: now,
			Say:  func(_, key string, args ...any) string { return web.French().T(key, args...) },
			Date: func(_ string, d civil.Date) string { return web.French().Date(d, civil.Date{}) },
			Door: func(_, label, building, staircase string) string {
				return web.French().Door(label, building, staircase)
			}}
		s.Frame.Register(e)
		tenant.NewEntrance(s.Frame, s.Door, now).Register(e)
		homes := premises.NewStore(s.DB)
		(&trainer.Handler{Site: s.Frame, Store: c.store, Clerk: clerk, Homes: homes, Now: now}).Register(e)
		(&tenant.MyComputer{Site: s.Frame, Homes: homes, Machines: computers.NewStore(s.DB, c.store), Store: c.store, Clerk: clerk, Now: now}).Register(e)
		e.GET("/", func(c echo.Context) error {
			session, _ := accounts.Who(c)
			if first := web.FirstPage(session); first != "/" {
				return c.Redirect(303, first)
			}
			return c.Redirect(303, "/mon-ordinateur")
		}, accounts.Anyone(accounts.NoScope))
		e.GET("/semaine", func(c echo.Context) error { return c.Redirect(303, "/formations") })
	})
	c.furnish(t)
	return c
}

func (c *classroom) furnish(t *testing.T) {
	t.Helper()
	sqldbtest.Exec(t, c.DB, `INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'La Roseraie', 'Europe/Paris', 0)`)
	sqldbtest.Exec(t, c.DB, `INSERT INTO staff_role (person_id, role, residence_id) VALUES ('adv', 'advisor', 'R'), ('tra', 'trainer', 'R')`)
	for i := 1; i <= buyers; i++ {
		for _, statement := range []string{
			`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D-%[1]d', 'R', 'A', '1', '%[1]d', 1, 3, 60)`,
			`INSERT INTO household (id, occupants, language, telephone) VALUES ('F-%[1]d', 1, 'fr', '06000000%02[1]d')`,
			`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-%[1]d', 'F-%[1]d', 'D-%[1]d', '2025-01-01')`,
			`INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-%[1]d', 'F-%[1]d', '2025-01-01')`,
		} {
			sqldbtest.Exec(t, c.DB, fmt.Sprintf(statement, i))
		}
		sale := computers.Sale{ID: computers.SaleID(fmt.Sprint("sale-", i)), Residence: "R", Household: premises.HouseholdID(fmt.Sprint("F-", i)),
			Buyer: accounts.PersonID(fmt.Sprint("P-", i)), SoldOn: civil.Date{Year: 2026, Month: 1, Day: i}, Subsidised: true}
		if err := sqldb.InTx(t.Context(), c.DB, func(tx *sql.Tx) error { return c.store.Oblige(t.Context(), tx, sale) }); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *classroom) session(t *testing.T, places int) training.Session {
	t.Helper()
	course, err := c.store.CreateCourse(t.Context(), "adv", training.Course{Title: "Premiers pas", Theme: training.FirstSteps}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.store.CreateSession(t.Context(), "adv", training.Plan{Course: course.ID, Residence: "R", Trainer: "tra", Date: "2026-03-30", From: "14:00",
		To: "16:00", Place: "Cyber Centre", Language: "fr", Capacity: places}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestEnrolABuyer uses only what an advisor and a trainer see: who is not trained,
// one click to enrol, and a month of March later who was there.
func TestEnrolABuyer(t *testing.T) {
	c := newClassroom(t)
	at := c.session(t, 1)
	advisor := webtest.Sit(t, c.URL, c.Invite(t, "adv"))
	advisor.Reads("Acheteurs formés", "Zoé Martin", "En retard de 16 jours", "0600000001", "Pas encore invité", "1 place libre")
	advisor.PressUnder("Zoé Martin", "Inscrire")
	advisor.Reads("L’inscription est faite", "Place prise pour la séance du", "Lettres qui attendent : 1")
	advisor.Reads("Aucune séance avec une place libre")
	c.now = at.Starts.Add(time.Hour)
	teacher := webtest.Sit(t, c.URL, c.Invite(t, "tra"))
	teacher.Reads("Séances de formation")
	teacher.Press("lundi 30 mars")
	teacher.Reads("Feuille de présence", "Zoé Martin")
	teacher.Misses("0600000001", "Malik Diallo")
	teacher.Press("Présent")
	teacher.Press("Enregistrer")
	teacher.Reads("Les présences sont notées")
	advisor.Goes("/formations")
	advisor.Reads("Acheteurs formés : 1 sur 2", "Malik Diallo")
	advisor.Misses("Zoé Martin")
}

// A full session refuses the second of two who click, in words beside the buyer,
// and a form that is sent twice has one result.
func TestTheSecondOfTwoClicks(t *testing.T) {
	c := newClassroom(t)
	at := c.session(t, 1)
	all, err := c.store.Duties(t.Context(), "adv", training.Filter{Page: resource.Page{Limit: 9}}, c.now)
	if err != nil || len(all) != buyers {
		t.Fatalf("%d duties, %v", len(all), err)
	}
	b := c.Browser(t)
	b.Send("/connexion", url.Values{"code": {c.Invite(t, "adv")}})
	page := b.Get("/formations")
	click := func(i int) webtest.Answer {
		return b.Send("/formations/inscrire", url.Values{"jeton": {webtest.Token(t, page.Page)}, "acheteur": {string(all[i].ID)}, "seance": {string(at.ID)}})
	}
	for range 2 {
		if a := click(0); a.Status != 303 {
			t.Errorf("first buyer: %d %s", a.Status, a.To)
		}
	}
	a := click(1)
	before, after, _ := strings.Cut(a.Page, "Malik Diallo")
	if a.Status != 409 || strings.Contains(before, "La séance est complète") || !strings.Contains(after, "La séance est complète") {
		t.Errorf("second buyer: %d, the reason stands beside: %v", a.Status, strings.Contains(after, "La séance est complète"))
	}
}

// What staff wrote is French on an English page, and says so to who reads it aloud.
func TestStaffsWordsAreFrench(t *testing.T) {
	c := newClassroom(t)
	at := c.session(t, 1)
	all, err := c.store.Duties(t.Context(), "adv", training.Filter{Page: resource.Page{Limit: 9}}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.store.Enrol(t.Context(), "adv", all[0].ID, at.ID, false, c.now); err != nil {
		t.Fatal(err)
	}
	b := c.Browser(t)
	b.Send("/connexion", url.Values{"code": {c.Invite(t, "P-1")}})
	b.Get("/langue/en")
	page := b.Get("/mon-ordinateur/formation").Page
	for _, want := range []string{`Course (in French): <span lang="fr">Premiers pas</span>`, `<span lang="fr">Cyber Centre</span>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// TestScreens looks at each page down to 320 pixels: nothing is wider than the
// window, nothing to be touched is too small for a finger.
func TestScreens(t *testing.T) {
	c := newClassroom(t)
	at := c.session(t, 4)
	all, err := c.store.Duties(t.Context(), "adv", training.Filter{Page: resource.Page{Limit: 9}}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.store.Enrol(t.Context(), "adv", all[0].ID, at.ID, false, c.now); err != nil {
		t.Fatal(err)
	}
	if err := c.store.AskAnotherDate(t.Context(), premises.Own("P-2"), all[1].ID, "le mardi matin, s’il vous plaît", c.now); err != nil {
		t.Fatal(err)
	}
	look := func(p *webtest.Sitter, name, path string) {
		for _, width := range webtest.Widths() {
			for _, language := range []string{"fr", "en"} {
				webtest.Look(p.Context, t, webtest.Screen{Name: fmt.Sprintf("%s-%s-%d", name, language, width),
					Address: c.URL + "/langue/" + language + "?retour=" + url.QueryEscape(path), Width: width, Unfold: true})
			}
		}
	}
	advisor := webtest.Sit(t, c.URL, c.Invite(t, "adv"))
	advisor.Reads("Acheteurs formés")
	look(advisor, "acheteurs", "/formations")
	look(advisor, "acheteur", "/formations/"+string(all[0].ID))
	look(advisor, "seances", "/seances")
	look(advisor, "feuille", "/seances/"+string(at.ID))
	buyer := webtest.Sit(t, c.URL, c.Invite(t, "P-1"))
	buyer.Reads("Besoin d’aide")
	look(buyer, "ordinateur", "/mon-ordinateur")
	look(buyer, "formation", "/mon-ordinateur/formation")
	c.now = at.Starts.Add(time.Hour)
	teacher := webtest.Sit(t, c.URL, c.Invite(t, "tra"))
	teacher.Reads("Séances de formation")
	look(teacher, "presences", "/seances/"+string(at.ID))
}
