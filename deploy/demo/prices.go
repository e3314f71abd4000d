package main

import "github.com/xnetroseraie/xnet/deploy/simulator/household"

type (
	listTariff struct {
		Kind         string `yaml:"kind"`
		From         string `yaml:"from"`
		Bill         string `yaml:"bill"`
		MicroEUR     int64  `yaml:"price_micro_eur"`
		HeatMicroEUR int64  `yaml:"heat_micro_eur,omitempty"`
		WhPerM3      int64  `yaml:"wh_per_m3,omitempty"`
		Source       string `yaml:"source"` // tenants read it
	}
	listProvision struct {
		From         string `yaml:"from"`
		MonthlyCents int64  `yaml:"monthly_cents"`
	}
)

// warmingWhPerM3 is the energy of a cubic metre of shared hot water: 46.5 kWh from
// 15 to 55 °C, and what the pipes lose on the way, of which people who know speak
// of 70 kWh in all and more.
const warmingWhPerM3 = 70_000

// tariffs are real prices of France, for want of those of Angers.
//
//   - Water and sewage, national mean on 1 January 2024: 4.69 €/m³ (Observatoire
//     des services publics d'eau et d'assainissement, 2025).
//   - Heat of a boiler that burns gas, as the energy regulator's reference for
//     heating (CRE): 0.10192 €/kWh in January 2026, 0.105 in March. Of the months
//     before that no price was found: the demo takes January's for them.
//   - Electricity, the regulated base tariff with its taxes: 0.2016 €/kWh from
//     1 February 2025, 0.1952 from 1 August 2025, 0.1940 from 1 February 2026. Of
//     later changes nothing was found: the demo goes on with the last.
var tariffs = []listTariff{
	{Kind: "cold_water", From: "2024-01-01", Bill: "charges", MicroEUR: 4_690_000, Source: waterSource},
	{Kind: "hot_water", From: "2024-01-01", Bill: "charges", MicroEUR: 4_690_000, HeatMicroEUR: 101_920, WhPerM3: warmingWhPerM3, Source: heatSource},
	{Kind: "hot_water", From: "2026-03-01", Bill: "charges", MicroEUR: 4_690_000, HeatMicroEUR: 105_000, WhPerM3: warmingWhPerM3, Source: heatSource},
	{Kind: "electricity", From: "2025-02-01", Bill: "supplier", MicroEUR: 201_600, Source: electricitySource},
	{Kind: "electricity", From: "2025-08-01", Bill: "supplier", MicroEUR: 195_200, Source: electricitySource},
	{Kind: "electricity", From: "2026-02-01", Bill: "supplier", MicroEUR: 194_000, Source: electricitySource},
}

// Where the prices stand, in the words of a tenant's page.
const (
	waterSource       = "exemple, prix moyen de l’eau en France"
	heatSource        = "exemple, prix moyens de l’eau et du gaz en France"
	electricitySource = "exemple, tarif réglementé de l’électricité"
)

// What a household pays in advance for its water, hot and cold, by month: about what
// ordinary households of so many people used, as a landlord would set it by the year
// before.
const (
	advanceCents        = 800
	advancePerHeadCents = 2000
)

// provisions are of each household from the day it moved in; of a flat without
// meters none is known.
func provisions(d *household.Dwelling) (all []listProvision) {
	if d.Has(household.Unmetered) {
		return nil
	}
	for _, h := range d.Households {
		all = append(all, listProvision{From: h.MovedIn.String(), MonthlyCents: advanceCents + advancePerHeadCents*int64(h.Occupants)})
	}
	return all
}
