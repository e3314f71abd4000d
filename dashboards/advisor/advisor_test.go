package advisor_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/advisor"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// arrivals is how many households arrived lately: more than a week's list holds.
const arrivals = 20

// A bureau is the pages over a residence where a cistern runs and many arrived.
type bureau struct {
	*webtest.Site
	now time.Time
}

func open(t *testing.T) bureau {
	t.Helper()
	b := bureau{now: time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return b.now }
	setting := webtest.Setting{Now: now, Visit: 24 * time.Hour}
	for id, name := range map[string]string{"adv": "Claire", "adv2": "Carole", "man": "Marius", "other": "Olga", "P-0": "Rose Martin"} {
		setting.Persons = append(setting.Persons, accounts.Person{ID: accounts.PersonID(id), Name: name, Language: "fr"})
	}
	b.Site = webtest.Open(t, setting, func(e *echo.Echo, s *webtest.Site) {
		s.Frame.Register(e)
		tenant.NewEntrance(s.Frame, s.Door, now).Register(e)
		trainings := training.NewStore(s.DB, training.DefaultTerms())
		(&advisor.Handler{Site: s.Frame, Programme: programme.NewStore(s.DB), Printer: printer(), Homes: premises.NewStore(s.DB), Cases: alerts.NewStore(s.DB),
			Training: trainings, Machines: computers.NewStore(s.DB, trainings), Now: now}).Register(e)
		e.GET("/", func(c echo.Context) error {
			session, _ := accounts.Who(c)
			return c.Redirect(http.StatusSeeOther, web.FirstPage(session))
		}, accounts.Anyone(accounts.NoScope))
	})
	furnish(t, b.DB, b.now)
	return b
}

func printer() programme.Printer {
	speak := func(code string) web.Language { l, _ := web.ParseLanguage(code); return l }
	return programme.Printer{Sender: []string{"Le bailleur"}, Advisor: "Claire", Telephone: "02 41 00 00 00",
		Say:    func(code, key string, args ...any) string { return speak(code).T(key, args...) },
		Number: func(code string, n float64, decimals int) string { return speak(code).Number(n, decimals) },
		Date:   func(code string, d civil.Date) string { return speak(code).Date(d, civil.Date{}) },
		Door: func(code, label, building, staircase string) string {
			return speak(code).Door(label, building, staircase)
		}}
}

func furnish(t *testing.T, db *sql.DB, now time.Time) {
	t.Helper()
	do := func(statement string, args ...any) { t.Helper(); sqldbtest.Exec(t, db, statement, args...) }
	do(`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'La Roseraie', 'Europe/Paris', 0), ('S', 'Les Lilas', 'Europe/Paris', 0)`)
	do(`INSERT INTO staff_role (person_id, role, residence_id) VALUES ('adv', 'advisor', 'R'), ('adv2', 'advisor', 'R'), ('man', 'manager', 'R'), ('other', 'advisor', 'S')`)
	for i := range arrivals {
		id := fmt.Sprintf("F-%d", i)
		do(`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ($1, 'R', 'A', '1', $2, 1, 3, 60)`, id, fmt.Sprint(i+1))
		do(`INSERT INTO household (id, occupants, language, telephone) VALUES ($1, 2, 'fr', '0600000001')`, id)
		do(`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ($1, $1, $1, $2)`, id, fmt.Sprintf("2026-02-%02d", i+1))
	}
	do(`INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-0', 'F-0', '2026-02-01')`)
	do(`INSERT INTO point (id, dwelling_id, kind) VALUES ('F-0', 'F-0', 'cold_water')`)
	ms := now.Add(-7 * 24 * time.Hour).UnixMilli()
	do(`INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date)
		VALUES ('AC-1', 'water', 'F-0', 'F-0', 'told', $1, 0, $2, '2026-03-10', '2026-03-17')`,
		`{"cause":{"subject":"water","point":"F-0"},"source":"curve","class":"running_cistern","flow":{"low_ml_per_hour":22000,"likely_ml_per_hour":24000,"high_ml_per_hour":26000},"since":{"latest":"2026-03-10T02:00:00Z"},"last":"2026-03-17T23:00:00Z","nights":8,"why":{"kind":"cold_water"}}`, ms)
	do(`INSERT INTO alert_step (case_id, number, state, at_ms, on_date, by_whom) VALUES ('AC-1', 1, 'opened', $1, '2026-03-11', 'nights'), ('AC-1', 2, 'told', $1, '2026-03-11', 'nights')`, ms)
	do(`INSERT INTO internet_offer (id, residence_id, operator, title, monthly_cents, from_date, source) VALUES ('GO', 'R', 'Fibre', 'Social', 200, '2025-01-01', '')`)
}

