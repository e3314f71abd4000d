package nightly

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const provisionsOf = `
SELECT provision.dwelling_id, provision.from_date, provision.monthly_cents
  FROM provision
  JOIN dwelling ON dwelling.id = provision.dwelling_id
 WHERE dwelling.residence_id = $1
 ORDER BY provision.dwelling_id, provision.from_date`

func (r *Runner) provisions(ctx context.Context, residence metering.SiteID) (map[premises.DwellingID][]charges.Provision, error) {
	rows, err := r.DB.QueryContext(ctx, provisionsOf, string(residence))
	if err != nil {
		return nil, fmt.Errorf("provisions: %w", err)
	}
	found := map[premises.DwellingID][]charges.Provision{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var p charges.Provision
		var from string
		err := rows.Scan(&p.Dwelling, &from, &p.MonthlyCents)
		if err == nil {
			p.From, err = civil.ParseDate(from)
		}
		found[p.Dwelling] = append(found[p.Dwelling], p)
		return struct{}{}, err
	})
	return found, err
}

// prices tells tips what consumption costs in the residence.
type prices struct{ tariffs charges.Tariffs }

// Rates implements [tips.Prices].
func (p prices) Rates(kind metering.Kind, on civil.Date) ([]tips.Rate, error) {
	rates, ok := p.tariffs.Rates(kind, on)
	if !ok {
		return nil, tips.ErrNoPrice
	}
	var all []tips.Rate
	for _, rate := range rates {
		if rate.Share > 0 { // what does not follow the meter is not saved
			all = append(all, tips.Rate{Price: rate.Price, Share: rate.Share, Bill: tips.Bill(rate.Bill), Source: rate.Source})
		}
	}
	if len(all) == 0 {
		return nil, tips.ErrNoPrice
	}
	return all, nil
}

var _ tips.Prices = prices{}

// readBudgets compares what the homes pay in advance with what the year will cost.
func (r *Runner) readBudgets(ctx context.Context, n *night, all []*home) (err error) {
	for _, h := range all {
		if h.budget, err = r.budget(ctx, n, h); err != nil {
			return err
		}
	}
	return nil
}

// budget compares what the home pays in advance with what the year will cost; nil
// where there is no provision or nothing honest can be said.
func (r *Runner) budget(ctx context.Context, n *night, h *home) (*tips.Budget, error) {
	provided := n.provided[h.dwelling.ID]
	if len(provided) == 0 || !h.agreed(consent.PersonalAdvice) {
		return nil, nil //nolint:nilnil // no budget is what tips take for unknown
	}
	// The outlook looks from a day on which the household still lives there.
	lasting := h.lived
	lasting.Stays = slices.Clone(lasting.Stays)
	lasting.Stays[0].To = n.date.AddDays(1)
	priced, err := n.charges.Priced(ctx, lasting)
	if err != nil {
		return nil, err
	}
	return budgetOf(priced.Outlook(n.date, provided)), nil
}

func budgetOf(o charges.Outlook) *tips.Budget {
	if o.Refused != "" || o.ProvisionCents == nil {
		return nil
	}
	return &tips.Budget{Provision: *o.ProvisionCents, ProjectedLow: o.LowCents, ProjectedHigh: o.HighCents, MonthsOfReading: o.Months}
}
