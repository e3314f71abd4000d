package installer_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A thermometer has no dial: none is asked for, and no check is due.
func TestThermometerIsAskedForNoDial(t *testing.T) {
	now := meterstest.Now
	site := openAt(t, readings(t), func() time.Time { return now })
	sqldbtest.Exec(t, site.DB, `INSERT INTO point (id, dwelling_id, kind) VALUES ('R-1-te', 'R-1', 'temperature')`)
	sqldbtest.Exec(t, site.DB, `INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial, profile, bus, slave, channel, pulse, start_index)
		VALUES ('te-1', 'gw-r', 'temperature', 0, 0, 600, 'day', '77001', '', '', 0, 0, 0, 0)`)
	b := enter(t, site, meterstest.Installer)
	const meter = "/equipements/compteurs/te-1"
	page := b.Get(meter).Page
	shows(t, page, []string{`name="point"`}, []string{`name="cadran"`})
	form := url.Values{"jeton": {webtest.Token(t, page)}, "point": {"R-1-te"}}
	if a := b.Send(meter+"/pose", form); a.Status != http.StatusSeeOther {
		t.Fatalf("hung up: status %d", a.Status)
	}
	shows(t, b.Get(meter).Page, []string{"Comparez avec un thermomètre"}, []string{`name="ancien"`, `name="nouveau"`, `name="cadran"`, "Pas encore vérifié"})
	shows(t, b.Get("/equipements?liste=a-verifier").Page, []string{"30110001"}, []string{"77001"})
	now = now.Add(time.Minute)
	form = url.Values{"jeton": form["jeton"], "version": {"1"}, "numero": {"77002"}}
	if a := b.Send(meter+"/remplacement", form); a.Status != http.StatusSeeOther {
		t.Fatalf("replaced: status %d", a.Status)
	}
	shows(t, b.Get("/equipements/compteurs/R-1-te-77002").Page, []string{"77002", "Comparez avec un thermomètre"}, nil)
	shows(t, b.Get(meter).Page, []string{"Il a été retiré."}, []string{"Il n’est pas posé."})
	shows(t, b.Get("/equipements/passerelles/gw-r").Page, []string{"Il a été retiré."}, nil)
}

// The last index that is kept may be older than what the gateway last said of the
// meter: each moment is named, and one that is both is written once.
func TestMeterTellsIndexFromSignal(t *testing.T) {
	client := readings(t)
	site := open(t, client)
	kept := meterstest.Now.Add(-48 * time.Hour)
	if err := client.WriteReadings(t.Context(), []metering.Reading{{Meter: "cw-1", Quantity: metering.Index, At: kept, Amount: 248_170_000}}); err != nil {
		t.Fatal(err)
	}
	report := func(good time.Time) {
		sqldbtest.Exec(t, site.DB, `DELETE FROM meter_report WHERE meter_id = 'cw-1'`)
		sqldbtest.Exec(t, site.DB, `INSERT INTO meter_report (residence_id, gateway_id, meter_id, serial, kind, resolution, last_good_ms, faults, heard_ms)
			VALUES ('R', 'gw-r', 'cw-1', '30110001', 'cold_water', 'day', $1, 0, $1)`, good.UnixMilli())
	}
	b := enter(t, site, meterstest.Installer)
	const meter = "/equipements/compteurs/cw-1"
	report(meterstest.Now.Add(-24 * time.Hour))
	shows(t, b.Get(meter).Page, []string{"248,170", "Dernier chiffre gardé", "Dernier signal du compteur"}, nil)
	report(kept)
	shows(t, b.Get(meter).Page, []string{"248,170"}, []string{"Dernier chiffre gardé", "Dernier signal du compteur"})
}

// Of a meter that nobody has ever heard the list says so, rather than nothing.
func TestSilentMeterWithoutReading(t *testing.T) {
	site := open(t, nil)
	sqldbtest.Exec(t, site.DB, `INSERT INTO meter_standing (meter_id, standing, from_ms) VALUES ('cw-1', 'silent', 1735689600000)`)
	shows(t, enter(t, site, meterstest.Installer).Get("/equipements?liste=sans-releve").Page, []string{"30110001", "Aucune relève connue."}, []string{"Dernière relève"})
}
