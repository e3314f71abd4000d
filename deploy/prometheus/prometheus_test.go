package prometheus_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("xnet.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 8 {
		t.Fatalf("%d alerts, want the eight promised and more", len(all))
	}
	return all
}

// Each alert has its page of one page, and each page its alert.
func TestEachAlertHasItsPage(t *testing.T) {
	pages, err := filepath.Glob("../docs/runbook/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		page := filepath.Join("../docs/runbook", r.Alert+".md")
		if r.Annotations["runbook"] != "deploy/docs/runbook/"+r.Alert+".md" || r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
			t.Errorf("%s: annotations %v, labels %v", r.Alert, r.Annotations, r.Labels)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Errorf("%s has no page: %v", r.Alert, err)
			continue
		}
		for _, part := range []string{"`" + r.Alert + "`", "## Ce que cela veut dire", "## Ce que voient les gens", "## Regarder", "## Faire", "## C’est réglé quand"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s does not say %q", page, part)
			}
		}
		if lines := strings.Count(string(text), "\n"); lines > 50 {
			t.Errorf("%s has %d lines, more than a page", page, lines)
		}
		pages = slices.DeleteFunc(pages, func(p string) bool { return p == page })
	}
	if len(pages) > 0 {
		t.Errorf("pages of no alert: %v", pages)
	}
}

// What rings and what does not is held by promtool, Debian's package prometheus.
func TestRulesRing(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		testkit.Unavailable(t, "no promtool: install Debian's package prometheus")
	}
	for _, args := range [][]string{{"check", "rules", "xnet.rules.yaml"}, {"test", "rules", "xnet.rules.test.yaml"}, {"check", "config", "prometheus.yaml"}} {
		if said, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v: %s", args, err, said)
		}
	}
	// An alert without a test is no alert.
	text, err := os.ReadFile("xnet.rules.test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		if !strings.Contains(string(text), "alertname: "+r.Alert) {
			t.Errorf("%s is not in the test of promtool", r.Alert)
		}
	}
}

var metricName = regexp.MustCompile(`xnet_[a-z_]+`)

func TestWholeChain(t *testing.T) {
	c := newChain(t)
	t.Run("figures", func(t *testing.T) { testFiguresOfTheRules(t, c) })
	t.Run("well", func(t *testing.T) { testWell(t, c) })
	t.Run("ill", func(t *testing.T) { testIll(t, c) })
	t.Run("boards", func(t *testing.T) { testBoards(t, c) })
	t.Run("away", func(t *testing.T) { testAway(t, c) })
}

// Every figure that a rule asks for is told by a running program.
func testFiguresOfTheRules(t *testing.T, c *chain) {
	testkit.Eventually(t, 90*time.Second, func() error {
		api, err1 := metrics(c.api)
		collector, err2 := metrics(c.collector)
		err := errors.Join(err1, err2)
		for _, r := range rules(t) {
			for _, name := range metricName.FindAllString(r.Expr, -1) {
				if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(api + collector) {
					err = errors.Join(err, fmt.Errorf("%s asks for %s, which no program tells", r.Alert, name))
				}
			}
		}
		return err
	})
}

// ill returns the lines of what is wrong. The clock of a test's machine may have
// no time server.
func ill(said string) string {
	var wrong []string
	lines := strings.Split(said, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "WRONG") && !strings.HasPrefix(line, "WRONG  clock:") {
			wrong = append(wrong, line, lines[i+1])
		}
	}
	return strings.Join(wrong, "\n")
}

func testWell(t *testing.T, c *chain) {
	testkit.Eventually(t, 2*time.Minute, func() error {
		said, status := c.doctor()
		if wrong := ill(said); wrong != "" {
			return errors.New(wrong)
		}
		if strings.Contains(said, "WRONG") == (status == 0) {
			return fmt.Errorf("exit status %d of: %s", status, said)
		}
		for _, part := range []string{"configuration", "secrets", "database", "broker for the api", "broker for the collector", "InfluxDB for the api", "InfluxDB for the collector",
			"api", "collector", "quarantine and rollup", "certificates", "disk", "gateways", "spools", "last reading: read on", "letters and e-mails", "erasures"} {
			if !strings.Contains(said, "well   "+part) {
				return fmt.Errorf("nothing is said of %s: %s", part, said)
			}
		}
		return nil
	})
}

