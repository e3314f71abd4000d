package landlord_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Who may open which page, written by hand.
func TestPagesAndRoles(t *testing.T) {
	o := open(t)
	people := []string{"", "P-rose", "technician", "installer", "advisor", "manager", "elsewhere", "administrator"}
	for path, want := range map[string]string{
		"/logements":                        "303 403 403 403 403 200 200 200",
		"/logements?residence=R":            "303 403 403 403 403 200 404 200",
		"/logements/nouveau":                "303 403 403 403 403 200 200 200",
		"/logements/fiche/R-1":              "303 403 403 403 403 200 404 200",
		"/logements/fiche/none":             "303 403 403 403 403 404 404 404",
		"/logements/fiche/R-1/demenagement": "303 403 403 403 403 200 404 200",
		"/logements/residence":              "303 403 403 403 403 403 403 200",
		"/logements/residence?id=R":         "303 403 403 403 403 403 403 200",
		"/logements/importer":               "303 403 403 403 403 200 200 200",
		"/logements/importer/none":          "303 403 403 403 403 404 404 404",
		"/logements/modele.csv":             "303 403 403 403 403 200 200 200",
		"/logements/modele.xlsx":            "303 403 403 403 403 200 200 200",
		"/personnes":                        "303 403 403 403 200 200 200 200",
		"/personnes?residence=R":            "303 403 403 403 200 200 404 200",
		"/personnes/H-martin":               "303 403 403 403 200 200 404 200",
		"/personnes/none":                   "303 403 403 403 404 404 404 404",
		"/personnes/H-martin/contact":       "303 403 403 403 303 303 303 303",
	} {
		var got []string
		for _, who := range people {
			a := o.get(who, path)
			got = append(got, fmt.Sprint(a.status))
			if a.status != http.StatusOK && strings.Contains(a.page, "Martin") {
				t.Errorf("%s as %q shows a name", path, who)
			}
		}
		if all := strings.Join(got, " "); all != want {
			t.Errorf("%s\n as %v\n got %s\nwant %s", path, people, all, want)
		}
	}
	if n := o.rows(`SELECT COUNT(*) FROM access_log`); n != 3 {
		t.Errorf("%d looks are written down of 3", n)
	}
}

// What changes something needs the role, the thing and the form's token.
func TestFormsAndRoles(t *testing.T) {
	o := open(t)
	people := []string{"", "P-rose", "technician", "installer", "advisor", "manager", "elsewhere", "administrator"}
	for _, tt := range []struct{ path, want string }{
		{"/logements/nouveau", "303 403 403 403 403 422 422 422"},
		{"/logements/fiche/R-1", "303 403 403 403 403 422 404 422"},
		{"/logements/fiche/R-1/demenagement", "303 403 403 403 403 422 404 422"},
		{"/logements/residence", "303 403 403 403 403 403 403 422"},
		{"/logements/importer", "303 403 403 403 403 422 422 422"},
		{"/logements/importer/none", "303 403 403 403 403 404 404 404"},
		{"/personnes/H-martin/contact", "303 403 403 403 412 412 404 412"},
		{"/personnes/H-martin/foyer", "303 403 403 403 403 422 404 422"},
		{"/personnes/H-martin/membres", "303 403 403 403 403 422 404 422"},
		{"/personnes/H-martin/nom", "303 403 403 403 403 422 404 422"},
		{"/personnes/H-martin/depart", "303 403 403 403 403 422 404 422"},
		{"/personnes/H-martin/aides", "303 403 403 403 422 422 404 422"},
		{"/personnes/H-martin/aides/fin", "303 403 403 403 404 404 404 404"},
		{"/personnes/H-martin/invitation", "303 403 403 403 404 404 404 404"},
	} {
		var got []string
		for _, who := range people {
			a := o.post(who, tt.path)
			got = append(got, fmt.Sprint(a.status))
			if a.status == http.StatusNotFound && strings.Contains(a.page, "Martin") {
				t.Errorf("%s as %q shows a name", tt.path, who)
			}
			if who != "" {
				if a := o.ask(who, http.MethodPost, tt.path, "application/x-www-form-urlencoded", strings.NewReader("jeton=wrong")); a.status != http.StatusForbidden {
					t.Errorf("%s as %q without the form's token: %d", tt.path, who, a.status)
				}
			}
		}
		if all := strings.Join(got, " "); all != tt.want {
			t.Errorf("%s\n as %v\n got %s\nwant %s", tt.path, people, all, tt.want)
		}
	}
}

