package tips

import (
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Trial is what is known of a home that took a tip up, and of similar homes
// that did not, of one kind of meter.
type Trial struct {
	Adopted civil.Date          // the day of "je le fais"; it belongs to neither side
	Own     []consumption.Day   // in order of time
	Others  [][]consumption.Day // a home each, none of which took the tip up
}

// Reasons why it is too early to tell.
const (
	FewWeeks  = "few_weeks"  // fewer than four usual weeks before or since
	FewOthers = "few_others" // fewer than ten other homes with as much
)

// An Outcome is the change of a home since it took a tip up, beyond that of the
// homes that did not.
type Outcome struct {
	// Verdict is Visible, NotVisible or TooEarly. Visible says that the use
	// fell, not why.
	Verdict State
	// Change is relative, −0.08 for 8 % less; [Low, High] holds the truth in 90
	// of 100 homes. All are 0 where it is too early.
	Change, Low, High float64
	WeeksBefore       int // usual weeks that were compared
	WeeksSince        int
	Others            int    // homes that it was compared with
	Reason            string // why it is too early
	// WeeksLooked is the look that it is of, one of [Looks], where somebody notes
	// it; 0 before the first.
	WeeksLooked int
}

const (
	leastWeeks  = 4 // 28 days
	mostBefore  = 12
	leastOthers = 10
	// daysOfWeek of seven must be measured: a week without its Sunday is
	// another week.
	daysOfWeek = 6
	// sure is how much of the chance the interval holds. verySure is wider, for
	// the verdict: a drop is called visible by mistake less than 5 times in 100
	// even where the noise leans to one side.
	sure     = 0.90
	verySure = 0.97
)

// looks are after how many weeks a result is looked for. Who looks every morning
// finds chance's best one; these four keep "visible by mistake, ever" near 5 in
// 100 too, and a family is not told another thing each day.
var looks = []int{4, 8, 13, 26}

// Looks are after how many whole weeks since a tip was taken up [Observe] looks
// for a result, the first first. Between them it tells the last one's.
func Looks() []int { return slices.Clone(looks) }

// Observe compares whole weeks before a tip was taken up with whole weeks since,
// each divided by how the other homes did on the same days: weather, season and
// school holidays move all of them. Weeks, because the days of one have a pattern
// and lean on each other.
//
// How far the result may err is measured, not assumed. The same reckoning is done
// for each of the other homes, in which nothing was taken up, and each of their
// results is an error, told in what the spread of that home's own weeks would
// give if they were independent. Where a week resembles the one before it, habits
// drift or a season moves homes differently, these errors show it. The interval
// is as wide as 90 of 100 of them ask for. Where the home is one like the others
// it therefore holds the truth that often, whatever the noise looks like.
//
// It says "visible" only beyond 97 of 100 of them: a family that is told of a
// success must be able to trust it. The interval may so lie below zero while the
// verdict is not yet "visible".
func Observe(t Trial, today civil.Date) Outcome {
	s := newSpan(t.Adopted, today)
	others := s.crowd(t.Others)
	own := newShift(s.fill(t.Own), others, false)
	var errs []float64
	for _, home := range others.homes {
		if nothing := newShift(home, others, true); nothing.enough() {
			errs = append(errs, math.Abs(nothing.moved/nothing.spread))
		}
	}
	o := Outcome{Verdict: TooEarly, WeeksBefore: own.before, WeeksSince: own.since, Others: len(errs)}
	switch {
	case s.weeksSince() < leastWeeks:
		o.WeeksSince, o.Reason = s.weeksSince(), FewWeeks
	case len(errs) < leastOthers:
		o.Reason = FewOthers
	case !own.enough():
		o.Reason = FewWeeks
	default:
		slices.Sort(errs)
		o.judge(own, errs)
	}
	return o
}

// judge fills the change and the verdict in, from the other homes' errors in
// order.
func (o *Outcome) judge(own shift, errs []float64) {
	freedom := float64(own.before + own.since - 2)
	reach := own.spread * farthest(errs, sure, freedom)
	o.Change = math.Expm1(own.moved)
	o.Low, o.High = math.Expm1(own.moved-reach), math.Expm1(own.moved+reach)
	o.Verdict = NotVisible
	if own.moved+own.spread*farthest(errs, verySure, freedom) < 0 {
		o.Verdict = Visible
	}
}

// farthest is how far the next home errs with a chance of p, when it is one like
// those whose errors, at least nine in order, are known: of n+1 homes that are
// alike each is as likely to err most. Beyond the chance n÷(n+1), of which n
// homes know nothing, it goes on as Student's distribution does.
func farthest(errs []float64, p, freedom float64) float64 {
	n := len(errs)
	if most := float64(n) / float64(n+1); p >= most {
		return errs[n-1] * student((1+p)/2, freedom) / student((1+most)/2, freedom)
	}
	rank := p*float64(n+1) - 1
	i := int(rank)
	part := rank - float64(i)
	return math.Pow(errs[i], 1-part) * math.Pow(errs[i+1], part) // a straight line would lie too high in the tail
}

// student is the quantile of Student's distribution at p, above a half, for six
// degrees of freedom or more: the expansion about the normal quantile, right to
// 1 in 1,000 there (Abramowitz and Stegun, 26.7.5).
func student(p, freedom float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*p-1)
	zz := z * z
	return z * (1 + (zz+1)/(4*freedom) + (zz*(5*zz+16)+3)/(96*freedom*freedom) +
		(zz*(zz*(3*zz+19)+17)-15)/(384*freedom*freedom*freedom))
}
