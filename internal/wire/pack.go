package wire

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Limits of one pack. A gateway makes smaller ones; a collector refuses larger.
const (
	MaxPackBytes    = 1 << 20
	MaxPackReadings = 10_000
)

// A SpoolID is the random name of a gateway's spool, made with it. Sequence
// numbers are unique within it, so a spool that was wiped has another id.
type SpoolID string

// A Seq numbers the packs of one spool from 1. It is never reused.
type Seq uint64

// A Pack is what a gateway sends in one message: readings under the number by
// which the collector answers for them.
//
// On the wire it is SenML JSON (RFC 8428) with version 26, which is the base
// version 10 and the secondary units of RFC 8798 (RFC 9100). The records are
// "spool" (a string value) and "seq", then one a reading, named
// {meter}/{quantity}, with its own absolute time in seconds to the millisecond.
// Energy is in Wh, volume in m3 with six decimals.
type Pack struct {
	Spool    SpoolID
	Seq      Seq
	Readings []UnitReading
}

// A UnitReading is a reading together with the base unit that its SenML unit
// stands for: [metering.WattHour] and [metering.Millilitre] tell an index of
// energy from one of volume.
type UnitReading struct {
	metering.Reading
	Unit metering.Unit
}

// Reasons why a pack is refused. Test with [errors.Is].
var (
	ErrMalformed = errors.New("not a SenML pack")
	ErrTooLarge  = errors.New("pack too large")
	ErrNoHeader  = errors.New("pack does not begin with spool and seq")
	ErrName      = errors.New("record name is not {meter}/{quantity}")
	ErrUnit      = errors.New("unit does not fit the quantity")
	ErrInexact   = errors.New("number is not a whole count of the base unit")
	ErrRange     = errors.New("number out of range")
)

// senmlVersion is the base version and feature 4, secondary units: RFC 9100.
const senmlVersion = 26

// A senmlUnit is how a base unit is written: its symbol and how many decimals
// turn the symbol's unit into the base unit.
type senmlUnit struct {
	symbol   string
	decimals int
}

// senmlUnitOf returns how u is written, false where u is not a base unit.
func senmlUnitOf(u metering.Unit) (senmlUnit, bool) {
	switch u {
	case metering.WattHour:
		return senmlUnit{"Wh", 0}, true
	case metering.Millilitre:
		return senmlUnit{"m3", 6}, true
	case metering.Watt:
		return senmlUnit{"W", 0}, true
	case metering.MillilitrePerHour:
		return senmlUnit{"m3/h", 6}, true
	case metering.MilliCelsius:
		return senmlUnit{"Cel", 3}, true
	case metering.Second:
		return senmlUnit{"s", 0}, true
	case metering.Bits:
		return senmlUnit{"", 0}, true
	default:
		return senmlUnit{}, false
	}
}

// AppendPack appends the payload of p to dst. Instants are cut to whole
// milliseconds. It fails, with one of the reasons above and dst as it was, where
// [DecodePack] would refuse the payload: an id that is not a valid one, a
// sequence number out of 1 to 2^63-1, an unknown unit, an instant before
// 1978-07-04 or after the year 9999, a limit exceeded.
func AppendPack(dst []byte, p Pack) ([]byte, error) {
	switch {
	case !metering.ValidID(p.Spool) || p.Seq == 0 || p.Seq > math.MaxInt64:
		return dst, fmt.Errorf("encode pack %d of spool %q: %w", p.Seq, p.Spool, ErrNoHeader)
	case len(p.Readings) > MaxPackReadings:
		return dst, fmt.Errorf("encode pack %d of %d readings: %w", p.Seq, len(p.Readings), ErrTooLarge)
	}
	start := len(dst)
	dst = append(dst, `[{"bver":`...)
	dst = strconv.AppendInt(dst, senmlVersion, 10)
	dst = append(dst, `,"n":"spool","vs":"`...)
	dst = append(dst, p.Spool...)
	dst = append(dst, `"},{"n":"seq","v":`...)
	dst = strconv.AppendUint(dst, uint64(p.Seq), 10)
	dst = append(dst, '}')
	for i := range p.Readings {
		var err error
		if dst, err = appendRecord(dst, &p.Readings[i]); err != nil {
			return dst[:start], fmt.Errorf("encode pack %d: %w", p.Seq, err)
		}
	}
	dst = append(dst, ']')
	if len(dst)-start > MaxPackBytes {
		return dst[:start], fmt.Errorf("encode pack %d of %d bytes: %w", p.Seq, len(dst)-start, ErrTooLarge)
	}
	return dst, nil
}

