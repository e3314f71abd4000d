package logfile

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A row is what a line says.
type row struct {
	meter metering.MeterID
	at    time.Time
	// thousandths of the base unit, so that tenths of a watt-hour add up
	thousandths int64
}

// A series turns the rows of one meter, in order of time, into readings of its
// index.
type series struct {
	layout      Layout
	meter       metering.MeterID
	unit        metering.Unit
	started     bool
	end         time.Time // of the last row's interval, or the last index
	thousandths int64     // consumed since the first row
}

var errOrder = errors.New("the row is not after the one before of the same meter")

// check fails where the row cannot follow those before it.
func (s *series) check(r row) error {
	switch {
	case s.started && s.layout.Means == MeansIndex && !r.at.After(s.end),
		s.started && s.layout.Means == MeansConsumption && r.at.Before(s.end):
		return fmt.Errorf("%w, which ends at %s", errOrder, s.end.Format(time.RFC3339))
	case r.thousandths < 0:
		return errors.New("the number is negative")
	case s.layout.Means == MeansConsumption && s.thousandths+r.thousandths < 0:
		return errors.New("the sum of all rows does not fit")
	}
	return nil
}

// add appends the readings that the row stands for; check has passed it.
func (s *series) add(readings []wire.UnitReading, r row) []wire.UnitReading {
	if s.layout.Means == MeansIndex {
		s.started, s.end, s.thousandths = true, r.at, r.thousandths
		return append(readings, s.reading(r.at))
	}
	readings = s.bridge(readings, r.at)
	s.thousandths += r.thousandths
	s.started, s.end = true, r.at.Add(s.layout.Interval)
	return append(readings, s.reading(s.end))
}

// bridge appends the readings between the end of the row before and at: none
// where they meet, one each interval where nothing was consumed, and only the
// one at the far side of a gap.
func (s *series) bridge(readings []wire.UnitReading, at time.Time) []wire.UnitReading {
	if s.started && s.end.Equal(at) {
		return readings
	}
	if s.started && s.layout.Missing == MissingZero {
		for t := s.end.Add(s.layout.Interval); t.Before(at); t = t.Add(s.layout.Interval) {
			readings = append(readings, s.reading(t))
		}
	}
	return append(readings, s.reading(at))
}

// reading is the index at an instant. Rounding down the sum, not each row, is
// what keeps tenths: an index is off by less than one unit, and so is any
// difference of two, however many rows lie between.
func (s *series) reading(at time.Time) wire.UnitReading {
	amount := metering.Amount(s.thousandths / 1000)
	if s.layout.Means == MeansConsumption {
		amount += s.layout.Start
	}
	return wire.UnitReading{Unit: s.unit, Reading: metering.Reading{
		Meter: s.meter, Quantity: metering.Index, At: at, Amount: amount}}
}
