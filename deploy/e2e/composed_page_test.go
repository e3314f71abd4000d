package e2e_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

var metered = regexp.MustCompile(`Dernière relève il y a`)

// oneReading loads a home, enrols its gateway through Caddy and the broker's TLS, and
// waits for its reading on the page.
func (c *composed) oneReading(code string) {
	c.t.Helper()
	t := c.t
	list := c.path("residence.yaml")
	s := &system{dir: c.dir, api: "https://localhost:" + c.port("443")}
	s.write(t, "residence.yaml", home("here", "Europe/Paris", map[string]string{"CW": "cold_water"}))
	c.must(os.Chmod(list, 0o644))
	printed := c.api("load", "--config="+c.path("etc/xnet/api.yaml"), list)
	_, invited, ok := strings.Cut(strings.TrimSpace(c.api("invite", "--config="+c.path("etc/xnet/api.yaml"), "p-here")), " ")
	if !ok {
		t.Fatalf("load and invite print %q, %q", printed, invited)
	}
	root := c.path("data/caddy/pki/authorities/local/root.crt")
	testkit.Eventually(t, time.Minute, func() error { _, err := os.Stat(root); return err })
	admin, tenant := c.visitor(s.api, root, code), c.visitor(s.api, root, invited)

	status, text := admin.status(t, http.MethodPost, s.api+"/api/v1/gateways/gw-here/enrolment", "")
	var offer struct{ Code string }
	if err := json.Unmarshal([]byte(text), &offer); err != nil || status != http.StatusCreated {
		t.Fatalf("enrolment: %d %s", status, text)
	}
	gateway := func(args ...string) *exec.Cmd {
		command := c.command(program(t, "gateway"), append([]string{"--config", c.path("board/gateway.yaml")}, args...)...)
		command.Env = append(command.Env, "SSL_CERT_FILE="+root, "XNET_GATEWAY_CLOCK_TRUST=always")
		return command
	}
	if said, err := gateway("enrol", "--api", s.api, "--code", offer.Code, "--spool-dir", c.path("spool")).CombinedOutput(); err != nil {
		t.Fatalf("enrol: %v: %s", err, said)
	}
	file, err := os.OpenFile(c.path("board/gateway.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	c.must(err)
	_, err = io.WriteString(file, "imported: [{id: CW, kind: cold_water, resolution: fine}]\n")
	c.must(errors.Join(err, file.Close()))
	rows := c.path("readings.csv")
	c.must(os.WriteFile(rows, fmt.Appendf(nil, "time,index\n%s,5000000\n", time.Now().UTC().Add(-2*time.Minute).Format(time.RFC3339)), 0o600))
	if said, err := gateway("import", "--meter=CW", "--column=index", "--means=index", "--unit=base", rows).CombinedOutput(); err != nil {
		t.Fatalf("import: %v: %s", err, said)
	}
	c.spawn(gateway("run"))
	testkit.Eventually(t, 90*time.Second, func() error {
		status, page := tenant.status(t, http.MethodGet, s.api+"/", "")
		if status != http.StatusOK || !metered.MatchString(page) {
			return fmt.Errorf("the page has no reading: %d", status)
		}
		return nil
	})
	if status, _ := tenant.status(t, http.MethodGet, s.api+"/metrics", ""); status != http.StatusNotFound {
		t.Errorf("figures are shown outside: %d", status)
	}
}

// api runs a command of the API as its service would.
func (c *composed) api(args ...string) string {
	c.t.Helper()
	command := c.of("api", program(c.t, "api"))
	command.Args = append(command.Args[:1], args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	said, err := command.Output()
	if err != nil {
		c.t.Fatalf("api %s: %v: %s", args[0], err, stderr.String())
	}
	return string(said)
}

// visitor signs in through Caddy, which vouches for itself.
func (c *composed) visitor(base, root, code string) *visitor {
	c.t.Helper()
	text, err := os.ReadFile(root)
	c.must(err)
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(text)
	jar, err := cookiejar.New(nil)
	c.must(err)
	v := &visitor{api: base, client: &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}}
	testkit.Eventually(c.t, time.Minute, func() error {
		response, err := v.client.Get(base + "/connexion")
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	body, err := json.Marshal(map[string]string{"code": code})
	c.must(err)
	if status, said := v.status(c.t, http.MethodPost, base+"/api/v1/session", string(body)); status != http.StatusNoContent {
		c.t.Fatalf("sign in: %d %s", status, said)
	}
	return v
}

// watched demands that Prometheus reads all that its configuration names.
func (c *composed) watched() {
	c.t.Helper()
	testkit.Eventually(c.t, 90*time.Second, func() error {
		response, err := http.Get("http://" + c.addr["localhost:9090"] + "/api/v1/query?query=count(up==1)")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && !strings.Contains(string(text), `"3"`) {
			err = fmt.Errorf("not all three answer Prometheus: %s", text)
		}
		return err
	})
}
