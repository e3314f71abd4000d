package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	var deaths []death
	for range 2 {
		for _, name := range []string{"broker", "influxd", "collector", "gw-a", "gw-b"} {
			time.Sleep(3 * time.Second) // several cycles of undisturbed reading between two faults
			deaths = append(deaths, d.kill(t, name))
		}
	}
	time.Sleep(4 * pollInterval)
	d.quiesce(t)
	compare(t, d, deaths)
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

// quiesce stops the simulated meters and waits until everything that was read is
// stored.
func (d *demoRun) quiesce(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(d.pid(t, "simulator"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(pollInterval + busTimeout) // the cycle that was on its way
	for _, g := range gateways {
		addr := d.setting(t, g+".yaml", "figures")
		testkit.Eventually(t, time.Minute, func() error { return zero(addr, "xnet_gateway_spool_packs") })
	}
	if err := syscall.Kill(d.pid(t, "simulator"), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
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

// compare holds what is stored against what was served.
func compare(t *testing.T, d *demoRun, deaths []death) {
	t.Helper()
	until := time.Now()
	log, fine := d.served(t, until)
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
	cut, missing := 0, 0
	for k, s := range log {
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
		len(deaths), len(log), len(stored), cut, missing, wrong, doubles)
	if len(stored) < 1000 || missing+wrong+doubles > 0 {
		t.Error("the sets differ")
	}
}

// served reads the simulator's log: the indexes of the meters that are read
// finely, by meter and index, and which gateway reads each.
func (d *demoRun) served(t *testing.T, until time.Time) (map[key]shown, map[metering.MeterID]metering.GatewayID) {
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
		if _, ok := fine[e.Meter]; !ok || e.Quantity != metering.Index || e.Received.After(until) {
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

// stored asks InfluxDB for every reading since the first one served, and counts
// the indexes that stand at two instants.
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
	all, err := c.Readings(t.Context(), meters, metering.Index, first, until)
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
