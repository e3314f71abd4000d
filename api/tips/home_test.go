package tips_test

import (
	"math"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// today is a Monday in winter.
var today = civil.Date{Year: 2026, Month: 2, Day: 16}

var paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return zone
}()

const (
	litre = metering.Amount(1000) // mL
	kwh   = metering.Amount(1000) // Wh
)

// A trait is one thing that is so in a home.
type trait func(*tips.Home)

// home is that of two people who agreed to everything, with these traits.
func home(traits ...trait) tips.Home {
	h := tips.Home{Today: today, Zone: paris, Consents: consent.Purposes, Occupants: 2, AreaM2: 60,
		Meters: map[metering.Kind]tips.Meter{}, Answers: map[tips.Answer]bool{}, DegreeDays: map[civil.Date]float64{},
		Similar: map[metering.Kind]tips.Band{}}
	for _, t := range traits {
		t(&h)
	}
	return h
}

func all(traits ...trait) trait {
	return func(h *tips.Home) {
		for _, t := range traits {
			t(h)
		}
	}
}

func water(w tips.WaterHeating) trait { return func(h *tips.Home) { h.Water = w } }

func yes(a tips.Answer) trait { return func(h *tips.Home) { h.Answers[a] = true } }

func no(a tips.Answer) trait { return func(h *tips.Home) { h.Answers[a] = false } }

// meter changes the home's meter of a kind; one that passed its check hangs
// there if there was none.
func meter(k metering.Kind, change func(*tips.Meter)) trait {
	return func(h *tips.Home) {
		m, hangs := h.Meters[k]
		if !hangs {
			m = tips.Meter{Resolution: metering.Fine, Checked: true, Pulse: 1}
			if k.IndexUnit() == metering.Millilitre {
				m.Pulse = litre
			}
			m.Why = metering.Explanation{Kind: k, Unit: k.IndexUnit(), Parts: make([]metering.Part, 1)}
		}
		change(&m)
		h.Meters[k] = m
	}
}

// daily sets what a meter counted on each of the 400 days before today.
func daily(k metering.Kind, of func(ago int) metering.Amount) trait {
	return meter(k, func(m *tips.Meter) {
		m.Days = nil
		for ago := 400; ago >= 1; ago-- {
			m.Days = append(m.Days, consumption.Day{Date: today.AddDays(-ago), Used: of(ago), Coverage: 1})
		}
	})
}

func always(used metering.Amount) func(int) metering.Amount {
	return func(int) metering.Amount { return used }
}

// curve sets what a meter counted in each ten minutes of the last days.
func curve(k metering.Kind, days int, of func(at time.Time) metering.Amount) trait {
	return meter(k, func(m *tips.Meter) {
		m.Curve = nil
		end := today.Start(paris)
		for at := today.AddDays(-days).Start(paris); at.Before(end); at = at.Add(10 * time.Minute) {
			m.Curve = append(m.Curve, metering.IntervalConsumption{Start: at, End: at.Add(10 * time.Minute), Used: of(at.In(paris))})
		}
	})
}

func flat(used metering.Amount) func(time.Time) metering.Amount {
	return func(time.Time) metering.Amount { return used }
}

// power is that of a home at night and by day, of six times as many watts.
func power(whInTenMinutes metering.Amount) trait {
	return curve(metering.Electricity, 100, flat(whInTenMinutes))
}

// draws is so much in each ten minutes from an hour on, so many of them, on the
// days that on chooses.
func draws(used metering.Amount, hour, times int, on func(time.Time) bool) func(time.Time) metering.Amount {
	return func(at time.Time) metering.Amount {
		minutes := (at.Hour()-hour)*60 + at.Minute()
		if on(at) && minutes >= 0 && minutes < 10*times {
			return used
		}
		return 0
	}
}

func everyDay(time.Time) bool { return true }

func on(days ...time.Weekday) func(time.Time) bool {
	return func(at time.Time) bool {
		for _, d := range days {
			if at.Weekday() == d {
				return true
			}
		}
		return false
	}
}

// quiet sets the quiet flow of a meter without a curve for the last days, the
// newest last.
func quiet(k metering.Kind, window time.Duration, flows ...metering.Amount) trait {
	return meter(k, func(m *tips.Meter) {
		m.Resolution, m.Quiet = metering.Day, nil
		for i, flow := range flows {
			m.Quiet = append(m.Quiet, tips.QuietDay{Date: today.AddDays(i - len(flows)), Flow: flow, Window: window})
		}
	})
}

// rooms sets the living room's mean on the last days, in m°C.
func rooms(means ...metering.Amount) trait {
	return all(meter(metering.Temperature, func(*tips.Meter) {}), func(h *tips.Home) {
		h.Rooms = nil
		for i, mean := range means {
			h.Rooms = append(h.Rooms, tips.RoomDay{Date: today.AddDays(i - len(means)), Mean: mean, Coverage: 1})
		}
	})
}

func week(mean metering.Amount) []metering.Amount {
	return []metering.Amount{mean, mean, mean, mean, mean, mean, mean}
}

// cold sets the degree-days of each of the 400 days before today.
func cold(of func(ago int) float64) trait {
	return func(h *tips.Home) {
		for ago := 1; ago <= 400; ago++ {
			h.DegreeDays[today.AddDays(-ago)] = of(ago)
		}
	}
}

func degrees(same float64) func(int) float64 { return func(int) float64 { return same } }

func similarWater(quarter, median, up metering.Amount) trait {
	return func(h *tips.Home) {
		h.SimilarWater = tips.Band{Homes: 30, Quarter: float64(quarter), Median: float64(median), Up: float64(up)}
	}
}

// A tariff is what a unit costs: cold water 4.69 €/m³; hot water that and 46.5 kWh
// of heat; electricity 0.194 €/kWh from the household's own supplier; heat 0.102
// €/kWh, of which 0.70 follow the meter.
type tariff struct{}

func (tariff) Rates(k metering.Kind, _ civil.Date) ([]tips.Rate, error) {
	rate := func(micro int64, per string, share float64, b tips.Bill) tips.Rate {
		return tips.Rate{Price: metering.Price{MicroEUR: micro, Per: per, From: "2026-01-01"}, Share: share, Bill: b, Source: "test"}
	}
	switch k {
	case metering.ColdWater:
		return []tips.Rate{rate(4_690_000, "m3", 1, tips.Charges)}, nil
	case metering.HotWater:
		return []tips.Rate{rate(4_690_000, "m3", 1, tips.Charges), rate(4_743_000, "m3", 1, tips.Charges)}, nil
	case metering.Electricity:
		return []tips.Rate{rate(194_000, "kWh", 1, tips.Supplier)}, nil
	case metering.Heat:
		return []tips.Rate{rate(102_000, "kWh", 0.7, tips.Charges)}, nil
	default:
		return nil, tips.ErrNoPrice
	}
}

// cents are those of an amount in euros that was reckoned by hand.
func cents(eur float64) int64 { return int64(math.Round(100 * eur)) }

// due are the tips that are due in a home, by id.
func due(t *testing.T, c *tips.Catalogue, h tips.Home) map[tips.ID]tips.Proposal {
	t.Helper()
	proposals, err := c.Find(h, tariff{})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[tips.ID]tips.Proposal{}
	for _, p := range proposals {
		byID[p.Entry.ID] = p
	}
	return byID
}
