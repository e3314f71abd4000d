package poll

import (
	"context"
	"errors"
	"time"

	"github.com/xnetroseraie/xnet/gateway/modbus"
)

// A dead device is probed first after ten timeouts, then after twice as long
// each time. Ten timeouts are also what the bus takes to forget what a slave
// owes.
const (
	firstWait = 10 // timeouts
	maxWait   = 10 * time.Minute
)

// answered notes that a device lives. Where all devices had been dead the line
// was, and all are probed at once.
func (p *Poller) answered(d *device) {
	if d.dead() {
		p.log.Info("device answers again", "slave", d.config.Slave)
		if p.living() == 0 {
			for _, other := range p.devices {
				other.wait, other.probeAt = 0, time.Time{}
			}
		}
	}
	d.failures, d.wait, d.probeAt = 0, 0, time.Time{}
}

func (p *Poller) living() (n int) {
	for _, d := range p.devices {
		if !d.dead() {
			n++
		}
	}
	return n
}

// silent notes a turn or a probe without an answer.
func (p *Poller) silent(d *device) {
	d.failures++
	if !d.dead() {
		return
	}
	if d.failures == patience {
		p.log.Warn("device does not answer: it is probed between the cycles", "slave", d.config.Slave)
	}
	d.wait = min(maxWait, max(2*d.wait, firstWait*p.config.Timeout))
	d.probeAt = time.Now().Add(d.wait)
}

// idle waits for an instant and probes dead devices meanwhile. It reports
// whether the instant has come: ctx may end, or a new configuration come,
// before.
func (p *Poller) idle(ctx context.Context, at time.Time) bool {
	for {
		wake := at
		if d := p.firstToProbe(); d != nil && d.probeAt.Before(at) {
			wake = d.probeAt
			if p.mayProbe(d, at) {
				p.probe(ctx, d)
				continue
			}
			if !time.Now().Before(wake) {
				wake = at // due, but there is no room before the cycle
			}
		}
		p.expect(time.Until(wake))
		timer := time.NewTimer(time.Until(wake))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-p.reloaded:
			timer.Stop()
			return false
		case <-timer.C:
		}
		if wake.Equal(at) {
			return true
		}
	}
}

// firstToProbe is the dead device whose probe is due first, nil where all live.
func (p *Poller) firstToProbe() *device {
	var first *device
	for _, d := range p.devices {
		if d.dead() && (first == nil || d.probeAt.Before(first.probeAt)) {
			first = d
		}
	}
	return first
}

// mayProbe reports whether a device may be probed now: it is due, and there is
// room for its silence before the next cycle. On a line so busy that there never
// is, it is probed all the same once it has waited twice as long, or the
// longest wait.
func (p *Poller) mayProbe(d *device, at time.Time) bool {
	now := time.Now()
	if now.Before(d.probeAt) {
		return false
	}
	overdue := min(d.wait, maxWait-d.wait)
	return at.Sub(now) > 2*p.config.Timeout || now.Sub(d.probeAt) > overdue
}

// probe asks a dead device once. Its registers are read at its next instant.
func (p *Poller) probe(ctx context.Context, d *device) {
	requests := d.reader.Requests(time.Now())
	if len(requests) == 0 { // the meter refused all: it lived then, and may live again
		d.probeAt = time.Now().Add(d.wait)
		return
	}
	_, _, err := p.once(ctx, d, requests[0])
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, modbus.ErrTimeout):
		p.silent(d)
		p.failed(requests[0], err)
	case errors.Is(err, modbus.ErrLine): // nobody can answer: no fault of its own
		d.probeAt = time.Now().Add(d.wait)
	default:
		p.answered(d)
	}
}
