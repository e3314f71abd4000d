package tips_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// meters changes every meter of a home.
func meters(change func(*tips.Meter)) trait {
	return func(h *tips.Home) {
		for k, m := range h.Meters {
			change(&m)
			h.Meters[k] = m
		}
	}
}

// Nothing is shown without each of the consents that a tip names, nor where a
// meter may not be read as finely as it needs.
func TestTipsKeepToConsentAndResolution(t *testing.T) {
	c := open(t)
	coarser := map[metering.Resolution]metering.Resolution{metering.Fine: metering.Hour, metering.Day: metering.Month}
	for _, e := range c.Entries {
		for _, purpose := range e.Consents {
			h := home(scenes[e.ID].due)
			h.Consents = slices.DeleteFunc(slices.Clone(consent.Purposes), func(p consent.Purpose) bool { return p == purpose })
			if _, shown := due(t, c, h)[e.ID]; shown {
				t.Errorf("%s is shown without the consent %s", e.ID, purpose)
			}
		}
		for _, n := range e.Needs {
			h := home(scenes[e.ID].due, meter(n.Kind, func(m *tips.Meter) { m.Resolution = coarser[n.Resolution] }))
			if _, shown := due(t, c, h)[e.ID]; shown {
				t.Errorf("%s is shown though %s is read by %s only", e.ID, n.Kind, coarser[n.Resolution])
			}
		}
	}
}

// What is not known makes no tip, and no number.
func TestBadInputMakesNoTip(t *testing.T) {
	c := open(t)
	estimated := meters(func(m *tips.Meter) {
		m.Quiet = nil
		for i := range m.Days {
			m.Days[i].Quality = metering.Estimated
		}
		for i := range m.Curve {
			m.Curve[i].Quality = metering.Estimated
		}
	})
	for _, tt := range []struct {
		name  string
		bad   trait
		alone []tips.ID // those that are due all the same; nil for none but rights
	}{
		{"estimated", estimated, []tips.ID{"cold_home", "set_money_aside", "one_degree_less"}}, // without an amount
		{"the day is not over", all(meters(func(m *tips.Meter) {
			m.Quiet, m.Curve = nil, nil
			for i := range m.Days {
				m.Days[i].Open = true
			}
		})), []tips.ID{"cold_home", "set_money_aside", "one_degree_less"}},
		{"a tenth and more of the days are gone", all(meters(func(m *tips.Meter) {
			m.Quiet, m.Curve = nil, nil
			for i := range m.Days {
				if i%7 == 0 {
					m.Days[i].Coverage = 0.5
				}
			}
		})), []tips.ID{"cold_home", "set_money_aside", "one_degree_less", "water_while_away"}}, // it counts the days that are known
		{"two days", all(meters(func(m *tips.Meter) {
			m.Days, m.Curve = m.Days[max(0, len(m.Days)-2):], m.Curve[max(0, len(m.Curve)-2*144):]
			m.Quiet = m.Quiet[max(0, len(m.Quiet)-2):]
		}), func(h *tips.Home) { h.Rooms = h.Rooms[max(0, len(h.Rooms)-2):] }),
			[]tips.ID{"cold_home", "set_money_aside", "large_leak", "toilet_leak", "hot_water_leak"}},
		{"no room sensor answers", func(h *tips.Home) {
			for i := range h.Rooms {
				h.Rooms[i].Coverage = 0.5
			}
			h.Budget, h.Meters = nil, nil
		}, nil},
		{"no zone", func(h *tips.Home) { h.Zone = nil }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for id, s := range scenes {
				p, shown := due(t, c, home(s.due, tt.bad))[id]
				if id == "one_degree_less" && p.Saving != nil {
					t.Errorf("an amount of a year's heat that is not known: %+v", p.Saving)
				}
				expected := slices.Contains(tt.alone, id) || id == "help_with_bills" && tt.name != "no zone"
				if shown != expected {
					t.Errorf("%s is shown: %t", id, shown)
				}
			}
		})
	}
}

func TestEmptyFlatHearsNothing(t *testing.T) {
	nothing := home(water(tips.SharedHotWater), cold(degrees(8)), power(0), similarWater(80*litre, 110*litre, 150*litre),
		daily(metering.ColdWater, always(0)), daily(metering.HotWater, always(0)), daily(metering.Heat, always(0)),
		curve(metering.ColdWater, 100, flat(0)), curve(metering.HotWater, 100, flat(0)))
	if got := due(t, open(t), nothing); len(got) != 1 {
		t.Errorf("an empty flat is told %v", got)
	}
}

