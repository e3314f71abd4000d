package firmwareconfig

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Register is one quantity of a meter in consecutive 16-bit registers.
type Register struct {
	// Channel tells apart the meters behind one device, from 1; 0 where the
	// device is the meter.
	Channel  int               `yaml:"channel,omitempty"`
	Quantity metering.Quantity `yaml:"quantity"`
	Address  uint16            `yaml:"address"` // counted from 0, as on the wire
	Type     Type              `yaml:"type"`
	Order    Order             `yaml:"order,omitempty"` // ABCD where empty
	Unit     string            `yaml:"unit"`            // of one count, times scale; see [Register.Factor]
	Scale    string            `yaml:"scale,omitempty"` // decimal factor, 1 where empty
	// Modulus is where an index rolls over, in counts of the register as it
	// stands on the wire; 0: never, or unknown.
	Modulus int64 `yaml:"modulus,omitempty"`
	// None lists raw contents, in hexadecimal as on the wire, that mean "no
	// value". Floats that are not numbers and BCD digits above 9 mean it always.
	None []string `yaml:"none,omitempty"`
	// NoneNumbers lists decimal numbers that mean "no value", as the register
	// shows them: before scale and unit.
	NoneNumbers []string `yaml:"none_numbers,omitempty"`
	// Confidence and Page stand where they differ from the profile's.
	Confidence Confidence `yaml:"confidence,omitempty"`
	Page       string     `yaml:"page,omitempty"`
}

// A Type is how a number is laid into registers: u, i (two's complement), f
// (IEEE 754) or bcd (a decimal digit every four bits), and its length in bits.
type Type string

// Words is the type's length in registers of 16 bits, 0 for an unknown type.
func (t Type) Words() uint16 {
	switch t {
	case "u16", "i16", "bcd16":
		return 1
	case "u32", "i32", "f32", "bcd32":
		return 2
	case "u48", "i48", "bcd48":
		return 3
	case "u64", "i64", "f64", "bcd64":
		return 4
	default:
		return 0
	}
}

// An Order is the order of the bytes of a 32-bit number, A being the most
// significant. Longer numbers follow the same rule: words turned round for
// CDAB, bytes within words for BADC, both for DCBA.
type Order string

func (o Order) validate() error {
	switch o {
	case "", "ABCD", "CDAB", "BADC", "DCBA":
		return nil
	default:
		return fmt.Errorf("order %q: want ABCD, CDAB, BADC or DCBA", o)
	}
}

// A dimension is what a unit measures.
type dimension string

const (
	energy      dimension = "energy"
	volume      dimension = "volume"
	power       dimension = "power"
	flow        dimension = "flow"
	temperature dimension = "temperature"
	counts      dimension = "counts" // worth what the site's configuration says
	bits        dimension = "bits"
)

// unit returns how many base units one of the named unit is, and of what.
func unit(name string) (int64, dimension, bool) {
	known := map[string]struct {
		base int64
		of   dimension
	}{
		"Wh": {1, energy}, "kWh": {1_000, energy}, "MWh": {1_000_000, energy},
		"mL": {1, volume}, "L": {1_000, volume}, "m3": {1_000_000, volume},
		"W": {1, power}, "kW": {1_000, power},
		"mL/h": {1, flow}, "L/h": {1_000, flow}, "m3/h": {1_000_000, flow},
		"Cel": {1_000, temperature}, "pulse": {1, counts}, "count": {1, counts}, "bits": {1, bits},
	}
	u, ok := known[name]
	return u.base, u.of, ok
}

// Factor returns the exact number of base units that one count of the register
// stands for; for the units pulse and count, of which the site says what one is
// worth, the number of them. It fails where unit or scale is not known.
func (r Register) Factor() (*big.Rat, error) {
	base, _, ok := unit(r.Unit)
	if !ok {
		return nil, fmt.Errorf("unit %q is not known", r.Unit)
	}
	exact, err := parseScale(r.Scale)
	if err != nil {
		return nil, err
	}
	return exact.Mul(exact, new(big.Rat).SetInt64(base)), nil
}

func parseScale(scale string) (*big.Rat, error) {
	if scale == "" {
		scale = "1"
	}
	exact, err := decimal(scale)
	if err != nil || exact.Sign() <= 0 {
		return nil, fmt.Errorf("scale %q is not a positive decimal number", scale)
	}
	return exact, nil
}