func appendRecord(dst []byte, r *UnitReading) ([]byte, error) {
	unit, ok := senmlUnitOf(r.Unit)
	if !ok || !fits(r.Quantity, r.Unit) {
		return dst, fmt.Errorf("%s/%s in %q: %w", r.Meter, r.Quantity, r.Unit, ErrUnit)
	}
	if !validMeter(r.Meter) {
		return dst, fmt.Errorf("meter %q: %w", r.Meter, ErrName)
	}
	ms := r.At.UnixMilli()
	if !plausibleMs(ms) {
		return dst, fmt.Errorf("%s/%s at %d ms since 1970: %w", r.Meter, r.Quantity, ms, ErrRange)
	}
	dst = append(dst, `,{"n":"`...)
	dst = append(dst, r.Meter...)
	dst = append(dst, '/')
	dst = append(dst, r.Quantity...)
	if unit.symbol != "" {
		dst = append(dst, `","u":"`...)
		dst = append(dst, unit.symbol...)
	}
	dst = append(dst, `","t":`...)
	dst = appendDecimal(dst, ms, 3)
	dst = append(dst, `,"v":`...)
	dst = appendDecimal(dst, int64(r.Amount), unit.decimals)
	return append(dst, '}'), nil
}

// fits reports whether amounts of q may be counted in u.
func fits(q metering.Quantity, u metering.Unit) bool {
	if q == metering.Index {
		return u == metering.WattHour || u == metering.Millilitre
	}
	return u == metering.UnitOf("", q)
}

// DecodePack reads a payload. Where it fails after the header could be read,
// the returned pack bears Spool and Seq, so that the refusal can be answered;
// its readings are then not to be used. Amounts and instants are decoded as
// decimal text, never through a float. Errors wrap one of the reasons above.
func DecodePack(payload []byte) (Pack, error) {
	if len(payload) > MaxPackBytes {
		return Pack{}, fmt.Errorf("decode pack of %d bytes: %w", len(payload), ErrTooLarge)
	}
	if p, ok := scanPack(payload); ok {
		return p, nil
	}
	return decodeGeneral(payload)
}

// unitOf returns the base unit and decimals for a SenML symbol on quantity q,
// false where the symbol does not fit.
func unitOf(q metering.Quantity, symbol []byte) (metering.Unit, int, bool) {
	base := metering.UnitOf("", q)
	if q == metering.Index && string(symbol) == "Wh" {
		base = metering.WattHour
	}
	unit, _ := senmlUnitOf(base)
	return base, unit.decimals, unit.symbol == string(symbol)
}

// newReading checks and converts the texts of one record.
func newReading(meter, quantity, symbol string, at time.Time, number string) (UnitReading, error) {
	q, err := metering.ParseQuantity(quantity)
	if err != nil || !metering.ValidID(metering.MeterID(meter)) {
		return UnitReading{}, fmt.Errorf("%w: %q", ErrName, meter+"/"+quantity)
	}
	unit, decimals, ok := unitOf(q, []byte(symbol))
	if !ok {
		return UnitReading{}, fmt.Errorf("%w: %q for %s", ErrUnit, symbol, q)
	}
	amount, err := ParseDecimal(number, decimals)
	if err != nil {
		return UnitReading{}, fmt.Errorf("%s/%s: %w", meter, quantity, err)
	}
	r := metering.Reading{Meter: metering.MeterID(meter), Quantity: q, At: at, Amount: metering.Amount(amount)}
	return UnitReading{Reading: r, Unit: unit}, nil
}
