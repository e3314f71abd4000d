package uplink_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

var source = wire.Source{Site: "site", Gateway: "gw"}

func fill(t *testing.T, s *spool.Spool, packs int) {
	t.Helper()
	for n := range packs {
		r := wire.UnitReading{Unit: metering.WattHour, Reading: metering.Reading{Meter: "M1",
			Quantity: metering.Index, At: time.UnixMilli(1_760_000_000_000 + int64(n)), Amount: metering.Amount(n)}}
		if err := s.Append([]wire.UnitReading{r}); err != nil {
			t.Fatal(err)
		}
	}
}

func openSpool(t *testing.T) *spool.Spool {
	t.Helper()
	s, err := spool.Open(t.TempDir(), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// start runs an uplink until the test ends.
func start(t *testing.T, broker *testkit.BrokerServer, s *spool.Spool) {
	t.Helper()
	startWith(t, uplink.Options{URL: broker.URL, ResendAfter: 200 * time.Millisecond}, s)
}

// startWith is start with options, of which the rest is filled in.
func startWith(t *testing.T, o uplink.Options, s *spool.Spool) *uplink.Uplink {
	t.Helper()
	return startLogged(t, o, s, testkit.Logger(t).Handler())
}

func startLogged(t *testing.T, o uplink.Options, s *spool.Spool, log slog.Handler) *uplink.Uplink {
	t.Helper()
	o.Source = source
	o.State = func() wire.State { return wire.State{Online: true, Boot: "b"} }
	o.Meters = func() wire.Meters { return wire.Meters{} }
	o.Registry = func(wire.Registry) error { return nil }
	u := uplink.New(o, s, uplink.NewFigures(prometheus.NewRegistry()), slog.New(log))
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = u.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	return u
}

// tries is a log that counts how often the broker was found away.
type tries struct {
	n   atomic.Int64
	why atomic.Value // what the last one says, a string
}

func (c *tries) Enabled(context.Context, slog.Level) bool { return true }
func (c *tries) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *tries) WithGroup(string) slog.Handler            { return c }

func (c *tries) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "broker is away" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "err" {
				c.why.Store(a.Value.String())
			}
			return true
		})
		c.n.Add(1)
	}
	return nil
}

func (c *tries) atLeast(n int64) func() error {
	return func() error {
		if got := c.n.Load(); got < n {
			return fmt.Errorf("tried %d times, want %d", got, n)
		}
		return nil
	}
}

// A collector that hears packs and answers as told.
type collector struct {
	mu     sync.Mutex
	heard  map[wire.Seq]int
	answer func(c mqtt.Client, p wire.Pack, times int)
}

func (c *collector) times(seq wire.Seq) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[seq]
}

func listen(t *testing.T, broker *testkit.BrokerServer, answer func(c mqtt.Client, p wire.Pack, times int)) *collector {
	t.Helper()
	c := &collector{heard: map[wire.Seq]int{}, answer: answer}
	subscribed := make(chan struct{}, 1)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL).SetOrderMatters(false).
		SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond).SetMaxReconnectInterval(100 * time.Millisecond).
		SetOnConnectHandler(func(m mqtt.Client) {
			m.Subscribe(wire.SharedReadings, 1, func(m mqtt.Client, message mqtt.Message) { c.hear(t, m, message) }).Wait()
			select {
			case subscribed <- struct{}{}:
			default:
			}
		}))
	client.Connect().Wait()
	t.Cleanup(func() { client.Disconnect(0) })
	select { // a broker drops what comes before, which a gateway sends again only later
	case <-subscribed:
	case <-time.After(10 * time.Second):
		t.Fatal("the collector could not subscribe within 10 s")
	}
	return c
}

func (c *collector) hear(t *testing.T, m mqtt.Client, message mqtt.Message) {
	p, err := wire.DecodePack(message.Payload())
	if err != nil {
		t.Error(err)
		return
	}
	c.mu.Lock()
	c.heard[p.Seq]++
	times := c.heard[p.Seq]
	c.mu.Unlock()
	c.answer(m, p, times)
}

