package charges_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// days writes what a meter used on each day from first on.
func (f *furnished) days(t *testing.T, m metering.MeterID, first string, used ...metering.Amount) {
	t.Helper()
	start, index := paris(t, first+" 00:00:00"), metering.Amount(100_000_000)
	var all []influx.Consumption
	for _, u := range used {
		index += u
		all = append(all, influx.Consumption{Meter: m, Start: start, Index: index, Used: u})
		start = start.AddDate(0, 0, 1)
	}
	if err := f.client.WriteConsumption(t.Context(), influx.Daily, all); err != nil {
		t.Fatal(err)
	}
}

// What the running month has used already is counted as it is, whatever last year
// was: a leak that began since would else be missing in the outlook, and the days
// ahead follow its pace at most.
func TestOutlookCountsTheRunningMonth(t *testing.T) {
	f := furnishedFlat(t, "2026-07-21 12:00:00")
	f.verify(t)
	f.months(t, "cw", "2025-01", each(18, 3_100_000)...)
	f.months(t, "hw", "2025-01", each(18, 2_000_000)...)
	f.months(t, "ht", "2025-01", append(winter(1), winter(1)[:6]...)...)
	before, err := f.handler.Outlook(t.Context(), premises.Own("p"))
	if err != nil || before.Refused != "" {
		t.Fatalf("%+v, %v", before, err)
	}
	f.days(t, "cw", "2026-07-01", each(20, 620_000)...)
	f.now = f.now.Add(time.Minute) // what was told is kept for less
	o, err := f.handler.Outlook(t.Context(), premises.Own("p"))
	if err != nil {
		t.Fatal(err)
	}
	// 20 days × 0.62 m³ × 4 € = 49.60 €, where last year's 20 days took 2 m³, 8 €.
	if got := o.SoFarCents - before.SoFarCents; got != 4960 {
		t.Errorf("the days of July count for %d cents, want 4960", got)
	}
	// Ahead are 11 days of July at 0.1 m³ a day and five months of 3.1 m³: 16.6 m³, 66.40 €.
	// Before it was six months, 74.40 €, 10 % less or more. The pace of this year is
	// 18.6 + 12.4 m³ where last year's was 18.6 + 2: 1.5049 times.
	if got, want := o.LowCents-before.LowCents, int64(4960+5976-6696); got != want {
		t.Errorf("the least grows by %d cents, want %d", got, want)
	}
	if got, want := o.HighCents-before.HighCents, int64(4960+10991-8184); got != want {
		t.Errorf("the most grows by %d cents, want %d", got, want)
	}
}
