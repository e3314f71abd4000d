package nightly

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// judgeRooms looks for a home that is too cold, where the household agreed to its
// room sensor being read.
func (r *Runner) judgeRooms(ctx context.Context, n *night, h *home, c *Counts) error {
	for _, f := range h.of(metering.Temperature) {
		if !h.readsFinely(f) || h.household == "" {
			continue // nobody freezes in an empty flat
		}
		m := alerts.Meter{Point: f.Point, Kind: f.Meter.Kind, Zone: n.zone, Checked: true}
		v := alerts.ColdFlat(m, h.rooms[f.Meter.ID], n.morning)
		if err := r.settle(ctx, n, h, f.Point, v, c); err != nil {
			return err
		}
		still := func(alerts.Kept) (alerts.QuietDay, bool, bool) {
			return n.yesterday(), v.Outcome == alerts.Alarm, v.Outcome != alerts.Refused
		}
		if err := r.follow(ctx, n, f.Point, alerts.Cold, still, c); err != nil {
			return err
		}
	}
	return nil
}

// yesterday is the last whole civil day.
func (n *night) yesterday() alerts.QuietDay {
	start, end := n.date.AddDays(-1).Bounds(n.zone)
	return alerts.QuietDay{Start: start, End: end}
}

// judgeSilence opens a case for a meter that nobody reads any more, and ends it
// once it is read again. It goes by the incidents of the survey, which knows whether
// anybody listened to the gateways. It is no household's fault, and none of it is
// told to one.
func (r *Runner) judgeSilence(ctx context.Context, n *night, h *home, c *Counts) error {
	for _, f := range h.fitted {
		facts := watch.Facts{Meter: f.Meter.ID, Gateway: f.Meter.Gateway, Interval: f.Meter.Interval, Hung: f.From, Reported: true, LastGood: n.morning}
		if !f.silent.IsZero() {
			facts.LastGood = f.silent
		}
		found := alerts.Silent([]watch.Facts{facts}, []metering.PointID{f.Point}, n.morning)
		for _, finding := range found {
			if err := r.take(ctx, n, h, alerts.Verdict{Outcome: alerts.Alarm, Finding: finding}, c); err != nil {
				return err
			}
		}
		still := func(alerts.Kept) (alerts.QuietDay, bool, bool) {
			return n.yesterday(), len(found) > 0, true
		}
		if err := r.follow(ctx, n, f.Point, alerts.Silence, still, c); err != nil {
			return err
		}
	}
	return nil
}

const silentGateways = `
SELECT gateway.id, COALESCE(incident.from_ms, 0)
  FROM gateway
  LEFT JOIN incident ON incident.gateway_id = gateway.id
                    AND incident.residence_id = gateway.residence_id
                    AND incident.kind = 'gateway_silent'
                    AND incident.meter_id = ''
                    AND incident.to_ms IS NULL
 WHERE gateway.residence_id = $1
 ORDER BY gateway.id`

// judgeGateways does the same for whole gateways: one case, not one for each meter.
func (r *Runner) judgeGateways(ctx context.Context, n *night, c *Counts) error {
	rows, err := r.DB.QueryContext(ctx, silentGateways, string(n.residence.ID))
	if err != nil {
		return fmt.Errorf("silent gateways: %w", err)
	}
	type gateway struct {
		id    metering.GatewayID
		since time.Time
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (g gateway, err error) {
		var sinceMs int64
		err = rows.Scan(&g.id, &sinceMs)
		if sinceMs > 0 {
			g.since = sqldb.Time(sinceMs)
		}
		return g, err
	})
	if err != nil {
		return fmt.Errorf("silent gateways: %w", err)
	}
	silent := map[metering.GatewayID]bool{}
	for _, g := range all {
		// A gateway that fell silent since the morning is tomorrow's.
		if silent[g.id] = !g.since.IsZero(); !silent[g.id] || !g.since.Before(n.morning) {
			continue
		}
		finding := alerts.Finding{Cause: alerts.Cause{Subject: alerts.Silence, Gateway: g.id}, Source: alerts.FromStanding,
			Since: alerts.Since{Earliest: g.since, Latest: g.since}, Last: n.morning}
		if err := r.take(ctx, n, &home{}, alerts.Verdict{Outcome: alerts.Alarm, Finding: finding}, c); err != nil {
			return err
		}
	}
	return r.followGateways(ctx, n, silent, c)
}

func (r *Runner) followGateways(ctx context.Context, n *night, silent map[metering.GatewayID]bool, c *Counts) error {
	still := func(k alerts.Kept) (alerts.QuietDay, bool, bool) {
		is, known := silent[k.Cause.Gateway]
		return n.yesterday(), is, known
	}
	return r.follow(ctx, n, "", alerts.Silence, still, c)
}

// take stores an alarm and reads its cause's cases again.
func (r *Runner) take(ctx context.Context, n *night, h *home, v alerts.Verdict, c *Counts) error {
	opened, err := n.alerts.Take(ctx, v, h.household, n.morning)
	if err != nil {
		return err
	}
	if opened {
		c.Opened++
	}
	point := v.Finding.Cause.Point
	if point == "" {
		return n.readCases(ctx)
	}
	n.cases[point], err = n.alerts.OpenAt(ctx, point)
	return err
}

// change stores a case that changed. Where somebody changed it meanwhile it is left
// to the next morning, which sees what they said.
func (r *Runner) change(ctx context.Context, n *night, k alerts.Kept, to alerts.Case) (bool, error) {
	err := n.alerts.Change(ctx, k, to)
	if errors.Is(err, resource.ErrStale) {
		return false, nil
	}
	return err == nil, err
}
