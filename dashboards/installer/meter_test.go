package installer_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
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
}
