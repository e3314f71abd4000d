// Package registers turns a meter's profile into Modbus requests, and what they
// answer into quantities.
//
// A poller keeps one [Reader] a device, made by [NewReader], and each cycle:
//
//	queue := reader.Requests(now)
//	for len(queue) > 0 {
//		request := queue[0]
//		queue = queue[1:]
//		answer, err := bus.Read(ctx, request.Slave, request.Function, request.Address, request.Quantity)
//		switch {
//		case err == nil:
//			for _, field := range request.Fields {
//				amount, err := field.Amount(request, answer) // ErrNoValue: nothing to report now
//			}
//		case exception code of err is one that Refuses reports:
//			queue = append(reader.Refused(request, now), queue...)
//		}
//	}
//
// A request that the meter refuses is so taken apart within the cycle, and every
// register that can be read is read in it; what was learnt counts for the next
// cycles. Where Refused returns nothing, the request held one register alone:
// that one has failed.
package registers

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// ErrNoValue means that the meter itself says that the register holds nothing
// now. Test with errors.Is.
var ErrNoValue = errors.New("the meter shows no value")

// A Request asks a slave for consecutive registers that hold one field or more.
type Request struct {
	Slave    byte
	Function byte
	Address  uint16
	Quantity uint16 // registers
	Fields   []Field

	places []int // of the fields in their reader
	root   int   // place of the first field of the request that this one is a part of
}

// A Field is one quantity of one meter within an answer.
type Field struct {
	Meter    firmwareconfig.Meter
	Quantity metering.Quantity
	Unit     metering.Unit

	register    firmwareconfig.Register
	factor      *big.Rat // base units a count
	none        [][]byte
	noneNumbers []*big.Rat
}

func newField(m firmwareconfig.Meter, r firmwareconfig.Register) (Field, error) {
	factor, err := r.Factor()
	if err != nil {
		return Field{}, err
	}
	if r.Weighed() {
		factor.Mul(factor, new(big.Rat).SetInt64(m.Pulse()))
	}
	f := Field{Meter: m, Quantity: r.Quantity, Unit: metering.UnitOf(m.Kind, r.Quantity), register: r, factor: factor}
	for _, text := range r.None {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return Field{}, fmt.Errorf("none %q: %w", text, err)
		}
		f.none = append(f.none, raw)
	}
	for _, text := range r.NoneNumbers {
		n, ok := new(big.Rat).SetString(text)
		if !ok {
			return Field{}, fmt.Errorf("none_numbers %q: want a decimal number", text)
		}
		f.noneNumbers = append(f.noneNumbers, n)
	}
	return f, nil
}

// Address is the field's first register, counted from 0.
func (f Field) Address() uint16 { return f.register.Address }

// Weighed reports whether the register counts pulses, or what else the site says
// the worth of.
func (f Field) Weighed() bool { return f.register.Weighed() }

// end is the address behind the field's last register.
func (f Field) end() int { return int(f.register.Address) + int(f.register.Type.Words()) }

// Raw returns the field's bytes as they stood on the wire, out of the registers
// that answered the request (two bytes each). It fails where the answer is too
// short for them.
func (f Field) Raw(request Request, answer []byte) ([]byte, error) {
	from := 2 * (int(f.register.Address) - int(request.Address))
	to := from + 2*int(f.register.Type.Words())
	if from < 0 || to > len(answer) {
		return nil, fmt.Errorf("%s: answer of %d bytes from %#04x on does not hold it", f, len(answer), request.Address)
	}
	return answer[from:to], nil
}

// Amount returns the field's amount in its base unit, rounded down, out of the
// registers that answered the request (two bytes each, as on the wire). An index
// includes the site's start index. It fails with [ErrNoValue] on a sentinel, a
// float that is not a number or digits that are not decimal, and otherwise where
// the answer is too short or the amount does not fit.
func (f Field) Amount(request Request, answer []byte) (metering.Amount, error) {
	raw, err := f.Raw(request, answer)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(f.none, func(none []byte) bool { return bytes.Equal(raw, none) }) {
		return 0, fmt.Errorf("%s: %w", f, ErrNoValue)
	}
	count, err := Number(f.register.Type, f.register.Order, raw)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f, err)
	}
	if slices.ContainsFunc(f.noneNumbers, func(none *big.Rat) bool { return count.Cmp(none) == 0 }) {
		return 0, fmt.Errorf("%s: %w", f, ErrNoValue)
	}
	return f.amount(count)
}

func (f Field) amount(count *big.Rat) (metering.Amount, error) {
	exact := count.Mul(count, f.factor)
	whole := new(big.Int).Div(exact.Num(), exact.Denom()) // Euclidean: rounds down
	if f.Quantity == metering.Index {
		whole.Add(whole, big.NewInt(int64(f.Meter.StartIndex)))
	}
	if !whole.IsInt64() {
		return 0, fmt.Errorf("%s: %s %s is out of range", f, whole, f.Unit)
	}
	return metering.Amount(whole.Int64()), nil
}

// String names the field, as in "CW-A12/index at 0x0002".
func (f Field) String() string {
	return fmt.Sprintf("%s/%s at %#04x", f.Meter.ID, f.Quantity, f.register.Address)
}
