// Package uplink sends the spool's packs to the broker, again and again until
// the collector has answered that they are stored.
//
// A PUBACK proves nothing: it may even come without the broker having said so.
// Only the collector's answer, for this spool's id, lets a pack go.
package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Options say where an uplink sends and what it tells.
type Options struct {
	Source   wire.Source
	URL      string
	Username string
	Password string
	// ResendAfter is how long an unanswered pack waits before it is sent again,
	// doubled each time up to ten minutes; 60 s where zero.
	ResendAfter time.Duration
	// State and Meters give what is published of the gateway, about once a
	// minute and after each reconnect.
	State  func() wire.State
	Meters func() wire.Meters
	// Registry is told each registry of the site.
	Registry func(wire.Registry) error
}

const (
	window    = 64 // unanswered packs: the flow control
	maxResend = 10 * time.Minute
	tellEvery = time.Minute
)

// An Uplink sends one spool. Make it with [New] and call Run once.
type Uplink struct {
	options  Options
	spool    *spool.Spool
	figures  *Figures
	log      *slog.Logger
	client   mqtt.Client
	inFlight map[wire.Seq]*sending // of Run's goroutine alone

	connected chan struct{}
	stored    chan wire.Stored
}

// A sending is a pack that was sent and not answered yet.
type sending struct {
	again time.Time
	wait  time.Duration
}

// New returns the uplink of a spool.
func New(o Options, s *spool.Spool, figures *Figures, log *slog.Logger) *Uplink {
	if o.ResendAfter == 0 {
		o.ResendAfter = time.Minute
	}
	u := &Uplink{options: o, spool: s, figures: figures, log: log, inFlight: map[wire.Seq]*sending{},
		connected: make(chan struct{}, 1), stored: make(chan wire.Stored, window)}
	u.client = mqtt.NewClient(u.clientOptions())
	return u
}

// clientOptions turn off what the library would keep by itself (sessions, long
// pauses between tries), because the spool keeps everything.
func (u *Uplink) clientOptions() *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(u.options.URL).
		SetClientID("gateway-" + string(u.options.Source.Site) + "-" + string(u.options.Source.Gateway)).
		SetUsername(u.options.Username).SetPassword(u.options.Password).
		SetCleanSession(true).SetOrderMatters(false).
		SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).
		SetAutoReconnect(true).SetMaxReconnectInterval(10 * time.Second).
		SetKeepAlive(30 * time.Second).SetWriteTimeout(10 * time.Second).
		SetOnConnectHandler(u.onConnect).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { u.log.Warn("broker lost", "err", err) })
	will := u.options.State()
	will.Online = false
	if payload, err := will.Encode(); err == nil {
		o.SetBinaryWill(u.options.Source.Topic(wire.StateChannel), payload, 1, true)
	}
	return o
}

// onConnect runs in a goroutine of the library at each connection.
func (u *Uplink) onConnect(c mqtt.Client) {
	u.log.Info("broker connected", "url", u.options.URL)
	token := c.SubscribeMultiple(map[string]byte{
		u.options.Source.Topic(wire.StoredChannel): 1,
		wire.RegistryTopic(u.options.Source.Site):  1,
	}, u.receive)
	if token.Wait(); token.Error() != nil {
		u.log.Error("subscribe", "err", token.Error())
		return
	}
	select {
	case u.connected <- struct{}{}:
	default:
	}
}

func (u *Uplink) receive(_ mqtt.Client, m mqtt.Message) {
	if err := u.take(m); err != nil {
		u.log.Warn("message ignored", "topic", m.Topic(), "err", err)
	}
}

func (u *Uplink) take(m mqtt.Message) error {
	if m.Topic() == wire.RegistryTopic(u.options.Source.Site) {
		registry, err := wire.DecodeRegistry(m.Payload())
		if err != nil {
			return err
		}
		return u.options.Registry(registry)
	}
	answer, err := wire.DecodeStored(m.Payload())
	if err != nil {
		return err
	}
	u.stored <- answer
	return nil
}

