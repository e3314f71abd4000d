// Package registry publishes what collectors and gateways must know of each
// residence's meters, retained, by MQTT.
package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/configuration"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Broker is where to publish. The zero password means none.
type Broker struct {
	URL      string // as in tcp://127.0.0.1:1883
	ClientID string // of this program, unique at the broker
	Username string
	Password string
	TLS      *tls.Config // for ssl://; nil for the system's defaults
}

// ErrAway is what [Publisher.Ready] says while the broker is not connected.
var ErrAway = errors.New("the broker is not connected")

// A Publisher publishes the registry of every residence, and the configuration of
// every gateway that has one, when it connects and when the stores' answers
// changed.
//
// Several programs may publish the same. Each hears what the others say: where one
// that looked earlier spoke last, the next look says again what is right.
type Publisher struct {
	homes     *premises.Store
	meters    *meters.Store
	configs   *configuration.Store
	before    func(context.Context) error
	log       *slog.Logger
	every     time.Duration // between two looks at the store
	client    mqtt.Client
	connected chan struct{} // a connection, not yet served
	retained  retained
	rests     time.Time    // looks are left out, until then
	steady    atomic.Int64 // see Steady, in ms since 1970; 0 for not
}

const publishTimeout = 10 * time.Second

// New returns a publisher that looks at the stores every so often; configs may be
// nil. Each look begins with before, unless that is nil: it makes the meters'
// resolutions what consents say. While it fails nothing is published, since what
// would be might say too much. The publisher connects when it runs.
func New(b Broker, homes *premises.Store, m *meters.Store, configs *configuration.Store, every time.Duration,
	before func(context.Context) error, log *slog.Logger) *Publisher {
	p := &Publisher{homes: homes, meters: m, configs: configs, log: log, every: every, before: before,
		connected: make(chan struct{}, 1)}
	options := mqtt.NewClientOptions().AddBroker(b.URL).SetClientID(b.ClientID).
		SetUsername(b.Username).SetPassword(b.Password).
		SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).
		SetMaxReconnectInterval(10 * time.Second).SetConnectTimeout(5 * time.Second).
		SetWriteTimeout(publishTimeout).SetOrderMatters(false).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { p.hear(m) }).
		SetOnConnectHandler(func(c mqtt.Client) { p.join(c) }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) {
			p.steady.Store(0)
			log.Warn("broker lost", "error", err)
		})
	if b.TLS != nil {
		options.SetTLSConfig(b.TLS)
	}
	p.client = mqtt.NewClient(options)
	return p
}

// join forgets what the broker may have lost, and listens to what others publish. A
// broker that does not let the program listen is served as if nobody else were there.
func (p *Publisher) join(c mqtt.Client) {
	p.retained.forget()
	c.SubscribeMultiple(map[string]byte{wire.AllRegistries: 1, wire.AllConfigs: 1}, nil)
	p.signal()
}

// hear notes what the broker retains from now on. Where another program said
// something else than this one, the next look says which of the two holds.
func (p *Publisher) hear(m mqtt.Message) {
	if !m.Retained() {
		p.retained.note(m.Topic(), m.Payload())
	}
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

// Steady returns since when the broker has had every registry without a break, so
// that what is stored now is published within [longestRest]; zero where it has not.
func (p *Publisher) Steady() time.Time {
	if since := p.steady.Load(); since != 0 && p.Ready() == nil {
		return time.UnixMilli(since)
	}
	return time.Time{}
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
			p.rests = time.Time{}
			p.steady.Store(0)
			p.log.Info("broker connected")
		case <-tick.C:
		}
		if time.Now().Before(p.rests) {
			continue
		}
		if p.Ready() != nil {
			continue
		}
		begun := time.Now()
		err := p.publish(ctx)
		switch {
		case err == nil:
			p.steady.CompareAndSwap(0, time.Now().UnixMilli())
		case ctx.Err() == nil:
			p.steady.Store(0)
			p.log.Warn("registry not published", "error", err)
		}
		p.rests = time.Now().Add(rest(time.Since(begun)))
	}
}

// longestRest keeps what a household decides on its way to the gateways within
// a minute, however large the residences are.
const longestRest = 20 * time.Second

// rest is how long to leave looks out after one that took so long: looking at
// 60,000 dwellings every few seconds would keep a processor busy for nothing. It
// takes a tenth of one, unless that made the rest too long.
func rest(look time.Duration) time.Duration { return min(9*look, longestRest) }

func (p *Publisher) publish(ctx context.Context) error {
	if p.before != nil {
		if err := p.before(ctx); err != nil {
			return err
		}
	}
	residences, err := p.homes.Residences(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, r := range residences {
		faults = append(faults, p.publishRegistry(ctx, r))
	}
	return errors.Join(append(faults, p.publishConfigs(ctx))...)
}

func (p *Publisher) publishRegistry(ctx context.Context, r premises.Residence) error {
	current, err := p.meters.Registry(ctx, r)
	if err != nil {
		return err
	}
	payload, err := current.Encode()
	if err != nil {
		return err
	}
	sent, err := p.send(wire.RegistryTopic(r.ID), payload)
	if err != nil {
		return fmt.Errorf("publish the registry of %s: %w", r.ID, err)
	}
	if sent {
		p.log.Info("registry published", "residence", r.ID, "meters", len(current.Meters))
	}
	return nil
}

func (p *Publisher) publishConfigs(ctx context.Context) error {
	if p.configs == nil {
		return nil
	}
	payloads, err := p.configs.Signed(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for source, payload := range payloads {
		sent, err := p.send(source.Topic(wire.ConfigChannel), payload)
		if err != nil {
			faults = append(faults, fmt.Errorf("publish the configuration of gateway %s: %w", source, err))
		}
		if sent {
			p.log.Info("configuration published", "gateway", source.String())
		}
	}
	return errors.Join(faults...)
}

// send publishes what the broker does not retain yet, and reports whether it did.
func (p *Publisher) send(topic string, payload []byte) (bool, error) {
	if p.retained.says(topic, payload) {
		return false, nil
	}
	token := p.client.Publish(topic, 1, true, payload)
	if !token.WaitTimeout(publishTimeout) {
		return false, fmt.Errorf("no answer in %s", publishTimeout)
	}
	// A token that a lost connection completed says nothing; the next
	// connection publishes again whatever is remembered here.
	if err := token.Error(); err != nil {
		return false, err
	}
	p.retained.note(topic, payload)
	return true, nil
}

// retained is what the broker retains, as far as this connection published or heard
// it. The zero value knows nothing. It may be used from several goroutines.
type retained struct {
	mu      sync.Mutex
	byTopic map[string][]byte
}

func (r *retained) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byTopic = map[string][]byte{}
}

func (r *retained) says(topic string, payload []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.byTopic[topic]
	return ok && bytes.Equal(known, payload)
}

func (r *retained) note(topic string, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byTopic == nil {
		r.byTopic = map[string][]byte{}
	}
	r.byTopic[topic] = payload
}
