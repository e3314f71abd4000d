// Package alerts decides from what meters showed whether water escapes, a flat
// is cold or a meter is silent, and leads each such case from its opening to the
// quiet nights that prove the repair.
//
// Detectors are pure functions: they are given a series and return a [Verdict].
// They look for water that never stops. A leak shows in the quietest moment of
// every day, whoever lives there; people do not, because they sleep or go out.
// A verdict says what was seen, since when, how sure it is, and what the meter
// could not have shown; it never claims a flow that gives less than two pulses
// of the meter in the window looked at.
package alerts

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Meter is what the detectors have to know of a meter.
type Meter struct {
	Point metering.PointID
	Kind  metering.Kind
	// Count is the smallest step of its index: 1,000 mL for 1 L a pulse.
	Count metering.Amount
	Zone  *time.Location // the residence's
	// Checked says that the dial and tap check was passed. Without it nobody
	// knows whose water the meter counts, and no case is opened.
	Checked bool
}

// A Class says what usually runs at a flow. The limits are those of the table of
// leaks that the Centre d'information sur l'eau publishes (dripping tap 4 L/h,
// trickle 16 L/h, cistern 25 L/h, burst 80 L/h), halfway where it has a step.
type Class string

// The classes of leak.
const (
	Drip           Class = "drip"            // 1 to 5 L/h: a seal
	RunningCistern Class = "running_cistern" // 5 to 40 L/h: a cistern, or a trickle from a tap
	OpenTap        Class = "open_tap"        // 40 to 60 L/h: a tap or a valve that does not close
	Burst          Class = "burst"           // above 60 L/h: close the stopcock and call
)

// Classes lists the classes, the smallest flow first.
var Classes = []Class{Drip, RunningCistern, OpenTap, Burst}

// ClassText is the catalogue's key of what a class looks like, for the staff.
func ClassText(c Class) string {
	return map[Class]string{Drip: "landlord.drip", RunningCistern: "landlord.cistern", OpenTap: "landlord.tap", Burst: "landlord.burst"}[c]
}

// The flows at which the next class begins, and the least that is called a
// leak, in mL/h.
const (
	leastDrip    metering.Amount = 1_000
	leastCistern metering.Amount = 5_000
	leastOpenTap metering.Amount = 40_000
	mostOpenTap  metering.Amount = 60_000
)

// Classify returns the class of a flow in mL/h, or false below 1 L/h, which is
// not called a leak.
func Classify(flow metering.Amount) (Class, bool) {
	switch {
	case flow < leastDrip:
		return "", false
	case flow < leastCistern:
		return Drip, true
	case flow < leastOpenTap:
		return RunningCistern, true
	case flow <= mostOpenTap:
		return OpenTap, true
	default:
		return Burst, true
	}
}

// Urgent reports whether a person is called at once, past any list of tips.
func (c Class) Urgent() bool { return c == Burst }

// A Flow is how much water runs, in mL/h. A meter counts whole pulses, so that
// the truth lies in [Low, High]; where somebody also drew in the quietest window
// it may be below.
type Flow struct {
	Low    metering.Amount `json:"low_ml_per_hour"`
	Likely metering.Amount `json:"likely_ml_per_hour"`
	High   metering.Amount `json:"high_ml_per_hour"`
}

// A Since is when something began: after Earliest and not after Latest. Between
// the two nobody can tell. Earliest is zero where it was there from the first day
// that is known.
type Since struct {
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest"`
}

// A Source says where evidence comes from.
type Source string

// The sources.
const (
	FromCurve       Source = "curve"       // the indexes of every reading
	FromQuietFlow   Source = "quiet_flow"  // the gateway's daily figure; the curve stayed in the flat
	FromDays        Source = "days"        // what each day used
	FromTemperature Source = "temperature" // a room sensor
	FromStanding    Source = "standing"    // when the meter was last read
)

// A Subject is what a case is about.
type Subject string

// The subjects.
const (
	Water   Subject = "water"   // water runs that nobody uses
	Cold    Subject = "cold"    // too cold in the flat
	Silence Subject = "silence" // a meter or a gateway is not read
)

// A Cause is what at most one case at a time may be open for. A leak that grows
// to a burst keeps its cause.
type Cause struct {
	Subject Subject          `json:"subject"`
	Point   metering.PointID `json:"point,omitempty"` // empty for a gateway
	// Gateway is set where it is the gateway that is silent: one case, not one
	// for each of its meters.
	Gateway metering.GatewayID `json:"gateway,omitempty"`
}

// A Finding is what a detector found.
type Finding struct {
	Cause  Cause  `json:"cause"`
	Source Source `json:"source"`
	Class  Class  `json:"class,omitempty"` // of water
	Flow   Flow   `json:"flow,omitzero"`   // of water
	Since  Since  `json:"since"`
	// Last is the end of the last day that counted, not included; the first began
	// at Since.Latest. By both a case is told to who lived there then.
	Last time.Time `json:"last"`
	// Nights is on how many days in a row it was seen.
	Nights int `json:"nights"`
	// Chance is the probability that this household, by its own past, gives as
	// many such days in a row without any leak: how sure the finding is. 0 where
	// it does not apply.
	Chance float64 `json:"chance"`
	// Level is how many pulses in the quietest DayWindow of a day make it flow;
	// fewer make it quiet.
	Level     int           `json:"level"`
	DayWindow time.Duration `json:"day_window_ns"`
	// Window is the one that tells the flow: DayWindow, or a longer one of the
	// curve, in which a pulse more or less weighs less.
	Window time.Duration `json:"window_ns"`
	// Smallest is the least flow, in mL/h, that the meter could have shown in
	// Window.
	Smallest metering.Amount `json:"smallest_ml_per_hour"`
	// Why is the draw in the quietest window. From the curve it has the window's
	// two indexes; from quiet_flow it has none, since they never left the flat.
	Why metering.Explanation `json:"why,omitzero"`
	// MilliCelsius is the mean of the last day of a cold flat.
	MilliCelsius metering.Amount `json:"milli_celsius,omitempty"`
}

// An Outcome is what a detector concludes.
type Outcome string

// The outcomes.
const (
	Nothing Outcome = "nothing" // nothing is wrong as far as the meter can show
	Alarm   Outcome = "alarm"   // open a case
	Ask     Outcome = "ask"     // ask the household one question before anything else
	Refused Outcome = "refused" // something may be wrong, and no claim is made: see Refusal
)

// A Verdict is a detector's answer. Finding is set for [Alarm] and [Ask], Refusal
// for [Refused].
type Verdict struct {
	Outcome Outcome
	Finding Finding
	Refusal *Refusal
}

// Lost is what ran away from the start of a leak until an instant, in mL: the
// least and the most that the finding allows. Where nobody knows when it began
// the time before [Since.Latest] does not count.
func (f Finding) Lost(until time.Time) (least, most metering.Amount) {
	first := f.Since.Earliest
	if first.IsZero() {
		first = f.Since.Latest
	}
	return volume(f.Flow.Low, until.Sub(f.Since.Latest)), volume(f.Flow.High, until.Sub(first))
}

func volume(flow metering.Amount, d time.Duration) metering.Amount {
	return flow * metering.Amount(max(0, d)/time.Second) / 3600
}

// perHour is the flow of a draw over a window, in mL/h.
func perHour(draw metering.Amount, window time.Duration) metering.Amount {
	return draw * 3600 / max(1, metering.Amount(window/time.Second))
}