// Run sends until ctx ends. A broker that is away is tried again for ever.
func (u *Uplink) Run(ctx context.Context) error {
	u.client.Connect() // retries by itself
	defer u.disconnect()
	ticker := time.NewTicker(min(time.Second, u.options.ResendAfter/2))
	defer ticker.Stop()
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-u.connected:
			clear(u.inFlight) // whatever was on its way may be lost
			u.tell()
		case answer := <-u.stored:
			u.answered(answer)
		case <-u.spool.Changed():
		case <-ticker.C:
		case <-tell.C:
			u.tell()
		}
		if err := u.send(time.Now()); err != nil {
			u.log.Error("send", "err", err)
		}
	}
}

// answered lets go of what the collector has made durable.
func (u *Uplink) answered(a wire.Stored) {
	if a.Spool != u.spool.ID() {
		return // an earlier spool's numbers mean nothing here
	}
	seqs := a.Stored
	for _, r := range a.Refused {
		u.log.Warn("pack refused", "seq", r.Seq, "reason", r.Reason)
		u.figures.refused.Inc()
		seqs = append(seqs, r.Seq)
	}
	for _, seq := range seqs {
		delete(u.inFlight, seq)
	}
	u.figures.answered.Add(float64(len(seqs)))
	if err := u.spool.Answered(seqs); err != nil {
		u.log.Error("spool", "err", err)
	}
}

// send sends again what is overdue and, within the window, what was never sent.
func (u *Uplink) send(now time.Time) error {
	if !u.client.IsConnectionOpen() {
		return nil
	}
	var errs []error
	for seq, s := range u.inFlight {
		if now.After(s.again) {
			s.wait = min(2*s.wait, maxResend)
			s.again = now.Add(s.wait)
			u.figures.resent.Inc()
			errs = append(errs, u.publish(seq))
		}
	}
	for _, seq := range u.unsent() {
		u.inFlight[seq] = &sending{wait: u.options.ResendAfter, again: now.Add(u.options.ResendAfter)}
		errs = append(errs, u.publish(seq))
	}
	return errors.Join(errs...)
}

// unsent returns the oldest packs that are not in flight, as many as the window
// still takes.
func (u *Uplink) unsent() []wire.Seq {
	room := window - len(u.inFlight)
	if room <= 0 {
		return nil
	}
	var seqs []wire.Seq
	for _, seq := range u.spool.Waiting(0, window) {
		if _, sent := u.inFlight[seq]; !sent && len(seqs) < room {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// publish does not wait for the token, which proves nothing.
func (u *Uplink) publish(seq wire.Seq) error {
	payload, ok, err := u.spool.Payload(seq)
	if err != nil {
		return fmt.Errorf("publish pack %d: %w", seq, err)
	}
	if ok {
		u.client.Publish(u.options.Source.Topic(wire.ReadingsChannel), 1, false, payload)
		u.figures.sent.Inc()
	}
	return nil
}

// tell publishes the retained state and meters.
func (u *Uplink) tell() {
	if !u.client.IsConnectionOpen() {
		return
	}
	state, err := u.options.State().Encode()
	meters, err2 := u.options.Meters().Encode()
	if err = errors.Join(err, err2); err != nil {
		u.log.Error("tell", "err", err)
		return
	}
	u.client.Publish(u.options.Source.Topic(wire.StateChannel), 1, true, state)
	u.client.Publish(u.options.Source.Topic(wire.MetersChannel), 1, true, meters)
}

// disconnect says goodbye with what the last will would say.
func (u *Uplink) disconnect() {
	state := u.options.State()
	state.Online = false
	if payload, err := state.Encode(); err == nil && u.client.IsConnectionOpen() {
		u.client.Publish(u.options.Source.Topic(wire.StateChannel), 1, true, payload).WaitTimeout(time.Second)
	}
	u.client.Disconnect(250)
}

// Connected reports whether the broker can be spoken to at the moment.
func (u *Uplink) Connected() bool { return u.client.IsConnectionOpen() }
