package main

import (
	"context"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/pages/tour"
)

// Goals of a tenant's pages.
const (
	mostFirstKB  = 60
	mostNextKB   = 20
	mostRequests = 4
	mostPaintMs  = 1000

	kilobyte = 1000
)

// A heaviest is the page that weighs most, and the most requests of any.
type heaviest struct {
	tour.Weight
	page            string
	requests, third int
	pages           int
}

func (h *heaviest) add(page string, w tour.Weight) {
	h.pages++
	h.requests, h.third = max(h.requests, w.Requests), max(h.third, w.Third)
	if w.Bytes > h.Bytes {
		h.Weight, h.page = w, page
	}
}

func (h heaviest) row(name string, most float64) bench.Row {
	row := bench.Row{Bench: name, Ours: float64(h.Bytes) / kilobyte, Unit: "kB",
		Note: fmt.Sprintf("the heaviest of %d pages of tenants, %s; at most %d requests, %d to others", h.pages, h.page, h.requests, h.third)}
	return bench.New(row, bench.All(fmt.Sprintf("at most %.0f kB and %d requests, none to others", most, mostRequests),
		func(r bench.Row) bool { return r.Ours <= most && h.pages > 0 },
		func(bench.Row) bool { return h.requests <= mostRequests && h.third == 0 }))
}

// weights weighs every page of every tenant, in a browser that has seen nothing and
// in one that has seen the first page.
func (c *commands) weights(ctx context.Context) ([]bench.Row, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	var first, next heaviest
	for _, v := range c.tenants() {
		if err := c.browser.Become(v, c.demo.URL, "fr"); err != nil {
			return nil, err
		}
		for _, page := range v.Pages {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err := c.browser.Forget(); err != nil {
				return nil, err
			}
			once, err := c.browser.Weigh(c.demo.URL + page)
			if err != nil {
				return nil, err
			}
			again, err := c.browser.Weigh(c.demo.URL + page)
			if err != nil {
				return nil, err
			}
			first.add(page, once)
			next.add(page, again)
		}
		c.say("  %s: weighed; the heaviest so far has %d bytes", v.About, first.Bytes)
	}
	return []bench.Row{first.row("page-weight", mostFirstKB), next.row("page-weight-next", mostNextKB)}, nil
}

// slow is a computer and a line as the oldest that families have: 1.5 Mbit/s, an
// answer after 80 ms, a processor six times slower.
var slow = tour.Line{BytesPerSecond: 1_500_000 / 8, Latency: 80 * time.Millisecond, Slower: 6}

// largestPaint shows the first page of a household that is read finely, which has
// the most on it, as on a first visit.
func (c *commands) largestPaint(ctx context.Context) ([]bench.Row, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	if err := c.browser.Become(c.tenants()[0], c.demo.URL, "fr"); err != nil {
		return nil, err
	}
	if err := c.browser.Show(c.demo.URL+"/", 1280); err != nil { // not the program's first
		return nil, err
	}
	times, shift, err := c.paints(ctx)
	if err != nil {
		return nil, err
	}
	row := bench.Row{Bench: "largest-paint", Ours: bench.Median(times) / 1000, Unit: "s", Note: fmt.Sprintf("the middle of %.0f ms; what moved: %.3f", times, shift)}
	return []bench.Row{bench.New(row, bench.All("at most 1 s, nothing moves", func(r bench.Row) bool { return r.Ours*1000 <= mostPaintMs },
		func(bench.Row) bool { return shift == 0 }))}, nil
}

func (c *commands) paints(ctx context.Context) (times []float64, shift float64, err error) {
	if err := c.browser.Through(slow); err != nil {
		return nil, 0, err
	}
	defer func() { _ = c.browser.Through(tour.Line{}) }()
	for range c.Paints {
		if err := c.browser.Forget(); err != nil {
			return nil, 0, err
		}
		if err := c.browser.Show(c.demo.URL+"/", 1280); err != nil {
			return nil, 0, err
		}
		p, err := c.browser.Paint()
		if err != nil {
			return nil, 0, err
		}
		times, shift = append(times, p.LargestMs), max(shift, p.Shift)
	}
	return times, shift, ctx.Err()
}
