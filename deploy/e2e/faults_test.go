package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

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

// A death is a kill -9 of a program.
type death struct {
	program string
	at      time.Time
}

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
	var deaths []death
	for range 2 {
		for _, name := range []string{"broker", "influxd", "collector", "gw-a", "gw-b"} {
			time.Sleep(3 * time.Second) // several cycles of undisturbed reading between two faults
			deaths = append(deaths, d.kill(t, name))
		}
	}
	time.Sleep(4 * pollInterval)
	compare(t, d, deaths, d.settle(t))
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
	testkit.Eventually(t, 3*time.Minute, func() error {
		if !strings.Contains(d.said(), "  ready") {
			return errors.New("the demo is not ready")
		}
		return nil
	})
	return d
}

var (
	codePattern = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)
	lastReading = regexp.MustCompile(`\d\d:\d\d:\d\d`)
)

// checkPage signs in as the first tenant whom the demo introduces, and demands a
// month of bars and a last reading that moves within a minute.
func checkPage(t *testing.T, d *demoRun) {
	t.Helper()
	v := enter(t, "http://"+d.setting(t, "api.yaml", "listen"), codePattern.FindString(d.said()))
	page := v.page(t)
	if bars := strings.Count(page, "<rect"); bars < 3*28 {
		t.Errorf("the page draws %d bars, want a month of three kinds", bars)
	}
	first := lastReading.FindString(page)
	if first == "" {
		t.Fatalf("the page does not say when the meters were read last:\n%s", page)
	}
	testkit.Eventually(t, time.Minute, func() error {
		if now := lastReading.FindString(v.page(t)); now == first {
			return fmt.Errorf("the last reading stays at %s", now)
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
func (d *demoRun) kill(t *testing.T, name string) death {
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
	return death{program: name, at: at}
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

// A shown is an index that a meter showed, and when.
type shown struct{ received, answered time.Time }

type key struct {
	meter metering.MeterID
	index metering.Amount
}

// compare holds what is stored against what was served before until.
func compare(t *testing.T, d *demoRun, deaths []death, until time.Time) {
	t.Helper()
	log, fine := d.served(t)
	stored, doubles := d.stored(t, fine, log, until)
	wrong := 0
	for k, at := range stored {
		s := log[k]
		// The gateway's request lasts from before the meter has it whole to the
		// answer's arrival, at most a timeout later.
		if at.Before(s.received.Add(-time.Millisecond)) || at.After(s.received.Add(busTimeout)) {
			wrong++
			t.Errorf("%s %d is stored at %s, it was read from %s to %s", k.meter, k.index, at, s.received, s.answered)
		}
	}
	cut, missing, counted := 0, 0, 0
	for k, s := range log {
		if s.received.After(until) {
			continue
		}
		counted++
		if _, ok := stored[k]; ok {
			continue
		}
		if diedAfter(deaths, k.meter, s.received, fine) {
			cut++
			continue
		}
		if missing++; missing <= 10 {
			t.Errorf("%s %d, read at %s, is missing", k.meter, k.index, s.received)
		}
	}
	t.Logf("killed %d, served %d, stored %d, cut off before their fsync %d, missing %d, wrong %d, double %d",
		len(deaths), counted, len(stored), cut, missing, wrong, doubles)
	if len(stored) < 1000 || missing+wrong+doubles > 0 {
		t.Error("the sets differ")
	}
}

// served reads the simulator's log: the indexes of the meters that are read
// finely, by meter and index, and which gateway reads each.
func (d *demoRun) served(t *testing.T) (map[key]shown, map[metering.MeterID]metering.GatewayID) {
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
	log := map[key]shown{}
	for _, e := range entries {
		if _, ok := fine[e.Meter]; !ok || e.Quantity != metering.Index {
			continue
		}
		k := key{e.Meter, e.Index}
		if _, twice := log[k]; twice {
			t.Fatalf("%s showed %d twice: the simulator is at fault", e.Meter, e.Index)
		}
		log[k] = shown{e.Received, e.Answered}
	}
	return log, fine
}

// stored asks InfluxDB for every reading since the first one served, up to a
// timeout after until, and counts the indexes that stand at two instants.
func (d *demoRun) stored(t *testing.T, fine map[metering.MeterID]metering.GatewayID, log map[key]shown, until time.Time) (map[key]time.Time, int) {
	t.Helper()
	first := until
	var meters []metering.MeterID
	for id := range fine {
		meters = append(meters, id)
	}
	for _, s := range log {
		if s.received.Before(first) {
			first = s.received
		}
	}
	config := influx.DefaultConfig()
	config.URL = d.setting(t, "collector.yaml", "influx", "url")
	c, err := influx.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all, err := c.Readings(t.Context(), meters, metering.Index, first, until.Add(busTimeout))
	if err != nil {
		t.Fatal(err)
	}
	stored, doubles := map[key]time.Time{}, 0
	for id, rs := range all {
		for _, r := range rs {
			k := key{id, r.Amount}
			if _, ok := log[k]; !ok {
				t.Errorf("%s %d is stored at %s and was never served", id, r.Amount, r.At)
			}
			if at, twice := stored[k]; twice {
				doubles++
				t.Errorf("%s %d is stored twice, at %s and %s", id, r.Amount, at, r.At)
			}
			stored[k] = r.At
		}
	}
	return stored, doubles
}

// diedAfter reports whether the meter's gateway was killed within the cycle in
// which the index was served: it had not yet fsynced it.
func diedAfter(deaths []death, meter metering.MeterID, received time.Time, gateway map[metering.MeterID]metering.GatewayID) bool {
	for _, d := range deaths {
		if d.program == string(gateway[meter]) && !received.After(d.at) && d.at.Sub(received) < pollInterval {
			return true
		}
	}
	return false
}
