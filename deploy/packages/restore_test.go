//go:build packages

package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// Where the administrator's guide puts a back-up, and a copy of the ledger of
// erasures.
const (
	backups = "/var/backups/xnet"
	kept    = backups + "/2026-03-18"
	ledger  = backups + "/api.db.erasures"
)

// restored moves from a machine to an empty one, as the administrator's guide has
// it: the pages are the same, what was erased after the back-up stays erased, and
// the gateway reads on.
func restored(t *testing.T, from *machine, files map[string]string, h home) {
	t.Helper()
	drained(t, from)
	from.must("systemctl", "stop", "xnet-gateway.service")
	before := h.album(t)
	from.must("install", "-d", "-m", "0700", "-o", "xnet", "-g", "xnet", backups)
	from.must("runuser", "-u", "xnet", "--", "xnet-api", "backup-all", "--config", "/etc/xnet/api.yaml", kept)
	erased(t, from, h)
	from.must("cp", "--archive", "/var/lib/xnet/api/api.db.erasures", ledger) // as it is copied away each day

	m := boot(t)
	m.install(files["xnet-influxd"], files["xnet-server"], files["xnet-gateway"])
	for _, path := range []string{"/etc/xnet", backups, "/var/lib/xnet-gateway"} {
		m.take(from, path)
	}
	m.must("xnet-setup", "--quiet")
	m.must("systemctl", "stop", "xnet-api.service")
	m.must("runuser", "-u", "xnet", "--", "xnet-api", "restore-all", "--config", "/etc/xnet/api.yaml", "--replace", "--ledger", ledger, kept)
	m.must("systemctl", "start", "xnet-api.service")
	moved := home{dial: h.dial, code: h.code}
	testkit.Eventually(t, 2*time.Minute, func() error { return m.active(servers...) })
	testkit.Eventually(t, 2*time.Minute, func() error { return answers(m) })
	moved.tenant = visit(t, m, h.code)
	if diff := cmp.Diff(before, moved.album(t)); diff != "" {
		t.Errorf("pages of the restored machine (-want +got):\n%s", diff)
	}
	if is, want := pointsOf(t, m, "CW-2"), pointsOf(t, from, "CW-2"); !maps.Equal(is, want) {
		t.Errorf("of the household that was erased there is %v, want %v", is, want)
	}
	readOn(t, m, moved)
	consulted(t, m)
}

// answers returns nil where the pages are served.
func answers(m *machine) error {
	response, err := m.client().Get(pages + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", response.Status)
	}
	return nil
}

// passing is what a page says otherwise each time: the tokens of its forms, which
// are of one session, and how long ago something was.
var passing = regexp.MustCompile(`value="[^"]{20,}"|il y a [0-9]+ \pL+`)

// album is what the tenant sees, page by page.
func (h home) album(t *testing.T) map[string]string {
	t.Helper()
	shown := map[string]string{}
	for _, path := range []string{"/", "/verifier", "/mes-donnees"} {
		page, status, err := h.tenant.page(path)
		if err != nil || status != http.StatusOK {
			t.Fatalf("%s: status %d, %v", path, status, err)
		}
		shown[path] = passing.ReplaceAllString(page, "…")
	}
	return shown
}

// erased has the other household erased on its request, and waits until it is.
func erased(t *testing.T, m *machine, h home) {
	t.Helper()
	before := pointsOf(t, m, "CW-2")
	if before["readings"] < 3 {
		t.Errorf("there is little to erase: %v", before)
	}
	if _, status := h.admin.ask(http.MethodPost, "/households/h-2/erasures", map[string]string{"reason": "demande par lettre"}, "", nil); status != http.StatusAccepted {
		t.Fatalf("erase: status %d", status)
	}
	testkit.Eventually(t, 3*time.Minute, func() error {
		if now := pointsOf(t, m, "CW-2"); now["readings"] > 1 || now["hourly"] > 0 {
			return fmt.Errorf("there are still %v", now)
		}
		return nil
	})
}

// readOn: the gateway finds the restored server as it left the other one.
func readOn(t *testing.T, m *machine, h home) {
	t.Helper()
	h.dial.first.Store(124_100)
	serve(t, m, h.dial)
	believeClock(m)
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "start", "xnet-gateway.service")
	h.shown(t, m)
}
