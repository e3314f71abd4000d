package tips_test

import (
	"cmp"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A scene is the home in which a tip is due, what keeps it away there, and its
// yearly amount by hand, in euros from the cited figures; 0 where no honest one
// exists.
type scene struct {
	due      trait
	away     trait
	charges  float64
	supplier float64
	period   tips.Period // of the amount; a year unless given
}

// absent is an absence of ten days that ended yesterday.
func absent(h *tips.Home) {
	h.Absences = []tips.Absence{{From: today.AddDays(-11), To: today.AddDays(-1)}}
}

// scenes has an entry for each tip of the catalogue.
var scenes = map[tips.ID]scene{
	"large_leak": { // 84 L an hour without a stop
		due:     all(curve(metering.ColdWater, 1, flat(14*litre)), daily(metering.ColdWater, always(2016*litre))),
		away:    curve(metering.ColdWater, 1, draws(14*litre, 1, 2*6, everyDay)), // two hours of it
		charges: 84 * 24 * 365 / 1000.0 * 4.69,
	},
	"toilet_leak": { // 25 L/h of CIEAU's table: 600 L a day, 219 m³, 1,027 €
		due:     quiet(metering.ColdWater, time.Hour, 25*litre, 25*litre),
		away:    quiet(metering.ColdWater, time.Hour, 0, 25*litre),
		charges: 219 * 4.69,
	},
	"dripping_tap": { // 4 L/h of CIEAU's table: 35 m³, 164 €
		due:     quiet(metering.ColdWater, 2*time.Hour, 4*litre, 4*litre, 4*litre),
		away:    quiet(metering.ColdWater, time.Hour, 4*litre, 4*litre, 4*litre), // one litre a step: 1 L/h wants two hours
		charges: 4 * 8760 / 1000.0 * 4.69,
	},
	"hot_water_leak": { // 25 L/h: 219 m³ of water and of its heat
		due:     quiet(metering.HotWater, 2*time.Hour, 25*litre, 25*litre),
		away:    quiet(metering.HotWater, 2*time.Hour, 25*litre, 0),
		charges: 219 * (4.69 + 4.743),
	},
	"water_while_away": { // eight whole days of 30 L
		due:     all(daily(metering.ColdWater, always(30*litre)), absent),
		away:    daily(metering.ColdWater, always(0)),
		charges: 8 * 30 / 1000.0 * 4.69, period: tips.Observed,
	},
	"meter_test": {
		due: daily(metering.ColdWater, func(ago int) metering.Amount {
			if ago <= 14 {
				return 260 * litre
			}
			return 200 * litre
		}),
		away: daily(metering.ColdWater, func(ago int) metering.Amount {
			if ago <= 2 { // a pool was filled
				return 2000 * litre
			}
			return 200 * litre
		}),
	},
	"shower_not_bath": { // 78 L, 52 times: 4.056 m³ and its heat in an electric tank, 19 € + 25 €
		due: all(water(tips.ElectricTank), yes(tips.HasBath), daily(metering.ColdWater, always(200*litre)),
			curve(metering.ColdWater, 28, draws(75*litre, 19, 2, on(time.Sunday)))),
		away:    curve(metering.ColdWater, 28, draws(36*litre, 19, 2, on(time.Sunday))), // a shower of 72 L
		charges: 78 * 52 / 1000.0 * 4.69, supplier: 78 * 52 * 26.7 / 1000 / 0.85 * 0.194,
	},
	"shorter_shower": { // 12 L a day for each of two people: 20.5 € + 26.7 € each
		due:     all(water(tips.ElectricTank), daily(metering.ColdWater, always(360*litre)), similarWater(80*litre, 110*litre, 150*litre)),
		away:    daily(metering.ColdWater, always(280*litre)),
		charges: 2 * 4.38 * 4.69, supplier: 2 * 4380 * 26.7 / 1000 / 0.85 * 0.194,
	},
	"smaller_flush": { // 12 L to 6 L, three times a day for two: 13.14 m³, 31 € each
		due: all(water(tips.GasBoiler), daily(metering.ColdWater, always(200*litre)),
			curve(metering.ColdWater, 14, draws(12*litre, 2, 1, everyDay))),
		away:    curve(metering.ColdWater, 14, draws(6*litre, 2, 1, everyDay)),
		charges: 6 * 3 * 365 * 2 / 1000.0 * 4.69,
	},
	"mixer_on_cold": {
		due:  all(daily(metering.ColdWater, always(50*litre)), daily(metering.HotWater, always(50*litre))),
		away: daily(metering.ColdWater, always(75*litre)),
	},
	"bravo_water": {
		due: all(water(tips.GasBoiler), daily(metering.ColdWater, always(120*litre)), similarWater(80*litre, 110*litre, 150*litre),
			quiet(metering.ColdWater, time.Hour, 0, 0)),
		away: daily(metering.ColdWater, always(30*litre)), // next to nothing is not praised
	},
	"night_standby": { // 102 W where three of four draw at most 52 W: 50 W, 85 €
		due: all(power(17), func(h *tips.Home) {
			h.SimilarBase = tips.Band{Homes: 30, Quarter: 20, Median: 35, Up: 52}
		}),
		away:     power(10),
		supplier: 50 * 8.76 * 0.194,
	},
	"box_off_at_night": { // 20 W, 8 hours: 58 kWh, 11 €
		due:      all(power(10), yes(tips.HasBox), no(tips.NeedsLine)),
		away:     yes(tips.NeedsLine),
		supplier: 20 * 8 * 365 / 1000.0 * 0.194,
	},
	"second_freezer": { // 308 kWh of ADEME: 60 €
		due:      all(power(10), yes(tips.HasSecondFreezer)),
		away:     power(5),
		supplier: 308 * 0.194,
	},
	"dry_in_air": { // 301 kWh of ADEME: 58 €
		due:      all(yes(tips.HasDryer), dryer(6)),
		away:     dryer(3), // half an hour is no dryer
		supplier: 301 * 0.194,
	},
	"computer_off": { // 54 W more, of which a computer idles at 50: 10 hours, 35 €
		due:      computer(19),
		away:     computer(11),
		supplier: 50 * 10 * 365 / 1000.0 * 0.194,
	},
	"extra_heater": {
		due: all(yes(tips.SharedHeating), cold(func(ago int) float64 { return float64(ago % 15) }),
			daily(metering.Electricity, func(ago int) metering.Amount { return 6*kwh + 300*metering.Amount(ago%15) })),
		away: daily(metering.Electricity, func(ago int) metering.Amount { return 6*kwh + 300*metering.Amount(ago*7%13) }),
	},
	"one_degree_less": { // 7 % of 6,000 kWh: 420 kWh, of whose price 0.70 follow the meter
		due:     all(rooms(week(21500)...), cold(degrees(10)), daily(metering.Heat, always(6_000_000/365))),
		away:    rooms(week(20000)...),
		charges: 420 * 0.102 * 0.70,
	},
	"close_shutters": { // 10 kWh a day at 10 degrees on 60 m²
		due:  all(cold(degrees(10)), daily(metering.Heat, always(10*kwh)), similarHeat(15)),
		away: similarHeat(17),
	},
	"heating_on_mild_days": { // six days of 2 kWh
		due:     all(mild(6), daily(metering.Heat, always(2*kwh))),
		away:    mild(4),
		charges: 6 * 2 * 0.102 * 0.70, period: tips.Observed,
	},
	"heating_above_habit": { // 28 days of 12 kWh where 10 kWh were usual: 56 kWh
		due:     all(cold(degrees(10)), heatRose(12*kwh)),
		away:    heatRose(11 * kwh),
		charges: 56 * 0.102 * 0.70, period: tips.Observed,
	},
	"cold_home": {
		due:  rooms(17000, 17500),
		away: rooms(17000, 18200),
	},
	"set_money_aside": { // 1,200 € in advance, 1,440 to 1,560 € to pay
		due:  budget(6),
		away: budget(5),
	},
	"help_with_bills": {
		due:  func(*tips.Home) {},
		away: func(h *tips.Home) { h.Today = civil.Date{Year: 2026, Month: 6, Day: 1} },
	},
}

// dryer draws 2,000 W for so many times ten minutes on three days a week, above
// 60 W.
func dryer(times int) trait {
	runs := draws(333, 15, times, on(time.Monday, time.Wednesday, time.Friday))
	return curve(metering.Electricity, 28, func(at time.Time) metering.Amount { return 10 + runs(at) })
}

// computer is a home of 60 W at night, and of so many Wh in ten minutes since a
// computer came, forty days ago.
func computer(since metering.Amount) trait {
	handed := today.AddDays(-40)
	return all(func(h *tips.Home) { h.Computer = handed }, curve(metering.Electricity, 100, func(at time.Time) metering.Amount {
		if civil.DateOf(at).Before(handed) {
			return 10
		}
		return since
	}))
}

func similarHeat(up float64) trait {
	return func(h *tips.Home) {
		h.Similar[metering.Heat] = tips.Band{Homes: 30, Quarter: 10, Median: 12, Up: up}
	}
}

func mild(days int) trait {
	return cold(func(ago int) float64 {
		if ago <= days {
			return 0
		}
		return 10
	})
}

// heatRose is 10 kWh of heat a day, and so much on each of the last 28 days.
func heatRose(since metering.Amount) trait {
	return daily(metering.Heat, func(ago int) metering.Amount {
		if ago <= 28 {
			return since
		}
		return 10 * kwh
	})
}

func budget(months int) trait {
	return func(h *tips.Home) {
		h.Budget = &tips.Budget{Provision: 120000, ProjectedLow: 144000, ProjectedHigh: 156000, MonthsOfReading: months}
	}
}

// Every tip appears where it is due, with its amount as by hand, and is kept away.
func TestEveryTip(t *testing.T) {
	c := open(t)
	for id := range scenes {
		if _, known := c.Entry(id); !known {
			t.Errorf("scene of %s, which is not in the catalogue", id)
		}
	}
	for _, e := range c.Entries {
		t.Run(string(e.ID), func(t *testing.T) {
			s, known := scenes[e.ID]
			if !known {
				t.Fatal("no scene makes this tip appear and keeps it away: write one")
			}
			p, shown := due(t, c, home(s.due))[e.ID]
			if !shown {
				t.Fatal("the tip does not appear")
			}
			s.checkAmount(t, p)
			s.checkText(t, p)
			if _, shown := due(t, c, home(s.due, s.away))[e.ID]; shown {
				t.Error("the tip is not kept away")
			}
		})
	}
}

func (s scene) checkAmount(t *testing.T, p tips.Proposal) {
	t.Helper()
	if s.charges+s.supplier == 0 {
		if p.Saving != nil {
			t.Errorf("saving of %d cents, want none: no honest amount exists", p.Saving.Cents())
		}
		return
	}
	if p.Saving == nil || !p.Saving.Priced {
		t.Fatalf("saving %+v, want euros", p.Saving)
	}
	if p.Saving.ChargesCents != cents(s.charges) || p.Saving.SupplierCents != cents(s.supplier) {
		t.Errorf("%d cents of charges and %d of the supplier, by hand %d and %d",
			p.Saving.ChargesCents, p.Saving.SupplierCents, cents(s.charges), cents(s.supplier))
	}
	if want := cmp.Or(s.period, tips.AYear); p.Saving.Period != want {
		t.Errorf("saving is for %q, want %q", p.Saving.Period, want)
	}
	if p.Saving.Why.Capped {
		t.Error("the saving was capped: the scene is no check of the formula")
	}
	if len(p.Saving.Why.Rates) == 0 || len(p.Saving.Why.Terms) == 0 || p.Saving.Why.CapSource == "" {
		t.Errorf("the saving does not explain itself: %+v", p.Saving.Why)
	}
}

func (s scene) checkText(t *testing.T, p tips.Proposal) {
	t.Helper()
	for _, text := range []tips.Text{p.Entry.Title, p.Entry.Why, p.Entry.How, p.Entry.Safety} {
		for _, words := range []string{text.French, text.English} {
			filled := p.Finding.Fill(words, func(string, float64) string { return "7" })
			if strings.ContainsAny(filled, "{}") {
				t.Errorf("a figure is missing in %q", filled)
			}
		}
	}
	for name, figure := range p.Finding.Figures {
		if _, known := tips.FigureUnit(name); !known || math.IsNaN(figure) || math.IsInf(figure, 0) {
			t.Errorf("figure %s is %g, its unit known: %t", name, figure, known)
		}
	}
}
