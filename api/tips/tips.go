// Package tips turns what a home used into tips that a family can trust: a
// catalogue of gestures as data, detectors that find a reason for one in the
// home's own series, its saving in kWh, m³ and euros, the choice of at most
// three, and what was observed after one was taken up.
//
// Everything here is a pure function of what it is given. A tip is one entry
// below catalogue/ and two tests. Where a fact is not known the package shows
// no number.
package tips

import (
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An ID names a tip for ever, as in "toilet_leak".
type ID string

// A Role says what a tip is to the person.
type Role string

// The roles.
const (
	Urgent  Role = "urgent"  // act and call now; bypasses every limit
	Comfort Role = "comfort" // health first: no saving, and no advice to heat less beside it
	Advice  Role = "advice"  // something to do, chosen by rank
	Praise  Role = "praise"  // nothing to do; takes the place of advice on the same use
	Right   Role = "right"   // shown to everybody, inferred from nothing
)

// Roles lists every role, the most pressing first.
var Roles = []Role{Urgent, Comfort, Praise, Advice, Right}

// A Grade says how well the saving is founded.
type Grade string

// The grades.
const (
	Official  Grade = "A" // a public body says so
	Quoted    Grade = "B" // somebody quotes a public body
	Reckoned  Grade = "C" // physics, or reckoned from an A, or measured here
	Unfounded Grade = "D" // no reliable number exists: no amount is shown
)

// Grades lists every grade, the best first.
var Grades = []Grade{Official, Quoted, Reckoned, Unfounded}

// Confidence is the weight of the grade in the ranking, 0 to 1: our own scale.
func (g Grade) Confidence() float64 {
	switch g {
	case Official:
		return 0.9
	case Quoted:
		return 0.7
	case Reckoned:
		return 0.6
	default:
		return 0.3
	}
}

// An Ease says how much a gesture asks of a person.
type Ease string

// The eases.
const (
	Easy   Ease = "easy"   // a habit of seconds, nothing to buy
	Medium Ease = "medium" // an hour once, or a habit that asks for effort
	Hard   Ease = "hard"   // something to buy, or a call to make and wait
)

// Eases lists every ease, the easiest first.
var Eases = []Ease{Easy, Medium, Hard}

// Weight is that of the ease in the ranking, 0 to 1: our own scale.
func (e Ease) Weight() float64 {
	switch e {
	case Easy:
		return 1
	case Medium:
		return 0.7
	default:
		return 0.4
	}
}

// A UseID names what the people do with water or energy, as in "bathing".
type UseID string

// A Use is what tips act on. Savings of tips on one use are never added, and
// none exceeds the use.
type Use struct {
	ID    UseID           `yaml:"id"`
	Kinds []metering.Kind `yaml:"kinds"` // the kinds of meter whose sum the share is of
	// Share is the use's part in Kinds, 0 to 1; 0 where the use is measured, so
	// that each of its tips names the figure that caps it.
	Share  float64 `yaml:"share"`
	Source string  `yaml:"source"`
}

// A Need is what a tip must be able to read.
type Need struct {
	Kind       metering.Kind       `yaml:"kind"`
	Resolution metering.Resolution `yaml:"resolution"` // this or finer
}

// A Trigger says when a tip is due.
type Trigger struct {
	Detector string        `yaml:"detector"`
	Kind     metering.Kind `yaml:"kind"` // the kind that the detector looks at; empty where it needs none
	// With are the detector's parameters; their units stand in their names.
	With map[string]float64 `yaml:"with"`
	// Answers are what the household must have said yes to, Refused what it must
	// not have.
	Answers []Answer `yaml:"answers"`
	Refused []Answer `yaml:"refused"`
}

// An Input is one number of a formula: one that is cited, or a figure of the
// finding. Exactly one of Number and Figure is given.
type Input struct {
	Number float64 `yaml:"number"`
	Unit   string  `yaml:"unit"`
	Source string  `yaml:"source"`
	Figure string  `yaml:"figure"`
}

// A Formula names how a saving is reckoned, and from what.
type Formula struct {
	Name   string           `yaml:"formula"`
	Kind   metering.Kind    `yaml:"kind"` // what is saved; empty for formulas that know it
	Inputs map[string]Input `yaml:"inputs"`
	// Cap names the figure, in kWh or m³, that the saving cannot exceed; empty
	// where the use has a share.
	Cap string `yaml:"cap"`
}

// An Entry is one tip of the catalogue.
type Entry struct {
	ID       ID                `yaml:"id"`
	Role     Role              `yaml:"role"`
	Use      UseID             `yaml:"use"`
	Grade    Grade             `yaml:"grade"`
	Ease     Ease              `yaml:"ease"`
	Title    Text              `yaml:"title"`
	Why      Text              `yaml:"why"`    // why this home sees it
	How      Text              `yaml:"how"`    // what to do
	Safety   Text              `yaml:"safety"` // what must not be done; may be empty
	Needs    []Need            `yaml:"needs"`
	Consents []consent.Purpose `yaml:"consents"`
	Trigger  Trigger           `yaml:"trigger"`
	// RoomFloorC is the temperature in °C below which the tip is never shown;
	// 0 where it has nothing to do with heating.
	RoomFloorC float64  `yaml:"room_floor_c"`
	Saving     *Formula `yaml:"saving"` // nil where no honest amount exists
	Source     string   `yaml:"source"` // of the gesture
}
