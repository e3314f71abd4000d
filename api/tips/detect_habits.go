package tips

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// largeDraws counts draws the size of a bath: runs of water of at most half an
// hour, cold and hot together. Two showers in a row look the same, so that the
// catalogue asks for the bath-tub too.
func largeDraws(h Home, _ metering.Kind, with numbers) (Finding, bool) {
	weeks := int(with["weeks"])
	from := h.Today.AddDays(-7 * weeks)
	byStart := map[time.Time]metering.Amount{}
	var order []metering.IntervalConsumption
	kinds := h.waterKinds()
	for i, k := range kinds {
		curve := h.curve(k, from, h.Today)
		if !gapless(curve, h.Today.Start(h.Zone).Sub(from.Start(h.Zone))*9/10) {
			return Finding{}, false
		}
		if i == 0 {
			order = curve
		}
		for _, c := range curve {
			byStart[c.Start] += c.Used
		}
	}
	count := baths(order, byStart, with["min_l"]*mlPerL, with["max_l"]*mlPerL)
	perWeek := float64(count) / float64(max(1, weeks))
	if len(kinds) == 0 || perWeek < with["min_per_week"] {
		return Finding{}, false
	}
	return found(from, h.Today, 7*weeks, numbers{"per_week": perWeek, "per_year": 52 * perWeek}, kinds...)
}

// baths counts runs of intervals with more than 10 L, of at most half an hour,
// whose water in [least, most] all came within two of them.
func baths(order []metering.IntervalConsumption, used map[time.Time]metering.Amount, least, most float64) int {
	const trickle = 10 * mlPerL // hands are washed while the tub fills
	count := 0
	var run, fastest, last metering.Amount
	var length time.Duration
	for i, c := range order {
		u := used[c.Start]
		if u > trickle {
			run, fastest, length = run+u, max(fastest, last+u), length+c.End.Sub(c.Start)
			last = u
		}
		if u <= trickle || i == len(order)-1 {
			if float64(fastest) >= least && float64(run) <= most && length <= 30*time.Minute {
				count++
			}
			run, fastest, length, last = 0, 0, 0, 0
		}
	}
	return count
}

// perPerson is the home's water in litres a person and day over the last n
// days, with how many days were known and the meters that tell it.
func (h Home) perPerson(n int) (litres float64, known int, kinds []metering.Kind, ok bool) {
	kinds = h.waterKinds()
	if h.Occupants <= 0 || len(kinds) == 0 {
		return 0, 0, nil, false
	}
	known = n
	for _, k := range kinds {
		days := h.last(k, n)
		if !enough(len(days), n) {
			return 0, 0, nil, false
		}
		known = min(known, len(days))
		litres += mean(days) / mlPerL / float64(h.Occupants)
	}
	return litres, known, kinds, true
}

func waterAboveSimilar(h Home, _ metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	litres, known, kinds, ok := h.perPerson(n)
	if !ok || !h.SimilarWater.known() || litres <= h.SimilarWater.Up/mlPerL {
		return Finding{}, false
	}
	return found(h.Today.AddDays(-n), h.Today, known, numbers{"l_per_person_day": litres,
		"similar_l_per_person_day": h.SimilarWater.Median / mlPerL, "people": float64(h.Occupants),
		"people_days_per_year": float64(h.Occupants) * daysOfYear}, kinds...)
}

// waterBelowSimilar praises. Who uses next to nothing is not praised, and nor is
// a home where water never stops.
func waterBelowSimilar(h Home, _ metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	litres, known, kinds, ok := h.perPerson(n)
	if !ok || !h.SimilarWater.known() || litres > h.SimilarWater.Quarter/mlPerL || litres < with["floor_l_per_person_day"] {
		return Finding{}, false
	}
	for _, k := range kinds {
		m := h.Meters[k]
		for _, date := range lastNights(h.Today, 2) {
			if flow, ok := h.quietest(k, m, date, 5*mlPerL); !ok || flow > 0 {
				return Finding{}, false
			}
		}
	}
	return found(h.Today.AddDays(-n), h.Today, known, numbers{"l_per_person_day": litres,
		"similar_l_per_person_day": h.SimilarWater.Median / mlPerL}, kinds...)
}

// nightFlush finds the size of a full flush: draws that stand alone between
// eleven and five o'clock. Its size wants a meter of one litre a step.
func nightFlush(h Home, k metering.Kind, with numbers) (Finding, bool) {
	m, ok := h.meter(k)
	if !ok || m.Pulse > mlPerL || h.Occupants <= 0 {
		return Finding{}, false
	}
	n := int(with["days"])
	from := h.Today.AddDays(-n)
	curve := h.curve(k, from, h.Today)
	if !gapless(curve, h.Today.Start(h.Zone).Sub(from.Start(h.Zone))*9/10) {
		return Finding{}, false
	}
	var sizes []float64
	for i := 1; i < len(curve)-1; i++ {
		hour := curve[i].Start.In(h.Zone).Hour()
		alone := curve[i-1].Used == 0 && curve[i+1].Used == 0
		if litres := float64(curve[i].Used) / mlPerL; alone && (hour >= 23 || hour < 5) && litres >= 3 {
			sizes = append(sizes, litres)
		}
	}
	size := median(sizes)
	if float64(len(sizes)) < with["min_count"] || size < with["min_l"] || size > with["max_l"] {
		return Finding{}, false
	}
	return found(from, h.Today, n, numbers{"flush_l": size, "saved_l": size - with["modern_l"], "count": float64(len(sizes)),
		"per_year": flushesADay * float64(h.Occupants) * daysOfYear}, k)
}

// flushesADay is how often a person flushes at home (ADEME, Nos Gestes Climat,
// data/empreinte/logement, read at f3bdd322).
const flushesADay = 3

func hotShare(h Home, _ metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	cold, hot := h.last(metering.ColdWater, n), h.last(metering.HotWater, n)
	all := mean(cold) + mean(hot)
	if !enough(len(cold), n) || !enough(len(hot), n) || all == 0 {
		return Finding{}, false
	}
	percent := 100 * mean(hot) / all
	if percent <= with["min_percent"] {
		return Finding{}, false
	}
	return found(h.Today.AddDays(-n), h.Today, min(len(cold), len(hot)), numbers{"hot_percent": percent},
		metering.ColdWater, metering.HotWater)
}
