// Package check is the dial and tap check of a meter: it finds what nothing else
// does, swapped flats and wrong pulse weights. Whoever hangs a meter up types
// what its dial shows, which must be what the gateway reads; then a tap or a lamp
// in the flat is opened, and this point must move and not another. After a week
// the dial is read a second time.
package check

import (
	"time"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A State is how far a meter at a point is to be believed. Only what is Verified
// or SecondDue may be shown in euros.
type State string

// The states.
const (
	Unverified State = "unverified"
	Verified   State = "verified"
	SecondDue  State = "second_reading_due" // verified, and the week is over
	Disputed   State = "disputed"           // it was verified and does not agree any more
)

// States lists every state.
var States = []State{Unverified, Verified, SecondDue, Disputed}

// Passed reports whether figures of the meter may be believed.
func (s State) Passed() bool { return s == Verified || s == SecondDue }

// An Outcome is what came of one step.
type Outcome string

// The outcomes.
const (
	Agrees     Outcome = "agrees"      // dial and index
	Differs    Outcome = "differs"     // dial and index
	Moved      Outcome = "moved"       // this point, while its tap ran
	OtherMoved Outcome = "other_moved" // and this point did not
)

// SecondAfter is when the second reading of the dial is due.
const SecondAfter = 7 * 24 * time.Hour

// A Progress is how far the check of one binding has come. The zero value is
// unverified.
type Progress struct {
	State State     // Unverified, Verified or Disputed; see [Progress.At]
	Dial  time.Time // when the dial agreed last; zero: not since the check began
	Tap   time.Time // when the tap moved this point last
	Due   time.Time // when the second reading is due; zero where none is
}

// At is the state at an instant: a second reading falls due by time alone.
func (p Progress) At(now time.Time) State {
	switch {
	case p.State == "":
		return Unverified
	case p.State == Verified && !p.Due.IsZero() && !now.Before(p.Due):
		return SecondDue
	default:
		return p.State
	}
}

// After is the progress once a step at an instant had this outcome. Dial and tap
// in either order verify; whatever contradicts a verified meter disputes it, and
// then both count anew.
func (p Progress) After(o Outcome, at time.Time) Progress {
	if p.State == "" {
		p.State = Unverified
	}
	passed := p.State == Verified
	switch o {
	case Agrees:
		if passed {
			return p.second(at)
		}
		p.Dial = at
	case Moved:
		p.Tap = at
	case Differs:
		p.Dial = time.Time{}
	case OtherMoved:
		p.Tap = time.Time{}
	}
	switch {
	case passed && (o == Differs || o == OtherMoved):
		return Progress{State: Disputed}
	case !passed && !p.Dial.IsZero() && !p.Tap.IsZero():
		p.State, p.Due = Verified, at.Add(SecondAfter)
	}
	return p
}

// second counts a dial of a verified meter that agrees: once the week is over it
// is the second reading, and no more is due.
func (p Progress) second(at time.Time) Progress {
	if !p.Due.IsZero() && !at.Before(p.Due) {
		p.Dial, p.Due = at, time.Time{}
	}
	return p
}

// A Verdict is what readings say of a dial.
type Verdict int

// The verdicts.
const (
	NotRead Verdict = iota // no reading is near enough
	Wait                   // for the next reading
	Yes
	No
)

// A Bracket is the readings around the instant of a dial, nil where there is
// none: before the moment in which it may have been read at the earliest, the
// last until it was typed, and the first after that.
type Bracket struct{ Before, Until, After *metering.Amount }

// Judge holds a dial against the readings around it: within one pulse, and
// between the indexes before and after where something was drawn meanwhile.
func Judge(d meters.Dial, b Bracket, pulse metering.Amount) Verdict {
	switch {
	case b.Before == nil || b.Until == nil:
		return NotRead
	case d.Index < *b.Before-d.Tolerance(pulse):
		return No
	case d.Within(*b.Before, *b.Until, pulse):
		return Yes
	case b.After == nil:
		return Wait
	case d.Within(*b.Before, *b.After, pulse):
		return Yes
	default:
		return No
	}
}

// A Movement is what a meter showed before a tap was opened and last; nil: not
// read.
type Movement struct{ Before, Last *metering.Amount }

// Moved reports whether the index went up by a pulse at least.
func (m Movement) Moved(pulse metering.Amount) bool {
	return m.Before != nil && m.Last != nil && *m.Last-*m.Before >= max(1, pulse)
}

// What a tap or a strong appliance passes at the least: 6 litres a minute, one
// kilowatt.
const (
	leastFlow  = 6000 // mL a minute
	leastPower = 1000 // Wh an hour
	shortest   = time.Minute
	longest    = 20 * time.Minute
)

// Run is how long the tap must have run before a meter that did not move tells
// something: long enough for a pulse.
func Run(kind metering.Kind, pulse metering.Amount) time.Duration {
	need := time.Duration(pulse) * time.Minute / leastFlow
	if kind.IndexUnit() == metering.WattHour {
		need = time.Duration(pulse) * time.Hour / leastPower
	}
	return min(max(need, shortest), longest)
}
