package tenant

import (
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// prices tells the tips what consumption costs in a residence. Without tariffs it
// knows none, and the pages show litres and kWh.
type prices struct{ charges.Tariffs }

var _ tips.Prices = prices{}

// Rates fails with [tips.ErrNoPrice]. A price that does not follow the household's
// own meter is no rate of theirs.
func (p prices) Rates(kind metering.Kind, on civil.Date) ([]tips.Rate, error) {
	all, _ := p.Tariffs.Rates(kind, on)
	all = slices.DeleteFunc(all, func(r charges.Rate) bool { return r.Share <= 0 })
	if len(all) == 0 {
		return nil, fmt.Errorf("%s on %s: %w", kind, on, tips.ErrNoPrice)
	}
	rates := make([]tips.Rate, 0, len(all))
	for _, r := range all {
		rates = append(rates, tips.Rate{Price: r.Price, Share: r.Share, Bill: tips.Bill(r.Bill), Source: r.Source})
	}
	return rates, nil
}

// known reports whether any price is known on a day.
func (p prices) known(on civil.Date) bool {
	return slices.ContainsFunc(charges.Priced, func(k metering.Kind) bool {
		_, err := p.Rates(k, on)
		return err == nil
	})
}
