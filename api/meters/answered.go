package meters

import (
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What is answered. Indexes are not part of it: who may see a last one asks for
// the check.

type gatewayJSON struct {
	ID        metering.GatewayID `json:"id"`
	Residence metering.SiteID    `json:"residence"`
	Name      string             `json:"name"`
	Place     string             `json:"place"`
	Buses     []busJSON          `json:"buses"`
}

type busJSON struct {
	Name      string     `json:"name"`
	URL       string     `json:"url"`
	Baud      int        `json:"baud"`
	Parity    string     `json:"parity"`
	StopBits  int        `json:"stop_bits"`
	TimeoutMs int64      `json:"timeout_ms"`
	IntervalS int64      `json:"interval_s"`
	RS485     *rs485JSON `json:"rs485,omitempty"`
}

type rs485JSON struct {
	RTSOnSend     bool  `json:"rts_on_send"`
	DelayBeforeMs int64 `json:"delay_before_ms"`
	DelayAfterMs  int64 `json:"delay_after_ms"`
}

func gatewayOf(g Gateway) gatewayJSON {
	return gatewayJSON{ID: g.ID, Residence: g.Residence, Name: g.Name, Place: g.Place, Buses: resource.Mapped(g.Buses, busOf)}
}

func busOf(b Bus) busJSON {
	made := busJSON{Name: b.Name, URL: b.URL, Baud: b.Baud, Parity: b.Parity, StopBits: b.StopBits,
		TimeoutMs: b.Timeout.Milliseconds(), IntervalS: int64(b.Interval / time.Second)}
	if b.RS485.Enabled {
		made.RS485 = &rs485JSON{b.RS485.RTSOnSend, b.RS485.DelayBefore.Milliseconds(), b.RS485.DelayAfter.Milliseconds()}
	}
	return made
}

// A listedGateway is one in a list, without its buses.
type listedGateway struct {
	ID        metering.GatewayID `json:"id"`
	Residence metering.SiteID    `json:"residence"`
	Name      string             `json:"name"`
	Place     string             `json:"place"`
	Version   int64              `json:"version"`
}

func listedGatewayOf(g Gateway) listedGateway {
	return listedGateway{g.ID, g.Residence, g.Name, g.Place, g.Version}
}

type spotJSON struct {
	ID        metering.PointID    `json:"id"`
	Residence metering.SiteID     `json:"residence"`
	Dwelling  premises.DwellingID `json:"dwelling,omitempty"`
	Building  string              `json:"building"`
	Staircase string              `json:"staircase,omitempty"`
	Label     string              `json:"label,omitempty"`
	Kind      metering.Kind       `json:"kind"`
	Meter     metering.MeterID    `json:"meter,omitempty"`
	Version   int64               `json:"version"`
}

func spotOf(p Spot) spotJSON {
	return spotJSON{p.ID, p.Residence, p.Dwelling, p.Building, p.Staircase, p.Label, p.Kind, p.Meter, p.Version}
}

type meterJSON struct {
	ID           metering.MeterID    `json:"id"`
	Residence    metering.SiteID     `json:"residence"`
	Gateway      metering.GatewayID  `json:"gateway"`
	Kind         metering.Kind       `json:"kind"`
	Serial       string              `json:"serial"`
	Resolution   metering.Resolution `json:"resolution"`
	IndexModulus metering.Amount     `json:"index_modulus"`
	MaxPerHour   metering.Amount     `json:"max_per_hour"`
	IntervalS    int64               `json:"interval_s"`
	Profile      string              `json:"profile"`
	Bus          string              `json:"bus"`
	Slave        int                 `json:"slave"`
	Channel      int                 `json:"channel"`
	Pulse        metering.Amount     `json:"pulse"`
	Version      int64               `json:"version"`
	// Where it hangs; empty where it hangs nowhere.
	Point     metering.PointID    `json:"point,omitempty"`
	Dwelling  premises.DwellingID `json:"dwelling,omitempty"`
	Building  string              `json:"building,omitempty"`
	Staircase string              `json:"staircase,omitempty"`
	Label     string              `json:"label,omitempty"`
	BoundAt   string              `json:"bound_at,omitempty"`
}

func meterOf(e Equipment) meterJSON {
	m := meterJSON{ID: e.ID, Residence: e.Residence, Gateway: e.Gateway, Kind: e.Kind, Serial: e.Serial, Resolution: e.Resolution,
		IndexModulus: e.IndexModulus, MaxPerHour: e.MaxPerHour, IntervalS: int64(e.Interval / time.Second), Profile: e.Socket.Profile,
		Bus: e.Socket.Bus, Slave: e.Socket.Slave, Channel: e.Socket.Channel, Pulse: e.Pulse, Version: e.Version}
	if p := e.Place; p != nil {
		m.Point, m.Dwelling, m.Building, m.Staircase, m.Label, m.BoundAt = p.Point, p.Dwelling, p.Building, p.Staircase, p.Label, p.Since.Format(time.RFC3339)
	}
	return m
}