// TestWeekInEveryWay: the week is read, printed on one A4 and one line of it closed
// with the keyboard alone, without JavaScript, at a zoom of 200 % and at 320 pixels.
func TestWeekInEveryWay(t *testing.T) {
	b := open(t)
	for _, w := range webtest.Ways() {
		t.Run(w.Name, func(t *testing.T) {
			sqldbtest.Exec(t, b.DB, `DELETE FROM queue_closing`)
			p := webtest.SitAt(t, b.URL, "/connexion")
			p.Uses(w)
			p.Fill("Votre code", b.Invite(t, "adv")+"\n")
			p.Reads("Ma semaine", "URGENT", "Fuite d’eau à traiter.", "Rose Martin", "Nouveau foyer à accueillir.")
			p.Fits()
			p.Hears("Ma semaine", "Imprimer ma semaine", "Rose Martin", "URGENT", "Fuite d’eau à traiter.", "C’est fait")
			p.Prints("Ma semaine", "Rose Martin", "Fuite d’eau à traiter.")
			if pages := pagesOf(t, p.Context); pages != 1 {
				t.Errorf("printed from the screen the week takes %d pages", pages)
			}
			p.PressUnder("1.", "C’est fait")
			p.PressUnder("1.", "Je suis passée")
			p.PressUnder("1.", "Fermer cette ligne")
			p.Reads("C’est noté. La ligne est fermée.", "Déjà fait cette semaine : 1")
			p.Fits()
		})
	}
}

// An advisor before a browser: reads her week, prints it, closes a line in three
// actions, and does from the sheet of a household what it needs.
func TestWeekInABrowser(t *testing.T) {
	b := open(t)
	p := webtest.Sit(t, b.URL, b.Invite(t, "adv"))
	p.Reads("Ma semaine", "URGENT", "Fuite d’eau à traiter.", "Rose Martin", "Nouveau foyer à accueillir.")
	if lines := p.Ask(`String(document.querySelectorAll(".agenda > section").length)`); lines == "" || len(lines) > 2 || lines > "12" && len(lines) == 2 {
		t.Errorf("%s lines", lines)
	}
	if pages := pagesOf(t, p.Context); pages != 1 {
		t.Errorf("printed from the screen the week takes %d pages", pages)
	}
	link := p.Ask(`[...document.querySelectorAll("a")].find(e => e.innerText === "Imprimer ma semaine").getAttribute("href")`)
	colleague := b.enter(t, "adv2") // a new code would end the visit of the browser
	if a := colleague.Get(link); a.Status != http.StatusOK || !strings.HasPrefix(a.Page, "%PDF") || strings.Count(a.Page, "/Type /Page\n") != 1 {
		t.Errorf("the sheet: %d, %.10q, %d pages", a.Status, a.Page, strings.Count(a.Page, "/Type /Page\n"))
	}
	p.PressUnder("1.", "C’est fait")
	p.PressUnder("1.", "J’ai téléphoné")
	p.PressUnder("1.", "Fermer cette ligne")
	p.Reads("C’est noté. La ligne est fermée.", "Déjà fait cette semaine : 1")
	b.sheet(t, p)
}

// sheet goes through a household's page.
func (b bureau) sheet(t *testing.T, p *webtest.Sitter) {
	t.Helper()
	p.Goes("/foyers/F-0")
	p.Reads("Rose Martin", "Logement 1, bâtiment A", "Sans doute une chasse d’eau qui fuit (eau froide)", "Entre 22 et 26 litres par heure.", "Le foyer peut lire que vous les avez vus.")
	p.Fill("Nouvelle note", "Le joint de la chasse est usé.")
	p.Press("Écrire la note")
	p.Reads("La note est écrite.", "Le joint de la chasse est usé.", "par Claire")
	p.Press("Changer")
	p.Answer("Ce foyer a", "Une offre du programme")
	p.Press("Enregistrer")
	p.Reads("L’accès internet est noté.", "Une offre du programme, depuis le")
	p.Goes("/foyers/F-1")
	p.Reads("Aucune alerte n’est ouverte. Sa consommation ne se montre pas ici.")
	p.Misses("litres par heure")
	for _, path := range []string{"/semaine", "/foyers/F-0"} {
		for _, code := range []string{"fr", "en"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.Context, t, webtest.Screen{Name: fmt.Sprintf("advisor%s-%s-%d", strings.ReplaceAll(path, "/", "-"), code, width), Width: width, Unfold: true,
					Address: b.URL + "/langue/" + code + "?retour=" + url.QueryEscape(path)})
			}
		}
	}
}

