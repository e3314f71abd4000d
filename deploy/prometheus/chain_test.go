// Package prometheus_test holds the alerts, their pages and the doctor to a whole
// chain of real programs: a broker with its list of users, InfluxDB, the API, a
// collector and a gateway.
package prometheus_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

var build = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "xnet-chain-"); err != nil {
		return "", err
	}
	command := exec.Command("go", "build", "-o", dir+"/", "./gateway", "./collector", "./api")
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
	if dir, _ := build(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// A chain is the whole system on loopback, with one gateway that imports.
type chain struct {
	t                       *testing.T
	dir, bin                string
	db                      *sql.DB
	influx                  *testkit.InfluxServer
	files                   enrolment.Files
	broker                  string // host:port
	mosquitto               *exec.Cmd
	api, collector, gateway string // addresses of /metrics
	stops                   map[string]func()
	user, password          string // of the gateway at the broker
}

func newChain(t *testing.T) *chain {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &chain{t: t, dir: dir, bin: bin, influx: testkit.Influx(t), stops: map[string]func(){},
		files: enrolment.Files{Dir: filepath.Join(dir, "broker")}, db: sqldbtest.Open(t, filepath.Join(dir, "api.db"))}
	for _, addr := range []*string{&c.broker, &c.api, &c.collector, &c.gateway} {
		if *addr, err = influxd.FreeAddr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(c.path("api.db"), 0o600); err != nil { // as the unit's mask makes it
		t.Fatal(err)
	}
	c.enrol()
	c.write("ca.pem", certificate(t, time.Now().AddDate(1, 0, 0)))
	c.configure()
	c.listen("allow_anonymous false", "password_file "+filepath.Join(c.files.Dir, "passwords"), "acl_file "+filepath.Join(c.files.Dir, "acl"))
	for _, program := range []string{"collector", "api"} {
		c.start(program, "run")
	}
	c.start("gateway", "import", "--meter=cw-1", "--column=index", "--means=index", "--unit=base", c.path("readings.csv"))()
	c.start("gateway", "run")
	return c
}

func (c *chain) path(name string) string { return filepath.Join(c.dir, name) }

func (c *chain) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// enrol writes who may connect; the two gateways that do not run have told of
// themselves a moment ago.
func (c *chain) enrol() {
	c.t.Helper()
	if err := os.Mkdir(c.files.Dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	meterstest.Furnish(c.t, c.db)
	store := enrolment.NewStore(c.db, meters.NewStore(c.db), c.files)
	if err := store.Write(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	offer, err := store.Offer(c.t.Context(), meterstest.Admin, "gw-r", time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	access, err := store.Redeem(c.t.Context(), offer.Code, time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	c.user, c.password = access.Username, access.Password
	c.write("gateway.password", access.Password)
	for site, gateway := range map[string]string{"R": "gw-r2", "S": "gw-s"} {
		sqldbtest.Exec(c.t, c.db, fmt.Sprintf(`INSERT INTO gateway_report (residence_id, gateway_id, heard_ms, online, program, boot, clock, spool_packs, spool_oldest_ms, spool_alarm, config, config_fault)
			VALUES ('%s', '%s', %d, 1, '', '', '', 0, 0, 0, '', '')`, site, gateway, time.Now().UnixMilli()))
	}
}

// configure writes each program's file, as a set-up does.
func (c *chain) configure() {
	c.t.Helper()
	store := map[string]any{"url": c.influx.URL}
	broker := func(user string) map[string]any {
		return map[string]any{"url": "tcp://" + c.broker, "username": user, "password_file": filepath.Join(c.files.Dir, user+".password")}
	}
	api := broker("api")
	api["access_dir"], api["gateways_url"], api["gateways_ca_file"] = c.files.Dir, "ssl://localhost:8883", c.path("ca.pem")
	for name, content := range map[string]any{
		"api.yaml": map[string]any{"listen": c.api, "database": map[string]any{"dsn": c.path("api.db")}, "broker": api, "influx": store,
			"advisor": map[string]any{"name": "Claire Moreau", "telephone": "02 41 00 00 00"}},
		"collector.yaml": map[string]any{"broker": broker("collector"), "influx": store, "quarantine": map[string]any{"dir": c.path("quarantine")}, "figures": c.collector},
		"gateway.yaml": map[string]any{"site": "R", "gateway": "gw-r", "zone": "Europe/Paris", "figures": c.gateway, "clock": map[string]any{"trust": "always"},
			"broker": map[string]any{"url": "tcp://" + c.broker, "username": c.user, "password_file": c.path("gateway.password")},
			"spool":  map[string]any{"dir": c.path("spool"), "max_mb": 64}, "imported": []any{map[string]any{"id": "cw-1", "kind": "cold_water", "resolution": "fine"}}},
	} {
		text, err := yaml.Marshal(content)
		if err != nil {
			c.t.Fatal(err)
		}
		c.write(name, string(text))
	}
	rows := "time,index\n"
	for i := range 6 {
		rows += fmt.Sprintf("%s,%d\n", time.Now().UTC().Add(time.Duration(i-6)*10*time.Minute).Format(time.RFC3339), 5_000_000+i*1000)
	}
	c.write("readings.csv", rows)
}

// listen starts the broker anew with lines of its configuration.
func (c *chain) listen(lines ...string) {
	c.t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		testkit.Unavailable(c.t, "no Mosquitto: install Debian's package mosquitto")
	}
	c.silence()
	_, port, _ := net.SplitHostPort(c.broker)
	c.write("mosquitto.conf", strings.Join(append([]string{"user root", "persistence false", "listener " + port + " 127.0.0.1"}, lines...), "\n")+"\n")
	c.mosquitto = exec.Command(path, "-c", c.path("mosquitto.conf"))
	c.mosquitto.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.mosquitto.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(c.silence)
	testkit.Eventually(c.t, 60*time.Second, func() error {
		conn, err := net.Dial("tcp", c.broker)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// silence ends the broker.
func (c *chain) silence() {
	if c.mosquitto != nil {
		_ = c.mosquitto.Process.Kill()
		_ = c.mosquitto.Wait()
		c.mosquitto = nil
	}
}

// start runs a program of the chain until stopped, or until it has ended where it
// ends by itself.
func (c *chain) start(program string, args ...string) (wait func()) {
	c.t.Helper()
	var said bytes.Buffer
	command := exec.Command(filepath.Join(c.bin, program), append(args, "--config="+c.path(program+".yaml"))...)
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	stop := sync.OnceFunc(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(60 * time.Second):
			_ = command.Process.Kill()
		}
		if c.t.Failed() {
			c.t.Logf("%s said: %s", program, said.String())
		}
	})
	c.t.Cleanup(stop)
	c.stops[program] = stop
	return func() {
		c.t.Helper()
		if err := <-ended; err != nil {
			c.t.Fatalf("%s: %v: %s", program, err, said.String())
		}
		ended <- nil
	}
}

// doctor runs `api doctor` and returns what it says and its exit status.
func (c *chain) doctor(env ...string) (said string, status int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer cancel()
	var out bytes.Buffer
	command := exec.CommandContext(ctx, filepath.Join(c.bin, "api"), "doctor", "--config="+c.path("api.yaml"), "--collector="+c.path("collector.yaml"))
	command.Env, command.Stdout, command.Stderr = append(os.Environ(), env...), &out, &out
	_ = command.Run()
	return out.String(), command.ProcessState.ExitCode()
}

// metrics returns the text of /metrics of an address.
func metrics(addr string) (string, error) {
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// certificate returns one that ends at an instant, in PEM.
func certificate(t *testing.T, end time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: end, IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}
