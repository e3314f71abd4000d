package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// build compiles all programs once for all tests.
var build = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "xnet-e2e-"); err != nil {
		return "", err
	}
	command := exec.Command("go", "build", "-o", dir+"/", "./gateway", "./collector", "./api", "./deploy/simulator", "./deploy/demo")
	command.Dir = "../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := testkit.Watch(command.Dir); err != nil {
		return dir, err
	}
	output, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build: %w\n%s", err, output)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := build(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// program returns the path of a program.
func program(t *testing.T, name string) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// once runs a program to its end and returns what it printed.
func once(t *testing.T, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	command := exec.CommandContext(t.Context(), program(t, name), args...)
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}

// must runs a program that has to succeed.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	stdout, stderr, err := once(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// start runs a program until the test ends, or stop is called.
func start(t *testing.T, name string, args ...string) (stop func()) {
	t.Helper()
	_, stop = spawn(t, name, args...)
	return stop
}

// spawn is [start] for whoever does more to a process than to stop it.
func spawn(t *testing.T, name string, args ...string) (process *os.Process, stop func()) {
	t.Helper()
	log := testkit.LogFile(t)
	command := exec.Command(program(t, name), args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		log.Close()
		text, _ := os.ReadFile(log.Name())
		for line := range strings.Lines(string(text)) {
			if told := testkit.Untold(line); told != "" {
				t.Errorf("%s logs %q: %s", name, told, line)
			}
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, text)
		}
	})
	t.Cleanup(stop)
	return command.Process, stop
}

// A system is a broker, InfluxDB, a collector and an API with a residence.
type system struct {
	dir       string
	broker    *testkit.MosquittoServer
	influx    *testkit.InfluxServer
	api       string // base URL
	collector string // figures

	stopCollector, stopAPI func()
}

// newSystem starts a system that keeps readings for ever and knows the
// residences of the given lists.
func newSystem(t *testing.T, lists ...map[string]any) *system {
	t.Helper()
	s := &system{dir: t.TempDir(), broker: testkit.Mosquitto(t), influx: testkit.Influx(t)}
	api, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	if s.collector, err = influxd.FreeAddr(); err != nil {
		t.Fatal(err)
	}
	s.api = "http://" + api
	broker := map[string]any{"url": s.broker.URL}
	influx := map[string]any{"url": s.influx.URL, "keep": forEver}
	s.write(t, "api.yaml", map[string]any{"listen": api, "broker": broker, "influx": influx,
		"database": map[string]any{"dsn": filepath.Join(s.dir, "api.sqlite")},
		"advisor":  map[string]any{"name": "Test", "telephone": "01 00 00 00 00"}})
	s.write(t, "collector.yaml", map[string]any{"broker": broker, "influx": influx, "figures": s.collector,
		"quarantine": map[string]any{"dir": filepath.Join(s.dir, "quarantine")}})
	for i, list := range lists {
		name := fmt.Sprintf("residence-%d.yaml", i)
		must(t, "api", "load", "--config", s.path("api.yaml"), s.write(t, name, list))
	}
	s.stopCollector = start(t, "collector", "run", "--config", s.path("collector.yaml"))
	s.startAPI(t)
	return s
}

// startAPI runs the API, also again after stopAPI, and returns when it is ready.
func (s *system) startAPI(t *testing.T) {
	t.Helper()
	s.stopAPI = start(t, "api", "run", "--config", s.path("api.yaml"))
	testkit.Eventually(t, 30*time.Second, func() error { return answers(s.api + "/readyz") })
}

func (s *system) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a configuration and returns its path.
func (s *system) write(t *testing.T, name string, content any) string {
	t.Helper()
	text, err := yaml.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

func answers(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

// figure reads a metric without labels.
func figure(addr, name string) (n float64, err error) {
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		return 0, err
	}
	for line := range strings.Lines(text.String()) {
		if number, ok := strings.CutPrefix(line, name+" "); ok {
			_, err := fmt.Sscan(number, &n)
			return n, err
		}
	}
	return 0, fmt.Errorf("%s does not tell %s", addr, name)
}

// A visitor is a signed-in tenant.
type visitor struct {
	client *http.Client
	api    string
}

// signIn invites a person and signs in with the code of the letter.
func (s *system) signIn(t *testing.T, person string) *visitor {
	t.Helper()
	printed := must(t, "api", "invite", "--config", s.path("api.yaml"), person)
	_, code, ok := strings.Cut(strings.TrimSpace(printed), " ")
	if !ok {
		t.Fatalf("invite printed %q, want the person and the code", printed)
	}
	return enter(t, s.api, code)
}

func enter(t *testing.T, api, code string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{client: &http.Client{Jar: jar}, api: api}
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		t.Fatal(err)
	}
	response, err := v.client.Post(api+"/api/v1/session", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("sign in: %s", response.Status)
	}
	return v
}

// A day is what the API says of one.
type day struct {
	Date     string  `json:"date"`
	Kind     string  `json:"kind"`
	EnergyWh int64   `json:"energy_wh"`
	VolumeML int64   `json:"volume_ml"`
	Quality  string  `json:"quality"`
	Coverage float64 `json:"coverage"`
}

// used is the day's consumption in the unit of its kind.
func (d day) used() int64 { return d.EnergyWh + d.VolumeML }

// daily asks for the days of a kind, by date.
func (v *visitor) daily(t *testing.T, kind, from, to string) map[string]day {
	t.Helper()
	response, err := v.client.Get(fmt.Sprintf("%s/api/v1/consumption/daily?from=%s&to=%s&kind=%s", v.api, from, to, kind))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Days []day }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("days of %s: %s, %v", kind, response.Status, err)
	}
	days := map[string]day{}
	for _, d := range answer.Days {
		days[d.Date] = d
	}
	return days
}
