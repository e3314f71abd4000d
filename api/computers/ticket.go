package computers

import (
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Cover says by which guarantee a repair is owed.
type Cover string

// The covers.
const (
	ByLaw       Cover = "legal"
	ByProgramme Cover = "programme"
	NotCovered  Cover = "none"
)

// A TicketState is where a repair stands.
type TicketState string

// The states of a repair.
const (
	TicketOpen      TicketState = "opened"
	TicketDiagnosed TicketState = "diagnosed" // the machine is in the workshop
	TicketParts     TicketState = "waiting_parts"
	TicketTenant    TicketState = "waiting_tenant"
	TicketRepaired  TicketState = "repaired"
	TicketReplaced  TicketState = "replaced" // another machine was given instead; closed follows at once
	TicketRefused   TicketState = "refused"
	TicketGivenBack TicketState = "given_back"
	TicketClosed    TicketState = "closed"
)

// TicketStates lists the states of a repair in order.
var TicketStates = []TicketState{TicketOpen, TicketDiagnosed, TicketParts, TicketTenant, TicketRepaired, TicketReplaced,
	TicketRefused, TicketGivenBack, TicketClosed}

var ticketLeads = map[TicketState][]TicketState{
	TicketOpen:      {TicketDiagnosed},
	TicketDiagnosed: {TicketParts, TicketTenant, TicketRepaired, TicketReplaced, TicketRefused},
	TicketParts:     {TicketDiagnosed, TicketTenant, TicketRepaired, TicketReplaced, TicketRefused},
	TicketTenant:    {TicketDiagnosed, TicketParts, TicketRepaired, TicketReplaced, TicketRefused},
	TicketRepaired:  {TicketGivenBack},
	TicketRefused:   {TicketGivenBack},
	TicketGivenBack: {TicketClosed},
}

// NextTicketSteps lists the states that a repair may be moved to.
func NextTicketSteps(from TicketState) []TicketState { return slices.Clone(ticketLeads[from]) }

// A Ticket is a repair.
type Ticket struct {
	ID          TicketID
	Machine     MachineID
	Tag         string // of the machine
	Residence   metering.SiteID
	Sale        SaleID
	State       TicketState
	Problem     string      // in words of who brought it
	Cover       Cover       // on the day it was asked for
	Outcome     TicketState // repaired, replaced or refused; empty before
	Replacement MachineID   // where it was replaced
	OpenedOn    civil.Date
	OpenedBy    accounts.PersonID
	GivenOn     civil.Date // zero before it was given back
	TargetDays  int        // working days that the convention gives
	Steps       []TicketStep
	Clocks      Clocks
	Keeper      *Keeper // nil for who may not be told, and once it is closed
	Version     int64
}

// A TicketStep is one step of a repair.
type TicketStep struct {
	Number int64
	State  TicketState
	At     time.Time
	On     civil.Date
	By     accounts.PersonID
	Note   string
}
