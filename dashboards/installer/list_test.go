package installer_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/installer"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// manyMeters is how many more meters of R no gateway has named: more than the
// first page names, and more than one page of the list.
const manyMeters = 60

// readings are none yet, of an InfluxDB that answers.
func readings(t *testing.T) *influx.Client {
	t.Helper()
	client, err := influx.Open(influx.Config{URL: testkit.Influx(t).URL, Prefix: "xnet"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

// signIn stands for the sign-in page, which is another folder's.
const signIn = `<form method="post" action="/connexion"><label for="code">Votre code</label><input id="code" name="code"></form>`

// open serves the pages of a residence most of whose meters no gateway has named.
// Its lists need no readings, so client may be nil for them.
func open(t *testing.T, client *influx.Client) *webtest.Site {
	t.Helper()
	return openAt(t, client, func() time.Time { return meterstest.Now })
}

// openAt is [open] with a clock.
func openAt(t *testing.T, client *influx.Client, now func() time.Time) *webtest.Site {
	t.Helper()
	site := webtest.Open(t, webtest.Setting{Now: now, Visit: time.Hour}, func(e *echo.Echo, s *webtest.Site) {
		s.Frame.Register(e)
		e.GET("/connexion", func(c echo.Context) error { return c.HTML(http.StatusOK, signIn) })
		e.POST("/connexion", func(c echo.Context) error {
			if err := s.Door.Enter(c, c.FormValue("code")); err != nil {
				return err
			}
			return c.Redirect(http.StatusSeeOther, "/equipements")
		})
		fleet := meters.NewStore(s.DB)
		installer.New(installer.Parts{Site: s.Frame, Meters: fleet, Checks: check.NewStore(s.DB, fleet, client), Now: s.Now,
			Watch: watch.NewStore(s.DB, premises.NewStore(s.DB), fleet, client), Configs: configuration.NewStore(s.DB, fleet, nil),
			Enrolments: &enrolment.Handler{Store: enrolment.NewStore(s.DB, fleet, enrolment.Files{}), Now: s.Now,
				Reach: enrolment.Reach{URL: "ssl://roseraie.example:8883", Pages: "https://roseraie.example"}}}).Register(e)
	})
	meterstest.Furnish(t, site.DB)
	for i := range manyMeters {
		n := fmt.Sprintf("%02d", i)
		sqldbtest.Exec(t, site.DB, `INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ($1, 'R', 'B', '1', $2, 0, 3, 60)`, "R-B"+n, n)
		sqldbtest.Exec(t, site.DB, `INSERT INTO point (id, dwelling_id, kind) VALUES ($1, $2, 'cold_water')`, "R-B"+n+"-cw", "R-B"+n)
		sqldbtest.Exec(t, site.DB, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial, profile, bus, slave, channel, pulse, start_index)
			VALUES ($1, 'gw-r2', 'cold_water', 0, 0, 600, 'day', $2, '', '', 0, 0, 0, 0)`, "new-"+n, "5550"+n)
		sqldbtest.Exec(t, site.DB, `INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $2, 1735689600000)`, "new-"+n, "R-B"+n+"-cw")
	}
	return site
}

func enter(t *testing.T, s *webtest.Site, person accounts.PersonID) webtest.Browser {
	t.Helper()
	b := s.Browser(t)
	if a := b.Send("/connexion", url.Values{"code": {s.Invite(t, person)}}); a.Status != http.StatusSeeOther {
		t.Fatalf("sign-in of %s: %d", person, a.Status)
	}
	return b
}

func shows(t *testing.T, page string, wanted, unwanted []string) {
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

// What is to be done stands once, with how many meters and the first of them;
// all of them are a link away, page by page.
func TestMetersAreGroupedByWhatIsToBeDone(t *testing.T) {
	b := enter(t, open(t, nil), meterstest.Installer)
	first := b.Get("/equipements").Page
	shows(t, first, []string{"Sa passerelle ne l’a jamais vu.", "63 compteurs", "Regardez le câble, le courant et le numéro.", "Pas encore vérifié",
		"/equipements?liste=jamais-vus", "/equipements?liste=a-verifier", "Espace équipe", "30110001"}, []string{"555000", "Pas de relève depuis plus", "cw-s", "Mon logement"})
	if got := strings.Count(first, "30110001"); got != 2 {
		t.Errorf("a meter that is neither read nor verified stands %d times on the page, want 2", got)
	}
	whole := b.Get("/equipements?liste=jamais-vus").Page
	shows(t, whole, []string{"Regardez le câble, le courant et le numéro.", "30110001", "555000", "Logement 00, bâtiment B", "/equipements/compteurs/new-00"},
		[]string{"555059", "cw-s", "30119999"})
	if got := strings.Count(whole, `<li><div>`); got != 50 {
		t.Errorf("%d meters on the first page of the list, want 50", got)
	}
	shows(t, b.Get("/equipements?apres=new-46&liste=jamais-vus").Page, []string{"555047", "555059"}, []string{"555046", "Voir la suite"})
	shows(t, b.Get("/equipements?liste=sans-releve").Page, []string{"<h1>Pas de relève depuis plus d’un jour</h1>", "Aucun compteur."}, []string{"3011"})
	for _, slug := range []string{"autre", "<script>", strings.Repeat("x", 3000)} {
		if a := b.Get("/equipements?liste=" + url.QueryEscape(slug)); a.Status != http.StatusNotFound || strings.Contains(a.Page, "<script") {
			t.Errorf("list %.20q: status %d", slug, a.Status)
		}
	}
}

// Nobody is sent to the meters of a gateway that has stopped: it comes first.
func TestStoppedGatewayStandsForItsMeters(t *testing.T) {
	site := open(t, nil)
	b := enter(t, site, meterstest.Installer)
	const sentence, first, stopped, list = "ne sont pas répétés ici", "Remettez la passerelle en marche", "/equipements/passerelles/gw-r2", "/equipements?liste=jamais-vus"
	shows(t, b.Get("/equipements").Page, []string{list, "Aucune relève connue."}, []string{sentence})
	shows(t, b.Get(stopped).Page, nil, []string{first})
	sqldbtest.Exec(t, site.DB, `INSERT INTO gateway_report (residence_id, gateway_id, heard_ms, online, program, boot, clock, spool_packs, spool_oldest_ms, spool_alarm, config, config_fault)
		VALUES ('R', 'gw-r2', $1, 0, '', '', '', 0, 0, 0, '', '')`, meterstest.Now.Add(-time.Minute).UnixMilli())
	shows(t, b.Get("/equipements").Page, []string{sentence, "Elle est arrêtée."}, []string{list})
	shows(t, b.Get(list).Page, []string{"30110001"}, []string{"555000"})
	shows(t, b.Get(stopped).Page, []string{first, "555000"}, nil)
}

// A list shows no more than the first page does: a manager no way to a meter's
// index, an installer nothing of another residence.
func TestListsShowNoMoreThanTheirReaderMaySee(t *testing.T) {
	site := open(t, nil)
	for person, want := range map[accounts.PersonID]struct{ wanted, unwanted []string }{
		meterstest.Manager:   {[]string{"30110001", "555000", "Prévenez l’installateur."}, []string{"/equipements/compteurs/", "30119999", "Regardez le câble"}},
		meterstest.Elsewhere: {[]string{"30119999"}, []string{"30110001", "555000", "Résidence R"}},
	} {
		shows(t, enter(t, site, person).Get("/equipements?liste=jamais-vus").Page, want.wanted, want.unwanted)
	}
	if a := enter(t, site, meterstest.Tenant).Get("/equipements?liste=jamais-vus"); a.Status != http.StatusForbidden {
		t.Errorf("a tenant: status %d", a.Status)
	}
}

// Where the server cannot sign, an installer calls the administrator, who is told
// what to do.
func TestNoKeyTellsWhoReads(t *testing.T) {
	site := open(t, nil)
	const gateway, call, do = "/equipements/passerelles/gw-r", "Demandez à l’administrateur.", "signing_key_file"
	shows(t, enter(t, site, meterstest.Installer).Get(gateway).Page, []string{call}, []string{do})
	shows(t, enter(t, site, meterstest.Admin).Get(gateway).Page, []string{do}, []string{call})
}

// Nobody types a number twice in a cellar.
func TestRefusedFormKeepsWhatWasTyped(t *testing.T) {
	b := enter(t, open(t, readings(t)), meterstest.Installer)
	const meter = "/equipements/compteurs/cw-1"
	token := webtest.Token(t, b.Get(meter).Page)
	a := b.Send(meter+"/remplacement", url.Values{"jeton": {token}, "version": {"1"}, "ancien": {"153,3"}, "numero": {"40220001"}, "nouveau": {"<zéro>"}})
	if a.Status != http.StatusUnprocessableEntity {
		t.Errorf("a dial of words: status %d", a.Status)
	}
	shows(t, a.Page, []string{"Tapez les chiffres du cadran", `<details class="card" open>`, `value="153,3"`, `value="40220001"`, `value="&lt;zéro&gt;"`}, nil)
	a = b.Send(meter+"/cadran", url.Values{"jeton": {token}, "cadran": {"cent"}})
	shows(t, a.Page, []string{`value="cent"`}, []string{`<details class="card" open>`})
	shows(t, b.Get(meter).Page, []string{`name="cadran" value=""`}, []string{"cent\"", `<details class="card" open>`})
}

// A slip of the pen on the old dial is asked about; whoever looked again goes on.
func TestLastDialIsAskedAbout(t *testing.T) {
	client := readings(t)
	b := enter(t, open(t, client), meterstest.Installer)
	if err := client.WriteReadings(t.Context(), []metering.Reading{{Meter: "cw-1", Quantity: metering.Index, At: meterstest.Ago(time.Hour), Amount: 153_257_000}}); err != nil {
		t.Fatal(err)
	}
	const meter, sure = "/equipements/compteurs/cw-1", "C’est bien ce que montre le cadran"
	form := url.Values{"jeton": {webtest.Token(t, b.Get(meter).Page)}, "version": {"1"}, "ancien": {"135,257"}, "numero": {"40220001"}, "nouveau": {"0,012"}}
	shows(t, b.Get(meter).Page, nil, []string{sure})
	a := b.Send(meter+"/remplacement", form)
	if a.Status != http.StatusConflict {
		t.Errorf("swapped digits: status %d", a.Status)
	}
	shows(t, a.Page, []string{"ne suit pas ce qui a été lu", sure, `value="135,257"`, `value="40220001"`, `value="0,012"`}, nil)
	form.Set("sur", "1")
	if a = b.Send(meter+"/remplacement", form); a.Status != http.StatusSeeOther {
		t.Errorf("looked at again: status %d", a.Status)
	}
	shows(t, b.Get("/equipements/compteurs/R-1-cw-40220001").Page, []string{"40220001", "Pas encore vérifié"}, []string{sure, "30110001"})
}

func TestNonsense(t *testing.T) {
	b := enter(t, open(t, readings(t)), meterstest.Installer)
	if forms := webtest.Nonsense(t, b.Reader(), "/equipements"); forms < 1 {
		t.Errorf("%d forms", forms)
	}
}
