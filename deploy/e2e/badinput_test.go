package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// trace is what a person must never be shown: the insides of a program.
var trace = regexp.MustCompile(`goroutine \d+|panic:|runtime error|\.go:\d+`)

// startBadly runs a program that must refuse to start: exit status 1, within a
// while, with a short message that says all of wants, and no trace.
func startBadly(t *testing.T, args []string, wants ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var said bytes.Buffer
	command := exec.CommandContext(ctx, program(t, args[0]), args[1:]...)
	command.Dir, command.Stdout, command.Stderr = "../..", &said, &said
	err := command.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	if !ended || exit.ExitCode() != 1 {
		t.Errorf("%v ended with %v, want exit status 1", args, err)
	}
	for _, want := range wants {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%v does not say %q:\n%s", args, want, said.String())
		}
	}
	if bad := trace.FindString(said.String()); bad != "" || strings.Count(said.String(), "\n") > 12 {
		t.Errorf("%v says %q among %d lines:\n%s", args, bad, strings.Count(said.String(), "\n"), said.String())
	}
}

// A desk is a folder with a sound configuration of each program, of which a test
// spoils one thing.
type desk struct {
	system
	addr string // that the program would listen on
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return &desk{system{dir: t.TempDir()}, addr}
}

// config writes a program's configuration; changed replaces keys of it.
func (d *desk) config(t *testing.T, name string, changed map[string]any) string {
	t.Helper()
	nobody := map[string]any{"url": "tcp://127.0.0.1:1"}
	content := map[string]map[string]any{
		"gateway": {"site": "s", "gateway": "gw-s", "broker": nobody, "figures": d.addr, "clock": map[string]any{"trust": "always"},
			"spool": map[string]any{"dir": d.path("spool")}},
		"collector": {"broker": nobody, "influx": map[string]any{"url": "http://127.0.0.1:1"}, "figures": d.addr,
			"quarantine": map[string]any{"dir": d.path("quarantine")}},
		"api": {"broker": nobody, "influx": map[string]any{"url": "http://127.0.0.1:1"}, "listen": d.addr,
			"database": map[string]any{"dsn": d.path("api.sqlite")}, "advisor": map[string]any{"name": "A", "telephone": "1"}},
	}[name]
	for key, setting := range changed {
		content[key] = setting
	}
	return d.write(t, name+".yaml", content)
}

// file writes a file of some text and returns its path.
func (d *desk) file(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return d.path(name)
}

// busy returns an address that somebody listens on.
func busy(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func TestWrongConfigurationIsNamedWithItsRemedy(t *testing.T) {
	for _, name := range []string{"gateway", "collector", "api"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			absent := d.path("absent.yaml")
			startBadly(t, []string{name, "run", "--config", absent}, name+": configuration", absent, "--config")
			startBadly(t, []string{name, "run", "--config", d.dir}, d.dir, "is a directory")
			unknown := d.config(t, name, map[string]any{"brocker": 1})
			startBadly(t, []string{name, "run", "--config", unknown}, unknown, `unknown field "brocker"`)
			startBadly(t, []string{name, "run", "--config", d.file(t, "text.yaml", "\xff\x00: [")}, "text.yaml")
			wrong := d.config(t, name, map[string]any{"broker": map[string]any{"url": "over there"}})
			startBadly(t, []string{name, "check-config", "--config", wrong}, wrong, `broker.url "over there"`, "tcp")
			secret := d.config(t, name, map[string]any{"broker": map[string]any{"url": "tcp://127.0.0.1:1", "password_file": d.path("secret")}})
			startBadly(t, []string{name, "run", "--config", secret}, d.path("secret"), "no such file")
			startBadly(t, []string{name, "fly"}, "fly", name+" --help")
			startBadly(t, []string{name}, `"run"`, name+" --help")
		})
	}
}

func TestPortInUseIsNamedWithItsRemedy(t *testing.T) {
	for name, key := range map[string]string{"gateway": "figures", "collector": "figures", "api": "listen"} {
		d, addr := newDesk(t), busy(t)
		config := d.config(t, name, map[string]any{key: addr})
		startBadly(t, []string{name, "run", "--config", config}, "listen on "+addr, "stop what uses the port")
	}
	addr := busy(t)
	startBadly(t, []string{"simulator", "run", "--epoch", "2026-01-01", "--tcp", "gw-a=" + addr}, addr, "stop what uses the port")
	startBadly(t, []string{"demo", "--dir", t.TempDir(), "--port", "99999"}, "--port 99999", "1 to 65535")
}

