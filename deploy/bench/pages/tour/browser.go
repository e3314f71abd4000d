package tour

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Times that Chromium may take: to start, to end, and for one page.
const (
	browserStarts = time.Minute
	browserEnds   = 10 * time.Second
	pageLoads     = time.Minute
)

// A Browser is a Chromium with one window.
type Browser struct {
	ctx  context.Context
	stop func()
}

// OpenBrowser starts Debian's Chromium without a screen. The caller closes it.
func OpenBrowser(ctx context.Context) (*Browser, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("no Chromium: install Debian's package chromium: %w", err)
	}
	allocator, stopProcess := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Headless)
	window, stopWindow := chromedp.NewContext(allocator)
	b := &Browser{window, func() { stopWindow(); stopProcess() }}
	started := make(chan error, 1)
	go func() { started <- chromedp.Do(window, chromedp.Navigate("about:blank")) }()
	select {
	case err = <-started:
	case <-time.After(browserStarts):
		err = errors.New("it does not answer")
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return b, nil
}

// Close ends Chromium, which on a busy machine sometimes does not hear of it: the
// kernel ends it with this program.
func (b *Browser) Close() {
	ended := make(chan struct{})
	go func() { defer close(ended); b.stop() }()
	select {
	case <-ended:
	case <-time.After(browserEnds):
	}
}

// Become forgets who sat there and lets the browser be the visitor's, in a language.
func (b *Browser) Become(v Visitor, site, language string) error {
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, struct{}{}); err != nil {
		return fmt.Errorf("forget who sat there: %w", err)
	}
	if err := b.Forget(); err != nil {
		return err
	}
	kept := map[string]string{"xnet_langue": language}
	for _, c := range v.Cookies {
		if c.Name != "xnet_langue" {
			kept[c.Name] = c.Value
		}
	}
	for name, text := range kept {
		if _, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: text, URL: site}); err != nil {
			return fmt.Errorf("cookie %s: %w", name, err)
		}
	}
	return nil
}

// Forget empties the cache, as on a first visit.
func (b *Browser) Forget() error {
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCache, struct{}{}); err != nil {
		return fmt.Errorf("empty the cache: %w", err)
	}
	return nil
}

// Show opens a page in a window of that width and waits until it is complete.
func (b *Browser) Show(address string, width int64) error {
	ctx, cancel := context.WithTimeout(b.ctx, pageLoads)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address)); err != nil {
		return fmt.Errorf("show %s: %w", address, err)
	}
	return nil
}

// Ask runs a script in the page that is shown and returns its text; a promise is
// waited for.
func (b *Browser) Ask(script string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, pageLoads)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
}

// Picture returns the whole page that is shown as PNG.
func (b *Browser) Picture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(b.ctx, pageLoads)
	defer cancel()
	return chromedp.Run(ctx, chromedp.FullScreenshot(100))
}

// A Line is how fast pages come, and how much slower than this machine the
// browser's processor is. The zero Line is what there is.
type Line struct {
	BytesPerSecond float64
	Latency        time.Duration // of each request
	Slower         float64       // times; 1 for as it is
}

// Through lets pages come by the line from now on.
func (b *Browser) Through(l Line) error {
	all := &network.Conditions{Latency: float64(l.Latency.Milliseconds()), DownloadThroughput: -1, UploadThroughput: -1}
	if l.BytesPerSecond > 0 {
		all.DownloadThroughput, all.UploadThroughput = l.BytesPerSecond, l.BytesPerSecond
	}
	_, err := chromedp.Call(b.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{all}})
	if err == nil {
		_, err = chromedp.Call(b.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: max(1, l.Slower)})
	}
	if err != nil {
		return fmt.Errorf("slow line: %w", err)
	}
	return nil
}
