// Package charges knows what consumption costs: dated tariffs of a residence,
// what of a price follows a household's own meter, who bills it, what is paid in
// advance, and the note that the law asks for. Its figures are estimates that
// explain themselves; they never replace the landlord's statement.
package charges

import (
	"cmp"
	"slices"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A TariffID names a tariff.
type TariffID string

// A Tariff is what a unit of a kind costs in a residence from a day on, taxes
// included, until the next tariff of the kind begins or it ends. Prices are
// millionths of a euro.
type Tariff struct {
	ID        TariffID
	Residence metering.SiteID
	Kind      metering.Kind
	From      civil.Date
	// Until is the first day on which the price is not known any more; zero where
	// it lasts.
	Until civil.Date
	Bill  metering.Bill
	// FixedMonthlyCents is what a dwelling pays a month whatever its meter shows:
	// the subscription, and its budgeted share of what is common.
	FixedMonthlyCents int64
	MicroEUR          int64  // a unit; of hot water the water alone
	Per               string // "kWh" or "m3"
	HeatMicroEUR      int64  // a kWh of the heat that warms hot water; 0 for other kinds
	WhPerM3           int64  // energy of a cubic metre: of hot water, or of gas sold by the kWh
	// IndividualPercent is the share of the price that follows the meter: 70 for
	// heat that homes share unless the residence says otherwise (fr. article
	// R.174-10 of the building code), else 100.
	IndividualPercent int
	Source            string // where the price stands, for who asks
	Version           int64
}

// Units of prices.
const (
	perKWh = "kWh"
	perM3  = "m3"
)

// Priced lists the kinds that have tariffs.
var Priced = []metering.Kind{metering.ColdWater, metering.HotWater, metering.Electricity, metering.Heat, metering.Gas}

func (t Tariff) warmed() bool { return t.Kind == metering.HotWater && t.HeatMicroEUR > 0 }

// unitsOf lists the units in which a kind is sold.
func unitsOf(k metering.Kind) []string {
	switch {
	case k == metering.Gas:
		return []string{perKWh, perM3}
	case k.IndexUnit() == metering.WattHour:
		return []string{perKWh}
	default:
		return []string{perM3}
	}
}

// UsualUnit is the unit in which a kind is sold, empty where there are several.
func UsualUnit(k metering.Kind) string {
	if units := unitsOf(k); len(units) == 1 {
		return units[0]
	}
	return ""
}

// A Rate is what one more or one less unit costs a household on a day.
type Rate struct {
	metering.Price
	Of metering.CostPart
	// Share is how much of the price follows the household's own meter, 0 to 1.
	Share  float64
	Bill   metering.Bill
	Source string
}

// Tariffs are those of one residence.
type Tariffs []Tariff

// On returns the tariff of a kind that holds on a day, and until when; false
// where none does. End is zero where nothing is known to follow.
func (ts Tariffs) On(k metering.Kind, day civil.Date) (t Tariff, end civil.Date, ok bool) {
	for _, next := range ts.of(k) {
		if day.Before(next.From) {
			if !ok {
				return Tariff{}, next.From, false
			}
			if end.IsZero() || next.From.Before(end) {
				end = next.From
			}
			break
		}
		t, end, ok = next, next.Until, true
	}
	if ok && !end.IsZero() && !day.Before(end) {
		return Tariff{}, ts.nextAfter(k, day), false
	}
	return t, end, ok
}

// changeWithinMonth reports whether a price begins or ends on one of the days (from,
// to) that is not the first of its month.
func (ts Tariffs) changeWithinMonth(from, to civil.Date) bool {
	within := func(d civil.Date) bool { return d.Day != 1 && from.Before(d) && d.Before(to) }
	return slices.ContainsFunc(ts, func(t Tariff) bool { return within(t.From) || within(t.Until) })
}

func (ts Tariffs) nextAfter(k metering.Kind, day civil.Date) civil.Date {
	for _, t := range ts.of(k) {
		if day.Before(t.From) {
			return t.From
		}
	}
	return civil.Date{}
}

// of returns the tariffs of a kind in order of time.
func (ts Tariffs) of(k metering.Kind) Tariffs {
	mine := slices.DeleteFunc(slices.Clone(ts), func(t Tariff) bool { return t.Kind != k })
	slices.SortFunc(mine, func(a, b Tariff) int { return cmp.Compare(a.From.String(), b.From.String()) })
	return mine
}

// Rates returns what a unit of a kind costs on a day, to be added up: of hot water
// that of the water and that of its heat, both a cubic metre. It is false where no
// price is known.
func (ts Tariffs) Rates(k metering.Kind, on civil.Date) ([]Rate, bool) {
	t, _, ok := ts.On(k, on)
	if !ok {
		return nil, false
	}
	rate := func(of metering.CostPart, micro int64, per string) Rate {
		return Rate{Price: metering.Price{MicroEUR: micro, Per: per, From: t.From.String()}, Of: of,
			Share: float64(t.IndividualPercent) / 100, Bill: t.Bill, Source: t.Source}
	}
	var rates []Rate
	for _, p := range t.parts() {
		if t.Per == perKWh && p.whPerM3 > 0 || p.of == metering.CostOfHeat {
			rates = append(rates, rate(p.of, p.microEUR*p.whPerM3/whPerKWh, perM3))
			continue
		}
		rates = append(rates, rate(p.of, p.microEUR, t.Per))
	}
	return rates, true
}

// MostProvisionCents is the largest provision of a month.
const MostProvisionCents = 1_000_000

// A Provision is what a dwelling pays in advance each month from a day on.
type Provision struct {
	Dwelling     premises.DwellingID
	From         civil.Date
	MonthlyCents int64
}
