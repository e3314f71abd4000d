package training

import (
	"time"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A Position is where a buyer puts themselves on five questions: 0 cannot do it,
// 1 with help, 2 alone, 3 could show others.
type Position struct {
	At       time.Time // zero for not answered
	Computer int       // start it, use keyboard and mouse
	Internet int       // look for something
	Mail     int       // read and write messages
	Forms    int       // do a procedure with an office
	Safety   int       // tell a false message
}

// mostAnswer is the highest answer to a question.
const mostAnswer = 3

// answers names the questions as they are sent, in their order.
func (p Position) answers() []struct {
	name   string
	answer int
} {
	return []struct {
		name   string
		answer int
	}{{"computer", p.Computer}, {"internet", p.Internet}, {"mail", p.Mail}, {"forms", p.Forms}, {"safety", p.Safety}}
}

// Check returns a fault for each answer that is not from 0 to 3.
func (p Position) Check() []problem.Field {
	var faults []problem.Field
	for _, a := range p.answers() {
		if a.answer < 0 || a.answer > mostAnswer {
			faults = append(faults, problem.Field{Name: a.name, Message: "field.out_of_range", Args: []any{0, mostAnswer}})
		}
	}
	return faults
}

// A Level is how much help a buyer needs.
type Level string

// The levels, by the sum of the five answers: up to 5, up to 10, above.
const (
	Beginner Level = "beginner"
	Helped   Level = "helped"
	Alone    Level = "alone"
)

// Level returns the level of the answers.
func (p Position) Level() Level {
	sum := 0
	for _, a := range p.answers() {
		sum += a.answer
	}
	switch {
	case sum <= 5:
		return Beginner
	case sum <= 10:
		return Helped
	default:
		return Alone
	}
}

// StillUsed is how often the computer is used, a month after the training.
type StillUsed string

// The answers.
const (
	UsedOften     StillUsed = "often"
	UsedSometimes StillUsed = "sometimes"
	NotUsed       StillUsed = "no"
)

// A JobSearch says whether the computer serves to look for work.
type JobSearch string

// The answers.
const (
	ForJobs      JobSearch = "yes"
	NotForJobs   JobSearch = "no"
	NotConcerned JobSearch = "not_concerned"
)

// A FollowUp is what is asked a month after a training.
type FollowUp struct {
	Due       string    // day from which it is asked, YYYY-MM-DD; empty where nobody was trained
	Answered  time.Time // zero for not yet
	StillUsed StillUsed
	JobSearch JobSearch
	Blocked   string // what does not work, in the buyer's words; at most 300 characters
}

// Check returns what is wrong with the fields "still_used", "job_search" and
// "blocked".
func (f *FollowUp) Check() []problem.Field {
	faults := checkText("blocked", &f.Blocked, 0, 300)
	if f.StillUsed != UsedOften && f.StillUsed != UsedSometimes && f.StillUsed != NotUsed {
		faults = append(faults, problem.Field{Name: "still_used", Message: "field.not_one_of", Args: []any{"often, sometimes, no"}})
	}
	if f.JobSearch != ForJobs && f.JobSearch != NotForJobs && f.JobSearch != NotConcerned {
		faults = append(faults, problem.Field{Name: "job_search", Message: "field.not_one_of", Args: []any{"yes, no, not_concerned"}})
	}
	return faults
}
