package rollup_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A gate stands before InfluxDB and holds the first write of hours until it is
// opened. While it is down it answers for InfluxDB that it cannot.
type gate struct {
	once          sync.Once
	down          atomic.Bool
	reached, open chan struct{}
	proxy         *httputil.ReverseProxy
}

func newGate(t *testing.T, address string) (*gate, string) {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{reached: make(chan struct{}), open: make(chan struct{}), proxy: httputil.NewSingleHostReverseProxy(target)}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return g, server.URL
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if g.down.Load() {
		http.Error(w, `{"error":"timeout"}`, http.StatusServiceUnavailable)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/write") && strings.Contains(r.URL.RawQuery, "hourly") {
		g.once.Do(func() { close(g.reached); <-g.open })
	}
	g.proxy.ServeHTTP(w, r)
}

// TestStaleBoundaryIsNoAnchor: a gap is filled by two collectors. The slow one
// has looked at the boundary at its end while it was still interpolated over the
// gap, and writes after the other has put it right.
func TestStaleBoundaryIsNoAnchor(t *testing.T) {
	t.Parallel()
	config := influxtest.Config(t)
	store := influxtest.OpenWith(t, config)
	gate, address := newGate(t, config.URL)
	config.URL = address
	through, err := influx.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	quick, slow := benchOn(t, store, "quick"), benchOn(t, through, "slow")

	all := every(base, base.AddDate(0, 0, 3), 10*minute, 1000, 10)
	for i := range all {
		all[i].Amount += metering.Amount(i * i / 40) // no straight line leads over the gap
	}
	early, first, second, late := all[:100], all[100:200], all[200:300], all[300:]
	quick.feed(append(append([]metering.Reading{}, early...), late...)...)

	quick.write(append(append([]metering.Reading{}, first...), second...)...)
	if err := slow.rollup.Mark(second); err != nil {
		t.Fatal(err)
	}
	<-gate.reached
	if err := quick.rollup.Mark(first); err != nil {
		t.Fatal(err)
	}
	quick.settle()
	close(gate.open)
	slow.settle()
	quick.settle()

	want := newBench(t, meter(metering.Fine))
	want.feed(all...)
	if diff := cmp.Diff(want.all(), quick.all()); diff != "" {
		t.Errorf("periods (-one collector +two):\n%s", diff)
	}
}

// TestLagGrowsWhileInfluxDBIsAway: what is tried again and again still waits since
// it was marked.
func TestLagGrowsWhileInfluxDBIsAway(t *testing.T) {
	t.Parallel()
	config := influxtest.Config(t)
	store := influxtest.OpenWith(t, config)
	gate, address := newGate(t, config.URL)
	close(gate.open)
	config.URL = address
	through, err := influx.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	b := benchOn(t, through, "journal")
	b.settle()
	rs := every(base, base.Add(2*time.Hour), 10*minute, 1000, 10)
	if err := store.WriteReadings(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	gate.down.Store(true)
	if err := b.rollup.Mark(rs); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		if lag := b.rollup.Lag(); lag < 1500*time.Millisecond {
			return fmt.Errorf("the lag is %s", lag)
		}
		return nil
	})
	gate.down.Store(false)
	b.settle()
	if lag := b.rollup.Lag(); lag != 0 {
		t.Errorf("nothing waits, and the lag is %s", lag)
	}
}

// benchOn is a rollup of its own on a store that is set up.
func benchOn(t *testing.T, store *influx.Client, name string) *bench {
	t.Helper()
	b := &bench{t: t, store: store, directory: &sites.Directory{}, journal: filepath.Join(t.TempDir(), name)}
	b.start()
	t.Cleanup(func() { b.stop() })
	b.bind(meter(metering.Fine))
	return b
}
