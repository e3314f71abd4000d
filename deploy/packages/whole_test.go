//go:build packages

package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// pages is where the server's pages are by default.
const pages = "http://127.0.0.1:8080"

// servers are the units of a server.
var servers = []string{"mosquitto.service", "xnet-influxd.service", "xnet-collector.service", "xnet-api.service", "xnet-broker-reload.path", "xnet-setup.timer"}

// residence is what the landlord knows; the meters were hung up an hour ago, and
// their dials showed 123.4 m³ and 77 m³ then.
const residence = `residence: {id: here, name: La Roseraie, zone: Europe/Paris, earliest: "2020-01-01T00:00:00Z"}
gateways: [{id: gw-here}]
dwellings:
  - {id: A1, building: A, staircase: "1", label: "1", floor: 0, rooms: 3, area_m2: 60,
     households: [{id: h-1, occupants: 1, language: fr, moved_in: 2020-01-01, consents: [daily_follow_up, fine_curve], persons: [{id: p-1, name: Anne Martin}]}],
     points: [{id: A1.CW, kind: cold_water, meters: [{id: CW-1, gateway: gw-here, interval: 10s, index_modulus: 0, max_per_hour: 3000000, resolution: fine, from: "%[1]s", first_index: 123400000}]}]}
  - {id: A2, building: A, staircase: "1", label: "2", floor: 0, rooms: 2, area_m2: 40,
     households: [{id: h-2, occupants: 1, language: fr, moved_in: 2020-01-01, consents: [daily_follow_up, fine_curve], persons: [{id: p-2, name: Bea Petit}]}],
     points: [{id: A2.CW, kind: cold_water, meters: [{id: CW-2, gateway: gw-here, interval: 10s, index_modulus: 0, max_per_hour: 3000000, resolution: fine, from: "%[1]s", first_index: 77000000}]}]}
`

// A counter counts the pulses of two meters of water; its channels show litres.
type counter struct{ first, second atomic.Uint32 }

// begun is a counter that shows what its dials did a moment ago.
func begun() *counter {
	c := &counter{}
	c.first.Store(123_456)
	c.second.Store(77_010)
	return c
}

// Read implements [slave.Source].
func (c *counter) Read(_, _ byte, address, quantity uint16) ([]uint16, error) {
	first, second := c.first.Load(), c.second.Load()
	registers := []uint16{uint16(first >> 16), uint16(first), uint16(second >> 16), uint16(second), 0, 0, 0, 0}
	if int(address)+int(quantity) > len(registers) {
		return nil, slave.IllegalAddress
	}
	return registers[address : address+quantity], nil
}

// TestFromCleanDebianToTheTenantsPage installs the packages on a machine that has
// nothing, sets it up with one command, enrols a gateway by the file on its boot
// partition, and looks at the tenant's page; then it breaks, removes and purges.
func TestFromCleanDebianToTheTenantsPage(t *testing.T) {
	files := packed(t, "1.0.0")
	m := boot(t)
	since := time.Now()
	m.install(files["xnet-influxd"], files["xnet-server"], files["xnet-gateway"])
	for _, unit := range []string{"xnet-api.service", "xnet-collector.service", "xnet-gateway.service"} {
		if m.active(unit) == nil {
			t.Errorf("%s runs before it is set up", unit)
		}
	}
	code := setUp(t, m)
	t.Logf("installed and set up after %s", time.Since(since).Round(time.Second))
	setUpAgain(t, m)
	lookAround(t, m)
	h := moveIn(t, m, code)
	t.Logf("from clean Debian to the first reading on the page: %s", time.Since(since).Round(time.Second))
	replaced(t, m, h)
	watched(t, m)
	resting(t, m)
	renewed(t, m, h)
	removed(t, m, files, h)
}

// A home is what is set up on a machine: people who signed in, and their meters.
type home struct {
	dial          *counter
	code          string // of the tenant's letter
	admin, tenant *visitor
}

