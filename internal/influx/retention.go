package influx

import (
	"context"
	"fmt"
	"time"
)

// A Kept says how long a bucket keeps its points, and how long it should; 0 is
// for ever.
type Kept struct {
	Bucket string // as in "readings", without the prefix
	Is     time.Duration
	Wanted time.Duration
}

// Right reports whether the bucket keeps its points no longer than it should.
func (k Kept) Right() bool { return k.Wanted == 0 || k.Is > 0 && k.Is <= k.Wanted }

// Retention returns what InfluxDB itself says of how long it keeps the points of
// each bucket. It fails with [ErrTemporary], also where a bucket does not exist
// yet.
func (c *Client) Retention(ctx context.Context) ([]Kept, error) {
	var all []Kept
	for _, b := range buckets {
		is, found, err := c.dialect.retention(ctx, b.in(c.config))
		if err != nil {
			return nil, fmt.Errorf("retention of bucket %s: %w", b.in(c.config), err)
		}
		if !found {
			return nil, fmt.Errorf("retention of bucket %s: %w: it does not exist until a collector has started", b.in(c.config), ErrTemporary)
		}
		all = append(all, Kept{Bucket: b.name, Is: is, Wanted: b.keep(c.config.Keep)})
	}
	return all, nil
}

// KeepsReadings returns for how long the configuration has readings kept, 0 for
// ever.
func (c *Client) KeepsReadings() time.Duration { return readingsBucket.keep(c.config.Keep) }

// shortens reports whether a retention takes from another; 0 is for ever.
func shortens(is, want time.Duration) bool { return want != 0 && (is == 0 || want < is) }

func inDays(d time.Duration) string {
	if d == 0 {
		return "for ever"
	}
	return fmt.Sprintf("%d days", d/day)
}
