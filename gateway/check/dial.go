package check

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Dial is what a person read on a meter.
type Dial struct {
	Index metering.Amount // Wh or mL
	// Digit is what the last digit that was typed stands for: the index lies
	// between Index and Index + Digit.
	Digit metering.Amount
}

// units are what dials count in, and how many decimals make it the base unit.
var units = map[string]struct {
	base     metering.Unit
	decimals int
}{
	"m3": {metering.Millilitre, 6}, "L": {metering.Millilitre, 3}, "mL": {metering.Millilitre, 0},
	"MWh": {metering.WattHour, 6}, "kWh": {metering.WattHour, 3}, "Wh": {metering.WattHour, 0},
}

// mostShown is more than any dial has digits for, and keeps sums exact.
const mostShown = 1e15

// UnitOf returns what the dial of a meter of kind k mostly counts in.
func UnitOf(k metering.Kind) string {
	if k.IndexUnit() == metering.WattHour {
		return "kWh"
	}
	return "m3"
}

// ParseDial reads the digits of a dial, with a dot or a comma before the
// decimals, as in 00123,456. The unit is m3, L or mL, or MWh, kWh or Wh, and has
// to suit the kind.
func ParseDial(text, unit string, k metering.Kind) (Dial, error) {
	u, ok := units[unit]
	if !ok || u.base != k.IndexUnit() {
		return Dial{}, fmt.Errorf("unit %q: a meter of kind %s counts in %s", unit, k, UnitOf(k))
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(text, ",", "."), " ", "")
	n, err := wire.ParseDecimal(digits, u.decimals)
	if err != nil || n < 0 || n > mostShown || strings.ContainsAny(digits, "eE+-") {
		return Dial{}, errors.Join(fmt.Errorf("dial %q: want the digits of the dial in %s, as in 123.456", text, unit), err)
	}
	_, decimals, _ := strings.Cut(digits, ".")
	digit := metering.Amount(1)
	for range u.decimals - len(decimals) {
		digit *= 10
	}
	return Dial{Index: metering.Amount(n), Digit: digit}, nil
}

// tolerance is how far a register that counts in steps of count may be off.
func (d Dial) tolerance(count metering.Amount) metering.Amount { return max(count, d.Digit) }

// Fits reports whether an index agrees with the dial within one count of the
// meter or the last digit that was typed.
func (d Dial) Fits(index, count metering.Amount) bool {
	return index >= d.Index-count && index <= d.Index+d.tolerance(count)
}

// A Cause is why a meter may disagree with its dial.
type Cause string

// The causes.
const (
	WrongFactor Cause = "factor" // a pulse weight or scale wrong by a power of ten
	OtherMeter  Cause = "swapped"
	WordOrder   Cause = "order" // of the register's words or bytes
)

// A Suspicion is one explanation of a disagreement.
type Suspicion struct {
	Cause  Cause
	Meter  metering.MeterID     // the other one; [OtherMeter] only
	Factor *big.Rat             // by which the index is to be multiplied; [WrongFactor] only
	Order  firmwareconfig.Order // that would fit; [WordOrder] only
}

// Suspect returns what would explain that meter m shows an index that its dial
// does not. Others are what the rivals show.
func Suspect(m *Meter, shown Shown, dial Dial, others map[*Meter]Shown) (all []Suspicion) {
	for other, s := range others {
		if dial.Fits(s.Index, other.Count) {
			all = append(all, Suspicion{Cause: OtherMeter, Meter: other.Config.ID})
		}
	}
	if f := m.wrongFactor(shown, dial); f != nil {
		all = append(all, Suspicion{Cause: WrongFactor, Factor: f})
	}
	for _, order := range []firmwareconfig.Order{"ABCD", "CDAB", "BADC", "DCBA"} {
		if index, ok := m.inOrder(order, shown.Raw); ok && dial.Fits(index, m.Count) {
			all = append(all, Suspicion{Cause: WordOrder, Order: order})
		}
	}
	return all
}

// telling is how many steps the counted part must have for a power of ten to be
// no chance.
const telling = 20

// wrongFactor returns the power of ten by which what the register counts would
// have to be multiplied to fit, nil where none does.
func (m *Meter) wrongFactor(shown Shown, dial Dial) *big.Rat {
	start := m.Config.StartIndex
	for _, f := range []struct{ up, down metering.Amount }{{10, 1}, {1, 10}, {100, 1}, {1, 100}, {1000, 1}, {1, 1000}} {
		count := max(1, m.Count*f.up/f.down)
		if dial.Index-start < telling*dial.tolerance(count) {
			continue
		}
		if dial.Fits(start+(shown.Index-start)*f.up/f.down, count) {
			return big.NewRat(int64(f.up), int64(f.down))
		}
	}
	return nil
}

// inOrder is what the register's bytes say in another order.
func (m *Meter) inOrder(order firmwareconfig.Order, raw []byte) (metering.Amount, bool) {
	own := m.register.Order
	if own == "" {
		own = "ABCD"
	}
	if order == own || len(raw) < 4 {
		return 0, false
	}
	number, err := registers.Number(m.register.Type, order, raw)
	if err != nil {
		return 0, false
	}
	factor, err := m.factor(m.register)
	if err != nil {
		return 0, false
	}
	exact := number.Mul(number, factor)
	whole := new(big.Int).Div(exact.Num(), exact.Denom())
	if !whole.IsInt64() {
		return 0, false
	}
	return metering.Amount(whole.Int64()) + m.Config.StartIndex, true
}
