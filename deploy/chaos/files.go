package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// write writes every program's configuration.
func (s *site) write() error {
	files := map[string]any{s.scratch(): s.collectorFile("127.0.0.1:0", s.path("quarantine", "scratch"), s.addr.broker, s.addr.influx, "scratch")}
	for _, c := range s.collects {
		files[c.config] = s.collectorFile(c.figures, c.quarantine, c.toBroker.addr, c.toInflux.addr, "xnet")
	}
	for _, g := range s.gateways {
		files[g.config] = s.gatewayFile(g, time.Now())
	}
	for path, content := range files {
		text, err := yaml.Marshal(content)
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// scratch configures a collector that computes the same periods from nothing, in
// buckets of its own.
func (s *site) scratch() string { return s.path("etc", "scratch.yaml") }

func (s *site) collectorFile(figures, quarantine, broker, influx, prefix string) map[string]any {
	return map[string]any{
		"broker":     map[string]any{"url": "tcp://" + broker},
		"influx":     map[string]any{"url": "http://" + influx, "prefix": prefix, "keep": map[string]int{"readings_days": 0, "hourly_days": 0, "daily_days": 0}},
		"quarantine": map[string]any{"dir": quarantine},
		"figures":    figures,
	}
}

func (s *site) gatewayFile(g *gateway, now time.Time) firmwareconfig.Gateway {
	c := firmwareconfig.DefaultGateway()
	c.Site, c.Gateway, c.Zone = s.residence.SiteID, g.ID, s.residence.Zone.String()
	c.Broker.URL, c.Broker.ResendAfter = "tcp://"+g.road.addr, resendAfter
	c.Spool = firmwareconfig.Spool{Dir: g.disk.spool(), MaxMB: 1024}
	c.Clock.Trust, c.Figures = "always", g.figures
	bus := firmwareconfig.Bus{Name: g.Buses[0].Name, URL: "tcp://" + g.modbus, Baud: baud, Timeout: busTimeout, Interval: cycle}
	if g.Buses[0].Transport == household.RTU {
		bus.URL = "rtu://" + g.modbus
	}
	for _, m := range s.residence.Meters() {
		switch {
		case m.Gateway != g.ID:
		case m.HangsAt(now) && m.DeadFrom.IsZero():
			hang(&bus, m)
		case m.Kind != metering.Temperature:
			c.Imported = append(c.Imported, meterOf(m))
		}
	}
	c.Buses = []firmwareconfig.Bus{bus}
	return c
}

// hang wires a meter on its slave.
func hang(b *firmwareconfig.Bus, m *household.Meter) {
	i := slices.IndexFunc(b.Devices, func(d firmwareconfig.Device) bool { return d.Slave == m.Slave })
	if i < 0 {
		i = len(b.Devices)
		b.Devices = append(b.Devices, firmwareconfig.Device{Slave: m.Slave, Profile: m.Profile})
	}
	b.Devices[i].Meters = append(b.Devices[i].Meters, meterOf(m))
}

func meterOf(m *household.Meter) firmwareconfig.Meter {
	return firmwareconfig.Meter{ID: m.ID, Kind: m.Kind, Channel: m.Channel, PulseML: int64(m.PulseML),
		IndexModulus: m.IndexModulus, Resolution: metering.Fine}
}
