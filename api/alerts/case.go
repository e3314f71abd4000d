package alerts

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A State is how far a case has come.
type State string

// The states.
const (
	Opened    State = "opened"    // found, and nobody knows yet
	Told      State = "told"      // the household or whoever is concerned was told
	Confirmed State = "confirmed" // by a third night, or by a look at the dial
	Repaired  State = "repaired"  // somebody says so
	Verified  State = "verified"  // two quiet nights say so too; the end
	Stopped   State = "stopped"   // two quiet nights without a repair; the end
	Dismissed State = "dismissed" // it was no fault; the end
	Left      State = "left"      // the household moved out; the end: it is not the next one's to read
)

// Over reports whether the case is closed, so that its cause may open another.
func (s State) Over() bool { return s == Verified || s == Stopped || s == Dismissed || s == Left }

const (
	// confirmingNights make a case certain without anybody's word.
	confirmingNights = 3
	// clearingNights without a flow end a case.
	clearingNights = 2
	// RemindEvery is how often an open case is told of again.
	RemindEvery = 7 * 24 * time.Hour
)

// A Step is one change of a case.
type Step struct {
	State State     `json:"state"`
	At    time.Time `json:"at"`
	By    string    `json:"by"` // who or what, by id; "nights" for the meter's own word
}

// A Case is one cause from its opening to its end. It is changed by replacing it
// with what its methods return.
type Case struct {
	Cause   Cause   `json:"cause"`
	State   State   `json:"state"`
	Finding Finding `json:"finding"` // the latest
	Steps   []Step  `json:"steps"`   // the oldest first
	// Quiet is how many nights in a row were quiet.
	Quiet int `json:"quiet_nights"`
	// Judged is the start of the last day that [Case.Night] took; zero: none yet.
	Judged time.Time `json:"judged,omitzero"`
	// ToldAt is when somebody was told last; zero: nobody yet.
	ToldAt time.Time `json:"told_at,omitzero"`
}

// ErrStep is the reason of a [*StepError].
var ErrStep = errors.New("a case does not go that way")

// A StepError reports a step that a case's state does not allow.
type StepError struct {
	Cause    Cause
	From, To State
}

// Error names the case and both states.
func (e *StepError) Error() string {
	return fmt.Sprintf("%s case of %s%s: from %s to %s: %v", e.Cause.Subject, e.Cause.Point, e.Cause.Gateway, e.From, e.To, ErrStep)
}

// Unwrap returns [ErrStep].
func (e *StepError) Unwrap() error { return ErrStep }

// ways are the states that each state leads to.
var ways = map[State][]State{
	Opened:    {Told, Confirmed, Repaired, Stopped, Dismissed, Left},
	Told:      {Confirmed, Repaired, Stopped, Dismissed, Left},
	Confirmed: {Repaired, Stopped, Dismissed, Left},
	Repaired:  {Verified, Confirmed, Dismissed, Left},
}

const byNights = "nights"

// Open begins the case of a finding.
func Open(f Finding, at time.Time) Case {
	c := Case{Cause: f.Cause, State: Opened, Finding: f, Steps: []Step{{Opened, at, byNights}}}
	if f.Nights >= confirmingNights && f.Cause.Subject == Water {
		c, _ = c.to(Confirmed, at, byNights) // an opened case can always be confirmed
	}
	return c
}

func (c Case) to(s State, at time.Time, by string) (Case, error) {
	if !slices.Contains(ways[c.State], s) {
		return c, &StepError{Cause: c.Cause, From: c.State, To: s}
	}
	c.State, c.Steps = s, append(slices.Clip(c.Steps), Step{s, at, by})
	return c, nil
}

// Tell notes that somebody was told, the first time or again. It fails with a
// [*StepError] on a case that is over.
func (c Case) Tell(at time.Time, by string) (Case, error) {
	if c.State.Over() {
		return c, &StepError{Cause: c.Cause, From: c.State, To: Told}
	}
	if c.State == Opened {
		c, _ = c.to(Told, at, by) // an opened case can always be told
	} else {
		c.Steps = append(slices.Clip(c.Steps), Step{Told, at, by})
	}
	c.ToldAt = at
	return c, nil
}

// Due reports whether somebody has to be told at now: at once at the opening,
// weekly as long as it flows, and no more once it is repaired.
func (c Case) Due(now time.Time) bool {
	return !c.State.Over() && c.State != Repaired && (c.ToldAt.IsZero() || now.Sub(c.ToldAt) >= RemindEvery)
}

