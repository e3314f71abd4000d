package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// The meters of the household that is erased: electricity, of which nothing may
// stay, read from a bus and imported, and cold water, of which the charges need
// the months. EX is a neighbour's, which stays.
const (
	erasedMeter    metering.MeterID = "EL"
	chargedMeter   metering.MeterID = "CW"
	neighbourMeter metering.MeterID = "EX"
)

// mark begins every index of the erased meter: ten digits that stand nowhere by
// chance.
const mark = 7_310_000_000

// marked reports whether a number is one that the erased meter showed.
func marked(a metering.Amount) bool { return a/1_000_000_000 == 7 || a/1_000_000_000 == -7 }

// An emptying is a system whose household is erased.
type emptying struct {
	*system
	influx  *influx.Client
	gateway string // configuration
	figures string // of the gateway
	spool   string
	visitor *visitor
	stop    func() // ends the gateway
}

// TestErasedHouseholdIsNowhere: a household is erased while some of its readings
// are stored, some wait in the gateway's spool because the broker is away, and
// some stand in the quarantine. Once all is well again none of its fine readings
// is anywhere, and none comes back with a back-up of either database.
func TestErasedHouseholdIsNowhere(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	e := newEmptying(t)
	e.fill(t)
	e.refuse(t)
	from, to := time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, 1)
	before, neighbour := e.stored(t, erasedMeter, from, to), e.stored(t, neighbourMeter, from, to)
	if before.readings < 100 || before.hours < 15 || e.quarantined(t) == 0 || neighbour.readings < 100 {
		t.Fatalf("before: %+v, %d packs in the quarantine, the neighbour %+v: this test would show nothing", before, e.quarantined(t), neighbour)
	}
	testkit.Eventually(t, time.Minute, func() error {
		if e.naming(t) == 0 {
			return errors.New("no data file of influxdb names the meter yet")
		}
		return nil
	})
	kept, err := e.influx.Readings(t.Context(), []metering.MeterID{erasedMeter, chargedMeter}, metering.Index, from, to)
	if err != nil {
		t.Fatal(err)
	}
	backup := e.path("backup.db")
	must(t, "api", "backup", "--config", e.path("api.yaml"), backup)

	e.broker.Kill()
	testkit.Eventually(t, 30*time.Second, func() error { return e.holds(3) })
	e.erase(t)
	// What people look at goes at once, though the broker is away.
	testkit.Eventually(t, 30*time.Second, func() error {
		if c := e.stored(t, erasedMeter, from, to); c != (counted{}) {
			return fmt.Errorf("of %s there is %+v", erasedMeter, c)
		}
		return nil
	})
	e.heal(t)
	e.awaitErased(t, 1)
	testkit.Eventually(t, 2*time.Minute, func() error { return e.clean(t, from, to) })
	if is := e.stored(t, neighbourMeter, from, to); is != neighbour {
		t.Errorf("the neighbour has %+v, had %+v", is, neighbour)
	}
	e.checkFiles(t)

	e.bringBack(t, backup, kept)
	testkit.Eventually(t, 2*time.Minute, func() error { return e.clean(t, from, to) })
	e.checkFiles(t)
	testkit.Eventually(t, 3*time.Minute, func() error { // a compaction, when InfluxDB finds the time
		if n := e.naming(t); n > 0 {
			return fmt.Errorf("%d data files of influxdb name %s", n, erasedMeter)
		}
		return nil
	})
}

