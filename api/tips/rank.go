package tips

import (
	"cmp"
	"slices"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Proposal is a tip that is due in a home.
type Proposal struct {
	Entry   Entry
	Finding Finding
	Saving  *Saving // nil where there is no honest amount
	// Score is euros × confidence × ease, 0 where there are no euros.
	Score float64
}

// A Choice is what a household is shown.
type Choice struct {
	Urgent []Proposal // all of them
	Tips   []Proposal // at most three: comfort, praise and advice
	Rights []Proposal // a line of their own, beside the tips
}

const (
	mostTips = 3
	// coolDown is how many days a tip rests that ended without an answer.
	coolDown = 30
	// doneRests is how many days a tip rests that the household does already,
	// or that was followed to its end.
	doneRests = 365
)

// Find returns every tip that is due in the home, in the catalogue's order. Its
// only errors are faults of the prices, see [Catalogue.Saving].
func (c *Catalogue) Find(h Home, prices Prices) ([]Proposal, error) {
	var due []Proposal
	for _, e := range c.Entries {
		f, ok := e.Detect(h)
		if !ok {
			continue
		}
		p := Proposal{Entry: e, Finding: f}
		s, known, err := c.Saving(e, h, f, prices)
		if err != nil {
			return nil, err
		}
		if known {
			p.Saving = &s
			p.Score = float64(s.Cents()) / 100 * e.Grade.Confidence() * f.Coverage * e.Ease.Weight()
		}
		due = append(due, p)
	}
	return due, nil
}

// Choose picks what the household is shown on a day from what is due. The history
// is the newest instance of each tip. Urgent tips bypass the limit, the rest and
// even a "pas chez moi": water that runs away is never somebody's habit. Comfort
// comes first and silences advice on heating; praise silences advice on the same
// use, and leaks silence praise.
func Choose(due []Proposal, history []Instance, today civil.Date) Choice {
	var chosen Choice
	var rest []Proposal
	for _, p := range due {
		switch {
		case p.Entry.Role == Urgent:
			chosen.Urgent = append(chosen.Urgent, p)
		case silenced(p, due) || resting(p.Entry.ID, history, today):
		case p.Entry.Role == Right:
			chosen.Rights = append(chosen.Rights, p)
		default:
			rest = append(rest, p)
		}
	}
	slices.SortStableFunc(rest, byRank)
	chosen.Tips = rest
	if len(rest) > mostTips {
		chosen.Tips = rest[:mostTips:mostTips]
	}
	return chosen
}

// byRank puts comfort before praise before advice; among advice that with
// euros by score, then the easiest and best founded.
func byRank(a, b Proposal) int {
	return cmp.Or(
		cmp.Compare(slices.Index(Roles, a.Entry.Role), slices.Index(Roles, b.Entry.Role)),
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(b.Entry.Ease.Weight(), a.Entry.Ease.Weight()),
		cmp.Compare(b.Entry.Grade.Confidence(), a.Entry.Grade.Confidence()),
		cmp.Compare(a.Entry.ID, b.Entry.ID))
}

// heating is the use that comfort silences, water what praise is for.
const (
	heating UseID = "heating"
	water   UseID = "water"
)

// waterUses are the uses of which a careful home hears nothing.
var waterUses = []UseID{water, "bathing", "toilet"}

func silenced(p Proposal, due []Proposal) bool {
	for _, other := range due {
		o := other.Entry
		switch {
		case o.Role == Comfort && p.Entry.Use == heating && p.Entry.Role == Advice,
			o.Role == Praise && p.Entry.Role == Advice && slices.Contains(waterUses, p.Entry.Use),
			o.Use == leaks && p.Entry.Role == Praise:
			return true
		case o.Use == leaks && p.Entry.Use == leaks && stronger(other, p):
			return true
		}
	}
	return false
}

// stronger reports whether another tip is the urgent one of the same leak, so
// that a family is not told of one leak twice.
func stronger(other, p Proposal) bool {
	return other.Entry.Role == Urgent && p.Entry.Role != Urgent && other.Entry.Trigger.Kind == p.Entry.Trigger.Kind
}

// resting reports whether a tip must not be proposed anew on a day.
func resting(id ID, history []Instance, today civil.Date) bool {
	return slices.ContainsFunc(history, func(i Instance) bool { return i.Tip == id && i.rests(today) })
}

// rests reports whether the instance keeps its tip away on a day: one that was
// taken up is shown where it stands, one refused never comes again.
func (i Instance) rests(today civil.Date) bool {
	switch i.state() {
	case NotForMe, Committed, Observing, Visible, NotVisible, TooEarly:
		return true
	case DoneAlready:
		return today.Before(i.Since.AddDays(doneRests))
	case Archived:
		days := coolDown
		if !i.Committed.IsZero() { // it was followed to its end
			days = doneRests
		}
		return today.Before(i.Since.AddDays(days))
	default:
		return false
	}
}
