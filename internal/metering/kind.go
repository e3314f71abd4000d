package metering

import "fmt"

// A Kind says what a meter counts, as in "cold_water".
type Kind string

// The kinds of meter.
const (
	ColdWater   Kind = "cold_water"
	HotWater    Kind = "hot_water"
	Electricity Kind = "electricity"
	Heat        Kind = "heat"
	Gas         Kind = "gas" // counts volume
	Temperature Kind = "temperature"
)

// Kinds lists every kind in the order in which people are shown them.
var Kinds = []Kind{ColdWater, HotWater, Electricity, Heat, Gas, Temperature}

// ParseKind returns the kind of that name, or an error that lists the kinds.
func ParseKind(name string) (Kind, error) { return parse("kind of meter", name, Kinds) }

// UnmarshalText makes a kind that configuration or JSON names; see [ParseKind].
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = ParseKind(string(text))
	return err
}

// A Quantity says what one register of a meter shows.
type Quantity string

// The quantities.
const (
	Index       Quantity = "index"        // cumulative; Wh or mL by the meter's kind
	Power       Quantity = "power"        // W
	Flow        Quantity = "flow"         // mL/h
	Celsius     Quantity = "temperature"  // m°C
	QuietFlow   Quantity = "quiet_flow"   // mL/h; the day's smallest draw over a window
	QuietWindow Quantity = "quiet_window" // s; the window of the quiet_flow of the same instant
	Alarm       Quantity = "alarm"        // the meter's own alarm bits
)

// Quantities lists every quantity.
var Quantities = []Quantity{Index, Power, Flow, Celsius, QuietFlow, QuietWindow, Alarm}

// ParseQuantity returns the quantity of that name, or an error that lists them.
func ParseQuantity(name string) (Quantity, error) { return parse("quantity", name, Quantities) }

// UnmarshalText makes a quantity that configuration or JSON names; see
// [ParseQuantity].
func (q *Quantity) UnmarshalText(text []byte) (err error) {
	*q, err = ParseQuantity(string(text))
	return err
}

// A Unit is the base unit in which an [Amount] of a quantity is counted.
type Unit string

// The base units.
const (
	WattHour          Unit = "Wh"
	Millilitre        Unit = "mL"
	Watt              Unit = "W"
	MillilitrePerHour Unit = "mL/h"
	MilliCelsius      Unit = "m°C"
	Second            Unit = "s"
	Bits              Unit = "bits"
)

// UnitOf returns the base unit of quantity q on a meter of kind k.
func UnitOf(k Kind, q Quantity) Unit {
	switch q {
	case Index:
		return k.IndexUnit()
	case Power:
		return Watt
	case Flow, QuietFlow:
		return MillilitrePerHour
	case Celsius:
		return MilliCelsius
	case QuietWindow:
		return Second
	default:
		return Bits
	}
}

// IndexUnit returns the unit in which a meter of this kind counts: watt-hours
// for energy, millilitres for volume.
func (k Kind) IndexUnit() Unit {
	switch k {
	case Electricity, Heat:
		return WattHour
	default:
		return Millilitre
	}
}

func parse[T ~string](what, name string, known []T) (T, error) {
	for _, k := range known {
		if string(k) == name {
			return k, nil
		}
	}
	return "", fmt.Errorf("unknown %s %q, known are %v", what, name, known)
}