// decimal reads a number as people write it: digits, perhaps a sign and a point.
// An exponent would let a few letters stand for a number that fills the memory.
func decimal(text string) (*big.Rat, error) {
	if strings.Trim(strings.TrimPrefix(text, "-"), "0123456789.") == "" {
		if exact, ok := new(big.Rat).SetString(text); ok {
			return exact, nil
		}
	}
	return nil, fmt.Errorf("%q: want a decimal number such as 0.01", text)
}

// Weighed reports whether the site's configuration must say what one count is
// worth.
func (r Register) Weighed() bool {
	_, of, _ := unit(r.Unit)
	return of == counts
}

// amounts returns what a number of counts is worth on meter m in base units,
// without its start index.
func (r Register) amounts(m Meter, count int64) (metering.Amount, error) {
	factor, err := r.Factor()
	if err != nil {
		return 0, err
	}
	if r.Weighed() {
		factor.Mul(factor, new(big.Rat).SetInt64(m.Pulse()))
	}
	factor.Mul(factor, new(big.Rat).SetInt64(count))
	if !factor.IsInt() || !factor.Num().IsInt64() {
		return 0, fmt.Errorf("modulus %d is worth %s base units: want a whole number below 2^63", count, factor.RatString())
	}
	return metering.Amount(factor.Num().Int64()), nil
}

// fits reports whether the register's unit suits its quantity on a meter of
// kind k; k may be empty.
func (r Register) fits(k metering.Kind) bool {
	_, of, _ := unit(r.Unit)
	switch r.Quantity {
	case metering.Index:
		indexed := volume
		if k.IndexUnit() == metering.WattHour {
			indexed = energy
		}
		return of == counts || of == indexed || k == "" && (of == energy || of == volume)
	case metering.Power:
		return of == power
	case metering.Flow:
		return of == flow
	case metering.Celsius:
		return of == temperature
	default:
		return of == bits
	}
}

func (r Register) validate(p Profile) error {
	var errs []error
	words := r.Type.Words()
	switch {
	case words == 0:
		errs = append(errs, fmt.Errorf("type %q is not known", r.Type))
	case words > p.Limit:
		errs = append(errs, fmt.Errorf("type %q exceeds the limit of %d registers", r.Type, p.Limit))
	case int(r.Address)+int(words) > 1<<16:
		errs = append(errs, errors.New("reaches beyond the last address"))
	}
	_, unitErr := r.Factor()
	errs = append(errs, unitErr, r.Order.validate(), r.validateSentinels())
	if unitErr == nil && !r.fits(p.KindOf(r.Channel)) {
		errs = append(errs, fmt.Errorf("unit %q does not suit %s of %q", r.Unit, r.Quantity, p.KindOf(r.Channel)))
	}
	if r.Confidence != "" {
		errs = append(errs, r.Confidence.validate())
	}
	if r.Modulus < 0 || r.Channel < 0 {
		errs = append(errs, errors.New("modulus and channel must not be negative"))
	}
	return errors.Join(errs...)
}

// clash says what keeps two registers of a profile from standing side by side.
func (r Register) clash(other Register) error {
	end := func(r Register) int { return int(r.Address) + int(r.Type.Words()) }
	switch {
	case r.Channel == other.Channel && r.Quantity == other.Quantity:
		return fmt.Errorf("channel %d shows %s twice: leave one out", r.Channel, r.Quantity)
	case int(r.Address) < end(other) && int(other.Address) < end(r):
		return fmt.Errorf("overlaps %s at %#04x, which takes %d registers: check the address and the type of both",
			other.Quantity, other.Address, other.Type.Words())
	default:
		return nil
	}
}

func (r Register) validateSentinels() error {
	var errs []error
	for _, none := range r.None {
		if raw, err := hex.DecodeString(none); err != nil || len(raw) != 2*int(r.Type.Words()) {
			errs = append(errs, fmt.Errorf("none %q: want %d hexadecimal digits", none, 4*r.Type.Words()))
		}
	}
	for _, none := range r.NoneNumbers {
		if _, err := decimal(none); err != nil {
			errs = append(errs, fmt.Errorf("none_numbers %w", err))
		}
	}
	return errors.Join(errs...)
}
