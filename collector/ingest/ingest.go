// Package ingest takes packs of readings from the broker, checks them, writes
// them to InfluxDB, and only then tells their gateways that they are stored.
//
// Packs travel through three stages: the broker's handler queues them, one
// intake decodes, checks and batches them, writers store the batches and answer.
// A PUBACK proves nothing here: packs are acknowledged to the broker when they
// are queued, and to the gateway when they are durable. A gateway sends again
// what is not answered, so each stage may drop what it cannot finish.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/arrivals"
	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Config is how packs are received and batched. [DefaultConfig] fills it.
type Config struct {
	Broker        Broker
	BatchReadings int           // a batch is written when it has so many readings
	BatchAge      time.Duration // or when its first pack has waited so long
	Writers       int           // batches written at a time
	Queue         int           // packs held in memory before the broker must wait
	RoomBytes     int           // and so many bytes of them; a batch holds a sixth of it at most
	Hold          time.Duration // how long a pack waits for its site's registry
	GiveUp        time.Duration // leave the broker when InfluxDB was away for so long
	Drain         time.Duration // how long the end may take
	// AttemptTimeout ends a request that InfluxDB does not answer; it is made
	// again.
	AttemptTimeout time.Duration
	Arrivals       time.Duration // how often arrivals are written
}

// DefaultConfig is what suits all sizes.
func DefaultConfig() Config {
	return Config{BatchReadings: 10_000, BatchAge: 50 * time.Millisecond, Writers: 4, Queue: 1000, RoomBytes: 48 << 20,
		Hold: 30 * time.Second, GiveUp: 15 * time.Second, Drain: 10 * time.Second, AttemptTimeout: 30 * time.Second, Arrivals: time.Minute}
}

// Parts are what an [Ingester] works with; all are required.
type Parts struct {
	Store      *influx.Client
	Rollup     *rollup.Rollup
	Quarantine *quarantine.Quarantine
	Sites      *sites.Directory
	Log        *slog.Logger
	Figures    prometheus.Registerer
}

// An Ingester is the way of a pack from the broker to InfluxDB.
type Ingester struct {
	Parts
	config  Config
	figures *figures
	link    *link // what comes in: readings and registries
	answers *link // what goes out: it would wait behind the acknowledgements of what comes in
	queue   chan *message
	changed chan struct{} // a registry came
	ready   atomic.Bool   // InfluxDB is set up
	failing atomic.Int64  // since when InfluxDB fails, in ms since 1970; 0 for not

	accepted atomic.Int64 // writes that InfluxDB took
	writing  atomic.Int64 // batches in the hands of the writers
	written  chan *batch  // whose memory may be used again
	room     room
	keeping  sync.RWMutex  // held for reading while a pack is kept, for writing while the quarantine is swept
	erasures chan struct{} // a registry came that may say of erasures
	arrivals *arrivals.Watch
	beat     atomic.Int64 // when the intake last went round, in ms since 1970; 0: it does not run
}

// New prepares an ingester; [Ingester.Run] starts it.
func New(c Config, p Parts) (*Ingester, error) {
	in := &Ingester{Parts: p, config: c, queue: make(chan *message, max(1, c.Queue/2)), changed: make(chan struct{}, 1),
		room: newRoom(c.RoomBytes), written: make(chan *batch, max(1, c.Writers)), erasures: make(chan struct{}, 1), arrivals: arrivals.New()}
	in.figures = newFigures(func() float64 { return float64(len(in.queue)) },
		func() float64 { return float64(p.Quarantine.Size()) })
	if err := errors.Join(in.figures.register(p.Figures), p.Figures.Register(in.arrivals)); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	if err := in.newLinks(); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	return in, nil
}

// newLinks prepares two connections. A broker reads acknowledgements one by one,
// and lets them wait while publishers keep it busy: on one connection answers
// were seconds late.
func (in *Ingester) newLinks() (err error) {
	broker := in.config.Broker.named()
	if in.link, err = newLink(broker, in.Log, in.receive, wire.AllRegistries, wire.SharedReadings); err != nil {
		return err
	}
	broker.ClientID += "-answers"
	in.answers, err = newLink(broker, in.Log, nil)
	return err
}

func (in *Ingester) connect() {
	in.answers.connect()
	in.link.connect()
}

func (in *Ingester) disconnect() {
	in.link.disconnect()
	in.answers.disconnect()
}

// Run works until ctx ends; then it stores and answers what it has, within
// Config.Drain. It waits for InfluxDB and for the broker. The only error is a
// set-up of InfluxDB that waiting cannot mend.
func (in *Ingester) Run(ctx context.Context) error {
	if err := in.setUp(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	in.ready.Store(true)
	in.connect()
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() { time.AfterFunc(in.config.Drain, cancel) })

	batches := make(chan *batch)
	var work errgroup.Group
	work.Go(func() error { newIntake(in, batches).run(ctx, last); return nil })
	for range max(1, in.config.Writers) {
		work.Go(func() error { in.write(last, batches); return nil })
	}
	watched := make(chan struct{})
	go func() { defer close(watched); in.watch(ctx) }()
	work.Go(func() error { in.sweepAsTold(ctx); return nil })
	work.Go(func() error { in.tellArrivals(ctx); return nil })
	err := work.Wait()
	<-watched
	in.disconnect()
	return err
}

