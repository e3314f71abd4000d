package watch_test

import (
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/meters/watch"
)

var now = time.Date(2026, 3, 18, 14, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func TestStanding(t *testing.T) {
	const day = 24 * time.Hour
	fine := watch.Facts{Meter: "M1", Gateway: "G1", Interval: 10 * time.Minute, Hung: ago(30 * day), Reported: true, LastGood: ago(5 * time.Minute)}
	for _, tt := range []struct {
		name   string
		change func(*watch.Facts)
		want   watch.Standing
		since  time.Time
	}{
		{"read", func(*watch.Facts) {}, watch.Bound, time.Time{}},
		{"two polls missed", func(f *watch.Facts) { f.LastGood = ago(30 * time.Minute) }, watch.Bound, time.Time{}},
		{"three polls missed", func(f *watch.Facts) { f.LastGood = ago(32 * time.Minute) }, watch.Late, ago(32 * time.Minute)},
		{"a day", func(f *watch.Facts) { f.LastGood = ago(day) }, watch.Late, ago(day)},
		{"more than a day", func(f *watch.Facts) { f.LastGood = ago(day + time.Minute) }, watch.Silent, ago(day + time.Minute)},
		{"never read, hung up just now", func(f *watch.Facts) { f.LastGood, f.Hung = time.Time{}, ago(time.Minute) }, watch.Bound, time.Time{}},
		{"never read, hung up long ago", func(f *watch.Facts) { f.LastGood = time.Time{} }, watch.Silent, ago(30 * day)},
		{"never named", func(f *watch.Facts) { f.Reported = false }, watch.NeverSeen, ago(30 * day)},
		{"hangs nowhere", func(f *watch.Facts) { f.Hung = time.Time{} }, watch.Unbound, time.Time{}},
		{"another gateway", func(f *watch.Facts) { f.Elsewhere = "G2" }, watch.WrongPlace, time.Time{}},
		{"another gateway, while its own is silent", func(f *watch.Facts) { f.Elsewhere, f.Quiet = "G2", true }, watch.WrongPlace, time.Time{}},
		{"its gateway is silent", func(f *watch.Facts) { f.Quiet, f.LastGood = true, ago(3*day) }, watch.GatewaySilent, time.Time{}},
		{"stuck", func(f *watch.Facts) { f.Still, f.Occupied = ago(7*day), true }, watch.Stuck, ago(7 * day)},
		{"not yet stuck", func(f *watch.Facts) { f.Still, f.Occupied = ago(7*day-time.Minute), true }, watch.Bound, time.Time{}},
		{"an empty flat", func(f *watch.Facts) { f.Still = ago(20 * day) }, watch.Bound, time.Time{}},
		{"stuck and late is late", func(f *watch.Facts) { f.Still, f.Occupied, f.LastGood = ago(7*day), true, ago(2*time.Hour) }, watch.Late, ago(2 * time.Hour)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := fine
			tt.change(&f)
			if got, since := f.Standing(now); got != tt.want || !since.Equal(tt.since) {
				t.Errorf("standing %s since %v, want %s since %v", got, since, tt.want, tt.since)
			}
		})
	}
}
