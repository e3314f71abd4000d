package poll

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Figures are the metrics of all pollers of a gateway.
type Figures struct {
	lastGood    *prometheus.GaugeVec
	latencies   *prometheus.GaugeVec
	errors      *prometheus.CounterVec
	requests    *prometheus.HistogramVec
	cycles      *prometheus.HistogramVec
	utilisation *prometheus.GaugeVec
	skipped     *prometheus.CounterVec
	losses      *prometheus.CounterVec
}

// NewFigures registers the metrics with r.
func NewFigures(r prometheus.Registerer) *Figures {
	make := promauto.With(r)
	buckets := prometheus.ExponentialBuckets(0.001, 2, 16) // 1 ms to 33 s
	return &Figures{
		lastGood: make.NewGaugeVec(prometheus.GaugeOpts{Name: "xnet_gateway_meter_last_good_seconds",
			Help: "When the meter was last read well, in seconds since 1970."}, []string{"meter"}),
		latencies: make.NewGaugeVec(prometheus.GaugeOpts{Name: "xnet_gateway_meter_latency_seconds",
			Help: "Time of the last request that the meter answered."}, []string{"meter"}),
		errors: make.NewCounterVec(prometheus.CounterOpts{Name: "xnet_gateway_meter_errors_total",
			Help: "Reads of a meter's registers that gave no amount, by kind."}, []string{"meter", "kind"}),
		requests: make.NewHistogramVec(prometheus.HistogramOpts{Name: "xnet_gateway_request_seconds",
			Help: "Time of a request that was answered.", Buckets: buckets}, []string{"bus"}),
		cycles: make.NewHistogramVec(prometheus.HistogramOpts{Name: "xnet_gateway_cycle_seconds",
			Help: "Time to read all meters of a bus once.", Buckets: buckets}, []string{"bus"}),
		utilisation: make.NewGaugeVec(prometheus.GaugeOpts{Name: "xnet_gateway_bus_utilisation_ratio",
			Help: "Time of the last cycle over the poll interval."}, []string{"bus"}),
		skipped: make.NewCounterVec(prometheus.CounterOpts{Name: "xnet_gateway_readings_missed_total",
			Help: "Turns that devices missed because a cycle took longer than their interval."}, []string{"bus"}),
		losses: make.NewCounterVec(prometheus.CounterOpts{Name: "xnet_gateway_readings_lost_total",
			Help: "Readings that never reached the spool, by reason."}, []string{"reason"}),
	}
}

func (f *Figures) good(m metering.MeterID, at time.Time) {
	f.lastGood.WithLabelValues(string(m)).Set(float64(at.Unix()))
}

func (f *Figures) failed(m metering.MeterID, kind string) {
	f.errors.WithLabelValues(string(m), kind).Inc()
}

func (f *Figures) latency(bus string, d time.Duration) {
	f.requests.WithLabelValues(bus).Observe(d.Seconds())
}

func (f *Figures) meterLatency(m metering.MeterID, d time.Duration) {
	f.latencies.WithLabelValues(string(m)).Set(d.Seconds())
}

func (f *Figures) cycle(bus string, d, interval time.Duration) {
	f.cycles.WithLabelValues(bus).Observe(d.Seconds())
	f.utilisation.WithLabelValues(bus).Set(d.Seconds() / interval.Seconds())
}

func (f *Figures) missed(bus string, turns int) {
	f.skipped.WithLabelValues(bus).Add(float64(turns))
}

// forget drops the figures of a meter that is configured no more.
func (f *Figures) forget(m metering.MeterID) {
	label := prometheus.Labels{"meter": string(m)}
	f.lastGood.DeletePartialMatch(label)
	f.latencies.DeletePartialMatch(label)
	f.errors.DeletePartialMatch(label)
}

func (f *Figures) lost(reason string, readings int) {
	f.losses.WithLabelValues(reason).Add(float64(readings))
}
