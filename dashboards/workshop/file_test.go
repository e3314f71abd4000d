package workshop_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/computers"
)

// A table of machines is taken in whole, or not at all with what is wrong in which
// line.
func TestFileOfMachines(t *testing.T) {
	s := open(t)
	tec := s.enter(technician)
	const page, action = "/atelier/entree", "/atelier/entree/fichier?residence=R"
	count := func() (n int) {
		t.Helper()
		if err := s.DB.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM machine`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	a := tec.Upload(action, tec.form(page, action), "fichier", []byte("serial;maker;model;donor;received_on\nA1;HP;800;Banque;2026-03-02\nA2;;800;Banque;2026-03-02\nA1;HP;800;Banque;2030-01-01\n"))
	if a.Status != http.StatusUnprocessableEntity || count() != 0 {
		t.Errorf("a faulty file: status %d, %d machines", a.Status, count())
	}
	shows(t, a.Page, []string{"Aucun ordinateur n’est entré.", "Ligne 3, colonne maker :", "Ligne 4, colonne"}, nil)
	if a := tec.Upload(action, tec.form(page, action), "fichier", nil); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("no file: status %d", a.Status)
	}
	if a := tec.Upload(action, tec.form(page, action), "fichier", make([]byte, 4<<20)); a.Status < 400 || a.Status >= 500 {
		t.Errorf("4 MB: status %d", a.Status)
	}
	good := []byte("serial;maker;model;donor\nA1;HP;800;Banque\nA2;HP;800;Banque\n")
	form := tec.form(page, action)
	tec.done(tec.Upload(action, form, "fichier", good))
	tec.done(tec.Upload(action, form, "fichier", good)) // the same press
	if count() != 2 {
		t.Errorf("%d machines, want 2", count())
	}
}

// The report of a wipe must name the drive; what another one's says changes
// nothing.
func TestReportOfAnotherDrive(t *testing.T) {
	s := open(t)
	tec := s.enter(technician)
	tec.takesIn("OTHER-1")
	machine := tec.takesIn("SER-1")
	tec.done(tec.send(machine, machine+"/etape", "vers", "wiping"))
	form := tec.form(machine, machine+"/effacement")
	for name, text := range map[string]string{"niveau": "purge", "methode": "ATA Secure Erase", "outil": "hdparm", "resultat": "passed"} {
		form.Set(name, text)
	}
	wipes := func() int {
		t.Helper()
		sheet, err := s.machines.Machine(t.Context(), technician, computers.MachineID(strings.TrimPrefix(machine, "/atelier/machines/")), now())
		if err != nil {
			t.Fatal(err)
		}
		return len(sheet.Wipes)
	}
	a := tec.Upload(machine+"/effacement", form, "rapport", []byte("drive WD-OTHER-1 erased"))
	if a.Status != http.StatusUnprocessableEntity || wipes() != 0 {
		t.Errorf("another drive's report: status %d, %d wipes", a.Status, wipes())
	}
	shows(t, a.Page, []string{`id="effacement-rapport-f"`, `value="ATA Secure Erase"`}, nil)
	tec.done(tec.Upload(machine+"/effacement", form, "rapport", []byte("drive WD-SER-1 erased")))
	page := tec.Get(machine).Page
	shows(t, page, []string{"Télécharger le rapport", "empreinte", "Effacé"}, nil)
	if wipes() != 1 {
		t.Errorf("%d wipes, want 1", wipes())
	}
	_, rest, _ := strings.Cut(page, `<a href="`+machine+"/effacements/")
	way, _, _ := strings.Cut(rest, `"`)
	if a := tec.Get(machine + "/effacements/" + way); a.Status != http.StatusOK || a.Page != "drive WD-SER-1 erased" {
		t.Errorf("the kept report: %d, %q", a.Status, a.Page)
	}
	if a := s.enter(elsewhere).Get(machine + "/effacements/" + way); a.Status != http.StatusNotFound {
		t.Errorf("for a technician of another residence: %d", a.Status)
	}
}

// A report as PDF is believed once its serial was read and typed; no report at all
// once somebody is named. The page says so beside the field.
func TestReportThatPeopleRead(t *testing.T) {
	s := open(t)
	tec := s.enter(technician)
	machine := tec.takesIn("SER-1")
	tec.done(tec.send(machine, machine+"/etape", "vers", "wiping"))
	form := tec.form(machine, machine+"/effacement")
	for name, text := range map[string]string{"niveau": "purge", "methode": "ATA Secure Erase", "outil": "hdparm", "resultat": "passed"} {
		form.Set(name, text)
	}
	for _, tt := range []struct{ name, read, verified, report, field string }{
		{"nobody verified", "", "", "", "verifie"},
		{"a PDF not read", "", "", "%PDF-1.7", "numero_lu"},
		{"a PDF of another drive", "WD-SER-9", "", "%PDF-1.7", "numero_lu"},
		{"a spreadsheet", "", "Théo", "PK\x00\x03", "rapport"},
	} {
		form.Set("numero_lu", tt.read)
		form.Set("verifie", tt.verified)
		a := tec.Upload(machine+"/effacement", form, "rapport", []byte(tt.report))
		if a.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", tt.name, a.Status)
		}
		shows(t, a.Page, []string{`id="effacement-` + tt.field + `-f"`, `value="ATA Secure Erase"`}, nil)
	}
	form.Set("numero_lu", "wd-ser-1")
	form.Set("verifie", "")
	tec.done(tec.Upload(machine+"/effacement", form, "rapport", []byte("%PDF-1.7")))
	shows(t, tec.Get(machine).Page, []string{"Télécharger le rapport"}, []string{"Vérifié par Th"})
}
