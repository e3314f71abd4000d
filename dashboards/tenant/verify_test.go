package tenant

import (
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Of an index it is said that it is estimated, and that it is too old to compare with.
func TestLastIndex(t *testing.T) {
	read := day(t, "2026-03-16").Start(time.UTC)
	for _, tt := range []struct {
		name    string
		quality metering.Quality
		after   time.Duration
		mark    string
		old     bool
		says    string
	}{
		{"read today", metering.Measured, time.Hour, "", false, "Vous pouvez le comparer ici"},
		{"two days ago", metering.Measured, longestSince, "", false, "Vous pouvez le comparer ici"},
		{"estimated, by month", metering.Estimated, longestSince + time.Second, "estimé", true, "Pour savoir quand"},
	} {
		teller := frenchTeller(t)
		teller.now = read.Add(tt.after)
		d := dialCard{Kind: metering.ColdWater}
		teller.tellLast(&d, metering.Boundary{At: read, Index: 286_761_000, Quality: tt.quality})
		if d.Mark != tt.mark || (d.Old != "") != tt.old || plain(d.Read) != "286,761 m³" {
			t.Errorf("%s: %+v", tt.name, d)
		}
		if got := stateOf(teller.Language, d, check.Unverified); !strings.Contains(plain(got), tt.says) {
			t.Errorf("%s, not verified: %q, want %q", tt.name, got, tt.says)
		}
	}
	if got := stateOf(web.French(), dialCard{}, check.Unverified); !strings.Contains(plain(got), "Pour savoir quand") {
		t.Errorf("never read, not verified: %q", got)
	}
}

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
