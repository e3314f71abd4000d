package tenant

import (
	"fmt"

	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// noPrices knows none: the pages show litres and kWh, and no euros.
type noPrices struct{}

var _ tips.Prices = noPrices{}

// Rates fails with [tips.ErrNoPrice].
func (noPrices) Rates(kind metering.Kind, on civil.Date) ([]tips.Rate, error) {
	return nil, fmt.Errorf("%s on %s: %w", kind, on, tips.ErrNoPrice)
}
