package tour

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A Weight is what a page brought over the wire.
type Weight struct {
	Bytes    int // heads and bodies of all answers, as they travelled
	Requests int // that left the browser
	Third    int // of them, to other sites
}

// Weigh opens a page and counts what came over the wire for it. The icon, which a
// browser without a screen does not ask for, is asked for as well.
func (b *Browser) Weigh(address string) (Weight, error) {
	home, err := url.Parse(address)
	if err != nil {
		return Weight{}, fmt.Errorf("address %s: %w", address, err)
	}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		return Weight{}, fmt.Errorf("watch the wire: %w", err)
	}
	heard := newWire(b.ctx)
	defer heard.close()
	if err := b.Show(address, 1280); err != nil {
		return Weight{}, err
	}
	if _, err := b.Ask(`fetch(document.querySelector("link[rel=icon]").href).then(a => a.text()).then(() => "")`); err != nil {
		return Weight{}, fmt.Errorf("icon of %s: %w", address, err)
	}
	return heard.weight(home.Host)
}

// Paint is when a page showed its largest part, and how much moved meanwhile.
type Paint struct {
	LargestMs float64 `json:"largest"`
	Shift     float64 `json:"shift"` // cumulative layout shift; 0 where nothing moved
}

const watchPaint = `new Promise(done => {
	let largest = 0, shift = 0
	new PerformanceObserver(l => l.getEntries().forEach(e => largest = Math.max(largest, e.renderTime || e.loadTime || e.startTime))).observe({type: "largest-contentful-paint", buffered: true})
	new PerformanceObserver(l => l.getEntries().forEach(e => shift += e.value)).observe({type: "layout-shift", buffered: true})
	setTimeout(() => done(JSON.stringify({largest, shift})), 1500)
})`

// Paint tells of the page that is shown, once nothing has changed for a while.
func (b *Browser) Paint() (p Paint, err error) {
	text, err := b.Ask(watchPaint)
	if err == nil {
		err = json.Unmarshal([]byte(text), &p)
	}
	if err == nil && p.LargestMs == 0 {
		err = fmt.Errorf("the browser tells no largest paint: %s", text)
	}
	return p, err
}
