package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// writeFiles writes every program's configuration, as an administrator would.
func (d *demo) writeFiles() error {
	files := map[string]any{
		"collector.yaml": map[string]any{
			"broker":     map[string]any{"url": "tcp://" + d.addr.broker},
			"influx":     d.influxConfig(),
			"quarantine": map[string]any{"dir": d.path("quarantine")},
			"figures":    d.addr.collector,
		},
		"api.yaml": map[string]any{
			"listen":   d.addr.api,
			"database": map[string]any{"dsn": d.path("api.sqlite")},
			"broker":   map[string]any{"url": "tcp://" + d.addr.broker},
			"influx":   d.influxConfig(),
			"letter":   map[string]any{"sender": []string{"La Roseraie", "Service des locataires", "1 place des Rosiers", "49000 Angers"}},
			"advisor":  map[string]any{"name": "Nadia Le Goff", "telephone": "02 41 00 00 00"},
		},
		"residence.yaml": landlordsList(d.residence, d.Interval),
	}
	now := time.Now()
	for _, g := range d.residence.Gateways {
		files[string(g.ID)+".yaml"] = d.gatewayConfig(g, now)
	}
	for name, content := range files {
		text, err := yaml.Marshal(content)
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(d.path("etc", name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) influxConfig() map[string]any {
	return map[string]any{"url": "http://" + d.addr.influx, "prefix": "xnet"}
}

// gatewayConfig is what a gateway reads. Meters that hang nowhere any more are
// imported; those of a gateway that is silent by now are too.
func (d *demo) gatewayConfig(g household.Gateway, now time.Time) firmwareconfig.Gateway {
	c := firmwareconfig.DefaultGateway()
	c.Site, c.Gateway, c.Zone = d.residence.SiteID, g.ID, d.residence.Zone.String()
	c.Broker.URL, c.Broker.ResendAfter = "tcp://"+d.addr.broker, d.Resend
	c.Spool = firmwareconfig.Spool{Dir: d.path("spool", string(g.ID)), MaxMB: 1024}
	c.Clock.Trust = "always"
	c.Figures = d.addr.gateways[string(g.ID)]
	silent := silentAt(g, now)
	buses := map[string]*firmwareconfig.Bus{}
	for _, b := range g.Buses {
		buses[b.Name] = &firmwareconfig.Bus{Name: b.Name, URL: d.busURL(g, b), Baud: 115200,
			Timeout: time.Second, Interval: d.Interval}
	}
	for _, m := range d.residence.Meters() {
		switch {
		case m.Gateway != g.ID:
		case silent || !m.HangsAt(now):
			c.Imported = append(c.Imported, wired(m))
		default:
			attach(buses[m.Bus], m)
		}
	}
	for _, b := range g.Buses {
		if !silent {
			c.Buses = append(c.Buses, *buses[b.Name])
		}
	}
	return c
}

func silentAt(g household.Gateway, now time.Time) bool {
	return !g.SilentFrom.IsZero() && now.After(g.SilentFrom)
}

func (d *demo) busURL(g household.Gateway, b household.Bus) string {
	if b.Transport == household.RTU {
		return "rtu://" + d.linePath(g)
	}
	return "tcp://" + d.addr.modbus[string(g.ID)]
}

// linePath is the link to the pseudo-terminal of a gateway's serial line.
func (d *demo) linePath(g household.Gateway) string {
	path, err := filepath.Abs(d.path(string(g.ID) + ".line"))
	if err != nil {
		return d.path(string(g.ID) + ".line")
	}
	return path
}

// attach wires a meter to its slave on the bus.
func attach(b *firmwareconfig.Bus, m *household.Meter) {
	for i := range b.Devices {
		if b.Devices[i].Slave == m.Slave {
			b.Devices[i].Meters = append(b.Devices[i].Meters, wired(m))
			return
		}
	}
	b.Devices = append(b.Devices, firmwareconfig.Device{Slave: m.Slave, Profile: m.Profile,
		Meters: []firmwareconfig.Meter{wired(m)}})
}

func wired(m *household.Meter) firmwareconfig.Meter {
	return firmwareconfig.Meter{ID: m.ID, Kind: m.Kind, Channel: m.Channel, PulseML: int64(m.PulseML),
		IndexModulus: m.IndexModulus, Resolution: m.Resolution}
}
