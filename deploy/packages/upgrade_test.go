//go:build packages

package main_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

// TestUpgradeLosesNothing goes from the release before to this one, with the power
// failing in between; then from that machine to an empty one, by a back-up.
func TestUpgradeLosesNothing(t *testing.T) {
	old, next := previous(t), packed(t, "1.0.0")
	m := boot(t)
	m.install(old["xnet-influxd"], old["xnet-server"], old["xnet-gateway"])
	h := moveIn(t, m, setUp(t, m))
	upgraded(t, m, next, h)
	restored(t, m, next, h)
}

// upgraded: the next version takes over what is there.
func upgraded(t *testing.T, m *machine, files map[string]string, h home) {
	t.Helper()
	testkit.Eventually(t, 2*time.Minute, func() error {
		if n := pointsOf(t, m, "CW-1")["readings"]; n < 4 {
			return fmt.Errorf("only %d readings are stored", n)
		}
		return nil
	})
	drained(t, m)
	before, running := holdingsOf(t, m), m.property("xnet-api.service", "MainPID")
	interrupted(t, m, files)
	m.install(files["xnet-influxd"], files["xnet-server"], files["xnet-gateway"])
	if version := m.must("dpkg-query", "--show", "--showformat=${Version}", "xnet-server"); version != "1.0.0" {
		t.Errorf("version %s after the upgrade", version)
	}
	h.dial.first.Store(124_000) // so that the page shows what was read since
	testkit.Eventually(t, 2*time.Minute, func() error {
		if m.property("xnet-api.service", "MainPID") == running {
			return errors.New("the old program still runs")
		}
		return m.active(append(servers, "xnet-gateway.service")...)
	})
	h.shown(t, m)
	holdingsOf(t, m).atLeast(t, before)
	if said := m.must("xnet-setup", "--quiet"); said != "" {
		t.Errorf("after the upgrade the set-up lacks something:\n%s", said)
	}
	consulted(t, m)
}

// interrupted has the power fail while packages are unpacked, three times.
func interrupted(t *testing.T, m *machine, files map[string]string) {
	t.Helper()
	names, failed := m.carry(files["xnet-influxd"], files["xnet-server"], files["xnet-gateway"]), 0
	for _, seconds := range []string{"0.5", "1.5", "3"} {
		if _, err := m.try(append([]string{"timeout", "--signal=KILL", seconds, "dpkg", "--install"}, names...)...); err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("the upgrade was faster than its interruption")
	}
	said, err := m.try("dpkg", "--configure", "-a")
	t.Logf("the upgrade was interrupted %d times; dpkg --configure -a: %v %s", failed, err, said)
}

// consulted: the doctor finds everything well, but for the clock, which nobody sets
// by the network here, and the disk, which is this computer's.
func consulted(t *testing.T, m *machine) {
	t.Helper()
	testkit.Eventually(t, 2*time.Minute, func() error {
		said, _ := m.try("xnet-api", "doctor", "--config", "/etc/xnet/api.yaml", "--collector", "/etc/xnet/collector.yaml")
		if !strings.Contains(said, "well   database: ") {
			return errors.New(said)
		}
		for line := range strings.Lines(said) {
			if strings.HasPrefix(line, "WRONG") && !strings.Contains(line, " clock:") && !strings.Contains(line, " disk:") {
				return errors.New(said)
			}
		}
		return nil
	})
}

// drained waits until all that was read is stored and summed up.
func drained(t *testing.T, m *machine) {
	t.Helper()
	figures := map[string]string{"127.0.0.1:9101": "\nxnet_gateway_spool_packs 0\n", "127.0.0.1:9102": "\nxnet_collector_rollup_pending_meters 0\n"}
	client := m.client()
	for address, want := range figures {
		testkit.Eventually(t, 2*time.Minute, func() error {
			response, err := client.Get("http://" + address + "/metrics")
			if err != nil {
				return err
			}
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			if err == nil && !strings.Contains(string(text), want) {
				err = fmt.Errorf("%s does not say %q", address, want)
			}
			return err
		})
	}
}

// Holdings are how much a machine holds: rows by table, points by bucket and meter.
type holdings map[string]int

func holdingsOf(t *testing.T, m *machine) holdings {
	t.Helper()
	h := holdings{}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(m.root, "/var/lib/xnet/api/api.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range tables(t, db) {
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM "`+table+`"`).Scan(&n); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		h["table "+table] = n
	}
	for _, meter := range []string{"CW-1", "CW-2"} {
		for bucket, n := range pointsOf(t, m, meter) {
			h["points of "+meter+" in "+bucket] = n
		}
	}
	return h
}

func tables(t *testing.T, db *sql.DB) (names []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) < 50 {
		t.Fatalf("%d tables, %v", len(names), err)
	}
	return names
}

// pointsOf counts the points of a meter in each bucket of InfluxDB.
func pointsOf(t *testing.T, m *machine, meter string) map[string]int {
	t.Helper()
	name, password, _ := strings.Cut(strings.TrimSpace(m.must("cat", "/etc/xnet/influx-admin.token")), ":")
	counts := map[string]int{}
	for bucket, measurement := range map[string]string{"readings": "reading", "hourly": "consumption", "daily": "consumption", "monthly": "consumption"} {
		query := url.Values{"db": {"xnet_" + bucket}, "q": {fmt.Sprintf(`SELECT COUNT("index") FROM %q WHERE meter = '%s'`, measurement, meter)}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8086/query?"+query.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(name, password)
		response, err := m.client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Results []struct {
				Error  string
				Series []struct{ Values [][]any }
			}
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		if err = errors.Join(err, response.Body.Close()); err != nil || len(answer.Results) != 1 || answer.Results[0].Error != "" {
			t.Fatalf("points of %s in %s: %v, %+v", meter, bucket, err, answer)
		}
		counts[bucket] = 0
		for _, s := range answer.Results[0].Series {
			n, _ := s.Values[0][1].(float64)
			counts[bucket] = int(n)
		}
	}
	return counts
}

// atLeast holds that nothing of what was there is gone.
func (h holdings) atLeast(t *testing.T, before holdings) {
	t.Helper()
	for what, n := range before {
		if h[what] < n {
			t.Errorf("%s: %d, were %d", what, h[what], n)
		}
	}
	if before["points of CW-1 in readings"] < 4 || before["table household"] != 2 || before["table gateway_access"] != 1 {
		t.Errorf("there was too little to lose: %v", before)
	}
}
