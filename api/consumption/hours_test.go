package consumption_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

const movedIn = `
residence: {id: r, name: R, zone: Europe/Paris, earliest: 2025-01-01T00:00:00Z}
gateways: [{id: g}]
dwellings:
  - id: d
    label: "1"
    households:
      - {id: h0, occupants: 1, language: fr, moved_in: 2025-01-01, moved_out: 2026-03-01, persons: [{id: before, name: B}]}
      - {id: h1, occupants: 1, language: fr, moved_in: 2026-03-01, consents: [fine_curve], persons: [{id: p, name: P}]}
    points:
`

// hours writes 100 mL for each hour of the meter within [from, to).
func hours(t *testing.T, client *influx.Client, m metering.MeterID, from, to string) {
	t.Helper()
	var all []influx.Consumption
	index := metering.Amount(1000)
	for at := local(t, from).UTC(); at.Before(local(t, to)); at = at.Add(time.Hour) {
		index += 100
		all = append(all, influx.Consumption{Meter: m, Start: at, Index: index, Used: 100})
	}
	if err := client.WriteConsumption(t.Context(), influx.Hourly, all); err != nil {
		t.Fatal(err)
	}
}

func hoursOfADay(t *testing.T, server *testkit.InfluxServer) {
	reader, client, db := homeAndStore(t, server, movedIn+onePoint)
	hours(t, client, "a", "2026-02-27 00:00:00", "2026-03-02 00:00:00")
	hours(t, client, "a", "2026-03-28 00:00:00", "2026-03-30 12:00:00")
	hours(t, client, "a", "2026-10-25 00:00:00", "2026-10-26 00:00:00")
	ask := func(person, day string) (consumption.DayOfHours, error) {
		t.Helper()
		_, days, err := reader.Hours(t.Context(), premises.Own("p"), local(t, "2026-11-18 14:00:00"), date(t, day))
		if person != "p" {
			_, days, err = reader.Hours(t.Context(), premises.Own("before"), local(t, "2026-02-28 14:00:00"), date(t, day))
		}
		if err != nil {
			return consumption.DayOfHours{}, err
		}
		if len(days) != 1 || days[0].Kind != metering.ColdWater {
			t.Fatalf("%s: %+v", day, days)
		}
		return days[0], nil
	}
	for _, tt := range []struct {
		name, day string
		hours     int
		used      metering.Amount
		coverage  float64
		refused   consumption.NoHours
	}{
		{"a day", "2026-03-28", 24, 2400, 1, ""},
		{"of 23 hours", "2026-03-29", 23, 2300, 1, ""},
		{"of 25 hours", "2026-10-25", 25, 2500, 1, ""},
		{"half a day", "2026-03-30", 12, 1200, 0.5, ""},
		{"the day of moving in", "2026-03-01", 24, 2400, 1, ""},
		{"a day without readings", "2026-03-15", 0, 0, 0, consumption.HoursNotKnown},
	} {
		d, err := ask("p", tt.day)
		if err != nil || len(d.Hours) != tt.hours || d.Why.Used != tt.used || d.Why.Coverage != tt.coverage || d.Refused != tt.refused {
			t.Errorf("%s: %d hours, %+v, %v", tt.name, len(d.Hours), d, err)
		}
		for i, h := range d.Hours {
			if h.Used != 100 || h.Coverage != 1 || i > 0 && !h.Start.Equal(d.Hours[i-1].Start.Add(time.Hour)) {
				t.Errorf("%s: hour %d is %+v", tt.name, i, h)
			}
		}
	}
	if _, err := ask("p", "2026-02-28"); err == nil || problem.Of(err).Kind != problem.NotFound {
		t.Errorf("the hours of who lived there before: %v", err)
	}
	// Asked by who lives there, what a household takes back is gone at once.
	sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'day'`)
	if d, err := ask("p", "2026-03-28"); err != nil || d.Refused != consumption.HoursNotAllowed || len(d.Hours) != 0 || d.Why.Used != 0 || len(d.Why.Parts) != 0 {
		t.Errorf("shown after it was taken back: %+v, %v", d, err)
	}
	sqldbtest.Exec(t, db, `UPDATE meter SET resolution = 'hour'`)
	if d, err := ask("p", "2026-03-28"); err != nil || len(d.Hours) != 24 {
		t.Errorf("by the hour: %+v, %v", d, err)
	}
	if d, err := ask("before", "2026-02-28"); err != nil || len(d.Hours) != 24 {
		t.Errorf("who lived there then: %+v, %v", d, err)
	}
}
