// Package logfile reads the CSV files to which sites logged their meters, so
// that old readings can travel like any others.
package logfile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Meaning says what the number in a row is.
type Meaning string

// The meanings.
const (
	// MeansIndex: what the meter showed at the row's time.
	MeansIndex Meaning = "index"
	// MeansConsumption: what was consumed in the interval that begins at the
	// row's time.
	MeansConsumption Meaning = "consumption"
)

// Missing says what a row that is not there means between two that are.
type Missing string

// The meanings of a missing row.
const (
	// MissingZero: nothing was consumed; only rows with a draw are listed.
	MissingZero Missing = "zero"
	// MissingGap: it is not known what was consumed.
	MissingGap Missing = "gap"
)

// A Layout says how to read a file.
type Layout struct {
	TimeColumn  string
	Column      string // of the index or consumption
	MeterColumn string // empty: every row is of Meter
	Meter       metering.MeterID
	Zone        *time.Location // of times without an offset
	Unit        string         // of the column, one of [Units]
	// UnitOf returns the base unit in which a meter counts, or why its rows
	// cannot be used.
	UnitOf   func(metering.MeterID) (metering.Unit, error)
	Means    Meaning
	Interval time.Duration   // of a row of consumption
	Missing  Missing         // for consumption
	Start    metering.Amount // index before the first row of consumption
	// Earliest and Latest bound plausible times.
	Earliest, Latest time.Time
}

// Base is the unit of a column that holds Wh or mL, as each meter counts.
const Base = "base"

// A unit is a base unit, any where empty, times a power of ten.
type unit struct {
	base     metering.Unit
	decimals int
}

var units = map[string]unit{
	Base: {"", 0},
	"Wh": {metering.WattHour, 0}, "kWh": {metering.WattHour, 3}, "MWh": {metering.WattHour, 6},
	"mL": {metering.Millilitre, 0}, "L": {metering.Millilitre, 3}, "m3": {metering.Millilitre, 6},
}

// Units lists the units that a column may be in.
func Units() []string {
	return []string{Base, "Wh", "kWh", "MWh", "mL", "L", "m3"}
}

// Validate joins every fault of the layout with its remedy.
func (l Layout) Validate() error {
	var errs []error
	if l.TimeColumn == "" || l.Column == "" {
		errs = append(errs, errors.New("name the column of the time and that of the index or consumption"))
	}
	if (l.MeterColumn == "") == (l.Meter == "") {
		errs = append(errs, errors.New("name either the meter or the column that names it"))
	}
	if !slices.Contains(Units(), l.Unit) {
		errs = append(errs, fmt.Errorf("unit %q: want one of %v", l.Unit, Units()))
	}
	if l.UnitOf == nil {
		errs = append(errs, errors.New("say how meters count"))
	}
	if l.Zone == nil {
		errs = append(errs, errors.New("name the zone of the times, UTC or one such as Europe/Paris"))
	}
	switch {
	case l.Means == MeansIndex:
	case l.Means != MeansConsumption:
		errs = append(errs, fmt.Errorf("meaning %q: want index or consumption", l.Means))
	case l.Interval <= 0:
		errs = append(errs, errors.New("consumption needs the interval that a row stands for, as in 10m"))
	case l.Missing != MissingZero && l.Missing != MissingGap:
		errs = append(errs, errors.New("consumption needs what a missing row means: zero (nothing consumed) or gap (not known)"))
	}
	return errors.Join(errs...)
}