func TestStockPages(t *testing.T) {
	o := open(t)
	o.get("manager", "/logements").shows(t, []string{"La Roseraie", "Logement 1, bâtiment A, escalier 1", "R-2 · étage 1 · 3 pièces · 62,5 m²", "62,55 m²", "rez-de-chaussée"},
		[]string{"Les Lilas", "Martin", "Changer cette résidence"})
	o.get("manager", "/logements?recherche=BÂT+3").shows(t, []string{"Nous n’avons rien trouvé."}, []string{"Logement 1,"})
	o.get("manager", "/logements?recherche=r-3").shows(t, []string{"Logement 3"}, []string{"Logement 1,"})
	o.get("manager", "/logements?batiment=B").shows(t, []string{"Logement 3"}, []string{"Logement 1,"})
	o.get("administrator", "/logements?residence=S").shows(t, []string{"Les Lilas", "Changer cette résidence", "Nous n’avons rien trouvé."}, []string{"Logement 1,"})

	a := o.post("manager", "/logements/nouveau", "residence", "R", "identifiant", "R-9", "porte", "9", "etage", "2", "pieces", "3", "surface", "70,5", "chauffage", "gas", "eau_chaude", "none")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/logements/fiche/R-9?fait=cree" {
		t.Fatalf("%d %v %s", a.status, a.header, a.page)
	}
	o.get("manager", "/logements/fiche/R-9?fait=cree").shows(t, []string{"Le logement est ajouté.", "Logement 9", `value="70,5"`, "Personne n’habite ce logement."}, nil)
	a = o.post("manager", "/logements/nouveau", "residence", "R", "identifiant", "R 9", "porte", "", "etage", "haut", "surface", "grand", "chauffage", "gas", "eau_chaude", "none")
	a.shows(t, []string{"Identifiant : Utilisez des lettres", "Porte ou numéro : Il manque", "Étage : Nous ne comprenons pas", "Surface en m² : Nous ne", `value="R 9"`, `value="haut"`}, nil)
	o.get("manager", "/logements/nouveau?residence=R").shows(t, []string{`name="etage" type="number" required min="-10" max="200" value=""`, `name="pieces" type="number" min="1" max="50" value=""`}, nil)
	a = o.post("manager", "/logements/nouveau", "residence", "R", "identifiant", "R-10", "porte", "10", "etage", "", "chauffage", "gas", "eau_chaude", "none")
	a.shows(t, []string{"Étage : Il manque"}, nil) // it is not the ground floor
	fields := []string{"version", "1", "porte", "9 bis", "etage", "2", "pieces", "3", "surface", "70.5", "chauffage", "gas", "eau_chaude", "none"}
	if a := o.post("manager", "/logements/fiche/R-9", fields...); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.page)
	}
	if a := o.post("manager", "/logements/fiche/R-9", fields...); a.status != http.StatusPreconditionFailed || !strings.Contains(a.page, "Quelqu’un d’autre a changé cette page.") {
		t.Errorf("the second of two: %d", a.status)
	}
	o.get("manager", "/logements/fiche/R-1").shows(t, []string{"/personnes/H-martin", "depuis le lundi 1er janvier 2024"}, []string{"Rose Martin", "Paul"})

	if a := o.post("administrator", "/logements/residence", "nouvelle", "oui", "identifiant", "N", "nom", "Neuve", "fuseau", "Europe/Paris", "chaleur", "60"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.page)
	}
	a = o.post("administrator", "/logements/residence", "nouvelle", "oui", "identifiant", "N", "nom", "", "fuseau", "Mars", "chaleur", "160")
	a.shows(t, []string{"Nom : ", "Fuseau horaire : ", "Part du chauffage"}, nil)
	if a := o.post("administrator", "/logements/residence", "identifiant", "N", "nom", "Neuve 2", "chaleur", "60", "version", "1"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.page)
	}
}

