package ingest

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// sifted is what becomes of the readings of one pack.
type sifted struct {
	good []wire.UnitReading
	bad  []wire.UnitReading // for the quarantine
	// The first of bad is of this class and has this to say.
	class  class
	reason string
	erased int // kept nowhere
}

// sift judges every reading by itself: a meter with a fault does not take its
// neighbours' readings with it. It uses the memory of rs.
func (r *ruler) sift(rs []wire.UnitReading) sifted {
	s := sifted{good: rs[:0]}
	for i := range rs {
		x := rs[i]
		switch class := r.fault(&x); class {
		case "":
			s.good = append(s.good, x)
		case erased:
			s.erased++
		default:
			if len(s.bad) == 0 {
				s.class, s.reason = class, describe(class, &x)
			}
			s.bad = append(s.bad, x)
		}
	}
	if len(s.bad) > 1 {
		s.reason += fmt.Sprintf(" (and %d more readings)", len(s.bad)-1)
	}
	return s
}

const erasedReason = "erased: what these meters showed then was erased"

// sift takes out of a pack what must not be stored, and reports whether the rest
// may go on. What is bad goes to the quarantine as a pack of the same number;
// what was erased goes nowhere. Where nothing is left the pack is answered here,
// and where the quarantine fails it is not answered at all.
func (k *intake) sift(m *message, snapshot *sites.Snapshot) bool {
	whole := len(m.pack.Readings)
	ruler := newRuler(snapshot, m.source, time.Now(), k.Store.KeepsReadings())
	s := ruler.sift(m.pack.Readings)
	m.pack.Readings = s.good
	k.figures.erased.Add(float64(s.erased))
	if len(s.bad) > 0 {
		k.figures.refusedReadings.WithLabelValues(string(s.class)).Add(float64(len(s.bad)))
		if !k.setAside(m, s) {
			return false
		}
	}
	switch {
	case len(s.good) > 0 || whole == 0:
		m.refusal = s.reason
		return true
	case len(s.bad) > 0:
		k.answerRefused(m, s.reason)
	default:
		k.answerRefused(m, erasedReason)
	}
	return false
}

// setAside keeps what is bad of a pack and reports whether it is durable. A pack
// of which all is bad is kept as it came.
func (k *intake) setAside(m *message, s sifted) bool {
	if len(s.good) == 0 && s.erased == 0 {
		return k.quarantined(m, s.class, s.reason)
	}
	return k.quarantinedPart(m, s.bad, s.class, s.reason)
}

// quarantinedPart keeps some readings of a pack under its number.
func (in *Ingester) quarantinedPart(m *message, part []wire.UnitReading, class class, reason string) bool {
	apart := *m
	apart.pack.Readings = part
	payload, err := wire.AppendPack(nil, apart.pack)
	if err != nil {
		in.Log.Error("readings that are refused cannot be kept, their pack stays with its gateway",
			"gateway", m.source.String(), "seq", m.pack.Seq, "error", err)
		return false
	}
	apart.payload = payload
	return in.quarantined(&apart, class, reason)
}

// unerased returns the payload without what was erased, and false where nothing
// is left of it. What cannot be decoded is returned as it is.
func unerased(s *sites.Snapshot, payload []byte) (left []byte, some bool) {
	pack, err := wire.DecodePack(payload)
	if err != nil {
		return payload, true
	}
	whole, rs := len(pack.Readings), pack.Readings[:0]
	for _, r := range pack.Readings {
		if !isErased(s, r.Meter, r.At) {
			rs = append(rs, r)
		}
	}
	switch {
	case len(rs) == whole:
		return payload, true
	case len(rs) == 0:
		return nil, false
	}
	pack.Readings = rs
	left, err = wire.AppendPack(nil, pack)
	return left, err == nil
}

// forget takes out of a batch what was erased since it was made: a batch waits
// for minutes while InfluxDB is away, and must not come after the erasure.
func (b *batch) forget(s *sites.Snapshot) (erased int) {
	if s == b.seen {
		return 0
	}
	b.seen = s
	left, begin := b.readings[:0], 0
	for i, end := range b.ends {
		for _, r := range b.readings[begin:end] {
			if !isErased(s, r.Meter, r.At) {
				left = append(left, r)
			}
		}
		begin, b.ends[i] = end, len(left)
	}
	erased = len(b.readings) - len(left)
	b.readings = left
	return erased
}

func isErased(s *sites.Snapshot, id metering.MeterID, at time.Time) bool {
	m, known := s.Meter(id)
	return known && m.Erased(at)
}
