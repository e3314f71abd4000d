package homes

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Way is how a meter is read.
type Way struct {
	Curve bool            // every reading leaves the flat, else quiet_flow only
	Count metering.Amount // mL a pulse
}

// Ways lists those that are tried.
var Ways = []Way{{true, 1000}, {false, 1000}, {true, 10_000}, {false, 10_000}}

// String is as in "curve 10 L".
func (w Way) String() string {
	name := "quiet_flow"
	if w.Curve {
		name = "curve"
	}
	return map[metering.Amount]string{1000: name + " 1 L", 10_000: name + " 10 L"}[w.Count]
}

const (
	poll    = 10 * time.Minute
	keepFor = 9 * 24 * time.Hour
	point   = "p"
)

// An Alarm is a verdict and when it was given.
type Alarm struct {
	At      time.Time
	Verdict alerts.Verdict
}

// A Watcher reads a home's meter every ten minutes and judges it: the curve each
// morning for leaks and each hour for bursts, the quiet_flow and what the day used
// after each midnight.
type Watcher struct {
	Opened []Alarm     // those that opened a case
	Asked  []Alarm     // those that ask the household, at most one in two days
	Book   alerts.Book // the cases
	// Refused is the last claim below what the meter can show; nil: none.
	Refused *alerts.Refusal

	way    Way
	home   Home
	meter  alerts.Meter
	chance *rand.Rand
	curve  []metering.Reading
	quiet  *privacy.Quiet // the gateway's own
	days   alerts.Nights
	began  metering.Reading // the first of the day
	used   []metering.IntervalConsumption
}

// NewWatcher returns a watcher of a home that has read nothing yet. Chance moves
// the instants of reading and the pulse that the meter begins with.
func NewWatcher(w Way, h Home, chance *rand.Rand) *Watcher {
	return &Watcher{
		way: w, home: h, chance: chance,
		meter: alerts.Meter{Point: point, Kind: metering.ColdWater, Count: w.Count, Zone: h.Zone, Checked: true},
		quiet: privacy.NewQuiet(h.Zone, w.Count, poll),
		days:  make(alerts.Nights, len(alerts.Windows(w.Count))),
	}
}

// Run reads from one instant to another, with a leak besides what the home draws;
// it ends early at a case that was opened after until, where that is not zero.
func (w *Watcher) Run(from, to time.Time, leak Draw, until time.Time) {
	phase := metering.Amount(w.chance.Int64N(int64(w.way.Count)))
	base := w.home.Drawn(from)
	for at := from; !at.After(to); at = at.Add(poll) {
		read := at.Add(time.Duration(w.chance.IntN(20)) * time.Second)
		index := w.home.Drawn(read) - base + leak.Until(read) + phase
		w.read(read, index/w.way.Count*w.way.Count)
		if n := len(w.Opened); !until.IsZero() && n > 0 && w.Opened[n-1].At.After(until) {
			return
		}
	}
}

func (w *Watcher) read(at time.Time, index metering.Amount) {
	if !w.way.Curve {
		w.countDay(at, index)
		if day, ok := w.quiet.Observe(at, index); ok {
			w.days[0] = append(w.days[0], alerts.OfFigure(day.Start, day.Flow, day.Window, w.home.Zone))
			w.settle(alerts.Leak(w.meter, w.days[0]), at)
			w.night(at)
		}
		return
	}
	w.curve = append(w.curve, metering.Reading{Meter: "m", Quantity: metering.Index, At: at, Amount: index})
	if len(w.curve) > 2*int(keepFor/poll) {
		w.curve = slices.Delete(w.curve, 0, len(w.curve)-int(keepFor/poll))
	}
	if at.Minute() >= int(poll/time.Minute) {
		return
	}
	w.settle(alerts.BurstInCurve(w.meter, w.curve, at), at)
	if morning := alerts.Morning(civil.DateIn(at, w.home.Zone), w.home.Zone); at.Sub(morning).Abs() < poll {
		w.judgeCurve(at)
	}
}

// countDay adds what the day used that a reading ends, and judges it.
func (w *Watcher) countDay(at time.Time, index metering.Amount) {
	date := civil.DateIn(at, w.home.Zone)
	if !w.began.At.IsZero() && civil.DateIn(w.began.At, w.home.Zone) == date {
		return
	}
	if start := date.AddDays(-1).Start(w.home.Zone); !w.began.At.IsZero() && w.began.At.Sub(start) < poll {
		w.used = append(w.used, metering.IntervalConsumption{Start: start, End: date.Start(w.home.Zone), Used: index - w.began.Amount})
		w.settle(alerts.BurstInDays(w.meter, w.used), at)
	}
	w.began = metering.Reading{At: at, Amount: index}
}

// judgeCurve adds the day that ends now and judges.
func (w *Watcher) judgeCurve(at time.Time) {
	date := civil.DateIn(at, w.home.Zone)
	yesterday, today := alerts.Morning(date.AddDays(-1), w.home.Zone), alerts.Morning(date, w.home.Zone)
	for i, window := range alerts.Windows(w.way.Count) {
		if day, ok := alerts.Quietest(w.curve, yesterday, today.Add(time.Minute), window); ok {
			w.days[i] = append(w.days[i], day)
		}
	}
	w.settle(alerts.LeakInWindows(w.meter, w.days, w.curve), at)
	w.night(at)
}

// settle gives a verdict to the book and notes what it led to.
func (w *Watcher) settle(v alerts.Verdict, at time.Time) {
	book, opened := w.Book.Take(v, at)
	w.Book = book
	if v.Refusal != nil && errors.Is(v.Refusal, alerts.ErrBelowResolution) {
		w.Refused = v.Refusal
	}
	if opened {
		w.Opened = append(w.Opened, Alarm{at, v})
	}
	if v.Outcome == alerts.Ask && (len(w.Asked) == 0 || at.Sub(w.Asked[len(w.Asked)-1].At) > 48*time.Hour) {
		w.Asked = append(w.Asked, Alarm{at, v})
	}
}

// night lets the open case see the last quiet day of its kind.
func (w *Watcher) night(at time.Time) {
	i, open := w.Book.Find(alerts.Cause{Subject: alerts.Water, Point: point})
	if !open {
		return
	}
	if day, known := w.days.LastAbout(w.Book[i].Finding); known {
		w.Book[i] = w.Book[i].Night(w.Book[i].Finding.Flows(w.meter, day), day.Start, at)
	}
}
