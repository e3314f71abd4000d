package household

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// A planner draws up one civil day of one dwelling. It has two sources of
// chance besides that of the day's rhythm, so that water and electricity do not
// move each other.
type planner struct {
	dwelling *Dwelling
	habits   *habits // nil where nobody lives
	date     civil.Date
	number   int   // of the day, from the epoch
	length   int32 // of the day, ms
	weekend  bool
	winter   float64    // 1 in January, -1 in July
	home     [][]span   // by person
	rise     float64    // sunrise, minutes
	set      float64    // sunset, minutes
	water    *rand.Rand // for cold and hot
	electric *rand.Rand // for power
	draws    [utilities][]draw
}

// plan returns what the dwelling draws on the n-th day after the epoch.
func (r *Residence) plan(d *Dwelling, n int) [utilities][]draw {
	date := r.Epoch.AddDays(n)
	p := &planner{
		dwelling: d, date: date, number: n, length: r.calendar.length(n), winter: winter(date),
		weekend:  isWeekend(date),
		water:    r.chance(d.ID, streamWater, uint64(n)),
		electric: r.chance(d.ID, streamPower, uint64(n)),
	}
	p.rise, p.set = daylight(date, r.Zone)
	if h := d.HouseholdOn(date); h != nil {
		p.habits = &h.habits
		p.always()
		if !r.Away(d, date) {
			p.wakeUp(r.chance(d.ID, streamRhythm, uint64(n)))
			p.planWater()
			p.planPower()
		}
	}
	if d.Has(LeakingToilet) && n >= leakDay {
		p.whole(cold, leakMLPerHour)
	}
	return p.draws
}

func isWeekend(date civil.Date) bool {
	day := time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, time.UTC).Weekday()
	return day == time.Saturday || day == time.Sunday
}

// wakeUp lays down when each person is at home and awake.
func (p *planner) wakeUp(rng *rand.Rand) {
	for _, b := range p.habits.rhythms {
		p.home = append(p.home, b.home(rng, p.weekend))
	}
}

// somebody is when at least one person is at home and awake.
func (p *planner) somebody() []span {
	var all []span
	for _, home := range p.home {
		all = append(all, home...)
	}
	slices.SortFunc(all, func(a, b span) int { return int(a.from - b.from) })
	var merged []span
	for _, s := range all {
		if last := len(merged) - 1; last >= 0 && s.from <= merged[last].to {
			merged[last].to = max(merged[last].to, s.to)
		} else if s.to > s.from {
			merged = append(merged, s)
		}
	}
	return merged
}

// draw books an amount (mL or Wh) that is taken from a minute of the local clock
// on, over a length in seconds. What would pass midnight is moved to end at it.
func (p *planner) draw(u utility, minute, seconds, amount float64) {
	length := max(1000, int32(seconds*1000))
	start := p.elapsed(minute)
	start = max(0, min(start, p.length-length))
	length = min(length, p.length-start)
	p.draws[u] = append(p.draws[u], draw{start: start, length: length, amount: int32(amount * perUnit)})
}

// mix draws water of which a share is hot. People need less hot water for the
// same warmth when the cold is warmer.
func (p *planner) mix(minute, seconds, ml, hotShare float64) {
	hotShare *= 1 + 0.1*p.winter
	p.draw(hot, minute, seconds, ml*hotShare)
	p.draw(cold, minute, seconds, ml*(1-hotShare))
}

// whole books a draw of mL/h or W that lasts the whole day.
func (p *planner) whole(u utility, perHour float64) {
	hours := float64(p.length) / 3_600_000
	p.draws[u] = append(p.draws[u], draw{length: p.length, amount: int32(perHour * hours * perUnit)})
}

// elapsed turns a minute of the local clock into milliseconds since the day
// began: on the days of 23 and 25 hours the clock jumps at about 3 o'clock.
func (p *planner) elapsed(minute float64) int32 {
	ms := int32(minute * 60_000)
	if minute >= 3*60 {
		ms += p.length - 24*3_600_000
	}
	return ms
}

// moment returns a minute at which a person is at home and awake, and false on
// a day on which the person never is.
func moment(rng *rand.Rand, home []span) (float64, bool) {
	var total float64
	for _, s := range home {
		total += max(0, s.to-s.from)
	}
	at := between(rng, 0, total)
	for _, s := range home {
		if length := max(0, s.to-s.from); at < length {
			return s.from + at, true
		} else {
			at -= length
		}
	}
	return 0, false
}

// Away reports whether the household of d is on holiday on a date: nobody is at
// home from midnight to midnight.
func (r *Residence) Away(d *Dwelling, date civil.Date) bool {
	for _, month := range []civil.Month{date.MonthOf(), date.MonthOf().Prev()} {
		from, days := r.absence(d, month)
		if days > 0 && !date.Before(from) && date.Before(from.AddDays(days)) {
			return true
		}
	}
	return false
}

// absence is the holiday that begins in a month, of 0 days where there is none.
func (r *Residence) absence(d *Dwelling, month civil.Month) (from civil.Date, days int) {
	rng := r.chance(d.ID, streamAbsence, uint64(unixDay(month.First())+1<<20))
	chance := map[time.Month]float64{
		time.February: 0.15, time.April: 0.2, time.July: 0.3, time.August: 0.55, time.December: 0.25,
	}[month.Month]
	if chance == 0 {
		chance = 0.08
	}
	if !likely(rng, chance) {
		return month.First(), 0
	}
	from = month.First().AddDays(rng.IntN(month.Days()))
	days = 2 + rng.IntN(6)
	if month.Month == time.July || month.Month == time.August {
		days = 6 + rng.IntN(12)
	}
	return from, days
}
