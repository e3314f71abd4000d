package nightly

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// quietDays is how many days tell what is quiet in a home.
	quietDays = 60
	// sliceDays of a curve are in memory at a time.
	sliceDays = 8
	// lateDays is for how many days a day with a gap is looked at again, because
	// what a gateway kept may still come in.
	lateDays = 3
)

// A quiet is what is known of how quiet a water meter can be.
type quiet struct {
	step   metering.Amount // what a pulse is worth, mL
	nights alerts.Nights
	curve  []metering.Reading // of the last day, where it may be read
}

// A kept is a row of quiet_day.
type kept struct {
	meter metering.MeterID
	about time.Duration
	date  civil.Date // the morning that ends it
	known bool
	step  metering.Amount // 0 where nothing ever ran
	fresh bool            // judged by this run
	day   alerts.QuietDay
}

// readQuiet makes the quiet days of every water meter: from the curve where it may
// be read, of which only days that are not kept yet are asked for, else from the
// figures that gateways report.
func (r *Runner) readQuiet(ctx context.Context, n *night, all []*home) error {
	var fine, coarse []metering.MeterID
	begins := map[metering.MeterID]time.Time{}
	pulses := map[metering.MeterID]meterFacts{}
	for _, h := range all {
		for _, f := range h.of(metering.ColdWater, metering.HotWater) {
			begins[f.Meter.ID] = laterOf(h.since(n), f.From)
			pulses[f.Meter.ID] = meterFacts{f.Meter.Pulse, f.Meter.IndexModulus}
			switch {
			case h.readsFinely(f):
				fine = append(fine, f.Meter.ID)
			case f.Meter.Resolution != metering.Off:
				coarse = append(coarse, f.Meter.ID)
			}
		}
	}
	found, err := r.readKept(ctx, n, all[0].dwelling.ID, all[len(all)-1].dwelling.ID)
	if err != nil {
		return fmt.Errorf("kept quiet days: %w", err)
	}
	k := &keeper{n: n, begins: begins, facts: pulses, days: found, curves: map[metering.MeterID][]metering.Reading{}, fresh: map[metering.MeterID][]kept{}}
	if err := r.fillIn(ctx, k, fine); err != nil {
		return fmt.Errorf("quiet days: %w", err)
	}
	figures, err := r.figures(ctx, n, coarse, begins, pulses)
	if err != nil {
		return err
	}
	for _, h := range all {
		for _, f := range h.of(metering.ColdWater, metering.HotWater) {
			id := f.Meter.ID
			switch {
			case slices.Contains(fine, id):
				h.quiet[id] = quiet{step: k.step(id), nights: k.nights(id), curve: k.curves[id]}
				h.fresh = append(h.fresh, k.fresh[id]...)
			case slices.Contains(coarse, id):
				h.quiet[id] = figures[id]
			}
		}
	}
	return nil
}

// meterFacts are what the registry knows of how a meter counts.
type meterFacts struct{ pulse, modulus metering.Amount }

// A keeper completes the quiet days of some meters.
type keeper struct {
	n      *night
	begins map[metering.MeterID]time.Time
	facts  map[metering.MeterID]meterFacts
	days   map[metering.MeterID][]kept
	curves map[metering.MeterID][]metering.Reading // of the last day
	fresh  map[metering.MeterID][]kept             // to be kept
}

const keptDays = `
SELECT quiet_day.meter_id, quiet_day.about_s, quiet_day.on_date, quiet_day.known, quiet_day.step,
       quiet_day.from_ms, quiet_day.to_ms, quiet_day.from_index, quiet_day.to_index
  FROM quiet_day
 WHERE quiet_day.on_date > $4
   AND quiet_day.on_date < $5
   AND quiet_day.meter_id IN (SELECT binding.meter_id
                                FROM binding
                                JOIN point ON point.id = binding.point_id
                                JOIN dwelling ON dwelling.id = point.dwelling_id
                               WHERE dwelling.residence_id = $1
                                 AND dwelling.id >= $2
                                 AND dwelling.id <= $3)
 ORDER BY quiet_day.meter_id, quiet_day.about_s, quiet_day.on_date`

// readKept reads the days that are kept; the last one is always judged anew, since
// its curve is wanted anyway.
func (r *Runner) readKept(ctx context.Context, n *night, first, last premises.DwellingID) (map[metering.MeterID][]kept, error) {
	rows, err := r.DB.QueryContext(ctx, keptDays, string(n.residence.ID), string(first), string(last),
		n.date.AddDays(-quietDays).String(), n.date.String())
	if err != nil {
		return nil, err
	}
	found := map[metering.MeterID][]kept{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		k, err := scanKept(rows, n.zone)
		found[k.meter] = append(found[k.meter], k)
		return struct{}{}, err
	})
	return found, err
}

