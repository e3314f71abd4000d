// Package arrivals watches how readings come in: of each gateway and each meter
// when the last one was read, how long it was under way, and whether some are
// missing before it.
package arrivals

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// gapAfter is how many intervals lie between two readings where some are missing.
const gapAfter = 2.5

// A record is what is known of one gateway or meter.
type record struct {
	last  time.Time     // when the newest reading was read
	delay time.Duration // of what arrived last, from its reading to its storing
	gaps  int           // intervals of a meter without its reading
	fresh bool          // arrived since the records were last taken

	meter *sites.Meter    // whose record it is; nil for a gateway's
	asOf  *sites.Snapshot // that says so
}

func (r *record) note(at, now time.Time) {
	r.delay, r.fresh = now.Sub(at), true
	if at.After(r.last) {
		r.last = at
	}
}

// A Watch keeps the records. It is a [prometheus.Collector]. Its methods may be
// called concurrently.
type Watch struct {
	mu       sync.Mutex
	gateways map[wire.Source]*record
	meters   map[metering.MeterID]*record
}

// New returns a watch that has seen nothing.
func New() *Watch {
	return &Watch{gateways: map[wire.Source]*record{}, meters: map[metering.MeterID]*record{}}
}

// Note takes note of the readings of one pack of a gateway that were stored now.
// Meters that no registry knows count for their gateway only.
func (w *Watch) Note(s *sites.Snapshot, from wire.Source, rs []metering.Reading, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(rs) == 0 {
		return
	}
	g := of(w.gateways, from)
	for i := range rs {
		g.note(rs[i].At, now)
		if rs[i].Quantity != metering.Index {
			continue
		}
		m := w.meter(s, rs[i].Meter)
		if m == nil {
			continue
		}
		if gap(m.meter, m.last, rs[i].At) {
			m.gaps++
			g.gaps++
		}
		m.note(rs[i].At, now)
	}
}

// meter returns the record of a meter, nil of one that no registry knows.
func (w *Watch) meter(s *sites.Snapshot, id metering.MeterID) *record {
	if m := w.meters[id]; m != nil && m.asOf == s {
		return m
	}
	meter, known := s.Meter(id)
	if !known {
		return nil
	}
	m := of(w.meters, id)
	m.meter, m.asOf = meter, s
	return m
}

func of[K comparable](records map[K]*record, key K) *record {
	r := records[key]
	if r == nil {
		r = &record{}
		records[key] = r
	}
	return r
}

// gap reports whether readings are missing between two of a meter of which every
// one is kept. What comes late closes no gap: it was one.
func gap(m *sites.Meter, last, at time.Time) bool {
	return m.Resolution == metering.Fine && !last.IsZero() &&
		at.Sub(last) > time.Duration(gapAfter*float64(m.Interval()))
}

// Fresh returns the records of the gateways of which something arrived since it
// was last called, in their order.
func (w *Watch) Fresh() []influx.Arrival {
	w.mu.Lock()
	defer w.mu.Unlock()
	var fresh []influx.Arrival
	for _, source := range slices.SortedFunc(maps.Keys(w.gateways), func(a, b wire.Source) int { return strings.Compare(a.String(), b.String()) }) {
		if r := w.gateways[source]; r.fresh {
			r.fresh = false
			fresh = append(fresh, influx.Arrival{Site: source.Site, Gateway: source.Gateway, Last: r.last, Delay: r.delay, Gaps: r.gaps})
		}
	}
	return fresh
}

var (
	gatewayLabels = []string{"site", "gateway"}
	meterLabels   = []string{"meter"}

	gatewayLast  = describe("gateway_last_reading_timestamp_seconds", "When the newest reading of the gateway was read.", gatewayLabels)
	gatewayDelay = describe("gateway_delay_seconds", "How long what arrived last was under way, from its reading to its storing.", gatewayLabels)
	gatewayGaps  = describe("gateway_gaps_total", "Times that a meter's readings were missing for more than two of its intervals.", gatewayLabels)
	meterLast    = describe("meter_last_reading_timestamp_seconds", "When the newest index of the meter was read.", meterLabels)
	meterDelay   = describe("meter_delay_seconds", "How long the index that arrived last was under way.", meterLabels)
	meterGaps    = describe("meter_gaps_total", "Times that the meter's readings were missing for more than two intervals.", meterLabels)
)

func describe(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("xnet_collector_"+name, help, labels, nil)
}

// Describe implements [prometheus.Collector].
func (w *Watch) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(w, to) }

// Collect implements [prometheus.Collector].
func (w *Watch) Collect(to chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for source, r := range w.gateways {
		r.send(to, gatewayLast, gatewayDelay, gatewayGaps, string(source.Site), string(source.Gateway))
	}
	for meter, r := range w.meters {
		r.send(to, meterLast, meterDelay, meterGaps, string(meter))
	}
}

func (r *record) send(to chan<- prometheus.Metric, last, delay, gaps *prometheus.Desc, labels ...string) {
	to <- prometheus.MustNewConstMetric(last, prometheus.GaugeValue, float64(r.last.UnixMilli())/1000, labels...)
	to <- prometheus.MustNewConstMetric(delay, prometheus.GaugeValue, r.delay.Seconds(), labels...)
	to <- prometheus.MustNewConstMetric(gaps, prometheus.CounterValue, float64(r.gaps), labels...)
}
