package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// figures are what the runs of everybody gave.
type figures struct {
	ours, oursMB, peer, peerMB, limit []float64
}

// compare runs ours, the peer and the limit in turn, again and again, so that
// whatever else the machine does meets all of them.
func (c *commands) compare(ctx context.Context, l load, limit func(context.Context, load) (result, error)) (f figures, err error) {
	c.say("%d messages of %d readings a run, %d runs", l.messages, l.size, c.Repeat)
	for n := range c.Repeat {
		straight, err := limit(ctx, l)
		if err != nil {
			return f, err
		}
		own, err := c.race(ctx, ours(), l)
		if err != nil {
			return f, err
		}
		f.limit, f.ours, f.oursMB = append(f.limit, straight.perSecond), append(f.ours, own.perSecond), append(f.oursMB, own.peakMB)
		said := fmt.Sprintf("  run %d: the limit %.0f readings/s, the collector %.0f in %.0f MB", n+1, straight.perSecond, own.perSecond, own.peakMB)
		if !c.NoPeer {
			other, err := c.race(ctx, telegraf(), l)
			if err != nil {
				return f, err
			}
			f.peer, f.peerMB = append(f.peer, other.perSecond), append(f.peerMB, other.peakMB)
			said += fmt.Sprintf(", Telegraf %.0f in %.0f MB", other.perSecond, other.peakMB)
		}
		c.say("%s", said)
	}
	return f, nil
}

// median is nil for nothing measured.
func median(figures []float64) *float64 {
	if len(figures) == 0 {
		return nil
	}
	return bench.Figure(bench.Median(figures))
}

func timesPeer(times float64) func(bench.Row) bool {
	return func(r bench.Row) bool { return r.Peer != nil && r.Ours >= times**r.Peer }
}

func shareOfLimit(share float64) func(bench.Row) bool {
	return func(r bench.Row) bool { return r.Limit != nil && r.Ours >= share**r.Limit }
}

const rate = "readings/s"

// packs measures messages of 100 readings, and what memory that takes.
func (c *commands) packs(ctx context.Context) ([]bench.Row, error) {
	f, err := c.compare(ctx, load{size: 100, messages: c.Packs, begin: begin()}, c.straight)
	if err != nil {
		return nil, err
	}
	return []bench.Row{
		bench.New(bench.Row{Bench: "ingest-packs", Ours: bench.Median(f.ours), Peer: median(f.peer), Limit: median(f.limit), Unit: rate,
			Note: "limit: prepared lines straight into InfluxDB"},
			bench.All("at least 2 x Telegraf and 0.5 x the limit", timesPeer(2), shareOfLimit(0.5))),
		bench.New(bench.Row{Bench: "ingest-memory", Ours: bench.Median(f.oursMB), Peer: median(f.peerMB), Unit: "MB resident at most"},
			bench.All("at most 150 MB and a fifth of Telegraf's", func(r bench.Row) bool { return r.Ours <= 150 },
				func(r bench.Row) bool { return r.Peer != nil && r.Ours <= *r.Peer/5 })),
	}, nil
}

// singles measures messages of one reading.
func (c *commands) singles(ctx context.Context) ([]bench.Row, error) {
	f, err := c.compare(ctx, load{size: 1, messages: c.Singles, begin: begin()}, c.discarding)
	if err != nil {
		return nil, err
	}
	return []bench.Row{bench.New(bench.Row{Bench: "ingest-single", Ours: bench.Median(f.ours), Peer: median(f.peer), Limit: median(f.limit), Unit: rate,
		Note: "limit: the same publishers, and a subscriber that acknowledges and discards"},
		bench.All("at least 1.1 x Telegraf and 0.85 x the broker", timesPeer(1.1), shareOfLimit(0.85)))}, nil
}

// discarding is what the broker lets through to somebody who does nothing.
func (c *commands) discarding(ctx context.Context, l load) (r result, err error) {
	s, err := c.newSystem(ctx)
	if err != nil {
		return r, err
	}
	defer s.stop()
	payloads := make([][][]byte, gateways)
	for g := range payloads {
		if payloads[g], err = l.packs(g); err != nil {
			return r, err
		}
	}
	hearer, err := connect(s.broker, "discards")
	if err != nil {
		return r, err
	}
	defer hearer.close()
	if err := hearer.subscribe("$share/collectors/xnet/v1/+/+/readings"); err != nil {
		return r, err
	}
	all := (l.share() - warm) * gateways
	heard, first := make(chan struct{}), make(chan struct{})
	count := 0
	go hearer.discard(func([]byte) {
		switch count++; count {
		case warm * gateways:
			close(first)
		case warm*gateways + all:
			close(heard)
		}
	})
	if err := s.send(payloads, 0, warm); err != nil {
		return r, err
	}
	<-first
	start := time.Now()
	var sending errgroup.Group
	sending.Go(func() error { return s.send(payloads, warm, l.share()) })
	if err := sending.Wait(); err != nil {
		return r, err
	}
	select {
	case <-heard:
	case <-time.After(time.Minute):
		return r, fmt.Errorf("the broker let %d of %d messages through in a minute", count, all)
	}
	r.perSecond = float64(all*l.size) / time.Since(start).Seconds()
	return r, nil
}
