package e2e_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/notify/notifytest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// homes is how many homes the grown system has; each has a meter of cold water that
// was read each minute of the last hours.
const (
	homes         = 12
	minutesOfHome = 1200
)

// A grown system is one of which there are two of each of our programs, on a
// PostgreSQL, a broker and an InfluxDB that they share.
type grown struct {
	*system
	db         *sql.DB
	mail       *notifytest.Server
	apis       [2]string // base URLs
	collectors [2]string // addresses of figures
	processes  [2]*os.Process
	gateway    string // its configuration
	figures    string // of the gateway
}

// TestTwoOfEach: two API processes and two collectors behave as one of each does.
func TestTwoOfEach(t *testing.T) {
	g := newGrown(t)
	t.Run("collectors share", func(t *testing.T) { g.testShare(t) })
	t.Run("a collector is killed", func(t *testing.T) { g.testKilled(t) })
	g.startCollector(t, 1)
	t.Run("sessions", func(t *testing.T) { g.testSessions(t) })
	t.Run("a key posted twice", func(t *testing.T) { g.testKey(t) })
	t.Run("the night", func(t *testing.T) { g.testNight(t) })
	t.Run("the outbox", func(t *testing.T) { g.testOutbox(t) })
	t.Run("a withdrawal", func(t *testing.T) { g.testWithdrawal(t) })
}

func newGrown(t *testing.T) *grown {
	t.Helper()
	dsn := testkit.Postgres(t)
	g := &grown{system: &system{dir: t.TempDir(), broker: testkit.Mosquitto(t), influx: testkit.Influx(t)}, mail: notifytest.Start(t)}
	// What both share is the same file; what is each one's own comes by variables,
	// as it does from a unit or a container.
	shared := map[string]any{"url": g.broker.URL}
	store := map[string]any{"url": g.influx.URL, "keep": forEver}
	sender := g.mail.Config()
	g.write(t, "api.yaml", map[string]any{"broker": shared, "influx": store, "database": map[string]any{"dsn": dsn},
		"advisor": map[string]any{"name": "Test", "telephone": "01 00 00 00 00"}, "site": "http://roseraie.example",
		"privacy": map[string]any{"erasure_ledger": g.path("erasures.log")},
		"mail":    map[string]any{"host": sender.Host, "port": sender.Port, "tls": sender.TLS, "ca_file": sender.CAFile, "from": sender.From}})
	g.write(t, "collector.yaml", map[string]any{"broker": shared, "influx": store})
	must(t, "api", "load", "--config", g.path("api.yaml"), g.write(t, "residence.yaml", street()))
	g.db = sqldbtest.Open(t, dsn)
	for i := range 2 {
		g.apis[i] = "http://" + g.own(t, "XNET_API_LISTEN")
		start(t, "api", "run", "--config", g.path("api.yaml"))
		g.collectors[i] = g.own(t, "XNET_COLLECTOR_FIGURES")
		g.startCollector(t, i)
	}
	g.api = g.apis[0]
	for i := range 2 {
		testkit.Eventually(t, time.Minute, func() error {
			return errors.Join(answers(g.apis[i]+"/readyz"), answers("http://"+g.collectors[i]+"/readyz"))
		})
	}
	g.addGateway(t)
	return g
}

// own sets a variable to a free address.
func (g *grown) own(t *testing.T, variable string) string {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(variable, addr)
	return addr
}

// startCollector runs one of the two, also again.
func (g *grown) startCollector(t *testing.T, i int) {
	t.Helper()
	t.Setenv("XNET_COLLECTOR_FIGURES", g.collectors[i])
	t.Setenv("XNET_COLLECTOR_QUARANTINE_DIR", g.path(fmt.Sprintf("collector-%d", i)))
	g.processes[i], _ = spawn(t, "collector", "run", "--config", g.path("collector.yaml"))
}

func meterOf(i int) metering.MeterID { return metering.MeterID(fmt.Sprintf("CW%02d", i)) }

// street is a residence whose households all let their water be read finely. Of
// each two persons the second was never invited.
func street() map[string]any {
	var dwellings []any
	for i := range homes {
		n := fmt.Sprintf("%02d", i)
		dwellings = append(dwellings, map[string]any{"id": "D" + n, "building": "A", "staircase": "1", "label": n, "floor": 0, "rooms": 3, "area_m2": 60,
			"households": []any{map[string]any{"id": "h" + n, "occupants": 2, "language": "fr", "moved_in": "2020-01-01",
				"consents": []any{"daily_follow_up", "fine_curve"},
				"persons":  []any{map[string]any{"id": "p" + n, "name": "Test"}, map[string]any{"id": "q" + n, "name": "Test"}}}},
			"points": []any{map[string]any{"id": "P" + n, "kind": "cold_water", "meters": []any{map[string]any{
				"id": string(meterOf(i)), "gateway": "gw", "interval": "1m", "index_modulus": 0, "max_per_hour": 0,
				"resolution": "fine", "from": "2020-01-01T00:00:00Z"}}}}})
	}
	return map[string]any{"gateways": []any{map[string]any{"id": "gw"}}, "dwellings": dwellings,
		"residence": map[string]any{"id": "street", "name": "street", "zone": "Europe/Paris", "earliest": "2020-01-01T00:00:00Z"}}
}

