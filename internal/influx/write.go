package influx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// linesPerWrite is how many points one request carries; a refusal then tells
// about few of them, and no request is large.
const linesPerWrite = 10_000

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// WriteReadings returns nil once all of rs is durable in InfluxDB. Writing the
// same readings again leaves it as it was. Instants are cut to milliseconds.
// It fails with [ErrTemporary] or, where readings themselves are refused, with
// [ErrRejected]; part of rs may then be stored. Meter ids must be valid.
func (c *Client) WriteReadings(ctx context.Context, rs []metering.Reading) error {
	for part := range slices.Chunk(rs, linesPerWrite) {
		err := c.write(ctx, readingsBucket, func(dst []byte) []byte { return appendReadings(dst, part) })
		if err != nil {
			return fmt.Errorf("write %d readings: %w", len(rs), err)
		}
	}
	return nil
}

// WriteConsumption writes periods of p, replacing those of the same meter and
// start. Periods that began before the retention of p are left out, because
// InfluxDB would not keep them. Errors are those of [Client.WriteReadings].
func (c *Client) WriteConsumption(ctx context.Context, p Period, cs []Consumption) error {
	b, err := p.bucket()
	if err != nil {
		return err
	}
	earliest := time.Time{}
	if keep := b.keep(c.config.Keep); keep > 0 {
		earliest = time.Now().Add(time.Minute - keep)
	}
	for part := range slices.Chunk(cs, linesPerWrite) {
		if err := c.writePeriods(ctx, b, part, earliest); err != nil {
			return fmt.Errorf("write %d %s periods: %w", len(cs), p, err)
		}
	}
	return nil
}

// writePeriods writes in halves what is too large for InfluxDB, down to a single
// period.
func (c *Client) writePeriods(ctx context.Context, b bucket, cs []Consumption, earliest time.Time) error {
	err := c.write(ctx, b, func(dst []byte) []byte { return appendKept(dst, cs, earliest) })
	half := len(cs) / 2
	if half == 0 || !errors.Is(err, ErrTooLarge) {
		return err
	}
	if err := c.writePeriods(ctx, b, cs[:half], earliest); err != nil {
		return err
	}
	return c.writePeriods(ctx, b, cs[half:], earliest)
}

func appendKept(dst []byte, cs []Consumption, earliest time.Time) []byte {
	for i := range cs {
		if !cs[i].Start.Before(earliest) {
			dst = appendConsumption(dst, &cs[i])
		}
	}
	return dst
}

// write sends the lines that appendLines appends to a buffer used again and
// again. The blocking write of the library is the only one that reports a
// partial refusal.
func (c *Client) write(ctx context.Context, b bucket, appendLines func([]byte) []byte) error {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer = appendLines((*buffer)[:0])
	if len(*buffer) == 0 {
		return nil
	}
	name := c.dialect.bucketName(b.in(c.config))
	return classify(c.client.WriteAPIBlocking(c.config.Org, name).WriteRecord(ctx, string(*buffer)))
}