func TestImportPages(t *testing.T) {
	o := open(t)
	o.get("manager", "/logements/importer").shows(t, []string{"surface_m2", "Télécharger un modèle Excel"}, nil)
	if a := o.post("manager", "/logements/importer"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.page, "Choisissez d’abord un fichier.") {
		t.Errorf("no file: %d", a.status)
	}
	a := o.upload("manager", []byte("résidence;identifiant;logement;surface\nR;R-1;1;grand\nR;R-1;7;12\nS;X;9;12\n"))
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.page)
	}
	o.importer.Wait()
	o.get("manager", a.header.Get("Location")).shows(t, []string{"Le fichier a des fautes. Rien n’a changé.", "Ligne 2, colonne surface", "Écrivez la surface en m²", "Ligne 3, colonne identifiant", "déjà à la ligne 2"},
		[]string{"http-equiv", "Enregistrer ces logements", "%!"})

	a = o.upload("manager", []byte("résidence;identifiant;logement\nR;R-7;7\nR;R-8;8\n"))
	o.importer.Wait()
	place := a.header.Get("Location")
	o.get("manager", place).shows(t, []string{"Le fichier est bon. Rien n’a encore changé.", "Logements nouveaux : 2", "Enregistrer ces logements"}, nil)
	if n := o.rows(`SELECT COUNT(*) FROM dwelling`); n != 3 {
		t.Errorf("%d dwellings after a check", n)
	}
	if a := o.get("administrator", place); a.status != http.StatusNotFound {
		t.Errorf("another reads the import: %d", a.status)
	}
	if a := o.post("manager", place); a.status != http.StatusSeeOther || a.header.Get("Location") != place {
		t.Errorf("%d %v", a.status, a.header)
	}
	o.importer.Wait()
	o.get("manager", place).shows(t, []string{"C’est fait.", "Logements nouveaux : 2"}, []string{"http-equiv", "Enregistrer ces logements"})
	if n := o.rows(`SELECT COUNT(*) FROM dwelling`); n != 5 {
		t.Errorf("%d dwellings after the import", n)
	}
	a = o.upload("manager", []byte("résidence;identifiant;logement\nR;R-7;7\nR;R-8;8\n"))
	o.importer.Wait()
	o.get("manager", a.header.Get("Location")).shows(t, []string{"Tout est déjà enregistré. Il n’y a rien à changer.", "Logements sans changement : 2"}, []string{"Enregistrer ces logements"})
	if a := o.upload("manager", make([]byte, 18<<20)); a.status != http.StatusRequestEntityTooLarge && a.status != http.StatusUnprocessableEntity {
		t.Errorf("18 MB: %d", a.status)
	}
	// While it is at work, the page loads itself again.
	if _, err := o.db.ExecContext(t.Context(), `UPDATE stock_import SET state = 'importing'`); err != nil {
		t.Fatal(err)
	}
	o.get("manager", place).shows(t, []string{`<meta http-equiv="refresh" content="2">`, "Nous enregistrons les logements."}, []string{"Envoyer un autre fichier"})
}

