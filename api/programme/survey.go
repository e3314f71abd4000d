package programme

import (
	"math"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Question is what a survey asks.
type Question string

// The questions.
const (
	HasComputer Question = "computer" // is there a computer at home?
	HasInternet Question = "internet" // is there internet at home?
)

// Questions lists the questions.
var Questions = []Question{HasComputer, HasInternet}

// A Survey asked the households of a residence one question.
type Survey struct {
	Record
	Question  Question   `json:"question"`
	On        civil.Date `json:"on"`        // last day of asking
	Dwellings int64      `json:"dwellings"` // whom it speaks for
	// Answered is the sample's size and Yes how many of them said yes; both nil where
	// the source tells only the share.
	Answered *int64 `json:"answered,omitempty"`
	Yes      *int64 `json:"yes,omitempty"`
	// Tenths is the share in tenths of a percent: 600 is 60.0 %. It is worked out
	// where the sample is known.
	Tenths int64  `json:"tenths"`
	Source string `json:"source"`
}

// Check implements [Noun].
func (s *Survey) Check() []problem.Field {
	var f faults
	oneOf(&f, "question", s.Question, Questions)
	f.date("on", s.On)
	f.number("dwellings", s.Dwellings, 1, 1_000_000)
	switch {
	case s.Answered == nil && s.Yes == nil:
		f.number("tenths", s.Tenths, 0, 1000)
	case s.Answered == nil:
		f.add("answered", "field.missing")
	case s.Yes == nil:
		f.add("yes", "field.missing")
	default:
		f.number("answered", *s.Answered, 1, max(1, s.Dwellings))
		f.number("yes", *s.Yes, 0, max(0, *s.Answered))
		if *s.Answered > 0 {
			s.Tenths = (*s.Yes*2000 + *s.Answered) / (2 * *s.Answered)
		}
	}
	f.text("source", &s.Source, 1, 300)
	return f
}

func (*Survey) table() string { return "survey" }

func (s *Survey) columns() []column {
	return []column{
		{"question", string(s.Question), &s.Question}, {"on_date", s.On.String(), day{&s.On}}, {"dwellings", s.Dwellings, &s.Dwellings},
		{"answered", numberOrNull(s.Answered), &s.Answered}, {"yes", numberOrNull(s.Yes), &s.Yes}, {"tenths", s.Tenths, &s.Tenths},
		{"source", s.Source, &s.Source},
	}
}

// Interval is where the share of all dwellings lies in 95 of 100 such surveys, in
// tenths of a percent: Wilson's interval, narrower by as much as the sample is of
// all dwellings. It is false where the sample's size is not known.
func (s Survey) Interval() (low, high int64, known bool) {
	if s.Answered == nil || s.Yes == nil || *s.Answered == 0 {
		return 0, 0, false
	}
	const z = 1.959964
	n, p := float64(*s.Answered), float64(*s.Yes)/float64(*s.Answered)
	if *s.Answered >= s.Dwellings {
		return s.Tenths, s.Tenths, true // everybody was asked
	}
	n *= float64(s.Dwellings-1) / float64(s.Dwellings-*s.Answered) // a sample of a finite number weighs more
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	reach := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return int64(math.Round(1000 * max(0, middle-reach))), int64(math.Round(1000 * min(1, middle+reach))), true
}
