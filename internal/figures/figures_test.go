package figures_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

func addr(t *testing.T) string {
	t.Helper()
	a, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestFiguresAreServedUntilTheEnd(t *testing.T) {
	registry := figures.NewRegistry()
	stored := prometheus.NewCounter(prometheus.CounterOpts{Name: "xnet_stored_total", Help: "Readings stored."})
	registry.MustRegister(stored)
	stored.Add(3)
	var waiting atomic.Bool
	waiting.Store(true)
	handler := figures.Handler(registry, func() error {
		if waiting.Load() {
			return errors.New("waiting for the broker")
		}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	at := addr(t)
	ended, err := figures.Serve(ctx, at, handler)
	if err != nil {
		t.Fatal(err)
	}
	check := func(path string, code int, text string) {
		t.Helper()
		if got, body := ask(t, "http://"+at+path); got != code || !strings.Contains(body, text) {
			t.Errorf("%s: %d %.200s, want %d and %q", path, got, body, code, text)
		}
	}
	check("/metrics", http.StatusOK, "xnet_stored_total 3")
	check("/metrics", http.StatusOK, "go_goroutines")
	check("/metrics", http.StatusOK, "process_open_fds")
	check("/healthz", http.StatusOK, "ok")
	check("/readyz", http.StatusServiceUnavailable, "waiting for the broker")
	waiting.Store(false)
	check("/readyz", http.StatusOK, "ready")
	check("/other", http.StatusNotFound, "")

	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the server did not end")
	}
	if _, err := http.Get("http://" + at + "/healthz"); err == nil {
		t.Error("the server answers after its end")
	}
}

func TestHealthAnswersReadOnly(t *testing.T) {
	at := addr(t)
	if _, err := figures.Serve(t.Context(), at, figures.Handler(figures.NewRegistry(), func() error { return nil })); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post("http://"+at+"/healthz", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /healthz: %d, want %d", response.StatusCode, http.StatusMethodNotAllowed)
	}
}

func TestPortInUseNamesAddressAndRemedy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	_, err = figures.Serve(t.Context(), at, http.NotFoundHandler())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("error %v, want %v", err, syscall.EADDRINUSE)
	}
	for _, want := range []string{at, "set another address"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestUnusableAddress(t *testing.T) {
	if _, err := figures.Serve(t.Context(), "127.0.0.1:port", http.NotFoundHandler()); err == nil || !strings.Contains(err.Error(), "127.0.0.1:port") {
		t.Errorf("error %v, want one that names the address", err)
	}
}
