package tips_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// moves are what may become of each state, by design.
var moves = map[tips.State][]tips.State{
	tips.Proposed:    {tips.Seen, tips.Committed, tips.DoneAlready, tips.NotForMe, tips.Archived},
	tips.Seen:        {tips.Committed, tips.DoneAlready, tips.NotForMe, tips.Archived},
	tips.Committed:   {tips.DoneAlready, tips.NotForMe, tips.Observing, tips.Archived},
	tips.DoneAlready: {tips.Committed, tips.NotForMe, tips.Archived},
	tips.NotForMe:    nil,
	tips.Observing:   {tips.NotForMe, tips.Visible, tips.NotVisible, tips.TooEarly, tips.Archived},
	tips.Visible:     {tips.NotForMe, tips.Visible, tips.NotVisible, tips.Archived},
	tips.NotVisible:  {tips.NotForMe, tips.Visible, tips.NotVisible, tips.Archived},
	tips.TooEarly:    {tips.NotForMe, tips.Visible, tips.NotVisible, tips.TooEarly, tips.Archived},
	tips.Archived:    nil,
}

func TestMove(t *testing.T) {
	for _, from := range tips.States {
		for _, to := range tips.States {
			start := tips.Instance{Tip: "night_standby", State: from, Since: today}
			got, err := start.Move(to, today.AddDays(1))
			switch allowed := slices.Contains(moves[from], to); {
			case allowed && (err != nil || got.State != to || got.Since != today.AddDays(1)):
				t.Errorf("%s to %s: %+v, %v", from, to, got, err)
			case !allowed && from == to && (err != nil || got != start): // a form that was sent twice
				t.Errorf("%s again: %+v, %v", from, got, err)
			case !allowed && from != to:
				var fault *tips.MoveError
				if !errors.As(err, &fault) || fault.From != from || fault.To != to || got != start {
					t.Errorf("%s to %s: %+v, %v, want it refused", from, to, got, err)
				}
			}
		}
	}
}

func TestMoveBackInTime(t *testing.T) {
	i := tips.Instance{Tip: "night_standby", State: tips.Seen, Since: today}
	_, err := i.Move(tips.Committed, today.AddDays(-1))
	wantError(t, err, "night_standby", "seen", "committed")
}

// An instance without a state is proposed.
func TestZeroInstance(t *testing.T) {
	got, err := tips.Instance{Tip: "night_standby"}.Move(tips.Committed, today)
	want := tips.Instance{Tip: "night_standby", State: tips.Committed, Since: today, Committed: today}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// Whatever people press, in whatever order.
func TestMovesNeverGoAstray(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i, day := tips.Instance{Tip: "night_standby"}, today
		for range rapid.IntRange(1, 20).Draw(t, "presses") {
			day = day.AddDays(rapid.IntRange(-2, 40).Draw(t, "days"))
			to := rapid.SampledFrom(tips.States).Draw(t, "to")
			next, err := i.Move(to, day)
			switch {
			case err != nil && next != i:
				t.Fatalf("a refused move changed %+v to %+v", i, next)
			case err == nil && next.State != to && to != tips.Proposed:
				t.Fatalf("%+v became %+v, want %s", i, next, to)
			case next.Since.Before(i.Since):
				t.Fatalf("%+v became older: %+v", i, next)
			case (i.State == tips.NotForMe || i.State == tips.Archived) && next != i:
				t.Fatalf("%+v is the end and became %+v", i, next)
			case next.State == tips.Observing && next.Committed.IsZero():
				t.Fatalf("%+v is observed and nobody took it up", next)
			}
			i = next
		}
	})
}

func TestInstanceObserves(t *testing.T) {
	taken := civil.Date{Year: 2026, Month: 1, Day: 5}
	in := func(s tips.State, since civil.Date) tips.Instance {
		return tips.Instance{Tip: "night_standby", State: s, Since: since, Committed: taken}
	}
	for _, tt := range []struct {
		name  string
		from  tips.Instance
		found tips.State
		want  tips.Instance
	}{
		{"on the day itself nothing moves", in(tips.Committed, today), tips.TooEarly, in(tips.Committed, today)},
		{"the day after it is too early", in(tips.Committed, taken), tips.TooEarly, in(tips.TooEarly, today)},
		{"committed and not looked at", in(tips.Committed, taken), "", in(tips.Observing, taken.AddDays(1))},
		{"later it is visible", in(tips.TooEarly, taken.AddDays(1)), tips.Visible, in(tips.Visible, today)},
		{"what was visible may end", in(tips.Visible, taken.AddDays(30)), tips.NotVisible, in(tips.NotVisible, today)},
		{"a result stays where a day is missing", in(tips.Visible, taken.AddDays(30)), tips.TooEarly, in(tips.Visible, taken.AddDays(30))},
		{"archived is not looked at", in(tips.Archived, taken), tips.Visible, in(tips.Archived, taken)},
		{"refused is not looked at", in(tips.NotForMe, taken), tips.Visible, in(tips.NotForMe, taken)},
		{"seen is not taken up", in(tips.Seen, taken), tips.Visible, in(tips.Seen, taken)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.from.Observe(tips.Outcome{Verdict: tt.found}, today)
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
