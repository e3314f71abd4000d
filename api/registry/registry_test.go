package registry_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/registry"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// retained is what a client that comes now is told of the registry.
func retained(t *testing.T, url string) (wire.Registry, error) {
	t.Helper()
	got := make(chan []byte, 1)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("reader").SetConnectTimeout(time.Second))
	if token := client.Connect(); !token.WaitTimeout(2*time.Second) || token.Error() != nil {
		return wire.Registry{}, errors.New("the broker does not answer")
	}
	defer client.Disconnect(0)
	client.Subscribe(wire.RegistryTopic("roseraie"), 1, func(_ mqtt.Client, m mqtt.Message) {
		if m.Retained() {
			got <- m.Payload()
		}
	})
	select {
	case payload := <-got:
		return wire.DecodeRegistry(payload)
	case <-time.After(200 * time.Millisecond):
		return wire.Registry{}, errors.New("nothing is retained")
	}
}

// say publishes a registry as another program would.
func say(t *testing.T, url string, payload []byte) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("other"))
	if token := client.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer client.Disconnect(100)
	if token := client.Publish(wire.RegistryTopic("roseraie"), 1, true, payload); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}

func TestPublisher(t *testing.T) {
	broker := testkit.Broker(t)
	broker.Stop() // the program starts while the broker is away
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "xnet.db"))
	text, err := os.ReadFile("../testdata/residence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	load := func(text string) {
		t.Helper()
		r, err := roster.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := roster.Store(t.Context(), db, r); err != nil {
			t.Fatal(err)
		}
	}
	load(string(text))
	p := registry.New(registry.Broker{URL: broker.URL, ClientID: "api-test"}, premises.NewStore(db), meters.NewStore(db), nil, 100*time.Millisecond, nil, testkit.Logger(t))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	if err := p.Ready(); !errors.Is(err, registry.ErrAway) {
		t.Errorf("ready without a broker: %v", err)
	}

	expect := func(what string, count int, resolution string) {
		t.Helper()
		testkit.Eventually(t, 15*time.Second, func() error {
			r, err := retained(t, broker.URL)
			if err != nil {
				return errors.New(what + ": " + err.Error())
			}
			for _, m := range r.Meters {
				if m.Meter == "hw-1" && string(m.Resolution) == resolution && len(r.Meters) == count {
					return nil
				}
			}
			return errors.New(what + ": the registry is another one")
		})
	}
	broker.Start()
	expect("after the start", 6, "month")
	load(strings.Replace(string(text), "resolution: month", "resolution: day", 1))
	expect("after a load", 6, "day")
	broker.Stop() // it forgets what it retained
	broker.Start()
	expect("after a crash of the broker", 6, "day")
	// Another program that looked earlier speaks last.
	old, err := retained(t, broker.URL)
	if err != nil {
		t.Fatal(err)
	}
	old.Meters = old.Meters[:2]
	payload, err := old.Encode()
	if err != nil {
		t.Fatal(err)
	}
	say(t, broker.URL, payload)
	expect("after another program said something older", 6, "day")
	if err := p.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
}

// A configuration that somebody published is retained, signed; while what makes
// the resolutions fails, nothing is published at all.
func TestPublisherOfConfigurations(t *testing.T) {
	broker := testkit.Broker(t)
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "xnet.db"))
	meterstest.Furnish(t, db)
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	fleet := meters.NewStore(db)
	configs := configuration.NewStore(db, fleet, key)
	status, err := configs.Status(t.Context(), meterstest.Installer, "gw-r")
	if err != nil {
		t.Fatal(err)
	}
	version, _, err := configs.Publish(t.Context(), meterstest.Installer, "gw-r", status.Draft.Digest(), meterstest.Now)
	if err != nil {
		t.Fatal(err)
	}
	var failing atomic.Bool
	var looks atomic.Int64
	failing.Store(true)
	before := func(context.Context) error {
		looks.Add(1)
		if failing.Load() {
			return errors.New("no")
		}
		return nil
	}
	p := registry.New(registry.Broker{URL: broker.URL, ClientID: "api-test"}, premises.NewStore(db), fleet, configs, 20*time.Millisecond, before, testkit.Logger(t))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })

	got := make(chan mqtt.Message, 10)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker.URL).SetClientID("reader"))
	if token := client.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	client.Subscribe("xnet/v1/#", 1, func(_ mqtt.Client, m mqtt.Message) { got <- m }).WaitTimeout(5 * time.Second)
	testkit.Eventually(t, 10*time.Second, func() error {
		if looks.Load() < 3 {
			return errors.New("not looked yet")
		}
		return nil
	})
	if len(got) > 0 {
		t.Errorf("published %s though the resolutions are not settled", (<-got).Topic())
	}
	failing.Store(false)
	topics := map[string][]byte{}
	for len(topics) < 3 { // two registries and one configuration
		select {
		case m := <-got:
			topics[m.Topic()] = m.Payload()
		case <-time.After(10 * time.Second):
			t.Fatalf("published %d topics, want 3", len(topics))
		}
	}
	signed, err := wire.DecodeSignedConfig(topics["xnet/v1/R/gw-r/config"])
	if err != nil || firmwareconfig.Verify(public, signed) != nil || signed.Version != strconv.FormatInt(version, 10) {
		t.Errorf("configuration %s %q, %v", signed.Version, signed.Document, err)
	}
}

// However long a look takes, what a household decided is published within a
// minute, and a small residence is looked at each time.
func TestRest(t *testing.T) {
	for _, tt := range []struct{ look, want time.Duration }{
		{0, 0},
		{15 * time.Millisecond, 135 * time.Millisecond},
		{2 * time.Second, 18 * time.Second},
		{10 * time.Second, 20 * time.Second},
		{time.Hour, 20 * time.Second},
	} {
		if got := registry.Rest(tt.look); got != tt.want {
			t.Errorf("after a look of %s it rests %s, want %s", tt.look, got, tt.want)
		}
	}
}