// moveIn loads the residence, enrols the gateway, and waits for the first reading
// on the tenant's page.
func moveIn(t *testing.T, m *machine, code string) home {
	t.Helper()
	m.file("/var/tmp/residence.yaml", fmt.Sprintf(residence, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
	m.must("runuser", "-u", "xnet", "--", "xnet-api", "load", "--config", "/etc/xnet/api.yaml", "/var/tmp/residence.yaml")
	h := home{dial: begun(), admin: visit(t, m, code)}
	enrolGateway(t, m, h)
	h.code = signInCode(t, m.must("runuser", "-u", "xnet", "--", "xnet-api", "invite", "--config", "/etc/xnet/api.yaml", "p-1"))
	h.tenant = visit(t, m, h.code)
	h.shown(t, m)
	return h
}

// shown waits until the tenant's page shows what the dial does.
func (h home) shown(t *testing.T, m *machine) {
	t.Helper()
	testkit.Eventually(t, 2*time.Minute, func() error { return h.tenant.sees(m, h.dial.first.Load()) })
}

// setUp runs the one command and returns the administrator's code.
func setUp(t *testing.T, m *machine) string {
	t.Helper()
	said := m.must("xnet-setup", "--site", pages, "--broker", "127.0.0.1", "--advisor-name", "Nadia Le Goff", "--advisor-telephone", "02 41 00 00 00",
		"--administrator", "Ada Test", "--sender", "La Roseraie, service des locataires", "--sender", "1 place des Rosiers")
	code := regexp.MustCompile(`with the code (\S+)`).FindStringSubmatch(said)
	if code == nil {
		t.Fatalf("xnet-setup shows no code:\n%s", said)
	}
	if err := m.active(servers...); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return code[1]
}

// setUpAgain: nothing lacks, so nothing changes; what lacks is made again.
func setUpAgain(t *testing.T, m *machine) {
	t.Helper()
	before := m.must("sh", "-c", "find /etc/xnet /var/lib/xnet/broker -type f -exec sha256sum {} + | sort")
	if said := m.must("xnet-setup", "--quiet"); said != "" {
		t.Errorf("a second time it says:\n%s", said)
	}
	if after := m.must("sh", "-c", "find /etc/xnet /var/lib/xnet/broker -type f -exec sha256sum {} + | sort"); after != before {
		t.Errorf("a second time it changes files:\n%s\n%s", before, after)
	}
	m.must("rm", "/var/lib/xnet/broker/server.pem", "/etc/xnet/influx-api.token")
	said := m.must("xnet-setup", "--quiet")
	if n := strings.Count(said, "made"); n != 3 || !strings.Contains(said, "server.pem") || !strings.Contains(said, "xnet-api") {
		t.Errorf("what was removed is made again:\n%s", said)
	}
	m.must("systemctl", "restart", "xnet-api.service")
	if said, err := m.try("xnet-setup", "--site", "nowhere"); err == nil || !strings.Contains(said, "site") {
		t.Errorf("a site that is none: %v\n%s", err, said)
	}
}

// lookAround: secrets are for those who need them, and the units are confined.
func lookAround(t *testing.T, m *machine) {
	t.Helper()
	if open := m.must("find", "/etc/xnet", "/var/lib/xnet", "-type", "f", "-perm", "/o+r", "-not", "-name", "*.pem", "-not", "-name", "*.pub"); open != "" {
		t.Errorf("everybody may read:\n%s", open)
	}
	for _, secret := range []string{"/etc/xnet/influx-admin.token", "/etc/xnet/authority/ca.key"} {
		if _, err := m.try("runuser", "-u", "xnet", "--", "cat", secret); err == nil {
			t.Errorf("the programs may read %s", secret)
		}
	}
	if said, err := m.try("runuser", "-u", "nobody", "--", "cat", "/var/lib/xnet/broker/passwords"); err == nil {
		t.Errorf("everybody may read who may connect: %s", said)
	}
	const exposed = 3.0 // of 10, by systemd's own count
	number := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)
	for _, unit := range []string{"xnet-api.service", "xnet-collector.service", "xnet-influxd.service", "xnet-gateway.service", "xnet-gateway-enrol.service"} {
		said, _ := m.try("systemd-analyze", "security", "--no-pager", unit)
		found := number.FindStringSubmatch(said)
		if found == nil {
			t.Errorf("%s: systemd-analyze says\n%s", unit, said)
			continue
		}
		level, err := strconv.ParseFloat(found[1], 64)
		if err != nil || level >= exposed {
			t.Errorf("%s is exposed by %s, want less than %g", unit, found[1], exposed)
		}
		t.Logf("%s: exposure %s of 10", unit, found[1])
	}
}

// enrolGateway describes the gateway's line as an installer does, and leaves the
// file with the code on its boot partition.
func enrolGateway(t *testing.T, m *machine, h home) {
	t.Helper()
	serve(t, m, h.dial)
	version, _ := h.admin.ask(http.MethodGet, "/gateways/gw-here", nil, "", nil)
	if _, status := h.admin.ask(http.MethodPut, "/gateways/gw-here", map[string]any{"name": "Cave", "buses": []any{map[string]any{"name": "cave", "url": "tcp://127.0.0.1:1502"}}}, version, nil); status != http.StatusOK {
		t.Fatalf("describe the gateway: %d", status)
	}
	for channel, meter := range []string{"CW-1", "CW-2"} {
		version, _ = h.admin.ask(http.MethodGet, "/meters/"+meter, nil, "", nil)
		if _, status := h.admin.ask(http.MethodPut, "/meters/"+meter, map[string]any{"gateway": "gw-here", "serial": meter, "interval_s": 10, "profile": "pulse-counter-4",
			"bus": "cave", "slave": 7, "channel": channel + 1, "pulse": 1000, "max_per_hour": 3_000_000}, version, nil); status != http.StatusOK {
			t.Fatalf("describe meter %s: %d", meter, status)
		}
	}
	var draft struct{ Digest string }
	h.admin.ask(http.MethodGet, "/gateways/gw-here/configuration", nil, "", &draft)
	if _, status := h.admin.ask(http.MethodPut, "/gateways/gw-here/configuration", map[string]string{"digest": draft.Digest}, "", nil); status != http.StatusCreated {
		t.Fatalf("publish the configuration: %d", status)
	}
	believeClock(m)
	enrolByFile(t, m, h)
}

// enrolByFile leaves the file with a code on the boot partition, and has the board
// start as it does with that.
func enrolByFile(t *testing.T, m *machine, h home) {
	t.Helper()
	var offer struct{ Code string }
	if _, status := h.admin.ask(http.MethodPost, "/gateways/gw-here/enrolment", nil, "", &offer); status != http.StatusCreated {
		t.Fatalf("ask for a code: %d", status)
	}
	m.file("/boot/firmware/xnet-enrol.yaml", "api: "+pages+"\ncode: "+offer.Code+"\n")
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "start", "xnet-gateway-enrol.service")
	testkit.Eventually(t, time.Minute, func() error { return m.active("xnet-gateway.service") })
	if m.has("/boot/firmware/xnet-enrol.yaml") || m.has("/var/lib/xnet-gateway/xnet-enrol.yaml") {
		t.Error("the file with the code is still there")
	}
	if written := m.must("find", "/var/lib/xnet-gateway", "-not", "-user", "xnet-gateway"); written != "" {
		t.Errorf("not the gateway's own:\n%s", written)
	}
}

