package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
)

// newOffice is the loaded residence with an advisor and a manager of it, the
// manager of another one, and two helpers of P-new.
func newOffice(t *testing.T) workshop {
	t.Helper()
	w := workshop{house: newHouse(t)}
	for _, s := range []string{
		`INSERT INTO person (id, name, language) VALUES ('P-advisor', 'Claire Moreau', 'fr'), ('P-manager', 'Luc Gérant', 'fr'), ('P-far', 'Rita Ailleurs', 'fr'),
		 ('P-sees', 'Léa Regarde', 'fr'), ('P-acts', 'Paul Décide', 'fr')`,
		`INSERT INTO residence (id, name, zone, earliest_ms) VALUES ('far', 'Ailleurs', 'Europe/Paris', 0)`,
		`INSERT INTO staff_role (person_id, role, residence_id) VALUES ('P-advisor', 'advisor', 'roseraie'), ('P-manager', 'manager', 'roseraie'), ('P-far', 'manager', 'far')`,
		`INSERT INTO mandate (id, household_id, giver_id, helper_id, scope, channel, recorded_by, from_date, to_date, created_ms)
		 VALUES ('M1', 'F-new', 'P-new', 'P-sees', 'see', 'page', 'P-new', '2026-02-10', '2027-01-01', 1), ('M2', 'F-new', 'P-new', 'P-acts', 'act', 'page', 'P-new', '2026-02-10', '2027-01-01', 1)`,
		`UPDATE consent SET from_ms = 1772000000000, to_ms = 1800000000000`, // of the file, which was loaded at another time than the house's
	} {
		sqldbtest.Exec(t, w.db, s)
	}
	people, err := accounts.NewStore(w.db, accounts.DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range []accounts.PersonID{"P-advisor", "P-manager", "P-far", "P-sees", "P-acts"} {
		code, err := people.Invite(t.Context(), person, fixedNow(t).Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		w.codes[string(person)] = code.String()
	}
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w.api, err = gorillamux.NewRouter(document); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPrivacy(t *testing.T) {
	w := newOffice(t)
	t.Run("who may", func(t *testing.T) { testWhoMay(t, w) })
	t.Run("bad input", func(t *testing.T) { testPrivacyBadInput(t, w) })
	t.Run("page", func(t *testing.T) { testMyDataPage(t, w) })
	t.Run("helpers", func(t *testing.T) { testMyHelpers(t, w) })
	t.Run("archive", func(t *testing.T) { testArchive(t, w) })
	t.Run("staff", func(t *testing.T) { testStaffConsents(t, w) })
}

// Each line says what each person gets; nobody's household is found by others.
func testWhoMay(t *testing.T, w workshop) {
	visitors := map[string]visitor{"": w.visit(t, "")}
	for _, person := range []string{"P-new", "P-next", "P-old", "P-sees", "P-acts", "P-advisor", "P-manager", "P-far"} {
		visitors[person] = w.visit(t, person)
	}
	const yes = `{"household":"F-new","purpose":"personal_advice","text_version":1,"language":"fr"}`
	const paper = `{"purpose":"personal_advice","text_version":1,"language":"fr","channel":"paper"}`
	for _, tt := range []struct {
		method, path, body                                           string
		nobody, own, next, old, sees, acts, advisor, manager, farOff int
	}{
		{"GET", "/consents?household=F-new", "", 401, 200, 404, 404, 200, 200, 404, 404, 404},
		{"GET", "/consents?household=F-none", "", 401, 404, 404, 404, 404, 404, 404, 404, 404},
		{"GET", "/consents", "", 401, 200, 200, 200, 404, 404, 404, 404, 404},
		{"GET", "/erasures?household=F-new", "", 401, 200, 404, 404, 200, 200, 404, 404, 404},
		{"GET", "/export?household=F-new", "", 401, 200, 404, 404, 404, 200, 404, 404, 404},
		{"POST", "/consents", yes, 401, 201, 404, 404, 404, 201, 404, 404, 404},
		{"POST", "/erasures", `{"household":"F-new","what":"fine"}`, 401, 202, 404, 404, 404, 202, 404, 404, 404},
		{"DELETE", "/consents/personal_advice?household=F-new", "", 401, 204, 404, 404, 404, 204, 404, 404, 404},
		{"POST", "/households/F-new/consents", paper, 401, 403, 403, 403, 403, 403, 201, 201, 404},
		{"POST", "/households/F-none/consents", paper, 401, 403, 403, 403, 403, 403, 404, 404, 404},
		{"DELETE", "/households/F-new/consents/personal_advice?channel=paper", "", 401, 403, 403, 403, 403, 403, 204, 204, 404},
		{"GET", "/households/F-new/export?reason=courrier", "", 401, 403, 403, 403, 403, 403, 403, 403, 403},
		{"POST", "/households/F-bare/erasures", `{"reason":"demande écrite"}`, 401, 403, 403, 403, 403, 403, 403, 202, 404},
		{"POST", "/households/F-none/erasures", `{"reason":"demande écrite"}`, 401, 403, 403, 403, 403, 403, 403, 404, 404},
	} {
		for person, want := range map[string]int{"": tt.nobody, "P-new": tt.own, "P-next": tt.next, "P-old": tt.old, "P-sees": tt.sees, "P-acts": tt.acts,
			"P-advisor": tt.advisor, "P-manager": tt.manager, "P-far": tt.farOff} {
			status, text, _ := w.ask(t, visitors[person], tt.method, tt.path, tt.body)
			if status != want {
				t.Errorf("%s %s by %q: %d, want %d: %.200s", tt.method, tt.path, person, status, want, text)
			}
			if status >= 400 && strings.Contains(text, "Amina") {
				t.Errorf("%s %s by %q tells a name", tt.method, tt.path, person)
			}
		}
	}
}

func testPrivacyBadInput(t *testing.T, w workshop) {
	v, staff := w.visit(t, "P-new"), w.visit(t, "P-advisor")
	for _, tt := range []struct {
		who                visitor
		method, path, body string
		status             int
		says               string
	}{
		{v, "POST", "/consents", `{"purpose":"everything","text_version":1,"language":"fr"}`, 422, "purpose"},
		{v, "POST", "/consents", `{"purpose":"fine_curve","text_version":99,"language":"fr"}`, 409, "consent.other_text"},
		{v, "POST", "/consents", `{"purpose":"fine_curve","text_version":"1","language":"fr"}`, 422, "text_version"},
		{v, "POST", "/consents", `{"purpose":"fine_curve","text_version":0,"language":"fr"}`, 422, "text_version"},
		{v, "POST", "/consents", `{"purpose":"fine_curve","text_version":1,"language":"français"}`, 422, "language"},
		{v, "POST", "/consents", `{"purpose":"fine_curve","text_version":1,"language":"fr","channel":"paper"}`, 422, "field.unknown"},
		{v, "POST", "/consents", `{"household":"` + strings.Repeat("x", 65) + `","purpose":"fine_curve","text_version":1,"language":"fr"}`, 422, "household"},
		{v, "POST", "/consents", `[]`, 422, "error.malformed"},
		{v, "DELETE", "/consents/everything", ``, 404, "consent.none"},
		{v, "POST", "/erasures", `{"what":"daily"}`, 422, "what"},
		{v, "POST", "/erasures", `{}`, 422, "what"},
		{v, "GET", "/consents?limit=0", ``, 422, "limit"},
		{staff, "POST", "/households/F-new/consents", `{"purpose":"fine_curve","text_version":1,"language":"fr","channel":"page"}`, 422, "channel"},
		{staff, "POST", "/households/F-new/consents", `{"purpose":"fine_curve","text_version":1,"language":"fr","channel":"paper","given_by":"P-next"}`, 422, "given_by"},
		{staff, "POST", "/households/F-new/consents", `{"purpose":"fine_curve","text_version":2,"language":"fr","channel":"paper"}`, 409, "consent.other_text"},
		{staff, "DELETE", "/households/F-new/consents/fine_curve", ``, 422, "channel"},
		{staff, "DELETE", "/households/F-new/consents/everything?channel=paper", ``, 404, "consent.none"},
	} {
		status, text, _ := w.ask(t, tt.who, tt.method, tt.path, tt.body)
		if status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s %s: %d, want %d and %q: %s", tt.method, tt.path, tt.body, status, tt.status, tt.says, text)
		}
	}
	var open string
	if err := w.db.QueryRowContext(t.Context(), `SELECT group_concat(purpose) FROM (SELECT purpose FROM consent WHERE tenancy_id IN (SELECT id FROM tenancy WHERE household_id = 'F-new') AND ended_ms IS NULL ORDER BY purpose)`).Scan(&open); err != nil || open != "daily_follow_up,fine_curve" {
		t.Errorf("consents afterwards: %s, %v", open, err)
	}
}

func testMyDataPage(t *testing.T, w workshop) {
	v := w.visit(t, "P-new")
	status, page := v.get("/mes-donnees")
	if status != http.StatusOK {
		t.Fatalf("status = %d", status)
	}
	check(t, page, []string{"Voir mes chiffres heure par heure", "Vous avez dit oui le", "Les relèves de chaque heure s’arrêtent en une minute.", "Vous n’avez pas dit oui."},
		[]string{"checked> Oui", "Marc", "Voisin", "Luc Gérant, Interlocutrice"})
	if strings.Count(page, `type="checkbox"`) != 1 { // only what is not agreed to, and none ticked
		t.Errorf("the page has %d tick boxes", strings.Count(page, `type="checkbox"`))
	}
	form := func(pairs ...string) url.Values {
		f := url.Values{"jeton": {v.formToken()}}
		for i := 0; i+1 < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f
	}
	posts := func(path string, f url.Values, want int, shows ...string) {
		t.Helper()
		status, page := v.post(path, f)
		if status != want {
			t.Errorf("%s: status = %d, want %d", path, status, want)
		}
		check(t, page, shows, nil)
	}
	posts("/mes-donnees/accords/personal_advice", form("texte", "1"), 422, "Cochez la case si vous êtes d’accord.")
	posts("/mes-donnees/accords/personal_advice", form("texte", "7", "oui", "1"), 409, "Le texte a changé.")
	posts("/mes-donnees/accords/personal_advice", url.Values{"oui": {"1"}, "texte": {"1"}}, 403)
	posts("/mes-donnees/accords/everything", form("texte", "1", "oui", "1"), 404)
	posts("/mes-donnees/accords/personal_advice?foyer=F-next", form("texte", "1", "oui", "1"), 404)
	posts("/mes-donnees/accords/personal_advice", form("texte", "1", "oui", "1"), 303)
	posts("/mes-donnees/accords/fine_curve/fin?foyer=F-next", form(), 404)
	posts("/mes-donnees/accords/fine_curve/fin", form(), 303)
	_, page = v.get("/mes-donnees?fait=non")
	check(t, page, []string{"C’est fait. Votre oui est retiré.", "sera effacé dans quelques minutes", "Mes anciens accords", "Vous avez dit non."}, nil)
	posts("/mes-donnees/effacer", form("quoi", "tout"), 422, "Cochez la case pour confirmer.")
	posts("/mes-donnees/effacer", form("lu", "1"), 422, "Choisissez ce que vous voulez effacer.")
	posts("/mes-donnees/effacer", form("quoi", "tout", "lu", "1"), 303)
	_, page = v.get("/mes-donnees?fait=efface")
	check(t, page, []string{"Tous les chiffres, sauf ce qu’il faut pour les charges", "Vos chiffres seront effacés"}, []string{"Vous avez dit oui le"})
	for path, want := range map[string]int{"/mes-donnees?foyer=F-next": 404, "/mes-donnees?foyer=F-none": 404, "/mes-donnees/effacer?foyer=F-next": 404, "/mes-donnees/fichier?foyer=F-next": 404} {
		if status, _ := v.get(path); status != want {
			t.Errorf("%s: status = %d, want %d", path, status, want)
		}
	}
	for person, shows := range map[string]string{"P-advisor": "Votre nom n’est pas relié à un logement.", "P-sees": "Vous pouvez regarder. Vous ne pouvez pas décider à sa place.", "P-acts": "Ce sont les données du foyer de Amina Diallo."} {
		_, page := w.visit(t, person).get("/mes-donnees")
		check(t, page, []string{shows}, nil)
		if person != "P-acts" {
			check(t, page, nil, []string{"/mes-donnees/accords/", "/mes-donnees/fichier"})
		}
	}
	if status, _ := w.visit(t, "").get("/mes-donnees"); status != http.StatusSeeOther {
		t.Errorf("nobody: status = %d", status)
	}
}

func testMyHelpers(t *testing.T, w workshop) {
	v := w.visit(t, "P-new")
	add := func(name, until string) (int, string) {
		return v.post("/mes-donnees/aidants", url.Values{"jeton": {v.formToken()}, "nom": {name}, "portee": {"see"}, "jusqu": {until}})
	}
	for _, tt := range []struct{ name, until, says string }{{"", "2027-01-01", "Écrivez un prénom et un nom."}, {"Jeanne Aidante", "2026-02-30", "Choisissez un jour après aujourd’hui"},
		{"Jeanne Aidante", "2020-01-01", "Choisissez un jour après aujourd’hui"}, {"Jeanne Aidante", "2099-01-01", "Choisissez un jour après aujourd’hui"}} {
		status, page := add(tt.name, tt.until)
		if status != http.StatusUnprocessableEntity {
			t.Errorf("%v: status = %d", tt, status)
		}
		check(t, page, []string{tt.says}, []string{"Voici le code"})
	}
	status, page := add("Jeanne Aidante", "2026-12-31")
	if status != http.StatusOK {
		t.Fatalf("status = %d", status)
	}
	check(t, page, []string{"Voici le code de Jeanne Aidante.", "Jusqu’au jeudi 31 décembre 2026."}, nil)
	_, rest, _ := strings.Cut(page, `<strong class="big">`)
	code, _, _ := strings.Cut(rest, "<")
	w.codes["helper"] = code
	helper := w.visit(t, "helper")
	_, seen := helper.get("/mes-donnees")
	check(t, seen, []string{"Ce sont les données du foyer de Amina Diallo."}, []string{"/mes-donnees/fichier", "Jeanne Aidante</strong>"})
	_, page = v.get("/mes-donnees")
	check(t, page, []string{"Jeanne Aidante"}, []string{code})
	_, rest, _ = strings.Cut(page, `/mes-donnees/aidants/`)
	var id string
	for part := range strings.SplitSeq(page, `action="/mes-donnees/aidants/`) {
		if strings.Contains(part, "Jeanne Aidante") {
			id, _, _ = strings.Cut(part, "/fin")
		}
	}
	stranger := w.visit(t, "P-next")
	if status, _ := stranger.post("/mes-donnees/aidants/"+id+"/fin", url.Values{"jeton": {stranger.formToken()}, "version": {"1"}}); status != http.StatusNotFound {
		t.Errorf("a stranger ends the mandate: %d", status)
	}
	if status, _ := v.post("/mes-donnees/aidants/"+id+"/fin", url.Values{"jeton": {v.formToken()}, "version": {"1"}}); status != http.StatusSeeOther {
		t.Errorf("end: status = %d, mandate %q of %q", status, id, rest)
	}
	_, seen = helper.get("/mes-donnees")
	check(t, seen, []string{"Votre nom n’est pas relié à un logement."}, []string{"Amina"})
}

func testArchive(t *testing.T, w workshop) {
	v := w.visit(t, "P-new")
	response, err := v.client.Get(w.url + "/mes-donnees/fichier")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/zip" ||
		response.Header.Get("Content-Disposition") != `attachment; filename="mes-donnees-2026-03-18.zip"` {
		t.Fatalf("archive: %s, %v, %v", response.Status, response.Header, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	names := map[string]bool{}
	for _, f := range archive.File {
		names[f.Name] = true
		opened, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, opened); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"LISEZMOI.txt", "foyer.json", "accords.csv", "jours.json", "releves.csv"} {
		if !names[want] {
			t.Errorf("the archive has no %s", want)
		}
	}
	check(t, all.String(), []string{"VOS DONNÉES", "Amina Diallo", "cw-2", "2026-02-10T23:00:00Z"}, []string{"Marc", "P-old", "F-old", "Voisin", "cw-3", "2026-02-08T23:00:00Z", "%!", "export."})
}

// What staff write down stands in the household's log.
func testStaffConsents(t *testing.T, w workshop) {
	staff := w.visit(t, "P-advisor")
	status, _, _ := w.ask(t, staff, "POST", "/households/F-next/consents",
		`{"purpose":"daily_follow_up","text_version":1,"language":"en","channel":"telephone","given_by":"P-next","reason":"appel du 18 mars"}`)
	if status != http.StatusCreated {
		t.Fatalf("status = %d", status)
	}
	_, page := w.visit(t, "P-next").get("/mes-donnees")
	check(t, page, []string{"You said so on the telephone.", "Claire Moreau", "Reason: appel du 18 mars"}, []string{"Amina"})
	_, page = w.visit(t, "P-bare").get("/mes-donnees")
	check(t, page, []string{"demande écrite", "Luc Gérant"}, []string{"appel du 18 mars"})
}

// Back-up, restore and replay on the command line, as an administrator does it.
func TestBackupCommands(t *testing.T) {
	folder := t.TempDir()
	dsn, file := filepath.Join(folder, "api.db"), filepath.Join(folder, "copy.db")
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": dsn, "XNET_API_ADVISOR_NAME": "Claire", "XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00"})
	command(t, env, "load", "testdata/residence.yaml")
	if said := command(t, env, "backup", file); !strings.Contains(said, file) || !strings.Contains(said, dsn+".erasures") {
		t.Errorf("backup says %q", said)
	}
	if err := run(t.Context(), []string{"restore", file}, env, io.Discard); !errors.Is(err, sqldb.ErrOccupied) {
		t.Errorf("restore over a database: %v", err)
	}
	if said := command(t, env, "restore", "--replace", file); !strings.Contains(said, "0 erasures replayed") {
		t.Errorf("restore says %q", said)
	}
	if err := os.WriteFile(dsn+".erasures", []byte("{\"erasure\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"restore", "--replace", file}, {"replay-erasures"}, {"run"}} {
		if err := run(t.Context(), args, env, io.Discard); err == nil || !strings.Contains(err.Error(), "line 1 is no erasure") {
			t.Errorf("%v with a damaged ledger: %v", args, err)
		}
	}
	if err := run(t.Context(), []string{"replay-erasures", "--since", "mars"}, env, io.Discard); err == nil || !strings.Contains(err.Error(), "--since") {
		t.Errorf("since mars: %v", err)
	}
}
