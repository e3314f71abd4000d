// Package homes has homes to try detectors on: made-up ones, ordinary and
// difficult, and a real one; and a watch that reads their meter as a gateway
// does and judges it as the API does. A seed and a number make the same home for
// ever.
package homes

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Habit is what is out of the ordinary in a home, without being a leak.
type Habit string

// The habits.
const (
	Ordinary    Habit = "ordinary"
	NightWorker Habit = "night worker"
	NeverAsleep Habit = "night worker in a large family"
	LargeFamily Habit = "large family" // two of the largest households behind one meter
	Softener    Habit = "water softener"
	Pool        Habit = "filling a pool"
	Holidays    Habit = "holidays"
	Measured    Habit = "real" // see [Real]
)

// Habits lists those of made-up homes.
var Habits = []Habit{Ordinary, NightWorker, NeverAsleep, LargeFamily, Softener, Pool, Holidays}

// streams keep the chance of one habit apart from another's.
var streams = map[Habit]uint64{Ordinary: 1, NightWorker: 2, NeverAsleep: 3, LargeFamily: 4, Softener: 5, Pool: 6, Holidays: 7, Measured: 8}

// Chance is the source of chance of the n-th home of a habit, for one purpose.
func Chance(seed uint64, h Habit, n int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(n)<<16|streams[h]<<8|purpose))
}

// A Home is where water is drawn.
type Home struct {
	Habit    Habit
	Zone     *time.Location
	From, To time.Time // between which it is known
	// Drawn is what was drawn until an instant, in mL: it never decreases.
	Drawn func(time.Time) metering.Amount
}

const (
	// span is for how many days a made-up home is known.
	span = 180
	// latest is how many days after the epoch it begins at the latest, so that all
	// seasons and the changes of the clock come.
	latest = 150
)

var epoch = civil.Date{Year: 2025, Month: 1, Day: 1}

// Of makes the n-th home of a habit: cold water for 180 days that begin between
// January and June 2025. It panics for [Measured], which is not made up.
func Of(seed uint64, h Habit, n int) Home {
	chance := Chance(seed, h, n, 0)
	r := household.New(seed<<20+uint64(n)*977, epoch)
	first := epoch.AddDays(chance.IntN(latest))
	made := Home{Habit: h, Zone: r.Zone, From: first.Start(r.Zone), To: first.AddDays(span).Start(r.Zone)}
	flats := peopled(r)
	any := coldOf(r, flats[chance.IntN(len(flats))].ID)
	switch h {
	case Ordinary:
		made.Drawn = any
	case NightWorker:
		made.Drawn = coldOf(r, nightFlat)
	case NeverAsleep:
		made.Drawn = both(coldOf(r, nightFlat), coldOf(r, largest(flats, 1)[0].ID))
	case LargeFamily:
		two := largest(flats, 2)
		made.Drawn = both(coldOf(r, two[0].ID), coldOf(r, two[1].ID))
	case Softener:
		made.Drawn = both(any, regenerations(first, r.Zone, chance))
	case Pool:
		made.Drawn = both(any, fillings(first, r.Zone, chance))
	case Holidays:
		made.Drawn = coldOf(r, mostAway(r, flats, first).ID)
	default:
		panic("homes: a home of habit " + string(h) + " is not made up")
	}
	return made
}

// nightFlat is where somebody works at night.
const nightFlat household.DwellingID = "B1-04"

// peopled are the metered flats in which nothing happens that is a case or a
// change of meter.
func peopled(r *household.Residence) []*household.Dwelling {
	var flats []*household.Dwelling
	for _, d := range r.Dwellings {
		story := d.Has(household.LeakingToilet) || d.Has(household.ReplacedMeter) || d.Has(household.Rollover) ||
			d.Has(household.Empty) || d.Has(household.Unmetered) || d.Has(household.NightWorker)
		if !story && len(d.Households) > 0 && len(d.Meters) > 0 {
			flats = append(flats, d)
		}
	}
	return flats
}

// mostAway is the flat whose people are on holiday for most days.
func mostAway(r *household.Residence, flats []*household.Dwelling, first civil.Date) *household.Dwelling {
	var best *household.Dwelling
	most := -1
	for _, d := range flats {
		away := 0
		for n := range span {
			if r.Away(d, first.AddDays(n)) {
				away++
			}
		}
		if away > most {
			best, most = d, away
		}
	}
	return best
}

// largest are the n flats with the most occupants, the first of equals first.
func largest(flats []*household.Dwelling, n int) []*household.Dwelling {
	return slices.SortedStableFunc(slices.Values(flats), func(a, b *household.Dwelling) int {
		return b.Households[0].Occupants - a.Households[0].Occupants
	})[:n]
}

func coldOf(r *household.Residence, id household.DwellingID) func(time.Time) metering.Amount {
	for _, m := range r.ByID(id).Meters {
		if m.Kind == metering.ColdWater {
			return func(at time.Time) metering.Amount { return r.Index(m, at) }
		}
	}
	return func(time.Time) metering.Amount { return 0 }
}

func both(a, b func(time.Time) metering.Amount) func(time.Time) metering.Amount {
	return func(at time.Time) metering.Amount { return a(at) + b(at) }
}