// replaced: a new board needs a code and nothing else; its configuration comes by
// itself.
func replaced(t *testing.T, m *machine, h home) {
	t.Helper()
	since := time.Now()
	m.must("systemctl", "stop", "xnet-gateway.service")
	m.must("find", "/var/lib/xnet-gateway", "-mindepth", "1", "-delete") // the old one's card is gone with it
	h.dial.first.Store(123_500)
	enrolByFile(t, m, h)
	h.shown(t, m)
	t.Logf("from a new board to its first reading on the page: %s", time.Since(since).Round(time.Second))
}

// serve hangs the counter on the machine's line.
func serve(t *testing.T, m *machine, dial *counter) {
	t.Helper()
	slavetest.Serve(t, slave.New(dial, slave.Options{}), m.listen("127.0.0.1:1502"))
}

// believeClock: nobody sets this machine's clock by the network.
func believeClock(m *machine) {
	m.file("/etc/systemd/system/xnet-gateway.service.d/clock.conf", "[Service]\nEnvironment=XNET_GATEWAY_CLOCK_TRUST=always\n")
}

// watched: a program that hangs is started again.
func watched(t *testing.T, m *machine) {
	t.Helper()
	for _, unit := range []string{"xnet-gateway.service", "xnet-collector.service", "xnet-api.service"} {
		m.file("/etc/systemd/system/"+unit+".d/soon.conf", "[Service]\nWatchdogSec=10\n")
	}
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "restart", "xnet-gateway.service", "xnet-collector.service", "xnet-api.service")
	before := m.property("xnet-collector.service", "MainPID")
	m.must("sh", "-c", "kill -STOP "+before)
	testkit.Eventually(t, 2*time.Minute, func() error {
		if now := m.property("xnet-collector.service", "MainPID"); now == before || now == "0" {
			said, _ := m.try("systemctl", "status", "--no-pager", "--full", "xnet-collector.service")
			return errors.New("the collector hangs, and nobody starts it again: " + said)
		}
		return m.active("xnet-collector.service")
	})
	for _, unit := range []string{"xnet-gateway.service", "xnet-api.service"} {
		if n := m.property(unit, "NRestarts"); n != "0" {
			t.Errorf("%s works, and was started again %s times", unit, n)
		}
	}
}