// testIll breaks one thing after the other, reads the remedy, and mends it.
func testIll(t *testing.T, c *chain) {
	exec := func(query string) func() { return func() { sqldbtest.Exec(t, c.db, query) } }
	report := func(set string) func() {
		return exec(`UPDATE gateway_report SET ` + set + ` WHERE gateway_id = 'gw-s'`)
	}
	hours := func(n int) int64 { return time.Now().Add(-time.Duration(n) * time.Hour).UnixMilli() }
	well := report(fmt.Sprintf("heard_ms = %d, online = 1, spool_oldest_ms = 0, config_fault = ''", time.Now().UnixMilli()))
	message := func(channel, state string, created, done any) func() {
		return exec(fmt.Sprintf(`INSERT INTO outbox (id, channel, kind, subject, recipient, state, attempts, created_ms, next_ms, done_ms)
			VALUES ('m', '%s', 'code', 's', '', '%s', 1, %v, 99999999999999, %v)`, channel, state, created, done))
	}
	file := func(name, text string) func() { return func() { c.write(name, text) } }
	password := "broker/api.password"
	right, err := os.ReadFile(c.path(password))
	if err != nil {
		t.Fatal(err)
	}
	mode := func(m os.FileMode) func() {
		return func() {
			if err := os.Chmod(c.path(password), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	nothing := func() {}
	for _, tt := range []struct {
		name, env     string
		broken, whole func()
		says, remedy  string
	}{
		{"configuration", "XNET_API_LISTEN=nowhere", nothing, nothing, `configuration: configuration `, "check-config"},
		{"secret that all may read", "", mode(0o644), mode(0o600), "everybody on this machine may read", "chmod o-rwx"},
		{"secret that lacks", "XNET_API_MAIL_PASSWORD_FILE=/none/mail.password", nothing, nothing, "/none/mail.password", "xnet-setup"},
		{"no database", "XNET_API_DATABASE_DSN=" + c.path("none.db"), nothing, nothing, "none.db", "restore-all"},
		{"newer database", "", exec(`INSERT INTO schema_version (version_id, is_applied) VALUES (9999, 1)`), exec(`DELETE FROM schema_version WHERE version_id = 9999`), "newer than this program's", "install the newer package"},
		{"wrong password", "", file(password, "wrong\n"), file(password, string(right)), `broker for the api: tcp://` + c.broker + ` does not let "api" in`, "broker-access"},
		{"no InfluxDB", "XNET_API_INFLUX_URL=http://127.0.0.1:1", nothing, nothing, "InfluxDB for the api", "systemctl restart xnet-influxd"},
		{"no bucket", "XNET_API_INFLUX_PREFIX=other", nothing, nothing, "retention of bucket other_readings", "makes the buckets"},
		{"kept too long", "XNET_API_INFLUX_KEEP_READINGS_DAYS=30", nothing, nothing, "bucket readings keeps its points longer", "--allow-shorter"},
		{"certificate that ends", "", file("ca.pem", certificate(t, time.Now().AddDate(0, 0, 5))), nothing, "ca.pem ends on", "xnet-setup.service"},
		{"certificate that ended", "", file("ca.pem", certificate(t, time.Now().AddDate(0, 0, -1))), file("ca.pem", certificate(t, time.Now().AddDate(1, 0, 0))), "ca.pem ended on", "xnet-setup"},
		{"silent gateway", "", report(fmt.Sprintf("heard_ms = %d", hours(2))), well, "gw-s of S is silent since", "its power and its network"},
		{"old spool", "", report(fmt.Sprintf("spool_oldest_ms = %d", hours(3))), well, "gw-s of S keeps readings", "broker and collector first"},
		{"configuration of a gateway", "", report("config_fault = 'no meter answers'"), well, "no meter answers", "publish them again"},
		{"letters", "", message("letter", "waiting", hours(24*9), "NULL"), exec(`DELETE FROM outbox`), "1 letters wait to be printed, the oldest for 9 days", "ready to print"},
		{"e-mails", "", message("email", "waiting", hours(2), "NULL"), exec(`DELETE FROM outbox`), "1 e-mails wait", "mail server"},
		{"messages that failed", "", message("email", "failed", hours(2), hours(1)), exec(`DELETE FROM outbox`), "1 messages (email) could not be sent", "addresses"},
		{"quarantine", "", func() { c.garbage(t) }, nothing, "bytes of packs were refused", "xnet-collector quarantine list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.broken()
			said, status := c.doctor(tt.env)
			if wrong := ill(said); status != 1 || !strings.Contains(wrong, tt.says) || !strings.Contains(wrong, tt.remedy) {
				t.Errorf("status %d, want 1, %q and %q:\n%s", status, tt.says, tt.remedy, wrong)
			}
			tt.whole()
		})
	}
}

// garbage has the gateway send what is no pack, until the collector has refused
// it.
func (c *chain) garbage(t *testing.T) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + c.broker).SetClientID("garbage").SetUsername(c.user).SetPassword(c.password))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer client.Disconnect(100)
	if token := client.Publish("xnet/v1/R/gw-r/readings", 1, false, "no pack"); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	testkit.Eventually(t, 60*time.Second, func() error {
		text, err := metrics(c.collector)
		if err == nil && !regexp.MustCompile(`(?m)^xnet_collector_quarantine_bytes [1-9]`).MatchString(text) {
			err = errors.New("the quarantine is empty")
		}
		return err
	})
}

// testAway stops the broker and the programs one after the other.
func testAway(t *testing.T, c *chain) {
	wants := func(what string, says ...string) {
		t.Helper()
		said, status := c.doctor()
		for _, want := range says {
			if status != 1 || !strings.Contains(ill(said), want) {
				t.Errorf("%s: status %d, want 1 and %q:\n%s", what, status, want, ill(said))
			}
		}
	}
	c.listen("allow_anonymous true")
	wants("a broker without rules", "lets in whoever comes", "allow_anonymous false")
	c.silence()
	wants("no broker", "broker for the api: tcp://"+c.broker, "broker for the collector", "systemctl restart mosquitto")
	c.stops["collector"]()
	wants("no collector", "collector: nothing answers at "+c.collector, "systemctl start xnet-collector")
	c.stops["api"]()
	wants("no api", "api: nothing answers at "+c.api, "systemctl start xnet-api")
}
