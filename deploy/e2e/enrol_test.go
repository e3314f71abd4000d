package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// newEnrolling is a system of one home that enrols gateways and signs what they are
// to do, and its administrator.
func newEnrolling(t *testing.T, meters map[string]string) (*system, *visitor) {
	t.Helper()
	s := newSystem(t, home("here", "Europe/Paris", meters))
	s.stopAPI()
	must(t, "api", "sign-key", s.path("sign.key"))
	if err := os.Mkdir(s.path("access"), 0o750); err != nil {
		t.Fatal(err)
	}
	s.write(t, "api.yaml", map[string]any{"listen": strings.TrimPrefix(s.api, "http://"), "influx": map[string]any{"url": s.influx.URL, "keep": forEver},
		"broker":           map[string]any{"url": s.broker.URL, "gateways_url": s.broker.URL, "access_dir": s.path("access")},
		"database":         map[string]any{"dsn": s.path("api.sqlite")},
		"advisor":          map[string]any{"name": "Test", "telephone": "01 00 00 00 00"},
		"signing_key_file": s.path("sign.key")})
	s.startAPI(t)
	_, code, _ := strings.Cut(strings.TrimSpace(must(t, "api", "admin", "--config", s.path("api.yaml"), "--name", "Ada Test")), " ")
	return s, enter(t, s.api, code)
}

// TestGatewayIsEnrolledWithACode: an administrator asks for a code, the board
// fetches its access with it, and is heard of as that gateway.
func TestGatewayIsEnrolledWithACode(t *testing.T) {
	s, admin := newEnrolling(t, map[string]string{"CW": "cold_water"})
	response, err := admin.client.Post(s.api+"/api/v1/gateways/gw-here/enrolment", "application/json", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var offer struct{ Code string }
	if err := json.NewDecoder(response.Body).Decode(&offer); err != nil || response.StatusCode != http.StatusCreated || offer.Code == "" {
		t.Fatalf("%s: %v", response.Status, err)
	}

	config := filepath.Join(s.dir, "board", "gateway.yaml")
	spool := s.path("board-spool")
	enrol := func(code string, more ...string) (string, error) {
		_, said, err := once(t, "gateway", append([]string{"--config", config, "enrol", "--api", s.api, "--code", code, "--spool-dir", spool}, more...)...)
		return said, err
	}
	if said, err := enrol("AAAA-AAAA-AAAA-AAAA"); err == nil || !strings.Contains(said, "--api") && !strings.Contains(said, "code") {
		t.Errorf("a wrong code: %v\n%s", err, said)
	}
	if _, err := os.Stat(config); err == nil {
		t.Error("a refused enrolment wrote a configuration")
	}
	if said, err := enrol(offer.Code); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if said, err := enrol(offer.Code); err == nil || !strings.Contains(said, "--replace") {
		t.Errorf("a second time: %v\n%s", err, said)
	}
	if said, err := enrol(offer.Code, "--replace"); err == nil || !strings.Contains(said, "422") {
		t.Errorf("with a code that was used: %v\n%s", err, said)
	}
	must(t, "gateway", "--config", config, "check-config")
	start(t, "gateway", "--config", config, "run")
	testkit.Eventually(t, 30*time.Second, func() error { return admin.hears(s.api, "gw-here") })
}

var errNotHeard = errors.New("the API has not heard of the gateway")

// hears returns nil where the API has heard of a gateway.
func (v *visitor) hears(api, gateway string) error {
	response, err := v.client.Get(api + "/api/v1/equipment/gateways")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var list struct {
		Items []struct {
			Gateway string `json:"id"`
			Online  bool   `json:"online"`
		} `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return err
	}
	for _, g := range list.Items {
		if g.Gateway == gateway && g.Online {
			return nil
		}
	}
	return errNotHeard
}
