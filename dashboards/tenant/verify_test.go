package tenant

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// The longer ago a reading is, the more may have been counted since: five times
// what is usual, and never less than a bath or two.
func TestSinceThen(t *testing.T) {
	start := day(t, "2026-03-01").Start(time.UTC)
	read := start.AddDate(0, 0, 10)
	part := metering.Part{From: metering.Boundary{At: start}, To: metering.Boundary{At: read, Index: 2_000_000}} // 200 L a day
	for _, tt := range []struct {
		kind metering.Kind
		days int
		want metering.Amount
	}{
		{metering.ColdWater, 0, 1_000_000},
		{metering.ColdWater, 3, 1_000_000 + 5*3*200_000},
		{metering.Electricity, 1, 20_000 + 5*200_000},
	} {
		s := consumption.Series{Kind: tt.kind, Months: []consumption.Month{{Why: metering.Explanation{Parts: []metering.Part{part}, Used: part.Used()}}}}
		teller := teller{now: read.AddDate(0, 0, tt.days)}
		if got := teller.sinceThen(s, part.To); got != tt.want {
			t.Errorf("%s after %d days: %d, want %d", tt.kind, tt.days, got, tt.want)
		}
	}
}
