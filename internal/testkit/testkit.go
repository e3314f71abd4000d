// Package testkit gives tests the real servers of the system on random ports of
// loopback, and cleans them up: a broker, InfluxDB, databases, a browser.
//
// Where a server cannot be had a test is skipped on a desk and fails where
// CI=true.
package testkit

import (
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
// error when that takes longer than within; three times as long in continuous
// integration, whose machines do other work beside. A time that is promised is
// judged with [Within].
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		within *= 3
	}
	Within(t, within, check)
}

// Within waits until check returns nil, and fails the test with its last error
// when that takes longer, whatever else the machine does.
func Within(t testing.TB, within time.Duration, check func() error) {
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
