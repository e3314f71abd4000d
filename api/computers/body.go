package computers

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// faults gathers what is wrong with what was sent.
type faults []problem.Field

func (f *faults) add(name, message string, args ...any) {
	*f = append(*f, problem.Field{Name: name, Message: message, Args: args})
}

// hidden are signs that no text bears: controls but ends of lines, those that turn
// the direction of writing, and what stands for a sign that was lost.
func hidden(r rune) bool { return r != '\n' && accounts.Unreadable(r) || r == utf8.RuneError }

// day refuses a day that nobody can mean.
func (f *faults) day(name string, d *civil.Date) {
	if d != nil && soundDay(name, *d) != nil {
		f.add(name, "computers.day_range", firstYear, lastYear)
	}
}

// text brings a text into its normal form and holds its length in characters.
func (f *faults) text(name string, t *string, least, most int) {
	*t = strings.TrimSpace(*t)
	switch n := utf8.RuneCountInString(*t); {
	case n < least:
		f.add(name, "field.missing")
	case n > most:
		f.add(name, "field.too_long", most)
	case !utf8.ValidString(*t) || strings.ContainsFunc(*t, hidden):
		f.add(name, "field.malformed")
	case least > 0 && !strings.ContainsFunc(*t, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }):
		f.add(name, "field.missing")
	}
}

func (f *faults) between(name string, n, least, most int64) {
	if n < least || n > most {
		f.add(name, "field.out_of_range", least, most)
	}
}

func oneOf[T ~string](f *faults, name string, chosen T, all []T) {
	if slices.Contains(all, chosen) {
		return
	}
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = string(a)
	}
	f.add(name, "field.not_one_of", strings.Join(names, ", "))
}

// day is zero for no date.
func day(d *civil.Date) civil.Date {
	if d == nil {
		return civil.Date{}
	}
	return *d
}

type driveBody struct {
	Serial string `json:"serial"`
	Medium Medium `json:"medium"`
	Maker  string `json:"maker"`
	Model  string `json:"model"`
	SizeGB int    `json:"size_gb"`
}

// Check implements resource.Checked.
func (b *driveBody) Check() []problem.Field {
	var f faults
	f.text("serial", &b.Serial, 1, 64)
	f.text("maker", &b.Maker, 0, 100)
	f.text("model", &b.Model, 0, 100)
	oneOf(&f, "medium", b.Medium, Media)
	f.between("size_gb", int64(b.SizeGB), 0, 1_000_000)
	b.Serial = strings.ToUpper(b.Serial)
	return f
}

func (b driveBody) drive() Drive {
	return Drive{Serial: b.Serial, Medium: b.Medium, Maker: b.Maker, Model: b.Model, SizeGB: b.SizeGB}
}

type machineBody struct {
	Residence  metering.SiteID `json:"residence"`
	Serial     string          `json:"serial"`
	MAC        string          `json:"mac"`
	Kind       Kind            `json:"kind"`
	Form       Form            `json:"form"`
	Maker      string          `json:"maker"`
	Model      string          `json:"model"`
	Processor  string          `json:"processor"`
	MemoryMB   int             `json:"memory_mb"`
	Donor      string          `json:"donor"`
	Lot        string          `json:"lot"`
	CostCents  int64           `json:"cost_cents"`
	RegisterNo string          `json:"register_no"`
	ReceivedOn *civil.Date     `json:"received_on"`
	Drives     []driveBody     `json:"drives"`
}

// mostDrives is more than any machine has.
const mostDrives = 16

