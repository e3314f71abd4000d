package meters

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What is sent, and what its fields may be.

// fields gathers what is wrong with them.
type fields []problem.Field

func (f *fields) fault(name, message string, args ...any) {
	*f = append(*f, problem.Field{Name: name, Message: message, Args: args})
}

func (f *fields) id(name, id string) {
	if !metering.ValidID(id) {
		f.fault(name, "equipment.id")
	}
}

func (f *fields) text(name, text string, most int) {
	if utf8.RuneCountInString(text) > most {
		f.fault(name, "field.too_long", most)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		f.fault(name, "field.malformed")
	}
}

func (f *fields) between(name string, n, least, most int64) {
	if n < least || n > most {
		f.fault(name, "field.out_of_range", least, most)
	}
}

func (f *fields) oneOf(name, word string, known ...string) {
	if !slices.Contains(known, word) {
		f.fault(name, "field.not_one_of", strings.Join(known, ", "))
	}
}

// kind is text where it is decoded: an unknown one is a fault of its field.
func (f *fields) kind(k string) {
	names := make([]string, len(metering.Kinds))
	for i, known := range metering.Kinds {
		names[i] = string(known)
	}
	f.oneOf("kind", k, names...)
}

// longestInterval is that of the schema: a month.
const (
	longestInterval = 2_678_400
	mostBuses       = 32
)

type gatewayChange struct {
	Name  string    `json:"name"`
	Place string    `json:"place"`
	Buses []busJSON `json:"buses"`
}

// Check implements resource.Checked.
func (g *gatewayChange) Check() []problem.Field {
	var f fields
	f.text("name", g.Name, 100)
	f.text("place", g.Place, 200)
	if len(g.Buses) > mostBuses {
		f.fault("buses", "field.too_long", mostBuses)
		return f
	}
	for i := range g.Buses {
		g.Buses[i].check(&f, fmt.Sprintf("buses[%d].", i))
	}
	return f
}

func (g gatewayChange) gateway(id metering.GatewayID, residence metering.SiteID, version int64) Gateway {
	return Gateway{ID: id, Residence: residence, Name: g.Name, Place: g.Place, Buses: resource.Mapped(g.Buses, busJSON.bus), Version: version}
}

type newGateway struct {
	ID        metering.GatewayID `json:"id"`
	Residence metering.SiteID    `json:"residence"`
	gatewayChange
}

// Check implements resource.Checked.
func (g *newGateway) Check() []problem.Field {
	var f fields
	f.id("id", string(g.ID))
	f.id("residence", string(g.Residence))
	return append(f, g.gatewayChange.Check()...)
}

// Fill gives the gateway that somebody wants to register what they left out of its
// buses, and says what is wrong with it, by the names of the JSON: none where
// nothing is.
func (g *Gateway) Fill() []problem.Field {
	sent := newGateway{g.ID, g.Residence, gatewayChange{g.Name, g.Place, resource.Mapped(g.Buses, busOf)}}
	faults := sent.Check()
	*g = sent.gateway(g.ID, g.Residence, g.Version)
	return faults
}

func (b *busJSON) check(f *fields, at string) {
	if b.Baud == 0 {
		b.Baud = 9600
	}
	if b.Parity == "" {
		b.Parity = "none"
	}
	if b.StopBits == 0 {
		b.StopBits = 1
	}
	if b.TimeoutMs == 0 {
		b.TimeoutMs = 1000
	}
	if b.IntervalS == 0 {
		b.IntervalS = 600
	}
	f.id(at+"name", b.Name)
	f.text(at+"url", b.URL, 200)
	if u, err := url.Parse(b.URL); err != nil || !slices.Contains([]string{"tcp", "rtutcp", "rtu"}, u.Scheme) || u.Host == "" && u.Path == "" {
		f.fault(at+"url", "equipment.bus_url")
	}
	f.between(at+"baud", int64(b.Baud), 300, 1_000_000)
	f.oneOf(at+"parity", b.Parity, "none", "even", "odd")
	f.between(at+"stop_bits", int64(b.StopBits), 1, 2)
	f.between(at+"timeout_ms", b.TimeoutMs, 1, 60_000)
	f.between(at+"interval_s", b.IntervalS, 1, longestInterval)
	if r := b.RS485; r != nil {
		f.between(at+"rs485.delay_before_ms", r.DelayBeforeMs, 0, 100)
		f.between(at+"rs485.delay_after_ms", r.DelayAfterMs, 0, 100)
	}
}

func (b busJSON) bus() Bus {
	made := Bus{Name: b.Name, URL: b.URL, Baud: b.Baud, Parity: b.Parity, StopBits: b.StopBits,
		Timeout: time.Duration(b.TimeoutMs) * time.Millisecond, Interval: time.Duration(b.IntervalS) * time.Second}
	if r := b.RS485; r != nil {
		made.RS485 = RS485{Enabled: true, RTSOnSend: r.RTSOnSend,
			DelayBefore: time.Duration(r.DelayBeforeMs) * time.Millisecond, DelayAfter: time.Duration(r.DelayAfterMs) * time.Millisecond}
	}
	return made
}

