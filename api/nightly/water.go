package nightly

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// byMove makes the step by which a case leaves with its household.
const byMove = "move"

// leave ends the open cases of who lives there no more today: what they tell is not
// the next one's.
func (r *Runner) leave(ctx context.Context, n *night, h *home, c *Counts) error {
	for _, p := range h.points {
		var theirs []alerts.Kept
		for _, k := range n.cases[p.ID] {
			if k.Household == h.lives {
				theirs = append(theirs, k)
				continue
			}
			to, err := k.Leave(laterOf(n.morning, k.Steps[len(k.Steps)-1].At), byMove)
			if err != nil {
				return err
			}
			left, err := r.change(ctx, n, k, to)
			if err != nil {
				return err
			}
			if left {
				c.Ended++
			}
		}
		n.cases[p.ID] = theirs
	}
	return nil
}

// judgeWater looks for water that never stops behind each water meter.
func (r *Runner) judgeWater(ctx context.Context, n *night, h *home, c *Counts) error {
	for _, f := range h.of(metering.ColdWater, metering.HotWater) {
		q, read := h.quiet[f.Meter.ID]
		if !read {
			continue
		}
		m := alerts.Meter{Point: f.Point, Kind: f.Meter.Kind, Count: max(1, q.step), Zone: n.zone, Checked: f.verified}
		v, err := r.waterVerdict(ctx, n, h, f, m, q)
		if err != nil {
			return err
		}
		c.Judged++
		if err := r.settle(ctx, n, h, f.Point, v, c); err != nil {
			return err
		}
		flows := func(k alerts.Kept) (alerts.QuietDay, bool, bool) {
			day, known := q.nights.LastAbout(k.Finding)
			return day, known && k.Finding.Flows(m, day), known
		}
		if err := r.follow(ctx, n, f.Point, alerts.Water, flows, c); err != nil {
			return err
		}
	}
	return nil
}

// waterVerdict asks the quiet days first, and the curve of a few days only where
// they are not quiet.
func (r *Runner) waterVerdict(ctx context.Context, n *night, h *home, f fitted, m alerts.Meter, q quiet) (alerts.Verdict, error) {
	pasts := n.pasts[f.Point]
	nights := q.nights.Mark(pasts, h.household, n.zone)
	v := alerts.LeakInWindows(m, nights, nil)
	flood := r.flood(n, m, q.curve)
	if found := v.Outcome == alerts.Alarm || v.Outcome == alerts.Ask; len(q.curve) > 0 && (found || flood.Outcome != alerts.Nothing) {
		curve, err := r.curve(ctx, n, h, f, v.Finding.Since)
		if err != nil {
			return v, err
		}
		if found {
			v = alerts.LeakInWindows(m, nights, curve)
		}
		flood = r.flood(n, m, curve)
	}
	switch {
	case v.Outcome == alerts.Alarm:
	case flood.Outcome == alerts.Alarm || flood.Outcome == alerts.Ask:
		v = flood
	case v.Outcome != alerts.Ask && len(q.curve) == 0:
		if asked := alerts.BurstInDays(m, h.daysOf(n, f)); asked.Outcome == alerts.Ask {
			v = asked
		}
	}
	if v.Outcome == alerts.Alarm && alerts.Denied(pasts, h.household, v.Finding, n.morning) {
		return alerts.Verdict{Outcome: alerts.Nothing}, nil
	}
	return v, nil
}

// flood looks for a burst at the end of the night, when nobody draws yet, and in
// the morning. Where a curve has a gap there it is no reason to say so.
func (r *Runner) flood(n *night, m alerts.Meter, curve []metering.Reading) alerts.Verdict {
	for _, at := range []time.Time{n.morning.Add(-lastHour), n.morning} {
		if len(curve) == 0 || curve[0].At.After(at) {
			continue
		}
		if v := alerts.BurstInCurve(m, curve, at); v.Outcome == alerts.Alarm || v.Outcome == alerts.Ask {
			return v
		}
	}
	return alerts.Verdict{Outcome: alerts.Nothing}
}

