package ingest

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A class is why a pack or some of its readings are refused, as the figures
// count it.
type class string

const (
	undecodable  class = "undecodable"
	otherGateway class = "other_gateway"
	tooEarly     class = "too_early"
	tooOld       class = "older_than_retention"
	tooLate      class = "in_the_future"
	negative     class = "index_negative"
	overModulus  class = "index_over_modulus"
	wrongUnit    class = "unit_of_index"
	impossible   class = "impossible_for_the_meter"
	rejected     class = "rejected_by_influxdb"

	// erased is no fault: it is kept nowhere.
	erased class = "erased"
)

const (
	// maxAhead is how far a gateway's clock may run ahead before its readings
	// are held to be misplaced.
	maxAhead = 24 * time.Hour
	// retentionMargin is how long a reading is on its way into InfluxDB at most:
	// one that would end its retention meanwhile is not sent there.
	retentionMargin = time.Hour
	// surge is how much more than in its busiest hour a meter may show at one
	// instant: a kettle beside an oven, a bath that is let in.
	surge = 4
	// maxQuiet is the longest window of a quiet flow.
	maxQuiet = metering.Amount(31 * 24 * 3600)
	// Temperatures, in thousandths of a degree, that no pipe or room has.
	coldest, hottest metering.Amount = -60_000, 250_000
)

// A ruler holds what the readings of one pack are measured by.
type ruler struct {
	sites            *sites.Snapshot
	source           wire.Source
	earliest, latest time.Time
	kept             time.Time // InfluxDB keeps nothing before; zero for no such limit
}

// newRuler returns the ruler for packs of source that are looked at now, where
// InfluxDB keeps readings for so long, 0 for ever.
func newRuler(s *sites.Snapshot, source wire.Source, now time.Time, keep time.Duration) ruler {
	r := ruler{sites: s, source: source, latest: now.Add(maxAhead)}
	r.earliest, _ = s.Earliest(source.Site)
	if keep > 0 {
		r.kept = now.Add(retentionMargin - keep)
	}
	return r
}

// fault returns what is wrong with a reading, "" for nothing. What was erased
// comes before all faults: it must not even be kept as one.
func (r *ruler) fault(x *wire.UnitReading) class {
	m, known := r.sites.Meter(x.Meter)
	switch {
	case known && m.Erased(x.At):
		return erased
	case known && !reads(r.source, m):
		return otherGateway
	case x.At.Before(r.earliest):
		return tooEarly
	case x.At.Before(r.kept):
		return tooOld
	case x.At.After(r.latest):
		return tooLate
	case x.Quantity == metering.Index:
		return faultOfIndex(m, known, x)
	case outOf(m, x):
		return impossible
	default:
		return ""
	}
}

func faultOfIndex(m *sites.Meter, known bool, x *wire.UnitReading) class {
	switch {
	case x.Amount < 0:
		return negative
	case !known:
		return ""
	case x.Unit != m.Kind.IndexUnit():
		return wrongUnit
	case m.IndexModulus > 0 && x.Amount >= m.IndexModulus:
		return overModulus
	default:
		return ""
	}
}

// outOf reports whether no meter of this size can show this. An index is not
// judged so: a jump of it is stored as it was read, and the rollup does not book
// it. Of a meter that is not known, the zero one, only the limits of all hold.
func outOf(m *sites.Meter, x *wire.UnitReading) bool {
	most := metering.Amount(1<<63 - 1)
	if m.MaxPerHour > 0 && m.MaxPerHour < most/surge && counts(m.Kind, x.Quantity) {
		most = m.MaxPerHour * surge
	}
	switch x.Quantity {
	case metering.Power, metering.Flow: // below zero it goes the other way
		return x.Amount > most || x.Amount < -most
	case metering.QuietFlow:
		return x.Amount > most || x.Amount < 0
	case metering.QuietWindow:
		return x.Amount <= 0 || x.Amount > maxQuiet
	case metering.Celsius:
		return x.Amount < coldest || x.Amount > hottest
	default:
		return false
	}
}

// counts reports whether the quantity is what the kind's index counts in an
// hour: watts for watt-hours, millilitres an hour for millilitres.
func counts(k metering.Kind, q metering.Quantity) bool {
	return (k.IndexUnit() == metering.WattHour) == (q == metering.Power)
}

// reads reports whether the registry gives the meter to the gateway.
func reads(source wire.Source, m *sites.Meter) bool {
	return m.Site == source.Site && (m.Gateway == source.Gateway || m.Gateway == "")
}

// describe names what is wrong with a reading, but not what it shows: reasons
// are logged, and travel.
func describe(c class, x *wire.UnitReading) string {
	return fmt.Sprintf("%s: %s/%s in %q at %s", c, x.Meter, x.Quantity, x.Unit, x.At.Format(time.RFC3339))
}
