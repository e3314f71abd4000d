package consumption_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

func date(t testing.TB, text string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Two flats: the family moved from the first to the second in March 2026. Heat is
// read by the month, water by the day.
const moved = `
residence: {id: r, name: R, zone: Europe/Paris, earliest: 2024-01-01T00:00:00Z}
gateways: [{id: g}]
dwellings:
  - id: d1
    label: "1"
    area_m2: 50
    households: [{id: h, occupants: 2, language: fr, moved_in: 2024-06-01, moved_out: 2026-03-01, consents: [fine_curve], persons: [{id: p, name: P}]}]
    points:
      - {id: p1, kind: cold_water, meters: [{id: a, gateway: g, interval: 10s, resolution: fine, from: "2024-01-01T00:00:00Z"}]}
      - {id: q1, kind: heat, meters: [{id: heat, gateway: g, interval: 10s, resolution: fine, from: "2024-01-01T00:00:00Z"}]}
  - id: d2
    label: "2"
    area_m2: 60
    households: [{id: h, occupants: 2, language: fr, moved_in: 2026-03-01, consents: [fine_curve], persons: [{id: p, name: P}]}]
    points:
      - {id: p2, kind: cold_water, meters: [{id: b, gateway: g, interval: 10s, resolution: fine, from: "2024-01-01T00:00:00Z"}]}
`

// used writes days of a meter that used the same on each.
func used(t *testing.T, client *influx.Client, m metering.MeterID, from, to string, each metering.Amount) {
	t.Helper()
	var days []closedDay
	index := metering.Amount(1_000_000)
	for d := date(t, from); d.Before(date(t, to)); d = d.AddDays(1) {
		index += each
		days = append(days, closedDay{m, d.String(), index, each})
	}
	write(t, client, days, nil)
}

func TestCompared(t *testing.T) {
	reader, client := home(t, testkit.Influx(t), moved)
	used(t, client, "a", "2025-01-01", "2025-03-01", 200_000)
	used(t, client, "a", "2025-11-01", "2026-03-01", 150_000)
	used(t, client, "b", "2026-03-01", "2026-03-10", 90_000)
	var months []influx.Consumption
	for i, month := range []string{"2025-01", "2026-01", "2026-02"} {
		months = append(months, influx.Consumption{Meter: "heat", Start: local(t, month+"-01 00:00:00"), Index: 900_000 + metering.Amount(i)*620_000, Used: 620_000})
	}
	if err := client.WriteConsumption(t.Context(), influx.Monthly, months); err != nil {
		t.Fatal(err)
	}
	got, err := reader.Between(t.Context(), premises.Own("p"), local(t, "2026-03-18 14:00:00"), date(t, "2025-01-01"), date(t, "2026-04-01"))
	if err != nil {
		t.Fatal(err)
	}
	water, heat := got.Series[0], got.Series[1]
	if heat.Kind != metering.Heat {
		water, heat = heat, water
	}
	cold := consumption.Weather{} // twice as cold a year before
	for d := date(t, "2025-01-01"); d.Before(date(t, "2025-03-01")); d = d.AddDays(1) {
		cold.Note(d, -4, 0)
		cold.Note(civil.Date{Year: 2026, Month: d.Month, Day: d.Day}, 6, 10)
	}
	for _, tt := range []struct {
		name      string
		s         consumption.Series
		basis     consumption.Basis
		from, to  string
		weather   consumption.Weather
		refused   consumption.Refusal
		expected  metering.Amount
		percent   int
		trend     consumption.Trend
		corrected bool
	}{
		{"the year before", water, consumption.LastYear, "2026-01-01", "2026-02-01", nil, "", 31 * 200_000, -25, "less", false},
		{"the habit", water, consumption.Habit, "2026-02-01", "2026-02-15", nil, "", 14 * 150_000, 0, "as_usual", false},
		{"six days", water, consumption.LastYear, "2026-01-01", "2026-01-07", nil, "too_short", 0, 0, "", false},
		{"seven days", water, consumption.LastYear, "2026-01-01", "2026-01-08", nil, "", 7 * 200_000, -25, "less", false},
		{"days to come do not count", water, consumption.LastYear, "2026-03-14", "2026-04-01", nil, "too_short", 0, 0, "", false},
		{"another flat a year before", water, consumption.LastYear, "2026-03-01", "2026-03-10", nil, "other_home", 0, 0, "", false},
		{"another flat before", water, consumption.Habit, "2026-03-01", "2026-03-10", nil, "other_home", 0, 0, "", false},
		{"nothing known a year before", water, consumption.LastYear, "2025-12-01", "2026-01-01", nil, "other_home", 0, 0, "", false}, // not asked for
		{"too little known of the habit", water, consumption.Habit, "2025-11-10", "2025-11-30", nil, "too_little", 0, 0, "", false},
		{"heat, weather known", heat, consumption.LastYear, "2026-01-01", "2026-02-01", cold, "", 31 * 10_000, 100, "more", true},
		{"heat, weather not known", heat, consumption.LastYear, "2026-01-01", "2026-02-01", nil, "", 31 * 20_000, 0, "as_usual", false},
		{"heat, habit of another season", heat, consumption.Habit, "2026-02-01", "2026-03-01", nil, "other_season", 0, 0, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.s.Compared(tt.basis, date(t, tt.from), date(t, tt.to), got.Today, tt.weather)
			if c.Refused != tt.refused || c.Expected != tt.expected || c.Percent != tt.percent || c.Trend != tt.trend || c.Corrected != tt.corrected {
				t.Errorf("%+v", c)
			}
			if tt.refused != "" && (c.Used != 0 || c.Expected != 0) {
				t.Errorf("a refused comparison shows figures: %+v", c)
			}
		})
	}
}

