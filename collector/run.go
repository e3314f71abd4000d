package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/ingest"
	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/watchdog"
)

// A meter is rolled up when it was quiet for a moment, so that a back-fill reads
// its year once, and at the latest after a while.
const (
	quiet  = time.Second
	atMost = 10 * time.Second
)

// softLimit is what the collector tries to stay below, in bytes: three times what
// waits in it at most. Above it memory is given back sooner, for more processor
// time; starved of that time it once took 205 MB for what 62 MB hold.
const softLimit = 128 << 20

type runCommand struct {
	AllowShorter bool `help:"Let InfluxDB keep less than it does now where influx.keep says so. What is older is deleted for good."`
}

// Run collects until the context ends, and then stores and answers what it has.
func (r *runCommand) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	c.Influx.AllowShorter = r.AllowShorter
	if e.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
	log := e.logger(c)
	registry := figures.NewRegistry()
	registry.MustRegister(figures.NewStanding([]string{c.Broker.CAFile, c.Broker.CertificateFile}, []string{c.Quarantine.Dir}))
	parts, err := open(c, log, registry)
	if err != nil {
		return err
	}
	defer parts.Store.Close()
	in, err := ingest.New(c.ingest(), parts)
	if err != nil {
		return errors.Join(err, parts.Rollup.Close())
	}
	ctx, cancel := context.WithCancel(e.ctx)
	served, err := figures.Serve(ctx, c.Figures, figures.Handler(registry, func() error { return in.Ready(ctx) }))
	if err != nil {
		cancel()
		return errors.Join(err, parts.Rollup.Close())
	}
	log.Info("collector starts", "broker", c.Broker.URL, "influxdb", c.Influx.URL, "figures", c.Figures)
	healthy := watchdog.Answers(c.Figures)
	var watched sync.WaitGroup
	watched.Go(func() {
		watchdog.New(e.getenv, log).Run(ctx, func(ctx context.Context) error { return errors.Join(in.Advances(), healthy(ctx)) })
	})
	err = work(ctx, in, parts.Rollup)
	cancel()
	watched.Wait()
	err = errors.Join(err, <-served, parts.Rollup.Close())
	log.Info("collector ended")
	return err
}

// work runs the ingester, and the rollup until the ingester has ended: the last
// batches are marked before the journal closes.
func work(ctx context.Context, in *ingest.Ingester, r *rollup.Rollup) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var rolling sync.WaitGroup
	rolling.Go(func() { r.Run(ctx) })
	err := in.Run(ctx)
	cancel()
	rolling.Wait()
	return err
}

// open opens what the ingester works with. It does not use the network.
func open(c Config, log *slog.Logger, registry *prometheus.Registry) (ingest.Parts, error) {
	kept, err := quarantine.Open(c.Quarantine.Dir, c.Quarantine.MaxBytes)
	if err != nil {
		return ingest.Parts{}, err
	}
	store, err := influx.Open(c.Influx)
	if err != nil {
		return ingest.Parts{}, err
	}
	directory := &sites.Directory{}
	settings := rollup.Config{Journal: filepath.Join(c.Quarantine.Dir, "rollup.journal"), Quiet: quiet, AtMost: atMost}
	r, err := rollup.New(settings, store, directory, log, registry)
	if err != nil {
		return ingest.Parts{}, err
	}
	return ingest.Parts{Store: store, Rollup: r, Quarantine: kept, Sites: directory, Log: log, Figures: registry}, nil
}

func (c Config) ingest() ingest.Config {
	in := ingest.DefaultConfig()
	in.Broker, in.BatchReadings, in.BatchAge = c.Broker, c.Ingest.BatchReadings, c.Ingest.BatchAge
	return in
}
