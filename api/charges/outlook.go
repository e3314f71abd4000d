package charges

import (
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
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
	Unread       NoOutlook = "unread"        // what the landlord bills is not metered here, or its meter is off
	CommonPart   NoOutlook = "common_part"   // a part does not follow the meter, and the tariff does not say how much it is
)

// An Outlook sets what a home pays in advance beside what its measured charges may
// be by the end of the year: a range, in cents. It is an estimate and no
// statement; what a supplier bills is no part of it. A provision is for all that the
// landlord bills, so that there is a range only where all of that is counted.
type Outlook struct {
	Year int `json:"year"`
	// From is the first day that counts: 1 January, or the day of moving in.
	From civil.Date `json:"from"`
	// Refused says why there is no range; the amounts are zero then.
	Refused NoOutlook `json:"refused,omitempty"`
	Months  int       `json:"months"` // whole months that are known
	// Kinds are those whose cost is in the range; none where it is refused.
	Kinds []metering.Kind `json:"kinds"`
	// LeftOut are those that are not: what a supplier bills, and where the range is
	// refused for a kind that one.
	LeftOut []metering.Kind `json:"left_out"`
	// SoFarCents is for what is measured of this year: its whole months, and the days
	// of the one that runs where they are known. Without what is fixed.
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
	leastPace     = 7 // days of the running month, before they say more than chance
)

// Outlook looks from today to the end of the year. The home must have been asked
// for from 1 January of the year before; provisions are those of the dwelling.
func (p PricedHome) Outlook(today civil.Date, provisions []Provision) Outlook {
	january := civil.Date{Year: today.Year, Month: 1, Day: 1}
	o := Outlook{Year: today.Year, From: january, Kinds: []metering.Kind{}, LeftOut: []metering.Kind{}}
	if len(p.home.Stays) == 0 || !today.Before(p.home.Stays[len(p.home.Stays)-1].To) {
		o.Refused = LivesNowhere
		return o
	}
	if in := p.home.Stays[len(p.home.Stays)-1].MovedIn; january.Before(in) {
		o.From = in
	}
	o.ProvisionCents = provisionOf(provisions, o.From, january.AddDays(366).MonthOf().First())
	for _, kind := range Priced {
		i := slices.IndexFunc(p.home.Series, func(s consumption.Series) bool { return s.Kind == kind })
		switch {
		case !p.Tariffs.charged(kind, today):
			if i >= 0 {
				o.LeftOut = append(o.LeftOut, kind)
			}
		case i < 0 && (len(p.Tariffs.of(kind)) == 0 || p.ownBoiler(kind)):
			// Not of this home's charges.
		case i < 0:
			return o.refused(Unread, kind)
		default:
			part := p.ofKind(p.home.Series[i], today, o.From)
			if part.Refused != "" {
				return o.refused(part.Refused, kind)
			}
			o.add(kind, part)
		}
	}
	if len(o.Kinds) == 0 {
		return o.refused(NoCharges, "")
	}
	return o
}

// add counts a kind.
func (o *Outlook) add(kind metering.Kind, part Outlook) {
	if len(o.Kinds) == 0 || part.Months < o.Months {
		o.Months = part.Months
	}
	o.Kinds = append(o.Kinds, kind)
	o.SoFarCents, o.FixedCents = o.SoFarCents+part.SoFarCents, o.FixedCents+part.FixedCents
	o.LowCents, o.HighCents = o.LowCents+part.LowCents, o.HighCents+part.HighCents
}

// ownBoiler reports whether the dwelling warms its rooms or its water by itself, so
// that the landlord bills it none of what others of the residence share.
func (p PricedHome) ownBoiler(kind metering.Kind) bool {
	dwelling := p.home.Stays[len(p.home.Stays)-1].Dwelling
	warmth := dwelling.Heating
	if kind == metering.HotWater {
		warmth = dwelling.HotWater
	}
	warmed := kind == metering.Heat || kind == metering.HotWater
	return warmed && warmth != "" && warmth != premises.WarmthUnknown && warmth != premises.Collective
}

// charged reports whether a kind is of the charges on a day: as its tariff says, or
// else its last; water and heat are where none does.
func (ts Tariffs) charged(k metering.Kind, on civil.Date) bool {
	if t, _, ok := ts.On(k, on); ok {
		return t.Bill == metering.Charges
	}
	if mine := ts.of(k); len(mine) > 0 {
		return mine[len(mine)-1].Bill == metering.Charges
	}
	return k == metering.ColdWater || k == metering.HotWater || k == metering.Heat
}

// refused keeps what is not an amount that would be made up.
func (o Outlook) refused(why NoOutlook, kind metering.Kind) Outlook {
	refused := Outlook{Year: o.Year, From: o.From, Refused: why, ProvisionCents: o.ProvisionCents, Kinds: []metering.Kind{}, LeftOut: o.LeftOut}
	if kind != "" {
		refused.LeftOut = append(refused.LeftOut, kind)
	}
	return refused
}