type newPoint struct {
	ID        metering.PointID    `json:"id"`
	Kind      string              `json:"kind"`
	Dwelling  premises.DwellingID `json:"dwelling"`
	Residence metering.SiteID     `json:"residence"`
	Building  string              `json:"building"`
}

// Check implements resource.Checked. A point is a dwelling's, or a building's of
// a residence; the only building of a residence may have no name.
func (p *newPoint) Check() []problem.Field {
	var f fields
	f.id("id", string(p.ID))
	f.kind(p.Kind)
	switch {
	case p.Dwelling != "" && p.Residence+metering.SiteID(p.Building) != "", p.Dwelling == "" && p.Residence == "":
		f.fault("dwelling", "equipment.one_place")
	case p.Dwelling != "":
		f.id("dwelling", string(p.Dwelling))
	default:
		f.id("residence", string(p.Residence))
		f.text("building", p.Building, 100)
	}
	return f
}

func (p newPoint) point() Point {
	return Point{ID: p.ID, Kind: metering.Kind(p.Kind), Dwelling: p.Dwelling, Residence: p.Residence, Building: p.Building}
}

type meterChange struct {
	Gateway      metering.GatewayID `json:"gateway"`
	Serial       string             `json:"serial"`
	IndexModulus metering.Amount    `json:"index_modulus"`
	MaxPerHour   metering.Amount    `json:"max_per_hour"`
	IntervalS    int64              `json:"interval_s"`
	Profile      string             `json:"profile"`
	Bus          string             `json:"bus"`
	Slave        int                `json:"slave"`
	Channel      int                `json:"channel"`
	Pulse        metering.Amount    `json:"pulse"`
	// StartIndex is never shown; left out, it stays what it is.
	StartIndex *metering.Amount `json:"start_index"`
}

// mostPulse is that of the schema.
const mostPulse = 1_000_000_000

// Check implements resource.Checked.
func (m *meterChange) Check() []problem.Field {
	var f fields
	m.Serial = strings.TrimSpace(m.Serial)
	f.id("gateway", string(m.Gateway))
	f.text("serial", m.Serial, 64)
	f.between("index_modulus", int64(m.IndexModulus), 0, int64(mostIndex))
	f.between("max_per_hour", int64(m.MaxPerHour), 0, int64(mostIndex))
	f.between("interval_s", m.IntervalS, 1, longestInterval)
	f.between("channel", int64(m.Channel), 0, 255)
	f.between("pulse", int64(m.Pulse), 0, mostPulse)
	if m.StartIndex != nil {
		f.between("start_index", int64(*m.StartIndex), -int64(mostIndex), int64(mostIndex))
	}
	switch {
	case m.Bus == "" && m.Profile != "" && m.Profile != Imported:
		f.fault("bus", "field.missing")
	case m.Bus == "":
		f.between("slave", int64(m.Slave), 0, 0)
	default:
		f.id("bus", m.Bus)
		f.between("slave", int64(m.Slave), 1, 247)
		if !slices.Contains(firmwareconfig.Profiles(), m.Profile) {
			f.fault("profile", "equipment.profile")
		}
	}
	return f
}

// checkIndexes demands that a profile counts what the meter does.
func (m meterChange) checkIndexes(kind metering.Kind) error {
	if m.Bus == "" {
		return nil
	}
	profile, err := firmwareconfig.LoadProfile(m.Profile)
	if err != nil {
		return problem.OfFields([]problem.Field{{Name: "profile", Message: "equipment.profile"}})
	}
	if counts := profile.KindOf(m.Channel); counts != "" && counts != kind {
		return problem.OfFields([]problem.Field{{Name: "profile", Message: "equipment.profile_kind"}})
	}
	if len(profile.Of(m.Channel, true)) == 0 {
		return problem.OfFields([]problem.Field{{Name: "channel", Message: "equipment.channel"}})
	}
	return nil
}

// meter is before, changed.
func (m meterChange) meter(before Meter, version int64) Meter {
	start := before.StartIndex
	if m.StartIndex != nil {
		start = *m.StartIndex
	}
	return Meter{ID: before.ID, Gateway: m.Gateway, Kind: before.Kind, IndexModulus: m.IndexModulus, MaxPerHour: m.MaxPerHour,
		Interval: time.Duration(m.IntervalS) * time.Second, Serial: m.Serial, Pulse: m.Pulse, StartIndex: start, Version: version,
		Socket: Socket{Profile: m.Profile, Bus: m.Bus, Slave: m.Slave, Channel: m.Channel}}
}

type newMeter struct {
	ID   metering.MeterID `json:"id"`
	Kind string           `json:"kind"`
	meterChange
}

// Check implements resource.Checked.
func (m *newMeter) Check() []problem.Field {
	var f fields
	f.id("id", string(m.ID))
	f.kind(m.Kind)
	f = append(f, m.meterChange.Check()...)
	if len(f) > 0 {
		return f
	}
	if fault, ok := m.checkIndexes(metering.Kind(m.Kind)).(*problem.Error); ok && fault != nil {
		return fault.Fields
	}
	return f
}
