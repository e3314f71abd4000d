package computers

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// legalDays is within how many days of the request a seller must have repaired or
// replaced (code de la consommation, L.217-10).
const legalDays = 30

// Clocks are the two deadlines of a repair. Nothing pauses the law's; that of the
// convention with the workshop counts working days, Monday to Friday without the
// public holidays of France, and rests while parts or the tenant are waited for.
type Clocks struct {
	LegalDue  civil.Date // last day to give the machine back
	LegalLeft int        // days from today to it, negative once it is over; what it was once it is given back
	LegalDone bool       // given back
	// TargetUsed are the working days that counted so far, TargetLeft those that
	// are left, negative once it is over.
	TargetUsed, TargetLeft int
	Paused                 bool // the target rests now
	TargetDone             bool // repaired, replaced or refused
}

// clocksOf works out the clocks on a day from the steps of a repair.
func clocksOf(opened civil.Date, targetDays int, steps []TicketStep, today civil.Date) Clocks {
	c := Clocks{LegalDue: opened.AddDays(legalDays)}
	last, targetEnd := today, today
	for _, s := range steps {
		switch s.State {
		case TicketRepaired, TicketRefused:
			c.TargetDone, targetEnd = true, s.On
		case TicketReplaced: // the household has another one from that day on
			c.TargetDone, targetEnd = true, s.On
			c.LegalDone, last = true, s.On
		case TicketGivenBack:
			c.LegalDone, last = true, s.On
		case TicketParts, TicketTenant:
			c.Paused = true
		case TicketDiagnosed:
			c.Paused = false
		}
	}
	c.Paused = c.Paused && !c.TargetDone
	c.LegalLeft = daysBetween(last, c.LegalDue)
	for day := opened.AddDays(1); !targetEnd.Before(day); day = day.AddDays(1) {
		if workingDay(day) && !pausedOn(steps, day) {
			c.TargetUsed++
		}
	}
	c.TargetLeft = targetDays - c.TargetUsed
	return c
}

// pausedOn reports whether the repair waited for parts or the tenant when the day
// began: the day on which it is taken up again still rests, the day on which it
// comes to rest counts.
func pausedOn(steps []TicketStep, day civil.Date) bool {
	paused := false
	for _, s := range steps {
		if !s.On.Before(day) {
			break
		}
		paused = s.State == TicketParts || s.State == TicketTenant
	}
	return paused
}

// daysBetween counts the days from one date to another, negative where it comes
// before.
func daysBetween(from, to civil.Date) int {
	return int(to.Start(time.UTC).Sub(from.Start(time.UTC)) / (24 * time.Hour))
}

func workingDay(d civil.Date) bool {
	switch d.Start(time.UTC).Weekday() {
	case time.Saturday, time.Sunday:
		return false
	}
	return !publicHoliday(d)
}

// publicHoliday reports whether the day is one of the eleven of France (code du
// travail, L.3133-1).
func publicHoliday(d civil.Date) bool {
	switch [2]int{int(d.Month), d.Day} {
	case [2]int{1, 1}, [2]int{5, 1}, [2]int{5, 8}, [2]int{7, 14}, [2]int{8, 15}, [2]int{11, 1}, [2]int{11, 11}, [2]int{12, 25}:
		return true
	}
	easter := easterSunday(d.Year)
	return d == easter.AddDays(1) || d == easter.AddDays(39) || d == easter.AddDays(50)
}

// easterSunday follows Gauss's rule for the Gregorian calendar with the century's
// corrections: the Sunday after the full moon on or after 21 March.
func easterSunday(year int) civil.Date {
	century := year / 100
	golden := year % 19
	moon := (19*golden + century - century/4 - (century-(century+8)/25+1)/3 + 15) % 30
	week := (32 + 2*(century%4) + 2*(year%100/4) - moon - year%4) % 7
	late := (golden + 11*moon + 22*week) / 451
	days := moon + week - 7*late + 114
	return civil.Date{Year: year, Month: time.Month(days / 31), Day: days%31 + 1}
}
