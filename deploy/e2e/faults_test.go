package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

const (
	pollInterval = 2 * time.Second
	busTimeout   = time.Second
)

// TestKilledProgramsLoseNothing runs the demo, whose meters show another index
// at every read, kills its programs one after the other, and demands that every
// index that a gateway had written to disk is stored once, at the instant it was
// read.
func TestKilledProgramsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	d := startDemo(t)
	checkPage(t, d)
	var kills []ledger.Kill
	for range 2 {
		for _, name := range []string{"broker", "influxd", "collector", "gw-a", "gw-b"} {
			time.Sleep(3 * time.Second) // several cycles of undisturbed reading between two faults
			kills = append(kills, d.kill(t, name))
		}
	}
	time.Sleep(4 * pollInterval)
	compare(t, d, kills, d.settle(t))
}

// A demoRun is a running demo.
type demoRun struct {
	dir    string
	output *bytes.Buffer
	mu     *sync.Mutex
}

func (d *demoRun) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.output.String()
}

// startDemo runs the demo with a day of history until the test ends.
func startDemo(t *testing.T) *demoRun {
	t.Helper()
	tools, err := testkit.Tools()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Influx(t).Kill() // builds it where it is missing
	d := &demoRun{dir: t.TempDir(), output: &bytes.Buffer{}, mu: &sync.Mutex{}}
	if err := os.MkdirAll(filepath.Join(d.dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(tools, "influxd-1.8.10"), filepath.Join(d.dir, "bin", "influxd-1.8.10")); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program(t, "demo"), "--dir", d.dir, "--port", "0", "--months", "1",
		"--interval", pollInterval.String(), "--resend", "5s", "--unique")
	command.Dir = "../.."
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	command.Stdout = io.Writer(lockedWriter{d})
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the demo said:\n%s", d.said())
		}
	})
	testkit.Eventually(t, 6*time.Minute, func() error {
		if !strings.Contains(d.said(), "  ready") {
			return errors.New("the demo is not ready")
		}
		return nil
	})
	return d
}

var (
	codePattern = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)
	lastReading = regexp.MustCompile(`relève il y a [^(<]*\(([^)]*)\)`) // the time of day, to the minute
)

// checkPage signs in as the first tenant whom the demo introduces, and demands a
// month of bars and a last reading that moves within two minutes.
func checkPage(t *testing.T, d *demoRun) {
	t.Helper()
	v := enter(t, "http://"+d.setting(t, "api.yaml", "listen"), codePattern.FindString(d.said()))
	page := v.page(t)
	if bars := strings.Count(page, "<rect"); bars < 3*28 {
		t.Errorf("the page draws %d bars, want a month of three kinds", bars)
	}
	var first string
	testkit.Eventually(t, 2*time.Minute, func() error {
		said := lastReading.FindStringSubmatch(v.page(t))
		switch {
		case said == nil: // at this very moment, perhaps
			return errors.New("the page does not say when the meters were read last")
		case first == "":
			first = said[1]
		}
		if said[1] == first {
			return fmt.Errorf("the last reading stays at %s", first)
		}
		return nil
	})
}

// page returns the visitor's first page.
func (v *visitor) page(t *testing.T) string {
	t.Helper()
	response, err := v.client.Get(v.api + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("first page: %s, %v", response.Status, err)
	}
	return string(text)
}

type lockedWriter struct{ d *demoRun }

func (w lockedWriter) Write(b []byte) (int, error) {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	return w.d.output.Write(b)
}

// kill ends a program at once and waits until the demo has started it again.
func (d *demoRun) kill(t *testing.T, name string) ledger.Kill {
	t.Helper()
	pid := d.pid(t, name)
	at := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %s: %v", name, err)
	}
	testkit.Eventually(t, 30*time.Second, func() error {
		if d.pid(t, name) == pid {
			return fmt.Errorf("%s was not started again", name)
		}
		return nil
	})
	return ledger.Kill{Gateway: metering.GatewayID(name), From: at, Gone: at}
}

func (d *demoRun) pid(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "pid", name))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil { // it is being written
		return 0
	}
	return pid
}

// gateways that read in the demo: gw-d is silent by its story only after a year.
var gateways = []string{"gw-a", "gw-b", "gw-c", "gw-d"}

// settle returns an instant before which everything that was read is stored by
// now, and everything that was served is in the simulator's log.
func (d *demoRun) settle(t *testing.T) time.Time {
	t.Helper()
	until := time.Now()
	time.Sleep(2*pollInterval + busTimeout) // the cycle that is on its way, and the log's flush
	for _, g := range gateways {
		addr := d.setting(t, g+".yaml", "figures")
		testkit.Eventually(t, time.Minute, func() error { return zero(addr, "xnet_gateway_spool_packs") })
	}
	return until
}

// setting reads one text of a configuration that the demo wrote.
func (d *demoRun) setting(t *testing.T, file string, keys ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "etc", file))
	if err != nil {
		t.Fatal(err)
	}
	var content any
	if err := yaml.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		content = content.(map[string]any)[key]
	}
	return content.(string)
}

// compare holds what is stored against what was served before until.
func compare(t *testing.T, d *demoRun, kills []ledger.Kill, until time.Time) {
	t.Helper()
	shown := d.shown(t, kills, until)
	v := shown.Compare(d.stored(t, shown, until))
	for _, fault := range v.Faults {
		t.Error(fault)
	}
	t.Logf("killed %d, served %d, stored %d, cut off before their fsync %d, missing %d, wrong %d, double %d",
		len(kills), v.Compared+v.Cut, v.Kept, v.Cut, v.Missing, v.Wrong, v.Double)
	if v.Kept < 1000 || !v.Sound() {
		t.Error("the sets differ")
	}
}

// shown reads the simulator's log, for the meters that are read finely.
func (d *demoRun) shown(t *testing.T, kills []ledger.Kill, until time.Time) ledger.Shown {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Seed  uint64
		Epoch civil.Date
	}
	if err := yaml.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	fine := map[metering.MeterID]metering.GatewayID{}
	for _, m := range household.New(state.Seed, state.Epoch).Meters() {
		if m.Resolution == metering.Fine && m.Kind != metering.Temperature {
			fine[m.ID] = m.Gateway
		}
	}
	entries, err := served.Read(filepath.Join(d.dir, "served.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Shown{Served: entries, Gateways: fine, Kills: kills, Cycle: pollInterval, Timeout: busTimeout, Until: until}
}

// stored asks InfluxDB for every index since the first one served, up to a
// timeout after until.
func (d *demoRun) stored(t *testing.T, shown ledger.Shown, until time.Time) (stored []metering.Reading) {
	t.Helper()
	first := until
	for _, e := range shown.Served {
		if e.Received.Before(first) {
			first = e.Received
		}
	}
	config := influx.DefaultConfig()
	config.URL = d.setting(t, "collector.yaml", "influx", "url")
	c, err := influx.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	meters := slices.Collect(maps.Keys(shown.Gateways))
	all, err := c.Readings(t.Context(), meters, metering.Index, first, until.Add(busTimeout))
	if err != nil {
		t.Fatal(err)
	}
	for _, rs := range all {
		stored = append(stored, rs...)
	}
	return stored
}
