package watchdog_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/watchdog"
)

// A manager listens as systemd does.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	name string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn, name}
}

// hears returns the next datagram, "" where none comes within the time.
func (m *manager) hears(within time.Duration) string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		m.t.Fatal(err)
	}
	said := make([]byte, 100)
	n, err := m.conn.Read(said)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		m.t.Fatal(err)
	}
	return string(said[:n])
}

func (m *manager) env(more map[string]string) func(string) string {
	return func(name string) string {
		if name == "NOTIFY_SOCKET" {
			return m.name
		}
		return more[name]
	}
}

func TestDogIsFedWhileTheProgramWorks(t *testing.T) {
	m := newManager(t)
	dog := watchdog.New(m.env(map[string]string{"WATCHDOG_USEC": "60000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}), slog.New(slog.DiscardHandler))
	var hangs atomic.Bool
	asked := make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		dog.Run(ctx, func(context.Context) error {
			select {
			case asked <- struct{}{}:
			default:
			}
			if hangs.Load() {
				return errors.New("it hangs")
			}
			return nil
		})
	}()
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := m.hears(time.Minute); got != want {
			t.Fatalf("systemd heard %q, want %q", got, want)
		}
	}
	hangs.Store(true)
	for len(asked) > 0 {
		<-asked
	}
	<-asked // what was fed before it began to hang was sent by now
	<-asked
	for m.hears(time.Millisecond) != "" {
	}
	<-asked
	<-asked
	if got := m.hears(time.Millisecond); got != "" {
		t.Errorf("a program that hangs says %q", got)
	}
	hangs.Store(false)
	if got := m.hears(time.Minute); got != "WATCHDOG=1" {
		t.Errorf("a program that works again says %q", got)
	}
	cancel()
	<-ended
	last := ""
	for said := m.hears(time.Second); said != ""; said = m.hears(time.Millisecond) {
		last = said
	}
	if last != "STOPPING=1" {
		t.Errorf("at the end systemd heard %q", last)
	}
}

func TestNobodyWaitsForFood(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"no watchdog":        {},
		"another process's":  {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
		"not a number":       {"WATCHDOG_USEC": "soon"},
		"less than no time":  {"WATCHDOG_USEC": "-1000"},
		"too large a number": {"WATCHDOG_USEC": strings.Repeat("9", 30)},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				watchdog.New(m.env(env), slog.New(slog.DiscardHandler)).Run(ctx, func(context.Context) error { t.Error("asked"); return nil })
			}()
			if got := m.hears(time.Minute); got != "READY=1" {
				t.Errorf("systemd heard %q", got)
			}
			cancel()
			<-ended
			if got := m.hears(time.Minute); got != "STOPPING=1" {
				t.Errorf("at the end systemd heard %q", got)
			}
		})
	}
}

func TestWithoutSystemdNothingIsSaid(t *testing.T) {
	nobody := func(string) string { return "" }
	watchdog.New(nobody, slog.New(slog.DiscardHandler)).Run(t.Context(), nil) // returns
}

func TestAnswers(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	listen := server.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(listen)
	for _, address := range []string{listen, "0.0.0.0:" + port, ":" + port} {
		if err := watchdog.Answers(address)(t.Context()); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	status = http.StatusInternalServerError
	if err := watchdog.Answers(listen)(t.Context()); err == nil {
		t.Error("no error, though the answer is 500")
	}
	server.Close()
	if err := watchdog.Answers(listen)(t.Context()); err == nil {
		t.Error("no error, though nobody answers")
	}
}
