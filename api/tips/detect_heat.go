package tips

import (
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// warmRoom finds a living room that is warm on the mean of cold days.
func warmRoom(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	rooms := h.rooms(n)
	var sum float64
	for _, r := range rooms {
		degrees, known := h.DegreeDays[r.Date]
		if !known || degrees < with["min_degrees"] {
			return Finding{}, false
		}
		sum += float64(r.Mean) / 1000
	}
	if len(rooms) < n || sum/float64(n) <= with["above_c"] {
		return Finding{}, false
	}
	return found(h.Today.AddDays(-n), h.Today, n, numbers{"room_c": sum / float64(n)}, k)
}

// coldRoom finds a living room that was too cold on each of the last days.
func coldRoom(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	rooms := h.rooms(n)
	if len(rooms) < n {
		return Finding{}, false
	}
	warmest := 0.0
	for _, r := range rooms {
		warmest = max(warmest, float64(r.Mean)/1000)
	}
	if warmest >= with["below_c"] {
		return Finding{}, false
	}
	return found(h.Today.AddDays(-n), h.Today, n, numbers{"room_c": warmest}, k)
}

// heatWhenMild sums what the heat meter counted on days without a degree-day.
func heatWhenMild(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	days := h.last(k, n)
	count, wh := 0, 0.0
	for _, d := range days {
		degrees, known := h.DegreeDays[d.Date]
		if known && degrees == 0 && float64(d.Used) >= with["min_wh"] {
			count, wh = count+1, wh+float64(d.Used)
		}
	}
	if !enough(len(days), n) || float64(count) < with["min_days"] {
		return Finding{}, false
	}
	return found(h.Today.AddDays(-n), h.Today, len(days), numbers{"days": float64(count), "kwh": wh / 1000}, k)
}

// perDegree is the heat and the degree-days of the cold days of [from, to) on
// which somebody was at home.
func (h Home) perDegree(k metering.Kind, from, to civil.Date) (wh, degrees float64, days int) {
	for _, d := range h.days(k, from, to) {
		if cold, known := h.DegreeDays[d.Date]; known && cold >= 1 && !h.away(d.Date) {
			wh, degrees, days = wh+float64(d.Used), degrees+cold, days+1
		}
	}
	return wh, degrees, days
}

// heatAboveHabit finds heat a degree-day well above that of the same home
// before. The excess is what these days used more than the habit would have.
func heatAboveHabit(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	from := h.Today.AddDays(-n)
	now, cold, days := h.perDegree(k, from, h.Today)
	past, pastCold, pastDays := h.perDegree(k, from.AddDays(-int(with["base_days"])), from)
	if !enough(days, n) || pastDays < n || cold < with["min_degrees"] || pastCold < with["min_degrees"] || past <= 0 {
		return Finding{}, false
	}
	habit := past / pastCold * cold
	rise := 100 * (now/habit - 1)
	if rise <= with["rise_percent"] {
		return Finding{}, false
	}
	return found(from, h.Today, days, numbers{"rise_percent": rise, "excess_kwh": (now - habit) / 1000, "kwh": now / 1000}, k)
}

// heatAboveSimilar compares heat by area and degree-day with the upper quarter
// of the similar homes.
func heatAboveSimilar(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	from := h.Today.AddDays(-n)
	band := h.Similar[k]
	wh, degrees, days := h.perDegree(k, from, h.Today)
	if h.AreaM2 <= 0 || !band.known() || !enough(days, n) || degrees < with["min_degrees"] {
		return Finding{}, false
	}
	own := wh / degrees / float64(h.AreaM2)
	if own <= band.Up {
		return Finding{}, false
	}
	return found(from, h.Today, days, numbers{"wh_per_m2_degree": own, "similar_wh_per_m2_degree": band.Median}, k)
}