func reply(c mqtt.Client, s wire.Stored) {
	payload, _ := s.Encode()
	c.Publish(source.Topic(wire.StoredChannel), 1, false, payload)
}

func empty(s *spool.Spool) func() error {
	return func() error {
		if n := s.Counts().Packs; n > 0 {
			return fmt.Errorf("%d packs wait", n)
		}
		return nil
	}
}

func TestPackIsSentAgainUntilStored(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	fill(t, s, 200) // more than the window
	c := listen(t, broker, func(m mqtt.Client, p wire.Pack, times int) {
		switch {
		case times == 1 && p.Seq%3 == 0: // lost by the collector
		case p.Seq%5 == 0:
			reply(m, wire.Stored{Spool: p.Spool, Refused: []wire.Refusal{{Seq: p.Seq, Reason: "test"}}})
		default:
			reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
		}
	})
	start(t, broker, s)
	testkit.Eventually(t, 20*time.Second, empty(s))
	for seq := wire.Seq(1); seq <= 200; seq++ {
		want := 1
		if seq%3 == 0 {
			want = 2
		}
		if c.times(seq) < want {
			t.Errorf("pack %d was heard %d times, want at least %d", seq, c.times(seq), want)
		}
	}
}

func TestAnswerForAnotherSpoolDeletesNothing(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	fill(t, s, 1)
	c := listen(t, broker, func(m mqtt.Client, p wire.Pack, _ int) {
		reply(m, wire.Stored{Spool: "another", Stored: []wire.Seq{p.Seq}})
	})
	start(t, broker, s)
	testkit.Eventually(t, 10*time.Second, func() error {
		if n := c.times(1); n < 3 {
			return fmt.Errorf("heard %d times, want 3", n)
		}
		return nil
	})
	if s.Counts().Packs != 1 {
		t.Error("the pack was deleted")
	}
}

// TestBrokerThatForgets: the broker acknowledges, then goes away with what it
// held. A client that trusts the acknowledgement loses the pack.
func TestBrokerThatForgets(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	fill(t, s, 100) // nobody listens: the broker takes them and drops them
	start(t, broker, s)
	testkit.Eventually(t, 10*time.Second, func() error {
		if broker.Received() < 64 {
			return fmt.Errorf("%d messages at the broker", broker.Received())
		}
		return nil
	})
	broker.Stop()
	if s.Counts().Packs != 100 {
		t.Fatalf("%d packs wait, want all 100", s.Counts().Packs)
	}
	broker.Start()
	listen(t, broker, func(m mqtt.Client, p wire.Pack, _ int) {
		reply(m, wire.Stored{Spool: p.Spool, Stored: []wire.Seq{p.Seq}})
	})
	testkit.Eventually(t, 20*time.Second, empty(s))
}

func TestLastWillSaysOffline(t *testing.T) {
	broker, s := testkit.Broker(t), openSpool(t)
	states := make(chan wire.State, 16)
	watcher := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL))
	watcher.Connect().Wait()
	t.Cleanup(func() { watcher.Disconnect(0) })
	watcher.Subscribe(source.Topic(wire.StateChannel), 1, func(_ mqtt.Client, m mqtt.Message) {
		state, err := wire.DecodeState(m.Payload())
		if err != nil {
			t.Error(err)
		}
		states <- state
	}).Wait()
	t.Run("runs", func(t *testing.T) {
		start(t, broker, s) // ends with this subtest
		if state := <-states; !state.Online || state.Boot != "b" {
			t.Errorf("state %+v, want online", state)
		}
	})
	// A message of quality of service 1 may come twice, and the first was online.
	state := wire.State{Online: true}
	testkit.Eventually(t, 10*time.Second, func() error {
		select {
		case state = <-states:
		default:
		}
		if state.Online {
			return fmt.Errorf("state %+v after the end, want offline", state)
		}
		return nil
	})
}
