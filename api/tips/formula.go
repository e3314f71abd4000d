package tips

import (
	"maps"
	"math"
	"slices"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Physics of water at 38 °C mixed from 15 °C and 55 °C.
const (
	// mixedWhPerL heats a litre from 15 to 38 °C: 1.163 Wh a kelvin, rounded
	// to 26.7 kWh/m³.
	mixedWhPerL = 26.7
	// mixedHotShare is the part of hot water in it: (38−15) ÷ (55−15).
	mixedHotShare = 0.575
	// tankEfficiency is what an electric tank makes of its electricity over a
	// year, standing losses included: our assumption of the catalogue.
	tankEfficiency = 0.85
)

// A rule is one way of reckoning a saving. Inputs are by name, their units stand
// in it. It is false where the home is not known well enough.
type rule struct {
	inputs []string
	kinds  []metering.Kind // of which the catalogue names one; empty where the rule knows
	period Period
	cuts   func(h Home, k metering.Kind, in numbers) ([]Cut, bool)
}

// formulas are the rules by name.
var formulas = map[string]rule{
	"flow_all_year": {[]string{"flow_l_per_h"}, []metering.Kind{metering.ColdWater, metering.HotWater}, AYear,
		func(_ Home, k metering.Kind, in numbers) ([]Cut, bool) {
			return volume(k, in["flow_l_per_h"]*hoursOfDay*daysOfYear)
		}},
	"cold_water": {[]string{"litres_each", "times_per_year"}, nil, AYear,
		func(_ Home, _ metering.Kind, in numbers) ([]Cut, bool) {
			return volume(metering.ColdWater, in["litres_each"]*in["times_per_year"])
		}},
	"mixed_water": {[]string{"litres_each", "times_per_year"}, nil, AYear, mixedWater},
	"power_all_year": {[]string{"watts", "hours_per_day"}, nil, AYear,
		func(_ Home, _ metering.Kind, in numbers) ([]Cut, bool) {
			return energy(metering.Electricity, in["watts"]*in["hours_per_day"]*daysOfYear)
		}},
	"energy_a_year": {[]string{"kwh"}, nil, AYear,
		func(_ Home, _ metering.Kind, in numbers) ([]Cut, bool) {
			return energy(metering.Electricity, 1000*in["kwh"])
		}},
	"share_of_year": {[]string{"share"}, []metering.Kind{metering.Heat}, AYear,
		func(h Home, k metering.Kind, in numbers) ([]Cut, bool) {
			year, known := h.year(k)
			if !known {
				return nil, false
			}
			return energy(k, year*in["share"])
		}},
	"observed_water": {[]string{"litres"}, []metering.Kind{metering.ColdWater, metering.HotWater}, Observed,
		func(_ Home, k metering.Kind, in numbers) ([]Cut, bool) { return volume(k, in["litres"]) }},
	"observed_energy": {[]string{"kwh"}, []metering.Kind{metering.Heat, metering.Electricity}, Observed,
		func(_ Home, k metering.Kind, in numbers) ([]Cut, bool) { return energy(k, 1000*in["kwh"]) }},
}

// Formulas lists the formulas' names in order.
func Formulas() []string { return slices.Sorted(maps.Keys(formulas)) }

// mixedWater splits water at 38 °C by what heats it. Where that is not known, or
// burns gas at an efficiency that nobody knows, only the water is counted.
func mixedWater(h Home, _ metering.Kind, in numbers) ([]Cut, bool) {
	litres := in["litres_each"] * in["times_per_year"]
	switch h.Water {
	case SharedHotWater:
		return []Cut{liquid(metering.ColdWater, litres*(1-mixedHotShare)), liquid(metering.HotWater, litres*mixedHotShare)}, litres > 0
	case ElectricTank:
		return []Cut{liquid(metering.ColdWater, litres),
			warmth(metering.Electricity, litres*mixedWhPerL/tankEfficiency)}, litres > 0
	default:
		return volume(metering.ColdWater, litres)
	}
}

func volume(k metering.Kind, litres float64) ([]Cut, bool) {
	return []Cut{liquid(k, litres)}, litres > 0
}

func energy(k metering.Kind, wh float64) ([]Cut, bool) { return []Cut{warmth(k, wh)}, wh > 0 }

func liquid(k metering.Kind, litres float64) Cut {
	return Cut{Kind: k, Unit: metering.Millilitre, Amount: metering.Amount(math.Round(litres * mlPerL))}
}

func warmth(k metering.Kind, wh float64) Cut {
	return Cut{Kind: k, Unit: metering.WattHour, Amount: metering.Amount(math.Round(wh))}
}
