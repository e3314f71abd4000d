package tenant

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A span is how much time a kind's page shows.
type span int

const (
	aDay span = iota + 1
	aWeek
	aMonth
	aYear
)

// spans lists them as the page offers them.
var spans = []span{aDay, aWeek, aMonth, aYear}

// A period is a day, a week from Monday on, a month or a year of the calendar.
type period struct {
	span span
	from civil.Date // its first day
}

var errPeriod = errors.New("want a year, a month as in 2026-03, or a day of a week as in 2026-03-16")

// dayPrefix stands before a day that is meant by itself.
const dayPrefix = "jour-"

// firstYear is older than any reading.
const firstYear = 1970

// parsePeriod reads a period as an address bears it: "2026", "2026-03", any day
// of the week that is meant, or "jour-2026-03-16" for the day by itself.
func parsePeriod(text string) (period, error) {
	if year, err := strconv.Atoi(text); err == nil && len(text) == 4 && year >= firstYear {
		return periodOn(aYear, civil.Date{Year: year, Month: time.January, Day: 1}), nil
	}
	if month, err := civil.ParseMonth(text); err == nil {
		return periodOn(aMonth, month.First()), nil
	}
	if day, err := civil.ParseDate(text); err == nil {
		return periodOn(aWeek, day), nil
	}
	if alone, ok := strings.CutPrefix(text, dayPrefix); ok {
		if day, err := civil.ParseDate(alone); err == nil {
			return periodOn(aDay, day), nil
		}
	}
	return period{}, fmt.Errorf("period %q: %w", text, errPeriod)
}

// periodOn returns the period in which a day lies.
func periodOn(s span, day civil.Date) period {
	switch s {
	case aDay:
		return period{aDay, day}
	case aWeek:
		sinceMonday := (int(day.Start(time.UTC).Weekday()) + 6) % 7
		return period{aWeek, day.AddDays(-sinceMonday)}
	case aMonth:
		return period{aMonth, day.MonthOf().First()}
	default:
		return period{aYear, civil.Date{Year: day.Year, Month: time.January, Day: 1}}
	}
}

// to is the day after its last.
func (p period) to() civil.Date {
	switch p.span {
	case aDay:
		return p.from.AddDays(1)
	case aWeek:
		return p.from.AddDays(7)
	case aMonth:
		return p.from.MonthOf().Next().First()
	default:
		return civil.Date{Year: p.from.Year + 1, Month: time.January, Day: 1}
	}
}

func (p period) next() period { return periodOn(p.span, p.to()) }
func (p period) prev() period { return periodOn(p.span, p.from.AddDays(-1)) }

// weeksOfYear is after how many weeks a year later begins on the same day of the
// week: people live by these.
const weeksOfYear = 52

// yearBefore is what the period is compared with.
func (p period) yearBefore() period {
	if p.span == aWeek {
		return period{aWeek, p.from.AddDays(-7 * weeksOfYear)}
	}
	return period{p.span, civil.Date{Year: p.from.Year - 1, Month: p.from.Month, Day: 1}}
}

// String is the period as [parsePeriod] reads it.
func (p period) String() string {
	switch p.span {
	case aDay:
		return dayPrefix + p.from.String()
	case aWeek:
		return p.from.String()
	case aMonth:
		return p.from.MonthOf().String()
	default:
		return fmt.Sprintf("%04d", p.from.Year)
	}
}

// name says which period it is, as in "semaine du 16 mars 2026".
func (p period) name(l web.Language) string {
	switch p.span {
	case aDay:
		return l.Date(p.from, civil.Date{})
	case aWeek:
		return l.T("period.week", l.DayOfMonth(p.from), strconv.Itoa(p.from.Year))
	case aMonth:
		return l.Month(p.from.MonthOf())
	default:
		return strconv.Itoa(p.from.Year)
	}
}

// neighbour names the period before or after.
func (p period) neighbour(l web.Language, after bool) string {
	switch {
	case p.span == aDay && after:
		return l.T("period.next_day")
	case p.span == aDay:
		return l.T("period.previous_day")
	case p.span == aWeek && after:
		return l.T("period.next_week")
	case p.span == aWeek:
		return l.T("period.previous_week")
	case p.span == aMonth && after:
		return l.T("month.next")
	case p.span == aMonth:
		return l.T("month.previous")
	case after:
		return l.T("period.next_year")
	default:
		return l.T("period.previous_year")
	}
}

func (s span) name(l web.Language) string {
	switch s {
	case aDay:
		return l.T("period.by_day")
	case aWeek:
		return l.T("period.by_week")
	case aMonth:
		return l.T("period.by_month")
	default:
		return l.T("period.by_year")
	}
}
