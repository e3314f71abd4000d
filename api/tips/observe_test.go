package tips_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// adopted is the day of "je le fais", day 84 of the days that made begins with.
var adopted = civil.Date{Year: 2026, Month: 3, Day: 1}

const before = 84

// made are so many days of a use, told by day.
func made(days int, of func(day int) float64) []consumption.Day {
	list := make([]consumption.Day, days)
	for i := range list {
		list[i] = consumption.Day{Date: adopted.AddDays(i - before), Used: metering.Amount(math.Round(of(i))), Coverage: 1}
	}
	return list
}

// steady is a use of about 10,000 a day with 3 % of noise, that changes on the
// day after adopted.
func steady(rng *rand.Rand, change float64) func(int) float64 {
	return func(day int) float64 {
		used := 10000 * (1 + 0.03*rng.NormFloat64())
		if day > before {
			used *= 1 + change
		}
		return used
	}
}

func crowd(rng *rand.Rand, homes, days int, change float64) [][]consumption.Day {
	all := make([][]consumption.Day, homes)
	for i := range all {
		all[i] = made(days, steady(rng, change))
	}
	return all
}

func TestObserve(t *testing.T) {
	const weeks = 8
	const length = before + 1 + 7*weeks
	chance := func() *rand.Rand { return rand.New(rand.NewPCG(7, 7)) }
	rng := chance()
	own := func(change float64) []consumption.Day { return made(length, steady(rng, change)) }
	edit := func(days []consumption.Day, change func(day int, d *consumption.Day)) []consumption.Day {
		for i := range days {
			change(i, &days[i])
		}
		return days
	}
	for _, tt := range []struct {
		name    string
		own     []consumption.Day
		others  [][]consumption.Day
		days    int // of the trial; length unless given
		verdict tips.State
		reason  string
		change  float64
		since   int // weeks
	}{
		{name: "a tenth less", own: own(-0.1), others: crowd(rng, 12, length, 0), verdict: tips.Visible, change: -0.1, since: weeks},
		{name: "nothing", own: own(0), others: crowd(rng, 12, length, 0), verdict: tips.NotVisible, since: weeks},
		{name: "a tenth more is no success", own: own(0.1), others: crowd(rng, 12, length, 0), verdict: tips.NotVisible, change: 0.1, since: weeks},
		{name: "everybody uses less", own: own(-0.3), others: crowd(rng, 12, length, -0.3), verdict: tips.NotVisible, since: weeks},
		{name: "less while everybody uses more", own: own(0), others: crowd(rng, 12, length, 0.25), verdict: tips.Visible, change: -0.2, since: weeks},
		{name: "nine others", own: own(-0.1), others: crowd(rng, 9, length, 0), verdict: tips.TooEarly, reason: tips.FewOthers, since: 0},
		{name: "ten others", own: own(-0.1), others: crowd(rng, 10, length, 0), verdict: tips.Visible, change: -0.1, since: weeks},
		{name: "27 days", days: before + 28, own: own(-0.1), others: crowd(rng, 12, length, 0), verdict: tips.TooEarly, reason: tips.FewWeeks, since: 3},
		{name: "the day itself", days: before, own: own(-0.1), others: crowd(rng, 12, length, 0), verdict: tips.TooEarly, reason: tips.FewWeeks},
		{name: "28 days", days: before + 29, own: own(-0.1), others: crowd(rng, 12, length, 0), verdict: tips.Visible, change: -0.1, since: 4},
		{name: "between two looks the last one stands", days: before + 1 + 7*7 + 6, own: own(-0.1), others: crowd(rng, 12, length, 0), verdict: tips.Visible, change: -0.1, since: 4},
		{name: "two weeks away are left out", verdict: tips.Visible, change: -0.1, since: weeks - 2, others: crowd(rng, 12, length, 0),
			own: edit(own(-0.1), func(day int, d *consumption.Day) {
				if day > before+14 && day <= before+28 {
					d.Used = 0
				}
			})},
		{name: "two days of a week are estimated", verdict: tips.Visible, change: -0.1, since: weeks - 1, others: crowd(rng, 12, length, 0),
			own: edit(own(-0.1), func(day int, d *consumption.Day) {
				if day == before+8 || day == before+9 {
					d.Quality, d.Used = metering.Estimated, 1e9
				}
			})},
		{name: "three weeks before are known", verdict: tips.TooEarly, reason: tips.FewWeeks, since: weeks, others: crowd(rng, 12, length, 0),
			own: own(-0.1)[before-26:]},
		{name: "the day itself is on neither side", verdict: tips.NotVisible, since: weeks, others: crowd(rng, 12, length, 0),
			own: edit(own(0), func(day int, d *consumption.Day) {
				if day == before {
					d.Used = 1e9
				}
			})},
		{name: "no days", others: crowd(rng, 12, length, 0), verdict: tips.TooEarly, reason: tips.FewWeeks},
		{name: "others without use", own: own(-0.1), verdict: tips.TooEarly, reason: tips.FewOthers,
			others: append(crowd(rng, 9, length, 0), made(length, func(int) float64 { return 0 }))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			days := length
			if tt.days != 0 {
				days = tt.days
			}
			o := tips.Observe(tips.Trial{Adopted: adopted, Own: tt.own, Others: tt.others}, adopted.AddDays(days-before))
			if o.Verdict != tt.verdict || o.Reason != tt.reason {
				t.Fatalf("verdict %s, reason %q, want %s and %q; %+v", o.Verdict, o.Reason, tt.verdict, tt.reason, o)
			}
			if math.Abs(o.Change-tt.change) > 0.02 {
				t.Errorf("change %+.3f, want %+.3f", o.Change, tt.change)
			}
			if o.WeeksSince != tt.since {
				t.Errorf("%d weeks since, want %d", o.WeeksSince, tt.since)
			}
			if o.Verdict == tips.TooEarly && (o.Change != 0 || o.Low != 0 || o.High != 0) {
				t.Errorf("too early, and yet figures: %+v", o)
			}
		})
	}
}

