package uplink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	keepAlive    = 30 * time.Second
	// Pauses between two tries to connect: the first, the longest while the
	// broker is away, which is part of how late the first readings are after its
	// return, and the longest for one that lets itself be connected to and
	// acknowledges nothing, which costs packs each time.
	firstPause, maxPause, maxSilentPause = 500 * time.Millisecond, 3 * time.Second, 10 * time.Minute
)

// errSilent is why a session ends whose broker acknowledges nothing.
var errSilent = errors.New("the broker acknowledges nothing")

// A session is one connection, with a client that is thrown away after it.
type session struct {
	client mqtt.Client
	source wire.Source
	useful atomic.Bool // an answer came
	once   sync.Once
	lost   chan struct{}
	why    error // set before lost is closed
}

// publish hands a message to the library, which sends it in order.
func (s *session) publish(c wire.Channel, retained bool, payload []byte) mqtt.Token {
	return s.client.Publish(s.source.Topic(c), 1, retained, payload)
}

// fail ends the session. Of several reasons the first counts.
func (s *session) fail(why error) {
	s.once.Do(func() {
		s.why = why
		close(s.lost)
	})
}

func (s *session) ended() bool {
	select {
	case <-s.lost:
		return true
	default:
		return false
	}
}

// keepConnected dials until ctx ends, and hands each session to Run.
func (u *Uplink) keepConnected(ctx context.Context) {
	pause, silent := firstPause, firstPause
	for ctx.Err() == nil {
		s, err := u.dial(ctx)
		if err == nil {
			u.log.Info("broker connected", "url", u.options.URL)
			err = u.use(ctx, s)
			pause, silent = nextPauses(errors.Is(err, errSilent) && !s.useful.Load(), silent)
		}
		if ctx.Err() != nil {
			return
		}
		u.log.Warn("broker is away", "url", u.options.URL, "again_in", pause, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2)): // a site's gateways must not come all at once
		}
		pause = max(silent, min(2*pause, maxPause))
	}
}

// nextPauses returns the pause after a session, and that after silent ones.
func nextPauses(wasSilent bool, silent time.Duration) (pause, next time.Duration) {
	if !wasSilent {
		return firstPause, firstPause
	}
	next = min(4*silent, maxSilentPause)
	return next, next
}

// use hands a session to Run and returns why it ended.
func (u *Uplink) use(ctx context.Context, s *session) error {
	defer s.client.Disconnect(250)
	select {
	case u.sessions <- s:
	case <-ctx.Done():
		return nil
	}
	<-s.lost // at the end too, when Run has said goodbye
	select {
	case u.sessions <- nil:
	case <-ctx.Done():
	}
	return s.why
}

// dial connects and subscribes, or fails within about twice [dialTimeout].
func (u *Uplink) dial(ctx context.Context) (*session, error) {
	s := &session{source: u.options.Source, lost: make(chan struct{})}
	options, err := u.clientOptions(s)
	if err != nil {
		return nil, err
	}
	s.client = mqtt.NewClient(options)
	if err := wait(ctx, s.client.Connect()); err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("connect: %w", config.Explained(err, options.TLSConfig))
	}
	if err := u.subscribe(ctx, s); err != nil {
		s.client.Disconnect(0)
		return nil, err
	}
	return s, nil
}

// clientOptions turn off what the library would keep by itself (sessions,
// reconnecting), because the spool keeps everything.
func (u *Uplink) clientOptions(s *session) (*mqtt.ClientOptions, error) {
	tls, err := u.options.tls()
	if err != nil {
		return nil, err
	}
	o := mqtt.NewClientOptions().AddBroker(u.options.URL).SetTLSConfig(tls).
		SetClientID("gateway-" + string(u.options.Source.Site) + "-" + string(u.options.Source.Gateway)).
		SetUsername(u.options.Username).SetPassword(u.options.Password).
		SetCleanSession(true).SetConnectRetry(false).SetAutoReconnect(false).
		SetConnectTimeout(dialTimeout).SetKeepAlive(keepAlive).SetWriteTimeout(writeTimeout).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { s.fail(err) })
	will := u.options.State()
	will.Online = false
	payload, err := will.Encode()
	if err != nil {
		return nil, err
	}
	return o.SetBinaryWill(u.options.Source.Topic(wire.StateChannel), payload, 1, true), nil
}

// refused is how a broker denies a subscription (MQTT 3.1.1, 3.9.3).
const refused = 0x80

func (u *Uplink) subscribe(ctx context.Context, s *session) error {
	topics := map[string]byte{
		u.options.Source.Topic(wire.StoredChannel): 1,
		wire.RegistryTopic(u.options.Source.Site):  1,
	}
	if u.options.Config != nil {
		topics[u.options.Source.Topic(wire.ConfigChannel)] = 1
	}
	token := s.client.SubscribeMultiple(topics, u.receive)
	if err := wait(ctx, token); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if t, ok := token.(*mqtt.SubscribeToken); ok {
		for topic, code := range t.Result() {
			if code == refused && topic == u.options.Source.Topic(wire.ConfigChannel) { // readings go on without
				u.log.Warn("no configuration from afar: the broker refuses the subscription", "topic", topic, "user", u.options.Username)
			} else if code == refused {
				return fmt.Errorf("the broker refuses a subscription to %s: let user %q read it in the broker's access list", topic, u.options.Username)
			}
		}
	}
	return nil
}

// errSlow is why a try to connect is given up.
var errSlow = errors.New("no answer in time")

func wait(ctx context.Context, token mqtt.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(dialTimeout):
		return errSlow
	}
}

// receive is called by the library, one message after the other.
func (u *Uplink) receive(_ mqtt.Client, m mqtt.Message) {
	if err := u.take(m); err != nil {
		u.log.Warn("message ignored", "topic", m.Topic(), "err", err)
	}
}

func (u *Uplink) take(m mqtt.Message) error {
	switch m.Topic() {
	case wire.RegistryTopic(u.options.Source.Site):
		registry, err := wire.DecodeRegistry(m.Payload())
		if err != nil {
			return err
		}
		return u.options.Registry(registry)
	case u.options.Source.Topic(wire.ConfigChannel):
		if len(m.Payload()) > 0 { // else what was retained was taken back: what is applied stays
			u.options.Config(m.Payload())
		}
		return nil
	}
	answer, err := wire.DecodeStored(m.Payload())
	if err != nil {
		return err
	}
	select {
	case u.stored <- answer:
	case <-u.done:
	}
	return nil
}
