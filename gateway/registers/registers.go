// Package registers turns a meter's profile into Modbus requests, and what they
// answer into quantities.
package registers

import (
	"bytes"
	"cmp"
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

// A Field is one quantity of one meter within an answer.
type Field struct {
	Meter    firmwareconfig.Meter
	Quantity metering.Quantity
	Unit     metering.Unit

	register firmwareconfig.Register
	factor   *big.Rat // base units a count
	none     [][]byte
}

// A Request asks a slave for consecutive registers that hold one field or more.
type Request struct {
	Slave    byte
	Function byte
	Address  uint16
	Quantity uint16 // registers
	Fields   []Field
}

// maxGap is how many unwanted registers a request may span rather than be cut
// in two: at 9600 baud sixteen cost less than another request's overhead.
const maxGap = 16

// Plan returns the requests that read all meters of a device, fewest first:
// registers that stand near one another share a request, within the profile's
// limit.
func Plan(d firmwareconfig.Device, p firmwareconfig.Profile) ([]Request, error) {
	var fields []Field
	for _, m := range d.Meters {
		for _, r := range p.Registers {
			if r.Channel != m.Channel {
				continue
			}
			f, err := newField(m, r)
			if err != nil {
				return nil, fmt.Errorf("slave %d, meter %s: %w", d.Slave, m.ID, err)
			}
			fields = append(fields, f)
		}
	}
	slices.SortFunc(fields, func(a, b Field) int { return cmp.Compare(a.register.Address, b.register.Address) })
	var plan []Request
	for _, f := range fields {
		if n := len(plan); n > 0 && plan[n-1].take(f, p.Limit) {
			continue
		}
		plan = append(plan, Request{Slave: d.Slave, Function: p.Function,
			Address: f.register.Address, Quantity: f.register.Type.Words(), Fields: []Field{f}})
	}
	return plan, nil
}

// take adds a field that begins after those taken before, where it is near.
func (r *Request) take(f Field, limit uint16) bool {
	end := int(r.Address) + int(r.Quantity)
	span := int(f.register.Address) + int(f.register.Type.Words()) - int(r.Address)
	if int(f.register.Address) > end+maxGap || span > int(limit) {
		return false
	}
	r.Quantity = max(r.Quantity, uint16(span))
	r.Fields = append(r.Fields, f)
	return true
}

func newField(m firmwareconfig.Meter, r firmwareconfig.Register) (Field, error) {
	factor, err := r.Factor()
	if err != nil {
		return Field{}, err
	}
	if r.Unit == "pulse" {
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
	return f, nil
}

// Amount returns the field's amount in its base unit, rounded down, out of the
// registers that answered the request (two bytes each, as on the wire). An index
// includes the site's start index. It fails with [ErrNoValue] on a sentinel or a
// float that is not a number, and where the amount does not fit.
func (f Field) Amount(request Request, answer []byte) (metering.Amount, error) {
	from := 2 * int(f.register.Address-request.Address)
	to := from + 2*int(f.register.Type.Words())
	if to > len(answer) {
		return 0, fmt.Errorf("%s: answer of %d bytes ends before byte %d", f, len(answer), to)
	}
	raw := answer[from:to]
	for _, none := range f.none {
		if bytes.Equal(raw, none) {
			return 0, fmt.Errorf("%s: %w", f, ErrNoValue)
		}
	}
	count, err := number(f.register.Type, f.register.Order, raw)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f, err)
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