// pagesOf prints what the browser shows on A4.
func pagesOf(t *testing.T, ctx context.Context) int {
	t.Helper()
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(pdf, []byte("/Type /Page\n"))
}

// enter signs somebody in without a screen.
func (b bureau) enter(t *testing.T, who accounts.PersonID) webtest.Browser {
	t.Helper()
	browser := b.Browser(t)
	if a := browser.Send("/connexion", url.Values{"code": {b.Invite(t, who)}}); a.Status != http.StatusSeeOther {
		t.Fatalf("%s does not come in: %d", who, a.Status)
	}
	return browser
}

func (b bureau) rows(t *testing.T, query string) (n int) {
	t.Helper()
	if err := b.DB.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Forms show the fault beside the field and lose nothing typed; a double post has one
// result; and who has no role there finds nothing.
func TestForms(t *testing.T) {
	b := open(t)
	adv := b.enter(t, "adv")
	week := adv.Get("/semaine")
	token := webtest.Token(t, week.Page)
	send := func(path string, pairs ...string) webtest.Answer {
		form := url.Values{"jeton": {token}, "residence": {"R"}}
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return adv.Send(path, form)
	}
	a := send("/semaine/fait", "ligne", "leak.AC-1", "mots", "Appel sans réponse", "revenir", "2026-04-01")
	if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Page, "Choisissez une réponse.") || !strings.Contains(a.Page, "Appel sans réponse</textarea>") || !strings.Contains(a.Page, `value="2026-04-01"`) {
		t.Errorf("nothing chosen: %d", a.Status)
	}
	a = send("/semaine/fait", "ligne", "leak.AC-1", "issue", "called", "revenir", "2026-02-30")
	if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Page, `value="2026-02-30"`) || !strings.Contains(a.Page, `value="called" checked`) {
		t.Errorf("no such day: %d", a.Status)
	}
	for range 2 {
		if a := send("/semaine/fait", "ligne", "leak.AC-1", "issue", "called", "mots", "Vu ensemble."); a.Status != http.StatusSeeOther {
			t.Errorf("closing: %d", a.Status)
		}
		if a := send("/foyers/F-0/notes", "mots", "Une note.", "le", "2026-03-18"); a.Status != http.StatusSeeOther {
			t.Errorf("note: %d", a.Status)
		}
	}
	if closed, notes := b.rows(t, `SELECT COUNT(DISTINCT action_id) FROM queue_closing`), b.rows(t, `SELECT COUNT(*) FROM household_note`); closed != 1 || notes != 2 {
		t.Errorf("%d lines closed, %d notes", closed, notes)
	}
	a = send("/foyers/F-0/notes", "mots", "", "le", "2026-03-18", "revenir", "2026-05-01")
	if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Page, `id="mots-f"`) || !strings.Contains(a.Page, `value="2026-05-01"`) {
		t.Errorf("no words: %d", a.Status)
	}
	if page := adv.Get("/semaine?residence=R").Page; strings.Contains(page, "Besoin d’aide") {
		t.Error("an advisor is told to call the advisor")
	}
	if n := b.rows(t, `SELECT COUNT(*) FROM access_log WHERE what = 'look.consumption'`); n == 0 {
		t.Error("nobody wrote down that consumption was looked at")
	}
	for who, want := range map[accounts.PersonID]int{"man": http.StatusForbidden, "other": http.StatusNotFound, "P-0": http.StatusForbidden} {
		other := b.enter(t, who)
		for _, path := range []string{"/semaine?residence=R", "/semaine/feuille.pdf?residence=R", "/foyers/F-0"} {
			if a := other.Get(path); a.Status != want || strings.Contains(a.Page, "Rose Martin</") && who != "P-0" {
				t.Errorf("%s asks %s: %d, want %d", who, path, a.Status, want)
			}
		}
	}
	if forms := webtest.Nonsense(t, adv.Reader(), "/semaine?residence=R", "/foyers/F-1"); forms < 4 {
		t.Errorf("%d forms", forms)
	}
}

