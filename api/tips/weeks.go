package tips

import (
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A span is the days around the day on which a tip was taken up, by number: the
// weeks before, that day, the weeks since.
type span struct {
	first int64 // day number
	days  int
}

const dayAdopted = 7 * mostBefore // the place of the day of "je le fais"

// newSpan ends with the last look at today; before the first with the last whole
// week.
func newSpan(adopted, today civil.Date) span {
	first := dayNumber(adopted) - dayAdopted
	days := dayNumber(today) - first // nothing of today is looked at
	since := max(0, days-dayAdopted-1) / 7
	for _, look := range slices.Backward(looks) {
		if since >= int64(look) {
			since = int64(look)
			break
		}
	}
	return span{first: first, days: int(max(0, min(days, dayAdopted+1+7*since)))}
}

func (s span) weeksSince() int { return max(0, s.days-dayAdopted-1) / 7 }

// dayNumber counts civil days; of two days only the difference means something.
// It counts from March, so that the leap day ends its year, and by hand: a result
// asks for it ten thousand times.
func dayNumber(d civil.Date) int64 {
	year, month := int64(d.Year), int64(d.Month)
	if month < 3 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + int64(d.Day)
}

// A homeDays is the use of one home by day of the span, NaN where it is unknown.
type homeDays []float64

func (s span) fill(days []consumption.Day) homeDays {
	known := make(homeDays, s.days)
	for i := range known {
		known[i] = math.NaN()
	}
	for _, d := range days {
		if n := dayNumber(d.Date) - s.first; n >= 0 && n < int64(s.days) && whole(d) {
			known[n] = float64(d.Used)
		}
	}
	return known
}

// A crowd is the other homes, each in its own usual day: a large family counts as
// much as a small one. sum and known are over the homes, by day.
type crowd struct {
	homes []homeDays
	sum   []float64
	known []int
}

func (s span) crowd(others [][]consumption.Day) crowd {
	c := crowd{sum: make([]float64, s.days), known: make([]int, s.days)}
	for _, days := range others {
		home := s.fill(days)
		if !home.inUsualDays() {
			continue
		}
		c.homes = append(c.homes, home)
		for i, used := range home {
			if !math.IsNaN(used) {
				c.sum[i], c.known[i] = c.sum[i]+used, c.known[i]+1
			}
		}
	}
	return c
}

// inUsualDays divides the days by their mean. It is false where there are fewer
// than four weeks of them on either side, or no use.
func (h homeDays) inUsualDays() bool {
	var sum float64
	before, since := 0, 0
	for i, used := range h {
		switch {
		case math.IsNaN(used):
			continue
		case i < dayAdopted:
			before++
		case i > dayAdopted:
			since++
		}
		sum += used
	}
	if min(before, since) < daysOfWeek*leastWeeks || sum <= 0 {
		return false
	}
	usual := sum / float64(before+since)
	for i := range h {
		h[i] /= usual
	}
	return true
}

// level is how the others did on a day, 1 being usual: without home where it is
// among them, and known there. It wants ten homes.
func (c crowd) level(day int, home homeDays, among bool) (float64, bool) {
	sum, n := c.sum[day], c.known[day]
	if n < leastOthers {
		return 0, false
	}
	if among {
		sum, n = sum-home[day], n-1
	}
	return sum / float64(n), true
}

// week is the logarithm of what a home used in the week from a day on, in what
// the others used on the same days; false where too few days are known, or
// nothing was used.
func (c crowd) week(home homeDays, from int, among bool) (float64, bool) {
	var mine, theirs float64
	known := 0
	for day := from; day < from+7; day++ {
		if math.IsNaN(home[day]) {
			continue
		}
		if level, ok := c.level(day, home, among); ok {
			mine, theirs, known = mine+home[day], theirs+level, known+1
		}
	}
	if known < daysOfWeek || mine <= 0 || theirs <= 0 {
		return 0, false
	}
	return math.Log(mine / theirs), true
}

// weeks are the usual weeks of [from, to).
func (c crowd) weeks(home homeDays, from, to int, among bool) []float64 {
	var found []float64
	for ; from+7 <= min(to, len(home)); from += 7 {
		if w, ok := c.week(home, from, among); ok {
			found = append(found, w)
		}
	}
	return usual(found)
}

// unusual is the factor beyond which a week is set aside: nobody was at home, or
// a house full of guests. No gesture does that, and a side that moved as a whole
// moved its middle too.
const unusual = 2.5

// usual leaves the weeks out that are far from the middle of their side.
func usual(weeks []float64) []float64 {
	middle := median(weeks)
	return slices.DeleteFunc(weeks, func(w float64) bool { return math.Abs(w-middle) > math.Log(unusual) })
}

// A shift is by how much the weeks of a home moved, in logarithms.
type shift struct {
	moved         float64
	spread        float64 // the error that moved has if the weeks are independent; above 0
	before, since int     // usual weeks
}

// newShift compares a home's weeks since with those before; moved and spread are
// 0 where there are not enough.
func newShift(home homeDays, c crowd, among bool) shift {
	before := c.weeks(home, 0, dayAdopted, among)
	since := c.weeks(home, dayAdopted+1, len(home), among)
	s := shift{before: len(before), since: len(since)}
	if !s.enough() {
		return s
	}
	levelBefore, squaresBefore := meanAndSquares(before)
	levelSince, squaresSince := meanAndSquares(since)
	m, n := float64(s.before), float64(s.since)
	s.moved = levelSince - levelBefore
	// A millionth, so that a made-up home without noise divides by nothing.
	s.spread = max(1e-6, math.Sqrt((squaresBefore+squaresSince)/(m+n-2)*(1/m+1/n)))
	return s
}

func (s shift) enough() bool { return min(s.before, s.since) >= leastWeeks }

// meanAndSquares are the mean, and the sum of the squares about it.
func meanAndSquares(xs []float64) (mean, squares float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		squares += (x - mean) * (x - mean)
	}
	return mean, squares
}
