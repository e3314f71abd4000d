package alerts

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Reasons why no claim is made. Test with [errors.Is].
var (
	ErrBelowResolution = errors.New("below what the meter can show")
	ErrBelowDrip       = errors.New("below the smallest drip that is called a leak")
	ErrUnchecked       = errors.New("dial and tap check not passed")
	ErrTooFewDays      = errors.New("too few days without a gap")
	ErrNotWater        = errors.New("not a water meter")
	ErrNotSensor       = errors.New("not a room sensor")
)

// messages are the keys of the sentences that people are shown.
var messages = map[error]string{
	ErrBelowResolution: "alerts.below_resolution",
	ErrBelowDrip:       "alerts.below_drip",
	ErrUnchecked:       "alerts.unchecked",
	ErrTooFewDays:      "alerts.too_few_days",
	ErrNotWater:        "alerts.not_water",
	ErrNotSensor:       "alerts.not_sensor",
}

// A Refusal says why nothing is claimed, with the facts that its sentence needs.
type Refusal struct {
	Point    metering.PointID
	Flow     metering.Amount // that was to be claimed, mL/h; 0 where none was
	Smallest metering.Amount // that the meter shows in Window, mL/h
	Window   time.Duration
	Count    metering.Amount // mL a pulse
	Err      error           // one of the reasons above
}

// Error is the sentence for the log.
func (r *Refusal) Error() string {
	switch {
	case errors.Is(r.Err, ErrBelowResolution):
		return fmt.Sprintf("point %s: no claim of %d mL/h: %v: a meter of %d mL a pulse shows no less than %d mL/h in %s: "+
			"look for longer or fit a finer meter", r.Point, r.Flow, r.Err, r.Count, r.Smallest, r.Window)
	case errors.Is(r.Err, ErrBelowDrip):
		return fmt.Sprintf("point %s: no claim of %d mL/h: %v, %d mL/h", r.Point, r.Flow, r.Err, leastDrip)
	case errors.Is(r.Err, ErrUnchecked):
		return fmt.Sprintf("point %s: no leak case: %v: compare the dial and open a tap", r.Point, r.Err)
	default:
		return fmt.Sprintf("point %s: no case: %v", r.Point, r.Err)
	}
}

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Err }

// Message is the key of the sentence for people in the language catalogue.
func (r *Refusal) Message() string { return messages[r.Err] }

// leakPulses is how many pulses in a window a leak has to give: one alone could
// be anything.
const leakPulses = 2

// Smallest is the least flow, in mL/h, that gives two pulses of a meter of count
// mL a pulse in a window: 4 L/h for 1 L in 30 minutes, 5 L/h for 10 L in 4 hours.
func Smallest(count metering.Amount, window time.Duration) metering.Amount {
	return perHour(leakPulses*count, window)
}

// Claim returns nil where m can show a leak of flow mL/h in a window, else a
// [*Refusal] whose reason is [ErrBelowResolution] or [ErrBelowDrip].
func (m Meter) Claim(flow metering.Amount, window time.Duration) error {
	r := m.refusal(nil)
	r.Flow, r.Window, r.Smallest = flow, window, Smallest(m.Count, window)
	switch {
	case flow < leastDrip:
		r.Err = ErrBelowDrip
	case flow < r.Smallest:
		r.Err = ErrBelowResolution
	default:
		return nil
	}
	return r
}

func (m Meter) refusal(why error) *Refusal {
	return &Refusal{Point: m.Point, Count: m.Count, Err: why}
}

// fit returns nil where leaks of m may be judged at all.
func (m Meter) fit() *Refusal {
	switch {
	case m.Kind != metering.ColdWater && m.Kind != metering.HotWater:
		return m.refusal(ErrNotWater)
	case !m.Checked:
		return m.refusal(ErrUnchecked)
	default:
		return nil
	}
}

func refused(r *Refusal) Verdict { return Verdict{Outcome: Refused, Refusal: r} }
