package ledger_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// payload is pack seq of spool S, with the n-th reading.
func payload(t *testing.T, seq wire.Seq, n int) []byte {
	t.Helper()
	p, err := wire.AppendPack(nil, wire.Pack{Spool: "S", Seq: seq, Readings: []wire.UnitReading{{Reading: reading(n), Unit: metering.WattHour}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func connect(t *testing.T, addr, name string) paho.Client {
	t.Helper()
	options := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(name).SetAutoReconnect(false)
	c := paho.NewClient(options)
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("connect to %s: %v", addr, token.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// TestRecordKeepsWhatReachesTheBroker: whatever a subscriber gets was recorded
// before, each pack once, and nothing that is no gateway's reading.
func TestRecordKeepsWhatReachesTheBroker(t *testing.T) {
	broker := testkit.Broker(t)
	addr := broker.URL[len("tcp://"):]
	r, err := ledger.Record(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	const packs = 200
	arrived := make(chan int, 2*packs) // how many packs were recorded when one arrived
	if token := connect(t, addr, "collector").Subscribe("xnet/v1/S1/G1/readings", 1, func(paho.Client, paho.Message) {
		arrived <- r.Sent().Packs["G1"]
	}); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	gateway := connect(t, r.Addr(), "gateway")
	send := func(topic string, load []byte) {
		if token := gateway.Publish(topic, 1, false, load); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("publish: %v", token.Error())
		}
	}
	var want []metering.Reading
	for n := range packs {
		send("xnet/v1/S1/G1/readings", payload(t, wire.Seq(n+1), n))
		want = append(want, reading(n))
	}
	for n := range packs {
		if recorded := <-arrived; recorded <= n {
			t.Fatalf("%d packs were recorded when pack %d arrived", recorded, n+1)
		}
	}
	send("xnet/v1/S1/G1/readings", payload(t, 1, 0))
	send("xnet/v1/S1/G1/state", []byte("{}"))
	sent := r.Sent()
	if diff := cmp.Diff(want, sent.Readings); diff != "" || sent.Packs["G1"] != packs || sent.Again != 1 || len(sent.Faults) != 0 {
		t.Errorf("%d packs, %d again, faults %q, readings (-sent +recorded):\n%s", sent.Packs["G1"], sent.Again, sent.Faults, diff)
	}
	send("xnet/v1/S1/G1/readings", payload(t, 1, 7))
	send("xnet/v1/S1/G1/readings", []byte("poison"))
	if faults := r.Sent().Faults; len(faults) != 2 {
		t.Errorf("faults %q, want two packs under one number, and no pack", faults)
	}
}

// TestRecordLeavesWithTheBroker: a gateway must see that its broker has gone, and
// that it is not there.
func TestRecordLeavesWithTheBroker(t *testing.T) {
	broker := testkit.Broker(t)
	r, err := ledger.Record(broker.URL[len("tcp://"):])
	if err != nil {
		t.Fatal(err)
	}
	gateway := connect(t, r.Addr(), "gateway")
	broker.Stop()
	testkit.Eventually(t, 10*time.Second, func() error {
		if gateway.IsConnectionOpen() {
			return errors.New("the connection stands")
		}
		return nil
	})
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("without a broker: %v, want the connection's end", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
