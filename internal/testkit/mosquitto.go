package testkit

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A MosquittoServer is the broker of production, which a test can kill and start
// again. It keeps nothing on disk: the spools do.
type MosquittoServer struct {
	URL string // as in "tcp://127.0.0.1:1883"

	t       testing.TB
	addr    string
	path    string
	config  string
	command *exec.Cmd
}

// Mosquitto starts a Mosquitto that ends with the test.
func Mosquitto(t testing.TB) *MosquittoServer {
	t.Helper()
	return mosquitto(t, []string{"allow_anonymous true", "max_queued_messages 10000"})
}

// mosquitto starts one with more lines of configuration.
func mosquitto(t testing.TB, lines []string) *MosquittoServer {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path = "/usr/sbin/mosquitto"; !exists(path) {
			Unavailable(t, "no Mosquitto: install Debian's package mosquitto")
		}
	}
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	m := &MosquittoServer{URL: "tcp://" + addr, t: t, addr: addr, path: path, config: filepath.Join(t.TempDir(), "mosquitto.conf")}
	// As root it would become another user, who may not read the test's files.
	text := append([]string{"user root", "persistence false", "listener " + port + " 127.0.0.1"}, lines...)
	if err := os.WriteFile(m.config, []byte(strings.Join(text, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.Start()
	t.Cleanup(m.Kill)
	return m
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Start runs the broker and returns when it listens.
func (m *MosquittoServer) Start() {
	m.t.Helper()
	m.command = exec.Command(m.path, "-c", m.config)
	m.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.command.Start(); err != nil {
		m.t.Fatal(err)
	}
	Eventually(m.t, 10*time.Second, func() error {
		conn, err := net.Dial("tcp", m.addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// Kill ends the broker at once, as kill -9 does. It may be called twice.
func (m *MosquittoServer) Kill() {
	if m.command == nil {
		return
	}
	_ = m.command.Process.Kill()
	_ = m.command.Wait()
	m.command = nil
}
