package alerts_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/homes"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Days that are judged each morning go from one to the next, over both changes of
// the clock.
func TestMorning(t *testing.T) {
	for _, tt := range []struct {
		date civil.Date
		want time.Duration
	}{
		{civil.Date{Year: 2026, Month: time.March, Day: 28}, 24 * time.Hour}, {civil.Date{Year: 2026, Month: time.March, Day: 29}, 23 * time.Hour},
		{civil.Date{Year: 2026, Month: time.October, Day: 25}, 25 * time.Hour},
	} {
		from, to := alerts.Morning(tt.date.AddDays(-1), paris(t)), alerts.Morning(tt.date, paris(t))
		if to.Sub(from) != tt.want || to.In(paris(t)).Hour() != 7 {
			t.Errorf("the day before %v goes from %v to %v", to, from, to)
		}
	}
}

// The gateway's figure is rounded down; the pulses it came from are not lost.
func TestOfFigure(t *testing.T) {
	start := midnight(t, time.October, 25)
	for pulses := range metering.Amount(40) {
		for _, window := range []time.Duration{24 * time.Minute, 30*time.Minute + 19*time.Second, 4 * time.Hour} {
			flow := pulses * litre * 3600 / metering.Amount(window/time.Second)
			d := alerts.OfFigure(start, flow, window, paris(t))
			if off := d.Draw - pulses*litre; off < -10 || off > 0 || d.End.Sub(d.Start) != 25*time.Hour {
				t.Errorf("%d mL/h over %s is %d mL, want %d", flow, window, d.Draw, pulses*litre)
			}
		}
	}
}

// What the curve says of a day is what the gateway says of the same readings.
func TestQuietestIsTheGateways(t *testing.T) {
	h := homes.Of(4, homes.NightWorker, 1)
	first := civil.DateIn(h.From, h.Zone)
	rs := curve(h, h.From, 20*day, homes.Draw{Start: h.From.Add(5*day + 3*time.Hour), Length: 4 * day, Flow: 12 * litre}, litre)
	quiet := privacy.NewQuiet(h.Zone, litre, 10*time.Minute)
	compared := 0
	for _, r := range rs {
		want, ok := quiet.Observe(r.At, r.Amount)
		if !ok {
			continue
		}
		start, end := civil.DateIn(want.Start, h.Zone).Bounds(h.Zone)
		got, found := alerts.Quietest(rs, start, end, privacy.WindowFor(litre))
		if flow := got.Draw * 3600 / metering.Amount(got.Window/time.Second); !found || flow != want.Flow {
			t.Errorf("%s: %d mL/h, the gateway says %d", want.Start, flow, want.Flow)
		}
		compared++
	}
	if compared < 19 {
		t.Errorf("%d days from %s were compared", compared, first)
	}
}

