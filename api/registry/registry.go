// Package registry publishes what collectors and gateways must know of each
// residence's meters, retained, by MQTT.
package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Broker is where to publish. The zero password means none.
type Broker struct {
	URL      string // as in tcp://127.0.0.1:1883
	ClientID string // of this program, unique at the broker
	Username string
	Password string
}

// ErrAway is what [Publisher.Ready] says while the broker is not connected.
var ErrAway = errors.New("the broker is not connected")

// A Publisher publishes the registry of every residence when it connects and
// when the store's answer changed.
type Publisher struct {
	homes     *premises.Store
	meters    *meters.Store
	log       *slog.Logger
	every     time.Duration // between two looks at the store
	client    mqtt.Client
	connected chan struct{} // a connection, not yet served
	published map[metering.SiteID][]byte
}

const publishTimeout = 10 * time.Second

// New returns a publisher that looks at the store every so often. It connects
// when it runs.
func New(b Broker, homes *premises.Store, m *meters.Store, every time.Duration, log *slog.Logger) *Publisher {
	p := &Publisher{homes: homes, meters: m, log: log, every: every,
		connected: make(chan struct{}, 1), published: map[metering.SiteID][]byte{}}
	options := mqtt.NewClientOptions().AddBroker(b.URL).SetClientID(b.ClientID).
		SetUsername(b.Username).SetPassword(b.Password).
		SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).
		SetMaxReconnectInterval(10 * time.Second).SetConnectTimeout(5 * time.Second).
		SetWriteTimeout(publishTimeout).SetOrderMatters(false).
		SetOnConnectHandler(func(mqtt.Client) { p.signal() }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { log.Warn("broker lost", "error", err) })
	p.client = mqtt.NewClient(options)
	return p
}

func (p *Publisher) signal() {
	select {
	case p.connected <- struct{}{}:
	default: // one is waiting already
	}
}

// Ready returns nil while the broker is connected, else [ErrAway].
func (p *Publisher) Ready() error {
	if p.client.IsConnectionOpen() {
		return nil
	}
	return ErrAway
}

// Run publishes until ctx ends. A broker that is away is waited for.
func (p *Publisher) Run(ctx context.Context) {
	p.client.Connect()
	defer p.client.Disconnect(250)
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.connected:
			// The broker may have lost what it retained.
			clear(p.published)
			p.log.Info("broker connected")
		case <-tick.C:
		}
		if p.Ready() != nil {
			continue
		}
		if err := p.publish(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("registry not published", "error", err)
		}
	}
}

func (p *Publisher) publish(ctx context.Context) error {
	residences, err := p.homes.Residences(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, r := range residences {
		faults = append(faults, p.publishOne(ctx, r))
	}
	return errors.Join(faults...)
}

func (p *Publisher) publishOne(ctx context.Context, r premises.Residence) error {
	current, err := p.meters.Registry(ctx, r)
	if err != nil {
		return err
	}
	payload, err := current.Encode()
	if err != nil || bytes.Equal(payload, p.published[r.ID]) {
		return err
	}
	token := p.client.Publish(wire.RegistryTopic(r.ID), 1, true, payload)
	if !token.WaitTimeout(publishTimeout) {
		return fmt.Errorf("publish the registry of %s: no answer in %s", r.ID, publishTimeout)
	}
	// A token that a lost connection completed says nothing; the next
	// connection publishes again whatever is remembered here.
	if err := token.Error(); err != nil {
		return fmt.Errorf("publish the registry of %s: %w", r.ID, err)
	}
	p.published[r.ID] = payload
	p.log.Info("registry published", "residence", r.ID, "meters", len(current.Meters))
	return nil
}
