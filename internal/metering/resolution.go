package metering

import "time"

// A Resolution says how finely a meter's index may leave the dwelling. It comes
// from the legal basis of the kind and is raised only by consent.
type Resolution string

// The resolutions, from the finest to none.
const (
	Fine  Resolution = "fine"  // every reading
	Hour  Resolution = "hour"  // the first reading of each hour
	Day   Resolution = "day"   // the first reading of each civil day
	Month Resolution = "month" // the first reading of each civil month
	Off   Resolution = "off"   // nothing
)

// Resolutions lists every resolution, the finest first.
var Resolutions = []Resolution{Fine, Hour, Day, Month, Off}

// ParseResolution returns the resolution of that name, or an error that lists
// them.
func ParseResolution(name string) (Resolution, error) {
	return parse("resolution", name, Resolutions)
}

// UnmarshalText makes a resolution that configuration or JSON names; see
// [ParseResolution].
func (r *Resolution) UnmarshalText(text []byte) (err error) {
	*r, err = ParseResolution(string(text))
	return err
}

// DefaultResolution is what may be read of a kind without consent: by month
// where the law asks for a monthly note (heat and hot water), by day for cold
// water, nothing for the household's own electricity and gas.
func DefaultResolution(k Kind) Resolution {
	switch k {
	case ColdWater:
		return Day
	case HotWater, Heat:
		return Month
	default:
		return Off
	}
}

// Allows reports whether data of resolution finer or equal to want may be kept
// of a meter of resolution r, as in r.Allows(Hour) for the hourly rollup. Off,
// the zero value and any unknown resolution allow nothing.
func (r Resolution) Allows(want Resolution) bool { return r.open() && r.rank() <= want.rank() }

// Due reports whether a reading at next may leave the dwelling when the last
// one that left was taken at last (zero for none): the first of each period of
// the civil clock in zone. For [Off], the zero value and any unknown resolution
// none may.
func (r Resolution) Due(last, next time.Time, zone *time.Location) bool {
	switch {
	case !r.open():
		return false
	case r == Fine || last.IsZero():
		return true
	default:
		return next.After(last) && !r.periodStart(last, zone).Equal(r.periodStart(next, zone))
	}
}

// periodStart floors an instant to the resolution's period. Hours are floored
// in UTC, as the rollup's are, so that the repeated hour of autumn counts twice.
func (r Resolution) periodStart(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	switch r {
	case Hour:
		return at.UTC().Truncate(time.Hour)
	case Day:
		return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	default:
		return time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, zone)
	}
}

// open reports whether r lets anything out; what it does not know stays in.
func (r Resolution) open() bool { return r.rank() < Off.rank() }

func (r Resolution) rank() int {
	for i, known := range Resolutions {
		if r == known {
			return i
		}
	}
	return len(Resolutions)
}
