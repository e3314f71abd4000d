package meters

import (
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Dial is what a person read on a meter's face.
type Dial struct {
	Index metering.Amount // in the base unit of the kind
	// Digit is what the last digit that was typed stands for: the index lies
	// between Index and Index + Digit.
	Digit metering.Amount
}

const (
	// dialDecimals turn cubic metres into millilitres; a kilowatt-hour has three
	// less.
	dialDecimals   = 6
	energyDecimals = 3
	// longestDial is longer than any meter's face.
	longestDial = 24
	// mostIndex is more than any meter counts in its life, and keeps sums exact.
	mostIndex = metering.Amount(1_000_000_000_000_000)
)

// ParseDial reads the digits of a dial as people type them, in cubic metres or
// kilowatt-hours by the kind, with a comma or a point before the decimals, as in
// "00123,456". Spaces are skipped. It is exact; what it cannot read or what has
// more decimals than the base unit is [ErrDialMalformed].
func ParseDial(text string, kind metering.Kind) (Dial, error) {
	digits := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".").Replace(text)
	decimals := dialDecimals
	if kind.IndexUnit() == metering.WattHour {
		decimals = energyDecimals
	}
	if digits == "" || len(digits) > longestDial || strings.Trim(digits, "0123456789.") != "" {
		return Dial{}, ErrDialMalformed
	}
	n, err := wire.ParseDecimal(digits, decimals)
	if err != nil || n < 0 || metering.Amount(n) > mostIndex {
		return Dial{}, ErrDialMalformed
	}
	_, fraction, _ := strings.Cut(digits, ".")
	digit := metering.Amount(1)
	for range decimals - len(fraction) {
		digit *= 10
	}
	return Dial{Index: metering.Amount(n), Digit: digit}, nil
}

// Tolerance is how far an index that counts in pulses may lie from the dial: one
// pulse, or what the last digit leaves open.
func (d Dial) Tolerance(pulse metering.Amount) metering.Amount { return max(1, pulse, d.Digit) }

// Fits reports whether an index agrees with the dial: a pulse may still be to
// come, or have come since it was read.
func (d Dial) Fits(index, pulse metering.Amount) bool { return d.Within(index, index, pulse) }

// Within reports whether the dial agrees with having been read between the
// instants of two indexes, first and last.
func (d Dial) Within(first, last, pulse metering.Amount) bool {
	return d.Index >= first-d.Tolerance(pulse) && d.Index <= last+max(1, pulse)
}
