package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A composed system is that of deploy/compose.yaml without containers: the commands,
// variables and files are its own, but for addresses and the folder they live in.
type composed struct {
	t       *testing.T
	dir     string // stands for /
	project *types.Project
	addr    map[string]string // free addresses, by the one in the file
	nobody  *syscall.Credential
}

// TestComposedSystem: with the files of compose.yaml a reading goes from a gateway
// that was enrolled through Caddy to the tenant's page, and Prometheus sees all.
func TestComposedSystem(t *testing.T) {
	for _, server := range []string{"caddy", "prometheus"} {
		if _, err := exec.LookPath(server); err != nil {
			testkit.Unavailable(t, "no %s: install Debian's package %s", server, server)
		}
	}
	tools, err := testkit.Tools()
	if err != nil {
		t.Fatal(err)
	}
	stores, err := filepath.Glob(filepath.Join(tools, "influxd-2.7*", "influxd"))
	if err != nil || len(stores) == 0 {
		t.Skip("NOT RUN: no InfluxDB 2.7 on this machine: make test-influx2 builds it, or says why not")
	}
	c := newComposed(t)
	c.startInflux(stores[0])
	admin := c.setUp()
	c.run("mosquitto", "sh")
	c.await("mosquitto", "1883")
	c.run("api", program(t, "api"))
	c.run("collector", program(t, "collector"))
	c.run("caddy", "")
	c.run("prometheus", "prometheus")
	for service, port := range map[string]string{"api": "8080", "collector": "9102", "prometheus": "9090"} {
		c.await(service, port)
	}
	c.healthy("api", "collector")
	c.oneReading(admin)
	c.watched()
}

func newComposed(t *testing.T) *composed {
	t.Helper()
	dir, err := os.MkdirTemp("", "xnet-composed-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &composed{t: t, dir: dir, addr: map[string]string{}}
	for _, address := range []string{"mosquitto:1883", "8883", "apis:8080", "collectors:9102", "influxdb:8086", "localhost:9090", "443", "80", "2020"} {
		if c.addr[address], err = influxd.FreeAddr(); err != nil {
			t.Fatal(err)
		}
	}
	c.load()
	// Our programs and the broker run as the user of the containers, or who asks.
	if os.Geteuid() == 0 {
		c.nobody = &syscall.Credential{Uid: 10001, Gid: 10001}
	}
	for _, folder := range []string{"", "etc/xnet", "etc/caddy", "etc/prometheus", "run/secrets", "var/lib/xnet/broker", "var/lib/xnet/api", "var/lib/xnet/collector", "data", "tmp"} {
		c.must(os.MkdirAll(c.path(folder), 0o755))
		if c.nobody != nil && (strings.HasPrefix(folder, "var/") || folder == "etc/xnet") {
			c.must(os.Chown(c.path(folder), 10001, 10001))
		}
	}
	c.must(os.Chmod(dir, 0o755))
	if c.nobody != nil {
		c.must(os.Chown(c.path("var/lib/xnet"), 10001, 10001))
		built, err := build()
		c.must(err)
		c.must(os.Chmod(built, 0o755))
	}
	c.secret("postgres_dsn", testkit.Postgres(t))
	c.secret("influx_token", "token-of-the-composed-system")
	for name, config := range c.project.Configs {
		text, err := os.ReadFile(config.File)
		c.must(err)
		c.must(os.WriteFile(c.path(targetOf(c.project, name)), []byte(c.here(string(text))), 0o644))
	}
	return c
}

func (c *composed) load() {
	c.t.Helper()
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithEnv([]string{"XNET_HOST=localhost", "XNET_GRAFANA_HOST=grafana.localhost",
		"XNET_ADVISOR_NAME=Test", "XNET_ADVISOR_TELEPHONE=01 00 00 00 00", "XNET_ADMINISTRATOR=Ada Test"}), cli.WithResolvedPaths(true))
	c.must(err)
	c.project, err = options.LoadProject(c.t.Context())
	c.must(err)
}

// targetOf is where a file is mounted.
func targetOf(project *types.Project, config string) string {
	for _, s := range project.Services {
		for _, mounted := range s.Configs {
			if mounted.Source == config {
				return mounted.Target
			}
		}
	}
	return "none"
}

func (c *composed) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *composed) path(name string) string { return filepath.Join(c.dir, name) }

func (c *composed) secret(name, text string) {
	c.t.Helper()
	c.must(os.WriteFile(c.path("run/secrets/"+name), []byte(text+"\n"), 0o644))
}

func (c *composed) port(address string) string {
	_, port, _ := net.SplitHostPort(c.addr[address])
	return port
}

// here writes a text of the containers' world for this one: names of services become
// addresses of loopback, ports become free ones, folders lie below the test's own.
func (c *composed) here(text string) string {
	for _, name := range []string{"apis:8080", "collectors:9102", "influxdb:8086"} {
		service, port, _ := strings.Cut(name, ":")
		text = strings.ReplaceAll(text, "dns_sd_configs: [{names: ["+service+"], type: A, port: "+port+"}]", `static_configs: [{targets: ["`+c.addr[name]+`"]}]`)
	}
	return strings.NewReplacer("mosquitto:1883", c.addr["mosquitto:1883"], "influxdb:8086", c.addr["influxdb:8086"],
		"dynamic a apis 8080", "dynamic a localhost "+c.port("apis:8080"), `":8080"`, `":`+c.port("apis:8080")+`"`, `":9102"`, `":`+c.port("collectors:9102")+`"`,
		"/127.0.0.1/8080", "/127.0.0.1/"+c.port("apis:8080"), "/127.0.0.1/9102", "/127.0.0.1/"+c.port("collectors:9102"),
		"listener 1883\n", "listener "+c.port("mosquitto:1883")+"\n", "listener 8883\n", "listener "+c.port("8883")+"\n", "localhost:8883", "localhost:"+c.port("8883"),
		"http://:2020", "http://:"+c.port("2020"), "/var/lib/xnet", c.path("var/lib/xnet"), "/etc/xnet", c.path("etc/xnet"), "/run/secrets", c.path("run/secrets"),
		"/etc/prometheus", c.path("etc/prometheus"), "/etc/caddy", c.path("etc/caddy"), "=/prometheus", "="+c.path("tsdb"), "https://localhost", "https://localhost:"+c.port("443"),
		"scrape_interval: 30s", "scrape_interval: 1s").Replace(text)
}

