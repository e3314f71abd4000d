package uplink_test

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A blackHole is a broker that lets everybody connect and subscribe, and then
// takes messages and acknowledges none, or one each slow.
type blackHole struct {
	listener net.Listener
	slow     time.Duration
	denied   string // how the topic ends to which nobody may subscribe
	group    sync.WaitGroup

	mu          sync.Mutex
	connections int
	packs       []int // heard on each connection
	bytes       int
	open        []net.Conn
}

func openBlackHole(t *testing.T, url string, slow time.Duration, denied string) *blackHole {
	t.Helper()
	listener, err := net.Listen("tcp", strings.TrimPrefix(url, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	h := &blackHole{listener: listener, slow: slow, denied: denied}
	h.group.Go(h.accept)
	t.Cleanup(h.close)
	return h
}

func (h *blackHole) accept() {
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		n := h.connections
		h.connections++
		h.packs = append(h.packs, 0)
		h.open = append(h.open, conn)
		h.mu.Unlock()
		h.group.Go(func() { h.swallow(conn, n) })
	}
}

func (h *blackHole) swallow(conn net.Conn, n int) {
	defer conn.Close()
	for {
		packet, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		var answer packets.ControlPacket
		switch p := packet.(type) {
		case *packets.ConnectPacket:
			answer = packets.NewControlPacket(packets.Connack)
		case *packets.SubscribePacket:
			ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			ack.MessageID, ack.ReturnCodes = p.MessageID, make([]byte, len(p.Topics))
			for i, topic := range p.Topics {
				if h.denied != "" && strings.HasSuffix(topic, h.denied) {
					ack.ReturnCodes[i] = 0x80
				}
			}
			answer = ack
		case *packets.PingreqPacket:
			answer = packets.NewControlPacket(packets.Pingresp)
		case *packets.PublishPacket:
			h.hear(p, n)
			if h.slow == 0 {
				continue
			}
			time.Sleep(h.slow)
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = p.MessageID
			answer = ack
		default:
			continue
		}
		if answer.Write(conn) != nil {
			return
		}
	}
}

func (h *blackHole) hear(p *packets.PublishPacket, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bytes += len(p.Payload)
	if strings.HasSuffix(p.TopicName, string(wire.ReadingsChannel)) {
		h.packs[n]++
	}
}

func (h *blackHole) close() {
	_ = h.listener.Close()
	h.mu.Lock()
	for _, c := range h.open {
		_ = c.Close()
	}
	h.mu.Unlock()
	h.group.Wait()
}

// TestBrokerThatNeverAcknowledges: nothing is deleted, little is sent, memory
// stays where it was, and the next broker gets everything.
func TestBrokerThatNeverAcknowledges(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	broker.Stop()
	hole := openBlackHole(t, broker.URL, 0, "")
	const packs = 150
	for n := range packs { // large ones, so that what is kept twice shows
		if err := s.Append(large(n)); err != nil {
			t.Fatal(err)
		}
	}
	heap := heapInUse()
	startWith(t, uplink.Options{URL: broker.URL, ResendAfter: 50 * time.Millisecond, AckTimeout: 400 * time.Millisecond}, s)
	testkit.Eventually(t, 20*time.Second, func() error {
		hole.mu.Lock()
		defer hole.mu.Unlock()
		if hole.connections < 2 || hole.packs[1] == 0 {
			return fmt.Errorf("%d connections, packs %v: the uplink does not try anew", hole.connections, hole.packs)
		}
		return nil
	})
	if grown := int64(heapInUse()) - int64(heap); grown > 8<<20 {
		t.Errorf("memory grew by %d kB", grown>>10)
	}
	if n := s.Counts().Packs; n != packs {
		t.Errorf("%d packs wait, want all %d", n, packs)
	}
	hole.mu.Lock()
	for n, heard := range hole.packs {
		if heard > 24 {
			t.Errorf("connection %d carried %d packs, though none was acknowledged: want at most 8 and 16 of the newest", n, heard)
		}
	}
	hole.mu.Unlock()
	hole.close()
	broker.Start()
	listen(t, broker, func(m mqtt.Client, p wire.Pack, _ int) {
		reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
	})
	testkit.Eventually(t, 30*time.Second, empty(s))
}

// TestBrokerBehindAThinLine: one that acknowledges, though each pack takes long,
// is not given up.
func TestBrokerBehindAThinLine(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	broker.Stop()
	hole := openBlackHole(t, broker.URL, 100*time.Millisecond, "")
	fill(t, s, 100)
	startWith(t, uplink.Options{URL: broker.URL, ResendAfter: time.Minute, AckTimeout: 500 * time.Millisecond}, s)
	testkit.Eventually(t, 20*time.Second, func() error {
		hole.mu.Lock()
		defer hole.mu.Unlock()
		if hole.connections > 1 {
			t.Fatalf("%d connections: the line was given up though the broker acknowledges", hole.connections)
		}
		if hole.connections == 0 || hole.packs[0] < 20 {
			return fmt.Errorf("packs heard: %v", hole.packs)
		}
		return nil
	})
}

// TestBrokerThatDeniesATopic: without the collector's answers nothing can be let
// go, so the gateway says so and tries anew; without a configuration from afar it
// does its work.
func TestBrokerThatDeniesATopic(t *testing.T) {
	for _, tt := range []struct {
		denied wire.Channel
		works  bool
	}{{wire.ConfigChannel, true}, {wire.StoredChannel, false}} {
		t.Run(string(tt.denied), func(t *testing.T) {
			broker, s := testkit.Broker(t), openSpool(t)
			broker.Stop()
			hole := openBlackHole(t, broker.URL, time.Millisecond, "/"+string(tt.denied))
			fill(t, s, 5)
			startWith(t, uplink.Options{URL: broker.URL, Config: func([]byte) {}}, s)
			testkit.Eventually(t, 20*time.Second, func() error {
				hole.mu.Lock()
				defer hole.mu.Unlock()
				if tt.works && (len(hole.packs) != 1 || hole.packs[0] < 5) || !tt.works && len(hole.packs) < 2 {
					return fmt.Errorf("packs heard on each connection: %v", hole.packs)
				}
				if !tt.works && hole.packs[0] > 0 {
					t.Errorf("%d packs sent, though nobody's answer can be heard", hole.packs[0])
				}
				return nil
			})
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// large is a pack of 500 readings, about 40 kB.
func large(n int) []wire.UnitReading {
	readings := make([]wire.UnitReading, 500)
	for i := range readings {
		readings[i] = wire.UnitReading{Unit: metering.WattHour, Reading: metering.Reading{Meter: metering.MeterID(fmt.Sprintf("M%d", i)),
			Quantity: metering.Index, At: time.UnixMilli(1_760_000_000_000 + int64(n)*60_000), Amount: metering.Amount(1e6*i + n)}}
	}
	return readings
}
