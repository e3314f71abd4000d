package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/watchdog"
	"github.com/xnetroseraie/xnet/internal/wire"
)

type runCommand struct{}

// A gateway is the running program: pollers fill the spool, the uplink empties
// it.
type gateway struct {
	local    *firmwareconfig.Gateway // what the board's file said at the start
	config   *firmwareconfig.Gateway // what counted then
	remote   *remote
	log      *slog.Logger
	clock    *clock.Clock
	spool    *spool.Spool
	filter   *privacy.Filter
	registry *prometheus.Registry
	hold     *clock.Hold
	pollers  *poll.Group
	uplink   *uplink.Uplink
	boot     string
	dog      *watchdog.Dog
	erased   map[metering.MeterID]int64 // until when, in ms since 1970, as last learnt
}

// Run reads and sends until interrupted.
func (*runCommand) Run(e *environment) error {
	local, err := e.loadFile()
	if err != nil {
		return err
	}
	g, err := newGateway(local, e.logger())
	if err != nil {
		return err
	}
	g.dog = watchdog.New(e.getenv, g.log)
	err = g.run(e.ctx, func(ctx context.Context) error { return g.watch(ctx, e.config, e.loadFile) })
	return errors.Join(err, g.hold.Close(), g.filter.Close(), g.spool.Close())
}

func newGateway(local *firmwareconfig.Gateway, log *slog.Logger) (*gateway, error) {
	g := &gateway{local: local, log: log, registry: figures.NewRegistry(), boot: rand.Text()}
	var err error
	if g.remote, err = openRemote(local, log); err != nil {
		return nil, err
	}
	g.config = g.remote.over(local)
	g.remote.resume(g.config)
	c := g.config
	if g.clock, err = clock.New(c.Clock.Trust); err != nil {
		return nil, err
	}
	password, err := config.Secret(c.Broker.PasswordFile)
	if err != nil {
		return nil, err
	}
	if g.spool, g.filter, err = open(c, spool.Options{Log: log, Now: g.clock.Now}); err != nil {
		return nil, err
	}
	if err := g.filter.Remember(); err != nil {
		return nil, errors.Join(err, g.spool.Close())
	}
	g.clock.NotBefore(g.spool.LastAppended())
	g.hold = clock.NewHold(g.clock, g.spool.LastAppended(), 0, g.keep, log)
	g.hold.Register(g.registry)
	g.spool.Register(g.registry)
	g.pollers, err = poll.NewGroup(c.Buses, poll.Options{Clock: g.clock, Sink: g.hold.Keep,
		Figures: poll.NewFigures(g.registry), Log: log})
	if err != nil {
		return nil, errors.Join(err, g.spool.Close())
	}
	g.uplink = uplink.New(uplink.Options{
		Source: wire.Source{Site: c.Site, Gateway: c.Gateway},
		URL:    c.Broker.URL, Username: c.Broker.Username, Password: password,
		CAFile: c.Broker.CAFile, CertificateFile: c.Broker.CertificateFile, KeyFile: c.Broker.KeyFile,
		ResendAfter: c.Broker.ResendAfter,
		State:       g.state, Meters: g.meters, Registry: g.learn, Config: g.remote.offer,
	}, g.spool, uplink.NewFigures(g.registry), log)
	return g, nil
}

func (g *gateway) run(ctx context.Context, watch func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	served, err := figures.Serve(ctx, g.config.Figures, figures.Handler(g.registry, g.ready))
	if err != nil {
		return err
	}
	g.log.Info("gateway runs", "site", g.config.Site, "gateway", g.config.Gateway,
		"buses", g.pollers.Buses(), "meters", len(g.config.Meters()), "spool", g.spool.ID())
	group.Go(func() error { return g.pollers.Run(ctx) })
	group.Go(func() error { return watch(ctx) })
	group.Go(func() error { return g.uplink.Run(ctx) })
	group.Go(func() error { return <-served })
	group.Go(func() error {
		g.dog.Run(ctx, func(context.Context) error { return g.pollers.Advances() })
		return nil
	})
	err = group.Wait()
	g.log.Info("gateway ends")
	return err
}

// learn takes over a registry. Where it tells of an erasure, what the spool holds
// of that time goes from the disk as soon as it is answered.
func (g *gateway) learn(registry wire.Registry) error {
	if err := g.filter.Apply(registry); err != nil {
		return err
	}
	erased := map[metering.MeterID]int64{}
	for _, m := range registry.Meters {
		if m.ErasedUntilMs > 0 {
			erased[m.Meter] = m.ErasedUntilMs
		}
	}
	if maps.Equal(erased, g.erased) {
		return nil
	}
	g.erased = erased
	return g.spool.Seal()
}

// keep is the pollers' sink: what may leave the dwelling goes to the spool.
func (g *gateway) keep(readings []wire.UnitReading) error {
	return g.filter.Sift(readings, g.spool.Append)
}

func (g *gateway) ready() error {
	if !g.uplink.Connected() {
		return fmt.Errorf("the broker %s is away: readings wait in the spool", g.config.Broker.URL)
	}
	return nil
}

func (g *gateway) state() wire.State {
	counts := g.spool.Counts()
	applied, fault := g.remote.told()
	return wire.State{Online: true, Version: version(), Boot: g.boot, Clock: g.clock.State(),
		AtMs: time.Now().UnixMilli(), SpoolPacks: int64(counts.Packs), SpoolOldestMs: wire.Millis(counts.Oldest), SpoolAlarm: counts.Alarm,
		Config: applied, ConfigFault: fault}
}

func (g *gateway) meters() wire.Meters {
	m := wire.Meters{AtMs: time.Now().UnixMilli()}
	for _, r := range g.pollers.Report() {
		r.LastGoodMs = g.placed(r.LastGoodMs)
		r.Resolution = g.filter.Resolution(r.Meter)
		m.Meters = append(m.Meters, r)
	}
	return m
}

// placed is when a meter was last read well, 0 while the clock cannot tell.
func (g *gateway) placed(ms int64) int64 {
	if at, ok := g.clock.Place(wire.Instant(ms)); ok && ms != 0 {
		return at.UnixMilli()
	}
	return 0
}

func version() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		return build.Main.Version
	}
	return "unknown"
}
