package testkit

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// An InfluxServer is a real InfluxDB 1.8.10 that a test can kill and start
// again with its data.
type InfluxServer struct {
	URL string // as in "http://127.0.0.1:8086"

	t       testing.TB
	server  influxd.Server
	command *exec.Cmd
}

// Influx starts an empty InfluxDB that ends with the test. The first call on a
// machine builds it, which takes about a minute.
func Influx(t testing.TB) *InfluxServer {
	t.Helper()
	path, err := installInflux()
	if err != nil {
		Unavailable(t, "no InfluxDB: %v", err)
	}
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s := &InfluxServer{URL: "http://" + addr, t: t,
		server: influxd.Server{Path: path, Data: t.TempDir(), Addr: addr}}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// Start runs the server and returns when it answers.
func (s *InfluxServer) Start() {
	s.t.Helper()
	command, err := s.server.Command(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.command = command
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second) // a busy machine takes long
	defer cancel()
	if err := influxd.WaitHealthy(ctx, s.server.Addr); err != nil {
		s.t.Fatal(err)
	}
}

// Folder is where the server keeps its files.
func (s *InfluxServer) Folder() string { return s.server.Data }

// Kill ends the server at once, as kill -9 does. It may be called twice.
func (s *InfluxServer) Kill() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	s.command = nil
}

// Tools is the folder in which tests keep programs they build, shared by all
// test packages and runs: XNET_TOOLS, or one in the user's cache.
func Tools() (string, error) {
	if dir := os.Getenv("XNET_TOOLS"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "xnet-tools"), err
}

var installInflux = sync.OnceValues(func() (string, error) {
	dir, err := Tools()
	if err != nil {
		return "", err
	}
	return influxd.Install(context.Background(), dir, os.Stderr)
})
