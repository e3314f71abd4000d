package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/ingest"
	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

// A collector is a whole one on real servers, within the test's process.
type collector struct {
	ingester *ingest.Ingester
	rollup   *rollup.Rollup
	figures  *prometheus.Registry
	dir      string
	stop     func()
	log      *heard
}

// heard is what a collector logs.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

// said is nil once the collector has logged the words.
func (c *collector) said(words string) func() error {
	return func() error {
		c.log.mu.Lock()
		defer c.log.mu.Unlock()
		if !strings.Contains(c.log.text.String(), words) {
			return fmt.Errorf("the collector has not logged %q", words)
		}
		return nil
	}
}

func quick(broker string) ingest.Config {
	c := ingest.DefaultConfig()
	c.Broker.URL, c.BatchAge = broker, 5*time.Millisecond
	c.GiveUp = 5 * time.Minute // a busy machine takes long to start a server again
	return c
}

// start runs a collector that ends with the test.
func start(t testing.TB, c ingest.Config, store *influx.Client) *collector {
	t.Helper()
	return startIn(t, c, store, t.TempDir(), 10<<20)
}

func startIn(t testing.TB, c ingest.Config, store *influx.Client, dir string, quarantineBytes int64) *collector {
	t.Helper()
	said := &heard{}
	registry, directory, log := prometheus.NewRegistry(), &sites.Directory{}, testkit.Logger(t, said)
	kept, err := quarantine.Open(dir, quarantineBytes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rollup.New(rollup.Config{Journal: filepath.Join(dir, "journal"), Quiet: 50 * time.Millisecond, AtMost: time.Second},
		store, directory, log, registry)
	if err != nil {
		t.Fatal(err)
	}
	in, err := ingest.New(c, ingest.Parts{Store: store, Rollup: r, Quarantine: kept, Sites: directory, Log: log, Figures: registry})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	running.Go(func() {
		if err := in.Run(ctx); err != nil {
			t.Errorf("collector ended: %v", err)
		}
	})
	col := &collector{ingester: in, rollup: r, figures: registry, dir: dir, log: said}
	col.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(col.stop)
	return col
}

// begin runs a collector and a gateway of the meters, both ready, with a broker
// and a store of their own.
func begin(t testing.TB, meters ...wire.RegistryMeter) (*testkit.BrokerServer, *influx.Client, *collector, *gateway) {
	t.Helper()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	g.registry(meters...)
	col.waitReady(t)
	return broker, store, col, g
}

// restart runs another collector in the folder of this one, after it.
func (c *collector) restart(t testing.TB, config ingest.Config, store *influx.Client) *collector {
	t.Helper()
	c.stop()
	return startIn(t, config, store, c.dir, 10<<20)
}

func (c *collector) waitReady(t testing.TB) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error { return c.ingester.Ready(t.Context()) })
}

// figure returns the sum of a counter or gauge over its labels.
func (c *collector) figure(t testing.TB, name string) float64 {
	t.Helper()
	families, err := c.figures.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != "xnet_collector_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// A gateway publishes packs and remembers the answers.
type gateway struct {
	t      testing.TB
	client paho.Client
	source wire.Source

	mu      sync.Mutex
	stored  map[wire.Seq]int
	refused map[wire.Seq]string
}

const spoolID = wire.SpoolID("SP1")

func newGateway(t testing.TB, broker string) *gateway {
	t.Helper()
	g := &gateway{t: t, source: wire.Source{Site: "S1", Gateway: "G1"}, stored: map[wire.Seq]int{}, refused: map[wire.Seq]string{}}
	g.client = paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("gateway-" + t.Name()))
	wait(t, g.client.Connect())
	t.Cleanup(func() { g.client.Disconnect(0) })
	wait(t, g.client.Subscribe(g.source.Topic(wire.StoredChannel), 1, g.note))
	return g
}

func wait(t testing.TB, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("broker: %v", token.Error())
	}
}

func (g *gateway) note(_ paho.Client, m paho.Message) {
	answer, err := wire.DecodeStored(m.Payload())
	if err != nil || answer.Spool != spoolID {
		g.t.Errorf("answer %s: %v", m.Payload(), err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, seq := range answer.Stored {
		g.stored[seq]++
	}
	for _, r := range answer.Refused {
		g.refused[r.Seq] = r.Reason
	}
}

func (g *gateway) registry(meters ...wire.RegistryMeter) {
	g.t.Helper()
	payload, err := wire.Registry{Site: "S1", Zone: "Europe/Paris", EarliestMs: dawn.UnixMilli(), Meters: meters}.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	wait(g.t, g.client.Publish(wire.RegistryTopic("S1"), 1, true, payload))
}

func (g *gateway) send(seq wire.Seq, rs ...metering.Reading) {
	g.t.Helper()
	g.sendUnits(seq, metering.WattHour, rs...)
}

func (g *gateway) sendUnits(seq wire.Seq, unit metering.Unit, rs ...metering.Reading) {
	g.t.Helper()
	pack := wire.Pack{Spool: spoolID, Seq: seq}
	for _, r := range rs {
		u := wire.UnitReading{Reading: r, Unit: metering.UnitOf(metering.Electricity, r.Quantity)}
		if r.Quantity == metering.Index {
			u.Unit = unit
		}
		pack.Readings = append(pack.Readings, u)
	}
	payload, err := wire.AppendPack(nil, pack)
	if err != nil {
		g.t.Fatal(err)
	}
	g.sendRaw(payload)
}

func (g *gateway) sendRaw(payload []byte) {
	g.t.Helper()
	wait(g.t, g.client.Publish(g.source.Topic(wire.ReadingsChannel), 1, false, payload))
}

// answers returns the numbers answered so far, in order.
func (g *gateway) answers() (stored, refused []wire.Seq) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for seq := range g.stored {
		stored = append(stored, seq)
	}
	for seq := range g.refused {
		refused = append(refused, seq)
	}
	slices.Sort(stored)
	slices.Sort(refused)
	return stored, refused
}

func (g *gateway) reason(seq wire.Seq) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused[seq]
}

// waitAnswered waits until n packs are answered, in either way.
func (g *gateway) waitAnswered(n int) {
	g.t.Helper()
	testkit.Eventually(g.t, 30*time.Second, func() error {
		if stored, refused := g.answers(); len(stored)+len(refused) < n {
			return fmt.Errorf("stored %v, refused %v", stored, refused)
		}
		return nil
	})
}

var (
	dawn = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	base = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
)

func meter(id metering.MeterID, r metering.Resolution) wire.RegistryMeter {
	return wire.RegistryMeter{Meter: id, Gateway: "G1", Kind: metering.Electricity, IndexModulus: 1_000_000,
		MaxPerHour: 10_000, IntervalS: 600, Resolution: r}
}

func index(m metering.MeterID, after time.Duration, n metering.Amount) metering.Reading {
	return metering.Reading{Meter: m, Quantity: metering.Index, At: base.Add(after), Amount: n}
}

// kept returns the indexes stored of a meter, in order of time.
func kept(t testing.TB, store *influx.Client, m metering.MeterID) []metering.Amount {
	t.Helper()
	found, err := store.Readings(t.Context(), []metering.MeterID{m}, metering.Index, dawn, time.Now().Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var indexes []metering.Amount
	for _, r := range found[m] {
		indexes = append(indexes, r.Amount)
	}
	return indexes
}