// Any two dates: one difference of indexes a meter, never one over the time that
// somebody else lived there.
func TestOver(t *testing.T) {
	reader, client := home(t, testkit.Influx(t), strings.Replace(moved, "moved_in: 2026-03-01,", "moved_in: 2026-04-01,", 1)+`
  - id: d3
    label: "3"
`)
	used(t, client, "a", "2026-01-01", "2026-01-11", 100_000)
	write(t, client, []closedDay{{"a", "2026-01-20", 2_500_000, 100_000}}, nil)
	used(t, client, "b", "2026-03-20", "2026-04-06", 70_000)
	got, err := reader.Between(t.Context(), premises.Own("p"), local(t, "2026-05-18 14:00:00"), date(t, "2026-01-01"), date(t, "2026-05-18"))
	if err != nil {
		t.Fatal(err)
	}
	water := got.Series[0]
	for _, tt := range []struct {
		from, to string
		used     metering.Amount
		coverage float64
		quality  metering.Quality
	}{
		{"2026-01-03", "2026-01-06", 300_000, 1, metering.Measured},
		{"2026-01-01", "2026-01-21", 1_500_000, 1, metering.Measured}, // exact over the days that are not known
		{"2026-01-01", "2026-01-31", 1_500_000, 2.0 / 3, metering.Measured},
		{"2026-03-20", "2026-04-01", 0, 0, metering.Missing}, // somebody else's, or nobody's
		{"2026-03-27", "2026-04-06", 5 * 70_000, 0.5, metering.Measured},
		{"2026-02-01", "2026-02-10", 0, 0, metering.Missing},
		{"2026-02-10", "2026-02-01", 0, 0, metering.Missing},
	} {
		why := water.Over(date(t, tt.from), date(t, tt.to))
		if why.Used != tt.used || math.Abs(why.Coverage-tt.coverage) > 0.01 || why.Quality != tt.quality {
			t.Errorf("%s to %s: %+v, want %d, %.2f, %s", tt.from, tt.to, why, tt.used, tt.coverage, tt.quality)
		}
	}
	if ids := water.Meters(); len(ids) != 2 {
		t.Errorf("meters = %v", ids)
	}
	if each, ok := consumption.PerPersonDay(water.Over(date(t, "2026-01-01"), date(t, "2026-01-21")), 20, 2); !ok || each != 37_500 {
		t.Errorf("a person and day: %d, %v", each, ok)
	}
	if _, ok := consumption.PerPersonDay(water.Over(date(t, "2026-01-01"), date(t, "2026-01-21")), 20, 0); ok {
		t.Error("nobody is declared, and somebody used something")
	}
	if each, ok := consumption.PerSquareMetre(water.Over(date(t, "2026-01-01"), date(t, "2026-01-21")), 50); !ok || each != 30_000 {
		t.Errorf("a square metre: %d, %v", each, ok)
	}
}

func TestWeekAndYear(t *testing.T) {
	for text, want := range map[string]string{"2026-03-01": "2026-02-23..2026-03-02", "2026-03-02": "2026-03-02..2026-03-09", "2026-01-01": "2025-12-29..2026-01-05"} {
		if from, to := consumption.Week(date(t, text)); from.String()+".."+to.String() != want {
			t.Errorf("week of %s: %s..%s, want %s", text, from, to, want)
		}
	}
	if from, to := consumption.Year(2028); from.String() != "2028-01-01" || to.String() != "2029-01-01" {
		t.Errorf("2028: %s..%s", from, to)
	}
	if got := consumption.Since(date(t, "2028-02-29")).String(); got != "2027-03-01" {
		t.Errorf("a year before a leap day: %s", got)
	}
}

