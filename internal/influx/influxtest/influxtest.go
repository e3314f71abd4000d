// Package influxtest gives the tests of one package one real InfluxDB, because
// starting one takes seconds, and each test buckets of its own in it. Tests that
// kill their server use package testkit.
//
// It is a 1.8 of the package's own, or, where XNET_TEST_INFLUX2_URL, _TOKEN and
// _ORG name one, the InfluxDB 2 there.
package influxtest

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A server is the package's InfluxDB, started by the first test that needs it.
type server struct {
	dir     string
	command *exec.Cmd
	url     string
}

var (
	shared server
	start  = sync.OnceValue(func() error { return shared.start() })
	tests  atomic.Int64
)

// Main runs the tests of a package and ends their InfluxDB. It is what TestMain
// calls, and returns the exit status.
func Main(m *testing.M) int {
	defer shared.stop()
	return m.Run()
}

// Variables that name an InfluxDB 2 for the tests.
const (
	urlVariable   = "XNET_TEST_INFLUX2_URL"
	tokenVariable = "XNET_TEST_INFLUX2_TOKEN"
	orgVariable   = "XNET_TEST_INFLUX2_ORG"
)

// Config returns the configuration of empty buckets, not yet set up, that keep
// points of any age.
func Config(t testing.TB) influx.Config {
	t.Helper()
	if address := os.Getenv(urlVariable); address != "" {
		return config2(t, address)
	}
	if err := start(); err != nil {
		testkit.Unavailable(t, "no InfluxDB: %v", err)
	}
	c := influx.DefaultConfig()
	c.URL, c.Keep = shared.url, influx.Retention{}
	c.Prefix = fmt.Sprintf("t%d", tests.Add(1))
	return c
}

// config2 is that of an InfluxDB 2, which other packages use at the same time.
func config2(t testing.TB, address string) influx.Config {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(os.Getenv(tokenVariable)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := influx.DefaultConfig()
	c.URL, c.Org, c.TokenFile, c.Keep = address, os.Getenv(orgVariable), token, influx.Retention{}
	c.Prefix = "t" + strings.ToLower(rand.Text()[:12])
	return c
}

// Is18 skips a test that speaks to InfluxDB 1.8 in its own words where the
// package's is another.
func Is18(t testing.TB) {
	t.Helper()
	if os.Getenv(urlVariable) != "" {
		t.Skip("speaks to InfluxDB 1.8 itself")
	}
}

// Open returns a client of empty buckets that closes with the test.
func Open(t testing.TB) *influx.Client {
	t.Helper()
	return OpenWith(t, Config(t))
}

// OpenWith returns a client of the buckets of c, set up, that closes with the
// test.
func OpenWith(t testing.TB, c influx.Config) *influx.Client {
	t.Helper()
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *server) start() error {
	tools, err := testkit.Tools()
	if err != nil {
		return err
	}
	path, err := influxd.Install(context.Background(), tools, os.Stderr)
	if err != nil {
		return err
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "influxtest"); err != nil {
		return err
	}
	s.url = "http://" + addr
	s.command, err = influxd.Server{Path: path, Data: s.dir, Addr: addr}.Command(context.Background())
	if err != nil {
		return err
	}
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second) // a busy machine takes long
	defer cancel()
	return influxd.WaitHealthy(ctx, addr)
}

// freeAddr returns an address below the ports that the system gives to outgoing
// connections: InfluxDB takes seconds until it listens, and one of those could
// take the port meanwhile.
func freeAddr() (addr string, err error) {
	for range 20 {
		addr = fmt.Sprintf("127.0.0.1:%d", 15_000+mathrand.IntN(15_000))
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", err
}

func (s *server) stop() {
	if s.command != nil && s.command.Process != nil {
		_ = s.command.Process.Kill()
		_ = s.command.Wait()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
