// Package configuration makes a gateway's configuration from the registry: which
// buses it has, which devices hang there, which meters they are. Somebody looks at
// it and publishes it; it then travels signed, under a version that grows. How
// finely a meter may be read is not part of it: that travels with the registry,
// at once, and what a document says of it could only be out of date.
package configuration

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/api/meters"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Draft is what the registry makes of a gateway's configuration now.
type Draft struct {
	// Document is the YAML of a [firmwareconfig.Document].
	Document string
	// Fault is what the gateway would refuse it for, with line and column; empty
	// for a sound one.
	Fault string
	// Left lists the meters of the gateway that hang somewhere and that the
	// document does not name, since nobody said where on a bus they are.
	Left []metering.MeterID
	// Meters is how many it names.
	Meters int
}

// Digest names the document: two that are equal have one.
func (d Draft) Digest() string {
	sum := sha256.Sum256([]byte(d.Document))
	return hex.EncodeToString(sum[:12])
}

// The keys of the document, in the order in which they are written. What has its
// default is left out.
type document struct {
	Site     metering.SiteID    `yaml:"site"`
	Gateway  metering.GatewayID `yaml:"gateway"`
	Buses    []bus              `yaml:"buses,omitempty"`
	Imported []meter            `yaml:"imported,omitempty"`
}

type bus struct {
	Name     string   `yaml:"name"`
	URL      string   `yaml:"url"`
	Baud     int      `yaml:"baud,omitempty"`
	Parity   string   `yaml:"parity,omitempty"`
	StopBits int      `yaml:"stop_bits,omitempty"`
	RS485    *rs485   `yaml:"rs485,omitempty"`
	Timeout  string   `yaml:"timeout"`
	Interval string   `yaml:"interval"`
	Devices  []device `yaml:"devices"`
}

type rs485 struct {
	Enabled     bool   `yaml:"enabled"`
	RTSOnSend   bool   `yaml:"rts_on_send,omitempty"`
	DelayBefore string `yaml:"delay_before,omitempty"`
	DelayAfter  string `yaml:"delay_after,omitempty"`
}

type device struct {
	Slave    int     `yaml:"slave"`
	Profile  string  `yaml:"profile"`
	Interval string  `yaml:"interval,omitempty"`
	Meters   []meter `yaml:"meters"`
}

type meter struct {
	ID           metering.MeterID `yaml:"id"`
	Kind         metering.Kind    `yaml:"kind"`
	Serial       string           `yaml:"serial,omitempty"`
	Channel      int              `yaml:"channel,omitempty"`
	PulseML      metering.Amount  `yaml:"pulse_ml,omitempty"`
	PulseWh      metering.Amount  `yaml:"pulse_wh,omitempty"`
	StartIndex   metering.Amount  `yaml:"start_index,omitempty"`
	IndexModulus metering.Amount  `yaml:"index_modulus,omitempty"`
}

// Make writes the document of a gateway and its meters that hang somewhere. It is
// the same text for the same registry, whatever the order of all.
func Make(g meters.Gateway, all []meters.Meter) (Draft, error) {
	var d Draft
	doc := document{Site: g.Residence, Gateway: g.ID}
	placed := map[string][]meters.Meter{}
	for _, m := range slices.SortedFunc(slices.Values(all), byPlace) {
		switch {
		case m.Socket.Profile == meters.Imported:
			doc.Imported = append(doc.Imported, of(m))
		case m.Socket.Bus != "":
			placed[m.Socket.Bus] = append(placed[m.Socket.Bus], m)
		default:
			d.Left = append(d.Left, m.ID)
			continue
		}
		d.Meters++
	}
	for _, b := range slices.SortedFunc(slices.Values(g.Buses), func(a, b meters.Bus) int { return cmp.Compare(a.Name, b.Name) }) {
		doc.Buses = append(doc.Buses, busOf(b, placed[b.Name]))
	}
	var text bytes.Buffer
	if err := yaml.NewEncoder(&text, yaml.IndentSequence(true)).Encode(doc); err != nil {
		return Draft{}, fmt.Errorf("configuration of gateway %s: %w", g.ID, err)
	}
	d.Document = text.String()
	d.Fault = faultOf(g, d.Document)
	return d, nil
}

func byPlace(a, b meters.Meter) int {
	return cmp.Or(cmp.Compare(a.Socket.Bus, b.Socket.Bus), cmp.Compare(a.Socket.Slave, b.Socket.Slave),
		cmp.Compare(a.Socket.Channel, b.Socket.Channel), cmp.Compare(a.ID, b.ID))
}

func busOf(b meters.Bus, all []meters.Meter) bus {
	made := bus{Name: b.Name, URL: b.URL, Timeout: b.Timeout.String(), Interval: b.Interval.String(), Devices: []device{}}
	if strings.HasPrefix(b.URL, "rtu:") {
		made.Baud, made.Parity, made.StopBits = b.Baud, b.Parity, b.StopBits
		made.RS485 = rs485Of(b.RS485)
	}
	for _, m := range all {
		last := len(made.Devices) - 1
		// Two profiles at one slave are two devices here, which the gateway's own
		// rules refuse.
		if last < 0 || made.Devices[last].Slave != m.Socket.Slave || made.Devices[last].Profile != m.Socket.Profile {
			made.Devices = append(made.Devices, device{Slave: m.Socket.Slave, Profile: m.Socket.Profile})
			last++
		}
		d := &made.Devices[last]
		d.Meters = append(d.Meters, of(m))
		d.poll(m.Interval, b.Interval)
	}
	return made
}

// poll sets the device's interval where a meter wants another than the bus's; the
// shortest counts.
func (d *device) poll(wanted, usual time.Duration) {
	before, err := time.ParseDuration(d.Interval)
	if err != nil {
		before = usual
		if len(d.Meters) == 1 {
			before = wanted
		}
	}
	d.Interval = ""
	if shortest := min(before, wanted); shortest != usual {
		d.Interval = shortest.String()
	}
}

func rs485Of(r meters.RS485) *rs485 {
	if !r.Enabled {
		return nil
	}
	made := &rs485{Enabled: true, RTSOnSend: r.RTSOnSend}
	if r.DelayBefore > 0 {
		made.DelayBefore = r.DelayBefore.String()
	}
	if r.DelayAfter > 0 {
		made.DelayAfter = r.DelayAfter.String()
	}
	return made
}

func of(m meters.Meter) meter {
	made := meter{ID: m.ID, Kind: m.Kind, Serial: m.Serial, Channel: m.Socket.Channel, StartIndex: m.StartIndex, IndexModulus: m.IndexModulus}
	if m.Kind.IndexUnit() == metering.WattHour {
		made.PulseWh = m.Pulse
	} else {
		made.PulseML = m.Pulse
	}
	return made
}

// faultOf asks the gateway's own rules what is wrong with a document. Profiles
// that only the board has are faults here too: they must ship.
func faultOf(g meters.Gateway, document string) string {
	base := firmwareconfig.DefaultGateway()
	base.Site, base.Gateway = g.Residence, g.ID
	if _, err := base.With([]byte(document)); err != nil {
		return err.Error()
	}
	return ""
}