func (g *grown) addGateway(t *testing.T) {
	t.Helper()
	var imported []any
	for i := range homes {
		imported = append(imported, map[string]any{"id": string(meterOf(i)), "kind": "cold_water", "resolution": "fine"})
	}
	var err error
	if g.figures, err = influxd.FreeAddr(); err != nil {
		t.Fatal(err)
	}
	g.gateway = g.write(t, "gateway.yaml", map[string]any{"site": "street", "gateway": "gw", "zone": "Europe/Paris", "figures": g.figures,
		"broker": map[string]any{"url": g.broker.URL, "resend_after": "2s"}, "clock": map[string]any{"trust": "always"},
		"spool": map[string]any{"dir": g.path("spool"), "max_mb": 64}, "imported": imported})
}

// spool imports the readings of some homes: a litre each minute until now.
func (g *grown) spool(t *testing.T, from, to int) {
	t.Helper()
	begin := time.Now().UTC().Truncate(time.Minute).Add(-minutesOfHome * time.Minute)
	var rows strings.Builder
	rows.WriteString("time,index\n")
	for i := range minutesOfHome {
		fmt.Fprintf(&rows, "%s,%d\n", begin.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), 1_000_000+i*1000)
	}
	file := g.path("readings.csv")
	if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		must(t, "gateway", "--config", g.gateway, "import", "--meter", string(meterOf(i)), "--column=index", "--means=index", "--unit=base", file)
	}
}

// complete demands each minute of some homes, once and right.
func (g *grown) complete(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		found := readings(t, g.system, meterOf(i), time.Now().AddDate(0, 0, -3), time.Now())
		if len(found) != minutesOfHome {
			t.Errorf("%d readings of %s are stored, want %d", len(found), meterOf(i), minutesOfHome)
			continue
		}
		for n, r := range found {
			if r.Amount != metering.Amount(1_000_000+n*1000) || n > 0 && r.At.Sub(found[n-1].At) != time.Minute {
				t.Fatalf("reading %d of %s is %+v", n, meterOf(i), r)
			}
		}
	}
}

// told reads a figure of a collector, 0 where it does not answer.
func (g *grown) told(i int, name string) float64 {
	n, _ := figure(g.collectors[i], name)
	return n
}

func (g *grown) testShare(t *testing.T) {
	g.spool(t, 0, homes/2)
	stop := start(t, "gateway", "--config", g.gateway, "run")
	testkit.Eventually(t, 2*time.Minute, func() error { return zero(g.figures, "xnet_gateway_spool_packs") })
	stop()
	g.complete(t, 0, homes/2)
	first, second := g.told(0, "xnet_collector_stored_readings_total"), g.told(1, "xnet_collector_stored_readings_total")
	if first == 0 || second == 0 {
		t.Errorf("the first collector stored %.0f readings, the second %.0f: they do not share", first, second)
	}
	t.Logf("the first collector stored %.0f readings, the second %.0f", first, second)
}

// testKilled: the second collector has its share of the packs and has stored none of
// them when it is killed.
func (g *grown) testKilled(t *testing.T) {
	g.spool(t, homes/2, homes)
	before := g.told(0, "xnet_collector_stored_readings_total")
	if err := g.processes[1].Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stop := start(t, "gateway", "--config", g.gateway, "run")
	testkit.Eventually(t, time.Minute, func() error {
		if g.told(0, "xnet_collector_stored_readings_total") == before {
			return errors.New("the first collector has stored nothing of its share yet")
		}
		return nil
	})
	left, err := figure(g.figures, "xnet_gateway_spool_packs")
	if err != nil || left == 0 {
		t.Errorf("%.0f packs wait at the gateway, %v: the second collector held nothing", left, err)
	}
	if err := g.processes[1].Kill(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 2*time.Minute, func() error { return zero(g.figures, "xnet_gateway_spool_packs") })
	stop()
	g.complete(t, homes/2, homes)
	t.Logf("killed while %.0f packs waited at the gateway; nothing is missing", left)
}