func TestNobodySaidHowManyLiveThere(t *testing.T) {
	c := open(t)
	for _, id := range []tips.ID{"shorter_shower", "bravo_water", "smaller_flush"} {
		h := home(scenes[id].due)
		h.Occupants = 0
		if _, shown := due(t, c, h)[id]; shown {
			t.Errorf("%s counts people that nobody declared", id)
		}
	}
}

func TestFewSimilarHomesSayNothing(t *testing.T) {
	c := open(t)
	for _, id := range []tips.ID{"shorter_shower", "bravo_water", "night_standby", "close_shutters"} {
		h := home(scenes[id].due)
		h.SimilarWater.Homes, h.SimilarBase.Homes = 19, 19
		for k, band := range h.Similar {
			band.Homes = 19
			h.Similar[k] = band
		}
		if _, shown := due(t, c, h)[id]; shown {
			t.Errorf("%s compares with the quarter of 19 homes", id)
		}
	}
}

// Other ways to the same tips, and what looks like them.
func TestDetectors(t *testing.T) {
	c := open(t)
	night := func(at time.Time) bool { return at.Hour() < 6 }
	leak := func(used metering.Amount) func(time.Time) metering.Amount { // beside showers of 60 L at seven
		return func(at time.Time) metering.Amount {
			return used + draws(30*litre, 7, 2, everyDay)(at)
		}
	}
	tank := draws(333, 1, 12, everyDay)
	for _, tt := range []struct {
		name  string
		id    tips.ID
		home  trait
		shown bool
	}{
		{"a toilet by the curve", "toilet_leak", curve(metering.ColdWater, 3, leak(2*litre)), true},
		{"a night worker's showers", "toilet_leak", curve(metering.ColdWater, 3, draws(30*litre, 3, 2, everyDay)), false},
		{"a softener rinses for two hours", "toilet_leak", curve(metering.ColdWater, 3, draws(20*litre, 2, 12, everyDay)), false},
		{"somebody is up all night", "large_leak", curve(metering.ColdWater, 1, func(at time.Time) metering.Amount {
			if night(at) && at.Minute() == 0 {
				return 12 * litre
			}
			return 0
		}), false},
		{"a burst by the day, without a curve", "large_leak", all(daily(metering.ColdWater, func(ago int) metering.Amount {
			if ago == 1 {
				return 3000 * litre
			}
			return 250 * litre
		}), meter(metering.ColdWater, func(m *tips.Meter) { m.Resolution = metering.Day })), true},
		{"a filled pool: the water stood still at night", "large_leak", all(daily(metering.ColdWater, func(ago int) metering.Amount {
			if ago == 1 {
				return 3000 * litre
			}
			return 250 * litre
		}), quiet(metering.ColdWater, time.Hour, 0)), false},
		{"a drip that ten litres a step cannot show", "dripping_tap", all(quiet(metering.ColdWater, 5*time.Hour, 4*litre, 4*litre, 4*litre),
			meter(metering.ColdWater, func(m *tips.Meter) { m.Pulse = 10 * litre })), false},
		{"a drip over a window that ten litres a step fill twice", "dripping_tap", all(quiet(metering.ColdWater, 20*time.Hour, 4*litre, 4*litre, 4*litre),
			meter(metering.ColdWater, func(m *tips.Meter) { m.Pulse = 10 * litre })), true},
		{"away on the first and the last day only", "water_while_away", all(daily(metering.ColdWater, always(30*litre)), func(h *tips.Home) {
			h.Absences = []tips.Absence{{From: today.AddDays(-3), To: today.AddDays(-1)}}
		}), false},
		{"away in summer", "water_while_away", all(daily(metering.ColdWater, always(30*litre)), func(h *tips.Home) {
			h.Absences = []tips.Absence{{From: today.AddDays(-200), To: today.AddDays(-190)}}
		}), false},
		{"more water after a holiday", "meter_test", all(scenes["meter_test"].due, func(h *tips.Home) {
			h.Absences = []tips.Absence{{From: today.AddDays(-40), To: today.AddDays(-20)}}
		}), false},
		{"60 W more than two months ago", "night_standby", curve(metering.Electricity, 100, func(at time.Time) metering.Amount {
			if civil.DateOf(at).Before(today.AddDays(-20)) {
				return 10
			}
			return 20
		}), true},
		{"a tank that heats from one to three", "night_standby", all(curve(metering.Electricity, 100, func(at time.Time) metering.Amount {
			return 8 + tank(at)
		}), func(h *tips.Home) { h.SimilarBase = tips.Band{Homes: 30, Up: 52} }), false},
		{"a box, and nobody said what hangs on it", "box_off_at_night", all(power(10), yes(tips.HasBox)), false},
		{"a computer that came last week", "computer_off", all(computer(19), func(h *tips.Home) { h.Computer = today.AddDays(-7) }), false},
		{"heat that follows the cold where the home pays for it", "extra_heater", all(scenes["extra_heater"].due, no(tips.SharedHeating)), false},
		{"a warm room on mild days", "one_degree_less", all(scenes["one_degree_less"].due, cold(degrees(2))), false},
		{"half a year of heat", "one_degree_less", all(scenes["one_degree_less"].due, meter(metering.Heat, func(m *tips.Meter) { m.Days = m.Days[220:] })), true},
		{"more heat because it was colder", "heating_above_habit", all(cold(func(ago int) float64 {
			if ago <= 28 {
				return 15
			}
			return 10
		}), heatRose(15*kwh)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, shown := due(t, c, home(tt.home))[tt.id]
			if shown != tt.shown {
				t.Errorf("%s is shown: %t", tt.id, shown)
			}
			if tt.name == "half a year of heat" && p.Saving != nil {
				t.Errorf("a year was made of half a year: %+v", p.Saving)
			}
		})
	}
}

