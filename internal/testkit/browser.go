package testkit

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// How long a browser may take to start and to end. On a busy machine Chromium
// sometimes does neither, and whoever waits for it waits for ever.
const (
	browserStart = 45 * time.Second
	browserEnd   = 10 * time.Second
	browserTries = 3
	browserUse   = 3 * time.Minute
)

// Browser starts Chromium, opens the page at address in it, and returns the
// context that chromedp's actions want; it ends with the test, or after three
// minutes. Without Chromium the test is skipped, or fails where CI=true.
func Browser(t testing.TB, address string) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		Unavailable(t, "no Chromium: install Debian's package chromium")
	}
	for try := 1; ; try++ {
		ctx, err := startBrowser(t, path, address)
		if err == nil {
			return ctx
		}
		if try == browserTries {
			t.Fatalf("start Chromium: %v", err)
		}
		t.Logf("start Chromium: %v; once more", err)
	}
}

func startBrowser(t testing.TB, path, address string) (context.Context, error) {
	use, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), browserUse)
	allocator, stopProcess := chromedp.NewExecAllocator(use, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Headless)
	browser, stopTab := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		within(browserEnd, func() { stopTab(); stopProcess() })
		cancel()
	})
	var err error
	if !within(browserStart, func() { err = chromedp.Do(browser, chromedp.Navigate(address)) }) {
		return nil, errors.New("it does not answer")
	}
	return browser, err
}

// within reports whether do ended in time; it is left alone if not.
func within(d time.Duration, do func()) bool {
	ended := make(chan struct{})
	go func() { defer close(ended); do() }()
	select {
	case <-ended:
		return true
	case <-time.After(d):
		return false
	}
}
