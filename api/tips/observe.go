package tips

import (
	"math"

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
	FewWeeks  = "few_weeks"  // fewer than four weeks before or since
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
	WeeksBefore       int
	WeeksSince        int
	Others            int
	Reason            string // why it is too early
}

const (
	leastWeeks  = 4 // 28 days
	mostBefore  = 12
	mostSince   = 26
	leastOthers = 10
	// daysOfWeek of seven must be measured: a week without its Sunday is
	// another week.
	daysOfWeek = 6
)

// Observe compares whole weeks before a tip was taken up with whole weeks since,
// each divided by how the other homes did in the same week. Weeks, because the
// days of one have a pattern and lean on each other. The interval is Student's
// for two samples with one relative spread.
//
// It says "visible" only where a drop of this size would come by chance once in
// forty times: a family that is told of a success must be able to trust it.
func Observe(t Trial, today civil.Date) Outcome {
	others := steady(t, today)
	own := byDate(t.Own)
	weeks := func(first civil.Date, step, most int) []float64 {
		var ratios []float64
		for n := range most {
			start := first.AddDays(7 * n * step)
			if start.AddDays(7).Before(today.AddDays(1)) {
				if r, ok := weekRatio(own, others, start); ok {
					ratios = append(ratios, r)
				}
			}
		}
		return ratios
	}
	before := weeks(t.Adopted.AddDays(-7), -1, mostBefore)
	since := weeks(t.Adopted.AddDays(1), 1, mostSince)
	o := Outcome{Verdict: TooEarly, WeeksBefore: len(before), WeeksSince: len(since), Others: len(others)}
	switch {
	case len(others) < leastOthers:
		o.Reason = FewOthers
	case len(before) < leastWeeks || len(since) < leastWeeks:
		o.Reason = FewWeeks
	default:
		o.judge(before, since)
	}
	return o
}

// judge fills the change and the verdict in.
func (o *Outcome) judge(before, since []float64) {
	mb, ssb := spread(before)
	ms, sss := spread(since)
	if mb <= 0 || ms <= 0 {
		o.Reason = FewWeeks // nothing was used on one side: nothing can be compared
		return
	}
	freedom := len(before) + len(since) - 2
	relative := (ssb/(mb*mb) + sss/(ms*ms)) / float64(freedom)
	ratio := ms / mb
	err := ratio * math.Sqrt(relative*(1/float64(len(before))+1/float64(len(since))))
	o.Change = ratio - 1
	o.Low, o.High = o.Change-student(t95, freedom)*err, o.Change+student(t95, freedom)*err
	o.Verdict = NotVisible
	if o.Change+student(t975, freedom)*err < 0 {
		o.Verdict = Visible
	}
}

// spread is the mean of xs and the sum of their squared distances from it.
func spread(xs []float64) (mean, squares float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		squares += (x - mean) * (x - mean)
	}
	return mean, squares
}

type homeDays map[civil.Date]float64

func byDate(days []consumption.Day) homeDays {
	known := homeDays{}
	for _, d := range days {
		if whole(d) {
			known[d.Date] = float64(d.Used)
		}
	}
	return known
}

// A fellow is another home with its own usual day, by which it is measured: a
// large family counts as much as a small one.
type fellow struct {
	days  homeDays
	usual float64
}

// steady returns the other homes that are known four weeks before and since.
func steady(t Trial, today civil.Date) []fellow {
	var all []fellow
	from := t.Adopted.AddDays(-7 * mostBefore)
	for _, days := range t.Others {
		f := fellow{days: byDate(days)}
		before, since := 0, 0
		for date, used := range f.days {
			switch {
			case date.Before(from) || !date.Before(today):
			case date.Before(t.Adopted):
				before, f.usual = before+1, f.usual+used
			case t.Adopted.Before(date):
				since++
			}
		}
		if before >= daysOfWeek*leastWeeks && since >= daysOfWeek*leastWeeks && f.usual > 0 {
			f.usual /= float64(before)
			all = append(all, f)
		}
	}
	return all
}

// weekRatio is what the home used in the week from start, in that of the other
// homes in the same days, each in its usual day.
func weekRatio(own homeDays, others []fellow, start civil.Date) (float64, bool) {
	var mine, theirs float64
	known := 0
	for n := range 7 {
		date := start.AddDays(n)
		used, ok := own[date]
		level, common := levelOf(others, date)
		if ok && common {
			mine, theirs, known = mine+used, theirs+level, known+1
		}
	}
	if known < daysOfWeek || theirs <= 0 {
		return 0, false
	}
	return mine / theirs, true
}

// levelOf is how the other homes did on a day, 1 being usual. It wants ten.
func levelOf(others []fellow, date civil.Date) (float64, bool) {
	var sum float64
	n := 0
	for _, f := range others {
		if used, ok := f.days[date]; ok {
			sum, n = sum+used/f.usual, n+1
		}
	}
	if n < leastOthers {
		return 0, false
	}
	return sum / float64(n), true
}

// Quantiles of Student's t for 6 to 36 degrees of freedom.
var (
	t95 = [...]float64{1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725,
		1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697, 1.696, 1.694, 1.692, 1.691, 1.690, 1.688}
	t975 = [...]float64{2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
		2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 2.040, 2.037, 2.035, 2.032, 2.030, 2.028}
)

func student(table [31]float64, freedom int) float64 {
	return table[max(0, min(freedom-6, len(table)-1))]
}
