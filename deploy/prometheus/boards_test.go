package prometheus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A board is what Grafana reads of one of its files, as far as it matters here.
type board struct {
	UID, Title string
	Editable   bool
	Templating struct {
		List []struct {
			Name       string
			Definition string
			Datasource source
		}
	}
	Panels []panel
}

type source struct{ Type, UID string }

type panel struct {
	ID                 int
	Title, Description string
	Datasource         source
	GridPos            struct{ X, Y, W, H int }
	Targets            []struct {
		Expr       string
		Datasource source
	}
}

func boards(t *testing.T) map[string]board {
	t.Helper()
	files, err := filepath.Glob("../grafana/boards/*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("boards %v, %v: want that of the pipeline and that of the equipment", files, err)
	}
	all := map[string]board{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b board
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = b
	}
	return all
}

// ours is the one source that boards may ask: it is provisioned, and what homes used
// is not in it.
var ours = source{"prometheus", "xnet-prometheus"}

// namesOf are the metrics of a query, without functions, labels and key words.
func namesOf(expr string) []string {
	expr = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]|\b(by|without) *\([^)]*\)`).ReplaceAllString(expr, " ")
	return regexp.MustCompile(`\b(?:xnet_[a-z_]+|up|process_[a-z_]+|go_[a-z_]+|[a-z]+_[a-z_]*(?:total|bytes|seconds|num))\b`).FindAllString(expr, -1)
}

// Metrics that boards may name: of programs, of what moves and stands still, never of
// what was used. A new one is looked at here by a person.
var mayShow = regexp.MustCompile(`^(up|process_(cpu_seconds_total|resident_memory_bytes)|go_memstats_sys_bytes|xnet_disk_(free|size)_bytes|xnet_certificate_end_timestamp_seconds` +
	`|xnet_api_(requests_total|request_seconds_bucket|messages_waiting|erasure_oldest_seconds|influx_retention_days|gateway_(silent|spool_oldest_seconds))` +
	`|xnet_collector_((stored_readings|packs|refused_packs|dropped_by_consent|erased_readings|gateway_gaps|meter_gaps)_total|batch_seconds_bucket|queue_packs|quarantine_bytes` +
	`|rollup_(lag_seconds|pending_meters)|(gateway|meter)_(last_reading_timestamp_seconds|delay_seconds)))$`)

// No board, and no source that is provisioned, asks what holds consumption.
func TestBoardsShowNoConsumption(t *testing.T) {
	for name, b := range boards(t) {
		if b.Editable || b.UID == "" {
			t.Errorf("%s: editable %v, uid %q", name, b.Editable, b.UID)
		}
		for _, v := range b.Templating.List {
			if v.Datasource != ours {
				t.Errorf("%s: variable %s asks %+v", name, v.Name, v.Datasource)
			}
		}
		for _, p := range b.Panels {
			if p.Datasource != ours || p.Description == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %q asks %+v and says %q", name, p.Title, p.Datasource, p.Description)
			}
			for _, target := range p.Targets {
				found := namesOf(target.Expr)
				if target.Datasource != ours || len(found) == 0 {
					t.Errorf("%s: panel %q asks %+v for %s", name, p.Title, target.Datasource, target.Expr)
				}
				for _, metric := range found {
					if !mayShow.MatchString(metric) {
						t.Errorf("%s: panel %q shows %s, which nobody has looked at", name, p.Title, metric)
					}
				}
			}
		}
	}
	var provisioned struct {
		Datasources []struct{ Type, UID string }
	}
	text, err := os.ReadFile("../grafana/provisioning/datasources/xnet.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &provisioned)
	}
	if err != nil || len(provisioned.Datasources) != 1 || source(provisioned.Datasources[0]) != ours {
		t.Errorf("sources %+v, %v, want %+v alone", provisioned.Datasources, err, ours)
	}
}

// Panels stand beside and below each other, not on each other.
func TestBoardsAreWide(t *testing.T) {
	for name, b := range boards(t) {
		taken := map[[2]int]string{}
		for _, p := range b.Panels {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q and %q share a place, or it is too wide", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// watched runs Debian's Prometheus with our configuration on the programs of a
// chain, once a second, and returns its address.
func (c *chain) watched(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		testkit.Unavailable(t, "no Prometheus: install Debian's package prometheus")
	}
	text, err := os.ReadFile("prometheus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{"127.0.0.1:8080", c.api}, {"127.0.0.1:9102", c.collector}, {"127.0.0.1:8086", strings.TrimPrefix(c.influx.URL, "http://")}, {": 30s", ": 1s"}} {
		if !strings.Contains(string(text), change[0]) {
			t.Fatalf("prometheus.yaml does not say %q", change[0])
		}
		text = []byte(strings.ReplaceAll(string(text), change[0], change[1]))
	}
	c.write("prometheus.yaml", string(text))
	rules, err := os.ReadFile("xnet.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.write("xnet.rules.yaml", string(rules))
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--config.file="+c.path("prometheus.yaml"), "--storage.tsdb.path="+c.path("tsdb"), "--web.listen-address="+addr, "--log.level=warn")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := testkit.LogFile(t)
	command.Stdout, command.Stderr = said, said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = command.Process.Kill(), command.Wait() })
	return addr
}

// ask returns how many series answer a query.
func ask(prometheus, query string) (series int, err error) {
	response, err := http.Get("http://" + prometheus + "/api/v1/query?" + url.Values{"query": {query}}.Encode())
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, errors.New(answer.Error)
	}
	return len(answer.Data.Result), nil
}

// testBoards asks a real Prometheus what each panel of each board asks, as Grafana
// writes its variables, after readings came and a pack was refused.
func testBoards(t *testing.T, c *chain) {
	prometheus := c.watched(t)
	testkit.Eventually(t, 60*time.Second, func() error {
		n, err := ask(prometheus, `up == 1`)
		if err == nil && n != 3 {
			err = fmt.Errorf("%d programs answer Prometheus, want the API, the collector and InfluxDB", n)
		}
		return err
	})
	for name, b := range boards(t) {
		for _, v := range b.Templating.List {
			asked, ok := strings.CutPrefix(strings.TrimSuffix(v.Definition, ", "+v.Name+")"), "label_values(")
			if n, err := ask(prometheus, "count by ("+v.Name+") ("+asked+")"); !ok || err != nil || n == 0 {
				t.Errorf("%s: variable %s of %q has %d choices, %v", name, v.Name, v.Definition, n, err)
			}
		}
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				query := strings.NewReplacer("$__rate_interval", "10s", "$site", ".*").Replace(target.Expr)
				testkit.Eventually(t, 60*time.Second, func() error {
					n, err := ask(prometheus, query)
					if err == nil && n == 0 {
						err = errors.New("no series")
					}
					if err != nil {
						err = fmt.Errorf("%s: panel %q asks %s: %w", name, p.Title, query, err)
					}
					return err
				})
			}
		}
	}
}
