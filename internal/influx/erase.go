package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Erase removes the readings and the hours of meters within [from, to). Days and
// months stay: they are the bill's evidence and end with their own retention. It
// is idempotent and fails with [ErrTemporary].
func (c *Client) Erase(ctx context.Context, meters []metering.MeterID, from, to time.Time) error {
	return c.eraseFrom(ctx, []bucket{readingsBucket, hourlyBucket}, meters, []Range{{from, to}})
}

// A Range is the instants [From, To).
type Range struct{ From, To time.Time }

// Coarsen makes what is stored of a meter within [from, to) as coarse as keep.
// Hours, days and months finer than keep go. Of the readings there stays the
// first index of each period of keep, which the totals of later periods begin
// with; starts are the instants at which those periods begin, in order. Of
// [metering.Fine] nothing goes, of [metering.Off] all. It is idempotent, may be
// interrupted, and fails with [ErrTemporary].
func (c *Client) Coarsen(ctx context.Context, meter metering.MeterID, from, to time.Time, keep metering.Resolution, starts []time.Time) error {
	if !from.Before(to) || keep == metering.Fine {
		return nil
	}
	if err := c.CoarsenPeriods(ctx, meter, from, to, keep); err != nil {
		return err
	}
	meters, whole := []metering.MeterID{meter}, []Range{{from, to}}
	if keep == metering.Off {
		return c.eraseFrom(ctx, []bucket{readingsBucket}, meters, whole)
	}
	gaps, err := c.between(ctx, meter, from, to, starts)
	if err != nil {
		return err
	}
	return c.eraseFrom(ctx, []bucket{readingsBucket}, meters, gaps)
}

// CoarsenPeriods is the quick part of [Client.Coarsen]: hours, days and months
// finer than keep go, readings stay.
func (c *Client) CoarsenPeriods(ctx context.Context, meter metering.MeterID, from, to time.Time, keep metering.Resolution) error {
	if !from.Before(to) {
		return nil
	}
	return c.eraseFrom(ctx, finerThan(keep), []metering.MeterID{meter}, []Range{{from, to}})
}

// finerThan lists the buckets of consumption whose periods keep does not allow.
func finerThan(keep metering.Resolution) []bucket {
	var finer []bucket
	for _, b := range []struct {
		bucket bucket
		of     metering.Resolution
	}{{hourlyBucket, metering.Hour}, {dailyBucket, metering.Day}, {monthlyBucket, metering.Month}} {
		if !keep.Allows(b.of) {
			finer = append(finer, b.bucket)
		}
	}
	return finer
}

// between returns [from, to) without the first index of each period. The newest
// gap comes first: it is what people look at.
func (c *Client) between(ctx context.Context, meter metering.MeterID, from, to time.Time, starts []time.Time) ([]Range, error) {
	var gaps []Range
	begin := from
	for i, start := range starts {
		end := to
		if i+1 < len(starts) {
			end = earlier(starts[i+1], to)
		}
		start = later(start, from)
		if !start.Before(end) {
			continue
		}
		found, err := c.After(ctx, []metering.MeterID{meter}, metering.Index, start, end.Add(-time.Millisecond))
		if err != nil {
			return nil, fmt.Errorf("coarsen meter %s: %w", meter, err)
		}
		if first, ok := found[meter]; ok {
			gaps = append(gaps, Range{begin, first.At})
			begin = first.At.Add(time.Millisecond)
		}
	}
	gaps = append(gaps, Range{begin, to})
	slices.Reverse(gaps)
	return slices.DeleteFunc(gaps, func(r Range) bool { return !r.From.Before(r.To) }), nil
}

// eraseFrom removes the points of meters within the ranges from each bucket.
func (c *Client) eraseFrom(ctx context.Context, buckets []bucket, meters []metering.MeterID, ranges []Range) error {
	for _, m := range meters {
		if err := metering.CheckID("meter", m); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	for _, b := range buckets {
		measurement := consumptionMeasurement
		if b.name == readingsBucket.name {
			measurement = readingMeasurement
		}
		for chunk := range slices.Chunk(meters, metersPerQuery) {
			if err := c.dialect.erase(ctx, b.in(c.config), measurement, chunk, ranges); err != nil {
				return fmt.Errorf("erase %s of %d meters: %w", b.name, len(meters), err)
			}
		}
	}
	return nil
}
