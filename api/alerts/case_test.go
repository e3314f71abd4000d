package alerts_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/alerts"
)

var began = time.Date(2026, 5, 4, 5, 0, 0, 0, time.UTC)

func finding(nights int) alerts.Finding {
	return alerts.Finding{Cause: alerts.Cause{Subject: alerts.Water, Point: "P-1"}, Source: alerts.FromCurve, Class: alerts.RunningCistern,
		Flow: alerts.Flow{Low: 24_000, Likely: 25_000, High: 26_000}, Nights: nights, Level: 2, Last: began,
		Since: alerts.Since{Earliest: began.Add(-40 * time.Hour), Latest: began.Add(-39 * time.Hour)}}
}

// deeds are what may happen to a case, on the n-th day; repairs are made at noon.
var deeds = map[string]func(alerts.Case, int) (alerts.Case, error){
	"tell":    func(c alerts.Case, n int) (alerts.Case, error) { return c.Tell(on(n), "advisor") },
	"confirm": func(c alerts.Case, n int) (alerts.Case, error) { return c.Confirm(on(n), "tenant") },
	"repair":  func(c alerts.Case, n int) (alerts.Case, error) { return c.Repair(on(n).Add(6*time.Hour), "plumber") },
	"dismiss": func(c alerts.Case, n int) (alerts.Case, error) { return c.Dismiss(on(n), "advisor") },
	"leave":   func(c alerts.Case, n int) (alerts.Case, error) { return c.Leave(on(n), "move") },
	"flows":   func(c alerts.Case, n int) (alerts.Case, error) { return c.Night(true, on(n-1), on(n)), nil },
	"quiet":   func(c alerts.Case, n int) (alerts.Case, error) { return c.Night(false, on(n-1), on(n)), nil },
	"see 2":   func(c alerts.Case, n int) (alerts.Case, error) { return c.See(until(finding(2), n), on(n)), nil },
	"see 3":   func(c alerts.Case, n int) (alerts.Case, error) { return c.See(until(finding(3), n), on(n)), nil },
}

// until is a finding whose last day ended on that day.
func until(f alerts.Finding, day int) alerts.Finding {
	f.Last = on(day)
	return f
}

func on(day int) time.Time { return began.AddDate(0, 0, day) }

func TestCase(t *testing.T) {
	for _, tt := range []struct {
		name, deeds string
		want        alerts.State
		refused     string // the deed that is refused
	}{
		{"new", "", alerts.Opened, ""},
		{"told", "tell", alerts.Told, ""},
		{"two nights do not confirm", "tell, see 2", alerts.Told, ""},
		{"the third night confirms", "tell, see 3", alerts.Confirmed, ""},
		{"a look at the dial confirms", "tell, confirm", alerts.Confirmed, ""},
		{"told again while confirmed", "confirm, tell, tell", alerts.Confirmed, ""},
		{"repaired", "tell, confirm, repair", alerts.Repaired, ""},
		{"the day of the repair says nothing", "confirm, repair, quiet, quiet", alerts.Repaired, ""},
		{"verified by two nights", "confirm, repair, quiet, quiet, quiet", alerts.Verified, ""},
		{"one night is not enough", "confirm, repair, quiet, quiet, flows", alerts.Confirmed, ""},
		{"the repair did not help", "confirm, repair, quiet, flows", alerts.Confirmed, ""},
		{"repaired again, nights count anew", "confirm, repair, quiet, flows, repair, quiet, quiet", alerts.Repaired, ""},
		{"repaired again, verified", "confirm, repair, quiet, flows, repair, quiet, quiet, quiet", alerts.Verified, ""},
		{"it stopped by itself", "tell, quiet, quiet", alerts.Stopped, ""},
		{"quiet nights have to follow one another", "tell, quiet, flows, quiet", alerts.Told, ""},
		{"it was a pool", "tell, dismiss", alerts.Dismissed, ""},
		{"the household left", "tell, confirm, leave", alerts.Left, ""},
		{"over is over", "tell, dismiss, see 3, flows", alerts.Dismissed, ""},
		{"no word after the end", "dismiss, tell", alerts.Dismissed, "tell"},
		{"no repair after the end", "quiet, quiet, repair", alerts.Stopped, "repair"},
		{"no leaving after the end", "dismiss, leave", alerts.Dismissed, "leave"},
		{"confirmed once", "confirm, confirm", alerts.Confirmed, "confirm"},
		{"repaired once", "repair, repair", alerts.Repaired, "repair"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := alerts.Open(finding(1), began)
			refused := ""
			for n, deed := range strings.Split(tt.deeds, ", ") {
				if deed == "" {
					continue
				}
				next, err := deeds[deed](c, n+1)
				if refusal, ok := errors.AsType[*alerts.StepError](err); err != nil {
					refused = deed
					if !ok || !errors.Is(err, alerts.ErrStep) || refusal.From != c.State || !strings.Contains(err.Error(), "P-1") {
						t.Errorf("%s: %v", deed, err)
					}
					if !cmp.Equal(c, next) {
						t.Errorf("a refused %s changed the case", deed)
					}
				}
				c = next
			}
			if c.State != tt.want || refused != tt.refused {
				t.Errorf("%s, refused %q; want %s, %q: %v", c.State, refused, tt.want, tt.refused, c.Steps)
			}
		})
	}
}