func newEmptying(t *testing.T) *emptying {
	t.Helper()
	// InfluxDB would wait for hours before it writes its files anew.
	t.Setenv("INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION", "1s")
	t.Setenv("INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION", "1s")
	meters := map[string]string{string(erasedMeter): "electricity", string(chargedMeter): "cold_water"}
	s := newSystem(t, home("here", "Europe/Paris", meters), home("there", "Europe/Paris", map[string]string{string(neighbourMeter): "electricity"}))
	figures, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	e := &emptying{system: s, figures: figures, spool: s.path("spool-here"), visitor: s.signIn(t, "p-here")}
	c := influx.DefaultConfig()
	c.URL, c.Keep = s.influx.URL, influx.Retention{}
	if e.influx, err = influx.Open(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.influx.Close)
	e.gateway = s.write(t, "gw-here.yaml", map[string]any{"site": "here", "gateway": "gw-here", "zone": "Europe/Paris",
		"broker": map[string]any{"url": s.broker.URL}, "spool": map[string]any{"dir": e.spool, "max_mb": 64},
		"clock": map[string]any{"trust": "always"}, "figures": figures,
		"buses": []any{map[string]any{"name": "bus", "url": slavetest.TCP(t, risingCounter(), slave.Options{}), "timeout": "1s", "interval": "1s",
			"devices": []any{map[string]any{"slave": 1, "profile": "iem3155",
				"meters": []any{map[string]any{"id": string(erasedMeter), "kind": "electricity", "resolution": "fine"}}}}}},
		"imported": []any{map[string]any{"id": string(chargedMeter), "kind": "cold_water", "resolution": "fine"}}})
	return e
}

// risingCounter is a meter that shows another of the marked indexes at each read.
func risingCounter() slave.Source {
	var reads atomic.Uint64
	return slave.SourceFunc(func(_, _ byte, address, quantity uint16) ([]uint16, error) {
		registers := make([]uint16, quantity)
		put := func(at uint16, words ...uint16) {
			for i, w := range words {
				if place := int(at) + i - int(address); place >= 0 && place < len(registers) {
					registers[place] = w
				}
			}
		}
		index, power := mark+500_000_000+reads.Add(1), math.Float32bits(0.25)
		put(0x0C83, uint16(index>>48), uint16(index>>32), uint16(index>>16), uint16(index))
		put(0x0BF3, uint16(power>>16), uint16(power))
		return registers, nil
	})
}

// fill imports the days before, of the neighbour too, and lets the gateway read
// on until all is stored and rolled up.
func (e *emptying) fill(t *testing.T) {
	t.Helper()
	newLogger(t, e.system, "there", "Europe/Paris", map[string]string{string(neighbourMeter): "electricity"}).send(t, e.history(t, neighbourMeter, 1_000_000)...)
	for meter, first := range map[metering.MeterID]int64{erasedMeter: mark, chargedMeter: 4_000_000} {
		must(t, "gateway", append([]string{"--config", e.gateway, "import"}, e.history(t, meter, first)...)...)
	}
	e.stop = start(t, "gateway", "--config", e.gateway, "run")
	testkit.Eventually(t, time.Minute, func() error {
		if n := countReadings(t, e.system, erasedMeter); n < 160 {
			return fmt.Errorf("%d readings are stored", n)
		}
		return zero(e.collector, "xnet_collector_rollup_pending_meters")
	})
}

// history writes what a meter showed every ten minutes of the day that ended an
// hour ago, and returns how it is to be imported.
func (e *emptying) history(t *testing.T, meter metering.MeterID, first int64) []string {
	t.Helper()
	var text strings.Builder
	text.WriteString("time,index\n")
	for n, at := int64(0), time.Now().Add(-25*time.Hour).Truncate(10*time.Minute); n < 144; n, at = n+1, at.Add(10*time.Minute) {
		fmt.Fprintf(&text, "%s,%d\n", at.UTC().Format(time.RFC3339), first+137*n)
	}
	path := e.path(string(meter) + ".csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--meter", string(meter), "--time-column", "time", "--column", "index", "--unit", "base", "--means", "index", path}
}