const (
	// lastHour is how long before the morning's judgement it is still night.
	lastHour = time.Hour + 10*time.Minute
	// mostCurve is how much of a curve is read to tell a begin.
	mostCurve = 6 * 24 * time.Hour
)

// curve reads as much of a meter's curve as a finding's begin may need.
func (r *Runner) curve(ctx context.Context, n *night, h *home, f fitted, since alerts.Since) ([]metering.Reading, error) {
	from := n.morning.Add(-mostCurve)
	if begin := since.Earliest.Add(-24 * time.Hour); begin.After(from) {
		from = begin
	}
	if least := n.morning.Add(-2 * 24 * time.Hour); from.After(least) {
		from = least
	}
	from = laterOf(laterOf(from, f.From), h.since(n))
	found, err := r.Influx.Readings(ctx, []metering.MeterID{f.Meter.ID}, metering.Index, from, n.morning.Add(time.Millisecond))
	if err != nil {
		return nil, err
	}
	return unrolled(found[f.Meter.ID], f.Meter.IndexModulus), nil
}

// daysOf are the last known whole days of a home's only meter of a kind.
func (h *home) daysOf(n *night, f fitted) (days []metering.IntervalConsumption) {
	if len(h.of(f.Meter.Kind)) != 1 {
		return nil
	}
	for _, s := range h.lived.Series {
		if s.Kind != f.Meter.Kind {
			continue
		}
		for _, d := range slices.Backward(s.Days) {
			start, end := d.Date.Bounds(n.zone)
			if start.Before(f.From) || len(days) == alerts.BurstDays {
				break
			}
			if d.Quality != metering.Missing && d.Coverage >= 0.99 {
				days = append(days, metering.IntervalConsumption{Start: start, End: end, Used: d.Used, Quality: d.Quality})
			}
		}
	}
	slices.Reverse(days)
	return days
}

// settle stores a verdict, or why there is none.
func (r *Runner) settle(ctx context.Context, n *night, h *home, point metering.PointID, v alerts.Verdict, c *Counts) error {
	if v.Refusal != nil {
		c.refuse(v.Refusal.Message(), 1)
	}
	if v.Outcome == alerts.Ask {
		c.Asked++
		if _, err := n.alerts.Ask(ctx, v.Finding, h.household, n.date, n.zone, r.Now()); err != nil {
			return err
		}
	}
	h.judged = append(h.judged, alerts.Judged{Point: point, Household: h.household, Refusal: v.Refusal})
	if v.Outcome != alerts.Alarm {
		return nil
	}
	return r.take(ctx, n, h, v, c)
}

// follow shows an open case the last night: it may confirm it, or end it. Fault
// tells of the last day whether the fault still showed then, and whether that is
// known.
func (r *Runner) follow(ctx context.Context, n *night, point metering.PointID, subject alerts.Subject,
	fault func(alerts.Kept) (day alerts.QuietDay, flows, known bool), c *Counts) error {
	for i, k := range n.cases[point] {
		if k.Cause.Subject != subject {
			continue
		}
		day, flows, known := fault(k)
		if !known || !n.recent(day) {
			continue
		}
		to := k.Night(flows, day.Start, day.End)
		if to.Judged.Equal(k.Judged) && len(to.Steps) == len(k.Steps) && to.Quiet == k.Quiet {
			continue
		}
		changed, err := r.change(ctx, n, k, to)
		if err != nil {
			return err
		}
		if changed && to.State.Over() {
			c.Ended++
		}
		if changed {
			n.cases[point][i].Case = to
			n.cases[point][i].Version++
		}
	}
	return nil
}

// recent reports whether a quiet day is the last that there can be: an older one
// was seen before.
func (n *night) recent(day alerts.QuietDay) bool {
	return !day.End.Before(n.date.AddDays(-1).Start(n.zone)) && !civil.DateIn(day.Start, n.zone).Before(n.date.AddDays(-1))
}
