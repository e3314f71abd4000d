package registers

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// number reads raw, whose length fits the type, exactly.
func number(t firmwareconfig.Type, order firmwareconfig.Order, raw []byte) (*big.Rat, error) {
	b := bigEndian(order, raw)
	switch t {
	case "u16":
		return integer(int64(binary.BigEndian.Uint16(b))), nil
	case "i16":
		return integer(int64(int16(binary.BigEndian.Uint16(b)))), nil
	case "u32":
		return integer(int64(binary.BigEndian.Uint32(b))), nil
	case "i32":
		return integer(int64(int32(binary.BigEndian.Uint32(b)))), nil
	case "u64":
		return new(big.Rat).SetUint64(binary.BigEndian.Uint64(b)), nil
	case "i64":
		return integer(int64(binary.BigEndian.Uint64(b))), nil
	case "f32":
		return float(shortest(math.Float32frombits(binary.BigEndian.Uint32(b))))
	case "f64":
		return float(math.Float64frombits(binary.BigEndian.Uint64(b)))
	default:
		return nil, fmt.Errorf("type %q is not known", t)
	}
}

func integer(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// shortest widens f through its shortest decimal text, so that a meter's 0.1 is
// a tenth and not 0.10000000149.
func shortest(f float32) float64 {
	var wide float64
	if _, err := fmt.Sscan(fmt.Sprint(f), &wide); err != nil {
		return float64(f)
	}
	return wide
}

func float(f float64) (*big.Rat, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, ErrNoValue
	}
	exact, ok := new(big.Rat).SetString(fmt.Sprint(f))
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
