package tips

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const kwhPerWattYear = 8.76 // 24 h × 365

// base is the median over the nights of [from, to) of the lowest hourly mean
// between two and five o'clock, in W. Nights in which a tank heats all the time
// are left out. known is how many nights there are.
func (h Home) base(from, to civil.Date) (watts float64, known int) {
	const tank = 800 // W: no fridge and no router draws that for three hours
	var nights []float64
	for date := from; date.Before(to); date = date.AddDays(1) {
		if w, ok := h.lowestHour(date); ok && w < tank {
			nights = append(nights, w)
		}
	}
	return median(nights), len(nights)
}

// lowestHour is the lowest mean power of an hour between two and five o'clock.
func (h Home) lowestHour(date civil.Date) (float64, bool) {
	midnight := date.Start(h.Zone)
	at := func(hour int) time.Time {
		return time.Date(date.Year, date.Month, date.Day, hour, 0, 0, 0, h.Zone)
	}
	if at(2).Sub(midnight) != 2*time.Hour || at(5).Sub(at(2)) != 3*time.Hour {
		return 0, false // the clock changes: one night less
	}
	var night []metering.IntervalConsumption
	day := h.curve(metering.Electricity, date, date.AddDays(1))
	for _, c := range day {
		if !c.Start.Before(at(2)) && !c.End.After(at(5)) {
			night = append(night, c)
		}
	}
	lowest, known := smallestDraw(night, time.Hour, 3*time.Hour)
	return lowest, known && lowest <= asleepTimes*lowestOf(day)+asleepW
}

// A home sleeps between two and five where it then draws about as little as ever on
// that day; else somebody who works at night is told that they waste what they use.
const (
	asleepTimes = 1.3
	asleepW     = 40 // a fridge that starts in all of the three hours
)

// lowestOf is the lowest mean power of an hour of a day, as far as it is known.
func lowestOf(day []metering.IntervalConsumption) float64 {
	lowest, _ := smallestDraw(day, time.Hour, 0)
	return lowest
}

func baseFigures(watts float64) numbers {
	return numbers{"watts": watts, "kwh_per_year": watts * kwhPerWattYear}
}

// nightBase finds a night's power above that of three quarters of the similar
// homes, or above the home's own of one to three months ago.
func nightBase(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["nights"])
	from := h.Today.AddDays(-n)
	now, nights := h.base(from, h.Today)
	if 10*nights < 7*n { // nights with guests or a tank may fail; seven of ten must not
		return Finding{}, false
	}
	excess := 0.0
	if h.SimilarBase.known() {
		excess = now - h.SimilarBase.Up
	}
	if past, known := h.base(h.Today.AddDays(-90), h.Today.AddDays(-30)); known >= 2*n && now-past >= with["rise_w"] {
		excess = max(excess, now-past)
	}
	if excess < leastExcess {
		return Finding{}, false
	}
	figures := baseFigures(now)
	figures["excess_w"] = excess
	return found(from, h.Today, nights, figures, k)
}

// leastExcess is 10 W, 17 € a year: less is not worth a search.
const leastExcess = 10

func baseAtLeast(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["nights"])
	from := h.Today.AddDays(-n)
	now, nights := h.base(from, h.Today)
	if 10*nights < 7*n || now < with["min_w"] {
		return Finding{}, false
	}
	return found(from, h.Today, nights, baseFigures(now), k)
}

// plateau finds runs of power as a tumble dryer draws it: between two bounds
// above the night's base, for so many minutes without a pause.
func plateau(h Home, k metering.Kind, with numbers) (Finding, bool) {
	weeks := int(with["weeks"])
	from := h.Today.AddDays(-7 * weeks)
	base, nights := h.base(h.Today.AddDays(-14), h.Today)
	curve := h.curve(k, from, h.Today)
	if nights < 10 || !gapless(curve, h.Today.Start(h.Zone).Sub(from.Start(h.Zone))*9/10) {
		return Finding{}, false
	}
	runs, wh := 0, 0.0
	var length time.Duration
	var energy float64
	for i, c := range curve {
		hours := c.End.Sub(c.Start).Hours()
		watts := float64(c.Used)/hours - base
		on := watts >= with["min_w"] && watts <= with["max_w"]
		if on {
			length, energy = length+c.End.Sub(c.Start), energy+watts*hours
		}
		if !on || i == len(curve)-1 {
			if length >= time.Duration(with["minutes"]*float64(time.Minute)) && length < 3*time.Hour {
				runs, wh = runs+1, wh+energy
			}
			length, energy = 0, 0
		}
	}
	perWeek := float64(runs) / float64(weeks)
	if perWeek < with["min_per_week"] {
		return Finding{}, false
	}
	return found(from, h.Today, 7*weeks, numbers{"per_week": perWeek, "kwh_per_year": wh / 1000 / float64(weeks) * 52}, k)
}

// baseAfterComputer finds a night's power that rose when the programme handed a
// computer over. Only as much as a computer idles at is counted.
func baseAfterComputer(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["nights"])
	from := h.Today.AddDays(-n)
	if h.Computer.IsZero() || from.Before(h.Computer.AddDays(1)) {
		return Finding{}, false
	}
	past, known := h.base(h.Computer.AddDays(-2*n), h.Computer)
	now, nights := h.base(from, h.Today)
	rise := now - past
	if 10*known < 14*n || 10*nights < 7*n || rise < with["rise_w"] {
		return Finding{}, false
	}
	counted := min(rise, with["most_w"])
	return found(from, h.Today, nights, numbers{"rise_w": rise, "counted_w": counted,
		"kwh_per_year": rise * kwhPerWattYear}, k)
}

// powerFollowsCold finds electricity that rises with the cold although the
// building heats: a heater that somebody needs. The rise must be five times its
// error and tell a quarter of the days' differences.
func powerFollowsCold(h Home, k metering.Kind, with numbers) (Finding, bool) {
	n := int(with["days"])
	days := h.last(k, n)
	var cold, wh []float64
	chilly := 0
	for _, d := range days {
		degrees, known := h.DegreeDays[d.Date]
		if !known || h.away(d.Date) {
			continue
		}
		cold, wh = append(cold, degrees), append(wh, float64(d.Used))
		if degrees > 5 {
			chilly++
		}
	}
	rise, err, share, ok := slope(cold, wh)
	if !ok || !enough(len(cold), n) || chilly < 14 || rise < with["min_wh_per_degree"] || rise < 5*err || share < 0.25 {
		return Finding{}, false
	}
	return found(h.Today.AddDays(-n), h.Today, len(cold), numbers{"wh_per_degree": rise, "cold_days": float64(chilly)}, k)
}

// NightPower is what is on in a home whatever happens: the median over the nights of
// [from, to) of the lowest hour between two and five o'clock, in W, and how many
// nights tell it. The curve is of the home's electricity.
func NightPower(curve []metering.IntervalConsumption, from, to civil.Date, zone *time.Location) (watts float64, nights int) {
	h := Home{Zone: zone, Meters: map[metering.Kind]Meter{metering.Electricity: {Resolution: metering.Fine, Curve: curve}}}
	return h.base(from, to)
}
