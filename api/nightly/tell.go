package nightly

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// whole does what is of the residence and not of one home: silent gateways, whom to
// tell of what, and what need not be kept any longer.
func (r *Runner) whole(ctx context.Context, n *night) (c Counts, err error) {
	if err := r.judgeGateways(ctx, n, &c); err != nil {
		if err := r.excuseWhole(ctx, n, err, &c); err != nil {
			return c, err
		}
	}
	if err := n.alerts.NoteTold(ctx); err != nil {
		return c, err
	}
	if err := n.readCases(ctx); err != nil {
		return c, err
	}
	for _, point := range points(n.cases) {
		for _, k := range n.cases[point] {
			told, err := r.tell(ctx, n, k)
			if err != nil {
				if err := r.excuseWhole(ctx, n, fmt.Errorf("tell of case %s: %w", k.ID, err), &c); err != nil {
					return c, err
				}
			}
			if told {
				c.Told++
			}
		}
	}
	return c, r.forget(ctx, n)
}

func points(cases map[metering.PointID][]alerts.Kept) (all []metering.PointID) {
	for point := range cases {
		all = append(all, point)
	}
	slices.Sort(all)
	return all
}

// tell writes to the household of a case, at its opening and each week as long as
// it lasts. Of a silent meter the staff know by its incident.
func (r *Runner) tell(ctx context.Context, n *night, k alerts.Kept) (bool, error) {
	now := r.Now()
	if k.Household == "" || k.Cause.Subject == alerts.Silence || !k.Due(now) {
		return false, nil
	}
	told, err := n.alerts.Tell(ctx, k, now)
	if errors.Is(err, resource.ErrStale) {
		return false, nil // the next morning sees what was said meanwhile
	}
	return told, err
}

const forgetDays = `
DELETE FROM quiet_day
 WHERE on_date <= $2
   AND meter_id IN (SELECT meter.id
                      FROM meter
                      JOIN gateway ON gateway.id = meter.gateway_id
                     WHERE gateway.residence_id = $1)`

// forget drops quiet days that no run looks at any more, and letters that nobody has
// to read.
func (r *Runner) forget(ctx context.Context, n *night) error {
	if _, err := r.DB.ExecContext(ctx, forgetDays, string(n.residence.ID), n.date.AddDays(-quietDays).String()); err != nil {
		return fmt.Errorf("forget quiet days: %w", err)
	}
	return n.alerts.DropLetters(ctx, r.Now())
}

// ErrNoResidence says that there is no such residence. Test with [errors.Is].
var ErrNoResidence = errors.New("no such residence: name one that was loaded, or none for all of them")

// Residences are the residences that a run is of: one, or all for an empty id. It
// fails with [ErrNoResidence].
func (r *Runner) Residences(ctx context.Context, id metering.SiteID) ([]premises.Residence, error) {
	all, err := premises.NewStore(r.DB).Residences(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(one premises.Residence) bool { return one.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("residence %q: %w", id, ErrNoResidence)
	}
	return all[i : i+1], nil
}

// Erased forgets the quiet days of a meter of which something was erased.
func Erased(ctx context.Context, db *sql.DB, meter metering.MeterID, from, to civil.Date) error {
	_, err := db.ExecContext(ctx, `DELETE FROM quiet_day WHERE meter_id = $1 AND on_date >= $2 AND on_date <= $3`,
		string(meter), from.String(), to.AddDays(1).String())
	if err != nil {
		return fmt.Errorf("erase the quiet days of meter %s: %w", meter, err)
	}
	return nil
}
