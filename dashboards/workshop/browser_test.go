package workshop_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// sit signs a person in within a real browser.
func (s shop) sit(t *testing.T, person accounts.PersonID) *webtest.Sitter {
	t.Helper()
	p := webtest.SitAt(t, s.URL, "/langue/fr?retour=/atelier")
	s.as(t, p, person)
	return p
}

// as changes who sits there, as a new sign-in does.
func (s shop) as(t *testing.T, p *webtest.Sitter, person accounts.PersonID) {
	t.Helper()
	p.Goes("/as?code=" + s.Invite(t, person))
}

// A technician and an advisor before a browser: check a serial, take in a machine,
// wipe, test, sell and hand it over, open and close a repair. Only words, fields
// and keys that a person sees are used.
func TestBrowser(t *testing.T) {
	s := open(t)
	p := s.sit(t, technician)
	p.Goes("/atelier")
	scans(p, "7XK2Q32")
	p.Reads("Inconnu", "Numéro lu : 7XK2Q32")
	p.Press("Entrer cet ordinateur")
	p.Fill("Marque", "Dell")
	p.Fill("Modèle", "Latitude E5470")
	p.Fill("Numéro de série du disque", "WD-1")
	p.Fill("Donné ou vendu par", "Banque de l’Ouest")
	p.Press("Entrer l’ordinateur")
	p.Reads("L’ordinateur est entré.", "PC-000001")

	p.Answer("Que faire maintenant ?", "Passer à l’effacement")
	p.Press("Continuer")
	p.Reads("L’étape est notée.")
	p.Answer("Niveau de l’effacement", "Purge")
	p.Fill("Méthode", "ATA Secure Erase")
	p.Fill("Outil", "hdparm")
	p.Answer("Résultat", "Réussi")
	p.Fill("Vérifié par", "Théo Technique")
	p.Press("Noter l’effacement")
	p.Reads("L’effacement est noté.")
	p.Answer("Que faire maintenant ?", "Passer aux essais")
	p.Press("Continuer")
	p.Reads("À essayer", "Écran", "Wi-Fi")
	for _, item := range []string{"Démarre", "État du disque", "Mémoire", "Écran", "Clavier", "Souris ou pavé tactile", "Prises USB", "Prise réseau", "Son", "Alimentation", "Système installé", "Nettoyé", "Batterie", "Charnière", "Wi-Fi", "Caméra", "BIOS sans mot de passe"} {
		p.Answer(item, "Marche")
	}
	p.Press("Noter les essais")
	p.Reads("Les essais sont notés.")
	p.Answer("Aspect", "B")
	p.Answer("Fonctionnement", "A")
	p.Press("Noter")
	p.Reads("Les notes sont données.")
	p.Answer("Que faire maintenant ?", "Déclarer prêt à vendre")
	p.Press("Continuer")
	p.Reads("Prêt à vendre")

	s.sells(t, p)
	s.repairs(t, p)
}

// scans types as a scanner does, that knows nothing of fields: the one of the check
// must have the keyboard.
func scans(p *webtest.Sitter, number string) {
	p.T.Helper()
	testkit.Eventually(p.T, time.Minute, func() error {
		if at := p.Ask(`document.activeElement.labels ? document.activeElement.labels[0].innerText : ""`); !strings.HasPrefix(at, "Numéro de série, étiquette") {
			return fmt.Errorf("the keyboard is at %q", at)
		}
		return nil
	})
	p.Types(number + "\n")
}

func (s shop) sells(t *testing.T, p *webtest.Sitter) {
	t.Helper()
	s.as(t, p, advisor)
	p.Goes("/atelier")
	scans(p, "pc-000001")
	p.Reads("Enregistré, pas encore vendu")
	p.Press("Vendre")
	p.Fill("Logement ou nom", "rose\n")
	p.Reads("Logement 12, bâtiment A, escalier 2")
	p.Press("Logement 12")
	p.Reads("Rose Martin", "Prix du programme : 60,00 €.")
	p.Answer("Au prix du programme ?", "Oui")
	p.Answer("Paiement", "Espèces")
	p.Press("Vendre l’ordinateur")
	p.Reads("L’ordinateur est vendu. Imprimez le reçu.", "Reçu (PDF)")
	p.Fill("Nom de qui a signé le reçu", "Rose Martin")
	p.Press("Noter la remise")
	p.Reads("La garantie légale commence.", "sous garantie jusqu’au samedi 18 mars 2028")
}

