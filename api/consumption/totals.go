package consumption

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Level says by what the homes of a residence are added up.
type Level string

// The levels.
const (
	OfResidence Level = "residence"
	OfBuilding  Level = "building"
	OfStaircase Level = "staircase"
)

// Levels lists every level, the largest first.
var Levels = []Level{OfResidence, OfBuilding, OfStaircase}

// A Step is the length of the periods of an answer.
type Step string

// The steps. Weeks begin on Mondays; the first and the last period end with the
// days that were asked for.
const (
	StepWhole Step = "whole" // one figure of all days
	StepDay   Step = "day"
	StepWeek  Step = "week"
	StepMonth Step = "month"
	StepYear  Step = "year"
)

// Steps lists every step.
var Steps = []Step{StepWhole, StepDay, StepWeek, StepMonth, StepYear}

// A Scope of totals is what is asked for: a residence's homes on the days [From,
// To), of one kind.
type Scope struct {
	Residence metering.SiteID
	Kind      metering.Kind
	By        Level
	From, To  civil.Date
	Step      Step
}

// A Group is homes of a residence of which something may be told together. There
// are at least ten with figures, and what is left of a larger group when smaller
// ones are taken from it is never of fewer either.
type Group struct {
	Level    Level  `json:"level"`
	Building string `json:"building"` // of staircases; else empty
	// Members are the names of the buildings or staircases: one, or several where
	// each alone has too few homes; none of a residence. A name may be empty, where
	// there is only one.
	Members []string `json:"members"`
}

// A Silence is why a group's period has no figure.
type Silence string

// The reasons.
const (
	// NotOver: the month still runs, or its last readings may be on their way.
	NotOver Silence = "not_over"
	// TooFewHomes: fewer than ten have figures, one of them uses half of all, or
	// what is left of the others would be of too few.
	TooFewHomes Silence = "too_few_homes"
	// DaysNotTold: the month may be told as a whole, its days may not.
	DaysNotTold Silence = "days_not_told"
)

// A Total is what a group used in a period. Its amount is the sum of what was told
// of the months and days within, each told once and for good.
type Total struct {
	From    civil.Date       `json:"from"`
	To      civil.Date       `json:"to"` // excluded
	Used    metering.Amount  `json:"-"`  // base unit of the kind
	Quality metering.Quality `json:"quality"`
	// Coverage is the share of the days and of the metered homes that are known, 0
	// to 1: half where all of ten days are known of ten homes of twenty.
	Coverage float64 `json:"coverage"`
	// Refused says why nothing is known; the figures are zero then.
	Refused Silence `json:"refused,omitempty"`
	// PerPersonDay is what each person used a day; nil where not known of all.
	PerPersonDay *metering.Amount `json:"per_person_day,omitempty"`
	// PerM2 is what was used for each square metre over all of the days, as if those
	// that are not known were like the others; nil where an area is not known.
	PerM2 *metering.Amount `json:"per_m2,omitempty"`
	// Why is what the amount is the sum of.
	Why TotalWhy `json:"explanation"`

	whole     bool            // every dwelling of the group is known in each month
	emptyUsed metering.Amount // by dwellings in which nobody lived
	daysKnown int
}

// A TotalWhy explains a total: it holds no index of a meter, because these are of
// one home each.
type TotalWhy struct {
	Months  []ToldMonth `json:"months"`
	Formula string      `json:"formula"` // as in "184.210000 m3 / 1240 person-days"
}

// A ToldMonth is a month of which a total is made, or some days of it.
type ToldMonth struct {
	Month     civil.Month     `json:"month"`
	Days      int             `json:"days"`      // that are in the total
	Homes     int             `json:"homes"`     // lived in and known
	Metered   int             `json:"metered"`   // lived in, with a meter of the kind
	Dwellings int             `json:"dwellings"` // all of the group
	Used      metering.Amount `json:"used"`      // on those days
}

// A GroupTotals is a group with its periods, in order of time.
type GroupTotals struct {
	Group
	Kind    metering.Kind
	Periods []Total
}

// What may be told when. A month whose meters are all known is told on its third
// day after; else there is time for readings that are late.
const (
	settleLateDays = 10
	// mostDaysByDay is the longest range that is told by day or week.
	mostDaysByDay = 100
	mostTotalDays = 3 * 366
)

// Validate names what is wrong with the scope, with its remedy.
func (s Scope) Validate() error {
	days := daysBetween(s.From, s.To)
	most := mostTotalDays
	if s.Step == StepDay || s.Step == StepWeek {
		most = mostDaysByDay
	}
	switch {
	case days < 1 || days > most:
		return fmt.Errorf("%d days from %s to %s: want 1 to %d by %s", days, s.From, s.To, most, s.Step)
	case s.Kind == metering.Temperature:
		return fmt.Errorf("temperatures are not added up: want another kind")
	}
	return nil
}

// periods cuts the days of the scope into those of its step.
func (s Scope) periods() (all []Total) {
	for from := s.From; from.Before(s.To); {
		to := s.after(from)
		if s.To.Before(to) {
			to = s.To
		}
		all = append(all, Total{From: from, To: to, Quality: metering.Missing})
		from = to
	}
	return all
}

// after is the day after the period that the day lies in.
func (s Scope) after(day civil.Date) civil.Date {
	switch s.Step {
	case StepDay:
		return day.AddDays(1)
	case StepWeek:
		_, to := Week(day)
		return to
	case StepMonth:
		return day.MonthOf().Next().First()
	case StepYear:
		return civil.Date{Year: day.Year + 1, Month: time.January, Day: 1}
	default:
		return s.To
	}
}

// needsDays reports whether the scope cuts the month: whole months are told as such.
func (s Scope) needsDays(m civil.Month) bool {
	if s.Step == StepDay || s.Step == StepWeek {
		return true
	}
	return m.First().Before(s.From) || s.To.Before(m.Next().First())
}

// months are those that the scope touches.
func (s Scope) months() (all []civil.Month) {
	for m := s.From.MonthOf(); m.First().Before(s.To); m = m.Next() {
		all = append(all, m)
	}
	return all
}

// settled reports whether a month may be told at now; sure says that all of its
// meters are known.
func settled(m civil.Month, zone *time.Location, now time.Time, sure bool) bool {
	_, end := m.Bounds(zone)
	after := settleLateDays
	if sure {
		after = settleDays
	}
	return !now.Before(end.AddDate(0, 0, after-1))
}
