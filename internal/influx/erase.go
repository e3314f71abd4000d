package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Erase removes the readings and the hours of meters within [from, to), as a
// household may ask for. Days and months stay: they are the bill's evidence and
// end with their own retention. It is idempotent and fails with [ErrTemporary].
func (c *Client) Erase(ctx context.Context, meters []metering.MeterID, from, to time.Time) error {
	for _, m := range meters {
		if err := metering.CheckID("meter", m); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	for chunk := range slices.Chunk(meters, metersPerQuery) {
		if err := c.dialect.erase(ctx, readingsBucket.in(c.config), readingMeasurement, chunk, from, to); err != nil {
			return fmt.Errorf("erase readings of %d meters: %w", len(meters), err)
		}
		if err := c.dialect.erase(ctx, hourlyBucket.in(c.config), consumptionMeasurement, chunk, from, to); err != nil {
			return fmt.Errorf("erase hours of %d meters: %w", len(meters), err)
		}
	}
	return nil
}
