package uplink

import (
	"slices"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	window    = 64 // unanswered packs: the flow control
	reserve   = 16 // of them, places that only the newest packs take
	slowStart = 8  // places of the backlog at the start of a connection
	least     = 2  // places that the backlog always has
	maxResend = 10 * time.Minute
	// firstProbe is how soon a collector that does not answer is tried again.
	firstProbe = time.Second
	// overtaken is how much earlier a pack was sent than one that is answered
	// when it counts as lost. Collectors answer batches, which may overtake one
	// another.
	overtaken = 2 * time.Second
	// A line is full when answers take so much longer than at its best: the
	// newest packs would queue behind the backlog for as long.
	lineFull, lineFree = 2 * time.Second, time.Second
)

// A flight is the packs of one connection that were sent and not answered.
//
// The backlog takes as many places as the line bears: one more with each quick
// answer, half as many when answers are held up.
//
// A broker drops what it gets while no collector listens, as after its own
// restart. So while no answer comes the newest pack is sent again after 1, 2, 4
// and so on seconds, up to the resend time; and an answer for what was sent later
// makes what was sent before due at once. A pack that is read while the newest
// packs' places are all taken without any answer gets the place of the oldest of
// them: what is new is always tried at once.
type flight struct {
	resendAfter time.Duration
	sent        map[wire.Seq]*sending
	live        int           // of them, those in the reserve
	places      int           // for the backlog
	best        time.Duration // the quickest answer; 0 before the first
	narrowed    time.Time     // when places were last taken away
	probe       time.Time     // when the newest pack is sent again; zero for never
	probeWait   time.Duration
	acked       time.Time // when the broker was last seen to acknowledge
	heard       time.Time // when the collector last answered
}

// A sending is a pack that was sent and not answered yet.
type sending struct {
	live  bool
	at    time.Time // of the last sending
	again time.Time
	wait  time.Duration
	token mqtt.Token // nil before the broker's library has it
	acked bool       // the token was seen complete
}

func newFlight(resendAfter time.Duration) *flight {
	return &flight{resendAfter: resendAfter, sent: map[wire.Seq]*sending{}, places: slowStart, probeWait: firstProbe}
}

func (f *flight) has(seq wire.Seq) bool { return f.sent[seq] != nil }

// room is how many packs may be sent now, out of the newest or of the backlog.
func (f *flight) room(live bool) int {
	if live {
		return reserve - f.live
	}
	return f.places - (len(f.sent) - f.live)
}

func (f *flight) add(seq wire.Seq, live bool, now time.Time) {
	f.sent[seq] = &sending{live: live, at: now, again: now.Add(f.resendAfter), wait: f.resendAfter}
	if live {
		f.live++
	}
	if f.probe.IsZero() {
		f.probe = now.Add(f.probeWait)
	}
}

func (f *flight) published(seq wire.Seq, token mqtt.Token) {
	f.sent[seq].token, f.sent[seq].acked = token, false
}

func (f *flight) forget(seq wire.Seq) {
	if s := f.sent[seq]; s != nil && s.live {
		f.live--
	}
	delete(f.sent, seq)
}

// due returns the packs to send again, oldest first, and counts them as sent.
// One that the broker has not acknowledged yet is not sent twice: the library
// would keep both.
func (f *flight) due(now time.Time) []wire.Seq {
	var seqs []wire.Seq
	probing := wire.Seq(0)
	if !f.probe.IsZero() && !now.Before(f.probe) {
		probing = f.newest()
		f.probeWait = min(2*f.probeWait, f.resendAfter)
		f.probe = now.Add(f.probeWait)
	}
	for seq, s := range f.sent {
		overdue := !now.Before(s.again)
		if !overdue && seq != probing || !complete(s.token) {
			continue
		}
		if overdue {
			s.wait = min(2*s.wait, maxResend)
		}
		s.at, s.again = now, now.Add(s.wait)
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	return seqs
}

// cede gives the place of one of the newest packs away, which is then as if it had
// never been sent: the oldest that the broker has taken a while ago, and since then
// no collector has answered anything. It is false where there is none.
func (f *flight) cede(now time.Time) (oldest wire.Seq, ok bool) {
	for seq, s := range f.sent {
		silent := now.Sub(s.at) > overtaken && f.heard.Before(s.at) && complete(s.token)
		if s.live && silent && (!ok || seq < oldest) {
			oldest, ok = seq, true
		}
	}
	if ok {
		f.forget(oldest)
	}
	return oldest, ok
}

func (f *flight) newest() (newest wire.Seq) {
	for seq := range f.sent {
		newest = max(newest, seq)
	}
	return newest
}

// answered takes packs out and returns how long each had waited. What was sent
// clearly before one of them, and is not answered, was lost on the way: it is due
// at once.
func (f *flight) answered(seqs []wire.Seq, now time.Time) (took []time.Duration) {
	var latest time.Time
	for _, seq := range seqs {
		s := f.sent[seq]
		if s == nil {
			continue
		}
		took = append(took, now.Sub(s.at))
		f.adapt(now.Sub(s.at), now)
		if s.at.After(latest) {
			latest = s.at
		}
		f.forget(seq)
	}
	if len(took) == 0 {
		return nil
	}
	f.heard = now
	for _, s := range f.sent {
		if latest.Sub(s.at) > overtaken {
			s.again, s.wait = now, f.resendAfter
		}
	}
	f.probeWait = max(firstProbe, 2*f.best)
	if f.probe = (time.Time{}); len(f.sent) > 0 {
		f.probe = now.Add(f.probeWait)
	}
	return took
}

// adapt widens or narrows the backlog's part by how long an answer took.
func (f *flight) adapt(took time.Duration, now time.Time) {
	if f.best == 0 || took < f.best {
		f.best = took
	}
	switch {
	case took > f.best+lineFull && now.Sub(f.narrowed) > took: // once for what was on its way together
		f.places, f.narrowed = max(least, f.places/2), now
	case took < f.best+lineFree:
		f.places = min(window-reserve, f.places+1)
	}
}

// unacknowledged is how long the broker has owed an acknowledgement and given
// none at all. One that acknowledges slowly, over a thin line, is not silent.
func (f *flight) unacknowledged(now time.Time) time.Duration {
	var oldest time.Time
	for _, s := range f.sent {
		switch done := complete(s.token); {
		case done && !s.acked:
			s.acked, f.acked = true, now
		case !done && (oldest.IsZero() || s.at.Before(oldest)):
			oldest = s.at
		}
	}
	if oldest.IsZero() {
		return 0
	}
	if f.acked.After(oldest) {
		oldest = f.acked
	}
	return now.Sub(oldest)
}

// complete reports whether the library has let go of all messages.
func complete(tokens ...mqtt.Token) bool {
	for _, t := range tokens {
		if t == nil {
			continue
		}
		select {
		case <-t.Done():
		default:
			return false
		}
	}
	return true
}
