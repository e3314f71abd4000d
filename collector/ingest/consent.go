package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// remembered is how many kept instants are remembered a register. Readings come
// in order but for what a gateway sends again or late.
const remembered = 32

// A keeper enforces the resolution of meters a second time, after the gateways:
// of each hour, day or month it keeps the first reading that it sees, and that
// one again when its pack is sent again. What it does not remember of a period,
// after a restart or because another collector was given it, it is told of by
// InfluxDB. Only two collectors that are given two readings of one period at the
// same moment may keep both. Not safe for concurrent use.
type keeper struct {
	kept   map[register]*memory
	stored map[register][]time.Time // what InfluxDB said, of the pack in hand; in order
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

// limit returns the resolution at which readings of q may be kept; all of them
// where it is [metering.Fine], none where it is [metering.Off].
func limit(r metering.Resolution, q metering.Quantity) metering.Resolution {
	switch {
	case r == metering.Fine || r == metering.Off:
		return r
	case q == metering.Alarm:
		return metering.Fine // says nothing of consumption
	case q == metering.QuietFlow || q == metering.QuietWindow:
		return metering.Day // a daily figure made for coarse meters
	default:
		return r
	}
}

// allows reports whether r may be kept, and remembers it.
func (k *keeper) allows(m *sites.Meter, r metering.Reading) bool {
	resolution := limit(m.Resolution, r.Quantity)
	switch resolution {
	case metering.Fine:
		return true
	case metering.Off:
		return false
	}
	key := register{r.Meter, r.Quantity}
	past := k.kept[key]
	if past == nil {
		past = &memory{}
		k.kept[key] = past
	}
	again, taken := past.look(r.At, resolution, m.Zone)
	if !again && !taken {
		again, taken = look(around(k.stored[key], r.At), r.At, resolution, m.Zone)
	}
	if !again && !taken {
		past.add(r.At)
	}
	return again || !taken
}

// look reports whether at is one of the instants that were kept, or whether its
// period is taken by another.
func (m *memory) look(at time.Time, r metering.Resolution, zone *time.Location) (again, taken bool) {
	return look(m.at[:], at, r, zone)
}

func (m *memory) add(at time.Time) {
	m.at[m.next] = at
	m.next = (m.next + 1) % remembered
}

func look(kept []time.Time, at time.Time, r metering.Resolution, zone *time.Location) (again, taken bool) {
	for _, k := range kept {
		again = again || k.Equal(at)
		taken = taken || !k.IsZero() && samePeriod(k, at, r, zone)
	}
	return again, taken
}

// around returns at most the three of instants, which are in order, that are
// nearest to at: where none of them is of its period none is.
func around(instants []time.Time, at time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(instants, at, time.Time.Compare)
	return instants[max(i-1, 0):min(i+2, len(instants))]
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

// recall asks InfluxDB what it has of the periods of a pack that the keeper does
// not remember, in one question a quantity; mostly it remembers all. It waits
// while InfluxDB is away, and reports false where it has no answer in the end.
func (k *intake) recall(ctx context.Context, s *sites.Snapshot, rs []wire.UnitReading) bool {
	k.keep.stored = nil
	for quantity, ask := range k.keep.unknown(s, rs) {
		var found map[metering.MeterID][]metering.Reading
		err := k.insist(ctx, func(ctx context.Context) (err error) {
			found, err = k.Store.Readings(ctx, ask.meters, quantity, ask.from, ask.to)
			return err
		})
		if err != nil {
			k.Log.Warn("what is stored of coarse meters is not known, their pack stays with its gateway", "error", err)
			return false
		}
		k.keep.tell(quantity, found)
	}
	return true
}

// An ask is a range in which something may be kept already.
type ask struct {
	meters   []metering.MeterID
	from, to time.Time
}

// unknown returns what is to be asked about readings, by quantity.
func (k *keeper) unknown(s *sites.Snapshot, rs []wire.UnitReading) map[metering.Quantity]*ask {
	var asks map[metering.Quantity]*ask
	for i := range rs {
		r := &rs[i].Reading
		m, known := s.Meter(r.Meter)
		if !known {
			continue
		}
		resolution := limit(m.Resolution, r.Quantity)
		if resolution == metering.Fine || resolution == metering.Off || k.remembers(m, r, resolution) {
			continue
		}
		if asks == nil {
			asks = map[metering.Quantity]*ask{}
		}
		p := period(resolution)
		asks[r.Quantity] = asks[r.Quantity].with(r.Meter, m.Floor(p, r.At), m.Next(p, r.At))
	}
	return asks
}

func (k *keeper) remembers(m *sites.Meter, r *metering.Reading, resolution metering.Resolution) bool {
	past := k.kept[register{r.Meter, r.Quantity}]
	if past == nil {
		return false
	}
	again, taken := past.look(r.At, resolution, m.Zone)
	return again || taken
}

func (k *keeper) tell(q metering.Quantity, found map[metering.MeterID][]metering.Reading) {
	if k.stored == nil {
		k.stored = map[register][]time.Time{}
	}
	for meter, rs := range found {
		instants := make([]time.Time, len(rs))
		for i := range rs {
			instants[i] = rs[i].At
		}
		k.stored[register{meter, q}] = instants
	}
}

func (a *ask) with(m metering.MeterID, from, to time.Time) *ask {
	if a == nil {
		return &ask{meters: []metering.MeterID{m}, from: from, to: to}
	}
	if !slices.Contains(a.meters, m) {
		a.meters = append(a.meters, m)
	}
	if from.Before(a.from) {
		a.from = from
	}
	if to.After(a.to) {
		a.to = to
	}
	return a
}

// period is the period of which a resolution keeps one reading.
func period(r metering.Resolution) influx.Period {
	switch r {
	case metering.Hour:
		return influx.Hourly
	case metering.Day:
		return influx.Daily
	default:
		return influx.Monthly
	}
}