// Days of 23 and of 25 hours are days.
func TestLeakWhenTheClockChanges(t *testing.T) {
	c := open(t)
	for _, date := range []civil.Date{{Year: 2026, Month: 3, Day: 29}, {Year: 2025, Month: 10, Day: 26}} {
		h := home()
		h.Today = date.AddDays(1)
		var m tips.Meter
		m.Resolution, m.Checked, m.Pulse = metering.Fine, true, litre
		for at := date.AddDays(-2).Start(paris); at.Before(h.Today.Start(paris)); at = at.Add(10 * time.Minute) {
			m.Curve = append(m.Curve, metering.IntervalConsumption{Start: at, End: at.Add(10 * time.Minute), Used: 4 * litre})
		}
		h.Meters[metering.ColdWater] = m
		p, shown := due(t, c, h)["toilet_leak"]
		if !shown || math.Abs(p.Finding.Figures["flow_l_per_h"]-24) > 1e-9 {
			t.Errorf("%s: shown %t, %v, want 24 L/h", date, shown, p.Finding.Figures)
		}
	}
}

// Whatever the meters tell, nothing falls over, no number is senseless, and what
// comes later than yesterday changes nothing.
func TestAnyHome(t *testing.T) {
	c := open(t)
	rapid.Check(t, func(t *rapid.T) {
		scene := scenes[rapid.SampledFrom(c.Entries).Draw(t, "scene").ID]
		other := scenes[rapid.SampledFrom(c.Entries).Draw(t, "other").ID]
		h := home(scene.due, other.due)
		h.Occupants = rapid.IntRange(-1, 9).Draw(t, "occupants")
		h.AreaM2 = rapid.IntRange(-1, 200).Draw(t, "area")
		used := rapid.Int64Range(-1e6, 1e12)
		meters(func(m *tips.Meter) {
			for range rapid.IntRange(0, 5).Draw(t, "odd days") {
				if n := len(m.Days); n > 0 {
					m.Days[n-1-rapid.IntRange(0, min(30, n-1)).Draw(t, "day")].Used = metering.Amount(used.Draw(t, "used"))
				}
			}
			m.Pulse = metering.Amount(rapid.Int64Range(0, 100_000).Draw(t, "pulse"))
		})(&h)
		found, err := c.Find(h, tariff{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			checkSense(t, p)
		}
		h.Today = h.Today.AddDays(-1)
		sooner, err := c.Find(h, tariff{})
		if err != nil {
			t.Fatal(err)
		}
		meters(func(m *tips.Meter) {
			m.Days = slices.DeleteFunc(m.Days, func(d consumption.Day) bool { return !d.Date.Before(h.Today) })
		})(&h)
		cut, err := c.Find(h, tariff{})
		if err != nil || !slices.Equal(ids(sooner), ids(cut)) {
			t.Fatalf("yesterday %v, without what came later %v, %v", ids(sooner), ids(cut), err)
		}
	})
}

func checkSense(t *rapid.T, p tips.Proposal) {
	for name, figure := range p.Finding.Figures {
		if math.IsNaN(figure) || math.IsInf(figure, 0) || figure < 0 {
			t.Fatalf("%s: %s is %g", p.Entry.ID, name, figure)
		}
	}
	if p.Finding.Coverage <= 0 || p.Finding.Coverage > 1 || p.Score < 0 {
		t.Fatalf("%s: coverage %g, score %g", p.Entry.ID, p.Finding.Coverage, p.Score)
	}
	if p.Saving != nil && (p.Saving.ChargesCents < 0 || p.Saving.SupplierCents < 0) {
		t.Fatalf("%s costs: %+v", p.Entry.ID, p.Saving)
	}
}
