package workshop_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/dashboards/workshop"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// now is a Wednesday.
func now() time.Time { return time.Date(2026, 3, 18, 10, 0, 0, 0, time.UTC) }

const (
	technician accounts.PersonID = "P-tec"
	advisor    accounts.PersonID = "P-adv"
	manager    accounts.PersonID = "P-man"
	tenant     accounts.PersonID = "P-rose"
	elsewhere  accounts.PersonID = "P-far"
)

const people = `
INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('R', 'La Roseraie', 'Europe/Paris', 0), ('S', 'Les Sablons', 'Europe/Paris', 0);
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D-12', 'R', 'A', '2', '12', 1, 3, 60), ('D-13', 'R', 'A', '2', '13', 1, 3, 60);
INSERT INTO household (id, occupants, language, contact_by) VALUES ('F-rose', 2, 'fr', 'letter'), ('F-luc', 1, 'fr', 'letter');
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-rose', 'F-rose', 'D-12', '2025-01-01'), ('T-luc', 'F-luc', 'D-13', '2025-01-01');
INSERT INTO person (id, name, language) VALUES ('P-tec', 'Théo Technique', 'fr'), ('P-adv', 'Claire Moreau', 'fr'), ('P-man', 'Marius Gestion', 'fr'), ('P-rose', 'Rose Martin', 'fr'), ('P-luc', 'Luc Petit', 'fr'), ('P-far', 'Ailleurs', 'fr');
INSERT INTO membership (person_id, household_id, from_date) VALUES ('P-rose', 'F-rose', '2025-01-01'), ('P-luc', 'F-luc', '2025-01-01');
INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-tec', 'technician', 'R'), ('P-adv', 'advisor', 'R'), ('P-man', 'manager', 'R'), ('P-far', 'technician', 'S');
INSERT INTO computer_programme (residence_id, from_date, per_household, target_days, months) VALUES ('R', '2026-01-01', 1, 5, 12);
INSERT INTO workshop_price (residence_id, what, from_date, price_cents) VALUES ('R', 'used', '2026-01-01', 6000), ('R', 'new', '2026-01-01', 10000), ('R', 'refurbish', '2026-01-01', 5500), ('R', 'repair', '2026-01-01', 3000);
`

// A shop is the pages over a database with two households.
type shop struct {
	*webtest.Site
	t        testing.TB
	machines *computers.Store
}

func open(t testing.TB) shop {
	t.Helper()
	var machines *computers.Store
	site := webtest.Open(t, webtest.Setting{Now: now, Visit: time.Hour}, func(e *echo.Echo, s *webtest.Site) {
		e.POST("/enter", func(c echo.Context) error { return s.Door.Enter(c, c.FormValue("code")) })
		e.GET("/as", func(c echo.Context) error { return s.Door.Enter(c, c.QueryParam("code")) })
		s.Frame.Register(e)
		machines = computers.NewStore(s.DB, nil)
		workshop.New(workshop.Parts{Site: s.Frame, Machines: machines, Homes: premises.NewStore(s.DB), Sender: []string{"Le Toit des Roses"}, Now: s.Now}).Register(e)
	})
	for statement := range strings.SplitSeq(strings.TrimSpace(people), ";\n") {
		sqldbtest.Exec(t, site.DB, strings.TrimSuffix(statement, ";"))
	}
	return shop{site, t, machines}
}

// A clerk is somebody at a browser.
type clerk struct {
	webtest.Browser
	t testing.TB
}

func (s shop) enter(person accounts.PersonID) clerk {
	s.t.Helper()
	b := s.Browser(s.t)
	if a := b.Send("/enter", url.Values{"code": {s.Invite(s.t, person)}}); a.Status != http.StatusOK {
		s.t.Fatalf("sign-in of %s: %d", person, a.Status)
	}
	return clerk{b, s.t}
}

// send fills the form with that action on a page and presses its button. What the
// form has already, as marks and answers, goes with it.
func (c clerk) send(page, action string, fields ...string) webtest.Answer {
	c.t.Helper()
	form := c.form(page, action)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return c.Send(action, form)
}

// form is what a form of the page would send as it stands.
func (c clerk) form(page, action string) url.Values {
	c.t.Helper()
	a := c.Get(page)
	_, rest, ok := strings.Cut(a.Page, `action="`+action+`"`)
	if !ok {
		c.t.Fatalf("%s (%d) has no form for %s", page, a.Status, action)
	}
	inside, _, _ := strings.Cut(rest, "</form>")
	form := url.Values{}
	for _, one := range strings.Split(inside, "<input ")[1:] {
		tag, _, _ := strings.Cut(one, ">")
		kind := between(tag, `type="`)
		if kind == "hidden" || kind == "text" || kind == "date" || kind == "radio" && strings.Contains(tag, " checked") {
			form.Set(between(tag, `name="`), between(tag, `value="`))
		}
	}
	for _, one := range strings.Split(inside, "<select ")[1:] {
		if _, chosen, ok := strings.Cut(one, ` selected`); ok {
			head := one[:len(one)-len(chosen)]
			form.Set(between(one, `name="`), between(head[strings.LastIndex(head, "<option"):], `value="`))
		}
	}
	return form
}

