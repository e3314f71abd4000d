package uplink

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Figures are the metrics of an uplink.
type Figures struct {
	sent, resent, answered, refused, connects prometheus.Counter

	inFlight prometheus.Gauge
	seconds  prometheus.Histogram
}

// NewFigures registers the metrics with r.
func NewFigures(r prometheus.Registerer) *Figures {
	make := promauto.With(r)
	counter := func(name, help string) prometheus.Counter {
		return make.NewCounter(prometheus.CounterOpts{Name: "xnet_gateway_" + name, Help: help})
	}
	return &Figures{
		sent:     counter("packs_sent_total", "Packs published, the ones sent again included."),
		resent:   counter("packs_resent_total", "Packs published again because no answer came."),
		answered: counter("packs_answered_total", "Packs that the collector answered for."),
		refused:  counter("packs_refused_total", "Packs that the collector put into its quarantine."),
		connects: counter("broker_connections_total", "Connections to the broker."),
		inFlight: make.NewGauge(prometheus.GaugeOpts{Name: "xnet_gateway_packs_in_flight",
			Help: "Packs sent on this connection and not answered yet, at most 64."}),
		seconds: make.NewHistogram(prometheus.HistogramOpts{Name: "xnet_gateway_answer_seconds",
			Help:    "From a pack's last sending to the collector's answer.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 14)}), // 10 ms to 82 s
	}
}
