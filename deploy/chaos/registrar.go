package main

import (
	"fmt"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// registryOf is what the api would publish of the residence. Flows are not
// bounded: a count more at every read is more than any tap gives.
func registryOf(r *household.Residence, cycle time.Duration) wire.Registry {
	registry := wire.Registry{Site: r.SiteID, Zone: r.Zone.String(), EarliestMs: r.Epoch.Start(r.Zone).UnixMilli()}
	for _, m := range r.Meters() {
		registry.Meters = append(registry.Meters, wire.RegistryMeter{Meter: m.ID, Gateway: m.Gateway, Kind: m.Kind,
			IndexModulus: m.IndexModulus, IntervalS: int64(cycle.Seconds()), Resolution: metering.Fine,
			FromMs: m.From.UnixMilli(), ToMs: wire.Millis(m.To)})
	}
	return registry
}

// A registrar publishes the registry as the api does: retained, at each connect,
// and again now and then, since a broker that was wiped has forgotten it. It
// also is who throws poison into the topics.
type registrar struct {
	client paho.Client
	thrown atomic.Int64
}

func newRegistrar(broker string, registry wire.Registry) (*registrar, error) {
	payload, err := registry.Encode()
	if err != nil {
		return nil, err
	}
	topic := wire.RegistryTopic(registry.Site)
	options := paho.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("registrar").SetCleanSession(true).
		SetConnectRetry(true).SetConnectRetryInterval(200 * time.Millisecond).SetMaxReconnectInterval(time.Second).
		SetConnectTimeout(2 * time.Second).SetWriteTimeout(5 * time.Second).
		SetOnConnectHandler(func(c paho.Client) { c.Publish(topic, 1, true, payload) })
	r := &registrar{client: paho.NewClient(options)}
	token := r.client.Connect()
	if !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		return nil, fmt.Errorf("connect to the broker %s: %v", broker, token.Error())
	}
	return r, nil
}

func (r *registrar) close() { r.client.Disconnect(250) }

// throw publishes a payload that is no gateway's, where the broker is there.
func (r *registrar) throw(topic string, payload []byte) {
	if r.client.IsConnectionOpen() {
		r.client.Publish(topic, 1, false, payload)
		r.thrown.Add(1)
	}
}
