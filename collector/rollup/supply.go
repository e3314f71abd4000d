package rollup

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// supply finds out what items lack. Those of still are to be judged again with
// the same readings, those of wider with a wider window.
func (g *loaded) supply(ctx context.Context, lacking map[need][]*item) (still, wider []*item, err error) {
	for _, step := range []struct {
		need need
		find func(context.Context, []*item) (still, wider []*item, err error)
	}{{moreBefore, g.before}, {anAnchor, g.anchors}, {moreAfter, g.after}, {sameAfter, g.storedAfter}, {everything, g.rest}} {
		if items := lacking[step.need]; len(items) > 0 {
			s, w, err := step.find(ctx, items)
			if err != nil {
				return nil, nil, err
			}
			still, wider = append(still, s...), append(wider, w...)
		}
	}
	return still, wider, nil
}

// before looks for the reading before the window.
func (g *loaded) before(ctx context.Context, items []*item) (still, wider []*item, err error) {
	found, err := g.store.Before(ctx, ids(items), metering.Index, g.window.from, dawn)
	if err != nil {
		return nil, nil, err
	}
	for _, it := range items {
		if r, ok := found[it.meter.Meter]; ok {
			it.window.from, wider = r.At.Add(-it.reach()), append(wider, it)
			if !it.since.IsZero() {
				it.window.from = earlier(it.window.from, it.since.Add(-it.reach()))
			}
		} else {
			it.begins(g.window.from)
			still = append(still, it)
		}
	}
	return still, wider, nil
}

// begins notes that no reading lies before at. The window must reach as far, or
// it would leave out the readings from at to its own beginning.
func (it *item) begins(at time.Time) {
	it.origin, it.window.from = true, earlier(it.window.from, at)
}

// anchors looks for the last stored boundary before the window, and where there
// is none for the meter's first reading.
func (g *loaded) anchors(ctx context.Context, items []*item) (still, wider []*item, err error) {
	if err := g.seek(ctx, items); err != nil {
		return nil, nil, err
	}
	unsure := slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return it.origin })
	first, err := g.store.After(ctx, ids(unsure), metering.Index, dawn, g.window.from.Add(-time.Millisecond))
	if err != nil {
		return nil, nil, err
	}
	for _, it := range items {
		r, earlier := first[it.meter.Meter]
		switch {
		case !earlier:
			it.begins(g.window.from)
			still = append(still, it)
		case it.anchor == nil:
			it.window.from, wider = r.At, append(wider, it)
		default:
			it.window.from, wider = it.anchor.at.Add(-it.reach()), append(wider, it)
		}
	}
	return still, wider, nil
}

// seek finds the last period of any length that ended before the window. Those
// that end in the window are among the loaded ones, in the finest length.
func (g *loaded) seek(ctx context.Context, items []*item) error {
	for _, p := range items[0].meter.Periods() {
		bound := g.window.from
		for _, it := range g.items {
			bound = earlier(bound, it.meter.Floor(p, g.window.from))
		}
		found, err := g.store.LastConsumption(ctx, p, ids(items), dawn, bound)
		if err != nil {
			return err
		}
		for _, it := range items {
			c, ok := found[it.meter.Meter]
			if end := it.meter.Next(p, c.Start); ok && (it.anchor == nil || end.After(it.anchor.at)) {
				it.anchor = &anchor{end, c.Index}
			}
		}
	}
	for _, it := range items {
		it.sought = true
	}
	return nil
}

// after looks for the reading after the window.
func (g *loaded) after(ctx context.Context, items []*item) (still, wider []*item, err error) {
	found, err := g.store.After(ctx, ids(items), metering.Index, g.window.to, time.Now().Add(clockAhead))
	if err != nil {
		return nil, nil, err
	}
	for _, it := range items {
		if r, ok := found[it.meter.Meter]; ok {
			it.window.to, wider = later(r.At, it.until).Add(it.reach()), append(wider, it)
			it.limit()
		} else {
			it.end, it.window.to = true, later(it.window.to, g.window.to)
			still = append(still, it)
		}
	}
	return still, wider, nil
}

// storedAfter looks for periods after the window, which must then be compared.
func (g *loaded) storedAfter(ctx context.Context, items []*item) (still, wider []*item, err error) {
	now := time.Now()
	found, err := g.store.LastConsumption(ctx, items[0].meter.Periods()[0], ids(items), g.window.to, now)
	if err != nil {
		return nil, nil, err
	}
	for _, it := range items {
		it.end = true // as far as the periods go
		if _, ok := found[it.meter.Meter]; ok {
			it.window.to, wider = now.Add(clockAhead), append(wider, it)
		} else {
			it.last, still = true, append(still, it)
		}
	}
	return still, wider, nil
}

// rest has all later periods recomputed.
func (g *loaded) rest(_ context.Context, items []*item) (still, wider []*item, err error) {
	for _, it := range items {
		it.redo = true
		if it.end {
			still = append(still, it)
			continue
		}
		it.end, it.window.to = true, time.Now().Add(clockAhead)
		wider = append(wider, it)
	}
	return still, wider, nil
}

func ids(items []*item) []metering.MeterID {
	ids := make([]metering.MeterID, len(items))
	for i, it := range items {
		ids[i] = it.meter.Meter
	}
	return ids
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
