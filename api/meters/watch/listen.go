package watch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Broker is where gateways report. The zero password means none.
type Broker struct {
	URL      string
	ClientID string // of this listener, unique at the broker
	Username string
	Password string
	TLS      *tls.Config // for ssl://; nil for the system's defaults
}

// Rhythms are how often what is done.
type Rhythms struct {
	Survey    time.Duration // of standings and incidents
	Stillness time.Duration // of indexes that do not move
	// Settle is how long one must have listened before a gateway that tells
	// nothing counts as silent: a live one tells of itself every minute.
	Settle time.Duration
}

// DefaultRhythms is what suits all sizes.
func DefaultRhythms() Rhythms {
	return Rhythms{Survey: 30 * time.Second, Stillness: time.Hour, Settle: 3 * time.Minute}
}

// A Listener hears what all gateways report, keeps it, and surveys.
type Listener struct {
	store   *Store
	rhythms Rhythms
	now     func() time.Time
	log     *slog.Logger
	client  mqtt.Client
	queue   chan report
	joined  atomic.Int64                      // since when it listens, in ms since 1970; 0: it does not
	said    map[wire.Source][sha256.Size]byte // of its meters, last
	early   map[wire.Source]report            // of meters, from gateways that have not told of themselves
}

// A report is one message.
type report struct {
	source   wire.Source
	channel  wire.Channel
	payload  []byte
	retained bool
}

const (
	waiting      = 1000 // reports, before the broker must wait
	subscribeFor = 10 * time.Second
)

// NewListener returns a listener; [Listener.Run] connects it.
func NewListener(b Broker, s *Store, r Rhythms, now func() time.Time, log *slog.Logger) *Listener {
	l := &Listener{store: s, rhythms: r, now: now, log: log, queue: make(chan report, waiting), said: map[wire.Source][sha256.Size]byte{},
		early: map[wire.Source]report{}}
	options := mqtt.NewClientOptions().AddBroker(b.URL).SetClientID(b.ClientID).
		SetUsername(b.Username).SetPassword(b.Password).SetCleanSession(true).
		SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).
		SetMaxReconnectInterval(10 * time.Second).SetConnectTimeout(5 * time.Second).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { l.take(m) }).
		SetOnConnectHandler(func(c mqtt.Client) { l.join(c) }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) {
			l.joined.Store(0)
			log.Warn("gateways' reports are not heard: broker lost", "error", err)
		})
	if b.TLS != nil {
		options.SetTLSConfig(b.TLS)
	}
	l.client = mqtt.NewClient(options)
	return l
}

// join subscribes in one packet: a broker that still delivers for the first of
// two may take the second one's number for one in use.
func (l *Listener) join(c mqtt.Client) {
	token := c.SubscribeMultiple(map[string]byte{wire.AllStates: 1, wire.AllMeters: 1}, nil)
	if err := granted(token, token.WaitTimeout(subscribeFor)); err != nil {
		l.log.Error("gateways' reports are not heard: let the api read them at the broker", "error", err)
		return
	}
	l.joined.Store(l.now().UnixMilli())
	l.log.Info("gateways' reports are heard")
}

// refused is the least return code that grants nothing (MQTT 3.1.1, 3.9.3).
const refused = 0x80

// granted returns nil where the broker answered in time and grants every topic.
func granted(token mqtt.Token, answered bool) error {
	if !answered {
		return fmt.Errorf("no answer in %s", subscribeFor)
	}
	if err := token.Error(); err != nil {
		return err
	}
	if t, ok := token.(*mqtt.SubscribeToken); ok {
		for topic, code := range t.Result() {
			if code >= refused {
				return fmt.Errorf("topic %s: refused with code %#x", topic, code)
			}
		}
	}
	return nil
}

// take queues a message. While the queue is full the broker waits.
func (l *Listener) take(m mqtt.Message) {
	source, channel, err := wire.ParseTopic(m.Topic())
	if err != nil || len(m.Payload()) == 0 {
		return
	}
	l.queue <- report{source, channel, m.Payload(), m.Retained()}
}

// Attentive reports whether it has listened for long enough to call a gateway
// silent that was not heard.
func (l *Listener) Attentive() bool {
	since := l.joined.Load()
	return since != 0 && l.now().Sub(time.UnixMilli(since)) >= l.rhythms.Settle
}

// Run listens and surveys until ctx ends. A broker that is away is waited for.
func (l *Listener) Run(ctx context.Context) {
	l.client.Connect()
	defer l.client.Disconnect(0)
	survey, stillness := time.NewTicker(l.rhythms.Survey), time.NewTicker(l.rhythms.Stillness)
	defer survey.Stop()
	defer stillness.Stop()
	for {
		select {
		case <-ctx.Done():
			l.drain()
			return
		case r := <-l.queue:
			l.keep(ctx, r)
		case <-survey.C:
			l.survey(ctx)
		case <-stillness.C:
			if err := l.store.Stillness(ctx, l.now()); err != nil && ctx.Err() == nil {
				l.log.Warn("meters that stand still are not known", "error", err)
			}
		}
	}
}

// drain lets a handler go that waits for room, so that the client can end.
func (l *Listener) drain() {
	for {
		select {
		case <-l.queue:
		default:
			return
		}
	}
}

func (l *Listener) survey(ctx context.Context) {
	tally, err := l.store.Survey(ctx, l.now(), l.Attentive())
	if err != nil && ctx.Err() == nil {
		l.log.Warn("gateways and meters not surveyed", "error", err)
	}
	if tally != (Tally{}) {
		l.log.Info("survey", "standings", tally.Standings, "incidents_opened", tally.Opened, "incidents_closed", tally.Closed)
	}
}

// keep stores a report. What cannot be read is said once a message; what cannot
// be stored comes again within a minute.
func (l *Listener) keep(ctx context.Context, r report) {
	var err error
	switch r.channel {
	case wire.StateChannel:
		err = l.keepState(ctx, r)
	case wire.MetersChannel:
		err = l.keepMeters(ctx, r)
	}
	if err != nil && ctx.Err() == nil {
		l.log.Warn("report not kept", "gateway", r.source.String(), "channel", r.channel, "error", err)
	}
}

func (l *Listener) keepState(ctx context.Context, r report) error {
	state, err := wire.DecodeState(r.payload)
	if err != nil {
		return err
	}
	if err := l.store.State(ctx, r.source, state, heardAt(r.retained, state.AtMs, l.now())); err != nil {
		return err
	}
	early, ok := l.early[r.source]
	delete(l.early, r.source)
	if !ok {
		return nil
	}
	return l.keepMeters(ctx, early)
}

// keepMeters writes only what is new: most gateways say the same every minute
// between two polls.
func (l *Listener) keepMeters(ctx context.Context, r report) error {
	m, err := wire.DecodeMeters(r.payload)
	if err != nil {
		return err
	}
	text, err := json.Marshal(m.Meters)
	if err != nil {
		return fmt.Errorf("meters: %w", err)
	}
	sum := sha256.Sum256(text)
	if l.said[r.source] == sum {
		return nil
	}
	kept, err := l.store.Meters(ctx, r.source, m, heardAt(r.retained, m.AtMs, l.now()))
	switch {
	case kept:
		l.said[r.source] = sum
	case err == nil && len(l.early) < waiting:
		l.early[r.source] = r // until the gateway tells of itself
	}
	return err
}
