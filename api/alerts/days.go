package alerts

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Days are the first and the last civil day, both included, that a finding tells
// of: those that counted, the earliest it may have begun, and those of the indexes
// that explain it. Both are zero where it does not say what counted.
func (f Finding) Days(zone *time.Location) (first, last civil.Date) {
	if f.Since.Latest.IsZero() || f.Last.IsZero() {
		return civil.Date{}, civil.Date{}
	}
	begin, end := f.Since.Latest, later(f.Since.Latest.Add(1), f.Last)
	for _, p := range f.Why.Parts {
		begin, end = earlier(begin, p.From.At), later(end, p.To.At)
	}
	if !f.Since.Earliest.IsZero() {
		begin = earlier(begin, f.Since.Earliest)
	}
	return civil.DateIn(begin, zone), civil.DateIn(end.Add(-1), zone) // midnight ends a day
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Since cuts the nights before an instant off, as the start of the day on which a
// household moved in: neither what the former one drew nor its habits are
// told of or counted. The nights that it was called on are left as they were.
func (n Nights) Since(start time.Time) Nights {
	cut := make(Nights, len(n))
	for i, days := range n {
		for len(days) > 0 && days[0].Start.Before(start) {
			days = days[1:]
		}
		cut[i] = days
	}
	return cut
}

// Reasons why the store refuses a finding. Test with [errors.Is].
var (
	ErrOutsideStay = errors.New("a day of it is not of the household's stay: judge the days since it moved in alone")
	ErrNoDays      = errors.New("it does not say which days counted: set Since.Latest and Last")
)

// A StayError reports a finding that is not one of a household's stay.
type StayError struct {
	Cause       Cause
	Household   premises.HouseholdID // empty: nobody was to live there
	First, Last civil.Date           // of the finding; zero with [ErrNoDays]
	Err         error                // one of the reasons above
}

// Error names the days, the household and the remedy.
func (e *StayError) Error() string {
	if errors.Is(e.Err, ErrNoDays) {
		return fmt.Sprintf("finding: %v", e.Err)
	}
	return fmt.Sprintf("finding of %s to %s for household %q: %v", e.First, e.Last, e.Household, e.Err)
}

// Unwrap returns the reason.
func (e *StayError) Unwrap() error { return e.Err }

// A stay is of a household in a home, [in, out); a zero date has no end. Without a
// household it is the time between two of them, or all time where nobody lives.
type stay struct {
	household premises.HouseholdID
	in, out   civil.Date
}

func (s stay) covers(first, last civil.Date) bool {
	return !first.Before(s.in) && !s.overOn(last)
}

func (s stay) overOn(date civil.Date) bool { return !s.out.IsZero() && !date.Before(s.out) }

// A home is where a cause lies, with the stays of its dwelling in order; a building
// and a gateway have none.
type home struct {
	zone  *time.Location
	stays []stay
}

// stayOn is the household's stay on a day, or false where it does not live there
// then; without a household it is the time in which nobody does.
func (h home) stayOn(household premises.HouseholdID, date civil.Date) (stay, bool) {
	empty := stay{}
	for _, s := range h.stays {
		switch {
		case s.covers(date, date):
			return s, s.household == household
		case s.overOn(date):
			empty.in = s.out
		case empty.out.IsZero():
			empty.out = s.in
		}
	}
	return empty, household == ""
}

// place finds the stay of a finding and leaves out of it what is before. It fails
// with a [*StayError].
func (h home) place(f Finding, household premises.HouseholdID) (Finding, stay, error) {
	first, last := f.Days(h.zone)
	refusal := &StayError{Cause: f.Cause, Household: household, First: first, Last: last, Err: ErrOutsideStay}
	if last.IsZero() {
		refusal.Err = ErrNoDays
		return f, stay{}, refusal
	}
	s, lives := h.stayOn(household, last)
	if !lives {
		return f, stay{}, refusal
	}
	f = f.after(s.in, h.zone)
	if first, last = f.Days(h.zone); !s.covers(first, last) {
		return f, stay{}, refusal
	}
	return f, s, nil
}

// after leaves out what a finding tells of the time before a stay without which it
// is as true: the earliest begin, and from when on a meter was silent.
func (f Finding) after(in civil.Date, zone *time.Location) Finding {
	if in.IsZero() {
		return f
	}
	start := in.Start(zone)
	if f.Since.Earliest.Before(start) {
		f.Since.Earliest = time.Time{}
	}
	if f.Cause.Subject == Silence {
		f.Since.Latest = later(start, f.Since.Latest)
	}
	return f
}

// stayOf is the stay that a kept case still belongs to, by what is known of moves
// today.
func (h home) stayOf(k Kept) (stay, bool) {
	s, lives := h.stayOn(k.Household, k.Last)
	return s, lives && s.covers(k.First, k.Last)
}

// withDays gives the case the days of its finding beside those it has.
func (k Kept) withDays() Kept {
	first, last := k.Finding.Days(k.Zone)
	if first.IsZero() {
		return k
	}
	if k.First.IsZero() || first.Before(k.First) {
		k.First = first
	}
	if k.Last.Before(last) {
		k.Last = last
	}
	return k
}

// takenBefore reports whether a case has all the days of a finding.
func (k Kept) takenBefore(f Finding) bool { return !f.Last.After(k.Finding.Last) }

// today is the day of an instant where the case is.
func (k Kept) today(now time.Time) civil.Date { return civil.DateIn(now, k.Zone) }
