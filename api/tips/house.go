package tips

import (
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// WaterQuestion asks what heats the water; its replies are [Unknown] and the ways of
// heating it. It is asked where the landlord's list does not say.
const WaterQuestion Answer = "water_heating"

// Questions lists what a household is asked about its home, in the order of the
// page. None has to be answered.
var Questions = []Answer{HasBath, HasDryer, HasSecondFreezer, HasBox, NeedsLine, WaterQuestion}

// A Reply is what a household says to a question.
type Reply string

// The replies. Unknown also takes back what was said before.
const (
	Yes     Reply = "yes"
	No      Reply = "no"
	Unknown Reply = "unknown"
)

// Replies lists what may be said to a question, the order of the page.
func Replies(question Answer) []Reply {
	if question == WaterQuestion {
		return []Reply{Reply(SharedHotWater), Reply(ElectricTank), Reply(GasBoiler), Unknown}
	}
	return []Reply{Yes, No, Unknown}
}

// A House is what a household said about its home in the stay that lasts.
type House struct {
	// Said are the last replies by question; one that was never given is missing.
	Said map[Answer]Reply
	// Absences are those that were said and not taken back, the last first.
	Absences []Away
	// Water is what the landlord's list says of the hot water; empty where it says
	// nothing, and the household is asked.
	Water WaterHeating
	// Version grows with each reply; 1 before the first.
	Version int64
	// May says that the viewer may answer, and not only look.
	May bool

	tenancy   string
	household premises.HouseholdID
	zone      *time.Location
}

// An AwayID names an absence that was said, for ever.
type AwayID string

// An Away is an absence that is stored.
type Away struct {
	ID AwayID
	Absence
}

// Asked lists the questions that are still the household's to answer.
func (h House) Asked() []Answer {
	if h.Water == "" {
		return Questions
	}
	return slices.DeleteFunc(slices.Clone(Questions), func(q Answer) bool { return q == WaterQuestion })
}

// HeatedBy is what heats the home's water, as the landlord's list says, else the
// household; empty where neither does.
func (h House) HeatedBy() WaterHeating {
	if said := h.said(WaterQuestion); h.Water == "" && said != Unknown {
		return WaterHeating(said)
	}
	return h.Water
}

// Tell adds what the household said to what tips know of its home. The landlord's
// list comes first.
func (h House) Tell(known *Home) {
	for question, said := range h.Said {
		if said != Unknown && question != WaterQuestion {
			known.Answers[question] = said == Yes
		}
	}
	if known.Water == "" {
		known.Water = h.HeatedBy()
	}
	for _, a := range h.Absences {
		known.Absences = append(known.Absences, a.Absence)
	}
}

// HeatedBy is what the landlord's list says of a dwelling's hot water, as far as
// tips reckon with it; empty otherwise.
func HeatedBy(w premises.Warmth) WaterHeating {
	switch w {
	case premises.Collective:
		return SharedHotWater
	case premises.Electric:
		return ElectricTank
	case premises.Gas:
		return GasBoiler
	default:
		return ""
	}
}

const (
	// mostAwayDays is how long one absence lasts at the most.
	mostAwayDays = 366
	// awayReach is how far before and after today an absence may lie, in days.
	awayReach = 366
	// mostAways is how many absences a stay has at the most.
	mostAways = 100
)

// Faults says what is wrong with an absence that is said on a day.
func (a Absence) Faults(today civil.Date) (faults []problem.Field) {
	if a.From.Before(today.AddDays(-awayReach)) || today.AddDays(awayReach).Before(a.From) {
		faults = append(faults, problem.Field{Name: "from", Message: "house.too_far"})
	}
	switch {
	case !a.From.Before(a.To):
		faults = append(faults, problem.Field{Name: "to", Message: "house.ends_before"})
	case a.From.AddDays(mostAwayDays).Before(a.To):
		faults = append(faults, problem.Field{Name: "to", Message: "house.too_long"})
	}
	return faults
}

// A Statement is one thing that a household said about its home, for the archive of
// what is held on it.
type Statement struct {
	Question Answer            `json:"question"`
	Said     Reply             `json:"said"`
	At       time.Time         `json:"at"`
	By       accounts.PersonID `json:"by"`
}

// An AwayStatement is an absence as it is held, taken back or not.
type AwayStatement struct {
	From  civil.Date        `json:"from"`
	To    civil.Date        `json:"to"` // the first day back
	At    time.Time         `json:"at"`
	By    accounts.PersonID `json:"by"`
	Taken *time.Time        `json:"taken_back,omitempty"`
}

// Statements are all that a household said about its homes, the first first.
type Statements struct {
	Answers  []Statement     `json:"answers"`
	Absences []AwayStatement `json:"absences"`
}
