package check

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Replace is [meters.Store.Replace] with a look at what was read of the old meter:
// a last index that cannot follow it would be booked on the household. Unless the
// replacement is sure it then fails with [meters.ErrDoubtful], and with the
// problem Unavailable "service.away" where InfluxDB does not answer.
func (s *Store) Replace(ctx context.Context, who accounts.PersonID, r meters.Replacement) (meters.Meter, error) {
	old, err := s.meters.WritableMeter(ctx, who, r.Old)
	if err != nil {
		return meters.Meter{}, err
	}
	if old.Place == nil {
		return meters.Meter{}, meters.ErrNotBound
	}
	if old.Kind == metering.Temperature { // it counts nothing that could be booked
		return s.meters.Replace(ctx, who, r)
	}
	found, err := s.before(ctx, []metering.MeterID{r.Old}, r.At.Add(time.Millisecond), old.Place.Since)
	if err != nil && !r.Sure {
		return meters.Meter{}, err
	}
	if read, ok := found[r.Old]; ok {
		if r.Last, ok = follow(r, old.Meter, read); !ok {
			return meters.Meter{}, meters.ErrDoubtful
		}
	}
	return s.meters.Replace(ctx, who, r)
}

// longestPause is added to the time in which a meter may count on: a dial and a
// reading are never of the same minute.
const longestPause = time.Hour

// follow returns the last index of a meter of which that was read, and false
// where the dial contradicts it. Of a dial that was typed without its decimals
// the reading tells them.
func follow(r meters.Replacement, old meters.Meter, read metering.Reading) (metering.Amount, bool) {
	typed := meters.Dial{Index: r.Last, Digit: r.Digit}
	below := read.Amount - r.Last
	switch {
	case r.Sure:
		return r.Last, true
	case below > 0:
		return read.Amount, below <= typed.Tolerance(old.Pulse)
	default:
		most := float64(mostPerHour(old)) * (r.At.Sub(read.At) + longestPause).Hours()
		return r.Last, float64(-below) <= most+float64(typed.Tolerance(old.Pulse))
	}
}

// mostPerHour is what the meter may count in an hour; of one whose size nobody
// knows what the main of a large building may: 50 m3 or 1 MWh.
func mostPerHour(m meters.Meter) metering.Amount {
	switch {
	case m.MaxPerHour > 0:
		return m.MaxPerHour
	case m.Kind.IndexUnit() == metering.WattHour:
		return 1_000_000
	default:
		return 50_000_000
	}
}
