package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// said is standard error of a program that runs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) string() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *said) wait(t *testing.T, text string) {
	t.Helper()
	testkit.Eventually(t, 15*time.Second, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !strings.Contains(s.text.String(), text) {
			return fmt.Errorf("%q was not said:\n%s", text, s.text.String())
		}
		return nil
	})
}

const reloadConfig = `site: s
gateway: g
clock: {trust: always}
figures: 127.0.0.1:0
spool: {dir: %q, max_mb: %d}
buses:
  - url: %s
    interval: 1s
    devices:
`

func TestRunTakesANewConfigurationOver(t *testing.T) {
	source := slave.SourceFunc(func(_, _ byte, _, n uint16) ([]uint16, error) { return make([]uint16, n), nil })
	url := slavetest.TCP(t, source, slave.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	write := func(maxMB int, devices ...string) {
		t.Helper()
		text := fmt.Sprintf(reloadConfig, filepath.Join(dir, "spool"), maxMB, url)
		if err := os.WriteFile(path, []byte(text+strings.Join(devices, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	device := func(n int) string {
		return fmt.Sprintf("      - {slave: %d, profile: pulse-counter-4, meters: [{id: M-%d, kind: cold_water, channel: 1, pulse_ml: 1000}]}\n", n, n)
	}
	write(64, device(1))
	var log said
	ended := make(chan error, 1)
	group.Go(func() {
		ended <- run(ctx, []string{"--config", path, "run"}, func(name string) string {
			return map[string]string{"XNET_LOG": "debug"}[name]
		}, &log, &log)
	})
	log.wait(t, "meter=M-1")

	write(128, device(1), device(2))
	log.wait(t, "settings=[spool]") // which needs a restart
	log.wait(t, "meter=M-2")

	write(128, device(1), device(1))
	log.wait(t, "slave 1 stands twice")

	write(128, device(3))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	log.wait(t, "meter=M-3")
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
