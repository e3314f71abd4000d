package e2e_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestGatewayIsReplacedByItsPage: who follows the pages step by step registers a
// gateway, hangs it up with the file that the page gives, and replaces it by another
// board with nothing but a new file. The page says when the first reading has come.
func TestGatewayIsReplacedByItsPage(t *testing.T) {
	figures, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XNET_GATEWAY_CLOCK_TRUST", "always")
	t.Setenv("XNET_GATEWAY_FIGURES", figures)
	s, admin := newEnrolling(t, map[string]string{"EL": "electricity"})
	const page = "/equipements/passerelles/gw-new"

	line := slavetest.TCP(t, risingCounter(), slave.Options{})
	registered := admin.press(t, "/equipements/nouvelle-passerelle", "/equipements/nouvelle-passerelle",
		"identifiant", "gw-new", "residence", "here", "nom", "Cave B", "prise", line, "vitesse", "9600", "parite", "none")
	admin.reads(t, registered, "La passerelle est enregistrée.", page+"/pose")
	meter := `{"gateway":"gw-new","serial":"1","interval_s":1,"profile":"iem3155","bus":"cable","slave":1}`
	if status, said := admin.status(t, http.MethodPut, s.api+"/api/v1/meters/EL", meter, "If-Match", `"1"`); status != http.StatusOK {
		t.Fatalf("the meter on its cable: %d %s", status, said)
	}
	admin.reads(t, admin.press(t, page, page+"/configuration"), "La configuration est publiée.")

	first := admin.hangUp(t, s, page+"/pose", "first")
	stop := start(t, "gateway", "--config", first, "run")
	admin.waits(t, page+"/pose", "La première relève est arrivée.", "Compteurs relevés par elle : 1 sur 1")
	stop() // its power is off
	second := admin.hangUp(t, s, page+"/remplacement", "second")
	admin.waits(t, page+"/remplacement", "La passerelle neuve n’a pas encore parlé.")
	since := time.Now()
	start(t, "gateway", "--config", second, "run")
	admin.waits(t, page+"/remplacement", "La première relève est arrivée.", "Compteurs relevés par elle : 1 sur 1")
	t.Logf("from the power to the first reading of the new board: %s", time.Since(since).Round(100*time.Millisecond))
}

// hangUp takes the file with a code that a page gives, has a board enrolled by it as
// at its first boot, and returns the board's configuration.
func (v *visitor) hangUp(t *testing.T, s *system, page, board string) (config string) {
	t.Helper()
	shown := v.press(t, page, page)
	found := regexp.MustCompile(`href="data:application/yaml;base64,([^"]*)" download="xnet-enrol.yaml"`).FindStringSubmatch(shown)
	if found == nil {
		t.Fatalf("%s gives no file:\n%s", page, shown)
	}
	text, err := base64.StdEncoding.DecodeString(html.UnescapeString(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	v.waits(t, page, "Le code n’a pas encore servi.")
	slip, config := s.path("xnet-enrol.yaml"), filepath.Join(s.dir, board, "gateway.yaml")
	if err := os.WriteFile(slip, text, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "gateway", "--config", config, "enrol", "--from", slip, "--spool-dir", s.path(board+"-spool"))
	if _, err := os.Stat(slip); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file with the code is still there: %v", err)
	}
	return config
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)"`)

// press sends the form of a page that leads to action, with what somebody typed, and
// returns the page that follows.
func (v *visitor) press(t *testing.T, page, action string, typed ...string) string {
	t.Helper()
	text := v.opens(t, page)
	form := regexp.MustCompile(`(?s)<form [^>]*action="` + regexp.QuoteMeta(action) + `">(.*?)</form>`).FindStringSubmatch(text)
	if form == nil {
		t.Fatalf("%s has no form to %s:\n%s", page, action, text)
	}
	fields := url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(form[1], -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	for i := 0; i+1 < len(typed); i += 2 {
		fields.Set(typed[i], typed[i+1])
	}
	return v.answered(t, action)(v.client.PostForm(v.api+action, fields))
}

func (v *visitor) opens(t *testing.T, page string) string {
	t.Helper()
	return v.answered(t, page)(v.client.Get(v.api + page))
}

// answered returns the text of a page with plain spaces.
func (v *visitor) answered(t *testing.T, page string) func(*http.Response, error) string {
	t.Helper()
	return func(response *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v:\n%s", page, response.Status, err, text)
		}
		return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(string(text))
	}
}

func (v *visitor) reads(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Fatalf("the page does not say %q:\n%s", w, page)
		}
	}
}

// waits looks at a page until it says all of the words.
func (v *visitor) waits(t *testing.T, page string, words ...string) {
	t.Helper()
	testkit.Eventually(t, 2*time.Minute, func() error {
		text := v.opens(t, page)
		for _, w := range words {
			if !strings.Contains(text, w) {
				_, arrival, _ := strings.Cut(text, `id="arrivee"`)
				return fmt.Errorf("%s does not say %q: %.1500s", page, w, arrival)
			}
		}
		return nil
	})
}