// setUp waits until InfluxDB has its buckets.
func (in *Ingester) setUp(ctx context.Context) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := in.Store.SetUp(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, influx.ErrTemporary) {
			return err
		}
		in.Log.Warn("influxdb is awaited", "error", err, "retry_s", wait.Seconds())
		sleep(ctx, wait)
	}
}

// watch leaves the broker while InfluxDB is away for long, so that other
// collectors get the packs and the broker does not fill up a dead one.
func (in *Ingester) watch(ctx context.Context) {
	for sleep(ctx, 100*time.Millisecond) {
		since := in.failing.Load()
		away := since != 0 && time.Since(time.UnixMilli(since)) >= in.config.GiveUp
		switch open := in.link.isOpen(); {
		case away && open:
			in.Log.Warn("influxdb is away, the broker is left until it answers", "after_s", in.config.GiveUp.Seconds())
			in.disconnect()
		case since == 0 && !open:
			in.Log.Info("influxdb answers again, the broker is joined")
			in.connect()
		}
	}
	in.link.shut()
}

// tellArrivals writes now and then how the readings of the gateways come in. A
// point that cannot be written is left out: the next one says more.
func (in *Ingester) tellArrivals(ctx context.Context) {
	for sleep(ctx, in.config.Arrivals) {
		fresh := in.arrivals.Fresh()
		if err := in.Store.WriteArrivals(ctx, time.Now(), fresh); err != nil && ctx.Err() == nil {
			in.Log.Debug("arrivals are not written", "gateways", len(fresh), "error", err)
		}
	}
}

// Ready returns nil when packs can be received and stored now, else what is
// missing.
func (in *Ingester) Ready(ctx context.Context) error {
	var errs []error
	if !in.link.connected() || !in.answers.connected() {
		errs = append(errs, errors.New("broker: not connected"))
	}
	if err := in.Store.Ping(ctx); err != nil {
		errs = append(errs, fmt.Errorf("influxdb: %w", err))
	} else if !in.ready.Load() {
		errs = append(errs, errors.New("influxdb: buckets not set up yet"))
	}
	return errors.Join(errs...)
}

// stuckAfter is how long the intake may take to go round, which it does several
// times a second also while InfluxDB or the broker is away.
const stuckAfter = 2 * time.Minute

// Advances returns nil while the intake goes round, or does not run because
// InfluxDB is awaited; else it says since when it hangs. It may be called at any
// time.
func (in *Ingester) Advances() error {
	last := in.beat.Load()
	if late := time.Since(time.UnixMilli(last)); last != 0 && late > stuckAfter {
		return fmt.Errorf("the intake has not gone round since %s", late.Round(time.Second))
	}
	return nil
}

// receive is the handler of all that the broker delivers. It only queues, since
// the library reads nothing else meanwhile: while the queue is full the broker
// waits. What it cannot queue before the connection ends is dropped, and sent
// again by its gateway.
func (in *Ingester) receive(topic string, payload []byte, gone <-chan struct{}) {
	source, channel, err := wire.ParseTopic(topic)
	if err != nil || channel != wire.ReadingsChannel {
		if site, err := wire.ParseRegistryTopic(topic); err == nil {
			in.learn(string(site), payload)
		} else {
			in.Log.Warn("message of an unexpected topic", "topic", topic)
		}
		return
	}
	m := &message{topic: topic, source: source, payload: payload}
	if !in.room.take(m, gone) {
		return
	}
	select {
	case in.queue <- m:
		in.figures.packs.Inc()
	case <-gone:
		in.room.give(m)
	}
}

// learn takes over a registry at once: packs may be waiting for it.
func (in *Ingester) learn(site string, payload []byte) {
	if len(payload) == 0 {
		in.Log.Warn("registry was removed, the last one stays in force", "site", site)
		return
	}
	registry, err := wire.DecodeRegistry(payload)
	if err == nil && string(registry.Site) != site {
		err = fmt.Errorf("it names site %s", registry.Site)
	}
	var changed []metering.MeterID
	if err == nil {
		changed, err = in.Sites.Update(registry)
	}
	if err != nil {
		in.Log.Error("registry is not usable: the api must publish it again", "site", site, "error", err)
		return
	}
	in.Rollup.Bound(changed)
	in.Log.Info("registry", "site", site, "meters", len(registry.Meters), "changed", len(changed))
	signal(in.changed)
	signal(in.erasures)
}

// signal wakes who waits for c, once.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one signal is enough
	}
}

// sleep waits and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
