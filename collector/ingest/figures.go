package ingest

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// figures are what the ingester tells Prometheus.
type figures struct {
	packs, readings, stored, dropped, unknown, unkept, erased, swept prometheus.Counter

	refused, refusedReadings *prometheus.CounterVec

	seconds prometheus.Histogram
	queued  prometheus.GaugeFunc
	kept    prometheus.GaugeFunc
}

func newFigures(queued, kept func() float64) *figures {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "xnet_collector_" + name, Help: help})
	}
	return &figures{
		packs:    counter("packs_total", "Packs received, repetitions included."),
		readings: counter("readings_total", "Readings of packs that passed the checks."),
		stored:   counter("stored_readings_total", "Readings durable in InfluxDB and answered."),
		dropped:  counter("dropped_by_consent_total", "Readings finer than the meter's resolution, dropped."),
		unknown:  counter("unknown_meter_readings_total", "Readings of meters that no registry knows, stored."),
		unkept:   counter("quarantine_failures_total", "Refused packs that could not be kept, and were not answered."),
		erased:   counter("erased_readings_total", "Readings of times that were erased, refused and kept nowhere."),
		swept:    counter("quarantine_swept_packs_total", "Packs of the quarantine that were dropped or shortened because of an erasure."),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xnet_collector_refused_packs_total",
			Help: "Packs refused, wholly or in part, and kept in the quarantine."}, []string{"reason"}),
		refusedReadings: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xnet_collector_refused_readings_total",
			Help: "Readings refused, by the reason of the first in their pack. Those of packs that cannot be decoded are not known."}, []string{"reason"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "xnet_collector_batch_seconds",
			Help: "From a batch's first write to its answer.", Buckets: prometheus.ExponentialBuckets(0.002, 2, 14)}),
		queued: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "xnet_collector_queue_packs",
			Help: "Packs received and not yet taken in."}, queued),
		kept: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "xnet_collector_quarantine_bytes",
			Help: "Size of the quarantine."}, kept),
	}
}

func (f *figures) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{f.packs, f.readings, f.stored, f.dropped, f.unknown, f.unkept, f.erased, f.swept,
		f.refused, f.refusedReadings, f.seconds, f.queued, f.kept} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("register figures: %w", err)
		}
	}
	return nil
}