// What might hide the quietest moment makes the day unknown.
func TestQuietestOfWhatIsKnown(t *testing.T) {
	zero := midnight(t, time.July, 6)
	h := regular(t, zero, 3)
	hose := func(from, hours int) homes.Draw {
		return homes.Draw{Start: zero.Add(time.Duration(from) * time.Hour), Length: time.Duration(hours) * time.Hour, Flow: 900 * litre}
	}
	without := func(rs []metering.Reading, from, to int) []metering.Reading {
		return append(append([]metering.Reading{}, rs[:from]...), rs[to:]...)
	}
	whole := curve(h, zero, day, homes.Draw{}, litre)
	for _, tt := range []struct {
		name   string
		rs     []metering.Reading
		window time.Duration
		known  bool
	}{
		{"whole", whole, time.Hour, true},
		{"one poll was missed", without(whole, 60, 61), time.Hour, true},
		{"two polls were missed", without(whole, 60, 62), time.Hour, false},
		{"the begin is missing", whole[3:], time.Hour, false},
		{"the end is missing", whole[:140], time.Hour, false},
		{"none", nil, time.Hour, false},
		{"a hose for eight hours by day", curve(h, zero, day, hose(9, 8), litre), 4 * time.Hour, false}, // nine and seven hours are left
		{"the same for a short window", curve(h, zero, day, hose(9, 8), litre), 30 * time.Minute, true},
		{"a hose until ten in the morning", curve(h, zero, day, hose(0, 10), litre), 4 * time.Hour, true},
		{"a hose all day", curve(h, zero, day, hose(2, 20), litre), 30 * time.Minute, false},
		{"showers", whole, 4 * time.Hour, true},
	} {
		d, known := alerts.Quietest(tt.rs, zero, zero.Add(day), tt.window)
		if known != tt.known {
			t.Errorf("%s: known %v, want %v", tt.name, known, tt.known)
		}
		if known && (d.Draw != 0 || d.Window < tt.window || d.About != tt.window || !d.Start.Equal(zero)) {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

// The day that tells of a finding is one about its own window.
func TestLastAbout(t *testing.T) {
	about := func(window time.Duration, draw metering.Amount) []alerts.QuietDay {
		return []alerts.QuietDay{{}, {About: window, Window: window, Draw: draw}}
	}
	nights := alerts.Nights{about(30*time.Minute, 1), about(time.Hour, 2), about(2*time.Hour, 3)}
	for _, tt := range []struct {
		nights alerts.Nights
		window time.Duration
		want   metering.Amount
	}{{nights, 30 * time.Minute, 1}, {nights, time.Hour, 2}, {nights, 2 * time.Hour, 3}, {nights[:1], 24 * time.Minute, 1}, {nil, time.Hour, 0}} {
		got, known := tt.nights.LastAbout(alerts.Finding{DayWindow: tt.window})
		if got.Draw != tt.want || known != (tt.want > 0) {
			t.Errorf("of %s: %+v, %v", tt.window, got, known)
		}
	}
}

// All of a curve in one call is what a run each morning finds.
func TestLeakInCurve(t *testing.T) {
	zero := midnight(t, time.May, 4)
	h := regular(t, zero, 30)
	leak := homes.Draw{Start: zero.Add(25*day + 3*time.Hour), Length: 9 * day, Flow: 30 * litre}
	now := alerts.Morning(civil.DateIn(zero.Add(29*day), paris(t)), paris(t))
	rs := curve(h, zero, now.Sub(zero), leak, litre)
	v := alerts.LeakInCurve(meter(t, litre), rs, now)
	if v.Outcome != alerts.Alarm || v.Finding.Class != alerts.RunningCistern || v.Finding.Nights != 4 {
		t.Fatalf("%+v", v)
	}
	if s := v.Finding.Since; s.Earliest.After(leak.Start) || s.Latest.Before(leak.Start) || s.Latest.Sub(s.Earliest) > 90*time.Minute {
		t.Errorf("since %v to %v, it began %v", s.Earliest, s.Latest, leak.Start)
	}
	why := v.Finding.Why
	if used := why.Parts[0].Used(); used != why.Used || !why.Parts[0].From.At.After(leak.Start) {
		t.Errorf("%+v", why)
	}
	if diff := cmp.Diff(alerts.Verdict{Outcome: alerts.Nothing}, alerts.LeakInCurve(meter(t, litre), rs[:24*6*20], zero.Add(20*day))); diff != "" {
		t.Errorf("before the leak (-want +got):\n%s", diff)
	}
}

// Whatever a meter shows: no claim below two pulses, no bounds that cross, and no
// panic.
func FuzzVerdicts(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 200}, int64(1000), int64(10))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, int64(1), int64(10))
	f.Add([]byte{9, 9, 9}, int64(math.MaxInt64), int64(1))
	f.Fuzz(func(t *testing.T, steps []byte, count, minutes int64) {
		m := meter(t, metering.Amount(max(1, count&0xffffff)))
		at, index := midnight(t, time.March, 27), metering.Amount(0)
		var rs []metering.Reading
		for len(steps) >= 2 && len(rs) < 700 {
			index += metering.Amount(int16(binary.BigEndian.Uint16(steps))) << (count >> 56 & 0x3f)
			for range 30 {
				rs = append(rs, metering.Reading{Meter: "cw-1", Quantity: metering.Index, At: at, Amount: index})
				at, index = at.Add(time.Duration(max(1, minutes&0x1f))*time.Minute), index+metering.Amount(steps[0])*100
			}
			steps = steps[2:]
		}
		var days []metering.IntervalConsumption
		for i := 1; i < len(rs); i++ {
			days = append(days, metering.IntervalConsumption{Start: rs[i-1].At, End: rs[i].At, Used: rs[i].Amount - rs[i-1].Amount})
		}
		figure := alerts.OfFigure(at, index, time.Duration(minutes&0xff+1)*time.Minute, m.Zone)
		for _, v := range []alerts.Verdict{alerts.LeakInCurve(m, rs, at), alerts.BurstInCurve(m, rs, at), alerts.BurstInDays(m, days),
			alerts.Leak(m, []alerts.QuietDay{figure})} {
			f := v.Finding
			if v.Outcome != alerts.Alarm {
				continue
			}
			if f.Flow.Low < 0 || f.Flow.Likely < f.Flow.Low || f.Flow.High < f.Flow.Likely || f.Flow.High < alerts.Smallest(m.Count, f.Window) {
				t.Fatalf("flow %+v over %s at %d mL a pulse", f.Flow, f.Window, m.Count)
			}
			if f.Since.Latest.Before(f.Since.Earliest) || f.Class == "" || f.Chance < 0 || f.Chance > 1 {
				t.Fatalf("%+v", f)
			}
		}
	})
}