// A night counts once, however often the run of that morning is repeated.
func TestNightCountsOnce(t *testing.T) {
	c := alerts.Open(finding(1), began)
	for range 3 {
		c = c.Night(false, on(0), on(1))
	}
	if c.Quiet != 1 || c.State != alerts.Opened {
		t.Errorf("%d quiet nights, %s", c.Quiet, c.State)
	}
}

func TestDue(t *testing.T) {
	c := alerts.Open(finding(1), began)
	if !c.Due(began) {
		t.Error("nobody is told at the opening")
	}
	told, err := c.Tell(began, "letter")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {alerts.RemindEvery - time.Second, false}, {alerts.RemindEvery, true}} {
		if got := told.Due(began.Add(tt.after)); got != tt.want {
			t.Errorf("%s after the first time: due %v", tt.after, got)
		}
	}
	repaired, err := told.Repair(on(1), "plumber")
	if err != nil || repaired.Due(on(30)) {
		t.Errorf("reminded of what is repaired: %v", err)
	}
}

// One case at a time of a cause; a finding of it goes to the open one.
func TestBook(t *testing.T) {
	var book alerts.Book
	alarm := alerts.Verdict{Outcome: alerts.Alarm, Finding: finding(1)}
	book, first := book.Take(alarm, began)
	before := slices.Clone(book)
	alarm.Finding.Nights, alarm.Finding.Class = 3, alerts.Burst
	grown, second := book.Take(alarm, on(2))
	if !first || second || len(grown) != 1 || grown[0].State != alerts.Confirmed || grown[0].Finding.Class != alerts.Burst {
		t.Errorf("opened %v, %v: %+v", first, second, grown)
	}
	if diff := cmp.Diff(before, book); diff != "" {
		t.Errorf("the book it was called on changed:\n%s", diff)
	}
	for _, o := range []alerts.Outcome{alerts.Nothing, alerts.Ask, alerts.Refused} {
		if _, opened := grown.Take(alerts.Verdict{Outcome: o, Finding: alerts.Finding{Cause: alerts.Cause{Subject: alerts.Cold, Point: "P-1"}}}, began); opened {
			t.Errorf("%s opened a case", o)
		}
	}
	over, err := grown[0].Dismiss(on(3), "advisor")
	if err != nil {
		t.Fatal(err)
	}
	if again, opened := (alerts.Book{over}).Take(alarm, on(9)); !opened || len(again) != 2 || again[1].State != alerts.Confirmed {
		t.Errorf("a cause whose case is over: %v, %+v", opened, again)
	}
}

// Whatever happens in whatever order: a case that is over stays so, its state is
// that of its last step that is one, and instants and steps only grow.
func FuzzCase(f *testing.F) {
	f.Add([]byte{0, 1, 2, 6, 6, 6})
	f.Add([]byte{8, 2, 5, 2, 6, 6})
	names := []string{"tell", "confirm", "repair", "dismiss", "leave", "flows", "quiet", "see 2", "see 3"}
	f.Fuzz(func(t *testing.T, order []byte) {
		c := alerts.Open(finding(1), began)
		for n, b := range order {
			before := c
			c, _ = deeds[names[int(b)%len(names)]](c, n+1) // a refusal leaves it as it was
			state := alerts.State("")
			for _, s := range c.Steps {
				if s.State != alerts.Told || state == alerts.Opened {
					state = s.State
				}
			}
			fault := map[string]bool{
				"a case that is over went on":   before.State.Over() && !cmp.Equal(before, c),
				"steps were lost":               len(c.Steps) < len(before.Steps) || !cmp.Equal(c.Steps[:len(before.Steps)], before.Steps),
				"the state is not the steps'":   state != c.State,
				"verified without a repair":     c.State == alerts.Verified && !slices.ContainsFunc(c.Steps, func(s alerts.Step) bool { return s.State == alerts.Repaired }),
				"open after two quiet nights":   !c.State.Over() && c.Quiet > 1,
				"more than one state at a time": len(c.Steps)-len(before.Steps) > 1,
			}
			for what, is := range fault {
				if is {
					t.Fatalf("%s: %s", what, fmt.Sprint(before, " then ", names[int(b)%len(names)], " ", c))
				}
			}
		}
	})
}
