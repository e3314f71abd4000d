package ingest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func TestAnsweredOnlyOnceStored(t *testing.T) {
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
	g.send(1, index("M1", 0, 10))
	g.send(2, index("M1", time.Minute, 20))
	testkit.Eventually(t, 10*time.Second, func() error {
		if col.figure(t, "packs_total") < 2 {
			return fmt.Errorf("packs did not arrive")
		}
		return nil
	})
	if err := col.ingester.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "influxdb") {
		t.Errorf("ready without InfluxDB: %v", err)
	}
	if stored, refused := g.answers(); len(stored)+len(refused) > 0 {
		t.Fatalf("answered %v %v though nothing can be stored", stored, refused)
	}
	server.Start()
	g.waitAnswered(2)
	if diff := cmp.Diff([]metering.Amount{10, 20}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func TestRefusedPacks(t *testing.T) {
	t.Parallel()
	_, store, col, g := begin(t, meter("M1", metering.Fine))

	g.sendRaw([]byte("not a pack")) // cannot even be answered
	g.sendRaw([]byte(`[{"n":"spool","vs":"SP1"},{"n":"seq","v":1},{"n":"M1/index","u":"apples","t":1777888800,"v":1}]`))
	g.send(2, index("M1", -8*365*24*time.Hour, 1))
	g.send(3, metering.Reading{Meter: "M1", Quantity: metering.Index, At: time.Now().Add(25 * time.Hour), Amount: 1})
	g.send(4, index("M1", time.Minute, -1))
	g.send(5, index("M1", time.Minute, 1_000_000))
	g.sendUnits(6, metering.Millilitre, index("M1", 0, 1))
	for i, x := range impossibleReadings() {
		g.send(wire.Seq(7+i), x)
	}
	g.send(20, index("M1", 0, 999_999)) // and the way is free for what follows
	g.waitAnswered(15)

	stored, refused := g.answers()
	if diff := cmp.Diff([][]wire.Seq{{20}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}, [][]wire.Seq{stored, refused}); diff != "" {
		t.Errorf("stored, refused (-want +got):\n%s", diff)
	}
	for seq, want := range map[wire.Seq]string{1: "apples", 2: "too_early", 3: "in_the_future", 4: "index_negative", 5: "index_over_modulus",
		6: "unit_of_index", 7: "impossible", 8: "impossible", 9: "impossible", 10: "impossible", 11: "impossible", 12: "impossible", 13: "impossible", 14: "impossible"} {
		if got := g.reason(seq); !strings.Contains(got, want) {
			t.Errorf("pack %d refused for %q, want %q", seq, got, want)
		}
	}
	if diff := cmp.Diff([]metering.Amount{999_999}, kept(t, store, "M1")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if files, _ := filepath.Glob(filepath.Join(col.dir, "*.json")); len(files) != 15 {
		t.Errorf("quarantine holds %v, want 15 packs", files)
	}
	if got := col.figure(t, "refused_packs_total"); got != 15 {
		t.Errorf("%v packs counted as refused, want 15", got)
	}
}

// impossibleReadings are of meter M1, which counts 10 kWh in an hour at most.
func impossibleReadings() []metering.Reading {
	var rs []metering.Reading
	for _, x := range []struct {
		q metering.Quantity
		n metering.Amount
	}{{metering.Power, 40_001}, {metering.Power, -40_001}, {metering.QuietFlow, -1}, {metering.QuietWindow, 0},
		{metering.QuietWindow, 32 * 24 * 3600}, {metering.Celsius, -60_001}, {metering.Celsius, 250_001}, {metering.Power, 1 << 62}} {
		rs = append(rs, metering.Reading{Meter: "M1", Quantity: x.q, At: base, Amount: x.n})
	}
	return rs
}

// A meter at fault does not take the readings of its neighbours with it, and the
// gateway is told.
func TestOnlyBadReadingsAreLeftOut(t *testing.T) {
	t.Parallel()
	_, store, col, g := begin(t, meter("M1", metering.Fine), meter("M2", metering.Fine))
	most := metering.Reading{Meter: "M1", Quantity: metering.Power, At: base, Amount: 40_000}
	g.send(1, index("M1", 0, 1), most, index("M2", 0, -1), index("M2", time.Minute, 2_000_000), index("M2", 2*time.Minute, 5))
	g.waitAnswered(1)
	if got := g.reason(1); !strings.HasPrefix(got, "index_negative: M2/index") || !strings.Contains(got, "1 more") {
		t.Errorf("told %q", got)
	}
	if diff := cmp.Diff([][]metering.Amount{{1}, {5}}, [][]metering.Amount{kept(t, store, "M1"), kept(t, store, "M2")}); diff != "" {
		t.Errorf("stored of M1, M2 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[wire.Seq][]string{1: {"M2 -1", "M2 2000000"}}, quarantined(t, col)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := col.figure(t, "refused_readings_total"); got != 2 {
		t.Errorf("%v readings counted as refused, want 2", got)
	}
}

func TestFullQuarantineDoesNotAnswer(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := startIn(t, quick(broker.URL), store, t.TempDir(), 10)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	col.waitReady(t)
	g.send(1, index("M1", 0, -1))
	g.send(2, index("M1", 0, 1))
	g.waitAnswered(1)
	if stored, refused := g.answers(); len(refused) > 0 || len(stored) != 1 {
		t.Errorf("stored %v, refused %v; want only pack 2 stored", stored, refused)
	}
	if got := col.figure(t, "quarantine_failures_total"); got != 1 {
		t.Errorf("%v failures counted, want 1", got)
	}
}

func TestRepetitionsAreStoredOnce(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	first, second := start(t, quick(broker.URL), store), start(t, quick(broker.URL), store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	first.waitReady(t)
	second.waitReady(t)
	const packs = 60
	for range 2 {
		for seq := range wire.Seq(packs) {
			g.send(seq+1, index("M1", time.Duration(seq)*time.Minute, metering.Amount(seq)))
		}
	}
	g.waitAnswered(packs)
	testkit.Eventually(t, 10*time.Second, func() error {
		a, b := first.figure(t, "packs_total"), second.figure(t, "packs_total")
		if a+b != 2*packs || a == 0 || b == 0 {
			return fmt.Errorf("%v and %v packs, want %d shared", a, b, 2*packs)
		}
		return nil
	})
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := first.figure(t, "stored_readings_total") + second.figure(t, "stored_readings_total"); n != 2*packs {
			return fmt.Errorf("%v stored", n)
		}
		return nil
	})
	if got := kept(t, store, "M1"); len(got) != packs {
		t.Errorf("%d readings stored, want %d", len(got), packs)
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	_, store, col, g := begin(t, meter("OFF", metering.Off), meter("HOUR", metering.Hour), meter("DAY", metering.Day), meter("FINE", metering.Fine))
	const m = time.Minute
	g.send(1, index("OFF", 0, 1), index("HOUR", 0, 1), index("HOUR", 10*m, 2), index("DAY", 0, 1), index("DAY", 3*60*m, 2), index("FINE", 0, 1), index("FINE", m, 2))
	g.send(2, index("HOUR", 50*m, 3), index("HOUR", 65*m, 4), index("DAY", 13*60*m, 3), index("HOUR", -5*m, 0))
	g.send(3, index("HOUR", 0, 1), index("HOUR", 70*m, 5)) // sent again, and too fine
	power := metering.Reading{Meter: "DAY", Quantity: metering.Power, At: base.Add(m), Amount: 1}
	quietFlow := metering.Reading{Meter: "DAY", Quantity: metering.QuietFlow, At: base.Add(m), Amount: 7}
	g.send(4, quietFlow, power)
	g.waitAnswered(4)
	if stored, _ := g.answers(); len(stored) != 4 {
		t.Errorf("stored %v, want 1 to 4: a drop is no refusal", stored)
	}
	for meter, want := range map[metering.MeterID][]metering.Amount{"OFF": nil, "HOUR": {0, 1, 4}, "DAY": {1, 3}, "FINE": {1, 2}} {
		if diff := cmp.Diff(want, kept(t, store, meter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", meter, diff)
		}
	}
	if got := col.figure(t, "dropped_by_consent_total"); got != 5 {
		t.Errorf("%v readings counted as dropped, want 5", got)
	}
	found, err := store.Readings(t.Context(), []metering.MeterID{"DAY"}, metering.QuietFlow, base, base.Add(time.Hour))
	if err != nil || len(found["DAY"]) != 1 {
		t.Errorf("quiet flow: %v, %v", found, err)
	}
}

func TestPackWaitsForTheRegistry(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	col := start(t, quick(broker.URL), store)
	col.waitReady(t)
	g := newGateway(t, broker.URL)
	g.send(1, index("SECRET", 0, 1))
	testkit.Eventually(t, 5*time.Second, func() error {
		if col.figure(t, "packs_total") != 1 {
			return fmt.Errorf("not arrived")
		}
		return nil
	})
	g.registry(meter("SECRET", metering.Off))
	g.waitAnswered(1)
	if got := kept(t, store, "SECRET"); got != nil {
		t.Errorf("stored %v of a meter that may not be read", got)
	}
}

func TestUnknownMeterIsRolledUpOnceBound(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	c := quick(broker.URL)
	c.Hold = 100 * time.Millisecond // nobody publishes a registry at first
	col := start(t, c, store)
	col.waitReady(t)
	g := newGateway(t, broker.URL)
	var rs []metering.Reading
	for i := range 13 {
		rs = append(rs, index("M1", time.Duration(i)*10*time.Minute, metering.Amount(100*i)))
	}
	g.send(1, rs...)
	g.waitAnswered(1)
	if got := col.figure(t, "unknown_meter_readings_total"); got != 13 {
		t.Errorf("%v readings of unknown meters counted, want 13", got)
	}
	hours := func() []influx.Consumption {
		found, err := store.Consumption(t.Context(), influx.Hourly, []metering.MeterID{"M1"}, base, base.Add(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return found["M1"]
	}
	if got := hours(); got != nil {
		t.Errorf("rolled up unbound: %v", got)
	}
	g.registry(meter("M1", metering.Fine))
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := hours(); len(got) != 2 || got[1].Index != 1200 || got[1].Used != 600 {
			return fmt.Errorf("hours %v", got)
		}
		return nil
	})
}

func TestBrokerIsLeftWhileInfluxDBIsAway(t *testing.T) {
	t.Parallel()
	broker, server := testkit.Broker(t), testkit.Influx(t)
	c := influx.DefaultConfig()
	c.URL, c.Keep = server.URL, influx.Retention{}
	store := influxtest.OpenWith(t, c)
	hasty := quick(broker.URL)
	hasty.GiveUp, hasty.Queue = 300*time.Millisecond, 4
	col := start(t, hasty, store)
	col.waitReady(t)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	server.Kill()
	for seq := range wire.Seq(20) { // more than the queue takes
		g.send(seq+1, index("M1", time.Duration(seq)*time.Minute, metering.Amount(seq)))
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		if err := col.ingester.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "broker") {
			return fmt.Errorf("still with the broker: %v", err)
		}
		return nil
	})
	server.Start()
	col.waitReady(t)
	for seq := range wire.Seq(20) { // as a gateway does that heard nothing
		g.send(seq+1, index("M1", time.Duration(seq)*time.Minute, metering.Amount(seq)))
	}
	g.waitAnswered(20)
	if got := kept(t, store, "M1"); len(got) != 20 {
		t.Errorf("%d readings stored, want 20", len(got))
	}
}

func TestBrokerThatComesAndGoes(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	broker.Stop()
	col := start(t, quick(broker.URL), store)
	if err := col.ingester.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "broker") {
		t.Errorf("ready without a broker: %v", err)
	}
	for round := range 2 { // a clean session must subscribe again
		broker.Start()
		col.waitReady(t)
		g := newGateway(t, broker.URL)
		g.registry(meter("M1", metering.Fine))
		testkit.Eventually(t, 20*time.Second, func() error {
			g.send(1, index("M1", time.Duration(round)*time.Minute, metering.Amount(round)))
			if stored, _ := g.answers(); len(stored) == 0 {
				return fmt.Errorf("no answer in round %d", round)
			}
			return nil
		})
		g.client.Disconnect(0)
		broker.Stop()
	}
}

func TestEndStoresWhatWasQueued(t *testing.T) {
	t.Parallel()
	broker, store := testkit.Broker(t), influxtest.Open(t)
	c := quick(broker.URL)
	c.BatchAge = time.Hour // nothing is written before the end
	col := start(t, c, store)
	g := newGateway(t, broker.URL)
	g.registry(meter("M1", metering.Fine))
	col.waitReady(t)
	for seq := range wire.Seq(10) {
		g.send(seq+1, index("M1", time.Duration(seq)*time.Minute, metering.Amount(seq)))
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := col.figure(t, "readings_total"); n != 10 {
			return fmt.Errorf("%v readings taken in", n)
		}
		return nil
	})
	col.stop()
	g.waitAnswered(10)
	if got := kept(t, store, "M1"); len(got) != 10 {
		t.Errorf("%d readings stored, want 10", len(got))
	}
	if _, err := os.Stat(filepath.Join(col.dir, "journal")); err != nil {
		t.Error(err)
	}
}
