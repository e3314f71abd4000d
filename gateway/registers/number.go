package registers

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// Number reads raw, two bytes a register as on the wire, as a number of that
// type and order, exactly. It fails with [ErrNoValue] on a float that is not a
// number or is infinite and on BCD digits above 9, and otherwise where the type
// is not known or raw has not its length.
func Number(t firmwareconfig.Type, order firmwareconfig.Order, raw []byte) (*big.Rat, error) {
	if t.Words() == 0 || len(raw) != 2*int(t.Words()) {
		return nil, fmt.Errorf("type %q cannot be read from %d bytes", t, len(raw))
	}
	b := bigEndian(order, raw)
	switch t[0] {
	case 'u':
		return whole(new(big.Int).SetBytes(b)), nil
	case 'i':
		return whole(signed(b)), nil
	case 'b':
		return decimal(b)
	default:
		return float(b)
	}
}

func whole(n *big.Int) *big.Rat { return new(big.Rat).SetInt(n) }

// signed reads two's complement.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// decimal reads a digit every four bits. M-Bus marks a wrong or overflowed
// number with digits above 9 (EN 13757-3, annex B).
func decimal(b []byte) (*big.Rat, error) {
	var n int64 // 16 digits at most
	for _, c := range b {
		for _, digit := range [2]byte{c >> 4, c & 0x0F} {
			if digit > 9 {
				return nil, fmt.Errorf("%X is no decimal digit: %w", digit, ErrNoValue)
			}
			n = 10*n + int64(digit)
		}
	}
	return new(big.Rat).SetInt64(n), nil
}

// float goes through the shortest decimal text that tells the number from its
// neighbours, so that a meter's 0.1 is a tenth and not 0.10000000149.
func float(b []byte) (*big.Rat, error) {
	bits, f := 64, 0.0
	if len(b) == 4 {
		bits, f = 32, float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	} else {
		f = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, ErrNoValue
	}
	exact, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, bits))
	if !ok {
		return nil, ErrNoValue
	}
	return exact, nil
}

// bigEndian returns a copy of raw with the most significant byte first.
func bigEndian(order firmwareconfig.Order, raw []byte) []byte {
	b := slices.Clone(raw)
	if order == "CDAB" || order == "DCBA" {
		swapWords(b)
	}
	if order == "BADC" || order == "DCBA" {
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
	}
	return b
}

func swapWords(b []byte) {
	for i, j := 0, len(b)-2; i < j; i, j = i+2, j-2 {
		b[i], b[i+1], b[j], b[j+1] = b[j], b[j+1], b[i], b[i+1]
	}
}
