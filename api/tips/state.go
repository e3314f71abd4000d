package tips

import (
	"fmt"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// A State is where a tip stands with a household.
type State string

// The states, from the first to the last.
const (
	Proposed    State = "proposed"
	Seen        State = "seen"
	Committed   State = "committed"    // fr. je le fais
	DoneAlready State = "done_already" // fr. déjà fait
	NotForMe    State = "not_for_me"   // fr. pas chez moi; the end, for ever
	Observing   State = "observing"
	Visible     State = "visible"     // a drop that chance does not explain
	NotVisible  State = "not_visible" // no visible change
	TooEarly    State = "too_early"   // not enough days, or not enough other homes
	Archived    State = "archived"
)

// States lists every state in order.
var States = []State{Proposed, Seen, Committed, DoneAlready, NotForMe, Observing, Visible, NotVisible, TooEarly, Archived}

// next are the moves. A result may be looked at again as days come in, and an
// answer may be taken back until it is observed.
var next = map[State][]State{
	Proposed:    {Seen, Committed, DoneAlready, NotForMe, Archived},
	Seen:        {Committed, DoneAlready, NotForMe, Archived},
	Committed:   {Observing, DoneAlready, NotForMe, Archived},
	DoneAlready: {Committed, NotForMe, Archived},
	Observing:   {Visible, NotVisible, TooEarly, NotForMe, Archived},
	TooEarly:    {Visible, NotVisible, TooEarly, NotForMe, Archived},
	Visible:     {Visible, NotVisible, NotForMe, Archived},
	NotVisible:  {Visible, NotVisible, NotForMe, Archived},
	Archived:    {},
	NotForMe:    {},
}

// An Instance is one tip as it stands with one household. The zero state is
// [Proposed].
type Instance struct {
	Tip       ID
	State     State
	Since     civil.Date // of the state
	Committed civil.Date // the day of "je le fais"; zero where nobody said so
}

// A MoveError says that a tip cannot go from one state to another.
type MoveError struct {
	Tip      ID
	From, To State
}

// Error names the tip and both states.
func (e *MoveError) Error() string {
	return fmt.Sprintf("tip %s is %s and cannot become %s: allowed is %v", e.Tip, e.From, e.To, next[e.From])
}

func (i Instance) state() State {
	if i.State == "" {
		return Proposed
	}
	return i.State
}

// Move returns the instance in another state from a date on. A move that leads
// nowhere new returns it as it was, so that a form may be sent twice. The error
// is a [*MoveError], for a date before the present state's too.
func (i Instance) Move(to State, on civil.Date) (Instance, error) {
	from := i.state()
	if from == to && from != TooEarly && from != Visible && from != NotVisible {
		return i, nil
	}
	if on.Before(i.Since) {
		return i, &MoveError{Tip: i.Tip, From: from, To: to}
	}
	for _, allowed := range next[from] {
		if allowed != to {
			continue
		}
		i.State, i.Since = to, on
		switch to {
		case Committed:
			i.Committed = on
		case DoneAlready, NotForMe:
			i.Committed = civil.Date{} // what was not begun has no result
		}
		return i, nil
	}
	return i, &MoveError{Tip: i.Tip, From: from, To: to}
}

// Observe moves a tip that was taken up along: to observing on the day after,
// and to what was observed. An instance in any other state stays as it is.
func (i Instance) Observe(o Outcome, today civil.Date) (Instance, error) {
	switch i.state() {
	case Committed:
		if !i.Since.Before(today) {
			return i, nil
		}
		observing, err := i.Move(Observing, i.Since.AddDays(1))
		if err != nil {
			return i, err
		}
		return observing.Observe(o, today)
	case Observing, TooEarly, Visible, NotVisible:
		if o.Verdict == "" || o.Verdict == TooEarly && i.state() != Observing {
			return i, nil // a result is not taken back for want of a day
		}
		return i.Move(o.Verdict, today)
	default:
		return i, nil
	}
}
