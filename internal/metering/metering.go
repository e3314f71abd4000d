// Package metering is the domain: what a meter counts, when it was read, and
// what may be concluded from two of its readings.
//
// It uses the standard library only and does no input or output. Every other
// package speaks its words.
package metering

import (
	"errors"
	"fmt"
	"time"
)

// An Amount is what a register shows, in the base unit of its quantity: see
// [UnitOf]. It is an integer so that years of readings sum without drift.
type Amount int64

// Reading is what one register showed at one instant.
//
// For the quantity [Index] the amount is cumulative since the meter left the
// factory: it only grows, until it rolls over or the meter is replaced. At is
// the gateway's clock in UTC, in whole milliseconds, when the register was
// read; it is never the time of arrival at the collector.
type Reading struct {
	Meter    MeterID
	Quantity Quantity
	At       time.Time
	Amount   Amount
}

// IntervalConsumption is what passed a point of delivery during [Start, End),
// in UTC. The zero value is an empty interval at the zero time.
type IntervalConsumption struct {
	Start, End time.Time
	Used       Amount
	Quality    Quality
}

// Reasons why two readings do not bound a consumption. Test with [errors.Is].
var (
	ErrOtherMeter     = errors.New("readings of different meters or quantities")
	ErrNotCumulative  = errors.New("quantity is not cumulative")
	ErrNotAfter       = errors.New("second reading is not after the first")
	ErrIndexDecreased = errors.New("index decreased") // rolled over, replaced or reset
	ErrIndexNegative  = errors.New("index negative")
)

// A PairError reports the two readings that [Between] refused.
type PairError struct {
	From, To Reading
	Err      error // one of the reasons above
}

// Error names both readings and the reason.
func (e *PairError) Error() string {
	return fmt.Sprintf("consumption of meter %s from %d at %s to %d at %s: %v",
		e.From.Meter, e.From.Amount, e.From.At.Format(time.RFC3339Nano),
		e.To.Amount, e.To.At.Format(time.RFC3339Nano), e.Err)
}

// Unwrap returns the reason.
func (e *PairError) Unwrap() error { return e.Err }

// Between returns the consumption from the index reading a to the later index
// reading b of the same meter, as measured. Any error is a [*PairError].
func Between(a, b Reading) (IntervalConsumption, error) {
	var why error
	switch {
	case a.Meter != b.Meter || a.Quantity != b.Quantity:
		why = ErrOtherMeter
	case a.Quantity != Index:
		why = ErrNotCumulative
	case !b.At.After(a.At):
		why = ErrNotAfter
	case a.Amount < 0 || b.Amount < 0:
		why = ErrIndexNegative
	case b.Amount < a.Amount:
		why = ErrIndexDecreased
	default:
		return IntervalConsumption{Start: a.At, End: b.At, Used: b.Amount - a.Amount}, nil
	}
	return IntervalConsumption{}, &PairError{From: a, To: b, Err: why}
}
