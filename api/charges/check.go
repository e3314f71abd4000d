package charges

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Limits of what people write. Those of prices are wide around what is paid in
// France (0.10 to 0.25 € a kWh, 3 to 15 € a cubic metre): they hold back a price in
// cents, in euros a MWh or of another column, not an unusual one.
const (
	leastMicroEURPerKWh = 10_000     // 0.01 €
	mostMicroEURPerKWh  = 2_000_000  // 2 €
	leastMicroEURPerM3  = 200_000    // 0.20 €
	mostMicroEURPerM3   = 50_000_000 // 50 €
	mostFixedCents      = 100_000
	longestSource       = 200
)

// Energy of a cubic metre. Warming a cubic metre of water by 50 °C takes 58 kWh, and
// what circulates in a building loses as much again and more; gas has 5 to 15 kWh,
// from biogas to what is richest.
const (
	leastWhPerM3OfWater = 30_000
	mostWhPerM3OfWater  = 200_000
	leastWhPerM3OfGas   = 5_000
	mostWhPerM3OfGas    = 15_000
)

// wholePercent is the share of a price that follows the meter altogether.
const wholePercent = 100

// Faults returns what is wrong with the tariff as entered today, by the names of its
// JSON fields: what no tariff can be, and prices and dates that are not plausible.
func (t Tariff) Faults(today civil.Date) []problem.Field {
	var f faults
	if !slices.Contains(Priced, t.Kind) {
		f.add("kind", "field.not_one_of", "cold_water, hot_water, electricity, heat, gas")
	}
	if t.Bill != metering.Charges && t.Bill != metering.Supplier {
		f.add("bill", "field.not_one_of", "charges, supplier")
	}
	t.dateFaults(&f, today)
	f.number("fixed_monthly_cents", t.FixedMonthlyCents, 0, mostFixedCents)
	f.number("individual_percent", int64(t.IndividualPercent), t.leastPercent(), wholePercent)
	if utf8.RuneCountInString(t.Source) > longestSource {
		f.add("source", "field.too_long", longestSource)
	}
	if !utf8.ValidString(t.Source) || slices.ContainsFunc([]rune(t.Source), accounts.Unreadable) {
		f.add("source", "field.malformed")
	}
	t.energyFaults(&f)
	return f
}

func (t Tariff) dateFaults(f *faults, today civil.Date) {
	if t.From.IsZero() {
		f.add("from", "field.no_date")
	} else if fault, wrong := DateFault("from", t.From, today); wrong {
		*f = append(*f, fault)
	}
	if t.Until.IsZero() {
		return
	}
	if !t.From.Before(t.Until) {
		f.add("until", "field.no_date")
	} else if fault, wrong := DateFault("until", t.Until, today); wrong {
		*f = append(*f, fault)
	}
}

// leastPercent is the least share that may follow the meter: all of it, but of heat
// and hot water that homes share and the landlord bills.
func (t Tariff) leastPercent() int64 {
	if t.Bill == metering.Charges && (t.Kind == metering.Heat || t.Kind == metering.HotWater) {
		return 0
	}
	return wholePercent
}

// energyFaults holds the unit to the kind, each price to what is plausible for its
// unit, and what turns volume into energy to where it belongs.
func (t Tariff) energyFaults(f *faults) {
	switch units := unitsOf(t.Kind); {
	case !slices.Contains(units, t.Per) && len(units) == 2:
		f.add("per", "field.not_one_of", "kWh, m3")
	case !slices.Contains(units, t.Per):
		f.add("per", "field.not_one_of", units[0])
	}
	if t.Per == perKWh {
		f.number("price_micro_eur", t.MicroEUR, leastMicroEURPerKWh, mostMicroEURPerKWh)
	} else {
		f.number("price_micro_eur", t.MicroEUR, leastMicroEURPerM3, mostMicroEURPerM3)
	}
	switch {
	case t.HeatMicroEUR == 0:
	case t.Kind == metering.HotWater:
		f.number("heat_micro_eur", t.HeatMicroEUR, leastMicroEURPerKWh, mostMicroEURPerKWh)
	default:
		f.add("heat_micro_eur", "field.out_of_range", 0, 0)
	}
	switch {
	case t.warmed():
		f.number("wh_per_m3", t.WhPerM3, leastWhPerM3OfWater, mostWhPerM3OfWater)
	case t.Kind == metering.Gas && t.Per == perKWh:
		f.number("wh_per_m3", t.WhPerM3, leastWhPerM3OfGas, mostWhPerM3OfGas)
	default:
		f.number("wh_per_m3", t.WhPerM3, 0, 0)
	}
}

// firstYear is the first in which a tariff or a provision may begin, and mostYears
// how far ahead it may: further it is a slip of the keyboard.
const (
	firstYear = 2000
	mostYears = 10
)

// DateFault is what is wrong with a day on which a price or a provision begins or
// ends: before 1 January 2000, or more than ten years after today.
func DateFault(name string, day, today civil.Date) (problem.Field, bool) {
	first, last := civil.Date{Year: firstYear, Month: time.January, Day: 1}, today
	last.Year += mostYears
	last = last.AddDays(0)
	switch {
	case day.Before(first):
		return problem.Field{Name: name, Message: "field.too_early", Args: []any{daysFrom(first, today)}}, true
	case last.Before(day):
		return problem.Field{Name: name, Message: "field.too_late", Args: []any{daysFrom(today, last)}}, true
	default:
		return problem.Field{}, false
	}
}

func daysFrom(a, b civil.Date) int {
	return int(b.Start(time.UTC).Sub(a.Start(time.UTC)) / (24 * time.Hour))
}

// faults collects what is wrong with fields.
type faults []problem.Field

func (f *faults) add(name, message string, args ...any) {
	*f = append(*f, problem.Field{Name: name, Message: message, Args: args})
}

func (f *faults) number(name string, n, least, most int64) {
	if n < least || n > most {
		f.add(name, "field.out_of_range", least, most)
	}
}
