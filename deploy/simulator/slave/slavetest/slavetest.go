// Package slavetest serves simulated slaves for tests, each on a line of its own
// that ends with the test: a random port of loopback or a pseudo-terminal.
package slavetest

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
)

// TCP serves a source over Modbus TCP and returns the line's URL, as in
// tcp://127.0.0.1:41234.
func TCP(t testing.TB, source slave.Source, o slave.Options) (url string) {
	t.Helper()
	listener := Listen(t)
	Serve(t, slave.New(source, o), listener)
	return "tcp://" + listener.Addr().String()
}

// Listen opens a random port of loopback.
func Listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// Serve answers Modbus TCP on listener, which it closes when the test ends.
func Serve(t testing.TB, s *slave.Server, listener net.Listener) {
	t.Helper()
	run(t, func(ctx context.Context) error { return s.ServeTCP(ctx, listener) })
}

// RTU serves a source over Modbus RTU on a pseudo-terminal and returns the
// line's URL, as in rtu:///tmp/line. A pseudo-terminal takes any rate and parity.
func RTU(t testing.TB, source slave.Source, o slave.Options) (url string) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "line")
	pty, err := slave.OpenPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pty.Close() })
	run(t, func(ctx context.Context) error { return slave.New(source, o).ServeRTU(ctx, pty) })
	return "rtu://" + link
}

// run serves until the test ends, and waits for the end.
func run(t testing.TB, serve func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("simulated slaves: %v", err)
		}
	})
}
