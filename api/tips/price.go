package tips

import (
	"errors"
	"fmt"
	"math"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Bill is where a saving shows.
type Bill string

// The bills.
const (
	Charges  Bill = "charges"  // the landlord's, shared among the homes
	Supplier Bill = "supplier" // the household's own contract; never called charges
)

// A Rate is what one more or one less unit costs a household: the variable part
// of a tariff. A subscription does not fall with consumption and is no rate.
type Rate struct {
	metering.Price
	// Share is how much of the price follows the household's own meter, 0 to 1:
	// 0.70 for shared heat unless the building voted otherwise.
	Share  float64 `json:"share"`
	Bill   Bill    `json:"bill"`
	Source string  `json:"source"`
}

// ErrNoPrice says that no price is known on a date. Test with [errors.Is].
var ErrNoPrice = errors.New("no price known")

// Prices tells what consumption costs.
type Prices interface {
	// Rates returns what a unit of a kind costs on a date; hot water has the
	// rate of water and that of heating it. They are added. An error that is
	// [ErrNoPrice] says that a rate is missing; none may be left out silently.
	// It must give the same answer to the same question.
	Rates(kind metering.Kind, on civil.Date) ([]Rate, error)
}

// cents is the worth of a yearly use at the rates, by bill, in cents.
func cents(used metering.Amount, unit metering.Unit, rates []Rate) (map[Bill]float64, error) {
	if len(rates) == 0 {
		return nil, ErrNoPrice
	}
	worth := map[Bill]float64{}
	for _, r := range rates {
		per, ok := unitsPer(r.Per, unit)
		if !ok || r.Share <= 0 || r.Share > 1 || r.MicroEUR < 0 {
			return nil, fmt.Errorf("rate of %d µ€ a %s, share %g: want %s, a share above 0 and up to 1: correct the tariff",
				r.MicroEUR, r.Per, r.Share, longUnit(unit))
		}
		worth[r.Bill] += float64(used) / per * float64(r.MicroEUR) / 1e6 * 100 * r.Share
	}
	return worth, nil
}

// unitsPer is how many base units a price's unit has.
func unitsPer(per string, unit metering.Unit) (float64, bool) {
	switch {
	case per == "kWh" && unit == metering.WattHour:
		return 1000, true
	case per == "m3" && unit == metering.Millilitre:
		return mlPerM3, true
	default:
		return 0, false
	}
}

func longUnit(unit metering.Unit) string {
	if unit == metering.WattHour {
		return "kWh"
	}
	return "m3"
}

// RoundEuros rounds cents to the 5 € in which savings are shown.
func RoundEuros(cents int64) int64 { return 5 * int64(math.Round(float64(cents)/500)) }
