package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/gateway/poll"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/wire"
)

type runCommand struct{}

// A gateway is the running program: pollers fill the spool, the uplink empties
// it.
type gateway struct {
	config   *firmwareconfig.Gateway
	log      *slog.Logger
	clock    *clock.Clock
	spool    *spool.Spool
	filter   *privacy.Filter
	registry *prometheus.Registry
	pollers  []*poll.Poller
	uplink   *uplink.Uplink
	boot     string
}

// Run reads and sends until interrupted.
func (*runCommand) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	g, err := newGateway(c, e.logger())
	if err != nil {
		return err
	}
	return errors.Join(g.run(e.ctx), g.spool.Close())
}

func newGateway(c *firmwareconfig.Gateway, log *slog.Logger) (*gateway, error) {
	g := &gateway{config: c, log: log, registry: figures.NewRegistry(), boot: rand.Text()}
	var err error
	if g.clock, err = clock.New(c.Clock.Trust); err != nil {
		return nil, err
	}
	password, err := config.Secret(c.Broker.PasswordFile)
	if err != nil {
		return nil, err
	}
	if g.spool, g.filter, err = open(c, spool.Options{}); err != nil {
		return nil, err
	}
	pollFigures := poll.NewFigures(g.registry)
	for _, b := range c.Buses {
		p, err := poll.New(b, g.clock, g.keep, pollFigures, log)
		if err != nil {
			return nil, errors.Join(err, g.spool.Close())
		}
		g.pollers = append(g.pollers, p)
	}
	g.registerSpool()
	g.uplink = uplink.New(uplink.Options{
		Source: wire.Source{Site: c.Site, Gateway: c.Gateway},
		URL:    c.Broker.URL, Username: c.Broker.Username, Password: password,
		ResendAfter: c.Broker.ResendAfter,
		State:       g.state, Meters: g.meters, Registry: g.filter.Apply,
	}, g.spool, uplink.NewFigures(g.registry), log)
	return g, nil
}

func (g *gateway) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	served, err := figures.Serve(ctx, g.config.Figures, figures.Handler(g.registry, g.ready))
	if err != nil {
		return err
	}
	g.log.Info("gateway runs", "site", g.config.Site, "gateway", g.config.Gateway,
		"buses", len(g.pollers), "meters", len(g.config.Meters()), "spool", g.spool.ID())
	for _, p := range g.pollers {
		group.Go(func() error { return p.Run(ctx) })
	}
	group.Go(func() error { return g.uplink.Run(ctx) })
	group.Go(func() error { return <-served })
	err = group.Wait()
	g.log.Info("gateway ends")
	return err
}

// keep is the pollers' sink: what may leave the dwelling goes to the spool.
func (g *gateway) keep(readings []wire.UnitReading) error {
	passed := readings[:0]
	for _, r := range readings {
		if g.filter.Pass(r.Reading) {
			passed = append(passed, r)
		}
	}
	return g.spool.Append(passed)
}

func (g *gateway) ready() error {
	if !g.uplink.Connected() {
		return fmt.Errorf("the broker %s is away: readings wait in the spool", g.config.Broker.URL)
	}
	return nil
}

func (g *gateway) state() wire.State {
	counts := g.spool.Counts()
	return wire.State{Online: true, Version: version(), Boot: g.boot, Clock: g.clock.State(),
		AtMs: time.Now().UnixMilli(), SpoolPacks: int64(counts.Packs), SpoolOldestMs: wire.Millis(counts.Oldest)}
}

func (g *gateway) meters() wire.Meters {
	m := wire.Meters{AtMs: time.Now().UnixMilli()}
	for _, p := range g.pollers {
		for _, r := range p.Report() {
			r.Resolution = g.filter.Resolution(r.Meter)
			m.Meters = append(m.Meters, r)
		}
	}
	return m
}

func version() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		return build.Main.Version
	}
	return "unknown"
}

// registerSpool adds the spool's depth and losses to the metrics.
func (g *gateway) registerSpool() {
	gauge := func(name, help string, read func(spool.Counts) float64) {
		g.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return read(g.spool.Counts()) }))
	}
	gauge("xnet_gateway_spool_packs", "Packs that wait to be stored.",
		func(c spool.Counts) float64 { return float64(c.Packs) })
	gauge("xnet_gateway_spool_bytes", "Size of the spool's segments.",
		func(c spool.Counts) float64 { return float64(c.Bytes) })
	gauge("xnet_gateway_spool_dropped_packs", "Packs that went because the spool was full.",
		func(c spool.Counts) float64 { return float64(c.Dropped) })
	gauge("xnet_gateway_spool_cut_bytes", "Bytes behind damage that were cut off when the spool was opened.",
		func(c spool.Counts) float64 { return float64(c.CutBytes) })
	gauge("xnet_gateway_spool_oldest_seconds", "Age of the oldest pack that waits.", func(c spool.Counts) float64 {
		if c.Oldest.IsZero() {
			return 0
		}
		return time.Since(c.Oldest).Seconds()
	})
	gauge("xnet_gateway_clock_trusted", "1 while the clock is believed.", func(spool.Counts) float64 {
		if g.clock.State() == wire.ClockTrusted {
			return 1
		}
		return 0
	})
}
