// Package civil knows dates and months of the civil calendar, and the instants
// at which they begin and end in a zone: days of 23 and 25 hours included.
package civil

import (
	"fmt"
	"time"
)

// A Date is a day of the calendar, in no zone. The zero value is not a date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

const dateLayout = "2006-01-02"

// ParseDate reads a date written YYYY-MM-DD. A date that does not exist, such
// as 2026-02-30, is an error.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		return Date{}, fmt.Errorf("date %q: want an existing day written YYYY-MM-DD", text)
	}
	return DateOf(t), nil
}

// DateOf returns the date that t shows in t's own location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

// DateIn returns the date of the instant at in zone.
func DateIn(at time.Time, zone *time.Location) Date { return DateOf(at.In(zone)) }

// String writes the date YYYY-MM-DD.
func (d Date) String() string { return d.at(time.UTC).Format(dateLayout) }

// MarshalText writes the date YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a date; see [ParseDate].
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// IsZero reports whether d is the zero value.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays returns the date n days later, or earlier where n is negative.
func (d Date) AddDays(n int) Date {
	d.Day += n
	return DateOf(d.at(time.UTC))
}

// Before reports whether d comes before other.
func (d Date) Before(other Date) bool { return d.at(time.UTC).Before(other.at(time.UTC)) }

// MonthOf returns the month of the date.
func (d Date) MonthOf() Month { return Month{Year: d.Year, Month: d.Month} }

// Start returns the first instant of the date in zone: the first midnight where
// the clocks show it twice, and the end of the jump where they jump over it. A
// date that a zone leaves out, as Samoa did 2011-12-30, starts where the next
// one does.
func (d Date) Start(zone *time.Location) time.Time {
	t := d.at(zone)
	from, to := t.ZoneBounds()
	if shown := DateOf(t); shown != d {
		if shown.Before(d) {
			return to
		}
		return from
	}
	if t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0 {
		return from
	}
	if from.IsZero() {
		return t
	}
	// time.Date does not say which of two midnights it returns.
	_, offset := t.Zone()
	_, before := from.Add(-time.Nanosecond).Zone()
	if first := t.Add(-time.Duration(before-offset) * time.Second); before > offset && first.Before(from) {
		return first
	}
	return t
}

// Bounds returns [start, end) of the date in zone: mostly 24 hours, 23 or 25
// where the clocks change.
func (d Date) Bounds(zone *time.Location) (start, end time.Time) {
	return d.Start(zone), d.AddDays(1).Start(zone)
}

func (d Date) at(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// A Month is a month of the calendar, in no zone. The zero value is not a
// month.
type Month struct {
	Year  int
	Month time.Month
}

const monthLayout = "2006-01"

// ParseMonth reads a month written YYYY-MM.
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse(monthLayout, text)
	if err != nil {
		return Month{}, fmt.Errorf("month %q: want an existing month written YYYY-MM", text)
	}
	return DateOf(t).MonthOf(), nil
}

// String writes the month YYYY-MM.
func (m Month) String() string { return m.First().at(time.UTC).Format(monthLayout) }

// MarshalText writes the month YYYY-MM.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a month; see [ParseMonth].
func (m *Month) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMonth(string(text))
	return err
}

// First returns the first date of the month.
func (m Month) First() Date { return Date{Year: m.Year, Month: m.Month, Day: 1} }

// Next returns the month after m.
func (m Month) Next() Month { return Month{Year: m.Year, Month: m.Month + 1}.First().normal() }

// Prev returns the month before m.
func (m Month) Prev() Month { return Month{Year: m.Year, Month: m.Month - 1}.First().normal() }

// Days returns how many days the month has.
func (m Month) Days() int { return m.Next().First().AddDays(-1).Day }

// Bounds returns [start, end) of the month in zone.
func (m Month) Bounds(zone *time.Location) (start, end time.Time) {
	return m.First().Start(zone), m.Next().First().Start(zone)
}

func (d Date) normal() Month { return DateOf(d.at(time.UTC)).MonthOf() }
