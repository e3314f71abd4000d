package nightly

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// mostOthers is with how many homes a result is compared at the most: more
	// make it no surer.
	mostOthers = 120
	// trialDays is how far before the day of "je le fais" days are compared.
	trialDays = 7 * 12
)

// observe moves the tips that the home took up along. Results are looked for after
// 4, 8, 13 and 26 weeks, so that the other homes are read on a few mornings only.
func (r *Runner) observe(ctx context.Context, n *night, h *home, known tips.Home, changed []tips.Kept) ([]tips.Kept, error) {
	for _, k := range h.history {
		if i := slices.IndexFunc(changed, func(c tips.Kept) bool { return c.ID == k.ID }); i >= 0 {
			continue // it is over, or waits for an answer
		}
		o, err := r.outcome(ctx, n, h, known, k)
		if err != nil {
			return nil, fmt.Errorf("result of tip %s: %w", k.ID, err)
		}
		moved, err := k.Watch(o, n.date)
		if err != nil {
			return nil, fmt.Errorf("result of tip %s: %w", k.ID, err)
		}
		if moved.State != k.State || moved.Observed != k.Observed {
			changed = append(changed, moved)
		}
	}
	return changed, nil
}

// outcome is what can be said of a tip this morning; its verdict is empty where
// there is nothing to look at or where it was looked at before.
func (r *Runner) outcome(ctx context.Context, n *night, h *home, known tips.Home, k tips.Kept) (tips.Outcome, error) {
	kind, shows := k.Entry.WatchedKind()
	if k.Committed.IsZero() || !shows || !k.Committed.Before(n.date) {
		return tips.Outcome{}, nil
	}
	trial := tips.Trial{Adopted: k.Committed, Own: known.Meters[kind].Days}
	look := k.Look(n.date)
	if look == 0 {
		return tips.Observe(trial, n.date), nil // too early, and says so
	}
	if k.Observed.Verdict != "" && k.Observed.WeeksLooked >= look {
		return tips.Outcome{}, nil
	}
	var err error
	if trial.Others, err = r.others(ctx, n, h, k, kind); err != nil {
		return tips.Outcome{}, err
	}
	o := tips.Observe(trial, n.date)
	o.WeeksLooked = look
	return o, nil
}

// The other homes took none of the tips on the same use up, and lived there all the
// time; those that come first by the tip's id are as good as any.
const otherHomes = `
SELECT tenancy.household_id, tenancy.dwelling_id, tenancy.moved_in, tenancy.id
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE dwelling.residence_id = $1
   AND tenancy.id <> $2
   AND tenancy.moved_in <= $3
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
   AND EXISTS (SELECT 1
                 FROM point
                 JOIN binding ON binding.point_id = point.id
                 JOIN meter ON meter.id = binding.meter_id
                WHERE point.dwelling_id = dwelling.id
                  AND point.kind = $5
                  AND binding.to_ms IS NULL
                  AND binding.from_ms <= $6
                  AND meter.resolution IN ('fine', 'hour', 'day'))
   AND NOT EXISTS (SELECT 1
                     FROM tip_instance
                    WHERE tip_instance.tenancy_id = tenancy.id
                      AND tip_instance.tip = $7
                      AND tip_instance.committed_date IS NOT NULL)
 ORDER BY tenancy.id
 LIMIT $8`

// others are the days of homes that did not take the tip up.
func (r *Runner) others(ctx context.Context, n *night, h *home, k tips.Kept, kind metering.Kind) ([][]consumption.Day, error) {
	from := k.Committed.AddDays(-trialDays)
	rows, err := r.DB.QueryContext(ctx, otherHomes, string(n.residence.ID), h.tenancy, from.String(), n.date.String(), string(kind),
		sqldb.Ms(from.Start(n.zone)), string(k.Tip), mostOthers)
	if err != nil {
		return nil, err
	}
	type other struct {
		household premises.HouseholdID
		dwelling  premises.DwellingID
		movedIn   civil.Date
	}
	list, err := sqldb.Collect(rows, func(rows *sql.Rows) (o other, err error) {
		var movedIn, tenancy string
		if err := rows.Scan(&o.household, &o.dwelling, &movedIn, &tenancy); err != nil {
			return o, err
		}
		o.movedIn, err = civil.ParseDate(movedIn)
		return o, err
	})
	if err != nil {
		return nil, err
	}
	var lodgings []consumption.Lodging
	store := meters.NewStore(r.DB)
	for _, o := range list {
		points, err := store.Fitted(ctx, o.dwelling)
		if err != nil {
			return nil, err
		}
		points = slices.DeleteFunc(points, func(p meters.Fitted) bool { return p.Kind != kind })
		lodgings = append(lodgings, consumption.Lodging{Points: points, Stay: premises.Stay{Household: o.household,
			Dwelling: premises.Dwelling{ID: o.dwelling, Residence: n.residence.ID}, Zone: n.zone, MovedIn: o.movedIn, From: from, To: n.date}})
	}
	if len(lodgings) == 0 {
		return nil, nil
	}
	found, err := n.reader.Together(ctx, n.date.Start(n.zone), lodgings)
	if err != nil {
		return nil, err
	}
	var days [][]consumption.Day
	for _, home := range found {
		for _, s := range home.Series {
			days = append(days, s.Days)
		}
	}
	return days, nil
}