func TestPlaceThatCannotBeWrittenIsNamed(t *testing.T) {
	d := newDesk(t)
	file := d.file(t, "file", "no database")
	for _, tt := range []struct {
		program, key string
		setting      any
		wants        []string
	}{
		{"gateway", "spool", map[string]any{"dir": file}, []string{"spool", file}},
		{"gateway", "spool", map[string]any{"dir": filepath.Join(file, "below")}, []string{"spool", file}},
		{"collector", "quarantine", map[string]any{"dir": file}, []string{file, "quarantine.dir"}},
		{"api", "database", map[string]any{"dsn": file}, []string{"SQLite database " + file, "not a database", "right one"}},
		{"api", "database", map[string]any{"dsn": filepath.Join(file, "below")}, []string{"SQLite database " + file, "can be written"}},
		{"api", "database", map[string]any{"dsn": "postgres://someone:secret-word@127.0.0.1:1/db?sslmode=disable"}, []string{"PostgreSQL", "127.0.0.1:1", "does it run"}},
	} {
		config := d.config(t, tt.program, map[string]any{tt.key: tt.setting})
		startBadly(t, []string{tt.program, "run", "--config", config}, append(tt.wants, tt.program+": ")...)
	}
	startBadly(t, []string{"demo", "--dir", file}, file, "--dir")
	startBadly(t, []string{"api", "load", "--config", d.config(t, "api", nil), file}, file, "nothing was stored")
	startBadly(t, []string{"api", "load", "--config", d.config(t, "api", nil), d.path("nothing")}, d.path("nothing"))
	startBadly(t, []string{"api", "invite", "--config", d.config(t, "api", nil), "nobody"}, `"nobody"`, "load")
}

// fullDisk returns a folder on a disk of 64 kB of its own.
func fullDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v: run as root, outside a container", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes what room is left.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "fill")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill %s: %v, want no space left", dir, err)
	}
	return path
}

func TestFullDiskIsNamed(t *testing.T) {
	dir, d := fullDisk(t), newDesk(t)
	fill(t, dir)
	spool := d.config(t, "gateway", map[string]any{"spool": map[string]any{"dir": filepath.Join(dir, "spool")}})
	startBadly(t, []string{"gateway", "run", "--config", spool}, dir, "no space left")
	store := d.config(t, "api", map[string]any{"database": map[string]any{"dsn": filepath.Join(dir, "api.sqlite")}})
	startBadly(t, []string{"api", "run", "--config", store}, dir, "room on the disk")
	startBadly(t, []string{"demo", "--dir", dir}, dir, "make room", "--dir")
}

// logged is a CSV file of n indexes, one every ten minutes up to now.
func logged(d *desk, t *testing.T, n int) string {
	text := "time,index_wh\n"
	at := time.Now().UTC().Truncate(10 * time.Minute).Add(-time.Duration(n) * 10 * time.Minute)
	for i := range n {
		text += fmt.Sprintf("%s,%d\n", at.Add(time.Duration(i)*10*time.Minute).Format(time.RFC3339), 1000*i)
	}
	return d.file(t, "log.csv", text)
}

// forEver keeps what the tests import of any year.
var forEver = map[string]any{"readings_days": 0, "hourly_days": 0, "daily_days": 0}

// tells asks for a page and demands that it says all of wants, and no trace.
func tells(url string, wants ...string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	for _, want := range wants {
		if !strings.Contains(string(text), want) || trace.Match(text) {
			return fmt.Errorf("%s: %s: %q, want %q", url, response.Status, text, want)
		}
	}
	return nil
}

