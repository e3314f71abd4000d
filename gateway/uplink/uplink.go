// Package uplink sends the spool's packs to the broker, again and again until
// the collector has answered that they are stored.
//
// A PUBACK proves nothing: it may even come without the broker having said so.
// Only the collector's answer, for this spool's id, lets a pack go. At most 64
// packs are without an answer at a time, of which 16 places are kept for the
// newest, so that what is read now does not wait behind what a long outage left.
//
// Each connection is a client of its own. The library's reconnecting keeps
// messages that this package sends again anyway, and tells of successes that
// never were; a fresh client has nothing to keep.
package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Options say where an uplink sends and what it tells.
type Options struct {
	Source   wire.Source
	URL      string // tcp://host:1883, ssl://host:8883, ws:// or wss://
	Username string
	Password string
	// CAFile holds the certificates (PEM) that may vouch for the broker; the
	// system's where empty. CertificateFile and KeyFile are the gateway's own,
	// both or none. They are read at each connection, so that a renewed
	// certificate needs no restart.
	CAFile, CertificateFile, KeyFile string
	// ResendAfter is how long an unanswered pack waits before it is sent again,
	// doubled each time up to ten minutes; 60 s where zero.
	ResendAfter time.Duration
	// AckTimeout is how long the broker may take to acknowledge before the
	// connection counts as dead; 30 s where zero.
	AckTimeout time.Duration
	// State and Meters give what is published of the gateway, about once a
	// minute and after each reconnect.
	State  func() wire.State
	Meters func() wire.Meters
	// Registry is told each registry of the site.
	Registry func(wire.Registry) error
	// Config is told each payload of the gateway's config topic that is not
	// empty, as it came; nil where nobody wants it. It must not block.
	Config func(payload []byte)
}

const tellEvery = time.Minute

// An Uplink sends one spool. Make it with [New] and call Run once.
type Uplink struct {
	options Options
	spool   *spool.Spool
	figures *Figures
	log     *slog.Logger

	// Of Run's goroutine alone.
	session *session // nil while the broker is away
	flight  *flight
	cursor  wire.Seq // of the backlog: the packs up to here were sent
	newest  wire.Seq // of the newest packs, the same
	told    []mqtt.Token
	stale   bool // what was told last is not true any more

	connected atomic.Bool
	sessions  chan *session // nil when one ended
	stored    chan wire.Stored
	retell    chan struct{}
	done      chan struct{}
}

// New returns the uplink of a spool.
func New(o Options, s *spool.Spool, figures *Figures, log *slog.Logger) *Uplink {
	if o.ResendAfter == 0 {
		o.ResendAfter = time.Minute
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = 30 * time.Second
	}
	return &Uplink{options: o, spool: s, figures: figures, log: log, flight: newFlight(o.ResendAfter),
		sessions: make(chan *session), stored: make(chan wire.Stored, 4*window),
		retell: make(chan struct{}, 1), done: make(chan struct{})}
}

// Connected reports whether the broker can be spoken to at the moment.
func (u *Uplink) Connected() bool { return u.connected.Load() }

// Tell has state and meters published soon, because they changed. It does not
// wait, and may be called from any goroutine.
func (u *Uplink) Tell() {
	select {
	case u.retell <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. A broker that is away is tried again for ever.
func (u *Uplink) Run(ctx context.Context) error {
	defer close(u.done)
	ending := make(chan struct{})
	dialing, stop := context.WithCancel(ctx)
	go func() { defer close(ending); u.keepConnected(dialing) }()
	defer func() { stop(); u.end(); <-ending }()
	ticker := time.NewTicker(min(500*time.Millisecond, u.options.ResendAfter/2))
	defer ticker.Stop()
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-u.sessions:
			u.turn(s)
		case answer := <-u.stored:
			u.answered(answer, time.Now())
		case <-u.spool.Changed():
		case <-ticker.C:
		case <-u.retell:
			u.stale = true
		case <-tell.C:
			u.stale = true
		}
		if u.stale {
			u.tell()
		}
		u.send(time.Now())
	}
}

// turn takes over a new session, or the end of one.
func (u *Uplink) turn(s *session) {
	u.session = s
	u.connected.Store(s != nil)
	if s == nil {
		return
	}
	u.flight = newFlight(u.options.ResendAfter) // whatever was on its way may be lost
	u.cursor, u.newest, u.told = 0, 0, nil
	u.figures.connects.Inc()
	u.tell()
}

