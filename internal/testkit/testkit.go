// Package testkit gives tests the real servers of the system on random ports of
// loopback, and cleans them up: a broker, InfluxDB, databases, a browser.
//
// Where a server cannot be had a test is skipped on a desk and fails where
// CI=true.
package testkit

import (
	"io"
	"log/slog"
	"os"
	"testing"
	"time"
)

// Unavailable skips the test with the reason, or fails it where CI=true.
func Unavailable(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Eventually waits until check returns nil, and fails the test with its last
// error when that takes longer than within.
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", within, err)
		}
		time.Sleep(20 * time.Millisecond) // a poll interval, not a check
	}
}

// Logger returns a logger that writes to the test's log, of debug level where
// the tests run with -v and silent otherwise. Where XNET_TEST_LOGS names a folder,
// all that is logged goes to a file there as well, for who reads it afterwards.
func Logger(t testing.TB) *slog.Logger {
	to := io.Discard
	if testing.Verbose() {
		to = t.Output()
	}
	if folder := os.Getenv("XNET_TEST_LOGS"); folder != "" {
		file, err := os.CreateTemp(folder, "test-*.log")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		to = io.MultiWriter(file, to)
	}
	if to == io.Discard {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
