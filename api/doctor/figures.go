package doctor

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

var (
	gatewaySilent = prometheus.NewDesc("xnet_api_gateway_silent", "1 where nothing was heard of a registered gateway for an hour.", []string{"site", "gateway"}, nil)
	spoolAge      = prometheus.NewDesc("xnet_api_gateway_spool_oldest_seconds", "How long the oldest reading has waited in the gateway, as far as it told.", []string{"site", "gateway"}, nil)
	messages      = prometheus.NewDesc("xnet_api_messages_waiting", "Messages that wait to leave, by channel.", []string{"channel"}, nil)
	messageAge    = prometheus.NewDesc("xnet_api_message_oldest_seconds", "How long the oldest message has waited, by channel.", []string{"channel"}, nil)
)

// Figures tell Prometheus of gateways and of what waits to leave, as SQL knows
// it, whenever it asks. It is a [prometheus.Collector].
type Figures struct {
	DB  sqldb.Querier
	Now func() time.Time
	Log *slog.Logger
}

// Describe implements [prometheus.Collector].
func (f Figures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gatewaySilent, spoolAge, messages, messageAge} {
		to <- d
	}
}

// figuresWait bounds the questions, so that a slow database does not stall all
// other figures.
const figuresWait = 3 * time.Second

// Collect implements [prometheus.Collector]. Where the database does not answer
// there are no figures of it: that it is away is told by others.
func (f Figures) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresWait)
	defer cancel()
	now := f.Now()
	s, err := StandingAt(ctx, f.DB, now)
	if err != nil {
		f.Log.Warn("figures of the field cannot be told", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	for _, g := range s.Gateways {
		silent := 0.0
		if g.Silent(now) {
			silent = 1
		}
		gauge(gatewaySilent, silent, string(g.Site), string(g.ID))
		gauge(spoolAge, age(now, g.SpoolOldest), string(g.Site), string(g.ID))
	}
	waiting := map[string]Queue{"email": {}, "letter": {}}
	for _, q := range s.Waiting {
		waiting[q.Channel] = q
	}
	for channel, q := range waiting {
		gauge(messages, float64(q.Waiting), channel)
		gauge(messageAge, age(now, q.Oldest), channel)
	}
}

// age is 0 for the zero instant.
func age(now, at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return max(0, now.Sub(at).Seconds())
}
