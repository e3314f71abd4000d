//go:build ignore

package main

// Influx2 runs the tests of what speaks to InfluxDB against a 2.7: the one that
// XNET_TEST_INFLUX2_URL, _TOKEN and _ORG name, or else one that it starts, from
// the path, from the tools' folder, or built there where Rust is installed.
// Where there is none it says so, with the reason, and succeeds.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	version  = "2.7.12"
	module   = "github.com/influxdata/influxdb/v2@v" + version
	wrapper  = "github.com/influxdata/pkg-config@v0.2.14" // builds the part of InfluxDB that is Rust
	variable = "XNET_TEST_INFLUX2_"
)

var packages = []string{"./internal/influx/...", "./collector/..."}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "test-influx2:", err)
		os.Exit(1)
	}
}

func run() error {
	server := server{url: os.Getenv(variable + "URL"), token: os.Getenv(variable + "TOKEN"), org: os.Getenv(variable + "ORG")}
	if server.url == "" {
		path, why := find()
		if path == "" {
			fmt.Println("test-influx2: NOT RUN:", why)
			return nil
		}
		stop, err := server.start(path)
		defer stop()
		if err != nil {
			return err
		}
	}
	before, err := server.writes()
	if err != nil {
		return err
	}
	tests := exec.Command(".ci/test", append([]string{"-count=1"}, packages...)...)
	tests.Env = append(os.Environ(), variable+"URL="+server.url, variable+"TOKEN="+server.token, variable+"ORG="+server.org)
	tests.Stdout, tests.Stderr = os.Stdout, os.Stderr
	if err := tests.Run(); err != nil {
		return fmt.Errorf("the tests failed on InfluxDB 2: %w", err)
	}
	after, err := server.writes()
	if err == nil && after == before {
		err = errors.New("the tests passed, but none of them wrote to InfluxDB 2")
	}
	if err == nil {
		fmt.Printf("test-influx2: all well; %.0f writes to %s\n", after-before, server.url)
	}
	return err
}

// find returns the path of an influxd 2.7, or why there is none.
func find() (path, why string) {
	tools := os.Getenv("XNET_TOOLS")
	if tools == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err.Error()
		}
		tools = filepath.Join(cache, "xnet-tools")
	}
	if found, err := exec.LookPath("influxd"); err == nil && strings.Contains(asked(found), "2.7") {
		return found, ""
	}
	// One that was built from its module may call itself "dev": its folder says
	// which version it is.
	built, _ := filepath.Glob(filepath.Join(tools, "influxd-2.7*", "influxd"))
	for _, c := range built {
		if strings.HasPrefix(asked(c), "InfluxDB") {
			return c, ""
		}
	}
	return build(filepath.Join(tools, "influxd-"+version))
}

// asked returns what an influxd says of its version, or nothing.
func asked(path string) string {
	said, err := exec.Command(path, "version").CombinedOutput()
	if err != nil {
		return ""
	}
	return string(said)
}

// build makes InfluxDB from its module, which takes many minutes once. A part of
// it is Rust and C, so that compilers for both are needed, and Rust's registry.
func build(dir string) (path, why string) {
	for _, program := range []string{"cargo", "gcc", "pkg-config"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", "no influxd 2.7 on this machine, and it cannot be built without " + program
		}
	}
	aside, err := os.MkdirTemp("", "influxd-building-")
	if err != nil {
		return "", err.Error()
	}
	defer os.RemoveAll(aside)
	fmt.Println("test-influx2: building InfluxDB", version, "once, which takes many minutes")
	if said, err := compile(aside); err != nil {
		return "", fmt.Sprintf("no influxd 2.7 on this machine, and its build stops (%v) with: %s", err, ending(said))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err.Error()
	}
	path = filepath.Join(dir, "influxd")
	text, err := os.ReadFile(filepath.Join(aside, "influxd"))
	if err == nil {
		err = errors.Join(os.WriteFile(path+".new", text, 0o755), os.Rename(path+".new", path))
	}
	if err != nil {
		return "", err.Error()
	}
	return path, ""
}

// compile builds InfluxDB in a copy of its module, whose replacements count only
// where it is the main one.
func compile(aside string) (said []byte, err error) {
	env := append(os.Environ(), "GOBIN="+aside, "GOFLAGS=-mod=mod", "CGO_ENABLED=1", "PKG_CONFIG="+filepath.Join(aside, "pkg-config"))
	do := func(dir, name string, args ...string) ([]byte, error) {
		command := exec.Command(name, args...)
		command.Dir, command.Env = dir, env
		return command.CombinedOutput()
	}
	if said, err := do(aside, "go", "install", wrapper); err != nil {
		return said, err
	}
	said, err = do(aside, "go", "mod", "download", "-json", module)
	var downloaded struct{ Dir string }
	if err != nil || json.Unmarshal(said, &downloaded) != nil {
		return said, errors.Join(err, errors.New("download its module"))
	}
	source := filepath.Join(aside, "source")
	if err := os.CopyFS(source, os.DirFS(downloaded.Dir)); err != nil {
		return nil, err
	}
	return do(source, "go", "build", "-ldflags", "-X main.version=v"+version, "-tags", "sqlite_foreign_keys,sqlite_json", "-o", filepath.Join(aside, "influxd"), "./cmd/influxd")
}

// ending is the last lines of what a tool said.
func ending(said []byte) string {
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return strings.Join(lines[max(0, len(lines)-6):], "\n  ")
}

// A server is an InfluxDB 2.
type server struct{ url, token, org string }

// start runs an empty InfluxDB on a free port of loopback and sets it up.
func (s *server) start(path string) (stop func(), err error) {
	dir, err := os.MkdirTemp("", "influxd-2-")
	if err != nil {
		return func() {}, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return func() {}, err
	}
	addr := listener.Addr().String()
	listener.Close()
	command := exec.Command(path, "--http-bind-address", addr, "--bolt-path", filepath.Join(dir, "bolt"),
		"--sqlite-path", filepath.Join(dir, "sqlite"), "--engine-path", filepath.Join(dir, "engine"), "--reporting-disabled", "--log-level", "error")
	if err := command.Start(); err != nil {
		return func() {}, err
	}
	stop = func() { _ = command.Process.Kill(); _ = command.Wait(); _ = os.RemoveAll(dir) }
	s.url, s.org, s.token = "http://"+addr, "xnet", "token-of-the-tests"
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		response, err := http.Get(s.url + "/health")
		if err == nil && response.StatusCode == http.StatusOK {
			response.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			return stop, fmt.Errorf("%s does not answer: %w", path, err)
		}
	}
	body, _ := json.Marshal(map[string]string{"username": "test", "password": "of-the-tests", "org": s.org, "bucket": "first", "token": s.token})
	response, err := http.Post(s.url+"/api/v2/setup", "application/json", bytes.NewReader(body))
	if err != nil {
		return stop, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return stop, fmt.Errorf("set up InfluxDB 2: %s", response.Status)
	}
	return stop, nil
}

var written = regexp.MustCompile(`(?m)^http_write_request_count\{[^}]*\} ([0-9.e+]+)$`)

// writes is how many requests to write the server has had.
func (s *server) writes() (float64, error) {
	response, err := http.Get(s.url + "/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	total := 0.0
	for _, match := range written.FindAllSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(string(match[1]), 64)
		total += n
	}
	return total, err
}