func (s shop) repairs(t *testing.T, p *webtest.Sitter) {
	t.Helper()
	s.as(t, p, technician)
	p.Goes("/atelier")
	scans(p, "7XK2Q32")
	p.Reads("Enregistré, sous garantie jusqu’au samedi 18 mars 2028")
	p.Misses("F-rose", "Logement") // no repair is open
	p.Press("Ouvrir une réparation")
	p.Fill("Quelle est la panne ?", "L’écran reste noir")
	p.Press("Ouvrir la réparation")
	p.Reads("La réparation est ouverte.", "Logement 12", "Loi – jours restants : 30", "Garantie légale")
	for _, step := range []string{"L’ordinateur est à l’atelier", "C’est réparé", "Rendu au locataire", "Terminer la réparation"} {
		p.Answer("Que faire maintenant ?", step)
		p.Press("Continuer")
		p.Reads("La réparation avance.")
		if step != "Terminer la réparation" {
			p.Reads("Que faire maintenant ?")
		}
	}
	p.Reads("Terminée")
	p.Misses("F-rose", "Logement 12") // the repair is closed
	p.Goes("/atelier?numero=7XK2Q32")
	p.Reads("sous garantie jusqu’au lundi 18 septembre 2028")
}

// Every page in a real browser, in both languages, down to 320 pixels.
func TestScreens(t *testing.T) {
	s := open(t)
	tec, adv := s.enter(technician), s.enter(advisor)
	sold := tec.readies("7XK2Q32")
	adv.sells(sold)
	tec.done(tec.send(sold, sold+"/remise", "accessoires", "chargeur, souris", "signe", "Rose Martin"))
	ticket := tec.done(tec.send(sold, sold+"/panne", "panne", "L’écran reste noir, et le ventilateur fait un bruit terrible"))
	ready := tec.readies("PF-0J2K9L-UNNUMERODESERIETRESLONG-0000000000000001")
	wiping, testing := tec.takesIn("5CG7340XYZ"), tec.takesIn("5CG7340XY2")
	tec.done(tec.send(wiping, wiping+"/etape", "vers", "wiping"))
	tec.done(tec.send(testing, testing+"/etape", "vers", "wiping"))
	tec.done(tec.wipes(testing))
	tec.done(tec.send(testing, testing+"/etape", "vers", "testing"))
	tec.done(tec.send(testing, testing+"/defaut", "texte", "Une charnière est fendue"))

	p := s.sit(t, technician)
	for _, one := range []struct {
		name, path string
		who        accounts.PersonID
	}{
		{"desk", "/atelier", technician}, {"covered", "/atelier?numero=7XK2Q32", technician}, {"unknown", "/atelier?numero=7XK2Q3Z", technician}, {"unsold", "/atelier?numero=5CG7340XYZ", technician},
		{"intake", "/atelier/entree", technician}, {"wiping", wiping, technician}, {"testing", testing, technician}, {"in-repair", sold, technician}, {"repairs", "/atelier/reparations", technician},
		{"repair", ticket, technician}, {"stock", "/atelier/stock?etat=ready", technician}, {"labels", "/atelier/etiquettes", technician}, {"statement", "/atelier/releve?mois=2026-03", technician},
		{"ready", ready, advisor}, {"find", ready + "/vente?recherche=13", advisor}, {"sale", ready + "/vente?foyer=F-luc", advisor},
		{"waiting", "/atelier/attente?residence=R&recherche=13", advisor}, {"wait", "/atelier/attente?residence=R&foyer=F-luc", advisor}, {"programme", "/atelier/programme", manager},
	} {
		s.as(t, p, one.who)
		for _, code := range []string{"fr", "en"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.Context, t, webtest.Screen{Name: fmt.Sprintf("workshop-%s-%s-%d", one.name, code, width), Width: width, Unfold: true,
					Address: s.URL + "/langue/" + code + "?retour=" + url.QueryEscape(one.path)})
			}
		}
	}
}

// TestNonsense is what a bored child types who finds the tablet unlocked.
func TestNonsense(t *testing.T) {
	s := open(t)
	tec, adv := s.enter(technician), s.enter(advisor)
	ready := tec.readies("SER-7")
	wiping := tec.takesIn("SER-8")
	tec.done(tec.send(wiping, wiping+"/etape", "vers", "wiping"))
	if forms := webtest.Nonsense(t, tec.Reader(), "/atelier", wiping, "/atelier/reparations"); forms < 6 {
		t.Errorf("%d forms for the technician", forms)
	}
	if forms := webtest.Nonsense(t, adv.Reader(), ready+"/vente?foyer=F-rose", ready+"/vente"); forms < 3 {
		t.Errorf("%d forms for the advisor", forms)
	}
}
