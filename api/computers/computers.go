// Package computers knows the machines of the programme from intake to the end
// of their life: what a workshop took in, wiped, tested, repaired and stocked,
// which household bought it under which guarantee, and who may be told so. It
// knows nothing of consumption.
package computers

import (
	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Ids of what this package keeps: UUIDs of version 7.
type (
	MachineID string // of a [Machine]
	DriveID   string // of a [Drive]
	WipeID    string // of a [Wipe]
	SaleID    string // of a [Sale]
	TicketID  string // of a [Ticket]
	WaitID    string // of a [Wait]
)

// A Kind tells machines that had a life before from new ones.
type Kind string

// The kinds.
const (
	Used Kind = "used" // refurbished
	New  Kind = "new"  // from the factory: nothing to wipe until somebody used it
)

// A Form is how a machine is built.
type Form string

// The forms.
const (
	Desktop Form = "desktop"
	Laptop  Form = "laptop"
)

// A Grade says how good something is, from A on; empty where it was not judged.
type Grade string

// The grades.
const (
	GradeA Grade = "A" // as one would like it
	GradeB Grade = "B" // signs of use
	GradeC Grade = "C" // clear signs of use
	GradeD Grade = "D" // only just
)

// Grades lists the grades, the best first.
var Grades = []Grade{GradeA, GradeB, GradeC, GradeD}

// A Machine is a computer with what its events have made of it.
type Machine struct {
	ID        MachineID
	Residence metering.SiteID // whose programme it is for
	Tag       string          // on our label, and what its QR code says, as in "PC-000123"
	Serial    string          // the maker's, as on the plate
	MAC       string          // of the network card, aa:bb:cc:dd:ee:ff; empty where not known
	Kind      Kind
	Form      Form
	Maker     string
	Model     string
	Processor string
	MemoryMB  int
	Intake    Intake
	State     State
	// Cycle counts intakes: it grows with each return, and what was wiped and
	// tested in an earlier one does not count.
	Cycle           int
	GradeAppearance Grade
	GradeFunction   Grade
	ReservedUntil   civil.Date // last day of a reservation; zero for none
	Version         int64      // number of the last event
}

// An Intake is where a machine came from. The register of intakes is what French
// law asks of who buys used goods to sell them (code pénal, 321-7).
type Intake struct {
	On         civil.Date
	Donor      string // company or person it came from
	Lot        string // may be empty
	CostCents  int64  // what was paid for it, in cents of a euro; 0 for a gift
	RegisterNo string // in the register of intakes, unique in a residence
}

// A Door is a flat as it is written on the door, for who brings a machine back.
type Door struct {
	Building, Staircase, Label string
}

// A Keeper is the household that has a machine or for which it is reserved. A
// technician is told only while a repair of that machine is open.
type Keeper struct {
	Household premises.HouseholdID
	Door      Door
}

// LookedAtMachine is what the log of accesses says of who of the workshop was
// shown whose machine it is.
const LookedAtMachine premises.What = "look.machine"

// What it says of who looked a household up to sell it a machine, wrote it on the
// waiting list, reserved a machine for it or sold it one. Each is written down
// before the deed, which may be refused yet.
const (
	ChoseHousehold       premises.What = "look.machine_choice"
	ListedHousehold      premises.What = "look.machine_wait"
	ReservedForHousehold premises.What = "look.machine_reserved"
	SoldToHousehold      premises.What = "look.machine_sale"
)

// Who may do what; in which residences is the affair of each query.
var (
	Workshop  = []accounts.Role{accounts.Technician, accounts.Administrator}
	Sellers   = []accounts.Role{accounts.Advisor, accounts.Administrator}
	Readers   = []accounts.Role{accounts.Technician, accounts.Advisor, accounts.Administrator}
	Overseers = []accounts.Role{accounts.Technician, accounts.Advisor, accounts.Manager, accounts.Administrator}
	Setters   = []accounts.Role{accounts.Manager, accounts.Administrator} // of prices and of the programme
)

// What people are told. Whatever belongs to a residence that the sender has no
// role in, or to another household, is [ErrNone].
var (
	ErrNone        = &problem.Error{Kind: problem.NotFound, Message: "computers.none"}
	ErrStep        = &problem.Error{Kind: problem.Conflict, Message: "computers.step_refused"}        // the state does not lead there
	ErrUnwiped     = &problem.Error{Kind: problem.Conflict, Message: "computers.unwiped"}             // a drive lacks evidence
	ErrUntested    = &problem.Error{Kind: problem.Conflict, Message: "computers.untested"}            // the checklist was not passed
	ErrUngraded    = &problem.Error{Kind: problem.Conflict, Message: "computers.ungraded"}            // no grade
	ErrNoDrive     = &problem.Error{Kind: problem.Conflict, Message: "computers.no_drive"}            // no drive is known
	ErrDefect      = &problem.Error{Kind: problem.Conflict, Message: "computers.defect_open"}         // a defect is not mended
	ErrReserved    = &problem.Error{Kind: problem.Conflict, Message: "computers.reserved_other"}      // for another household
	ErrProgramme   = &problem.Error{Kind: problem.Conflict, Message: "computers.not_in_programme"}    // the household is not
	ErrBuyer       = &problem.Error{Kind: problem.Conflict, Message: "computers.not_member"}          // no member of the household
	ErrSecond      = &problem.Error{Kind: problem.Conflict, Message: "computers.second_subsidised"}   // it has its share
	ErrNoPrice     = &problem.Error{Kind: problem.Conflict, Message: "computers.no_price"}            // no list price that day
	ErrPrice       = &problem.Error{Kind: problem.Conflict, Message: "computers.not_list_price"}      // another price
	ErrSerialTaken = &problem.Error{Kind: problem.Conflict, Message: "computers.serial_taken"}        // known already
	ErrRegisterNo  = &problem.Error{Kind: problem.Conflict, Message: "computers.register_no_taken"}   // known already
	ErrDriveTaken  = &problem.Error{Kind: problem.Conflict, Message: "computers.drive_taken"}         // known already
	ErrWiping      = &problem.Error{Kind: problem.Conflict, Message: "computers.wipe_not_now"}        // not in this state
	ErrReport      = &problem.Error{Kind: problem.Conflict, Message: "computers.report_other_drive"}  // names another drive
	ErrReportEmpty = &problem.Error{Kind: problem.Conflict, Message: "computers.report_names_none"}   // does not name the drive
	ErrTicketOpen  = &problem.Error{Kind: problem.Conflict, Message: "computers.ticket_open"}         // one repair at a time
	ErrWaits       = &problem.Error{Kind: problem.Conflict, Message: "computers.waits_already"}       // is on the list
	ErrHandedOn    = &problem.Error{Kind: problem.Conflict, Message: "computers.before_sale"}         // a date before the one it follows
	ErrOtherKind   = &problem.Error{Kind: problem.Conflict, Message: "computers.replacement_refused"} // no machine to exchange for
	ErrSee         = &problem.Error{Kind: problem.NotFound, Message: "computers.see_only"}            // a helper who may only look
)