func scanKept(rows *sql.Rows, zone *time.Location) (k kept, err error) {
	var aboutS, known, fromMs, toMs int64
	var date string
	d := &k.day
	if err := rows.Scan(&k.meter, &aboutS, &date, &known, &k.step, &fromMs, &toMs, &d.From.Index, &d.To.Index); err != nil {
		return k, err
	}
	if k.date, err = civil.ParseDate(date); err != nil {
		return k, err
	}
	k.about, k.known = time.Duration(aboutS)*time.Second, known == 1
	d.From.Meter, d.To.Meter, d.From.At, d.To.At = k.meter, k.meter, sqldb.Time(fromMs), sqldb.Time(toMs)
	d.Start, d.End = alerts.Morning(k.date.AddDays(-1), zone), alerts.Morning(k.date, zone)
	d.Draw, d.Window, d.About, d.Source = d.To.Index-d.From.Index, d.To.At.Sub(d.From.At), k.about, alerts.FromCurve
	return k, nil
}

// fillIn reads the curve of the days that are not kept, the newest first, a week at
// a time.
func (r *Runner) fillIn(ctx context.Context, k *keeper, meters []metering.MeterID) error {
	for back := 0; back < quietDays; back += sliceDays {
		last := k.n.date.AddDays(-back)
		if back == 0 {
			if err := r.fillSlice(ctx, k, meters, last, last); err != nil { // each night wants no more
				return err
			}
		}
		if err := r.fillSlice(ctx, k, meters, last.AddDays(1-sliceDays), last); err != nil {
			return err
		}
	}
	return nil
}

