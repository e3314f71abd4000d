package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// appendDecimal appends n counts of 10^-decimals as a decimal number, with all
// its decimals, as in 123.456000.
func appendDecimal(dst []byte, n int64, decimals int) []byte {
	if decimals == 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	u := uint64(n)
	if n < 0 {
		dst, u = append(dst, '-'), -u
	}
	scale := uint64(math.Pow10(decimals))
	dst = strconv.AppendUint(dst, u/scale, 10)
	dst = append(dst, '.')
	rest := u % scale
	for scale /= 10; scale > 0; scale /= 10 {
		dst = append(dst, byte('0'+rest/scale%10))
	}
	return dst
}

// ParseDecimal reads a JSON number, or one with leading noughts, as a count of
// 10^-decimals, exactly: the result times 10^-decimals is the number. It fails
// with [ErrMalformed] where text is no number, with [ErrInexact] where the number
// has more decimals than that, and with [ErrRange] where the count does not fit
// an int64 or the exponent is beyond ±99.
func ParseDecimal(text string, decimals int) (int64, error) {
	mantissa, exponent, err := splitExponent(text)
	if err != nil {
		return 0, err
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !allDigits(whole) || point && !allDigits(fraction) {
		return 0, fmt.Errorf("%w: %.40q is no number", ErrMalformed, text)
	}
	shift := decimals + exponent - len(fraction)
	digits = strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return 0, nil
	}
	for shift < 0 && strings.HasSuffix(digits, "0") {
		digits, shift = digits[:len(digits)-1], shift+1
	}
	switch {
	case shift < 0:
		return 0, fmt.Errorf("%w: %s to %d decimals", ErrInexact, text, decimals)
	case len(digits)+shift > 19:
		return 0, fmt.Errorf("%w: %s", ErrRange, text)
	}
	digits += strings.Repeat("0", shift)
	if negative {
		digits = "-" + digits
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %s", ErrRange, text)
	}
	return n, nil
}

// allDigits reports whether text is one digit or more and nothing else.
func allDigits(text string) bool {
	n, _ := digits([]byte(text), 0)
	return n > 0 && n == len(text)
}

// splitExponent cuts 1.5e3 into "1.5" and 3. Exponents beyond ±99 are out of
// range: no meter needs them, and they must not cost memory.
func splitExponent(text string) (mantissa string, exponent int, err error) {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return text, 0, nil
	}
	exponent, err = strconv.Atoi(text[i+1:])
	if err != nil || exponent < -99 || exponent > 99 {
		return "", 0, fmt.Errorf("%w: %s", ErrRange, text)
	}
	return text[:i], exponent, nil
}
