// Package influxd installs and runs InfluxDB 1.8.10 on loopback, for the demo
// and the tests. Production runs an InfluxDB of its own.
package influxd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Version is the release that [Install] builds.
const Version = "1.8.10"

const module = "github.com/influxdata/influxdb/cmd/influxd@v" + Version

// Install returns the path of influxd below dir and builds it there with the Go
// tool where it is missing, which takes about a minute. What the tool says goes
// to progress.
func Install(ctx context.Context, dir string, progress io.Writer) (string, error) {
	bin, err := filepath.Abs(filepath.Join(dir, "influxd-"+Version))
	if err != nil {
		return "", fmt.Errorf("install influxd: %w", err)
	}
	path := filepath.Join(bin, "influxd")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	// A build that is killed must not leave half a program where a whole one is
	// looked for.
	aside, err := makeAside(dir)
	if err != nil {
		return "", fmt.Errorf("install influxd: %w", err)
	}
	defer os.RemoveAll(aside)
	build := exec.CommandContext(ctx, "go", "install", module)
	build.Dir = os.TempDir() // outside any module, whose versions must not count
	build.Env = append(os.Environ(), "GOBIN="+aside, "CGO_ENABLED=0", "GOFLAGS=")
	build.Stdout, build.Stderr = progress, progress
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("install influxd %s: %w: is the Go module proxy reachable?", Version, err)
	}
	if err := errors.Join(os.MkdirAll(bin, 0o755), os.Rename(filepath.Join(aside, "influxd"), path)); err != nil {
		return "", fmt.Errorf("install influxd: %w", err)
	}
	return path, nil
}

// makeAside makes a folder below dir in which a build may end halfway.
func makeAside(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, "influxd-building-")
}

// A Server is how one influxd is to run.
type Server struct {
	Path string // of the binary
	Data string // folder of its own, made where missing
	Addr string // host:port of HTTP, on loopback
	Flux bool   // answers Flux too, whose library takes 15 MB; nothing of ours asks 1.8 in it
}

const settings = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = %[1]q
  logging-enabled = false
[data]
  dir = %[2]q
  wal-dir = %[3]q
  index-version = "inmem"
  max-series-per-database = 0
  max-values-per-tag = 0
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "1m"
[retention]
  check-interval = "30m"
[monitor]
  store-enabled = false
[http]
  bind-address = %[4]q
  flux-enabled = %[5]t
  log-enabled = false
  max-row-limit = 0
  max-body-size = 0
[continuous_queries]
  enabled = false
[subscriber]
  enabled = false
`

// Command writes the server's settings below its folder and returns the command
// that runs it. The caller starts it and ends it with an interrupt.
func (s Server) Command(ctx context.Context) (*exec.Cmd, error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("influxd: %w", err)
	}
	file := filepath.Join(s.Data, "influxd.conf")
	text := fmt.Sprintf(settings, filepath.Join(s.Data, "meta"), filepath.Join(s.Data, "data"),
		filepath.Join(s.Data, "wal"), s.Addr, s.Flux)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("influxd: %w", err)
	}
	return exec.CommandContext(ctx, s.Path, "-config", file), nil
}

// WaitHealthy returns once the server at addr answers, or with the context's
// error.
func WaitHealthy(ctx context.Context, addr string) error {
	for {
		if healthy(ctx, addr) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("influxd at %s did not become healthy: %w", addr, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func healthy(ctx context.Context, addr string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/health", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return errors.Join(response.Body.Close()) == nil && response.StatusCode == http.StatusOK
}

// FreeAddr returns a loopback address whose port nobody uses at the moment. It
// lies below the ports that systems give to outgoing connections, so that none
// of those takes it before it is bound.
func FreeAddr() (string, error) {
	const lowest, ports, tries = 15000, 15000, 100
	var err error
	for range tries {
		addr := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(ports))
		l, busy := net.Listen("tcp", addr)
		if busy == nil {
			return addr, l.Close()
		}
		err = busy
	}
	return "", fmt.Errorf("free port: %w", err)
}
