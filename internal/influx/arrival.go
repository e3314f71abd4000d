package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Arrival says how the readings of one gateway come in. It speaks of no
// meter, and so of no household: an erasure leaves it.
type Arrival struct {
	Site    metering.SiteID
	Gateway metering.GatewayID
	Last    time.Time     // when its newest reading was read
	Delay   time.Duration // of what arrived last, from its reading to its storing
	Gaps    int           // times that a meter's readings were missing, since the collector started
}

const arrivalMeasurement = "arrival"

// WriteArrivals writes one point a gateway, at the instant at, into the bucket
// of the readings: measurement arrival, tags site and gateway, fields last_ms,
// delay_ms and gaps. Errors are those of [Client.WriteReadings].
func (c *Client) WriteArrivals(ctx context.Context, at time.Time, as []Arrival) error {
	for part := range slices.Chunk(as, linesPerWrite) {
		if err := c.write(ctx, readingsBucket, func(dst []byte) []byte { return appendArrivals(dst, at, part) }); err != nil {
			return fmt.Errorf("write the arrivals of %d gateways: %w", len(as), err)
		}
	}
	return nil
}

func appendArrivals(dst []byte, at time.Time, as []Arrival) []byte {
	for _, a := range as {
		dst = fmt.Appendf(dst, "%s,gateway=%s,site=%s ", arrivalMeasurement, a.Gateway, a.Site)
		dst = append(appendField(dst, "last_ms", a.Last.UnixMilli()), ',')
		dst = append(appendField(dst, "delay_ms", a.Delay.Milliseconds()), ',')
		dst = appendField(dst, "gaps", int64(a.Gaps))
		dst = appendLineEnd(dst, at.UnixMilli())
	}
	return dst
}