// TestServersThatAreAwayAtStartLoseNothing starts every program before the
// broker and InfluxDB: each says what it waits for, and goes on by itself.
func TestServersThatAreAwayAtStartLoseNothing(t *testing.T) {
	const indexes = 500
	broker, store := testkit.Mosquitto(t), testkit.Influx(t)
	broker.Kill()
	store.Kill()
	d := newDesk(t)
	at := map[string]string{}
	config := map[string]string{}
	for name, listen := range map[string]string{"gateway": "figures", "collector": "figures", "api": "listen"} {
		addr, err := influxd.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		at[name] = addr
		changed := map[string]any{listen: addr, "broker": map[string]any{"url": broker.URL}}
		if name == "gateway" {
			changed["broker"] = map[string]any{"url": broker.URL, "resend_after": "1s"}
			changed["imported"] = []any{map[string]any{"id": "EL", "kind": "electricity", "resolution": "fine"}}
		} else {
			changed["influx"] = map[string]any{"url": store.URL, "keep": forEver}
		}
		config[name] = d.config(t, name, changed)
	}
	must(t, "gateway", "--config", config["gateway"], "import", "--meter", "EL", "--column", "index_wh", "--unit", "Wh",
		"--means", "index", logged(d, t, indexes))
	residence := d.write(t, "residence.yaml", home("s", "Europe/Paris", map[string]string{"EL": "electricity"}))
	must(t, "api", "load", "--config", config["api"], residence)
	for name, path := range config {
		start(t, name, "run", "--config", path)
	}
	began := time.Now()
	says := func(name, path string, want ...string) {
		t.Helper()
		defer func() { t.Logf("%2.0f s: %s%s says %q", time.Since(began).Seconds(), name, path, want) }()
		testkit.Eventually(t, 30*time.Second, func() error { return tells("http://"+at[name]+path, want...) })
	}
	says("gateway", "/healthz", "ok")
	says("gateway", "/readyz", "broker")
	says("collector", "/readyz", "broker")
	says("api", "/readyz", "broker", "influxdb")
	says("api", "/connexion", "<form")
	broker.Start()
	says("gateway", "/readyz", "ready")
	says("api", "/readyz", "influxdb")
	if waiting, err := figure(at["gateway"], "xnet_gateway_spool_packs"); err != nil || waiting == 0 {
		t.Fatalf("%v packs wait, %v: they went before there was a store", waiting, err)
	}
	store.Start()
	says("api", "/readyz", "ready")
	testkit.Eventually(t, 2*time.Minute, func() error { return zero(at["gateway"], "xnet_gateway_spool_packs") })
	if got := countReadings(t, &system{influx: store}, "EL"); got != indexes {
		t.Errorf("%d readings are stored, want %d", got, indexes)
	}
}

// TestCollectorWithoutRoomKeepsPacksUnanswered: what the collector cannot write
// down stays in the gateway's spool until there is room again.
func TestCollectorWithoutRoomKeepsPacksUnanswered(t *testing.T) {
	const indexes = 300
	dir := fullDisk(t)
	s := newSystem(t, home("full", "Europe/Paris", map[string]string{"EL": "electricity"}))
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s.stopCollector()
	d := &desk{system: *s, addr: addr}
	filler := fill(t, dir)
	collector := d.config(t, "collector", map[string]any{"broker": map[string]any{"url": s.broker.URL},
		"influx": map[string]any{"url": s.influx.URL, "keep": forEver}, "quarantine": map[string]any{"dir": dir}})
	start(t, "collector", "run", "--config", collector)
	figures, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	gateway := d.config(t, "gateway", map[string]any{"site": "full", "gateway": "gw-full", "figures": figures,
		"broker":   map[string]any{"url": s.broker.URL, "resend_after": "1s"},
		"imported": []any{map[string]any{"id": "EL", "kind": "electricity", "resolution": "fine"}}})
	must(t, "gateway", "--config", gateway, "import", "--meter", "EL", "--column", "index_wh", "--unit", "Wh",
		"--means", "index", logged(d, t, indexes))
	start(t, "gateway", "--config", gateway, "run")
	testkit.Eventually(t, 30*time.Second, func() error {
		if n := countReadings(t, s, "EL"); n != indexes {
			return fmt.Errorf("%d readings are stored", n) // they may be, as long as nobody says so
		}
		return nil
	})
	if waiting, err := figure(figures, "xnet_gateway_spool_packs"); err != nil || waiting == 0 {
		t.Fatalf("%v packs wait, %v: they were answered without a mark on disk", waiting, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 3*time.Minute, func() error { return zero(figures, "xnet_gateway_spool_packs") })
	testkit.Eventually(t, time.Minute, func() error { return zero(addr, "xnet_collector_rollup_pending_meters") })
	if got := countReadings(t, s, metering.MeterID("EL")); got != indexes {
		t.Errorf("%d readings are stored, want %d", got, indexes)
	}
}
