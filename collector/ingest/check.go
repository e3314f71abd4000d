package ingest

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A class is why a pack is refused, as the figures count it.
type class string

const (
	undecodable class = "undecodable"
	tooEarly    class = "too_early"
	tooLate     class = "in_the_future"
	negative    class = "index_negative"
	overModulus class = "index_over_modulus"
	wrongUnit   class = "unit_of_index"
	rejected    class = "rejected_by_influxdb"
	// otherGateway condemns single readings, not their pack.
	otherGateway class = "other_gateway"
)

// maxAhead is how far a gateway's clock may run ahead before its readings are
// held to be misplaced.
const maxAhead = 24 * time.Hour

// A fault is what is wrong with a pack.
type fault struct {
	class class
	text  string
}

// check returns the first fault of a pack of site, nil for none. One bad
// reading condemns the pack: it says that gateway and registry do not agree.
func check(s *sites.Snapshot, site metering.SiteID, rs []wire.UnitReading, now time.Time) *fault {
	earliest, _ := s.Earliest(site)
	latest := now.Add(maxAhead)
	for i := range rs {
		r := &rs[i]
		class := inTime(r.At, earliest, latest)
		if class == "" && r.Quantity == metering.Index {
			class = checkIndex(s, r)
		}
		if class != "" {
			return &fault{class, fmt.Sprintf("%s: %s/%s shows %d %s at %s", class, r.Meter, r.Quantity,
				r.Amount, r.Unit, r.At.Format(time.RFC3339))}
		}
	}
	return nil
}

func inTime(at, earliest, latest time.Time) class {
	switch {
	case at.Before(earliest):
		return tooEarly
	case at.After(latest):
		return tooLate
	default:
		return ""
	}
}

func checkIndex(s *sites.Snapshot, r *wire.UnitReading) class {
	if r.Amount < 0 {
		return negative
	}
	m, known := s.Meter(r.Meter)
	switch {
	case !known:
		return ""
	case r.Unit != m.Kind.IndexUnit():
		return wrongUnit
	case m.IndexModulus > 0 && r.Amount >= m.IndexModulus:
		return overModulus
	default:
		return ""
	}
}
