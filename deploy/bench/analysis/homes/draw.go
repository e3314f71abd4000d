package homes

import (
	"math/rand/v2"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Draw takes water evenly: people's, or a leak's. The zero value takes none.
type Draw struct {
	Start  time.Time
	Length time.Duration
	Flow   metering.Amount // mL/h
}

// Until is what it has taken until an instant, in mL.
func (d Draw) Until(at time.Time) metering.Amount {
	seconds := min(max(0, at.Sub(d.Start)), d.Length) / time.Second
	return d.Flow * metering.Amount(seconds) / 3600
}

// End is when it ends.
func (d Draw) End() time.Time { return d.Start.Add(d.Length) }

func sum(draws []Draw) func(time.Time) metering.Amount {
	return func(at time.Time) (total metering.Amount) {
		for _, d := range draws {
			total += d.Until(at)
		}
		return total
	}
}

// regenerations rinse a softener every third or fourth night at about two:
// backwash, an hour of slow rinse, refill; 80 to 130 L in all.
func regenerations(first civil.Date, zone *time.Location, chance *rand.Rand) func(time.Time) metering.Amount {
	var draws []Draw
	for n := 0; n < span; n += 3 + chance.IntN(2) {
		at := first.AddDays(n).Start(zone).Add(2*time.Hour + time.Duration(chance.IntN(40))*time.Minute)
		for _, step := range []struct {
			minutes, litresPerHour int
		}{{8 + chance.IntN(4), 240}, {50 + chance.IntN(30), 35 + chance.IntN(20)}, {6, 300}} {
			d := Draw{at, time.Duration(step.minutes) * time.Minute, metering.Amount(step.litresPerHour) * 1000}
			draws, at = append(draws, d), d.End()
		}
	}
	return sum(draws)
}

// fillings fill a pool each month, from a morning or an afternoon on, with a
// hose: 0.6 to 1.4 m³/h for 8 to 30 hours.
func fillings(first civil.Date, zone *time.Location, chance *rand.Rand) func(time.Time) metering.Amount {
	var draws []Draw
	for month := range span / 30 {
		draws = append(draws, Draw{
			Start:  first.AddDays(month*30 + 5 + chance.IntN(20)).Start(zone).Add(8*time.Hour + time.Duration(chance.IntN(11*60))*time.Minute),
			Length: 8*time.Hour + time.Duration(chance.IntN(22*60))*time.Minute,
			Flow:   metering.Amount(600_000 + chance.IntN(800_000)),
		})
	}
	return sum(draws)
}