// ofKind is the outlook of one kind; its Kinds and LeftOut say nothing.
func (p PricedHome) ofKind(s consumption.Series, today, from civil.Date) Outlook {
	end := civil.Date{Year: today.Year + 1, Month: 1, Day: 1}
	if refused := p.unfit(s, from, end); refused != "" {
		return Outlook{Refused: refused}
	}
	k := known{used: map[civil.Month]float64{}}
	for m := (civil.Month{Year: today.Year - 1, Month: 1}); m != today.MonthOf(); m = m.Next() {
		k.note(p, s, m, from)
	}
	o := Outlook{Months: len(k.used), Refused: k.refusal()}
	if o.Refused != "" {
		return o
	}
	k.run(p, s, today, from)
	ahead, ok := k.ahead(today, s.Kind == metering.Heat)
	if !ok {
		return Outlook{Refused: SeasonAhead}
	}
	low, lowKnown := p.Tariffs.worth(s.Kind, ahead, ahead.low)
	high, highKnown := p.Tariffs.worth(s.Kind, ahead, ahead.high)
	fixed, fixedKnown := p.Tariffs.Fixed(s.Kind, from, end)
	if !lowKnown || !highKnown || !fixedKnown {
		return Outlook{Refused: PriceUnknown}
	}
	o.SoFarCents, o.FixedCents = k.soFarCents, fixed[metering.Charges]
	o.LowCents, o.HighCents = o.SoFarCents+o.FixedCents+low, o.SoFarCents+o.FixedCents+high
	return o
}

// unfit is why a kind cannot be set beside a provision: its meter is off or was never
// read, or the tariff leaves out a part that the provision pays for. Of heat and
// hot water what does not follow the meter is budgeted in the fixed part.
func (p PricedHome) unfit(s consumption.Series, from, end civil.Date) NoOutlook {
	if s.Resolution == metering.Off || len(s.Meters()) == 0 {
		return Unread
	}
	all, gap := p.Tariffs.epochs(s.Kind, from, end)
	if gap != nil {
		return "" // what is known of the meter is told first
	}
	for _, e := range all {
		if e.tariff.Bill == metering.Charges && e.tariff.IndividualPercent < wholePercent && e.tariff.FixedMonthlyCents == 0 {
			return CommonPart
		}
	}
	return ""
}

// worth is what the landlord bills for the months ahead, of which a share is used, in
// cents: each day of them at the tariff that holds then. It is false where a price is
// not known or no household uses that much.
func (ts Tariffs) worth(k metering.Kind, a ahead, share float64) (int64, bool) {
	var micro int64
	for _, month := range a.months {
		first, end := month.First(), month.Next().First()
		if first.Before(a.from) {
			first = a.from
		}
		all, gap := ts.epochs(k, first, end)
		if gap != nil {
			return 0, false
		}
		for _, e := range all {
			used := a.used[month] * share * float64(daysFrom(e.from, e.to)) / float64(month.Days())
			for _, part := range e.tariff.parts() {
				line, ok := e.line(part, metering.Amount(math.Round(used)), false)
				if !ok {
					return 0, false
				}
				if line.Bill == metering.Charges {
					micro += line.MicroEUR
				}
			}
		}
	}
	return cents(micro), true
}

// known is what is known of the whole months of this year and the one before.
type known struct {
	used                     map[civil.Month]float64
	soFarCents               int64
	gap, unpriced, unchecked bool
	days                     int     // of the running month, that are known; 0 for none
	running                  float64 // what was used in them
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

// run takes in the days of the month that runs, all of them or none.
func (k *known) run(p PricedHome, s consumption.Series, today, from civil.Date) {
	first := today.MonthOf().First()
	if first.Before(from) || !first.Before(today) {
		return
	}
	why := p.Cost(s, first, today)
	if why.Coverage < wholeMonth || why.Cost == nil {
		return
	}
	k.soFarCents += why.Cost.ChargesCents
	k.days, k.running = daysFrom(first, today), float64(why.Used)
}

// refusal is why the months that are known do not do.
func (k *known) refusal() NoOutlook {
	switch {
	case k.unchecked:
		return Unchecked
	case len(k.used) < leastMonths:
		return TooEarly
	case k.unpriced:
		return PriceUnknown
	case k.gap:
		return GapInYear
	default:
		return ""
	}
}

// An ahead is what the months to come may use, each between low and high times as
// much. Of the first the days before from are measured already.
type ahead struct {
	from      civil.Date
	months    []civil.Month
	used      map[civil.Month]float64
	low, high float64
}

// ahead looks at the months from today's on: as last year's did, by as much more or
// less as this year so far; else, where there is no season, as the months that are
// known. It is false where neither can be told.
func (k *known) ahead(today civil.Date, seasonal bool) (ahead, bool) {
	a := ahead{used: map[civil.Month]float64{}, from: today.AddDays(k.days + 1 - today.Day)}
	found := 0
	for m := today.MonthOf(); m.Year == today.Year; m = m.Next() {
		a.months = append(a.months, m)
		if used, ok := k.used[civil.Month{Year: m.Year - 1, Month: m.Month}]; ok {
			a.used[m], found = used, found+1
		}
	}
	if found == len(a.months) {
		trend := k.trend(today.MonthOf())
		a.low, a.high = min(1, trend)*(1-leastWidth), max(1, trend)*(1+leastWidth)
		return a, true
	}
	if seasonal {
		return ahead{}, false
	}
	mean, deviation := k.spread()
	for _, m := range a.months {
		a.used[m] = mean
	}
	width := leastWidth
	if mean > 0 {
		width = max(width, deviations*deviation/(mean*math.Sqrt(float64(len(a.months)))))
	}
	a.low, a.high = max(0, 1-width), 1+width
	return a, true
}

// trend is this year's known months, and the days of the one that runs, over the same
// ones of the year before; 1 where there are none.
func (k *known) trend(running civil.Month) float64 {
	var now, then float64
	for m, used := range k.used {
		if before, ok := k.used[civil.Month{Year: running.Year - 1, Month: m.Month}]; ok && m.Year == running.Year {
			now, then = now+used, then+before
		}
	}
	if before, ok := k.used[civil.Month{Year: running.Year - 1, Month: running.Month}]; ok && k.days >= leastPace {
		now, then = now+k.running, then+before*float64(k.days)/float64(running.Days())
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
