package testkit

import (
	"log/slog"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/xnetroseraie/xnet/internal/influxd"
)

// A BrokerServer is an MQTT broker that a test can stop and start again on the
// same port; what it held is then gone, as after a crash without persistence.
type BrokerServer struct {
	URL string // as in "tcp://127.0.0.1:1883"

	t      testing.TB
	addr   string
	server *mochi.Server
}

// Broker starts a broker that ends with the test.
func Broker(t testing.TB) *BrokerServer {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	b := &BrokerServer{URL: "tcp://" + addr, t: t, addr: addr}
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

// Start serves again after [BrokerServer.Stop].
func (b *BrokerServer) Start() {
	b.t.Helper()
	b.server = mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := b.server.AddHook(new(auth.AllowHook), nil); err != nil {
		b.t.Fatal(err)
	}
	if err := b.server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: b.addr})); err != nil {
		b.t.Fatal(err)
	}
	if err := b.server.Serve(); err != nil {
		b.t.Fatal(err)
	}
}

// Stop ends the broker and forgets what it held. It may be called twice.
func (b *BrokerServer) Stop() {
	if b.server == nil {
		return
	}
	if err := b.server.Close(); err != nil {
		b.t.Logf("close broker: %v", err)
	}
	b.server = nil
}

// Received is how many messages clients have published since the last start.
func (b *BrokerServer) Received() int64 { return b.server.Info.Clone().MessagesReceived }