// Check implements resource.Checked.
func (b *machineBody) Check() []problem.Field {
	var f faults
	f.text("serial", &b.Serial, 1, 64)
	b.Serial = strings.ToUpper(b.Serial)
	if b.Serial != "" && Plain(b.Serial) == "" {
		f.add("serial", "computers.serial_signs")
	}
	f.text("maker", &b.Maker, 1, 100)
	f.text("model", &b.Model, 1, 100)
	f.text("processor", &b.Processor, 0, 100)
	f.text("donor", &b.Donor, 1, 200)
	f.text("lot", &b.Lot, 0, 100)
	f.text("register_no", &b.RegisterNo, 0, 64)
	oneOf(&f, "kind", b.Kind, []Kind{Used, New})
	oneOf(&f, "form", b.Form, []Form{Desktop, Laptop})
	f.day("received_on", b.ReceivedOn)
	f.between("memory_mb", int64(b.MemoryMB), 0, 4<<20)
	f.between("cost_cents", b.CostCents, 0, 10_000_000)
	if b.MAC = strings.TrimSpace(b.MAC); b.MAC != "" {
		mac, err := net.ParseMAC(b.MAC)
		if err != nil || len(mac) != 6 {
			f.add("mac", "computers.mac_malformed")
		}
		b.MAC = mac.String()
	}
	if len(b.Drives) > mostDrives {
		f.add("drives", "field.too_long", mostDrives)
	}
	for i := range b.Drives {
		for _, fault := range b.Drives[i].Check() {
			fault.Name = fmt.Sprintf("drives[%d].%s", i, fault.Name)
			f = append(f, fault)
		}
	}
	return f
}

func (b machineBody) arrival() Arrival {
	a := Arrival{Machine: Machine{Residence: b.Residence, Serial: b.Serial, MAC: b.MAC, Kind: b.Kind, Form: b.Form, Maker: b.Maker, Model: b.Model,
		Processor: b.Processor, MemoryMB: b.MemoryMB,
		Intake: Intake{On: day(b.ReceivedOn), Donor: b.Donor, Lot: b.Lot, CostCents: b.CostCents, RegisterNo: b.RegisterNo}}}
	for _, d := range b.Drives {
		a.Drives = append(a.Drives, d.drive())
	}
	return a
}

type wipeBody struct {
	Drive   DriveID     `json:"drive"`
	Level   Level       `json:"level"`
	Method  string      `json:"method"`
	Tool    string      `json:"tool"`
	Version string      `json:"tool_version"`
	Result  Result      `json:"result"`
	On      *civil.Date `json:"on"`
	Report  []byte      `json:"report"` // base64
	// ReadSerial is the drive's, as read in a report that is a PDF.
	ReadSerial string `json:"report_serial"`
	VerifiedBy string `json:"verified_by"`
}

// Check implements resource.Checked.
func (b *wipeBody) Check() []problem.Field {
	var f faults
	if b.Drive == "" {
		f.add("drive", "field.missing")
	}
	oneOf(&f, "level", b.Level, []Level{Clear, Purge, Destroy})
	oneOf(&f, "result", b.Result, []Result{Passed, Failed})
	f.text("method", &b.Method, 1, 100)
	f.text("tool", &b.Tool, 1, 100)
	f.text("tool_version", &b.Version, 0, 60)
	f.text("report_serial", &b.ReadSerial, 0, 64)
	f.text("verified_by", &b.VerifiedBy, 0, 200)
	if len(b.Report) == 0 {
		b.Report = nil
	}
	return f
}

type testBody struct {
	Checklist int                `json:"checklist"`
	Results   map[string]Outcome `json:"results"`
	On        *civil.Date        `json:"on"`
}

// Check implements resource.Checked; what the checklist asks for is held where the
// machine's form is known.
func (b *testBody) Check() []problem.Field {
	var f faults
	if len(b.Results) > 100 {
		f.add("results", "field.too_long", 100)
	}
	return f
}

type gradeBody struct {
	Appearance Grade `json:"appearance"`
	Function   Grade `json:"function"`
}

// Check implements resource.Checked.
func (b *gradeBody) Check() []problem.Field {
	var f faults
	oneOf(&f, "appearance", b.Appearance, Grades)
	oneOf(&f, "function", b.Function, Grades)
	return f
}

type textBody struct {
	Text string `json:"text"`
}

// Check implements resource.Checked.
func (b *textBody) Check() []problem.Field {
	var f faults
	f.text("text", &b.Text, 1, 500)
	return f
}

