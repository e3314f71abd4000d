package consumption

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// leastWeekdays is of how many weeks a day of the week must be known for a habit
// to be told by days of the week: half of them.
const leastWeekdays = 4

// byWeekday is what the days of a comparison with the habit would have used if each
// had been the mean of the same day of the week before: whoever washes on Sundays
// is not told that a week with two of them is more than usual. It is false for
// another basis, and where a day of the week is known of fewer than four weeks, as
// of meters that are read by month.
func (s Series) byWeekday(c Comparison) (sum float64, ok bool) {
	if c.Basis != Habit {
		return 0, false
	}
	var used [7]float64
	var known [7]int
	for _, d := range s.Days {
		if d.Open || d.Coverage < leastCoverage || d.Date.Before(c.WithFrom) || !d.Date.Before(c.WithTo) {
			continue
		}
		w := weekday(d.Date)
		used[w] += float64(d.Used)
		known[w]++
	}
	for day := c.From; day.Before(c.To); day = day.AddDays(1) {
		w := weekday(day)
		if known[w] < leastWeekdays {
			return 0, false
		}
		sum += used[w] / float64(known[w])
	}
	return sum, sum > 0
}

func weekday(d civil.Date) time.Weekday { return d.Start(time.UTC).Weekday() }

// formula writes how the expected amount came of what was used then, as in
// "410.000 kWh x 31/31 days x 402.5/371.0 degree-days = 444.811 kWh". Degree-days
// stand for the days, which are then left out.
func (c Comparison) formula(days, daysThen int) string {
	var b strings.Builder
	then := *c.Then
	switch {
	case c.Weekdays:
		fmt.Fprintf(&b, "mean of the same days of the week of %d days", daysThen)
	default:
		b.WriteString(inUnit(then.Kind, then.Used))
	}
	if share := c.Why.Coverage / then.Coverage; !c.Weekdays && share != 1 {
		fmt.Fprintf(&b, " x %.3f/%.3f known", c.Why.Coverage, then.Coverage)
	}
	switch {
	case c.Corrected:
		fmt.Fprintf(&b, " x %.1f/%.1f degree-days", c.DegreeDays, c.WithDegreeDays)
	case !c.Weekdays:
		fmt.Fprintf(&b, " x %d/%d days", days, daysThen)
	}
	if c.Corrected && c.Weekdays {
		fmt.Fprintf(&b, " x %d/%d days", daysThen, days)
	}
	return b.String() + " = " + inUnit(then.Kind, c.Expected)
}

// inUnit writes an amount in kWh or m³ with all of its digits.
func inUnit(k metering.Kind, used metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return fmt.Sprintf("%.3f kWh", float64(used)/1e3)
	}
	return fmt.Sprintf("%.6f m3", float64(used)/1e6)
}

// Against compares the days [from, to) of a home's series with those of the basis,
// as every page, note and answer does: whole known days of one dwelling, heat
// brought to as cold days wherever the outdoor temperatures of both periods are
// known ([Comparison.Corrected] says whether it was). Why and Then of the answer
// explain both figures, Formula the expected one. The home must have been asked for
// from [Since] of from on, by [Reader.Lived] or [Reader.Between]; today is the
// home's. The error is one of the database.
func (n *Neighbourhood) Against(ctx context.Context, home Home, s Series, b Basis, from, to civil.Date) (Comparison, error) {
	var weather Weather
	if s.Kind == metering.Heat {
		var err error
		residence := home.Stays[len(home.Stays)-1].Dwelling.Residence
		first, _ := with(b, from, to)
		if weather, err = n.Weather(ctx, residence, first, to); err != nil {
			return Comparison{}, err
		}
	}
	return s.Compared(b, from, to, home.Today, weather), nil
}
