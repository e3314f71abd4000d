package consumption

import (
	"math"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Basis is what a period is compared with.
type Basis string

// The bases.
const (
	LastYear Basis = "last_year" // the same days of the year before
	Habit    Basis = "habit"     // the household's own last eight weeks
)

// A Trend says in a word how a period compares.
type Trend string

// The trends.
const (
	Less    Trend = "less"
	AsUsual Trend = "as_usual" // within 5 %
	More    Trend = "more"
)

// A Refusal is why there is no comparison.
type Refusal string

// The refusals.
const (
	TooShort    Refusal = "too_short"    // fewer than 7 whole days
	TooLittle   Refusal = "too_little"   // too few days of one of the two are known
	OtherHome   Refusal = "other_home"   // the household lived elsewhere, or nowhere here
	OtherSeason Refusal = "other_season" // heating, without the temperatures of both
	NothingUsed Refusal = "nothing_used" // before, so that no share can be told
)

// A Comparison sets what was used beside what would have been at another time, over
// as many days.
type Comparison struct {
	Basis Basis `json:"basis"`
	// Refused says why there is no comparison; the figures are zero then.
	Refused Refusal `json:"refused,omitempty"`
	// From and To bound the days that are compared, WithFrom and WithTo those that
	// they are compared with; to is excluded.
	From     civil.Date      `json:"from"`
	To       civil.Date      `json:"to"`
	WithFrom civil.Date      `json:"with_from"`
	WithTo   civil.Date      `json:"with_to"`
	Used     metering.Amount `json:"used"`
	// Expected is what was used then, brought to as many known days, and where
	// Corrected to as cold ones.
	Expected  metering.Amount  `json:"expected"`
	Corrected bool             `json:"corrected"`
	Percent   int              `json:"percent"` // by how much it is more; less below 0
	Trend     Trend            `json:"trend,omitempty"`
	Quality   metering.Quality `json:"quality"`  // the worse of the two
	Coverage  float64          `json:"coverage"` // the smaller of the two
	// Weekdays says that a habit is that of the same days of the week.
	Weekdays bool `json:"weekdays,omitempty"`
	// DegreeDays and WithDegreeDays are those of the two periods, base 18 °C; 0 where
	// nothing is corrected by them.
	DegreeDays     float64 `json:"degree_days,omitempty"`
	WithDegreeDays float64 `json:"with_degree_days,omitempty"`
	// Why and Then explain what was used in each of the two; nil where refused.
	Why  *metering.Explanation `json:"explanation,omitempty"`
	Then *metering.Explanation `json:"with_explanation,omitempty"`
	// Formula is how Expected came of what was used then, with its figures.
	Formula string `json:"formula,omitempty"`
}

// What a comparison needs.
const (
	leastDays     = 7    // nothing is told of fewer
	leastCoverage = 0.9  // of each of two periods of the same length
	habitDays     = 56   // eight weeks
	habitCoverage = 0.5  // four of them
	notableShare  = 0.05 // below it is as usual
)

// Compared sets the whole days of [from, to) before today beside those of the basis.
// The series must have been asked for both: see [Since]. Weather may be nil.
func (s Series) Compared(b Basis, from, to, today civil.Date, weather Weather) Comparison {
	if today.Before(to) {
		to = today
	}
	c := Comparison{Basis: b, From: from, To: to, Quality: metering.Missing}
	c.WithFrom, c.WithTo = with(b, from, to)
	least := leastCoverage
	if b == Habit {
		least = habitCoverage
	}
	now, then := s.Over(from, to), s.Over(c.WithFrom, c.WithTo)
	days, daysThen := daysBetween(from, to), daysBetween(c.WithFrom, c.WithTo)
	switch {
	case days < leastDays:
		c.Refused = TooShort
	case !s.sameHome(c):
		c.Refused = OtherHome
	case now.Coverage < leastCoverage || then.Coverage < least:
		c.Refused = TooLittle
	case then.Used <= 0:
		c.Refused = NothingUsed
	}
	if c.Refused != "" {
		return c
	}
	expected := float64(then.Used) * (now.Coverage * float64(days)) / (then.Coverage * float64(daysThen))
	if habit, ok := s.byWeekday(c); ok {
		expected, c.Weekdays = habit*now.Coverage, true
	}
	if s.Kind == metering.Heat {
		ratio, ok := weather.Ratio(from, to, c.WithFrom, c.WithTo)
		if !ok && b == Habit {
			c.Refused, c.Weekdays = OtherSeason, false
			return c
		}
		if ok {
			expected, c.Corrected = expected*ratio*float64(daysThen)/float64(days), true
			c.DegreeDays, _ = weather.DegreeDays(from, to)
			c.WithDegreeDays, _ = weather.DegreeDays(c.WithFrom, c.WithTo)
		}
	}
	c.Used, c.Expected, c.Why, c.Then = now.Used, metering.Amount(math.Round(expected)), &now, &then
	c.Formula = c.formula(days, daysThen)
	c.Quality, c.Coverage = now.Quality.Worse(then.Quality), min(now.Coverage, then.Coverage)
	change := float64(c.Used)/max(1, expected) - 1
	c.Percent, c.Trend = int(math.Round(min(change, 99)*100)), trendOf(change)
	return c
}

func trendOf(change float64) Trend {
	switch {
	case change > notableShare:
		return More
	case change < -notableShare:
		return Less
	default:
		return AsUsual
	}
}

// with returns the days that the basis compares [from, to) with.
func with(b Basis, from, to civil.Date) (civil.Date, civil.Date) {
	if b == LastYear {
		return yearBefore(from), yearBefore(to)
	}
	return from.AddDays(-habitDays), from
}

// yearBefore is the same date a year earlier; of 29 February it is 1 March.
func yearBefore(d civil.Date) civil.Date {
	d.Year--
	return d.AddDays(0)
}

// Since is the first day that must be asked for, so that [from, to) can be compared
// on every basis.
func Since(from civil.Date) civil.Date { return yearBefore(from) }

// sameHome reports whether all days of both periods were lived in one dwelling.
func (s Series) sameHome(c Comparison) bool {
	if s.known == nil {
		return false
	}
	for _, stay := range s.known.stays {
		covers := func(from, to civil.Date) bool { return !from.Before(stay.From) && !stay.To.Before(to) }
		if covers(c.From, c.To) && covers(c.WithFrom, c.WithTo) {
			return true
		}
	}
	return false
}

func daysBetween(from, to civil.Date) int {
	return int(to.Start(time.UTC).Sub(from.Start(time.UTC)) / (24 * time.Hour))
}

// Week returns the days from the Monday of the date's week to the next.
func Week(d civil.Date) (from, to civil.Date) {
	since := (int(d.Start(time.UTC).Weekday()) + 6) % 7
	return d.AddDays(-since), d.AddDays(7 - since)
}

// Year returns the days of a year.
func Year(year int) (from, to civil.Date) {
	return civil.Date{Year: year, Month: time.January, Day: 1}, civil.Date{Year: year + 1, Month: time.January, Day: 1}
}

// PerPersonDay is what each of so many people used a day, over the time that
// readings span; false where nothing is known or nobody was declared.
func PerPersonDay(why metering.Explanation, days, people int) (metering.Amount, bool) {
	return spread(why, float64(days)*float64(people))
}

// PerSquareMetre is what was used for each square metre over all of the days, as
// if those that are not known were like the others; false where nothing is known.
func PerSquareMetre(why metering.Explanation, areaM2 float64) (metering.Amount, bool) {
	return spread(why, areaM2)
}

func spread(why metering.Explanation, over float64) (metering.Amount, bool) {
	known := why.Coverage * over
	if why.Quality == metering.Missing || known <= 0 {
		return 0, false
	}
	return metering.Amount(math.Round(float64(why.Used) / known)), true
}
