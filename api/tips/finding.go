package tips

import (
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Finding is why a tip is due in a home. It is made of measured days only.
type Finding struct {
	// Figures by name; [FigureUnit] tells their units.
	Figures  map[string]float64
	From, To civil.Date      // [From, To) was looked at
	Kinds    []metering.Kind // the meters that were
	Quality  metering.Quality
	Coverage float64 // share of [From, To) that the figures are made of, 0 to 1
}

// numbers are figures, parameters or inputs by name.
type numbers = map[string]float64

// found makes a finding from days of [from, to) of which n were known.
func found(from, to civil.Date, n int, figures numbers, kinds ...metering.Kind) (Finding, bool) {
	return Finding{Figures: figures, From: from, To: to, Kinds: kinds, Quality: metering.Measured,
		Coverage: min(1, float64(n)/float64(between(from, to)))}, true
}

// between is how many days [from, to) has.
func between(from, to civil.Date) int {
	n := 0
	for from.Before(to) {
		from, n = from.AddDays(1), n+1
	}
	return n
}

// mean is the days' mean use in Wh or mL; 0 for no days.
func mean(days []consumption.Day) float64 {
	if len(days) == 0 {
		return 0
	}
	var sum metering.Amount
	for _, d := range days {
		sum += d.Used
	}
	return float64(sum) / float64(len(days))
}

// median is that of xs, which it leaves as it is; 0 for none.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(xs))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func used(days []consumption.Day) []float64 {
	xs := make([]float64, len(days))
	for i, d := range days {
		xs[i] = float64(d.Used)
	}
	return xs
}

// enough reports whether n of want days are known: nine of ten, as in CalTRACK.
func enough(n, want int) bool { return n > 0 && 10*n >= 9*want }

// slope is the least-squares line through points, its error and its share of the
// variance. ok is false with fewer than three points or no spread in xs.
func slope(xs, ys []float64) (rise, err, share float64, ok bool) {
	n := float64(len(xs))
	if n < 3 {
		return 0, 0, 0, false
	}
	var mx, my float64
	for i := range xs {
		mx, my = mx+xs[i]/n, my+ys[i]/n
	}
	var sxx, sxy, syy float64
	for i := range xs {
		sxx += (xs[i] - mx) * (xs[i] - mx)
		sxy += (xs[i] - mx) * (ys[i] - my)
		syy += (ys[i] - my) * (ys[i] - my)
	}
	if sxx == 0 || syy == 0 {
		return 0, 0, 0, false
	}
	rise = sxy / sxx
	residual := max(0, syy-rise*sxy)
	return rise, math.Sqrt(residual / (n - 2) / sxx), 1 - residual/syy, true
}