// Who owes a training is enrolled from the sheet; who has a place in a session is
// not enrolled again, and the sheet says when it is.
func TestWhoHasAPlaceIsNotEnrolledAgain(t *testing.T) {
	b := open(t)
	do := func(statement string, args ...any) { t.Helper(); sqldbtest.Exec(t, b.DB, statement, args...) }
	do(`INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state)
		VALUES ('TD', 'TD', 'F-0', 'P-0', 'R', '2026-02-20', '2026-04-20', 'open')`)
	adv := b.enter(t, "adv")
	if page := adv.Get("/foyers/F-0").Page; !strings.Contains(page, ">Inscrire</a>") || !strings.Contains(page, "/formations/TD") {
		t.Error("nobody can be enrolled who owes a training")
	}
	do(`INSERT INTO training_course (id, title, theme, about) VALUES ('TC', 'Premiers pas', 'first_steps', '')`)
	do(`INSERT INTO training_session (id, course_id, residence_id, starts_ms, ends_ms, place, partner, language, childcare, transport, waiting)
		VALUES ('TS', 'TC', 'R', $1, $2, 'Salle', '', 'fr', '', '', 3)`, b.now.AddDate(0, 0, 10).UnixMilli(), b.now.AddDate(0, 0, 10).Add(time.Hour).UnixMilli())
	do(`INSERT INTO training_seat (session_id, number) VALUES ('TS', 1)`)
	do(`INSERT INTO training_enrolment (id, duty_id, session_id, seat, state, created_ms, changed_ms) VALUES ('TE', 'TD', 'TS', 1, 'enrolled', $1, $1)`, b.now.UnixMilli())
	if page := adv.Get("/foyers/F-0").Page; strings.Contains(page, ">Inscrire</a>") || !strings.Contains(page, "Place prise pour la séance du samedi 28") {
		t.Error("who has a place is to be enrolled again")
	}
}

// The sheet tells what a computer is and costs before it is sold; a household that has
// its share is offered none, because the sale would be refused.
func TestComputersForSale(t *testing.T) {
	b := open(t)
	do := func(statement string, args ...any) { t.Helper(); sqldbtest.Exec(t, b.DB, statement, args...) }
	do(`INSERT INTO computer_programme (residence_id, from_date, per_household, target_days, months) VALUES ('R', '2026-01-01', 1, 5, 12)`)
	do(`INSERT INTO workshop_price (residence_id, what, from_date, price_cents) VALUES ('R', 'used', '2025-01-01', 5000), ('R', 'used', '2026-01-01', 6000), ('R', 'used', '2027-01-01', 7000), ('R', 'new', '2026-01-01', 9950)`)
	for id, kind := range map[string]string{"1": "used", "2": "new", "3": "used"} {
		do(`INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no, received_on, state, cycle, grade_appearance, grade_function, version)
			VALUES ($1, 'R', $2, $1, '', $3, 'desktop', 'Lenovo', 'M720', '', 0, 'x', '', 0, $1, '2026-01-02', $4, 1, 'B', 'B', 1)`, "M"+id, "PC-00000"+id, kind, map[bool]string{true: "in_use", false: "ready"}[id == "3"])
	}
	adv := b.enter(t, "adv")
	shows := func(path string, wanted, unwanted []string) {
		t.Helper()
		page := strings.ReplaceAll(adv.Get(path).Page, "\u00a0", " ")
		for _, text := range wanted {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not show %q", path, text)
			}
		}
		for _, text := range unwanted {
			if strings.Contains(page, text) {
				t.Errorf("%s shows %q", path, text)
			}
		}
	}
	offers, refused := []string{"Lenovo M720, d’occasion, 60 €", "Lenovo M720, neuf, 99,50 €", "Vendre à ce foyer"}, "Ce foyer a déjà son ordinateur à prix réduit."
	shows("/foyers/F-0", offers, []string{"Déjà acheté", refused})
	do(`INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, slot, payment, receipt_no, sold_on, sold_by, programme_from, programme_months, accessories, signed_by, return_reason, refund_cents)
		VALUES ('SL', 'M3', 'R', 'F-0', 'P-0', 'used', 6000, 6000, 1, 1, 'cash', 'R-1', '2026-02-20', 'adv', '2026-02-20', 12, '', '', '', 0)`)
	shows("/foyers/F-0", []string{"Déjà acheté : PC-000003, le vendredi 20 février.", refused}, offers)
	shows("/foyers/F-1", offers, []string{"Déjà acheté", refused})
	do(`UPDATE computer_programme SET per_household = 2`)
	shows("/foyers/F-0", append(offers, "Déjà acheté : PC-000003"), []string{refused})
}
