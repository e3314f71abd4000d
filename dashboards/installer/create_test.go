package installer_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

const newGateway = "/equipements/nouvelle-passerelle"

// typedGateway is a form that is in order, with what is typed otherwise.
func typedGateway(token, press string, otherwise ...string) url.Values {
	form := url.Values{"jeton": {token}, "envoi": {press}, "identifiant": {"gw-b2"}, "residence": {"R"}, "nom": {"Cave B"}, "endroit": {"sous-sol, à gauche"},
		"prise": {"rtu:///dev/ttyUSB0"}, "vitesse": {"19200"}, "parite": {"even"}}
	for i := 0; i+1 < len(otherwise); i += 2 {
		form.Set(otherwise[i], otherwise[i+1])
	}
	return form
}

// Pressed twice it is registered once, and leads to its page and the steps.
func TestGatewayIsRegisteredOnce(t *testing.T) {
	site := open(t, nil)
	b := enter(t, site, meterstest.Installer)
	shows(t, b.Get("/equipements").Page, []string{newGateway, "Enregistrer une passerelle"}, nil)
	page := b.Get(newGateway).Page
	shows(t, page, []string{"Résidence R", `value="rtu:///dev/ttyUSB0"`, `<option selected>9600`}, []string{"Résidence S", "Choisissez", `class="fault"`})
	token := webtest.Token(t, page)
	for range 2 {
		a := b.Send(newGateway, typedGateway(token, "one press"))
		if a.Status != http.StatusSeeOther || a.To != "/equipements/passerelles/gw-b2?fait=enregistrement" {
			t.Fatalf("status %d, leads to %s: %s", a.Status, a.To, a.Page)
		}
	}
	shows(t, b.Get("/equipements/passerelles/gw-b2?fait=enregistrement").Page,
		[]string{"La passerelle est enregistrée.", "Cave B", "sous-sol, à gauche", "/equipements/passerelles/gw-b2/pose", "url: rtu:///dev/ttyUSB0", "baud: 19200", "parity: even"},
		[]string{"/equipements/passerelles/gw-b2/remplacement"})
	a := b.Send(newGateway, typedGateway(token, "another press"))
	if a.Status != http.StatusConflict {
		t.Errorf("a name that is taken: status %d", a.Status)
	}
	shows(t, a.Page, []string{`id="identifiant-f">Ce nom est déjà pris.`, `value="gw-b2"`, `value="Cave B"`}, nil)
	if a := b.Send(newGateway, typedGateway(token, "bare", "identifiant", "gw-b3", "prise", "")); a.Status != http.StatusSeeOther {
		t.Errorf("without a cable: status %d", a.Status)
	}
	var gateways, buses int
	if err := site.DB.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM gateway), (SELECT COUNT(*) FROM bus)`).Scan(&gateways, &buses); err != nil || gateways != 3+2 || buses != 1+1 {
		t.Errorf("%d gateways and %d buses, %v", gateways, buses, err)
	}
}

// What is wrong stands beside its field, and nothing that was typed is lost.
func TestRefusedGatewayKeepsWhatWasTyped(t *testing.T) {
	b := enter(t, open(t, nil), meterstest.Admin)
	token := webtest.Token(t, b.Get(newGateway).Page)
	for _, tt := range []struct{ name, field, typed, fault string }{
		{"no identifier", "identifiant", "", `id="identifiant-f">Utilisez 1 à 64`},
		{"an identifier with spaces", "identifiant", "cave b", `id="identifiant-f">Utilisez 1 à 64`},
		{"no residence", "residence", "", `id="residence-f">Il manque une réponse ici.`},
		{"a long name", "nom", strings.Repeat("é", 101), `id="nom-f">C’est trop long. Le maximum est 100.`},
		{"a long place", "endroit", strings.Repeat("é", 201), `id="endroit-f">C’est trop long. Le maximum est 200.`},
		{"an address of another kind", "prise", "file:///etc/passwd", `id="prise-f">Écrivez rtu:///dev/`},
		{"a speed of words", "vitesse", "vite", `id="vitesse-f">Écrivez un nombre`},
		{"an unknown parity", "parite", "odd or even", `id="parite-f">`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := b.Send(newGateway, typedGateway(token, tt.name, tt.field, tt.typed))
			if a.Status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", a.Status)
			}
			wanted := []string{"Il y a une erreur dans ce que vous avez écrit.", tt.fault, `aria-invalid="true"`, `value="sous-sol, à gauche"`}
			if tt.field == "endroit" {
				wanted[3] = `value="Cave B"`
			}
			shows(t, a.Page, wanted, nil)
			if got := strings.Count(a.Page, `aria-invalid="true"`); got != 1 {
				t.Errorf("%d fields are wrong, want 1", got)
			}
		})
	}
}

// Who may not do it by JSON may not do it here, and learns of no residence.
func TestWhoRegistersGateways(t *testing.T) {
	site := open(t, nil)
	for person, want := range map[accounts.PersonID]int{meterstest.Manager: http.StatusForbidden, meterstest.Technician: http.StatusForbidden,
		meterstest.Tenant: http.StatusForbidden, meterstest.Elsewhere: http.StatusNotFound} {
		b := enter(t, site, person)
		page := b.Get("/equipements").Page
		if person == meterstest.Elsewhere {
			page = b.Get(newGateway).Page
		} else {
			page += b.Get(newGateway).Page
		}
		shows(t, page, nil, []string{"Enregistrer une passerelle →", `value="R"`})
		token := ""
		if strings.Contains(page, `name="jeton"`) {
			token = webtest.Token(t, page)
		}
		if a := b.Send(newGateway, typedGateway(token, "press")); a.Status != want {
			t.Errorf("%s: status %d, want %d", person, a.Status, want)
		}
	}
}