func TestPeoplePages(t *testing.T) {
	o := open(t)
	o.get("advisor", "/personnes").shows(t, []string{"Paul Martin, Rose Martin", "Amina Diallo", "Logement 2, bâtiment A"}, []string{"Les Lilas", "02 41 11 11 11"})
	o.get("advisor", "/personnes?recherche=rosé").shows(t, []string{"Rose Martin"}, []string{"Amina"})
	if n := o.rows(`SELECT COUNT(*) FROM access_log`); n != 0 {
		t.Errorf("the list wrote %d looks down", n)
	}
	o.get("advisor", "/personnes/H-martin").shows(t, []string{"Votre passage sur cette fiche est noté.", "02 41 11 11 11", "n’a pas encore de code", "Ajouter une aide", `value="2027-03-18"`},
		[]string{"Amina", "Quitte le foyer", "Nombre d’occupants", "Départ et arrivée"})
	o.get("manager", "/personnes/H-martin").shows(t, []string{"Quitte le foyer", "Nombre d’occupants", "/logements/fiche/R-1/demenagement"}, []string{"Amina"})

	done := func(who, form string, fields ...string) {
		t.Helper()
		if a := o.post(who, "/personnes/H-martin/"+form, fields...); a.status != http.StatusSeeOther {
			t.Errorf("%s: %d %s", form, a.status, a.page)
		} else if a := o.get(who, a.header.Get("Location")); !strings.Contains(a.page, `role="status"`) {
			t.Errorf("%s: the page does not say what was done", form)
		}
	}
	done("advisor", "contact", "par", "e-mail", "courriel", "rose@example.org", "telephone", "", "version", "1")
	done("manager", "foyer", "occupants", "3", "langue", "en", "version", "2")
	done("manager", "membres", "nom", "Zoé Martin", "langue", "fr", "depuis", "2026-03-01")
	done("manager", "nom", "personne", "P-rose", "nom", "Rose Martin-Roy", "langue", "fr", "version", "1")
	done("manager", "depart", "personne", "P-paul", "le", "2026-03-18", "version", "1")
	done("advisor", "aides", "de", "P-rose", "nom", "Luc Fils", "langue", "fr", "droit", "see", "jusqu_au", "2026-12-31", "demande", "telephone")
	a := o.get("advisor", "/personnes/H-martin")
	a.shows(t, []string{"rose@example.org", "Zoé Martin", "Rose Martin-Roy", "jusqu’au mardi 17 mars", "Luc Fils", "Peut regarder, à la demande de Rose Martin-Roy, jusqu’au jeudi 31 décembre"}, []string{"Peut regarder et décider,"})
	if n := o.rows(`SELECT COUNT(*) FROM mandate WHERE to_date = '2027-01-01' AND recorded_by = 'advisor'`); n != 1 {
		t.Errorf("%d mandates end after the last day that was said", n)
	}
	_, rest, _ := strings.Cut(a.page, `name="mandat" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	helper := struct{ id string }{}
	if err := o.db.QueryRowContext(t.Context(), `SELECT helper_id FROM mandate`).Scan(&helper.id); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{"P-rose", helper.id} {
		letter := o.post("advisor", "/personnes/H-martin/invitation", "personne", person)
		if letter.status != http.StatusOK || letter.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(letter.page, "%PDF") || letter.header.Get("Cache-Control") != "no-store" {
			t.Errorf("letter to %s: %d %v", person, letter.status, letter.header)
		}
	}
	for _, person := range []string{"P-paul", "administrator", "none"} { // left, of the staff, nobody
		if a := o.post("advisor", "/personnes/H-martin/invitation", "personne", person); a.status != http.StatusNotFound {
			t.Errorf("letter to %s: %d", person, a.status)
		}
	}
	done("advisor", "aides/fin", "mandat", id, "version", "1")
	o.get("advisor", "/personnes/H-martin").shows(t, []string{"L’aide s’est arrêtée le mercredi 18 mars."}, []string{"Arrêter cette aide"})

	a = o.post("manager", "/personnes/H-martin/depart", "personne", "P-rose", "le", "2026-02-30", "version", "1")
	a.shows(t, []string{"Premier jour hors du foyer : Cette date n’existe pas."}, nil)
	a = o.post("advisor", "/personnes/H-martin/contact", "par", "telephone", "telephone", "12", "version", "3")
	a.shows(t, []string{"Téléphone : Ce numéro de téléphone n’est pas complet."}, nil)
	for _, what := range []string{"look.sheet", "look.contact", "look.household", "look.members", "look.mandate", "look.invitation"} {
		if n := o.rows(`SELECT COUNT(*) FROM access_log WHERE household_id = 'H-martin' AND what = '` + what + `'`); n == 0 {
			t.Errorf("%s was not written down", what)
		}
	}
}

func TestMovePage(t *testing.T) {
	o := open(t)
	path := "/logements/fiche/R-1/demenagement"
	o.get("manager", path).shows(t, []string{"Un foyer habite ici depuis le lundi 1er janvier 2024.", "Les chiffres de chaque heure du foyer qui part seront effacés."}, []string{"Rose Martin", "Paul"})
	for _, tt := range []struct {
		name   string
		fields []string
		says   string
	}{
		{"nothing", nil, "Jour du départ : Il manque une réponse ici."},
		{"no such day", []string{"sortie", "2026-02-30"}, "Jour du départ : Cette date n’existe pas."},
		{"in before out", []string{"sortie", "2026-04-02", "entree", "2026-04-01", "nom", "X", "occupants", "1", "langue", "fr", "par", "letter"}, "Jour de l’arrivée : L’arrivée ne peut pas venir avant le départ."},
		{"nobody", []string{"sortie", "2026-04-02", "entree", "2026-04-03", "occupants", "1", "langue", "fr", "par", "letter"}, "Nom : Il manque une réponse ici."},
		{"to an occupied one", []string{"sortie", "2026-04-02", "vers", "R-2"}, "Identifiant de son nouveau logement chez nous : Quelqu’un y habite déjà à cette date."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := o.post("manager", path, append(tt.fields, "version", "1")...)
			if a.status < 400 {
				t.Errorf("status %d", a.status)
			}
			a.shows(t, []string{tt.says}, nil)
		})
	}
	a := o.post("manager", path, "sortie", "2026-04-02", "entree", "2026-04-03", "nom", "Lea Petit", "nom", "", "occupants", "1", "langue", "fr", "par", "letter", "version", "1")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.page)
	}
	o.get("manager", a.header.Get("Location")).shows(t, []string{"Le départ ou l’arrivée est enregistré.", "depuis le vendredi 3 avril", "du lundi 1er janvier 2024 au mercredi 1er avril"}, []string{"Lea"})
	if a := o.post("manager", path, "sortie", "2026-04-01", "version", "1"); a.status != http.StatusPreconditionFailed {
		t.Errorf("a second move: %d", a.status)
	}
	o.get("advisor", "/personnes").shows(t, []string{"part le jeudi 2 avril", "Lea Petit", "arrive le vendredi 3 avril"}, nil)
}
