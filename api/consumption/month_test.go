package consumption_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// Who asks of whole months is told what the days say, of the month of moving in, of
// one in which the meter was replaced and of one that the collector did not find
// too; and the days of no other month are asked for.
func TestLivedByMonth(t *testing.T) {
	reader, client := home(t, testkit.Influx(t), `
residence: {id: r, name: R, zone: Europe/Paris, earliest: 2024-01-01T00:00:00Z}
gateways: [{id: g}]
dwellings:
  - id: d
    label: "1"
    households:
      - {id: h, occupants: 1, language: fr, moved_in: 2025-02-12, consents: [fine_curve], persons: [{id: p, name: P}]}
    points:
      - id: pa
        kind: cold_water
        meters:
          - {id: a, gateway: g, interval: 10s, resolution: fine, from: "2024-06-01T00:00:00Z", to: "2025-08-20T08:00:00Z", last_index: 1000000}
          - {id: b, gateway: g, interval: 10s, resolution: fine, from: "2025-08-20T08:00:00Z", first_index: 0}
`)
	days, months := replaced(t)
	write(t, client, days, nil)
	if err := client.WriteConsumption(t.Context(), influx.Monthly, months); err != nil {
		t.Fatal(err)
	}
	now := local(t, "2025-12-15 12:00:00")
	whole := map[civil.Month]metering.Explanation{}
	ask := func(lived func() (consumption.Home, error), mostDays int) {
		t.Helper()
		home, err := lived()
		if err != nil {
			t.Fatal(err)
		}
		water := home.Series[0]
		if n := len(water.Days); n > mostDays || n == 0 {
			t.Errorf("%d days are known, want at most %d and some", n, mostDays)
		}
		for m := (civil.Month{Year: 2025, Month: 1}); m.Month < 12; m = m.Next() {
			got := water.Over(m.First(), m.Next().First())
			if want, known := whole[m]; known {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s by days and by months (-days +months):\n%s", m, diff)
				}
				continue
			}
			whole[m] = got
			if lived := m.Month > 1; lived != (got.Used > 0) {
				t.Errorf("in %s were used %d", m, got.Used)
			}
		}
	}
	since, from, to := date(t, "2024-01-01"), date(t, "2025-01-01"), date(t, "2025-12-16")
	ask(func() (consumption.Home, error) {
		return reader.Lived(t.Context(), premises.Own("p"), now, since, from, to)
	}, 366)
	ask(func() (consumption.Home, error) {
		return reader.LivedByMonth(t.Context(), premises.Own("p"), now, since, from, to)
	}, 17+31+31+15)
}

// replaced is what meter a counted until 20 August and b from then on, by day and by
// month; May is not there as a month.
func replaced(t *testing.T) (days []closedDay, months []influx.Consumption) {
	t.Helper()
	change := date(t, "2025-08-20")
	index := map[metering.MeterID]metering.Amount{"a": 900_000}
	inMonth := map[metering.MeterID]metering.Amount{}
	for d := date(t, "2025-01-01"); d.Before(date(t, "2025-12-15")); d = d.AddDays(1) {
		meter := metering.MeterID("a")
		if change.Before(d) {
			meter = "b"
		}
		used := metering.Amount(100 + d.Day)
		index[meter] += used
		inMonth[meter] += used
		days = append(days, closedDay{meter, d.String(), index[meter], used})
		if d.AddDays(1).Day != 1 {
			continue
		}
		for m, used := range inMonth {
			if d.Month != 5 {
				months = append(months, influx.Consumption{Meter: m, Start: local(t, d.MonthOf().First().String()+" 00:00:00"), Index: index[m], Used: used})
			}
		}
		clear(inMonth)
	}
	return days, months
}
