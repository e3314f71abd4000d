// Package scan finds the slaves of a line and says which profiles fit them.
//
// A profile fits a slave where every check of its probe holds. Where one of the
// checks is an identity (a model's name or number) the profile is certain;
// otherwise it is plausible, and the one whose checks are the least likely to
// hold by chance comes first: meters that use the same addresses with different
// types are so told apart, because a voltage read in a wrong type is no voltage.
package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	library "github.com/goburrow/modbus"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
)

// A Bus reads registers; a *modbus.Bus is one, and so is the registers of one
// meter in a test.
type Bus interface {
	// Read returns the content of quantity registers, two bytes each. It fails
	// with modbus.ErrTimeout where nobody answers, modbus.ErrLine where the
	// line is down, and a *modbus.ModbusError of the library where the slave
	// refuses.
	Read(ctx context.Context, slave, function byte, address, quantity uint16) ([]byte, error)
}

var _ Bus = (*modbus.Bus)(nil)

// An Identifier is a [Bus] that can also ask for a device's names with function
// 43, as a *modbus.Bus can. On another bus checks of names count neither for nor
// against a profile.
type Identifier interface {
	// Identify returns the object: 0 the maker, 1 the product code. It fails as
	// Read does, and with modbus.ErrNoObject where the device has others alone.
	Identify(ctx context.Context, slave, object byte) (string, error)
}

var _ Identifier = (*modbus.Bus)(nil)

// Options are what to look for.
type Options struct {
	From, To byte // slaves, both included
	// Profiles are those to try; those without probe are never proposed.
	Profiles []firmwareconfig.Profile
	// Pause is the silence between two requests to the same slave; some meters
	// restart when they are asked too fast.
	Pause time.Duration
	// Thorough asks each slave with function 4 too before it counts as absent:
	// twice as long, for meters that keep silent about functions they lack.
	Thorough bool
	// Progress, where it is not nil, is called after each slave, with what was
	// found there or nil.
	Progress func(slave byte, found *Finding)
}

// A Finding is a slave that answers.
type Finding struct {
	Slave   byte
	Latency time.Duration // of its first answer
	// Candidates are the profiles that fit, the best first; none: unknown.
	Candidates []Candidate
	// Garbled means that what comes back fits no request: two slaves with the
	// same number, or a wrong parity.
	Garbled bool
}

// A Candidate is a profile that fits a slave.
type Candidate struct {
	Profile firmwareconfig.Profile
	// Certain means that the slave named itself.
	Certain bool
	// Bits says how unlikely it is that other contents pass the checks: one in
	// 2 to the power of Bits, were they random.
	Bits float64
	// Shown is what the checks saw, for people.
	Shown []string
}

// Best returns the candidates that are better than all others and as good as
// one another: one where the scan decides, none where the slave is unknown.
func (f Finding) Best() []Candidate {
	const same = 0.5 // bits
	worse := func(c Candidate) bool {
		return c.Certain != f.Candidates[0].Certain || c.Bits < f.Candidates[0].Bits-same
	}
	if end := slices.IndexFunc(f.Candidates, worse); end >= 0 {
		return f.Candidates[:end]
	}
	return f.Candidates
}

// Line asks every slave of the range and returns those that answer, in order. It
// fails where the line is down or ctx ends, with what was found until then.
func Line(ctx context.Context, bus Bus, o Options) ([]Finding, error) {
	var found []Finding
	for slave := int(o.From); slave <= int(o.To); slave++ {
		finding, err := Slave(ctx, bus, byte(slave), o)
		if err != nil {
			return found, fmt.Errorf("slave %d: %w", slave, err)
		}
		if finding != nil {
			found = append(found, *finding)
		}
		if o.Progress != nil {
			o.Progress(byte(slave), finding)
		}
	}
	return found, nil
}

// Slave asks one slave; a nil finding means that it does not answer. The range
// of the options does not count.
func Slave(ctx context.Context, bus Bus, slave byte, o Options) (*Finding, error) {
	p := &prober{ctx: ctx, bus: bus, slave: slave, pause: o.Pause, asked: map[question]reply{}, names: map[byte]string{}}
	start := time.Now()
	first := p.ask(question{function: 3, quantity: 1})
	if first.outcome == silent && o.Thorough {
		start = time.Now()
		first = p.ask(question{function: 4, quantity: 1})
	}
	if p.failed != nil || first.outcome == silent {
		return nil, p.failed
	}
	finding := &Finding{Slave: slave, Latency: time.Since(start), Garbled: first.outcome == garbled}
	finding.Candidates = p.candidates(o.Profiles)
	return finding, p.failed
}