// The size of a family, its own or another's, changes nothing; and the interval
// holds the change that is told.
func TestSizeOfFamilyChangesNothing(t *testing.T) {
	const length = before + 1 + 7*10
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		mine, theirs := rapid.Float64Range(0.3, 20).Draw(t, "mine"), rapid.Float64Range(0.3, 20).Draw(t, "theirs")
		of := func(own, first float64) tips.Outcome {
			rng := rand.New(rand.NewPCG(seed, 1))
			times := func(f float64) func(int) float64 {
				use := steady(rng, 0)
				return func(day int) float64 { return 100 * f * use(day) }
			}
			trial := tips.Trial{Adopted: adopted, Own: made(length, times(own))}
			for i := range 12 {
				factor := 1.0
				if i == 0 {
					factor = first
				}
				trial.Others = append(trial.Others, made(length, times(factor)))
			}
			return tips.Observe(trial, adopted.AddDays(length-before))
		}
		one, other := of(1, 1), of(mine, theirs)
		if math.Abs(one.Low-other.Low) > 1e-4 || math.Abs(one.High-other.High) > 1e-4 || one.Verdict != other.Verdict {
			t.Fatalf("%+v became %+v", one, other)
		}
		if one.Low > one.Change || one.Change > one.High {
			t.Fatalf("change outside of its interval: %+v", one)
		}
	})
}

// Weeks that resemble the one before, as habits make them: an interval that took
// them for independent would be half as wide.
func TestIntervalHoldsWhereWeeksResembleEachOther(t *testing.T) {
	const runs, length, alike = 1000, before + 1 + 7*12, 0.6
	for _, seed := range []uint64{1, 2, 3} {
		rng := rand.New(rand.NewPCG(seed, 0))
		drifting := func(change float64) func(int) float64 {
			use, mood := steady(rng, change), 0.1*rng.NormFloat64()
			return func(day int) float64 {
				if day%7 == 0 {
					mood = alike*mood + 0.1*math.Sqrt(1-alike*alike)*rng.NormFloat64()
				}
				return use(day) * math.Exp(mood)
			}
		}
		held, visible := 0, 0
		for range runs {
			trial := tips.Trial{Adopted: adopted, Own: made(length, drifting(0))}
			for range 12 {
				trial.Others = append(trial.Others, made(length, drifting(0)))
			}
			o := tips.Observe(trial, adopted.AddDays(length-before))
			if o.Low <= 0 && 0 <= o.High {
				held++
			}
			if o.Verdict == tips.Visible {
				visible++
			}
		}
		if held < 870 || held > 930 || visible > 50 {
			t.Errorf("seed %d: held in %d of %d, visible in %d, want 870 to 930 and at most 50", seed, held, runs, visible)
		}
	}
}

// Against 600 other homes over the longest look, as a night does for each tip that
// was taken up: some 10 ms, so that a night of hundreds of tips stays in seconds.
func BenchmarkObserve(b *testing.B) {
	const length = before + 1 + 7*26
	rng := rand.New(rand.NewPCG(1, 1))
	trial := tips.Trial{Adopted: adopted, Own: made(length, steady(rng, -0.1)), Others: crowd(rng, 600, length, 0)}
	for b.Loop() {
		if tips.Observe(trial, adopted.AddDays(length-before)).Verdict != tips.Visible {
			b.Fatal("not visible")
		}
	}
}

// Over the whole catalogue, as a night does for each home.
func BenchmarkFind(b *testing.B) {
	c := open(b)
	h := home(scenes["shower_not_bath"].due, scenes["dry_in_air"].due, scenes["one_degree_less"].due)
	for b.Loop() {
		if _, err := c.Find(h, tariff{}); err != nil {
			b.Fatal(err)
		}
	}
}