// resting says how much memory the programs hold.
func resting(t *testing.T, m *machine) {
	t.Helper()
	for _, unit := range []string{"xnet-api.service", "xnet-collector.service", "xnet-influxd.service", "xnet-gateway.service", "mosquitto.service"} {
		status := m.must("cat", "/proc/"+m.property(unit, "MainPID")+"/status")
		if found := regexp.MustCompile(`VmRSS:\s*(\d+) kB`).FindStringSubmatch(status); found != nil {
			kB, _ := strconv.Atoi(found[1])
			t.Logf("%s: %d MB resident", unit, kB*1024/1_000_000)
		}
	}
}

// removed: what was removed leaves its data, what was purged leaves nothing.
func removed(t *testing.T, m *machine, files map[string]string, h home) {
	t.Helper()
	m.must("dpkg", "--remove", "xnet-server", "xnet-influxd", "xnet-gateway")
	kept := []string{"/var/lib/xnet/api/api.db", "/etc/xnet/api.yaml", "/var/lib/xnet-influxdb/data", "/var/lib/xnet-gateway/gateway.yaml"}
	for _, path := range kept {
		if !m.has(path) {
			t.Errorf("%s went with the package", path)
		}
	}
	if m.has("/usr/bin/xnet-api") || m.active("xnet-api.service") == nil {
		t.Error("the program is still there")
	}
	m.install(files["xnet-influxd"], files["xnet-server"], files["xnet-gateway"])
	m.must("xnet-setup", "--quiet")
	testkit.Eventually(t, 2*time.Minute, func() error {
		return errors.Join(m.active(append(servers, "xnet-gateway.service")...), h.tenant.sees(m, h.dial.first.Load()))
	})
	m.must("dpkg", "--purge", "xnet-server", "xnet-influxd", "xnet-gateway")
	for _, path := range append(kept, "/var/lib/xnet", "/etc/xnet", "/etc/xnet-influxdb", "/var/lib/xnet-influxdb", "/var/lib/xnet-gateway", "/etc/mosquitto/conf.d/xnet.conf") {
		if m.has(path) {
			left, _ := os.ReadDir(m.root + path)
			t.Errorf("%s was left behind: %v", path, left)
		}
	}
	if err := m.active("mosquitto.service"); err != nil {
		t.Errorf("without our configuration: %v", err)
	}
}