func between(text, after string) string {
	_, rest, _ := strings.Cut(text, after)
	inside, _, _ := strings.Cut(rest, `"`)
	return inside
}

// done fails the test where a form was refused, and returns where it led.
func (c clerk) done(a webtest.Answer) string {
	c.t.Helper()
	if a.Status != http.StatusSeeOther {
		c.t.Fatalf("status %d: %s", a.Status, faults(a.Page))
	}
	to, _, _ := strings.Cut(a.To, "?")
	return to
}

// faults are what a page says went wrong.
func faults(page string) string {
	var all []string
	for _, one := range strings.Split(page, `class="fault"`)[1:] {
		_, one, _ = strings.Cut(one, ">")
		one, _, _ = strings.Cut(one, "<")
		all = append(all, one)
	}
	return strings.Join(all, " | ")
}

func shows(t testing.TB, page string, wanted, unwanted []string) {
	t.Helper()
	for _, text := range wanted {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
	for _, text := range unwanted {
		if strings.Contains(page, text) {
			t.Errorf("the page shows %q", text)
		}
	}
}

// takesIn takes in a laptop with one drive and returns its page.
func (c clerk) takesIn(serial string) string {
	c.t.Helper()
	return c.done(c.send("/atelier/entree", "/atelier/entree?residence=R", "serie", serial, "marque", "Dell", "modele", "Latitude E5470", "donneur", "Banque de l’Ouest",
		"disque_serie", "WD-"+serial, "disque_type", "hdd", "disque_taille", "500"))
}

func (c clerk) wipes(machine string, more ...string) webtest.Answer {
	c.t.Helper()
	return c.send(machine, machine+"/effacement", append([]string{"niveau", "purge", "methode", "ATA Secure Erase", "outil", "hdparm", "version", "9.65", "resultat", "passed", "verifie", "Théo Technique"}, more...)...)
}

var checked = []string{"starts", "storage_health", "memory", "screen", "keyboard", "pointer", "usb", "network", "sound", "power_supply", "system_installed", "cleaned", "battery", "hinge", "wifi", "camera", "bios_free"}

func (c clerk) tests(machine string) {
	c.t.Helper()
	var answers []string
	for _, item := range checked {
		answers = append(answers, item, "pass")
	}
	c.done(c.send(machine, machine+"/essais", answers...))
}

// readies takes a machine from intake to the shelf.
func (c clerk) readies(serial string) string {
	c.t.Helper()
	machine := c.takesIn(serial)
	c.done(c.send(machine, machine+"/etape", "vers", "wiping"))
	c.done(c.wipes(machine))
	c.done(c.send(machine, machine+"/etape", "vers", "testing"))
	c.tests(machine)
	c.done(c.send(machine, machine+"/notes", "aspect", "B", "fonction", "A"))
	c.done(c.send(machine, machine+"/etape", "vers", "ready"))
	return machine
}

// sells sells it to the household of flat 12.
func (c clerk) sells(machine string) {
	c.t.Helper()
	found := c.Get(machine + "/vente?recherche=12")
	shows(c.t, found.Page, []string{"Rose Martin", "foyer=F-rose"}, []string{"Luc Petit"})
	c.done(c.send(machine+"/vente?foyer=F-rose", machine+"/vente", "aide", "oui", "paiement", "cash"))
}

// One machine's life, by forms only: the check says at each stage what it is.
func TestLifeOfAMachine(t *testing.T) {
	s := open(t)
	tec, adv := s.enter(technician), s.enter(advisor)
	check := func(number string, wanted, unwanted []string) {
		t.Helper()
		shows(t, tec.Get("/atelier?numero="+url.QueryEscape(number)).Page, wanted, unwanted)
	}

	check("7XK2Q32", []string{"Inconnu", "is-unknown", "✗", "Entrer cet ordinateur"}, []string{"Vouliez-vous dire"})
	machine := tec.readies("7XK2Q32")
	check("7xk2q32", []string{"Enregistré, pas encore vendu", "is-unsold", "Étape : Prêt à vendre."}, []string{"F-rose"})
	check("7XKZQ32", []string{"Inconnu", "Vouliez-vous dire", "7XK2Q32", "un signe de différence"}, nil)
	check("PC-000001", []string{"Enregistré, pas encore vendu"}, nil)

	adv.sells(machine)
	check("7XK2Q32", []string{"sous garantie jusqu’au jeudi 18 mars 2027", "La garantie légale commence le jour de la remise."}, []string{"F-rose", "Logement 12"})
	tec.done(tec.send(machine, machine+"/remise", "accessoires", "chargeur, souris", "signe", "Rose Martin"))
	check("7XK2Q32", []string{"sous garantie jusqu’au samedi 18 mars 2028", "Ouvrir une réparation"}, []string{"F-rose", "Logement 12", "Rose Martin"})

	ticket := tec.done(tec.send(machine, machine+"/panne", "panne", "L’écran reste noir"))
	check("7XK2Q32", []string{"Logement 12, bâtiment A, escalier 2", "foyer F-rose", "Voir la réparation"}, []string{"Rose Martin"})
	shows(t, tec.Get("/atelier/reparations").Page, []string{"PC-000001", "L’écran reste noir", "Loi – jours restants : 30", "Objectif – jours ouvrés restants : 5."}, nil)
	for _, step := range []string{"diagnosed", "repaired", "given_back", "closed"} {
		tec.done(tec.send(ticket, ticket, "vers", step))
	}
	shows(t, tec.Get(ticket).Page, []string{"Terminée", "Rendu dans les 30 jours de la loi."}, []string{"Logement 12", "Que faire maintenant"})
	check("7XK2Q32", []string{"sous garantie jusqu’au lundi 18 septembre 2028"}, []string{"F-rose", "Logement 12"}) // six months more, and nobody named
	shows(t, tec.Get(machine).Page, []string{"Entré à l’atelier", "Vendu", "Remis au locataire", "Réparation demandée"}, []string{"F-rose"})

	for path, want := range map[string]string{machine + "/recu.pdf": "application/pdf", machine + "/garantie.pdf": "application/pdf", "/atelier/etiquettes.pdf?machine=" + strings.TrimPrefix(machine, "/atelier/machines/"): "application/pdf", "/atelier/releve.pdf?mois=2026-03": "application/pdf"} {
		if a := tec.Get(path); a.Status != http.StatusOK || !strings.HasPrefix(a.Page, "%PDF") {
			t.Errorf("%s: status %d, want a %s", path, a.Status, want)
		}
	}
	shows(t, tec.Get("/atelier/releve?mois=2026-03").Page, []string{"85,00 €", "Remise en état", "Réparation"}, nil)
	shows(t, tec.Get("/atelier/registre.csv?annee=2026").Page, []string{"2026-00001", "Banque de l’Ouest", "7XK2Q32"}, []string{"Rose", "F-rose"})
}

// What is refused is said beside its field, nothing typed is lost, and nothing
// changes.
func TestRefusals(t *testing.T) {
	s := open(t)
	tec, adv := s.enter(technician), s.enter(advisor)
	refused := func(name string, a webtest.Answer, status int, wanted ...string) {
		t.Helper()
		if a.Status != status {
			t.Errorf("%s: status %d, want %d", name, a.Status, status)
		}
		shows(t, a.Page, wanted, nil)
	}
	refused("no maker", tec.send("/atelier/entree", "/atelier/entree?residence=R", "serie", "ABC<1>", "modele", "Optiplex", "donneur", "X", "prix", "douze"), 422,
		`id="entree-marque-f"`, "Il manque une réponse ici.", `value="ABC&lt;1&gt;"`, "Écrivez un prix en euros", `value="douze"`)
	machine := tec.takesIn("SER-1")
	refused("known serial", tec.send("/atelier/entree", "/atelier/entree?residence=R", "serie", "SER-1", "marque", "HP", "modele", "800", "donneur", "X"), 422, `id="entree-serie-f"`, `value="800"`)
	refused("future", tec.send("/atelier/entree", "/atelier/entree?residence=R", "serie", "SER-2", "marque", "HP", "modele", "800", "donneur", "X", "jour", "2026-03-19"), 422, `id="entree-jour-f"`)

	tec.done(tec.send(machine, machine+"/etape", "vers", "wiping"))
	refused("not wiped", tec.send(machine, machine+"/etape", "vers", "testing", "remarque", "vite"), 422, `id="etape-vers-f"`, `value="vite"`)
	refused("no level", tec.send(machine, machine+"/effacement", "methode", "dd", "outil", "dd", "resultat", "passed"), 422, `id="effacement-niveau-f"`, `value="dd"`)
	tec.done(tec.wipes(machine))
	tec.done(tec.send(machine, machine+"/etape", "vers", "testing"))
	refused("an item is missing", tec.send(machine, machine+"/essais", "starts", "pass"), 422, `id="essais-memory-f"`)
	refused("not tested", tec.send(machine, machine+"/etape", "vers", "ready"), 422, `id="etape-vers-f"`)

	tec.tests(machine)
	before := tec.form(machine, machine+"/notes") // in another tab
	before.Set("aspect", "D")
	before.Set("fonction", "D")
	tec.done(tec.send(machine, machine+"/notes", "aspect", "B", "fonction", "A"))
	refused("grades of before", tec.Send(machine+"/notes", before), 412, "Quelqu’un d’autre a changé")
	tec.done(tec.send(machine, machine+"/etape", "vers", "ready"))
	refused("a price of one's own", adv.send(machine+"/vente?foyer=F-rose", machine+"/vente", "aide", "oui", "paiement", "cash", "prix", "10"), 422, `id="vente-prix-f"`, `value="10"`)
	adv.sells(machine)
	other := tec.readies("SER-3")
	refused("a second one", adv.send(other+"/vente?foyer=F-rose", other+"/vente", "aide", "oui", "paiement", "card"), 422, `id="vente-aide-f"`)
	if a := adv.Get(other + "/vente?foyer=F-nobody"); a.Status != http.StatusNotFound {
		t.Errorf("a household that is none: status %d", a.Status)
	}
}

// A finger that trembles presses twice: one machine, one sale, one repair.
func TestDoublePressIsOne(t *testing.T) {
	s := open(t)
	tec, adv := s.enter(technician), s.enter(advisor)
	machine := tec.readies("SER-9")
	twice := func(c clerk, page, action string, fields ...string) {
		t.Helper()
		form := c.form(page, action)
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		first := c.Send(action, form)
		if second := c.Send(action, form); first.Status != 303 || second.Status != 303 || first.To != second.To {
			t.Errorf("%s: %d to %s, then %d to %s: %s", action, first.Status, first.To, second.Status, second.To, faults(second.Page))
		}
	}
	twice(tec, "/atelier/entree", "/atelier/entree?residence=R", "serie", "SER-10", "marque", "HP", "modele", "800", "donneur", "X")
	twice(tec, machine, machine+"/etape", "vers", "testing")
	twice(tec, machine, machine+"/defaut", "texte", "rayure")
	sheet, err := s.machines.Machine(t.Context(), technician, computers.MachineID(strings.TrimPrefix(machine, "/atelier/machines/")), now())
	if err != nil || len(sheet.Defects) != 1 {
		t.Fatalf("%d defects, %v; want 1", len(sheet.Defects), err)
	}
	twice(tec, machine, machine+"/repare")
	twice(tec, machine, machine+"/etape", "vers", "ready")
	twice(adv, machine+"/vente?foyer=F-rose", machine+"/vente", "aide", "oui", "paiement", "cash")
	ledger, err := s.machines.Statement(t.Context(), manager, "R", civil.Month{Year: 2026, Month: 3})
	if err != nil || len(ledger.Lines) == 0 {
		t.Fatalf("statement: %v", err)
	}
	var sold int
	if err := s.DB.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM machine_sale`).Scan(&sold); err != nil || sold != 1 {
		t.Errorf("%d sales, %v; want 1", sold, err)
	}
}

// Who sees what: a manager figures only, a technician of another residence and a
// tenant nothing.
func TestEachRoleSeesItsOwn(t *testing.T) {
	s := open(t)
	machine := s.enter(technician).readies("SER-5")
	for person, want := range map[accounts.PersonID]map[string]int{
		manager:    {"/atelier": 403, "/atelier/stock": 200, "/atelier/releve": 200, machine: 403, "/atelier/entree": 403, machine + "/vente": 403, "/atelier/reparations": 403},
		elsewhere:  {"/atelier": 200, "/atelier/stock?residence=R": 404, machine: 404, machine + "/recu.pdf": 404, "/atelier/etiquettes?machine=x": 404, "/atelier/releve?residence=R": 404},
		tenant:     {"/atelier": 403, "/atelier/stock": 403, machine: 403},
		technician: {machine + "/vente": 403, "/atelier": 200, machine + "/recu.pdf": 404},
		advisor:    {"/atelier": 200, machine: 200, machine + "/vente": 200, "/atelier/entree": 403},
	} {
		b := s.enter(person)
		for path, status := range want {
			if a := b.Get(path); a.Status != status {
				t.Errorf("%s at %s: status %d, want %d", person, path, a.Status, status)
			}
		}
	}
	shows(t, s.enter(manager).Get("/atelier/stock?etat=ready").Page, []string{"Ordinateurs d’occasion prêts à vendre : 1."}, []string{"SER-5", "PC-000001", "/atelier/machines/"})
	shows(t, s.enter(elsewhere).Get("/atelier?numero=SER-5").Page, []string{"Inconnu"}, []string{"PC-000001", "Vouliez-vous dire"})
}
