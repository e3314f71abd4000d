package rollup_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestMain(m *testing.M) { os.Exit(influxtest.Main(m)) }

// A bench is a rollup on a real InfluxDB.
type bench struct {
	t         testing.TB
	store     *influx.Client
	directory *sites.Directory
	journal   string
	rollup    *rollup.Rollup
	figures   *prometheus.Registry
	stop      func()
}

func newBench(t testing.TB, meters ...wire.RegistryMeter) *bench {
	t.Helper()
	store := influxtest.Open(t)
	b := &bench{t: t, store: store, directory: &sites.Directory{}, journal: filepath.Join(t.TempDir(), "journal")}
	b.start()
	t.Cleanup(func() { b.stop() })
	b.bind(meters...)
	return b
}

// start opens the rollup on its journal, as a new process does.
func (b *bench) start() {
	b.t.Helper()
	b.figures = prometheus.NewRegistry()
	r, err := rollup.New(rollup.Config{Journal: b.journal, Quiet: 20 * time.Millisecond, AtMost: time.Second},
		b.store, b.directory, testkit.Logger(b.t), b.figures)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	b.rollup, b.stop = r, func() {
		cancel()
		<-done
		if err := r.Close(); err != nil {
			b.t.Error(err)
		}
		b.stop = func() {}
	}
	go func() { defer close(done); r.Run(ctx) }()
}

func (b *bench) bind(meters ...wire.RegistryMeter) {
	b.t.Helper()
	changed, err := b.directory.Update(registry(meters...))
	if err != nil {
		b.t.Fatal(err)
	}
	b.rollup.Bound(changed)
}

type wireMeter = wire.RegistryMeter

func registry(meters ...wireMeter) wire.Registry {
	return wire.Registry{Site: "S1", Zone: "Europe/Paris", Meters: meters}
}

// figure returns a counter of the rollup.
func (b *bench) figure(name string) float64 {
	b.t.Helper()
	families, err := b.figures.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "xnet_collector_"+name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	b.t.Fatalf("no figure %s", name)
	return 0
}

// feed stores readings, marks them, and waits for their rollup.
func (b *bench) feed(rs ...metering.Reading) {
	b.t.Helper()
	b.write(rs...)
	if err := b.rollup.Mark(rs); err != nil {
		b.t.Fatal(err)
	}
	b.settle()
}

func (b *bench) write(rs ...metering.Reading) {
	b.t.Helper()
	if err := b.store.WriteReadings(b.t.Context(), rs); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) settle() {
	b.t.Helper()
	testkit.Eventually(b.t, 20*time.Second, func() error {
		if !b.rollup.Idle() {
			return fmt.Errorf("rollup still works")
		}
		return nil
	})
}

// stored returns all periods of M1.
func (b *bench) stored(p influx.Period) []influx.Consumption {
	b.t.Helper()
	found, err := b.store.Consumption(b.t.Context(), p, []metering.MeterID{"M1"}, dawn, time.Now().Add(48*time.Hour))
	if err != nil {
		b.t.Fatal(err)
	}
	return found["M1"]
}

var (
	dawn = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	base = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC) // noon in Paris, a Monday
)

func meter(r metering.Resolution) wire.RegistryMeter {
	return wire.RegistryMeter{Meter: "M1", Gateway: "G1", Kind: metering.Electricity, IndexModulus: 1_000_000,
		MaxPerHour: 10_000, IntervalS: 600, Resolution: r}
}

func reading(after time.Duration, index metering.Amount) metering.Reading {
	return at(base.Add(after), index)
}

func at(instant time.Time, index metering.Amount) metering.Reading {
	return metering.Reading{Meter: "M1", Quantity: metering.Index, At: instant, Amount: index}
}

// every returns readings each step within [from, to], index growing by grow.
func every(from, to time.Time, step time.Duration, first, grow metering.Amount) []metering.Reading {
	var rs []metering.Reading
	for ; !from.After(to); from, first = from.Add(step), first+grow {
		rs = append(rs, at(from, first))
	}
	return rs
}

func hour(n int, index, used metering.Amount, q metering.Quality) influx.Consumption {
	return influx.Consumption{Meter: "M1", Start: base.Add(time.Duration(n) * time.Hour), Index: index, Used: used, Quality: q}
}

const (
	minute    = time.Minute
	measured  = metering.Measured
	estimated = metering.Estimated
)