type moveBody struct {
	To   State       `json:"to"`
	On   *civil.Date `json:"on"`
	Note string      `json:"note"`
}

// Check implements resource.Checked.
func (b *moveBody) Check() []problem.Field {
	var f faults
	oneOf(&f, "to", b.To, States)
	f.text("note", &b.Note, 0, 1000)
	return f
}

type holdBody struct {
	Household premises.HouseholdID `json:"household"`
	Until     civil.Date           `json:"until"`
}

// Check implements resource.Checked.
func (b *holdBody) Check() []problem.Field {
	var f faults
	if b.Household == "" {
		f.add("household", "field.missing")
	}
	if b.Until.IsZero() {
		f.add("until", "field.missing")
	}
	return f
}

type saleBody struct {
	Household  premises.HouseholdID `json:"household"`
	Buyer      accounts.PersonID    `json:"buyer"`
	PriceCents int64                `json:"price_cents"`
	Subsidised bool                 `json:"subsidised"`
	Payment    Payment              `json:"payment"`
	SoldOn     *civil.Date          `json:"sold_on"`
}

// Check implements resource.Checked.
func (b *saleBody) Check() []problem.Field {
	var f faults
	if b.Household == "" {
		f.add("household", "field.missing")
	}
	if b.Buyer == "" {
		f.add("buyer", "field.missing")
	}
	f.between("price_cents", b.PriceCents, 0, 1_000_000)
	oneOf(&f, "payment", b.Payment, Payments)
	return f
}

type handoverBody struct {
	On          *civil.Date `json:"on"`
	Accessories string      `json:"accessories"`
	SignedBy    string      `json:"signed_by"`
}

// Check implements resource.Checked.
func (b *handoverBody) Check() []problem.Field {
	var f faults
	f.text("accessories", &b.Accessories, 0, 500)
	f.text("signed_by", &b.SignedBy, 1, 200)
	return f
}

type returnBody struct {
	On          *civil.Date `json:"on"`
	Reason      string      `json:"reason"`
	RefundCents int64       `json:"refund_cents"`
}

// Check implements resource.Checked.
func (b *returnBody) Check() []problem.Field {
	var f faults
	f.text("reason", &b.Reason, 1, 500)
	f.between("refund_cents", b.RefundCents, 0, 1_000_000)
	return f
}

type complaintBody struct {
	ownComplaintBody
	On *civil.Date `json:"on"`
}

// An ownComplaintBody is what a household sends: it does not choose the day.
type ownComplaintBody struct {
	Problem string `json:"problem"`
}

// mostProblem is how many characters a complaint has at most.
const mostProblem = 1000

// Check implements resource.Checked.
func (b *ownComplaintBody) Check() []problem.Field {
	var f faults
	f.text("problem", &b.Problem, 1, mostProblem)
	return f
}

type ticketMoveBody struct {
	To          TicketState `json:"to"`
	On          *civil.Date `json:"on"`
	Note        string      `json:"note"`
	Replacement MachineID   `json:"replacement"`
	SignedBy    string      `json:"signed_by"`
}

// Check implements resource.Checked.
func (b *ticketMoveBody) Check() []problem.Field {
	var f faults
	oneOf(&f, "to", b.To, TicketStates)
	f.text("note", &b.Note, 0, 1000)
	least := 0
	if b.To == TicketReplaced {
		least = 1
		if b.Replacement == "" {
			f.add("replacement", "field.missing")
		}
	}
	f.text("signed_by", &b.SignedBy, least, 200)
	return f
}

type waitBody struct {
	Residence metering.SiteID      `json:"residence"`
	Household premises.HouseholdID `json:"household"`
	Kind      Kind                 `json:"kind"`
	AskedOn   *civil.Date          `json:"asked_on"`
}

// Check implements resource.Checked.
func (b *waitBody) Check() []problem.Field {
	var f faults
	if b.Household == "" {
		f.add("household", "field.missing")
	}
	oneOf(&f, "kind", b.Kind, []Kind{Used, New})
	f.day("asked_on", b.AskedOn)
	return f
}
