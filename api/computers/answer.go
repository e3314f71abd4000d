package computers

import (
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// dateOrNil is nil for no date.
func dateOrNil(d civil.Date) *civil.Date {
	if d.IsZero() {
		return nil
	}
	return &d
}

type machineJSON struct {
	ID              MachineID       `json:"id"`
	Residence       metering.SiteID `json:"residence"`
	Tag             string          `json:"tag"`
	Serial          string          `json:"serial"`
	MAC             string          `json:"mac"`
	Kind            Kind            `json:"kind"`
	Form            Form            `json:"form"`
	Maker           string          `json:"maker"`
	Model           string          `json:"model"`
	Processor       string          `json:"processor"`
	MemoryMB        int             `json:"memory_mb"`
	Donor           string          `json:"donor"`
	Lot             string          `json:"lot"`
	CostCents       int64           `json:"cost_cents"`
	RegisterNo      string          `json:"register_no"`
	ReceivedOn      civil.Date      `json:"received_on"`
	State           State           `json:"state"`
	Cycle           int             `json:"cycle"`
	GradeAppearance Grade           `json:"grade_appearance"`
	GradeFunction   Grade           `json:"grade_function"`
	ReservedUntil   *civil.Date     `json:"reserved_until,omitempty"`
	Version         int64           `json:"version"`
}

func shapeMachine(m Machine) machineJSON {
	return machineJSON{m.ID, m.Residence, m.Tag, m.Serial, m.MAC, m.Kind, m.Form, m.Maker, m.Model, m.Processor, m.MemoryMB, m.Intake.Donor,
		m.Intake.Lot, m.Intake.CostCents, m.Intake.RegisterNo, m.Intake.On, m.State, m.Cycle, m.GradeAppearance, m.GradeFunction,
		dateOrNil(m.ReservedUntil), m.Version}
}

type keeperJSON struct {
	Household premises.HouseholdID `json:"household"`
	Building  string               `json:"building"`
	Staircase string               `json:"staircase"`
	Label     string               `json:"label"`
}

func shapeKeeper(k *Keeper) *keeperJSON {
	if k == nil {
		return nil
	}
	return &keeperJSON{k.Household, k.Door.Building, k.Door.Staircase, k.Door.Label}
}

type guaranteeJSON struct {
	Programme *civil.Date `json:"programme_until,omitempty"`
	Legal     *civil.Date `json:"legal_until,omitempty"`
	Until     *civil.Date `json:"until,omitempty"`
	Repairs   int         `json:"repairs"`
}

func shapeGuarantee(g Guarantee) guaranteeJSON {
	return guaranteeJSON{dateOrNil(g.Programme), dateOrNil(g.Legal), dateOrNil(g.Until()), g.Repairs}
}

type saleJSON struct {
	ID           SaleID               `json:"id"`
	Machine      MachineID            `json:"machine"`
	Household    premises.HouseholdID `json:"household,omitempty"`
	Buyer        accounts.PersonID    `json:"buyer,omitempty"`
	Exchange     SaleID               `json:"exchange_of,omitempty"`
	PriceCents   int64                `json:"price_cents"`
	ListCents    int64                `json:"list_cents"`
	Subsidised   bool                 `json:"subsidised"`
	Payment      Payment              `json:"payment"`
	ReceiptNo    string               `json:"receipt_no"`
	SoldOn       civil.Date           `json:"sold_on"`
	HandedOn     *civil.Date          `json:"handed_on,omitempty"`
	Accessories  string               `json:"accessories"`
	SignedBy     string               `json:"signed_by,omitempty"`
	EndedOn      *civil.Date          `json:"ended_on,omitempty"`
	EndedWhy     string               `json:"ended_why,omitempty"`
	ReturnReason string               `json:"return_reason,omitempty"`
	RefundCents  int64                `json:"refund_cents"`
	Guarantee    guaranteeJSON        `json:"guarantee"`
}

func shapeSale(s Sale) saleJSON {
	return saleJSON{s.ID, s.Machine, s.Household, s.Buyer, s.Exchange, s.PriceCents, s.ListCents, s.Subsidised, s.Payment, s.ReceiptNo,
		s.SoldOn, dateOrNil(s.HandedOn), s.Accessories, s.SignedBy, dateOrNil(s.Ended), s.EndedWhy, s.ReturnReason, s.RefundCents,
		shapeGuarantee(s.Guarantee)}
}

type driveJSON struct {
	ID DriveID `json:"id"`
	driveBody
	Destroyed bool `json:"destroyed"`
	Wiped     bool `json:"wiped"`
}

func shapeDrive(d Drive) driveJSON {
	return driveJSON{d.ID, driveBody{d.Serial, d.Medium, d.Maker, d.Model, d.SizeGB}, d.Destroyed, d.Wiped}
}

type wipeJSON struct {
	ID      WipeID            `json:"id"`
	Drive   DriveID           `json:"drive"`
	Cycle   int               `json:"cycle"`
	Level   Level             `json:"level"`
	Method  string            `json:"method"`
	Tool    string            `json:"tool"`
	Version string            `json:"tool_version"`
	Result  Result            `json:"result"`
	On      civil.Date        `json:"on"`
	By      accounts.PersonID `json:"by"`
	SHA256  string            `json:"report_sha256"`
	Form    ReportForm        `json:"report_form"`
	Checked string            `json:"verified_by"`
}

func shapeWipe(w Wipe) wipeJSON {
	return wipeJSON{w.ID, w.Drive, w.Cycle, w.Level, w.Method, w.Tool, w.ToolVersion, w.Result, w.On, w.By, w.SHA256, w.Form, w.VerifiedBy}
}

type testJSON struct {
	ID        string             `json:"id"`
	Checklist int                `json:"checklist"`
	Cycle     int                `json:"cycle"`
	Passed    bool               `json:"passed"`
	Results   map[string]Outcome `json:"results"`
	On        civil.Date         `json:"on"`
	By        accounts.PersonID  `json:"by"`
}

func shapeTest(r TestRun) testJSON {
	return testJSON{r.ID, r.Checklist, r.Cycle, r.Passed, r.Results, r.On, r.By}
}

type defectJSON struct {
	ID     string      `json:"id"`
	Text   string      `json:"text"`
	On     civil.Date  `json:"on"`
	Mended *civil.Date `json:"mended_on,omitempty"`
}

func shapeDefect(d Defect) defectJSON { return defectJSON{d.ID, d.Text, d.On, dateOrNil(d.Mended)} }

type clocksJSON struct {
	LegalDue   civil.Date `json:"legal_due"`
	LegalLeft  int        `json:"legal_days_left"`
	LegalDone  bool       `json:"legal_done"`
	TargetUsed int        `json:"target_days_used"`
	TargetLeft int        `json:"target_days_left"`
	Paused     bool       `json:"target_paused"`
	TargetDone bool       `json:"target_done"`
}

type stepJSON struct {
	Number int64             `json:"number"`
	State  TicketState       `json:"state"`
	At     time.Time         `json:"at"`
	On     civil.Date        `json:"on"`
	By     accounts.PersonID `json:"by"`
	Note   string            `json:"note"`
}

type ticketJSON struct {
	ID          TicketID      `json:"id"`
	Machine     MachineID     `json:"machine"`
	Tag         string        `json:"tag"`
	State       TicketState   `json:"state"`
	Problem     string        `json:"problem"`
	Cover       Cover         `json:"cover"`
	Outcome     TicketState   `json:"outcome,omitempty"`
	Replacement MachineID     `json:"replacement,omitempty"`
	OpenedOn    civil.Date    `json:"opened_on"`
	GivenOn     *civil.Date   `json:"given_back_on,omitempty"`
	Clocks      clocksJSON    `json:"clocks"`
	Steps       []stepJSON    `json:"steps"`
	Next        []TicketState `json:"next"`
	Keeper      *keeperJSON   `json:"keeper,omitempty"`
}

func shapeTicket(t Ticket) ticketJSON {
	steps := resource.Mapped(t.Steps, func(s TicketStep) stepJSON { return stepJSON(s) })
	next := NextTicketSteps(t.State)
	if next == nil {
		next = []TicketState{}
	}
	return ticketJSON{t.ID, t.Machine, t.Tag, t.State, t.Problem, t.Cover, t.Outcome, t.Replacement, t.OpenedOn, dateOrNil(t.GivenOn),
		clocksJSON(t.Clocks), steps, next, shapeKeeper(t.Keeper)}
}

// An ownTicket is a repair as its household sees it: no word of the workshop to
// itself, and nobody's name.
type ownTicketJSON struct {
	ID       TicketID    `json:"id"`
	State    TicketState `json:"state"`
	Problem  string      `json:"problem"`
	Cover    Cover       `json:"cover"`
	Outcome  TicketState `json:"outcome,omitempty"`
	OpenedOn civil.Date  `json:"opened_on"`
	LegalDue civil.Date  `json:"legal_due"`
	GivenOn  *civil.Date `json:"given_back_on,omitempty"`
}

type ownJSON struct {
	ID        MachineID       `json:"id"`
	Tag       string          `json:"tag"`
	Serial    string          `json:"serial"`
	Maker     string          `json:"maker"`
	Model     string          `json:"model"`
	SoldOn    civil.Date      `json:"sold_on"`
	HandedOn  *civil.Date     `json:"handed_on,omitempty"`
	ReceiptNo string          `json:"receipt_no"`
	Guarantee guaranteeJSON   `json:"guarantee"`
	InUse     bool            `json:"in_use"`
	Tickets   []ownTicketJSON `json:"tickets"`
}

func shapeOwn(o OwnMachine) ownJSON {
	tickets := resource.Mapped(o.Tickets, func(t Ticket) ownTicketJSON {
		return ownTicketJSON{t.ID, t.State, t.Problem, t.Cover, t.Outcome, t.OpenedOn, t.Clocks.LegalDue, dateOrNil(t.GivenOn)}
	})
	return ownJSON{o.ID, o.Tag, o.Serial, o.Maker, o.Model, o.Sale.SoldOn, dateOrNil(o.Sale.HandedOn), o.Sale.ReceiptNo,
		shapeGuarantee(o.Sale.Guarantee), o.InUse, tickets}
}

type sheetJSON struct {
	machineJSON
	Drives  []driveJSON  `json:"drives"`
	Wipes   []wipeJSON   `json:"wipes"`
	Tests   []testJSON   `json:"tests"`
	Defects []defectJSON `json:"defects"`
	Sale    *saleJSON    `json:"sale,omitempty"`
	Keeper  *keeperJSON  `json:"keeper,omitempty"`
	Tickets []ticketJSON `json:"tickets"`
	Next    []State      `json:"next"`
	Lacks   []string     `json:"lacks"` // codes of problems
}

func shapeSheet(s Sheet) sheetJSON {
	made := sheetJSON{machineJSON: shapeMachine(s.Machine), Drives: resource.Mapped(s.Drives, shapeDrive), Wipes: resource.Mapped(s.Wipes, shapeWipe),
		Tests: resource.Mapped(s.Tests, shapeTest), Defects: resource.Mapped(s.Defects, shapeDefect), Keeper: shapeKeeper(s.Keeper),
		Tickets: resource.Mapped(s.Tickets, shapeTicket), Next: append([]State{}, s.Next...),
		Lacks: resource.Mapped(s.Lacks, func(err error) string { return problem.Of(err).Message })}
	if s.Sale != nil {
		sale := shapeSale(*s.Sale)
		made.Sale = &sale
	}
	return made
}

type eventJSON struct {
	Number  int64             `json:"number"`
	At      time.Time         `json:"at"`
	On      civil.Date        `json:"on"`
	By      accounts.PersonID `json:"by"`
	What    What              `json:"what"`
	State   State             `json:"state"`
	Subject string            `json:"subject"`
	Note    string            `json:"note"`
}

func shapeEvent(e Event) eventJSON {
	return eventJSON(e)
}

type likenessJSON struct {
	Thing   Thing     `json:"thing"`
	Machine MachineID `json:"machine"`
	Device  string    `json:"device"`
	Tag     string    `json:"tag"`
	Serial  string    `json:"serial"`
	Maker   string    `json:"maker"`
	Model   string    `json:"model"`
	Slip    bool      `json:"slip"`
}

type deviceJSON struct {
	ID     string     `json:"id"`
	Serial string     `json:"serial"`
	Since  *time.Time `json:"since,omitempty"`
}

type answerJSON struct {
	Answer  Verdict        `json:"answer"`
	Thing   Thing          `json:"thing,omitempty"`
	Until   *civil.Date    `json:"until,omitempty"`
	Machine *sheetJSON     `json:"machine,omitempty"`
	Device  *deviceJSON    `json:"device,omitempty"`
	Alike   []likenessJSON `json:"alike"`
}

func shapeAnswer(a Answer) answerJSON {
	made := answerJSON{Answer: a.Verdict, Thing: a.Thing, Until: dateOrNil(a.Until),
		Alike: resource.Mapped(a.Alike, func(l Likeness) likenessJSON { return likenessJSON(l) })}
	if a.Machine != nil {
		sheet := shapeSheet(*a.Machine)
		made.Machine = &sheet
	}
	if a.Device != nil {
		made.Device = &deviceJSON{ID: a.Device.ID, Serial: a.Device.Serial}
		if !a.Device.Since.IsZero() {
			made.Device.Since = &a.Device.Since
		}
	}
	return made
}
