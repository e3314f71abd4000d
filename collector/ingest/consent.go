package ingest

import (
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// remembered is how many kept instants are remembered a register. Readings come
// in order but for what a gateway sends again or late.
const remembered = 32

// A keeper enforces the resolution of meters a second time, after the gateways:
// of each hour, day or month it keeps the first reading that it sees.
//
// Exact is: a register whose readings come in order keeps one a period, and a
// pack that is sent again keeps the same. Not exact is what one process cannot
// know: after a restart, beyond the last 32 kept periods, and for each further
// collector, one more reading of a period may be kept. Not safe for concurrent
// use.
type keeper struct {
	kept map[register]*memory
}

type register struct {
	meter    metering.MeterID
	quantity metering.Quantity
}

// A memory is a ring of the instants last kept of one register.
type memory struct {
	at   [remembered]time.Time
	next int
}

func newKeeper() *keeper { return &keeper{kept: map[register]*memory{}} }

// allows reports whether r may be kept, and remembers it.
func (k *keeper) allows(m sites.Meter, r metering.Reading) bool {
	resolution := m.Resolution
	switch {
	case resolution == metering.Fine:
		return true
	case resolution == metering.Off:
		return false
	case r.Quantity == metering.Alarm:
		return true // says nothing of consumption
	case r.Quantity == metering.QuietFlow || r.Quantity == metering.QuietWindow:
		resolution = metering.Day // a daily figure made for coarse meters
	}
	key := register{r.Meter, r.Quantity}
	past := k.kept[key]
	if past == nil {
		past = &memory{}
		k.kept[key] = past
	}
	return past.first(r.At, resolution, m.Zone)
}

// first reports whether at is the first instant seen of its period, or the very
// one that was kept.
func (m *memory) first(at time.Time, r metering.Resolution, zone *time.Location) bool {
	for _, kept := range m.at {
		switch {
		case kept.IsZero():
			continue
		case kept.Equal(at):
			return true
		case samePeriod(kept, at, r, zone):
			return false
		}
	}
	m.at[m.next] = at
	m.next = (m.next + 1) % remembered
	return true
}

func samePeriod(a, b time.Time, r metering.Resolution, zone *time.Location) bool {
	if b.Before(a) {
		a, b = b, a
	}
	return b.Sub(a) < longest(r) && !r.Due(a, b, zone)
}

// longest is more than the longest period of a resolution.
func longest(r metering.Resolution) time.Duration {
	switch r {
	case metering.Hour:
		return time.Hour
	case metering.Day:
		return 26 * time.Hour
	default:
		return 32 * 24 * time.Hour
	}
}