// candidates returns the profiles that fit, the best first. Those whose probe
// can name the slave are tried first; once one did, no other can be it. A slave
// that does not tell its name leaves the others their turn.
func (p *prober) candidates(profiles []firmwareconfig.Profile) []Candidate {
	var fit []Candidate
	for _, naming := range []bool{true, false} {
		for _, profile := range profiles {
			if len(profile.Probe) == 0 || slices.ContainsFunc(profile.Probe, isCertain) != naming {
				continue
			}
			if c, ok := p.try(profile); ok {
				fit = append(fit, c)
			}
		}
		if slices.ContainsFunc(fit, func(c Candidate) bool { return c.Certain }) {
			break
		}
	}
	slices.SortStableFunc(fit, better)
	return fit
}

func isCertain(c firmwareconfig.Check) bool { return c.Certain }

func better(a, b Candidate) int {
	switch {
	case a.Certain != b.Certain && a.Certain:
		return -1
	case a.Certain != b.Certain:
		return 1
	case a.Bits > b.Bits:
		return -1
	case a.Bits < b.Bits:
		return 1
	default:
		return 0
	}
}

// enough is how many bits of evidence make a profile plausible: a check of one
// 16-bit number alone does not.
const enough = 12

func (p *prober) try(profile firmwareconfig.Profile) (Candidate, bool) {
	c := Candidate{Profile: profile}
	for _, check := range profile.Probe {
		if check.Function == 0 {
			check.Function = profile.Function
		}
		result := p.check(check)
		switch {
		case result.skipped:
			continue
		case !result.holds:
			return c, false
		}
		c.Certain = c.Certain || check.Certain
		c.Bits += strength(check)
		c.Shown = append(c.Shown, result.shown)
	}
	return c, c.Certain || c.Bits >= enough
}

// outcomes of a question.
type outcome int

const (
	answered outcome = iota
	refused
	silent
	garbled
)

type question struct {
	function          byte
	address, quantity uint16
}

type reply struct {
	outcome outcome
	raw     []byte
}

// A prober asks one slave, each question once.
type prober struct {
	ctx    context.Context
	bus    Bus
	slave  byte
	pause  time.Duration
	asked  map[question]reply
	names  map[byte]string // by object of function 43
	nobody bool            // the slave does not know function 43, or says nothing to it
	mute   int             // questions in all that a slave that is there left unanswered
	failed error           // the line is down, or ctx ended
}

// maxMute is how many questions may go unanswered before the slave is asked no
// more: each costs a timeout.
const maxMute = 6

func (p *prober) ask(q question) reply {
	if known, ok := p.asked[q]; ok {
		return known
	}
	if p.failed != nil || p.mute >= maxMute {
		return reply{outcome: silent}
	}
	if len(p.asked) > 0 && !p.rest() {
		return reply{outcome: silent}
	}
	r := p.read(q)
	p.asked[q] = r
	if r.outcome == silent {
		p.mute++
	}
	return r
}

func (p *prober) read(q question) reply {
	raw, err := p.bus.Read(p.ctx, p.slave, q.function, q.address, q.quantity)
	return reply{p.outcome(err), raw}
}

// identity returns an object that function 43 reads, false where the slave does
// not tell it, or the bus cannot ask. A slave that keeps silent about one object
// is not asked for others.
func (p *prober) identity(object byte) (name string, ok bool) {
	bus, can := p.bus.(Identifier)
	if !can || p.nobody || p.failed != nil || p.mute >= maxMute {
		return "", false
	}
	if name, ok = p.names[object]; ok {
		return name, true
	}
	if !p.rest() {
		return "", false
	}
	name, err := bus.Identify(p.ctx, p.slave, object)
	switch p.outcome(err) {
	case answered:
		p.names[object] = name
		return name, true
	case silent:
		p.mute++
	}
	p.nobody = !errors.Is(err, modbus.ErrNoObject)
	return "", false
}

// outcome is what an error of the bus says of the slave.
func (p *prober) outcome(err error) outcome {
	exception := (*library.ModbusError)(nil)
	switch {
	case err == nil:
		return answered
	case errors.As(err, &exception) && !absent(exception.ExceptionCode), errors.Is(err, modbus.ErrNoObject):
		return refused
	case errors.As(err, &exception), errors.Is(err, modbus.ErrTimeout):
		return silent
	case errors.Is(err, modbus.ErrFrame):
		return garbled
	default:
		p.failed = err
		return silent
	}
}

// rest keeps the pause between two questions, and reports whether ctx let it.
func (p *prober) rest() bool {
	if !rest(p.ctx, p.pause) {
		p.failed = p.ctx.Err()
	}
	return p.failed == nil
}

// absent reports whether a TCP converter says with the exception that nobody
// answers behind it: 10, gateway path unavailable, and 11, gateway target device
// failed to respond (MODBUS Application Protocol 1.1b3, clause 7).
func absent(code byte) bool { return code == 10 || code == 11 }

// rest waits, and reports whether ctx let it.
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
