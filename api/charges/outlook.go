package charges

import (
	"math"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A NoOutlook is why nothing is said of the year's end.
type NoOutlook string

// The reasons.
const (
	TooEarly     NoOutlook = "too_early"     // fewer than six whole months are known
	GapInYear    NoOutlook = "gap"           // a month of this year that is over is not known
	SeasonAhead  NoOutlook = "season"        // heat, and the months to come are not known of last year
	PriceUnknown NoOutlook = "price_missing" // no price for a part of the year
	NoCharges    NoOutlook = "no_charges"    // the landlord bills nothing that is measured
	Unchecked    NoOutlook = "not_verified"  // a meter has not passed its dial and tap check
	LivesNowhere NoOutlook = "no_home"       // the household does not live there any more
)

// An Outlook sets what a home pays in advance beside what its measured charges may
// be by the end of the year: a range, in cents. It is an estimate and no
// statement; what a supplier bills is no part of it.
type Outlook struct {
	Year int `json:"year"`
	// From is the first day that counts: 1 January, or the day of moving in.
	From civil.Date `json:"from"`
	// Refused says why there is no range; the amounts are zero then.
	Refused NoOutlook `json:"refused,omitempty"`
	Months  int       `json:"months"` // whole months that are known
	// SoFarCents is for the whole months of this year, without what is fixed.
	SoFarCents int64 `json:"so_far_cents"`
	FixedCents int64 `json:"fixed_cents"` // of all the days from From to the year's end
	LowCents   int64 `json:"low_cents"`   // by the year's end, with what is fixed
	HighCents  int64 `json:"high_cents"`
	// ProvisionCents is paid in advance for the same days; nil where the landlord
	// has told no provision for a part of them.
	ProvisionCents *int64 `json:"provision_cents,omitempty"`
}

// What an outlook needs and how wide it is.
const (
	leastMonths   = 6
	wholeMonth    = 0.9 // coverage
	leastWidth    = 0.1 // either way, of what is to come
	deviations    = 1.64
	monthsOfAYear = 12
)

// Outlook looks from today to the end of the year. The home must have been asked
// for from 1 January of the year before; provisions are those of the dwelling.
func (p PricedHome) Outlook(today civil.Date, provisions []Provision) Outlook {
	january := civil.Date{Year: today.Year, Month: 1, Day: 1}
	o := Outlook{Year: today.Year, From: january}
	if len(p.home.Stays) == 0 || !today.Before(p.home.Stays[len(p.home.Stays)-1].To) {
		o.Refused = LivesNowhere
		return o
	}
	if in := p.home.Stays[len(p.home.Stays)-1].MovedIn; january.Before(in) {
		o.From = in
	}
	o.ProvisionCents = provisionOf(provisions, o.From, january.AddDays(366).MonthOf().First())
	charged := 0
	for _, s := range p.home.Series {
		if s.Resolution == metering.Off || !p.Tariffs.charged(s.Kind) {
			continue
		}
		t, _, ok := p.Tariffs.On(s.Kind, today)
		if !ok {
			return o.refused(PriceUnknown)
		}
		if t.Bill != metering.Charges {
			continue
		}
		charged++
		part := p.ofKind(s, t, today, o.From)
		if part.Refused != "" {
			return o.refused(part.Refused)
		}
		if charged == 1 || part.Months < o.Months {
			o.Months = part.Months
		}
		o.SoFarCents, o.FixedCents = o.SoFarCents+part.SoFarCents, o.FixedCents+part.FixedCents
		o.LowCents, o.HighCents = o.LowCents+part.LowCents, o.HighCents+part.HighCents
	}
	if charged == 0 {
		return o.refused(NoCharges)
	}
	return o
}

// charged reports whether a kind is of the charges: as its last tariff says; water
// and heat are where none does.
func (ts Tariffs) charged(k metering.Kind) bool {
	if mine := ts.of(k); len(mine) > 0 {
		return mine[len(mine)-1].Bill == metering.Charges
	}
	return k == metering.ColdWater || k == metering.HotWater || k == metering.Heat
}

// refused keeps what is not an amount that would be made up.
func (o Outlook) refused(why NoOutlook) Outlook {
	return Outlook{Year: o.Year, From: o.From, Refused: why, ProvisionCents: o.ProvisionCents}
}

// ofKind is the outlook of one kind.
func (p PricedHome) ofKind(s consumption.Series, t Tariff, today, from civil.Date) Outlook {
	var o Outlook
	k := known{used: map[civil.Month]float64{}}
	for m := (civil.Month{Year: today.Year - 1, Month: 1}); m != today.MonthOf(); m = m.Next() {
		k.note(p, s, m, from)
	}
	o.Months = len(k.used)
	switch {
	case k.unchecked:
		o.Refused = Unchecked
	case o.Months < leastMonths:
		o.Refused = TooEarly
	case k.unpriced:
		o.Refused = PriceUnknown
	case k.gap:
		o.Refused = GapInYear
	}
	if o.Refused != "" {
		return o
	}
	low, high, ok := k.ahead(today, s.Kind == metering.Heat)
	if !ok {
		return Outlook{Refused: SeasonAhead}
	}
	end := civil.Date{Year: today.Year + 1, Month: 1, Day: 1}
	fixed, ok := p.Tariffs.Fixed(s.Kind, from, end)
	if !ok {
		return Outlook{Refused: PriceUnknown}
	}
	o.SoFarCents, o.FixedCents = k.soFarCents, fixed[metering.Charges]
	o.LowCents = o.SoFarCents + o.FixedCents + t.worth(low)
	o.HighCents = o.SoFarCents + o.FixedCents + t.worth(high)
	return o
}

// worth is what so much costs at the tariff, in cents.
func (t Tariff) worth(used float64) int64 {
	var micro int64
	for _, part := range t.parts() {
		line, ok := epoch{tariff: t}.line(part, metering.Amount(used), false)
		if ok {
			micro += line.MicroEUR
		}
	}
	return cents(micro)
}

// known is what is known of the whole months of this year and the one before.
type known struct {
	used                     map[civil.Month]float64
	soFarCents               int64
	gap, unpriced, unchecked bool
}

// note takes a month in where it is known; from is where this year begins to count.
func (k *known) note(p PricedHome, s consumption.Series, m civil.Month, from civil.Date) {
	thisYear := !m.First().Before(from) || m == from.MonthOf()
	first := m.First()
	if m == from.MonthOf() && first.Before(from) {
		first = from // the month of moving in
	}
	why := p.Cost(s, first, m.Next().First())
	if why.NoCost != nil && why.NoCost.Reason == metering.NotVerified {
		k.unchecked = true
	}
	if why.Coverage < wholeMonth {
		k.gap = k.gap || thisYear
		return
	}
	if first == m.First() {
		k.used[m] = float64(why.Used)
	}
	if !thisYear {
		return
	}
	if why.Cost == nil {
		k.unpriced = true
		return
	}
	k.soFarCents += why.Cost.ChargesCents
}

// ahead is what the months from today's on may use: as last year's did, by as much
// more or less as this year so far; else, where there is no season, as the months
// that are known. It is false where neither can be told.
func (k *known) ahead(today civil.Date, seasonal bool) (low, high float64, ok bool) {
	var lastYear float64
	months := monthsOfAYear - int(today.Month) + 1
	found := 0
	for m := today.MonthOf(); m.Year == today.Year; m = m.Next() {
		if used, ok := k.used[civil.Month{Year: m.Year - 1, Month: m.Month}]; ok {
			lastYear, found = lastYear+used, found+1
		}
	}
	if found == months {
		trend := k.trend(today.Year)
		return lastYear * min(1, trend) * (1 - leastWidth), lastYear * max(1, trend) * (1 + leastWidth), true
	}
	if seasonal {
		return 0, 0, false
	}
	mean, deviation := k.spread()
	expected := mean * float64(months)
	width := max(leastWidth*expected, deviations*deviation*math.Sqrt(float64(months)))
	return max(0, expected-width), expected + width, true
}

// trend is this year's known months over the same ones of the year before; 1 where
// there are none.
func (k *known) trend(year int) float64 {
	var now, then float64
	for m, used := range k.used {
		if before, ok := k.used[civil.Month{Year: year - 1, Month: m.Month}]; ok && m.Year == year {
			now, then = now+used, then+before
		}
	}
	if then <= 0 {
		return 1
	}
	return now / then
}

// spread is the mean and the standard deviation of the known months.
func (k *known) spread() (mean, deviation float64) {
	for _, used := range k.used {
		mean += used
	}
	n := float64(len(k.used))
	mean /= n
	for _, used := range k.used {
		deviation += (used - mean) * (used - mean)
	}
	return mean, math.Sqrt(deviation / (n - 1))
}

// provisionOf sums what is paid in advance for the days [from, to), each month by
// its days; nil where nothing is known of a part of them.
func provisionOf(ps []Provision, from, to civil.Date) *int64 {
	var micro int64
	for day := from; day.Before(to); day = day.AddDays(1) {
		monthly, ok := int64(0), false
		for _, p := range ps { // in order of time
			if !day.Before(p.From) {
				monthly, ok = p.MonthlyCents, true
			}
		}
		if !ok {
			return nil
		}
		micro += monthly * microPerCent / int64(day.MonthOf().Days())
	}
	sum := cents(micro)
	return &sum
}
