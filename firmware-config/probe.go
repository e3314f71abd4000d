package firmwareconfig

import (
	"errors"
	"fmt"
	"math/big"
)

// Text is the type of a [Check] that compares letters: two a register, high
// byte first; zero bytes and spaces at the ends do not count.
const Text Type = "text"

// DeviceIdentity is the function of Modbus that reads a device's names: 43,
// with 14 as its kind of request (MODBUS Application Protocol 1.1b3, 6.21).
const DeviceIdentity byte = 43

// A Check is one thing that a slave shows where a profile fits it: a text that
// begins as expected, a number within a plausible range, or nothing at all.
type Check struct {
	// What says to people what is looked at, with its unit: "voltage L1 (V)".
	What string `yaml:"what"`
	// Function is 3, 4 or 43; the profile's where it is 0.
	Function byte `yaml:"function,omitempty"`
	// Object is what function 43 asks for: 0 the maker, 1 the product code.
	Object byte `yaml:"object,omitempty"`
	// Address, Type, Order and Scale are as of a register; the type may be
	// [Text], of Words registers.
	Address uint16 `yaml:"address,omitempty"`
	Type    Type   `yaml:"type,omitempty"`
	Words   uint16 `yaml:"words,omitempty"`
	Order   Order  `yaml:"order,omitempty"`
	Scale   string `yaml:"scale,omitempty"`
	// Range is the smallest and the largest number that is plausible, scaled.
	Range []float64 `yaml:"range,omitempty"`
	// Begins lists beginnings of the text, one of which must be there. Case and
	// spaces do not count.
	Begins []string `yaml:"begins,omitempty"`
	// Absent demands that the register is refused, zero or not a number: it
	// tells a meter from a larger one of the same family.
	Absent bool `yaml:"absent,omitempty"`
	// Certain says that no other meter shows this. Without it a check that
	// holds makes the profile only plausible.
	Certain bool `yaml:"certain,omitempty"`
}

// Length is how many registers the check reads.
func (c Check) Length() uint16 {
	if c.Type == Text {
		return c.Words
	}
	return c.Type.Words()
}

// Factor returns the check's scale.
func (c Check) Factor() (*big.Rat, error) { return parseScale(c.Scale) }

func (c Check) validate() error {
	if c.What == "" {
		return errors.New("what: say in a few words what is looked at")
	}
	if c.Function == DeviceIdentity {
		if len(c.Begins) == 0 {
			return errors.New("function 43 reads names: say with begins how they begin")
		}
		return nil
	}
	return errors.Join(c.validatePlace(), c.validateExpectation())
}

func (c Check) validatePlace() error {
	switch {
	case c.Function != 0 && c.Function != 3 && c.Function != 4:
		return fmt.Errorf("function %d: want 3, 4 or 43", c.Function)
	case c.Length() < 1 || c.Length() > 125:
		return fmt.Errorf("type %q of %d registers: want a type of numbers, or text of 1 to 125 words", c.Type, c.Length())
	case int(c.Address)+int(c.Length()) > 1<<16:
		return errors.New("reaches beyond the last address")
	}
	_, err := c.Factor()
	return errors.Join(err, c.Order.validate())
}

// validateExpectation demands exactly one of absent, range and begins.
func (c Check) validateExpectation() error {
	switch {
	case c.Absent && len(c.Range) == 0 && len(c.Begins) == 0 && !c.Certain:
		return nil
	case !c.Absent && c.Type == Text && len(c.Begins) > 0 && len(c.Range) == 0:
		return nil
	case !c.Absent && c.Type != Text && len(c.Range) == 2 && c.Range[0] <= c.Range[1] && len(c.Begins) == 0:
		return nil
	default:
		return errors.New("want a range [smallest, largest] for a number, begins for a text, or absent, which is never certain")
	}
}