// refuse has packs of the household refused: in part, whole because another
// gateway claims them, and whole because they cannot be decoded.
func (e *emptying) refuse(t *testing.T) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(e.broker.URL).SetClientID("refused"))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("broker: %v", token.Error())
	}
	defer client.Disconnect(100)
	at := time.Now().Add(-26 * time.Hour)
	pack := func(amounts ...metering.Amount) []byte {
		p := wire.Pack{Spool: "refused", Seq: 1}
		for i, a := range amounts {
			r := metering.Reading{Meter: erasedMeter, Quantity: metering.Index, At: at.Add(time.Duration(i) * time.Minute), Amount: a}
			p.Readings = append(p.Readings, wire.UnitReading{Reading: r, Unit: metering.WattHour})
		}
		payload, err := wire.AppendPack(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	for gateway, payloads := range map[metering.GatewayID][][]byte{
		"gw-here":  {pack(mark+1, -mark), pack(mark + 2)[:60], []byte("EL 7310000003 kWh")},
		"gw-there": {pack(mark+4, mark+5)},
	} {
		site, _ := strings.CutPrefix(string(gateway), "gw-")
		topic := wire.Source{Site: metering.SiteID(site), Gateway: gateway}.Topic(wire.ReadingsChannel)
		for _, p := range payloads {
			if token := client.Publish(topic, 1, false, p); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				t.Fatalf("publish: %v", token.Error())
			}
		}
	}
	testkit.Eventually(t, 30*time.Second, func() error {
		if n := e.quarantined(t); n < 4 {
			return fmt.Errorf("%d packs are in the quarantine, want 4", n)
		}
		return nil
	})
}

// holds returns nil where the spool holds so many packs that wait.
func (e *emptying) holds(packs float64) error {
	n, err := figure(e.figures, "xnet_gateway_spool_packs")
	if err == nil && n < packs {
		err = fmt.Errorf("%v packs wait in the spool", n)
	}
	return err
}

// erase asks for all to be erased that the charges do not need, as the household
// does.
func (e *emptying) erase(t *testing.T) {
	t.Helper()
	response, err := e.visitor.client.Post(e.api+"/api/v1/erasures", "application/json", strings.NewReader(`{"what":"all"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("erase: %s", response.Status)
	}
}

// awaitErased waits until the API says that so many erasures are done, and none
// is not.
func (e *emptying) awaitErased(t *testing.T, want int) {
	t.Helper()
	testkit.Eventually(t, 90*time.Second, func() error {
		response, err := e.visitor.client.Get(e.api + "/api/v1/erasures")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var text bytes.Buffer
		if _, err := text.ReadFrom(response.Body); err != nil {
			return err
		}
		if done := strings.Count(text.String(), `"done"`); done < want || done != strings.Count(text.String(), `"asked"`) {
			return fmt.Errorf("%s: %s", response.Status, text.String())
		}
		return nil
	})
}

// heal brings the broker back. The collector may get the spool's packs before it
// hears of the erasure: then it stores them.
func (e *emptying) heal(t *testing.T) {
	t.Helper()
	if err := e.holds(1); err != nil {
		t.Fatalf("%v: this test would show nothing", err)
	}
	e.broker.Start()
	testkit.Eventually(t, time.Minute, func() error {
		if n := e.quarantined(t); n > 0 {
			return fmt.Errorf("%d packs are left in the quarantine", n)
		}
		return nil
	})
}

// bringBack restores back-ups of both databases from before the erasure, and has
// erased again what was.
func (e *emptying) bringBack(t *testing.T, backup string, kept map[metering.MeterID][]metering.Reading) {
	t.Helper()
	e.stopAPI()
	said := must(t, "api", "restore", "--replace", "--config", e.path("api.yaml"), backup)
	if !strings.Contains(said, "1 erasures replayed") {
		t.Errorf("restore says %q", said)
	}
	for _, rs := range kept {
		if err := e.influx.WriteReadings(t.Context(), rs); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "api", "replay-erasures", "--config", e.path("api.yaml"), "--since", time.Now().AddDate(0, 0, -2).Format(time.DateOnly))
	e.startAPI(t)
}