func TestTemperatures(t *testing.T) {
	days, err := consumption.ReadTemperatures(strings.NewReader("\ufeffdate,min_c,max_c\n2026-01-01,-2.5,4.5\n2026-01-02,17,25\n2026-07-01,16,30\n"))
	if err != nil || len(days) != 3 {
		t.Fatalf("%v, %v", days, err)
	}
	w := consumption.Weather{}
	for _, d := range days {
		w.Note(d.Day, d.Low, d.High)
	}
	if sum, ok := w.DegreeDays(date(t, "2026-01-01"), date(t, "2026-01-03")); !ok || sum != 17 { // 18 − 1, and none where the mean is 21
		t.Errorf("degree-days = %g, %v", sum, ok)
	}
	if _, ok := w.DegreeDays(date(t, "2026-01-01"), date(t, "2026-01-04")); ok {
		t.Error("a day that is not known counts as warm")
	}
	if _, ok := w.Ratio(date(t, "2026-01-01"), date(t, "2026-01-02"), date(t, "2026-07-01"), date(t, "2026-07-02")); ok {
		t.Error("a mild period is compared with")
	}
	if got, err := consumption.ReadTemperatures(strings.NewReader("date;min_c;max_c\r\n2026-01-01;-2,5;4,5\r\n")); err != nil || got[0].Low != -2.5 {
		t.Errorf("decimal commas: %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                                   "line 1",
		"day,min,max\n":                      "line 1",
		"date,min_c,max_c\n2026-02-30,1,2\n": "line 2: date",
		"date,min_c,max_c\n2026-02-01,5,2\n": "line 2: the highest",
		"date,min_c,max_c\n2026-02-01,1,2\n2026-02-01,1,2\n":    "line 3: 2026-02-01 stands twice",
		"date,min_c,max_c\n2026-02-01,NaN,2\n":                  "line 2",
		"date,min_c,max_c\n2026-02-01,1,200\n2026-02-02,1,20\n": "line 2",
		"date,min_c,max_c\n2026-02-01,1\n":                      "wrong number of fields",
	} {
		if got, err := consumption.ReadTemperatures(strings.NewReader(text)); err == nil || got != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}

func FuzzReadTemperatures(f *testing.F) {
	f.Add("date,min_c,max_c\n2026-01-01,-2.5,4.5\n")
	f.Add("date;min_c;max_c\n2026-01-01;-2,5;4,5\n")
	f.Fuzz(func(t *testing.T, text string) {
		days, err := consumption.ReadTemperatures(strings.NewReader(text))
		if err != nil && days != nil {
			t.Error("a faulty file has days")
		}
		w := consumption.Weather{}
		for _, d := range days {
			w.Note(d.Day, d.Low, d.High)
			if one, ok := w.DegreeDays(d.Day, d.Day.AddDays(1)); !ok || one < 0 || one > 78 {
				t.Errorf("%v has %g degree-days", d, one)
			}
		}
	})
}

func homesThat(uses ...float64) []consumption.HomeUse {
	var all []consumption.HomeUse
	for _, u := range uses {
		all = append(all, consumption.HomeUse{Occupants: 2, Used: u})
	}
	return all
}

func TestCircle(t *testing.T) {
	month := civil.Month{Year: 2026, Month: 2}
	ten := homesThat(81, 82, 83, 84, 85, 86, 87, 88, 89, 90)
	with := func(all []consumption.HomeUse, more ...consumption.HomeUse) []consumption.HomeUse {
		return append(append([]consumption.HomeUse{}, all...), more...)
	}
	var large []consumption.HomeUse
	for i := range 10 {
		large = append(large, consumption.HomeUse{Occupants: 5, Used: float64(40 + i)})
	}
	twenty := with(ten, ten...)
	for _, tt := range []struct {
		name      string
		homes     []consumption.HomeUse
		occupants int
		want      consumption.Typical
		ok        bool
	}{
		{"nine homes", ten[:9], 2, consumption.Typical{}, false},
		{"ten homes", ten, 2, consumption.Typical{Homes: 10, Used: 86}, true}, // 85.5: two digits
		{"one of ten is not known", with(ten[:9], consumption.HomeUse{Occupants: 2, Used: math.NaN()}), 2, consumption.Typical{}, false},
		{"one uses half of all", with(ten[:9], consumption.HomeUse{Occupants: 2, Used: 1000}), 2, consumption.Typical{}, false},
		{"nobody used anything", homesThat(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 2, consumption.Typical{}, false},
		{"twenty tell a quarter", twenty, 2, consumption.Typical{Homes: 20, Used: 86, Quarter: 83}, true},
		{"its own size, where each has ten", with(ten, large...), 6, consumption.Typical{Homes: 10, Used: 45}, true},
		{"all, where a size has too few", with(ten, large[:9]...), 6, consumption.Typical{Homes: 10, Used: 81}, true},
		{"a size that nobody else has, where homes are told apart", with(ten, large...), 3, consumption.Typical{}, false},
		{"a household that declared nobody", twenty, 0, consumption.Typical{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := consumption.Circle(tt.homes, consumption.PerPerson, month, tt.occupants)
			if ok {
				tt.want.Month, tt.want.Measure = month, consumption.PerPerson
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
				t.Errorf("typical (-want +got), %v:\n%s", ok, diff)
			}
		})
	}
}
