package programme

import (
	"cmp"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Matter is why something stands in the advisor's queue.
type Matter string

// The matters.
const (
	Leak     Matter = "leak"       // water runs that nobody uses
	Cold     Matter = "cold"       // a cold flat whose household agreed to advice
	Repair   Matter = "repair"     // a computer that is not back in time
	Untaught Matter = "training"   // a buyer who owes a training and has no place, or asked for another date
	Arrival  Matter = "arrival"    // a household that moved in
	Renewal  Matter = "consent"    // a consent that runs out
	Dial     Matter = "dial"       // a second dial reading is due
	FollowUp Matter = "follow_up"  // a month after the training: how does it go?
	NoteDue  Matter = "note"       // what the advisor noted to come back to
	Expiry   Matter = "convention" // a convention that ends
)

// Matters lists the matters, the most pressing first.
var Matters = []Matter{Leak, Cold, Repair, NoteDue, Untaught, Arrival, Dial, Renewal, FollowUp, Expiry}

// A Reason is one matter of a line.
type Reason struct {
	Matter  Matter
	Subject string     // id of the case, ticket, duty, tenancy, consent, meter, way, note or convention
	Since   civil.Date // from when on it waits for somebody
	Limit   civil.Date // day by which somebody is to see to it
	Urgent  bool       // leaks, cold flats, and repairs that near the law's limit
}

// A Line of the queue is what one call or visit settles: all matters of one
// household, or one matter of none.
type Line struct {
	ID        string               // names its first reason, as in "leak.0192…"
	Household premises.HouseholdID // empty for a flat where nobody lives, and for a convention
	Names     []string             // of its members; the advisor's list shows names and doors, and no contact
	Door      premises.Dwelling    // zero where it has no flat here any more, and for a convention
	Title     string               // of a convention
	Reasons   []Reason             // the most pressing first
	Since     civil.Date           // the earliest of its reasons
	Limit     civil.Date           // the nearest of its reasons
	Urgent    bool                 // one of its reasons is
}

// Bounds of a week's list of one residence. A list of a week fills one page and
// half a day: some of its places are kept for what is urgent and comes later.
const (
	MostLines   = 12
	keptUrgent  = 2
	repairsLate = 21 // days after which a repair is urgent: nine are left until the law's limit
)

// A tally is what was closed this week.
type tally struct{ urgent, plain int }

// choose returns the lines of this week, of all that wait in order: urgent ones as
// long as there is a place, others in the places that are not kept.
func (t tally) choose(all []Line) []Line {
	var chosen []Line
	room := MostLines - t.urgent - t.plain
	plain := MostLines - keptUrgent - t.plain
	for _, l := range all {
		if len(chosen) >= room || !l.Urgent && plain <= 0 {
			continue
		}
		if !l.Urgent {
			plain--
		}
		chosen = append(chosen, l)
	}
	return chosen
}

// A waiting is a matter with whom it is about.
type waiting struct {
	Reason
	household premises.HouseholdID
	dwelling  premises.DwellingID // where nobody lives there, and the matter is about the flat
	title     string
}

// lines joins what waits to lines, in the order in which they are to be seen to:
// what is urgent first, then whose limit is nearest, then what presses more, then
// what waits for longest. A limit comes nearer with each day, so that nothing waits
// behind newer things for ever.
func lines(all []waiting) []Line {
	slices.SortFunc(all, func(a, b waiting) int { return byPress(a.Reason, b.Reason) })
	index := map[string]int{}
	var made []Line
	for _, w := range all {
		key := "household " + string(w.household)
		if w.household == "" {
			key = string(w.Matter) + "." + w.Subject
		}
		i, known := index[key]
		if !known {
			i = len(made)
			index[key] = i
			made = append(made, Line{ID: string(w.Matter) + "." + w.Subject, Household: w.household, Title: w.title, Since: w.Since,
				Limit: w.Limit, Urgent: w.Urgent, Door: premises.Dwelling{ID: w.dwelling}})
		}
		l := &made[i]
		l.Reasons = append(l.Reasons, w.Reason)
		if w.Since.Before(l.Since) {
			l.Since = w.Since
		}
		if w.Limit.Before(l.Limit) {
			l.Limit = w.Limit
		}
	}
	return made
}

func byPress(a, b Reason) int {
	urgent := func(r Reason) int {
		if r.Urgent {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(urgent(a), urgent(b)), strings.Compare(a.Limit.String(), b.Limit.String()),
		cmp.Compare(slices.Index(Matters, a.Matter), slices.Index(Matters, b.Matter)),
		strings.Compare(a.Since.String(), b.Since.String()), strings.Compare(a.Subject, b.Subject))
}

// An Outcome is what the advisor did about a line.
type Outcome string

// The outcomes.
const (
	Called     Outcome = "called"
	Visited    Outcome = "visited"
	Written    Outcome = "written"
	Settled    Outcome = "settled"
	NotReached Outcome = "not_reached"
	NotNeeded  Outcome = "not_needed"
)

// Outcomes lists the outcomes.
var Outcomes = []Outcome{Called, Visited, Written, Settled, NotReached, NotNeeded}

// mostAgainDays is how far ahead a line may be put off.
const mostAgainDays = 180

// again is the day on which a matter comes back where its cause still stands; zero
// for never. What was done about a cause that goes on is looked at again: nothing is
// lost by closing its line.
func (m Matter) again(o Outcome, today civil.Date) civil.Date {
	switch {
	case o == NotReached:
		return today.AddDays(7)
	case m == Arrival, m == NoteDue:
		return civil.Date{}
	case o == NotNeeded && m == FollowUp:
		return civil.Date{}
	case o == NotNeeded:
		return today.AddDays(60)
	case m == Renewal, m == Expiry:
		return today.AddDays(30)
	case m == Untaught:
		return today.AddDays(21)
	}
	return today.AddDays(14)
}

// monday is the first day of the week of a day.
func monday(d civil.Date) civil.Date {
	return d.AddDays(-((weekday(d) + 6) % 7))
}
