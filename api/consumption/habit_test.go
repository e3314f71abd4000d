package consumption_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A household that washes on Sundays is compared with its Sundays; heat with as cold
// days; and both figures and the way from one to the other are explained.
func TestAgainst(t *testing.T) {
	reader, client, db := homeAndStore(t, testkit.Influx(t), moved)
	around := consumption.NewNeighbourhood(db, client)
	var days []closedDay
	index := metering.Amount(1_000_000)
	for d := date(t, "2025-11-24"); d.Before(date(t, "2026-02-12")); d = d.AddDays(1) {
		used := metering.Amount(100_000)
		if d.Start(time.UTC).Weekday() == time.Sunday {
			used = 300_000
		}
		index += used
		days = append(days, closedDay{"a", d.String(), index, used})
	}
	write(t, client, days, nil)
	var months []influx.Consumption
	for i, month := range []string{"2025-01", "2026-01"} {
		months = append(months, influx.Consumption{Meter: "heat", Start: local(t, month+"-01 00:00:00"), Index: 900_000 + metering.Amount(i)*620_000, Used: 620_000})
	}
	if err := client.WriteConsumption(t.Context(), influx.Monthly, months); err != nil {
		t.Fatal(err)
	}
	var cold []consumption.Temperature
	for d := date(t, "2025-01-01"); d.Before(date(t, "2025-02-01")); d = d.AddDays(1) {
		cold = append(cold, consumption.Temperature{Day: d, Low: -4, High: 0},
			consumption.Temperature{Day: civil.Date{Year: 2026, Month: d.Month, Day: d.Day}, Low: 6, High: 10})
	}
	if err := around.ImportWeather(t.Context(), "r", cold); err != nil {
		t.Fatal(err)
	}
	home, err := reader.Lived(t.Context(), premises.Own("p"), local(t, "2026-02-18 14:00:00"), date(t, "2025-01-01"), date(t, "2026-01-01"), date(t, "2026-02-18"))
	if err != nil {
		t.Fatal(err)
	}
	water, heat := home.Series[0], home.Series[1]
	compare := func(s consumption.Series, b consumption.Basis, from, to string) consumption.Comparison {
		t.Helper()
		c, err := around.Against(t.Context(), home, s, b, date(t, from), date(t, to))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// Sunday 1 February to Sunday 8 February: two Sundays in eight days.
	c := compare(water, consumption.Habit, "2026-02-01", "2026-02-09")
	if c.Refused != "" || !c.Weekdays || c.Used != 1_200_000 || c.Expected != 1_200_000 || c.Trend != consumption.AsUsual {
		t.Errorf("two Sundays of eight days: %+v", c)
	}
	if c.Why == nil || c.Then == nil || c.Why.Used != c.Used || len(c.Then.Parts) != 1 || c.Formula != "mean of the same days of the week of 56 days = 1.200000 m3" {
		t.Errorf("it is explained by %+v, %+v, %q", c.Why, c.Then, c.Formula)
	}
	c = compare(heat, consumption.LastYear, "2026-01-01", "2026-02-01")
	if !c.Corrected || c.DegreeDays != 310 || c.WithDegreeDays != 620 || c.Expected != 310_000 || c.Percent != 100 ||
		c.Formula != "620.000 kWh x 310.0/620.0 degree-days = 310.000 kWh" {
		t.Errorf("heat of a month half as cold: %+v, %q", c, c.Formula)
	}
	if got := c.Used - c.Then.Used; got != 0 || c.Why.Parts[0].To.Meter != "heat" {
		t.Errorf("the raw figures are %+v and %+v", c.Why, c.Then)
	}
	// Without the weather of both nothing is corrected, and it says so.
	c = compare(heat, consumption.LastYear, "2026-01-01", "2026-01-31")
	if c.Corrected || c.DegreeDays != 0 {
		t.Errorf("a part of a month that is read by month: %+v", c)
	}
}

// What a page may be asked with: nothing read yet, two days, a gap, nobody
// declared. None shows a number that is not known.
func TestLittleIsKnown(t *testing.T) {
	server := testkit.Influx(t)
	for _, tt := range []struct {
		name    string
		closed  []closedDay
		refused consumption.Refusal
		each    bool
	}{
		{"no series", nil, consumption.TooLittle, false},
		{"two days", []closedDay{{"a", "2026-05-03", 1500, 500}, {"a", "2026-05-04", 2100, 600}}, consumption.TooLittle, true},
		{"a gap of most days", []closedDay{{"a", "2026-04-01", 1500, 500}, {"a", "2026-05-02", 9000, 600}}, consumption.TooLittle, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reader, client, db := homeAndStore(t, server, head+onePoint)
			write(t, client, tt.closed, nil)
			home, err := reader.Lived(t.Context(), premises.Own("p"), local(t, "2026-05-11 12:00:00"), date(t, "2025-05-01"), date(t, "2026-05-01"), date(t, "2026-05-12"))
			if err != nil {
				t.Fatal(err)
			}
			around, s := consumption.NewNeighbourhood(db, client), home.Series[0]
			for _, b := range []consumption.Basis{consumption.Habit, consumption.LastYear} {
				c, err := around.Against(t.Context(), home, s, b, date(t, "2026-05-01"), date(t, "2026-05-12"))
				if err != nil || c.Refused == "" || c.Used != 0 || c.Expected != 0 || c.Percent != 0 || c.Why != nil || c.Then != nil || c.Formula != "" {
					t.Errorf("%s: %+v, %v", b, c, err)
				}
				if b == consumption.Habit && c.Refused != tt.refused {
					t.Errorf("refused with %s, want %s", c.Refused, tt.refused)
				}
			}
			why := s.Over(date(t, "2026-05-01"), date(t, "2026-05-12"))
			if _, ok := consumption.PerPersonDay(why, 11, 0); ok {
				t.Error("nobody is declared, and somebody used something")
			}
			if _, ok := consumption.PerPersonDay(why, 11, 1); ok != tt.each {
				t.Errorf("a person and day is told: %v", ok)
			}
			if (why.Quality == metering.Missing) == tt.each || why.Coverage > 0.2 {
				t.Errorf("%+v", why)
			}
		})
	}
}

// Hot water of a household that declared nobody is compared by area.
func TestMeasureFor(t *testing.T) {
	for kind, want := range map[metering.Kind][2]consumption.Measure{
		metering.HotWater:  {consumption.PerM2, consumption.PerPerson},
		metering.Heat:      {consumption.PerM2, consumption.PerM2},
		metering.ColdWater: {consumption.PerPerson, consumption.PerPerson},
	} {
		if got := [2]consumption.Measure{consumption.MeasureFor(kind, 0), consumption.MeasureFor(kind, 3)}; got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}
