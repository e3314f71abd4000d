package influx

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Readings returns what meters showed of q within [from, to), in order of time.
// A meter without readings is absent. It fails with [ErrTemporary].
func (c *Client) Readings(ctx context.Context, meters []metering.MeterID, q metering.Quantity, from, to time.Time) (map[metering.MeterID][]metering.Reading, error) {
	found := make(map[metering.MeterID][]metering.Reading, len(meters))
	err := c.query(ctx, readingsBucket, readingQuery(meters, q, from, to, every), func(r *run) {
		found[r.meter] = r.appendReadings(found[r.meter])
	})
	if err != nil {
		return nil, fmt.Errorf("readings of %d meters: %w", len(meters), err)
	}
	return found, nil
}

// A Tally is how many readings a range holds, and what their amounts add up to,
// modulo 2^64. It tells whether readings are still the same: one that came makes
// the number larger, one that was overwritten changes the sum.
type Tally struct {
	Points int
	Sum    metering.Amount
}

// TallyOf returns the tally of rs.
func TallyOf(rs []metering.Reading) Tally {
	t := Tally{Points: len(rs)}
	for i := range rs {
		t.Sum += rs[i].Amount
	}
	return t
}

// Tallies returns the tally of what [Client.Readings] would return, by meter, for
// a part of its cost. A meter without readings is absent. It fails with
// [ErrTemporary].
func (c *Client) Tallies(ctx context.Context, meters []metering.MeterID, q metering.Quantity, from, to time.Time) (map[metering.MeterID]Tally, error) {
	var mu sync.Mutex
	found := make(map[metering.MeterID]Tally, len(meters))
	err := c.inChunks(ctx, readingsBucket, readingQuery(meters, q, from, to, every), func(ctx context.Context, part pointQuery) error {
		tallies, err := c.dialect.tally(ctx, part)
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(found, tallies)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tally of the readings of %d meters: %w", len(meters), err)
	}
	return found, nil
}

// EveryReading returns what a meter showed of all quantities within [from, to),
// in order of time. It fails with [ErrTemporary].
func (c *Client) EveryReading(ctx context.Context, meter metering.MeterID, from, to time.Time) ([]metering.Reading, error) {
	q := pointQuery{from: from, to: to, measurement: readingMeasurement, meters: []metering.MeterID{meter}}
	for _, quantity := range metering.Quantities {
		q.fields = append(q.fields, string(quantity))
	}
	var found []metering.Reading
	err := c.query(ctx, readingsBucket, q, func(r *run) { found = r.appendReadings(found) })
	if err != nil {
		return nil, fmt.Errorf("readings of meter %s: %w", meter, err)
	}
	slices.SortStableFunc(found, func(a, b metering.Reading) int { return a.At.Compare(b.At) })
	return found, nil
}

// Before returns the last reading of each meter strictly before at and not
// before notBefore. A meter without one is absent. It fails with [ErrTemporary].
func (c *Client) Before(ctx context.Context, meters []metering.MeterID, q metering.Quantity, at, notBefore time.Time) (map[metering.MeterID]metering.Reading, error) {
	found, err := c.search(ctx, meters, q, windowsBack(readingsBucket, at, notBefore), last)
	if err != nil {
		return nil, fmt.Errorf("readings of %d meters before %s: %w", len(meters), at.UTC().Format(time.RFC3339), err)
	}
	return found, nil
}

// After returns the first reading of each meter at or after at, and before or
// at notAfter. A meter without one is absent. It fails with [ErrTemporary].
func (c *Client) After(ctx context.Context, meters []metering.MeterID, q metering.Quantity, at, notAfter time.Time) (map[metering.MeterID]metering.Reading, error) {
	found, err := c.search(ctx, meters, q, windowsOn(readingsBucket, at, notAfter.Add(time.Millisecond)), first)
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

type window struct{ from, to time.Time }

func (c *Client) search(ctx context.Context, meters []metering.MeterID, q metering.Quantity, windows []window, p pick) (map[metering.MeterID]metering.Reading, error) {
	found := make(map[metering.MeterID]metering.Reading, len(meters))
	for _, w := range windows {
		err := c.query(ctx, readingsBucket, readingQuery(without(meters, found), q, w.from, w.to, p), func(r *run) {
			found[r.meter] = r.reading(0)
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// near is the length of the first window of a search. The neighbour of an instant
// mostly lies in it; for the meters without one there the search goes on in all
// that is left. What it costs is the shards that it opens, whatever they hold,
// so that a smaller window would cost the same.
func (b bucket) near() time.Duration { return b.shards }

// windowsBack cuts [from, to) in two, the later first.
func windowsBack(b bucket, to, from time.Time) []window {
	split := later(to.Add(-b.near()), from)
	return []window{{split, to}, {from, split}}
}

// windowsOn cuts [from, to) in two, the earlier first.
func windowsOn(b bucket, from, to time.Time) []window {
	split := earlier(from.Add(b.near()), to)
	return []window{{from, split}, {split, to}}
}

// without returns the meters of which nothing has been found yet.
func without[T any](meters []metering.MeterID, found map[metering.MeterID]T) []metering.MeterID {
	return slices.DeleteFunc(slices.Clone(meters), func(m metering.MeterID) bool {
		_, ok := found[m]
		return ok
	})
}

func readingQuery(meters []metering.MeterID, q metering.Quantity, from, to time.Time, p pick) pointQuery {
	return pointQuery{from: from, to: to, measurement: readingMeasurement,
		fields: []string{string(q)}, meters: meters, pick: p}
}

func (r *run) reading(i int) metering.Reading {
	p := r.points[i]
	return metering.Reading{Meter: r.meter, Quantity: metering.Quantity(r.field), At: time.UnixMilli(p.ms).UTC(), Amount: metering.Amount(p.n)}
}

// appendReadings appends the run's points to rs.
func (r *run) appendReadings(rs []metering.Reading) []metering.Reading {
	rs = slices.Grow(rs, len(r.points))
	for i := range r.points {
		rs = append(rs, r.reading(i))
	}
	return rs
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