// answered lets go of what the collector has made durable.
func (u *Uplink) answered(a wire.Stored, now time.Time) {
	if a.Spool != u.spool.ID() {
		return // an earlier spool's numbers mean nothing here
	}
	seqs := a.Stored
	for _, r := range a.Refused {
		u.log.Warn("pack refused", "seq", r.Seq, "reason", r.Reason)
		u.figures.refused.Inc()
		seqs = append(seqs, r.Seq)
	}
	for _, took := range u.flight.answered(seqs, now) {
		u.figures.seconds.Observe(took.Seconds())
	}
	if u.session != nil {
		u.session.useful.Store(true)
	}
	u.figures.answered.Add(float64(len(seqs)))
	if err := u.spool.Answered(seqs); err != nil {
		u.log.Error("spool", "err", err)
	}
}

// send sends again what is overdue, then the newest packs, then the oldest that
// were never sent, as far as the window goes.
func (u *Uplink) send(now time.Time) {
	if u.session == nil || u.session.ended() {
		return
	}
	if u.flight.unacknowledged(now) > u.options.AckTimeout {
		u.session.fail(errSilent)
		u.turn(nil)
		return
	}
	err := u.resend(now)
	if err == nil {
		err = u.sendNewest(now)
	}
	if err == nil {
		err = u.sendBacklog(now)
	}
	if err != nil {
		u.log.Error("send", "err", err)
	}
	u.figures.inFlight.Set(float64(len(u.flight.sent)))
}

func (u *Uplink) resend(now time.Time) error {
	for _, seq := range u.flight.due(now) {
		u.figures.resent.Inc()
		if err := u.publish(seq); err != nil {
			return err
		}
	}
	return nil
}

// sendNewest sends what was read just now, or at a connection just before. What
// does not fit becomes backlog.
func (u *Uplink) sendNewest(now time.Time) error {
	after := u.newest
	if last := u.spool.Last(); last > after+reserve {
		after = last - reserve
	}
	for _, seq := range u.spool.Waiting(after, u.flight.room(true)) {
		u.newest = seq
		if err := u.launch(seq, true, now); err != nil {
			return err
		}
	}
	last := u.spool.Last()
	if u.flight.room(true) > 0 || last <= u.newest {
		return nil
	}
	ceded, ok := u.flight.cede(now)
	if !ok {
		return nil
	}
	u.cursor, u.newest = min(u.cursor, ceded-1), last // ceded is backlog now
	return u.launch(last, true, now)
}

// sendBacklog sends the oldest packs that were never sent on this connection.
func (u *Uplink) sendBacklog(now time.Time) error {
	for room := u.flight.room(false); room > 0; room = u.flight.room(false) {
		seqs := u.spool.Waiting(u.cursor, room)
		for _, seq := range seqs {
			u.cursor = seq
			if err := u.launch(seq, false, now); err != nil {
				return err
			}
		}
		if len(seqs) < room {
			return nil
		}
	}
	return nil
}

// launch sends a pack for the first time on this connection.
func (u *Uplink) launch(seq wire.Seq, live bool, now time.Time) error {
	if u.flight.has(seq) {
		return nil
	}
	u.flight.add(seq, live, now)
	return u.publish(seq)
}

// publish does not wait for the token, which proves nothing but that the broker
// is alive.
func (u *Uplink) publish(seq wire.Seq) error {
	payload, ok, err := u.spool.Payload(seq)
	if err != nil {
		return fmt.Errorf("publish pack %d: %w", seq, err)
	}
	if !ok { // given up: damaged, or dropped by a full spool
		u.flight.forget(seq)
		return nil
	}
	token := u.session.publish(wire.ReadingsChannel, false, payload)
	u.flight.published(seq, token)
	if complete(token) && token.Error() != nil { // the next ones would wait as long for nothing
		u.session.fail(token.Error())
		return fmt.Errorf("publish pack %d: %w", seq, token.Error())
	}
	u.figures.sent.Inc()
	return nil
}

// tell publishes the retained state and meters, unless the broker has not taken
// the last ones yet.
func (u *Uplink) tell() {
	if u.session == nil || !complete(u.told...) {
		return
	}
	u.stale = false
	state, err := u.options.State().Encode()
	meters, err2 := u.options.Meters().Encode()
	if err = errors.Join(err, err2); err != nil {
		u.log.Error("tell", "err", err)
		return
	}
	u.told = []mqtt.Token{u.session.publish(wire.StateChannel, true, state), u.session.publish(wire.MetersChannel, true, meters)}
}

// end says goodbye with what the last will would say.
func (u *Uplink) end() {
	if u.session == nil {
		return
	}
	state := u.options.State()
	state.Online = false
	if payload, err := state.Encode(); err == nil {
		u.session.publish(wire.StateChannel, true, payload).WaitTimeout(time.Second)
	}
	u.session.fail(nil)
	u.connected.Store(false)
}
