package tour

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// wire is what the browser tells of its requests.
type wire struct {
	close context.CancelFunc

	mu     sync.Mutex
	asked  map[network.RequestID]string // host
	kept   map[network.RequestID]bool   // answered by the cache
	bytes  map[network.RequestID]float64
	failed error
}

// newWire listens from now on.
func newWire(ctx context.Context) *wire {
	ctx, cancel := context.WithCancel(ctx)
	w := &wire{close: cancel, asked: map[network.RequestID]string{}, kept: map[network.RequestID]bool{}, bytes: map[network.RequestID]float64{}}
	asked, kept := chromedp.Events(ctx, network.RequestWillBeSent), chromedp.Events(ctx, network.RequestServedFromCache)
	ended, failed := chromedp.Events(ctx, network.LoadingFinished), chromedp.Events(ctx, network.LoadingFailed)
	go func() {
		for e, err := range asked {
			if err == nil {
				w.note(func() { w.asked[e.RequestID] = hostOf(e.Request.URL) })
			}
		}
	}()
	go func() {
		for e, err := range kept {
			if err == nil {
				w.note(func() { w.kept[e.RequestID] = true })
			}
		}
	}()
	go func() {
		for e, err := range ended {
			if err == nil {
				w.note(func() { w.bytes[e.RequestID] = e.EncodedDataLength })
			}
		}
	}()
	go func() {
		for e, err := range failed {
			if err == nil {
				w.note(func() { w.failed = errors.New(e.ErrorText) })
			}
		}
	}()
	return w
}

func (w *wire) note(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// weight waits until every request has ended.
func (w *wire) weight(home string) (Weight, error) {
	for deadline := time.Now().Add(pageLoads); ; time.Sleep(10 * time.Millisecond) {
		sum, open, err := w.sum(home)
		if err != nil || !open {
			return sum, err
		}
		if time.Now().After(deadline) {
			return sum, errors.New("the page goes on loading")
		}
	}
}

func (w *wire) sum(home string) (sum Weight, open bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, host := range w.asked {
		bytes, ended := w.bytes[id]
		open = open || !ended
		if w.kept[id] || host == "" {
			continue
		}
		sum.Bytes += int(bytes)
		if bytes > 0 {
			sum.Requests++
		}
		if host != home {
			sum.Third++
		}
	}
	return sum, open || len(w.asked) == 0, w.failed
}
