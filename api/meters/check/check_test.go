package check_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A step happens so many hours after the start.
type step struct {
	hours   int
	outcome check.Outcome
}

func TestProgress(t *testing.T) {
	const week = 7 * 24
	for _, tt := range []struct {
		name  string
		steps []step
		hours int // when one looks
		want  check.State
	}{
		{"nothing done", nil, 0, check.Unverified},
		{"dial alone", []step{{0, check.Agrees}}, 1, check.Unverified},
		{"tap alone", []step{{0, check.Moved}}, 1, check.Unverified},
		{"dial and tap", []step{{0, check.Agrees}, {1, check.Moved}}, 2, check.Verified},
		{"tap and dial", []step{{0, check.Moved}, {1, check.Agrees}}, 2, check.Verified},
		{"the dial differs", []step{{0, check.Differs}, {1, check.Moved}}, 2, check.Unverified},
		{"the dial differs, then agrees", []step{{0, check.Differs}, {1, check.Moved}, {2, check.Agrees}}, 3, check.Verified},
		{"the dial agreed, then differs", []step{{0, check.Agrees}, {1, check.Differs}, {2, check.Moved}}, 3, check.Unverified},
		{"another point moved", []step{{0, check.Agrees}, {1, check.OtherMoved}}, 2, check.Unverified},
		{"another moved, then this one", []step{{0, check.Agrees}, {1, check.OtherMoved}, {2, check.Moved}}, 3, check.Verified},
		{"just before the week is over", []step{{0, check.Agrees}, {1, check.Moved}}, week, check.Verified},
		{"the week is over", []step{{0, check.Agrees}, {1, check.Moved}}, week + 1, check.SecondDue},
		{"an early second reading does not count", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.Agrees}}, week + 1, check.SecondDue},
		{"second reading", []step{{0, check.Agrees}, {1, check.Moved}, {week + 1, check.Agrees}}, 5 * week, check.Verified},
		{"second reading differs", []step{{0, check.Agrees}, {1, check.Moved}, {week + 1, check.Differs}}, 5 * week, check.Disputed},
		{"an early one that differs", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.Differs}}, 25, check.Disputed},
		{"a later tap moves another point", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.OtherMoved}}, 25, check.Disputed},
		{"disputed, dial alone", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.Differs}, {25, check.Agrees}}, 26, check.Disputed},
		{"disputed, tap alone", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.Differs}, {25, check.Moved}}, 26, check.Disputed},
		{"disputed, settled", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.Differs}, {25, check.Moved}, {26, check.Agrees}}, 27, check.Verified},
		{"settled, and due anew", []step{{0, check.Agrees}, {1, check.Moved}, {24, check.Differs}, {25, check.Moved}, {26, check.Agrees}}, 26 + week, check.SecondDue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p check.Progress
			for _, s := range tt.steps {
				p = p.After(s.outcome, start.Add(time.Duration(s.hours)*time.Hour))
			}
			if got := p.At(start.Add(time.Duration(tt.hours) * time.Hour)); got != tt.want {
				t.Errorf("state = %s, want %s", got, tt.want)
			}
		})
	}
}

// Whatever the steps, nobody sees euros before a dial agreed and this point's tap
// moved, and never straight after a contradiction.
func FuzzProgress(f *testing.F) {
	f.Add([]byte{0, 2, 1, 3, 0, 2})
	f.Fuzz(func(t *testing.T, steps []byte) {
		outcomes := []check.Outcome{check.Agrees, check.Differs, check.Moved, check.OtherMoved}
		var p check.Progress
		dial, tap := false, false
		for i, b := range steps {
			o, at := outcomes[int(b)%4], start.Add(time.Duration(i)*30*time.Hour)
			passed := p.At(at).Passed()
			p = p.After(o, at)
			dial, tap = dial && o != check.Differs || o == check.Agrees, tap && o != check.OtherMoved || o == check.Moved
			if passed && (o == check.Differs || o == check.OtherMoved) {
				dial, tap = false, false
			}
			if got := p.At(at).Passed(); got != (dial && tap) {
				t.Fatalf("after %v of %v: passed %v, want %v", o, steps, got, dial && tap)
			}
		}
	})
}

