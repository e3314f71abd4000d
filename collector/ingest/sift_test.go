package ingest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func erasedUntil(m wire.RegistryMeter, at time.Time) wire.RegistryMeter {
	m.ErasedUntilMs = at.UnixMilli()
	return m
}

// quarantined returns the readings that the quarantine holds, by pack.
func quarantined(t *testing.T, col *collector) map[wire.Seq][]string {
	t.Helper()
	found := map[wire.Seq][]string{}
	paths, err := filepath.Glob(filepath.Join(col.dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r quarantine.Refused
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		pack, err := wire.DecodePack(r.Payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, reading := range pack.Readings {
			found[r.Seq] = append(found[r.Seq], fmt.Sprintf("%s %d", reading.Meter, reading.Amount))
		}
	}
	return found
}

// What was erased comes back on no way: not stored, not kept, whatever else is
// in its pack or wrong with it.
func TestErasedComesBackOnNoWay(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	const m = time.Minute
	g.registry(meter("M1", metering.Fine), meter("M2", metering.Fine))
	col.waitReady(t)
	g.send(1, index("M1", -10*m, 1), index("M1", 0, 2))
	g.waitAnswered(1)
	if err := store.Erase(t.Context(), []metering.MeterID{"M1"}, dawn, base.Add(m)); err != nil {
		t.Fatal(err)
	}
	g.registry(erasedUntil(meter("M1", metering.Fine), base.Add(m)), meter("M2", metering.Fine))
	testkit.Eventually(t, 10*time.Second, func() error {
		g.send(2, index("M1", 0, 2)) // until the registry has come
		if _, refused := g.answers(); len(refused) == 0 {
			return fmt.Errorf("not refused")
		}
		return nil
	})
	if err := store.Erase(t.Context(), []metering.MeterID{"M1"}, dawn, base.Add(m)); err != nil {
		t.Fatal(err)
	}

	g.send(1, index("M1", -10*m, 1), index("M1", 0, 2))                     // replayed from a spool
	g.send(3, index("M1", 0, 2), index("M2", 0, 7), index("M1", m, 3))      // beside what is not erased
	g.send(4, index("M1", 0, 2), index("M2", 5*m, -1))                      // beside what is wrong
	g.send(5, index("M1", 0, -5), index("M1", m-time.Millisecond, 999_999)) // wrong and erased
	g.waitAnswered(6)                                                       // the first pack twice, in either way

	stored, refused := g.answers()
	if diff := cmp.Diff([][]wire.Seq{{1, 3}, {1, 2, 4, 5}}, [][]wire.Seq{stored, refused}); diff != "" {
		t.Errorf("stored, refused (-want +got):\n%s", diff)
	}
	for seq, want := range map[wire.Seq]string{1: "erased", 2: "erased", 4: "index_negative", 5: "erased"} {
		if got := g.reason(seq); !strings.HasPrefix(got, want) {
			t.Errorf("pack %d refused for %q, want %q", seq, got, want)
		}
	}
	if diff := cmp.Diff([][]metering.Amount{{3}, {7}}, [][]metering.Amount{kept(t, store, "M1"), kept(t, store, "M2")}); diff != "" {
		t.Errorf("stored of M1, M2 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[wire.Seq][]string{4: {"M2 -1"}}, quarantined(t, col)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := col.figure(t, "erased_readings_total"); got < 7 {
		t.Errorf("%v erased readings counted, want 7 at least", got)
	}
}

// A batch that waits for InfluxDB does not bring back what was erased meanwhile.
func TestErasedWhileABatchWaits(t *testing.T) {
	t.Parallel()
	broker, server := testkit.Broker(t), testkit.Influx(t)
	c := influx.DefaultConfig()
	c.URL, c.Keep = server.URL, influx.Retention{}
	store := influxtest.OpenWith(t, c)
	col := start(t, quick(broker.URL), store)
	col.waitReady(t)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	server.Kill()
	g.send(1, index("M1", 0, 1), index("M1", time.Minute, 2))
	g.send(2, index("M1", 2*time.Minute, 3))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "readings_total"); n != 3 {
			return fmt.Errorf("%v readings taken in", n)
		}
		return nil
	})
	g.registry(erasedUntil(meter("M1", metering.Fine), base.Add(2*time.Minute)), meter("SEEN", metering.Fine))
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "erased_readings_total"); n != 2 {
			return fmt.Errorf("%v erased readings counted", n)
		}
		return nil
	})
	server.Start()
	g.waitAnswered(2)
	if diff := cmp.Diff([]metering.Amount{3}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// A gateway that says it read another gateway's meter would put one family's
// figures into another's home.
func TestMeterOfAnotherGateway(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	elsewhere := meter("M9", metering.Fine)
	elsewhere.Gateway = "G2"
	g.registry(meter("M1", metering.Fine), elsewhere)
	col.waitReady(t)
	g.send(1, index("M9", 0, 1))
	g.send(2, index("M1", 0, 2), index("M9", time.Minute, 3))
	g.waitAnswered(2)
	stored, refused := g.answers()
	if diff := cmp.Diff([][]wire.Seq{nil, {1, 2}}, [][]wire.Seq{stored, refused}); diff != "" {
		t.Errorf("stored, refused (-want +got):\n%s", diff)
	}
	if got := g.reason(1); !strings.HasPrefix(got, "other_gateway") || !strings.Contains(got, "M9") {
		t.Errorf("reason %q", got)
	}
	if got := kept(t, store, "M9"); got != nil {
		t.Errorf("stored %v of a meter that another gateway reads", got)
	}
	if diff := cmp.Diff([]metering.Amount{2}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored of the gateway's own meter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[wire.Seq][]string{1: {"M9 1"}, 2: {"M9 3"}}, quarantined(t, col)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := col.figure(t, "refused_readings_total"); got != 2 {
		t.Errorf("%v readings counted, want 2", got)
	}
}

// The same meter id at another site is another site's meter.
func TestMeterOfAnotherSite(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	payload, err := wire.Registry{Site: "S2", Zone: "Europe/Paris", EarliestMs: 1, Meters: []wire.RegistryMeter{meter("M2", metering.Fine)}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	wait(t, g.client.Publish(wire.RegistryTopic("S2"), 1, true, payload))
	col.waitReady(t)
	testkit.Eventually(t, 10*time.Second, func() error {
		g.send(1, index("M2", 0, 1))
		if _, refused := g.answers(); len(refused) == 0 {
			return fmt.Errorf("not refused")
		}
		return nil
	})
}
