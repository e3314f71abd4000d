package verification

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// epoch, a Monday, is when the simulated residences begin.
var epoch = civil.Date{Year: 2025, Month: 1, Day: 6}

const (
	usualDay    = 10000 // the real homes' usual day, in whole units
	weeksBefore = 12
	mostSince   = 26
	yearDays    = 420
	// block is how many weeks of the real noise stay together, so that what a
	// week has of the one before it is kept.
	block = 4
)

// A setting is where trials come from: it makes so many days of a home's use from
// the day number start on, and what others in its residence used.
type setting struct {
	name   string
	unlike bool // the home is not one like the others
	make   func(rng *rand.Rand, length int) (start int, own []float64, others [][]consumption.Day)
}

// trial is a home whose use changed on a day, with others in which nothing did,
// and the day on which it is looked at.
func (s setting) trial(rng *rand.Rand, change float64) (tips.Trial, civil.Date) {
	since := 4 + rng.IntN(mostSince-3) // weeks
	adopted := 7 * weeksBefore
	length := adopted + 1 + 7*since
	start, own, others := s.make(rng, length)
	changed := slices.Clone(own)
	for i := adopted + 1; i < length; i++ {
		changed[i] *= 1 + change
	}
	return tips.Trial{Adopted: dates[start+adopted], Own: days(start, changed), Others: others}, epoch.AddDays(start + length)
}

// dates are those of the days from the epoch on.
var dates = func() []civil.Date {
	made := make([]civil.Date, yearDays)
	for i := range made {
		made[i] = epoch.AddDays(i)
	}
	return made
}()

// days are those of a use from the day number start on.
func days(start int, used []float64) []consumption.Day {
	made := make([]consumption.Day, len(used))
	for i, u := range used {
		made[i] = consumption.Day{Date: dates[start+i], Used: metering.Amount(math.Round(u)), Coverage: 1}
	}
	return made
}

// drawn makes so many days of a real home's noise: blocks of whole weeks, drawn by
// lot, the end of the series followed by its beginning.
func drawn(rng *rand.Rand, noise []float64, length int) []float64 {
	made := make([]float64, 0, length+7*block)
	for len(made) < length {
		from := 7 * rng.IntN(len(noise)/7)
		for i := range 7 * block {
			made = append(made, noise[(from+i)%len(noise)])
		}
	}
	return made[:length]
}

// alike is a setting of 12 homes that all have one real home's noise, each its
// own, and share a season that moves each a little differently.
func alike(s series) setting {
	noise := s.withoutSeason()
	return setting{s.name, false, func(rng *rand.Rand, length int) (int, []float64, [][]consumption.Day) {
		phase, height := rng.Float64()*2*math.Pi, 0.3
		home := func() []float64 {
			made := drawn(rng, noise, length)
			size, follows := usualDay*(0.5+rng.Float64()), 0.5+rng.Float64()
			for i := range made {
				made[i] *= size * math.Exp(follows*height*math.Cos(2*math.Pi*float64(i)/365+phase))
			}
			return made
		}
		others := make([][]consumption.Day, 12)
		for i := range others {
			others[i] = days(0, home())
		}
		return 0, home(), others
	}}
}

// simulated is a setting of the homes of simulated residences, which share weather
// and calendar and go on holiday.
func simulated(name string, residences [][][]float64) setting {
	known := make([][][]consumption.Day, len(residences))
	for i, homes := range residences {
		known[i] = daysOf(homes)
	}
	return setting{name, false, func(rng *rand.Rand, length int) (int, []float64, [][]consumption.Day) {
		where := rng.IntN(len(residences))
		start, chosen := rng.IntN(yearDays-length), rng.IntN(len(residences[where]))
		others := slices.Delete(slices.Clone(known[where]), chosen, chosen+1)
		return start, residences[where][chosen][start : start+length], others
	}}
}

// among is a setting of a real home's noise on the season of simulated homes.
func among(s series, homes [][]float64) setting {
	noise, season, others := s.withoutSeason(), level(homes), daysOf(homes)
	return setting{s.name + " among simulated homes", true, func(rng *rand.Rand, length int) (int, []float64, [][]consumption.Day) {
		start := rng.IntN(yearDays - length)
		own := drawn(rng, noise, length)
		for i := range own {
			own[i] *= usualDay * season[start+i]
		}
		return start, own, others
	}}
}

func daysOf(homes [][]float64) [][]consumption.Day {
	made := make([][]consumption.Day, len(homes))
	for i, used := range homes {
		made[i] = days(0, used)
	}
	return made
}

// level is how all homes did by day, over the four weeks around it; 1 is usual.
func level(homes [][]float64) []float64 {
	const half = 14
	sum := make([]float64, yearDays)
	for _, home := range homes {
		usual := total(home) / yearDays
		for i, used := range home {
			sum[i] += used / usual / float64(len(homes))
		}
	}
	smooth := make([]float64, yearDays)
	for i := range smooth {
		window := sum[max(0, i-half):min(yearDays, i+half)]
		smooth[i] = total(window) / float64(len(window))
	}
	return smooth
}

// homesOf are the days of a residence's homes of one kind in which nothing but
// the people's habits moves the use.
func homesOf(r *household.Residence, kind metering.Kind) [][]float64 {
	var homes [][]float64
	for _, m := range r.Meters() {
		d := r.ByID(m.Dwelling)
		if m.Kind != kind || !m.To.IsZero() || m.From.After(r.Epoch.Start(r.Zone)) || len(d.Households) != 1 ||
			d.Has(household.Empty) || d.Has(household.LeakingToilet) || d.Has(household.HighStandby) {
			continue
		}
		used := make([]float64, yearDays)
		before := r.Index(m, r.Epoch.Start(r.Zone))
		for n := range used {
			now := r.Index(m, r.Epoch.AddDays(n+1).Start(r.Zone))
			used[n], before = float64(now-before), now
		}
		homes = append(homes, used)
	}
	return homes
}
