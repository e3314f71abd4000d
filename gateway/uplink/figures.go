package uplink

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Figures are the metrics of an uplink.
type Figures struct {
	sent, resent, answered, refused prometheus.Counter
}

// NewFigures registers the metrics with r.
func NewFigures(r prometheus.Registerer) *Figures {
	make := promauto.With(r)
	counter := func(name, help string) prometheus.Counter {
		return make.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return &Figures{
		sent:     counter("xnet_gateway_packs_sent_total", "Packs published, the ones sent again included."),
		resent:   counter("xnet_gateway_packs_resent_total", "Packs published again because no answer came."),
		answered: counter("xnet_gateway_packs_answered_total", "Packs that the collector answered for."),
		refused:  counter("xnet_gateway_packs_refused_total", "Packs that the collector put into its quarantine."),
	}
}
