// Package training knows who bought a computer at the reduced price and owes a
// training for it, the sessions that are held, and the way of each buyer from
// the invitation to the question, a month later, whether the computer is still
// used.
package training

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Names of things, for ever: UUIDs of version 7, so that later ones sort behind.
type (
	CourseID    string // of a course
	SessionID   string // of a session
	DutyID      string // of a duty
	EnrolmentID string // of a way to a training
)

// A Theme is what a course is about.
type Theme string

// The themes, by their names in the store and in JSON.
const (
	FirstSteps      Theme = "first_steps"
	InternetAndMail Theme = "internet_and_mail"
	MyConsumption   Theme = "my_consumption"
	Safety          Theme = "safety"
)

// Themes lists every theme, in the order in which they are shown.
var Themes = []Theme{FirstSteps, InternetAndMail, MyConsumption, Safety}

// A Course is what can be learned. Its title is shown as it was typed.
type Course struct {
	ID    CourseID
	Title string // 1 to 100 characters, unique
	Theme Theme
	About string // at most 500 characters
}

// Check returns what is wrong with the fields "title", "theme" and "about", and
// brings the texts into their normal form.
func (c *Course) Check() []problem.Field {
	faults := checkText("title", &c.Title, 1, 100)
	faults = append(faults, checkText("about", &c.About, 0, 500)...)
	if !slices.Contains(Themes, c.Theme) {
		faults = append(faults, problem.Field{Name: "theme", Message: "field.not_one_of", Args: []any{fmt.Sprint(Themes)}})
	}
	return faults
}

// checkText joins the words of a text and holds its length, in characters.
func checkText(name string, text *string, least, most int) []problem.Field {
	*text = strings.Join(strings.Fields(*text), " ")
	switch n := len([]rune(*text)); {
	case n < least:
		return []problem.Field{{Name: name, Message: "field.missing"}}
	case n > most:
		return []problem.Field{{Name: name, Message: "field.too_long", Args: []any{most}}}
	case strings.ContainsFunc(*text, hidden):
		return []problem.Field{{Name: name, Message: "field.malformed"}}
	}
	return nil
}

// hidden are characters that a text shown beside others must not bear: controls,
// and signs that turn the direction of writing.
func hidden(r rune) bool {
	return r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfffd
}

// A Session is a course on a day. Who may see it is the affair of the queries.
type Session struct {
	ID            SessionID
	Course        Course
	Residence     metering.SiteID
	ResidenceName string
	Zone          *time.Location // of the residence, in which its hours are told
	Trainer       accounts.PersonID
	TrainerName   string // empty for none
	Starts, Ends  time.Time
	Place         string
	Partner       string // who holds it for the landlord; may be empty
	Language      string // in which it is held
	Childcare     string // a note for parents; may be empty
	Transport     string // a note on the way there; may be empty
	Capacity      int    // places
	Taken         int    // places that somebody has
	MayWait       int    // how many may wait for a place
	Waiting       int    // how many do
	CalledOff     time.Time
	Version       int64
}

// Free is how many places nobody has; 0 once the session was called off.
func (s Session) Free() int {
	if !s.CalledOff.IsZero() {
		return 0
	}
	return max(0, s.Capacity-s.Taken)
}

// Day is the civil day on which the session begins.
func (s Session) Day() civil.Date { return civil.DateIn(s.Starts, s.Zone) }

// A DutyState says whether a duty is still owed.
type DutyState string

// The states of a duty.
const (
	Open     DutyState = "open"
	Done     DutyState = "done"
	Exempted DutyState = "exempted"
)

// A Duty is the training that a buyer owes for the reduced price.
type Duty struct {
	ID            DutyID
	Sale          string // that created it
	Household     premises.HouseholdID
	Person        accounts.PersonID // the buyer
	Name          string
	Language      string
	Telephone     string           // of the household; may be empty
	ContactBy     premises.Channel // how the household wants to be told things
	Door          premises.Dwelling
	Residence     metering.SiteID // where the buyer lived when buying
	ResidenceName string
	Zone          *time.Location
	Since         civil.Date // day of the sale
	Due           civil.Date // last day on which the training is in time
	State         DutyState
	Done          civil.Date // day of the training; zero while open
	Reason        string     // of an exemption
	Asked         time.Time  // when the buyer asked for another date; zero for never
	Wish          string     // what the buyer wrote then
	Now           Way        // the way on which the buyer was trained, else the last; zero for none
	Version       int64
}

