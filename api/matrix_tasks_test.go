package main

import (
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// A task is what somebody comes for, done by the words on the page alone.
type task struct {
	name, person, first string
	do                  func(*webtest.Sitter)
}

// tasks are the main ones of tenants and of those who work for them.
func tasks() []task {
	return []task{
		{"find this month's cost and why", "ami", "/", findCost},
		{"understand an alert and act", "ami", "/", actOnAlert},
		{"refuse a tip", "ami", "/conseils", refuseTip},
		{"take a consent back", "ami", "/mes-donnees", takeBack},
		{"check a serial", "tec", "/atelier", checkSerial},
		{"open a repair", "tec", "/atelier?numero=" + soldSerial, openRepair},
		{"find the silent gateway", "ins", "/equipements", findSilent},
		{"hang up a gateway", "ins", "/equipements", hangGateway},
		{"enrol a buyer", "adv", "/formations", enrolBuyer},
	}
}

// soldSerial is of a computer that a household has, and that works.
const soldSerial = "PC-100001"

// TestTasksInEveryWay does the main tasks in a real browser: with the keyboard alone,
// without JavaScript, at a zoom of 200 % and 320 pixels wide. Each is read aloud and
// printed on its way.
func TestTasksInEveryWay(t *testing.T) {
	m, url := servedMatrix(t)
	for _, w := range webtest.Ways() {
		t.Run(w.Name, func(t *testing.T) {
			m.fresh(t)
			proposeShower(t, m)
			p := webtest.SitAt(t, url, "/connexion")
			p.Uses(w)
			actorNamed("nob").becomes(t, p, "fr")
			signIn(p, m.code(t, "P-bruno"))
			for _, one := range tasks() {
				t.Run(one.name, func(t *testing.T) {
					p := p.As(t)
					actorNamed(one.person).becomes(t, p, "fr")
					p.Goes(one.first)
					one.do(p)
					p.Fits()
				})
			}
		})
	}
}

// proposeShower proposes a tip that can be refused, as a morning's run does.
func proposeShower(t *testing.T, m *matrix) {
	t.Helper()
	sqldbtest.Exec(t, m.db, `INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, proposed_date, chosen_date, place, score, finding, first_date, last_date) VALUES
		('TI-shower', 'F-amina', 'T-amina', 'shorter_shower', 'proposed', '2026-03-18', '2026-03-18', '2026-03-18', 2, 1,
		'{"Figures":{"l_per_person_day":140,"similar_l_per_person_day":100,"people":2,"people_days_per_year":730},"From":"2026-03-04","To":"2026-03-18","Kinds":["cold_water"],"Quality":"measured","Coverage":1}', '2026-03-04', '2026-03-17')`)
}

// code makes a code as a letter bears it.
func (m *matrix) code(t *testing.T, person accounts.PersonID) string {
	t.Helper()
	people, err := accounts.NewStore(m.db, accounts.Cost{Passes: 1, MemoryKiB: 64})
	if err != nil {
		t.Fatal(err)
	}
	code, err := people.Invite(t.Context(), person, fixedNow(t).AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}

func signIn(p *webtest.Sitter, code string) {
	p.Goes("/connexion")
	p.Fits()
	p.Hears("Entrer", "Tapez le code écrit sur votre lettre.", "Votre code", "Vous n’avez pas de code ? Appelez-nous.", "Claire Moreau", "02 41 00 00 00")
	p.Fill("Votre code", code+"\n")
	p.Reads("Bonjour Quirin Brunoy")
}

func findCost(p *webtest.Sitter) {
	p.Reads("environ 2 946 € depuis le 1er mars, dans vos charges")
	p.Fits()
	p.Hears("Ce mois-ci : autant d’eau froide que le mois dernier.", "environ 2 946 €", "C’est une estimation, pas une facture.", "Eau froide", "713,27 m³", "Pourquoi ce chiffre ?")
	p.PressUnder("Eau froide", "Pourquoi ce chiffre ?")
	p.Reads("Différence", "= 713,269 m³", "× 4,13 €/m³", "soit environ 2 946 €")
	p.Hears("L’index de votre compteur ne fait que monter.", "6 223,189 m³", "5 509,920 m³", "713,269 m³", "4,13 €/m³", "2 945,80 €")
	p.Prints("environ 2 946 €", "713,27 m³", "Claire Moreau", "02 41 00 00 00")
}

func actOnAlert(p *webtest.Sitter) {
	p.Press("Voir et agir")
	p.Reads("Mes alertes", "De l’eau coule sans arrêt chez vous")
	p.Fits()
	p.Hears("De l’eau coule sans arrêt chez vous", "entre 24 et 26 litres par heure", "Cela a commencé", "Appelez Claire Moreau", "Essuyez la cuvette", "Tournez à fond", "J’ai vérifié, il y a une fuite")
	p.Prints("entre 24 et 26 litres par heure", "Essuyez la cuvette", "02 41 00 00 00")
	p.Press("J’ai vérifié, il y a une fuite")
	p.Reads("Merci. Appelez-nous pour la réparation.")
}

func refuseTip(p *webtest.Sitter) {
	p.Reads("Mes conseils", "Factures difficiles à payer ?")
	p.Hears("Mes conseils", "Factures difficiles à payer ?", "appelez-nous")
	p.Fits()
	p.Prints("Factures difficiles à payer ?", "02 41 00 00 00")
	p.Press("Pas chez moi")
	p.Reads("C’est noté. Ce conseil ne reviendra plus.")
}

func takeBack(p *webtest.Sitter) {
	const heading, words = "Voir mes chiffres heure par heure", "Je ne suis plus d’accord"
	p.Reads(heading)
	p.Fits()
	p.Hears(heading, "Vous avez dit oui", "Mes compteurs sont lus plusieurs fois par heure.", words)
	p.Prints(heading, "Vous avez dit oui", "Mes compteurs sont lus plusieurs fois par heure.")
	p.PressUnder(heading, words)
	p.Reads("Les relèves de chaque heure s’arrêtent en une minute.")
	p.PressUnder(heading, words)
	p.Reads("C’est fait. Votre oui est retiré.")
}

func checkSerial(p *webtest.Sitter) {
	p.Hears("Numéro de série, étiquette ou adresse MAC", "Contrôler", "Réparations")
	p.Fill("Numéro de série", soldSerial+"\n")
	p.Reads("Numéro lu : "+soldSerial, "Enregistré")
	p.Hears("Enregistré", "Numéro lu", soldSerial, "Que faire")
	p.Prints("Enregistré", soldSerial)
}

func openRepair(p *webtest.Sitter) {
	p.Press("Ouvrir une réparation")
	p.Fits()
	p.Fill("Quelle est la panne ?", "L’écran reste noir")
	p.Hears("Quelle est la panne ?", "Ouvrir la réparation")
	p.Press("Ouvrir la réparation")
	p.Reads("La réparation est ouverte.", "L’écran reste noir")
	p.Hears("La réparation est ouverte.", "L’écran reste noir", "Que faire maintenant ?")
	p.Prints("L’écran reste noir")
}

func findSilent(p *webtest.Sitter) {
	p.Reads("Elle n’a jamais parlé.", "Sa passerelle ne l’a jamais vu.")
	p.Fits()
	p.Hears("Passerelles", "gw-r", "Cave-Rouge", "Elle n’a jamais parlé.", "Compteurs à regarder", "Regardez le câble, le courant et le numéro.", "SN-71")
	p.Press("gw-r")
	p.Reads("Cave-Rouge", "Elle n’a jamais parlé.", "Raccorder la passerelle")
	p.Fits()
	p.Prints("Cave-Rouge", "Elle n’a jamais parlé.")
}

func hangGateway(p *webtest.Sitter) {
	p.Press("gw-r")
	p.Press("Poser la passerelle, étape par étape")
	p.Reads("Poser la passerelle gw-r", "Aucune passerelle neuve n’est attendue.")
	p.Fits()
	p.Hears("Préparez la carte", "Donner un code", "Coupez le courant", "Tirez le câble des compteurs", "Vissez la neuve", "Branchez les fils",
		"A avec A, B avec B", "Remettez le courant", "Attendez la première relève", "Aucune passerelle neuve n’est attendue.")
	p.Press("Donner un code")
	p.Reads("Il ne sert qu’une fois.", "Enregistrer le fichier xnet-enrol.yaml", "Le code n’a pas encore servi.")
	p.Fits()
	p.Prints("api: ", "code: ", "Coupez le courant", "A avec A, B avec B", "Attendez la première relève", "02 41 00 00 00")
}

func enrolBuyer(p *webtest.Sitter) {
	const buyer = "Quirin Brunoy"
	p.Reads(buyer, "Pas encore invité.", "1 place libre")
	p.Fits()
	p.Hears(buyer, "À former au plus tard le vendredi 1er mai.", "Pas encore invité.", "samedi 28 mars à 14 h 00", "1 place libre", "Inscrire")
	p.Prints(buyer, "À former au plus tard")
	p.PressUnder(buyer, "Inscrire")
	p.Reads("L’inscription est faite")
}
