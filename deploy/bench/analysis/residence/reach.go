package residence

import (
	"context"
	"os"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// resolution is how finely the meters may be read.
func (r *Residence) resolution() metering.Resolution {
	if r.Fine {
		return metering.Fine
	}
	return metering.Day
}

func (r *Residence) consents() string {
	if r.Fine {
		return "daily_follow_up, fine_curve"
	}
	return "daily_follow_up"
}

// Environment is what a collector needs to work for the house, besides its own
// folder and address.
func (h *House) Environment() []string {
	return append(os.Environ(), "XNET_COLLECTOR_BROKER_URL="+h.url, "XNET_COLLECTOR_INFLUX_URL="+h.Residence.url)
}

// BrokerURL is where the house's broker listens, as in tcp://127.0.0.1:1883.
func (h *House) BrokerURL() string { return h.url }

// Site is the residence's id.
func (h *House) Site() metering.SiteID { return site }

// Processes are the process ids of the program that serves and of InfluxDB.
func (h *House) Processes() (program, influxd int) { return h.serving, h.influxd }

// Visitors is [House.Tenants] for the first n dwellings.
func (h *House) Visitors(ctx context.Context, n int) ([]Tenant, error) {
	some := *h
	some.codes = h.codes[:n]
	return some.Tenants(ctx)
}
