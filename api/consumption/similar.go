package consumption

import (
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What a group of homes needs before anything of it is told. Ten is the threshold
// of the French decree 2020-196 for published sums of homes; twice as many before
// a quarter is told; and none may use half of all.
const (
	leastHomes      = 10
	homesForQuarter = 20
	largestShare    = 0.5
)

// A Measure is what makes homes of different sizes comparable.
type Measure string

// The measures.
const (
	PerPerson Measure = "person_day"  // a person and day
	PerM2     Measure = "m2_of_month" // a square metre, the month as a whole
)

// MeasureOf is the measure of a kind: heat goes with area, all else with people.
func MeasureOf(k metering.Kind) Measure {
	if k == metering.Heat {
		return PerM2
	}
	return PerPerson
}

// MeasureFor is the measure of a kind for a household of so many: hot water goes with
// area where they are not known (0), as the law's note has it for heat and hot water.
func MeasureFor(k metering.Kind, occupants int) Measure {
	if k == metering.HotWater && occupants <= 0 {
		return PerM2
	}
	return MeasureOf(k)
}

// A Typical is what similar homes used in a month. It is of a group of at least ten
// homes, tells no extreme, and is rounded to two digits, so that two of them do
// not tell a home apart.
type Typical struct {
	Month   civil.Month `json:"month"`
	Measure Measure     `json:"measure"`
	// Homes is how many there are at least, in tens.
	Homes int `json:"homes_at_least"`
	// Used is the median, in the unit of the kind by the measure.
	Used metering.Amount `json:"used"`
	// Quarter is what the quarter that uses least uses at most; 0 in groups of
	// fewer than 20.
	Quarter metering.Amount `json:"quarter,omitempty"`
}

// A HomeUse is what one home of a group used.
type HomeUse struct {
	Occupants int
	Used      float64 // by the measure
}

// band is the size of households among which water and power are compared.
func band(occupants int) int {
	switch {
	case occupants <= 2:
		return occupants
	case occupants <= 4:
		return 3
	default:
		return 5
	}
}

// Circle returns what is typical for a household of so many among the homes of a
// residence. Homes are told apart by the size of the household only where each
// size has enough of them: the groups never overlap, so that the difference of two
// tells nothing of a third. It is false where there are too few homes, where one
// uses half of all, where homes are told apart and none is of that size, and by
// person for a household that declared none.
func Circle(all []HomeUse, m Measure, month civil.Month, occupants int) (Typical, bool) {
	all = slices.DeleteFunc(slices.Clone(all), func(h HomeUse) bool {
		return !(h.Used >= 0) || math.IsInf(h.Used, 0)
	})
	if m != PerPerson {
		return typical(all, m, month)
	}
	if occupants <= 0 {
		return Typical{}, false
	}
	if bands := byBand(all); enoughEach(bands) {
		return typical(bands[band(occupants)], m, month) // an empty one is too few
	}
	return typical(all, m, month)
}

func byBand(all []HomeUse) map[int][]HomeUse {
	bands := map[int][]HomeUse{}
	for _, h := range all {
		bands[band(h.Occupants)] = append(bands[band(h.Occupants)], h)
	}
	return bands
}

func enoughEach(bands map[int][]HomeUse) bool {
	for _, homes := range bands {
		if len(homes) < leastHomes {
			return false
		}
	}
	return len(bands) > 1
}

func typical(group []HomeUse, m Measure, month civil.Month) (Typical, bool) {
	if len(group) < leastHomes {
		return Typical{}, false
	}
	uses := make([]float64, len(group))
	var sum float64
	for i, h := range group {
		uses[i] = h.Used
		sum += h.Used
	}
	slices.Sort(uses)
	if sum <= 0 || uses[len(uses)-1] >= largestShare*sum {
		return Typical{}, false
	}
	t := Typical{Month: month, Measure: m, Homes: len(group) / 10 * 10, Used: twoDigits(at(uses, 0.5))}
	if len(uses) >= homesForQuarter {
		t.Quarter = twoDigits(at(uses, 0.25))
	}
	return t, true
}

// at returns a quantile of sorted figures, between two where it falls there.
func at(sorted []float64, q float64) float64 {
	place := q * float64(len(sorted)-1)
	low := int(place)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (place-float64(low))*(sorted[high]-sorted[low])
}

// twoDigits rounds to two significant digits.
func twoDigits(x float64) metering.Amount {
	if x < 1 {
		return 0
	}
	scale := math.Pow(10, math.Floor(math.Log10(x))-1)
	return metering.Amount(math.Round(x/scale) * scale)
}
