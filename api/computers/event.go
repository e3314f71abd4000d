package computers

import (
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A State is where a machine stands.
type State string

// The states.
const (
	Received   State = "received"
	Wiping     State = "wiping"
	Testing    State = "testing"
	ToRepair   State = "to_repair"
	Ready      State = "ready"
	Reserved   State = "reserved"
	Sold       State = "sold" // paid, not handed over
	InUse      State = "in_use"
	InRepair   State = "in_repair"
	Returned   State = "returned"
	SpareParts State = "spare_parts"
	Recycled   State = "recycled"
)

// States lists every state in the order of a life.
var States = []State{Received, Wiping, Testing, ToRepair, Ready, Reserved, Sold, InUse, InRepair, Returned, SpareParts, Recycled}

// A What is what an event did.
type What string

// What can happen to a machine.
const (
	TakenIn       What = "taken_in"
	DriveAdded    What = "drive_added"    // Subject is the drive
	Wiped         What = "wiped"          // Subject is the wipe
	Tested        What = "tested"         // Subject is the test
	Graded        What = "graded"         // Note is the two grades
	DefectNoted   What = "defect_noted"   // Subject is the defect
	DefectMended  What = "defect_mended"  // Subject is the defect
	Moved         What = "moved"          // a step of the workshop
	ReservedFor   What = "reserved_for"   // a household; who is not said here
	ReleasedHold  What = "released"       // the reservation was given up
	HoldExpired   What = "hold_expired"   // the reservation ran out
	SoldTo        What = "sold_to"        // Subject is the sale
	HandedOver    What = "handed_over"    // Subject is the sale
	TicketOpened  What = "ticket_opened"  // Subject is the ticket
	RepairBegun   What = "repair_begun"   // Subject is the ticket
	GivenBack     What = "given_back"     // Subject is the ticket
	TakenBack     What = "taken_back"     // Subject is the sale: a return
	ExchangedFor  What = "exchanged_for"  // Subject is the sale that ended: a return by exchange
	ExchangeGiven What = "exchange_given" // Subject is the new sale: this machine was given instead
)

// bySystem is who lets reservations run out.
const bySystem accounts.PersonID = "system"

// An Event is one step of a machine's life. Events are only ever added.
type Event struct {
	Number  int64 // from 1 on, without gaps
	At      time.Time
	On      civil.Date // the day it speaks of, not after At's
	By      accounts.PersonID
	What    What
	State   State  // the machine's after it
	Subject string // id of what it speaks of; see the constants
	Note    string
}

// leads says which state an event leads to from which; an event that is not
// listed changes no state.
var leads = map[What][]struct{ from, to State }{
	Moved: {
		{Received, Wiping}, {Received, Testing}, {Wiping, Testing}, {Wiping, ToRepair}, {Testing, ToRepair}, {Testing, Ready},
		{ToRepair, Testing}, {ToRepair, Wiping}, {ToRepair, SpareParts}, {Ready, Testing},
		{Returned, Received}, {Returned, SpareParts}, {Returned, Recycled}, {SpareParts, Recycled},
	},
	ReservedFor:   {{Ready, Reserved}},
	ReleasedHold:  {{Reserved, Ready}},
	HoldExpired:   {{Reserved, Ready}},
	SoldTo:        {{Ready, Sold}, {Reserved, Sold}},
	HandedOver:    {{Sold, InUse}},
	RepairBegun:   {{InUse, InRepair}},
	GivenBack:     {{InRepair, InUse}},
	TakenBack:     {{Sold, Returned}, {InUse, Returned}},
	ExchangedFor:  {{InRepair, Returned}},
	ExchangeGiven: {{Ready, InUse}},
}

// Leads reports whether an event may take a machine from one state to another.
// What changes no state leads from each to itself.
func Leads(w What, from, to State) bool {
	ways, moves := leads[w]
	if !moves {
		return from == to
	}
	return slices.ContainsFunc(ways, func(way struct{ from, to State }) bool { return way.from == from && way.to == to })
}

// NextSteps lists the states that the workshop may move a machine to by hand.
func NextSteps(from State) []State {
	var next []State
	for _, way := range leads[Moved] {
		if way.from == from {
			next = append(next, way.to)
		}
	}
	return next
}

// Replay returns the state and the cycle that events make of a machine, or says
// which of them could not have happened.
func Replay(events []Event) (state State, cycle int, err error) {
	for i, e := range events {
		switch {
		case e.Number != int64(i+1):
			return "", 0, fmt.Errorf("event %d has the number %d: one is missing", i+1, e.Number)
		case i == 0 && (e.What != TakenIn || e.State != Received), i > 0 && e.What == TakenIn:
			return "", 0, fmt.Errorf("event %d is %s: want the first, and it alone, to be %s", e.Number, e.What, TakenIn)
		case i > 0 && !Leads(e.What, state, e.State):
			return "", 0, fmt.Errorf("event %d, %s, leads from %s to %s", e.Number, e.What, state, e.State)
		}
		state = e.State
		if e.What == TakenIn || e.What == TakenBack || e.What == ExchangedFor {
			cycle++
		}
	}
	return state, cycle, nil
}