// startInflux runs a 2.7 and sets it up as its image does.
func (c *composed) startInflux(path string) {
	c.t.Helper()
	c.spawn(c.command(path, "--http-bind-address", c.addr["influxdb:8086"], "--bolt-path", c.path("bolt"), "--sqlite-path", c.path("sqlite"),
		"--engine-path", c.path("engine"), "--reporting-disabled", "--log-level", "error"))
	c.firstUser()
}

// firstUser does what InfluxDB's image does with the variables.
func (c *composed) firstUser() {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"username": "xnet", "password": "of-the-composed-system", "org": *c.project.Services["influxdb"].Environment["DOCKER_INFLUXDB_INIT_ORG"], "bucket": "first", "token": "token-of-the-composed-system"})
	c.must(err)
	testkit.Eventually(c.t, time.Minute, func() error {
		response, err := http.Post("http://"+c.addr["influxdb:8086"]+"/api/v2/setup", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusCreated {
			return errors.New(response.Status)
		}
		return nil
	})
}

// command prepares a program whose variables are those of this process.
func (c *composed) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), "HOME="+c.path("tmp"), "XDG_DATA_HOME="+c.path("data"), "XDG_CONFIG_HOME="+c.path("data"))
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return command
}

// of prepares what a service runs: its own words after the program, its variables,
// its user.
func (c *composed) of(service, program string) *exec.Cmd {
	s := c.project.Services[service]
	words := append([]string{}, s.Command...)
	if len(s.Entrypoint) > 1 {
		words = append(append([]string{}, s.Entrypoint[1:]...), words...)
	}
	if program == "" {
		program, words = words[0], words[1:]
	}
	for i := range words {
		words[i] = c.here(words[i])
	}
	command := c.command(program, words...)
	for name, text := range s.Environment {
		command.Env = append(command.Env, name+"="+c.here(*text))
	}
	command.Env = append(command.Env, "XNET_HTTP_PORT="+c.port("80"), "XNET_HTTPS_PORT="+c.port("443"))
	if s.User != "" {
		command.SysProcAttr.Credential = c.nobody
	}
	if service == "prometheus" {
		command.Args = append(command.Args, "--web.listen-address="+c.addr["localhost:9090"])
	}
	return command
}

func (c *composed) run(service, program string) {
	c.t.Helper()
	c.spawn(c.of(service, program))
}

// spawn runs a command, with all that it starts, until the test ends.
func (c *composed) spawn(command *exec.Cmd) {
	c.t.Helper()
	log := testkit.LogFile(c.t)
	command.Stdout, command.Stderr = log, log
	c.must(command.Start())
	c.t.Cleanup(sync.OnceFunc(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGTERM)
		ended := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) })
		_ = command.Wait()
		ended.Stop()
		if text, _ := os.ReadFile(log.Name()); c.t.Failed() {
			c.t.Logf("%s said:\n%s", command.Path, text)
		}
	}))
}

// setUp runs xnet-setup as the service does, twice, and returns the administrator's
// code, which the first run shows.
func (c *composed) setUp() (code string) {
	c.t.Helper()
	setup := c.path("xnet-setup")
	build := exec.Command("go", "build", "-o", setup, "../setup")
	if said, err := build.CombinedOutput(); err != nil {
		c.t.Fatalf("build: %v: %s", err, said)
	}
	var said [2]string
	for i := range said {
		command := c.of("setup", setup)
		command.Args = append(command.Args, "--etc="+c.path("etc/xnet"), "--answers="+c.path("etc/xnet/answers.yaml"), "--state="+c.path("var/lib/xnet"),
			"--api="+program(c.t, "api"), "--broker-file="+c.path("etc/xnet/mosquitto.conf"))
		text, err := command.CombinedOutput()
		if err != nil {
			c.t.Fatalf("setup: %v\n%s", err, text)
		}
		said[i] = string(text)
	}
	found := codePattern.FindString(said[0])
	if found == "" || codePattern.MatchString(said[1]) || strings.Contains(said[1], "made") {
		c.t.Fatalf("setup says first:\n%s\nand then:\n%s", said[0], said[1])
	}
	return found
}

// await waits until something listens for a service.
func (c *composed) await(service, port string) {
	c.t.Helper()
	addr := ""
	for name, at := range c.addr {
		if strings.HasSuffix(name, ":"+port) {
			addr = at
		}
	}
	testkit.Eventually(c.t, 90*time.Second, func() error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
		return conn.Close()
	})
}

// healthy runs the health checks of services as Docker does.
func (c *composed) healthy(services ...string) {
	c.t.Helper()
	for _, service := range services {
		test := c.project.Services[service].HealthCheck.Test[1:]
		testkit.Eventually(c.t, time.Minute, func() error {
			said, err := exec.Command(test[0], test[1], c.here(test[2])).CombinedOutput()
			if err != nil {
				return fmt.Errorf("health check of %s: %w: %s", service, err, said)
			}
			return nil
		})
	}
}
