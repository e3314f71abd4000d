package nightly

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// figures are the quiet days of meters whose curve stays in the flat.
func (r *Runner) figures(ctx context.Context, n *night, ids []metering.MeterID, begins map[metering.MeterID]time.Time, facts map[metering.MeterID]meterFacts) (map[metering.MeterID]quiet, error) {
	all := map[metering.MeterID]quiet{}
	if len(ids) == 0 {
		return all, nil
	}
	from := n.date.AddDays(-quietDays).Start(n.zone)
	flows, err := r.Influx.Readings(ctx, ids, metering.QuietFlow, from, n.morning)
	if err != nil {
		return nil, err
	}
	windows, err := r.Influx.Readings(ctx, ids, metering.QuietWindow, from, n.morning)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		at := map[time.Time]time.Duration{}
		for _, w := range windows[id] {
			at[w.At] = time.Duration(w.Amount) * time.Second
		}
		q := quiet{step: facts[id].pulse}
		var days []alerts.QuietDay
		for _, flow := range flows[id] {
			window, known := at[flow.At]
			if !known || flow.At.Before(begins[id]) {
				continue
			}
			days = append(days, alerts.OfFigure(flow.At, flow.Amount, window, n.zone))
			if q.step == 0 {
				q.step = stepOf(window)
			}
		}
		q.nights = alerts.Nights{days}
		all[id] = q
	}
	return all, nil
}

// stepOf is what a pulse is worth at most whose gateway looks at windows of that
// length: in one the smallest leak, 5 L/h, gives two.
func stepOf(window time.Duration) metering.Amount {
	most := metering.Amount(window/time.Second) * 5000 / 3600 / 2
	for _, s := range steps {
		if s <= most {
			return s
		}
	}
	return 1
}
