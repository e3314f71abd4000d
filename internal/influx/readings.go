package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Readings returns what meters showed of q within [from, to), in order of time.
// A meter without readings is absent. It fails with [ErrTemporary].
func (c *Client) Readings(ctx context.Context, meters []metering.MeterID, q metering.Quantity, from, to time.Time) (map[metering.MeterID][]metering.Reading, error) {
	found := make(map[metering.MeterID][]metering.Reading, len(meters))
	err := c.query(ctx, readingsBucket, readingQuery(meters, q, from, to, ""), func(r *row) {
		found[r.meter] = append(found[r.meter], r.reading(q))
	})
	if err != nil {
		return nil, fmt.Errorf("readings of %d meters: %w", len(meters), err)
	}
	return found, nil
}

// EveryReading returns what a meter showed of all quantities within [from, to),
// in order of time. It fails with [ErrTemporary].
func (c *Client) EveryReading(ctx context.Context, meter metering.MeterID, from, to time.Time) ([]metering.Reading, error) {
	q := fluxQuery{from: from, to: to, measurement: readingMeasurement, meters: []metering.MeterID{meter}}
	for _, quantity := range metering.Quantities {
		q.fields = append(q.fields, string(quantity))
	}
	var found []metering.Reading
	err := c.query(ctx, readingsBucket, q, func(r *row) { found = append(found, r.reading(metering.Quantity(r.field))) })
	if err != nil {
		return nil, fmt.Errorf("readings of meter %s: %w", meter, err)
	}
	slices.SortStableFunc(found, func(a, b metering.Reading) int { return a.At.Compare(b.At) })
	return found, nil
}

// Before returns the last reading of each meter strictly before at and not
// before notBefore. A meter without one is absent. It fails with [ErrTemporary].
func (c *Client) Before(ctx context.Context, meters []metering.MeterID, q metering.Quantity, at, notBefore time.Time) (map[metering.MeterID]metering.Reading, error) {
	found, err := c.search(ctx, meters, q, windowsBack(at, notBefore), "last")
	if err != nil {
		return nil, fmt.Errorf("readings of %d meters before %s: %w", len(meters), at.UTC().Format(time.RFC3339), err)
	}
	return found, nil
}

// After returns the first reading of each meter at or after at, and before or
// at notAfter. A meter without one is absent. It fails with [ErrTemporary].
func (c *Client) After(ctx context.Context, meters []metering.MeterID, q metering.Quantity, at, notAfter time.Time) (map[metering.MeterID]metering.Reading, error) {
	var windows []window
	end := notAfter.Add(time.Millisecond)
	for from, span := at, firstSpan; from.Before(end); span *= spanGrowth {
		to := earlier(from.Add(span), end)
		windows = append(windows, window{from, to})
		from = to
	}
	found, err := c.search(ctx, meters, q, windows, "first")
	if err != nil {
		return nil, fmt.Errorf("readings of %d meters after %s: %w", len(meters), at.UTC().Format(time.RFC3339), err)
	}
	return found, nil
}

// clockAhead is how far in the future a reading may lie that the collector
// accepts, with a margin.
const clockAhead = 25 * time.Hour

// Latest returns the last reading of each meter that is not before since. A
// meter without one is absent. It fails with [ErrTemporary].
func (c *Client) Latest(ctx context.Context, meters []metering.MeterID, q metering.Quantity, since time.Time) (map[metering.MeterID]metering.Reading, error) {
	return c.Before(ctx, meters, q, time.Now().Add(clockAhead), since)
}

// The neighbour of an instant is mostly near: the search begins with a small
// window and goes on, in larger ones, for the meters without one only. The first
// covers the instants ahead of the clock and a day behind it.
const (
	firstSpan  = 50 * time.Hour
	spanGrowth = 8
)

type window struct{ from, to time.Time }

func (c *Client) search(ctx context.Context, meters []metering.MeterID, q metering.Quantity, windows []window, pick string) (map[metering.MeterID]metering.Reading, error) {
	found := make(map[metering.MeterID]metering.Reading, len(meters))
	for _, w := range windows {
		err := c.query(ctx, readingsBucket, readingQuery(without(meters, found), q, w.from, w.to, pick), func(r *row) {
			found[r.meter] = r.reading(q)
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// windowsBack cuts [from, to) into windows that grow towards the past.
func windowsBack(to, from time.Time) []window {
	var windows []window
	for span := firstSpan; to.After(from); span *= spanGrowth {
		start := later(to.Add(-span), from)
		windows = append(windows, window{start, to})
		to = start
	}
	return windows
}

// without returns the meters of which nothing has been found yet.
func without[T any](meters []metering.MeterID, found map[metering.MeterID]T) []metering.MeterID {
	return slices.DeleteFunc(slices.Clone(meters), func(m metering.MeterID) bool {
		_, ok := found[m]
		return ok
	})
}

func readingQuery(meters []metering.MeterID, q metering.Quantity, from, to time.Time, pick string) fluxQuery {
	return fluxQuery{from: from, to: to, measurement: readingMeasurement,
		fields: []string{string(q)}, meters: meters, pick: pick}
}

func (r *row) reading(q metering.Quantity) metering.Reading {
	return metering.Reading{Meter: r.meter, Quantity: q, At: time.UnixMilli(r.ms).UTC(), Amount: metering.Amount(r.n)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