// Confirm notes that somebody saw the dial turn with all taps closed. It fails
// with a [*StepError] where the case is past that.
func (c Case) Confirm(at time.Time, by string) (Case, error) { return c.to(Confirmed, at, by) }

// Repair notes that somebody says it is repaired; the next nights have to agree.
// It fails with a [*StepError] on a case that is over or already repaired.
func (c Case) Repair(at time.Time, by string) (Case, error) {
	c, err := c.to(Repaired, at, by)
	if err == nil {
		c.Quiet = 0 // nights before the repair verify nothing
	}
	return c, err
}

// Dismiss ends a case that was no fault. It fails with a [*StepError] on a case
// that is over.
func (c Case) Dismiss(at time.Time, by string) (Case, error) { return c.to(Dismissed, at, by) }

// Leave ends the case of a household that moved out: what it tells is not the
// next one's, whose own days open another case. It fails with a [*StepError] on a
// case that is over.
func (c Case) Leave(at time.Time, by string) (Case, error) { return c.to(Left, at, by) }

// See takes a newer finding of the same cause: the flow may have grown, and the
// third night confirms. A case that is repaired and flows on is confirmed again
// by [Case.Night], not by this. A finding of fewer days than the case has, from a
// run that came late, changes nothing.
func (c Case) See(f Finding, at time.Time) Case {
	if c.State.Over() || f.Cause != c.Cause || f.Last.Before(c.Finding.Last) {
		return c
	}
	c.Finding = f
	if f.Cause.Subject == Water && f.Nights >= confirmingNights && (c.State == Opened || c.State == Told) {
		c, _ = c.to(Confirmed, at, byNights) // both lead there
	}
	return c
}

// Night takes the quiet day that began at start and ended at end, without a gap;
// for a case of another subject than water, whether the fault still showed. Two
// quiet nights in a row after a repair verify it; without one they end the case.
// A night that flows after a repair, of which it saw nothing, opens it again. A
// day that was taken before changes nothing.
func (c Case) Night(flows bool, start, end time.Time) Case {
	repaired := c.State == Repaired
	switch {
	case c.State.Over(), !start.After(c.Judged):
		return c
	case repaired && start.Before(c.repairedAt()):
		return c // the day of the repair itself says nothing
	}
	c.Judged = start
	switch {
	case flows && repaired:
		c.Quiet = 0
		c, _ = c.to(Confirmed, end, byNights) // a repaired case can always be
		return c
	case flows:
		c.Quiet = 0
		return c
	}
	return c.quiet(repaired, end)
}

// quiet counts one more night without a flow.
func (c Case) quiet(repaired bool, end time.Time) Case {
	c.Quiet++
	switch {
	case c.Quiet < clearingNights:
	case repaired:
		c, _ = c.to(Verified, end, byNights) // as do open ones to their end
	default:
		c, _ = c.to(Stopped, end, byNights)
	}
	return c
}

// repairedAt is when it was last said to be repaired.
func (c Case) repairedAt() (at time.Time) {
	for _, s := range c.Steps {
		if s.State == Repaired {
			at = s.At
		}
	}
	return at
}

// Flows reports whether a quiet day about the finding's DayWindow still shows the
// leak; see [Nights.LastAbout].
func (f Finding) Flows(m Meter, day QuietDay) bool { return day.pulses(m.Count) >= f.Level }

// A Book holds the cases of one household's stay; of each cause at most one is
// open. A [Store] keeps stays apart.
type Book []Case

// Find returns the place of the open case of a cause, or false.
func (b Book) Find(cause Cause) (int, bool) {
	i := slices.IndexFunc(b, func(c Case) bool { return c.Cause == cause && !c.State.Over() })
	return i, i >= 0
}

// Take gives a verdict to the book: an alarm opens a case, or goes to the open
// one of its cause. It reports whether it opened one. The book that it was
// called on is left as it was.
func (b Book) Take(v Verdict, at time.Time) (Book, bool) {
	if v.Outcome != Alarm {
		return b, false
	}
	if i, open := b.Find(v.Finding.Cause); open {
		b = slices.Clone(b)
		b[i] = b[i].See(v.Finding, at)
		return b, false
	}
	return append(slices.Clip(b), Open(v.Finding, at)), true
}