// Late reports whether the duty is open after its last day.
func (d Duty) Late(today civil.Date) bool { return d.State == Open && d.Due.Before(today) }

// A State is how far a buyer has come on one way to a training.
type State string

// The states of a way.
const (
	Invited   State = "invited"   // perhaps with a session proposed
	Waiting   State = "waiting"   // for a place in a session that is full
	Enrolled  State = "enrolled"  // has a place
	Reminded  State = "reminded"  // has a place, and was reminded
	Attended  State = "attended"  // was there
	Absent    State = "absent"    // was not, and did not say so
	Excused   State = "excused"   // said so before
	Withdrawn State = "withdrawn" // taken back by the landlord, as when a session is called off
)

// onward are the steps that a way may take. Attendance may be corrected.
var onward = map[State][]State{
	Invited:  {Waiting, Enrolled, Excused, Withdrawn},
	Waiting:  {Enrolled, Excused, Withdrawn},
	Enrolled: {Reminded, Attended, Absent, Excused, Withdrawn},
	Reminded: {Attended, Absent, Excused, Withdrawn},
	Attended: {Absent},
	Absent:   {Attended},
}

// May reports whether a way may step from s to next.
func (s State) May(next State) bool { return slices.Contains(onward[s], next) }

// IsOpen reports whether the way still leads somewhere.
func (s State) IsOpen() bool { return s.May(Withdrawn) }

// HasPlace reports whether a place of the session is the buyer's.
func (s State) HasPlace() bool {
	return s == Enrolled || s == Reminded || s == Attended || s == Absent
}

// A Way is one way of a buyer to a training. Its zero value is none.
type Way struct {
	ID      EnrolmentID
	Session SessionID // proposed, waited for or taken; may be empty for Invited
	Seat    int       // number of the place; 0 for none
	State   State
	Reason  string    // why excused
	Since   time.Time // of the state
	Starts  time.Time // of the session; zero for none
}

// Reasons why a step is refused; problems of the kind Conflict or NotFound.
var (
	ErrNoDuty      = &problem.Error{Kind: problem.NotFound, Message: "training.no_duty"}
	ErrNoSession   = &problem.Error{Kind: problem.NotFound, Message: "training.no_session"}
	ErrNoWay       = &problem.Error{Kind: problem.Conflict, Message: "training.no_way"}
	ErrNotOwed     = &problem.Error{Kind: problem.Conflict, Message: "training.not_owed"}
	ErrFull        = &problem.Error{Kind: problem.Conflict, Message: "training.full"}
	ErrNoRoom      = &problem.Error{Kind: problem.Conflict, Message: "training.no_room_to_wait"}
	ErrTwice       = &problem.Error{Kind: problem.Conflict, Message: "training.enrolled_already"}
	ErrPast        = &problem.Error{Kind: problem.Conflict, Message: "training.session_past"}
	ErrCalledOff   = &problem.Error{Kind: problem.Conflict, Message: "training.called_off"}
	ErrNotYet      = &problem.Error{Kind: problem.Conflict, Message: "training.not_yet"}
	ErrSeatsTaken  = &problem.Error{Kind: problem.Conflict, Message: "training.seats_taken"}
	ErrNotTrained  = &problem.Error{Kind: problem.Conflict, Message: "training.not_trained"}
	ErrTrained     = &problem.Error{Kind: problem.Conflict, Message: "training.trained_elsewhere"}
	ErrNoReminder  = &problem.Error{Kind: problem.NotFound, Message: "training.no_reminder"}
	ErrNoLetter    = &problem.Error{Kind: problem.NotFound, Message: "training.no_letter"}
	ErrCourseTaken = &problem.Error{Kind: problem.Conflict, Message: "training.course_taken"}
	ErrSameSession = &problem.Error{Kind: problem.Conflict, Message: "training.same_session"}
)

// followUpDate is the day a month after a training: the same day of the next
// month, or its last where it has none, as the 28th or 29th of February after the
// 31st of January.
func followUpDate(trained civil.Date) civil.Date {
	next := trained.MonthOf().Next()
	return civil.Date{Year: next.Year, Month: next.Month, Day: min(trained.Day, next.Days())}
}
