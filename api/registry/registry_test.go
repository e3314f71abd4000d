package registry_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/registry"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
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
	p := registry.New(registry.Broker{URL: broker.URL, ClientID: "api-test"}, premises.NewStore(db), meters.NewStore(db), 100*time.Millisecond, testkit.Logger(t))
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
	if err := p.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
}
