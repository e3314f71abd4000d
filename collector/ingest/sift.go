package ingest

import (
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// sift takes out of a pack what must not be stored under its meters: what was
// erased, which is kept nowhere, and what a gateway says of a meter that the
// registry gives to another one, which goes to the quarantine. It reports
// whether the rest may go on; where nothing is left the pack is answered here,
// and where the quarantine fails it is not answered at all.
func (k *intake) sift(m *message, s *sites.Snapshot) bool {
	all := m.pack.Readings
	own, foreign := all[:0], []wire.UnitReading(nil)
	for _, r := range all {
		switch meter, known := s.Meter(r.Meter); {
		case known && meter.Erased(r.At):
		case known && !reads(m.source, meter):
			foreign = append(foreign, r)
		default:
			own = append(own, r)
		}
	}
	m.pack.Readings = own
	erased := len(all) - len(own) - len(foreign)
	k.figures.erased.Add(float64(erased))
	k.figures.foreign.Add(float64(len(foreign)))
	switch {
	case len(foreign) > 0 && !k.setAside(m, foreign):
		return false
	case len(own) > 0 || len(all) == 0:
		return true
	case len(foreign) > 0:
		k.answerRefused(m, foreignReason(m.source, foreign))
	default:
		k.answerRefused(m, erasedReason)
	}
	return false
}

const erasedReason = "erased: what these meters showed then was erased"

func foreignReason(source wire.Source, foreign []wire.UnitReading) string {
	return fmt.Sprintf("%s: %d readings, the first of meter %s, which the registry does not give to %s",
		otherGateway, len(foreign), foreign[0].Meter, source)
}

// reads reports whether the registry gives the meter to the gateway.
func reads(source wire.Source, m sites.Meter) bool {
	return m.Site == source.Site && (m.Gateway == source.Gateway || m.Gateway == "")
}

// setAside keeps the readings of other gateways' meters in the quarantine, as a
// pack of the same number, and reports whether they are durable.
func (k *intake) setAside(m *message, foreign []wire.UnitReading) bool {
	apart := *m
	apart.pack.Readings = foreign
	payload, err := wire.AppendPack(nil, apart.pack)
	if err != nil {
		k.Log.Error("readings of another gateway's meters cannot be kept, the pack stays with its gateway",
			"gateway", m.source.String(), "seq", m.pack.Seq, "error", err)
		return false
	}
	apart.payload = payload
	return k.quarantined(&apart, otherGateway, foreignReason(m.source, foreign))
}

// unerased returns the payload without what was erased, and false where nothing
// is left of it. What cannot be decoded is returned as it is.
func (in *Ingester) unerased(m *message) ([]byte, bool) {
	pack, err := wire.DecodePack(m.payload)
	if err != nil {
		return m.payload, true
	}
	snapshot := in.Sites.Now()
	left := pack.Readings[:0]
	for _, r := range pack.Readings {
		if !isErased(snapshot, r.Meter, r.At) {
			left = append(left, r)
		}
	}
	switch {
	case len(left) == len(pack.Readings):
		return m.payload, true
	case len(left) == 0:
		return nil, false
	}
	pack.Readings = left
	payload, err := wire.AppendPack(nil, pack)
	return payload, err == nil
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