func amount(n metering.Amount) *metering.Amount { return &n }

func TestJudge(t *testing.T) {
	d := meters.Dial{Index: 153_257_000, Digit: 1000}
	for _, tt := range []struct {
		name    string
		dial    meters.Dial
		pulse   metering.Amount
		bracket check.Bracket
		want    check.Verdict
	}{
		{"the same", d, 1000, check.Bracket{Before: amount(153_257_000), Until: amount(153_257_000)}, check.Yes},
		{"a pulse is still to come", d, 1000, check.Bracket{Before: amount(153_256_000), Until: amount(153_256_000)}, check.Yes},
		{"a pulse came since", d, 1000, check.Bracket{Before: amount(153_258_000), Until: amount(153_258_000)}, check.Yes},
		{"two pulses too many", d, 1000, check.Bracket{Before: amount(153_259_000), Until: amount(153_259_000)}, check.No},
		{"drawn while it was typed", d, 1000, check.Bracket{Before: amount(153_250_000), Until: amount(153_262_000)}, check.Yes},
		{"drawn since the last reading, perhaps", d, 1000, check.Bracket{Before: amount(153_200_000), Until: amount(153_200_000)}, check.Wait},
		{"drawn, the next reading says", d, 1000, check.Bracket{Before: amount(153_200_000), Until: amount(153_200_000), After: amount(153_260_000)}, check.Yes},
		{"not drawn, the next reading says", d, 1000, check.Bracket{Before: amount(153_200_000), Until: amount(153_200_000), After: amount(153_201_000)}, check.No},
		{"a tenfold pulse weight", d, 10_000, check.Bracket{Before: amount(15_325_000), Until: amount(15_325_000), After: amount(15_326_000)}, check.No},
		{"a coarse pulse", d, 10_000, check.Bracket{Before: amount(153_250_000), Until: amount(153_250_000)}, check.Yes},
		{"a coarse pulse, two off", d, 10_000, check.Bracket{Before: amount(153_280_000), Until: amount(153_280_000)}, check.No},
		{"only cubic metres were typed", meters.Dial{Index: 153_000_000, Digit: 1_000_000}, 1000, check.Bracket{Before: amount(153_257_000), Until: amount(153_257_000)}, check.Yes},
		{"only cubic metres, wrong", meters.Dial{Index: 152_000_000, Digit: 1_000_000}, 1000, check.Bracket{Before: amount(153_257_000), Until: amount(153_257_000)}, check.No},
		{"no reading", d, 1000, check.Bracket{}, check.NotRead},
		{"none before", d, 1000, check.Bracket{After: amount(153_257_000)}, check.NotRead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := check.Judge(tt.dial, tt.bracket, tt.pulse); got != tt.want {
				t.Errorf("verdict %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMovement(t *testing.T) {
	for _, tt := range []struct {
		name  string
		m     check.Movement
		pulse metering.Amount
		want  bool
	}{
		{"a pulse", check.Movement{Before: amount(10), Last: amount(11_000)}, 10_000, true},
		{"less than a pulse", check.Movement{Before: amount(10), Last: amount(9_000)}, 10_000, false},
		{"still", check.Movement{Before: amount(10), Last: amount(10)}, 0, false},
		{"backwards", check.Movement{Before: amount(10), Last: amount(1)}, 1, false},
		{"not read", check.Movement{Last: amount(10)}, 1, false},
	} {
		if got := tt.m.Moved(tt.pulse); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	got := []time.Duration{check.Run(metering.ColdWater, 1000), check.Run(metering.ColdWater, 30_000), check.Run(metering.Gas, 1_000_000),
		check.Run(metering.Electricity, 1), check.Run(metering.Electricity, 100)}
	if diff := cmp.Diff([]time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute, time.Minute, 6 * time.Minute}, got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}