// fillSlice fills the days of the mornings [first, last] in.
func (r *Runner) fillSlice(ctx context.Context, k *keeper, meters []metering.MeterID, first, last civil.Date) error {
	missing := map[metering.MeterID][]civil.Date{}
	var ids []metering.MeterID
	for _, id := range meters {
		if dates := k.missing(id, first, last); len(dates) > 0 {
			missing[id], ids = dates, append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	from, to := alerts.Morning(first.AddDays(-1), k.n.zone), alerts.Morning(last, k.n.zone)
	found, err := r.Influx.Readings(ctx, ids, metering.Index, from, to.Add(time.Millisecond))
	if err != nil {
		return err
	}
	for _, id := range ids {
		curve := unrolled(found[id], k.facts[id].modulus)
		if first == last && last == k.n.date {
			k.curves[id] = after(curve, k.begins[id])
		}
		k.fresh[id] = append(k.fresh[id], k.judge(id, curve, missing[id])...)
	}
	return nil
}

// missing are the mornings of [first, last] whose day is not kept, or that had a
// gap a short while ago, of those on which the household lived there.
func (k *keeper) missing(id metering.MeterID, first, last civil.Date) (dates []civil.Date) {
	for date := first; !last.Before(date); date = date.AddDays(1) {
		if alerts.Morning(date.AddDays(-1), k.n.zone).Before(k.begins[id]) {
			continue
		}
		late := k.n.date.AddDays(-lateDays).Before(date)
		if !slices.ContainsFunc(k.days[id], func(d kept) bool { return d.date == date && (d.known || !late || d.fresh) }) {
			dates = append(dates, date)
		}
	}
	return dates
}

// judge finds the quietest windows of some days.
func (k *keeper) judge(id metering.MeterID, curve []metering.Reading, dates []civil.Date) (fresh []kept) {
	step := k.learn(id, curve)
	for _, window := range alerts.Windows(cmp.Or(step, usualStep)) {
		for _, date := range dates {
			one := kept{meter: id, about: window, date: date, step: step, fresh: true}
			start, end := alerts.Morning(date.AddDays(-1), k.n.zone), alerts.Morning(date, k.n.zone)
			if day, ok := alerts.Quietest(curve, start, end, window); ok {
				one.known, one.day = true, day
			}
			fresh = append(fresh, one)
		}
	}
	k.days[id] = slices.DeleteFunc(k.days[id], func(d kept) bool { return slices.Contains(dates, d.date) })
	k.days[id] = append(k.days[id], fresh...)
	if step == 0 { // the first litre will tell
		return nil
	}
	return fresh
}

// steps are what pulses of water meters are worth, in mL, the coarsest first.
var steps = [...]metering.Amount{100_000, 10_000, 1000, 100, 10, 1}

// learn returns what a pulse of a meter is worth: as the registry says, else the
// coarsest step that all of its indexes keep to. Once a finer one was seen the days
// that were judged by a coarser are judged anew. It is 0 where nothing ever ran.
func (k *keeper) learn(id metering.MeterID, curve []metering.Reading) metering.Amount {
	if pulse := k.facts[id].pulse; pulse > 0 {
		return pulse
	}
	step := k.seen(id)
	if keepsTo(curve, mostStep) && step == 0 {
		return 0
	}
	for _, s := range steps {
		if (step == 0 || s <= step) && keepsTo(curve, s) {
			step = s
			break
		}
	}
	k.days[id] = slices.DeleteFunc(k.days[id], func(d kept) bool { return d.step != step })
	return step
}

const (
	// mostStep is more than a water meter counts in its life: only what stands
	// still keeps to it.
	mostStep metering.Amount = 1e15
	// usualStep is what a pulse is taken for where nothing ever ran.
	usualStep metering.Amount = 1000
)

// seen is what a pulse of the meter was taken for so far; 0 for nothing yet.
func (k *keeper) seen(id metering.MeterID) (step metering.Amount) {
	for _, d := range k.days[id] {
		if d.step > 0 && (step == 0 || d.step < step) {
			step = d.step
		}
	}
	return step
}

// step is what a pulse of the meter is taken for.
func (k *keeper) step(id metering.MeterID) metering.Amount {
	if pulse := k.facts[id].pulse; pulse > 0 {
		return pulse
	}
	return cmp.Or(k.seen(id), usualStep)
}

// keepsTo reports whether a curve only moves in whole steps.
func keepsTo(curve []metering.Reading, step metering.Amount) bool {
	for i := 1; i < len(curve); i++ {
		if (curve[i].Amount-curve[i-1].Amount)%step != 0 {
			return false
		}
	}
	return true
}

// unrolled is a curve that goes on where the register began anew.
func unrolled(curve []metering.Reading, modulus metering.Amount) []metering.Reading {
	if modulus <= 0 {
		return curve
	}
	var turns metering.Amount
	for i := range curve {
		if i > 0 && curve[i-1].Amount-(curve[i].Amount+turns) > modulus/2 {
			turns += modulus
		}
		curve[i].Amount += turns
	}
	return curve
}

// nights are the meter's known days by window.
func (k *keeper) nights(id metering.MeterID) alerts.Nights {
	windows := alerts.Windows(k.step(id))
	nights := make(alerts.Nights, len(windows))
	for i, window := range windows {
		for _, d := range k.days[id] {
			if d.known && d.about == window {
				nights[i] = append(nights[i], d.day)
			}
		}
		slices.SortFunc(nights[i], func(a, b alerts.QuietDay) int { return a.Start.Compare(b.Start) })
	}
	return nights.Since(k.begins[id])
}

const putDay = `
INSERT INTO quiet_day (meter_id, about_s, on_date, known, step, from_ms, to_ms, from_index, to_index)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (meter_id, about_s, on_date) DO UPDATE
   SET known = excluded.known,
       step = excluded.step,
       from_ms = excluded.from_ms,
       to_ms = excluded.to_ms,
       from_index = excluded.from_index,
       to_index = excluded.to_index`

// keepDays stores the homes' new quiet days, but for who had something erased since
// they were read.
func (r *Runner) keepDays(ctx context.Context, n *night, all []*home) error {
	if !slices.ContainsFunc(all, func(h *home) bool { return len(h.fresh) > 0 }) {
		return nil
	}
	return sqldb.InTx(ctx, r.DB, func(tx *sql.Tx) error {
		for _, h := range all {
			gone, err := n.lookout.Erased(ctx, tx, h.household)
			if err != nil {
				return err
			}
			for _, d := range h.fresh {
				if gone {
					break
				}
				if err := d.keep(ctx, tx); err != nil {
					return fmt.Errorf("keep the quiet day %s of meter %s: %w", d.date, d.meter, err)
				}
			}
		}
		return nil
	})
}

func (d kept) keep(ctx context.Context, tx *sql.Tx) error {
	known, fromMs, toMs := 0, int64(0), int64(0)
	if d.known {
		known, fromMs, toMs = 1, sqldb.Ms(d.day.From.At), sqldb.Ms(d.day.To.At)
	}
	_, err := tx.ExecContext(ctx, putDay, string(d.meter), int64(d.about/time.Second), d.date.String(), known, int64(d.step),
		fromMs, toMs, int64(d.day.From.Index), int64(d.day.To.Index))
	return err
}
