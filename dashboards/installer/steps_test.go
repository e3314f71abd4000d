package installer_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const stepsOfR = "/equipements/passerelles/gw-r/remplacement"

var (
	shownCode = regexp.MustCompile(`<code>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</code>`)
	shownFile = regexp.MustCompile(`href="data:application/yaml;base64,([^"]*)" download="xnet-enrol.yaml"`)
)

// codeOn returns the code of a page, after it has held the file against it.
func codeOn(t *testing.T, page string) enrolment.Code {
	t.Helper()
	code, file := shownCode.FindStringSubmatch(page), shownFile.FindStringSubmatch(page)
	if code == nil || file == nil {
		t.Fatalf("the page shows no code, or gives no file: %s", page)
	}
	text, err := base64.StdEncoding.DecodeString(html.UnescapeString(file[1]))
	if want := "api: https://roseraie.example\ncode: " + code[1] + "\n"; err != nil || string(text) != want {
		t.Errorf("the file is %q, %v, want %q", text, err, want)
	}
	return enrolment.Code(code[1])
}

// From the code to the first reading: the page tells the new gateway's words from
// those of the one before, and counts the meters that the new one has read.
func TestStepsTellHowFarTheNewGatewayIs(t *testing.T) {
	now := meterstest.Now
	site := openAt(t, nil, func() time.Time { return now })
	b := enter(t, site, meterstest.Installer)
	fleet := meters.NewStore(site.DB)
	boards, reports := enrolment.NewStore(site.DB, fleet, enrolment.Files{}), watch.NewStore(site.DB, premises.NewStore(site.DB), fleet, nil)
	from := wire.Source{Site: "R", Gateway: "gw-r"}
	tells := func(s wire.State) {
		t.Helper()
		now = now.Add(time.Minute)
		if err := reports.State(t.Context(), from, s, now); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(meters map[metering.MeterID]time.Time) {
		t.Helper()
		var all wire.Meters
		for id, at := range meters {
			all.Meters = append(all.Meters, wire.MeterReport{Meter: id, Kind: metering.ColdWater, Resolution: metering.Fine, LastGoodMs: at.UnixMilli()})
		}
		if kept, err := reports.Meters(t.Context(), from, all, now); err != nil || !kept {
			t.Fatalf("kept %v, %v", kept, err)
		}
	}
	told := func(wanted string, unwanted ...string) {
		t.Helper()
		shows(t, b.Get(stepsOfR).Page, []string{wanted}, unwanted)
	}

	tells(wire.State{Online: true})
	reads(map[metering.MeterID]time.Time{"cw-1": now, "cw-2": now})
	page := b.Get(stepsOfR).Page
	shows(t, page, []string{"Remplacer la passerelle gw-r", "Débranchez l’ancienne", "n’est attendue", "Ce serveur n’a pas de clé"}, []string{"Tirez le câble", "se recharge seule", "Compteurs relevés"})

	form := url.Values{"jeton": {webtest.Token(t, page)}, "envoi": {"one press"}}
	a := b.Send(stepsOfR, form)
	if a.Status != http.StatusOK {
		t.Fatalf("status %d", a.Status)
	}
	code := codeOn(t, a.Page)
	shows(t, a.Page, []string{"Il sert jusqu’au jeudi 19 mars, 15 h 01."}, nil)
	if again := codeOn(t, b.Send(stepsOfR, form).Page); again != code {
		t.Errorf("the same press gives %s after %s", again, code)
	}
	shows(t, b.Get(stepsOfR).Page, []string{"Le code n’a pas encore servi.", "se recharge seule"}, []string{string(code)})
	tells(wire.State{Online: true}) // the one before still does
	told("Le code n’a pas encore servi.")

	now = now.Add(time.Minute)
	if _, err := boards.Redeem(t.Context(), code, now); err != nil {
		t.Fatal(err)
	}
	told("La passerelle neuve n’a pas encore parlé.", "Compteurs relevés")
	tells(wire.State{Online: true, SpoolPacks: 2})
	told("Attendez la première relève.", "est arrivée")
	shows(t, b.Get(stepsOfR).Page, []string{"Compteurs relevés par elle : 0 sur 3", "2 paquets en attente"}, nil)
	tells(wire.State{Online: true, ConfigFault: "no meter answers"})
	told("Échangez A et B.")
	tells(wire.State{Online: true})
	reads(map[metering.MeterID]time.Time{"cw-1": now, "cw-2": meterstest.Now})
	told("La première relève est arrivée.", "se recharge seule")
	shows(t, b.Get(stepsOfR).Page, []string{"Compteurs relevés par elle : 1 sur 3"}, nil)
	tells(wire.State{})
	told("puis s’est tue")
}

// What was enrolled days ago is not taken for a gateway that was just replaced.
func TestOldEnrolmentIsNoReplacement(t *testing.T) {
	site := open(t, nil)
	boards := enrolment.NewStore(site.DB, meters.NewStore(site.DB), enrolment.Files{})
	before := meterstest.Ago(3 * meterstest.Day)
	o, err := boards.Offer(t.Context(), meterstest.Installer, "gw-r", before)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := boards.Redeem(t.Context(), o.Code, before); err != nil {
		t.Fatal(err)
	}
	shows(t, enter(t, site, meterstest.Installer).Get(stepsOfR).Page, []string{"n’est attendue"}, []string{"Le code a servi"})
}

// A first gateway is hung up by the same steps, without one to take away.
func TestFirstGatewayIsHungUp(t *testing.T) {
	site := open(t, nil)
	b := enter(t, site, meterstest.Installer)
	const first = "/equipements/passerelles/gw-r2/pose"
	shows(t, b.Get("/equipements/passerelles/gw-r2").Page, []string{first}, nil)
	page := b.Get(first).Page
	shows(t, page, []string{"Poser la passerelle gw-r2", "Tirez le câble des compteurs", "120 ohms"}, []string{"Débranchez l’ancienne", "même prise"})
	codeOn(t, b.Send(first, url.Values{"jeton": {webtest.Token(t, page)}}).Page)
}

// Nobody gets a code, or learns of a gateway, who may not change it.
func TestWhoFollowsTheSteps(t *testing.T) {
	site := open(t, nil)
	for person, want := range map[accounts.PersonID]int{meterstest.Installer: http.StatusOK, meterstest.Admin: http.StatusOK,
		meterstest.Elsewhere: http.StatusNotFound, meterstest.Manager: http.StatusForbidden, meterstest.Tenant: http.StatusForbidden} {
		b := enter(t, site, person)
		a := b.Get(stepsOfR)
		if a.Status != want {
			t.Errorf("%s: status %d, want %d", person, a.Status, want)
		}
		token := webtest.Token(t, a.Page) // to sign out, at least
		if a := b.Send(stepsOfR, url.Values{"jeton": {token}}); a.Status != want || shownCode.MatchString(a.Page) != (want == http.StatusOK) {
			t.Errorf("%s asks for a code: status %d, want %d", person, a.Status, want)
		}
		if person == meterstest.Manager {
			shows(t, b.Get("/equipements/passerelles/gw-r").Page, nil, []string{"/remplacement", "/pose"})
		}
	}
	if a := enter(t, site, meterstest.Admin).Get("/equipements/passerelles/nowhere/pose"); a.Status != http.StatusNotFound {
		t.Errorf("a gateway that is not there: status %d", a.Status)
	}
}
