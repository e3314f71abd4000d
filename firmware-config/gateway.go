package firmwareconfig

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Gateway is the whole configuration of a gateway. Make it with
// [DefaultGateway] and fill it with config.Load.
type Gateway struct {
	Site    metering.SiteID    `yaml:"site"`
	Gateway metering.GatewayID `yaml:"gateway"`
	// Zone is the residence's IANA zone, in which days and months begin.
	Zone    string `yaml:"zone"`
	Broker  Broker `yaml:"broker"`
	Spool   Spool  `yaml:"spool"`
	Clock   Clock  `yaml:"clock"`
	Figures string `yaml:"figures"` // address of /metrics, /healthz, /readyz
	Buses   []Bus  `yaml:"buses"`
	// Imported lists meters that hang on no bus: their readings come from files.
	Imported []Meter `yaml:"imported"`
}

// Broker is where the gateway publishes.
type Broker struct {
	URL          string `yaml:"url"` // tcp://host:1883 or ssl://host:8883
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	// ResendAfter is how long a pack waits for the collector's answer before it
	// is sent again.
	ResendAfter time.Duration `yaml:"resend_after"`
}

// Spool is where readings wait until they are stored.
type Spool struct {
	Dir   string `yaml:"dir"`
	MaxMB int64  `yaml:"max_mb"`
}

// Clock says by what the gateway's clock is believed.
type Clock struct {
	Trust string `yaml:"trust"` // kernel or always
}

// A Bus is one line of meters, or one Modbus TCP server.
type Bus struct {
	Name string `yaml:"name"`
	// URL is tcp://host:port (Modbus TCP), rtutcp://host:port (RTU frames over
	// TCP) or rtu:///dev/ttyUSB0.
	URL      string        `yaml:"url"`
	Baud     int           `yaml:"baud"`      // rtu only
	Parity   string        `yaml:"parity"`    // rtu only: none, even or odd
	StopBits int           `yaml:"stop_bits"` // rtu only
	Timeout  time.Duration `yaml:"timeout"`
	// Interval is the time between two polls; polls fall on its multiples.
	Interval time.Duration `yaml:"interval"`
	Devices  []Device      `yaml:"devices"`
}

// A Device is one slave on a bus.
type Device struct {
	Slave   byte    `yaml:"slave"`
	Profile string  `yaml:"profile"`
	Meters  []Meter `yaml:"meters"`
}

// A Meter is what a device, or one channel of it, counts.
type Meter struct {
	ID     metering.MeterID `yaml:"id"`
	Kind   metering.Kind    `yaml:"kind"` // where the profile does not say
	Serial string           `yaml:"serial"`
	// Channel is the profile's channel; 0 where the device is the meter.
	Channel int `yaml:"channel"`
	// PulseML and PulseWh are what a pulse is worth, for registers in pulses.
	PulseML int64 `yaml:"pulse_ml"`
	PulseWh int64 `yaml:"pulse_wh"`
	// StartIndex is added to what the register shows, in the kind's base unit.
	StartIndex metering.Amount `yaml:"start_index"`
	// IndexModulus is where the index rolls over, in the base unit; 0: never.
	IndexModulus metering.Amount `yaml:"index_modulus"`
	// Resolution counts until the site's registry says otherwise; where it is
	// empty, the kind's default without consent.
	Resolution metering.Resolution `yaml:"resolution"`
}

// DefaultGateway returns a configuration with every default.
func DefaultGateway() Gateway {
	return Gateway{
		Zone:    "Europe/Paris",
		Broker:  Broker{URL: "tcp://127.0.0.1:1883", ResendAfter: time.Minute},
		Spool:   Spool{Dir: "/var/lib/xnet-gateway/spool", MaxMB: 512},
		Clock:   Clock{Trust: "kernel"},
		Figures: "127.0.0.1:9101",
	}
}

// Location loads the zone, which [Gateway.Validate] has checked.
func (g *Gateway) Location() (*time.Location, error) {
	zone, err := time.LoadLocation(g.Zone)
	if err != nil || g.Zone == "" || g.Zone == "Local" {
		return nil, fmt.Errorf("zone %q: want an IANA name such as Europe/Paris", g.Zone)
	}
	return zone, nil
}

// Meters returns the meters of all devices and the imported ones.
func (g *Gateway) Meters() []Meter {
	var all []Meter
	for _, b := range g.Buses {
		for _, d := range b.Devices {
			all = append(all, d.Meters...)
		}
	}
	return append(all, g.Imported...)
}

// Validate fills what a file may leave out, and joins every fault with its
// remedy.
func (g *Gateway) Validate() error {
	errs := []error{
		metering.CheckID("site", g.Site),
		metering.CheckID("gateway", g.Gateway),
		checkURL("broker.url", g.Broker.URL, "tcp", "ssl", "ws", "wss"),
	}
	if _, err := g.Location(); err != nil {
		errs = append(errs, err)
	}
	if g.Broker.ResendAfter < time.Second {
		errs = append(errs, fmt.Errorf("broker.resend_after %s: want at least 1s", g.Broker.ResendAfter))
	}
	if g.Spool.Dir == "" || g.Spool.MaxMB < 8 {
		errs = append(errs, errors.New("spool: name a dir, and at least 8 for max_mb"))
	}
	if g.Clock.Trust != "kernel" && g.Clock.Trust != "always" {
		errs = append(errs, fmt.Errorf("clock.trust %q: want kernel or always", g.Clock.Trust))
	}
	for i := range g.Buses {
		errs = append(errs, g.Buses[i].validate(i))
	}
	for i := range g.Imported {
		errs = append(errs, g.Imported[i].validate("", g.Imported[i].Kind))
	}
	return errors.Join(append(errs, g.checkTwice())...)
}

func (g *Gateway) checkTwice() error {
	var errs []error
	buses, meters := map[string]bool{}, map[metering.MeterID]bool{}
	for _, b := range g.Buses {
		if buses[b.URL] {
			errs = append(errs, fmt.Errorf("bus %s: %s belongs to another bus: a line has one owner, put its devices together", b.Name, b.URL))
		}
		buses[b.URL] = true
	}
	for _, m := range g.Meters() {
		if meters[m.ID] {
			errs = append(errs, fmt.Errorf("meter %s stands twice: a meter has one place", m.ID))
		}
		meters[m.ID] = true
	}
	return errors.Join(errs...)
}

func (b *Bus) validate(i int) error {
	if b.Name == "" {
		b.Name = fmt.Sprintf("bus-%d", i+1)
	}
	b.fill()
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("bus "+b.Name+": "+format, args...))
	}
	if err := checkURL("url", b.URL, "tcp", "rtutcp", "rtu"); err != nil {
		fault("%w", err)
	}
	switch b.Parity {
	case "none", "even", "odd":
	default:
		fault("parity %q: want none, even or odd", b.Parity)
	}
	if b.Interval < time.Second {
		fault("interval %s: want at least 1s", b.Interval)
	}
	if b.Timeout <= 0 || b.StopBits < 1 || b.StopBits > 2 || b.Baud < 300 {
		fault("want a positive timeout, 1 or 2 stop_bits, and a baud of at least 300")
	}
	slaves := map[byte]bool{}
	for j := range b.Devices {
		d := &b.Devices[j]
		if slaves[d.Slave] {
			fault("slave %d stands twice: put its meters into one device", d.Slave)
		}
		slaves[d.Slave] = true
		if err := d.validate(); err != nil {
			fault("%w", err)
		}
	}
	return errors.Join(errs...)
}

func (b *Bus) fill() {
	if b.Baud == 0 {
		b.Baud = 9600
	}
	if b.Parity == "" {
		b.Parity = "none"
	}
	if b.StopBits == 0 {
		b.StopBits = 1
	}
	if b.Timeout == 0 {
		b.Timeout = time.Second
	}
	if b.Interval == 0 {
		b.Interval = 10 * time.Minute
	}
}

func (d *Device) validate() error {
	fault := func(err error) error { return fmt.Errorf("slave %d: %w", d.Slave, err) }
	if d.Slave < 1 || d.Slave > 247 {
		return fault(errors.New("want a slave from 1 to 247"))
	}
	profile, err := LoadProfile(d.Profile)
	if err != nil {
		return fault(err)
	}
	if len(d.Meters) == 0 {
		return fault(errors.New("no meters: name at least one"))
	}
	var errs []error
	for i := range d.Meters {
		m := &d.Meters[i]
		if err := m.validate(d.Profile, profile.Kind); err != nil {
			errs = append(errs, fault(err))
		}
		if err := m.checkRegisters(profile); err != nil {
			errs = append(errs, fault(fmt.Errorf("meter %s: %w", m.ID, err)))
		}
	}
	return errors.Join(errs...)
}

func (m *Meter) validate(profile string, kind metering.Kind) error {
	if err := metering.CheckID("meter", m.ID); err != nil {
		return err
	}
	if m.Kind == "" {
		m.Kind = kind
	}
	if m.Kind == "" || kind != "" && m.Kind != kind {
		return fmt.Errorf("meter %s: kind %q: profile %s counts %q", m.ID, m.Kind, profile, kind)
	}
	if m.Resolution == "" {
		m.Resolution = metering.DefaultResolution(m.Kind)
	}
	if m.IndexModulus < 0 || m.PulseML < 0 || m.PulseWh < 0 {
		return fmt.Errorf("meter %s: index_modulus and pulse weights must not be negative", m.ID)
	}
	return nil
}

// checkRegisters demands that the profile has registers for the meter's channel
// and that pulses have a weight in the meter's unit.
func (m *Meter) checkRegisters(p Profile) error {
	found := false
	for _, r := range p.Registers {
		if r.Channel != m.Channel {
			continue
		}
		found = true
		if r.Unit == "pulse" && m.Pulse() <= 0 {
			return fmt.Errorf("profile %s counts pulses: say what one is worth, pulse_ml or pulse_wh", p.Name)
		}
	}
	if !found {
		return fmt.Errorf("profile %s has no channel %d", p.Name, m.Channel)
	}
	return nil
}

// Pulse is what one pulse is worth in the base unit of the meter's kind, 0
// where the configuration does not say.
func (m *Meter) Pulse() int64 {
	if m.Kind.IndexUnit() == metering.WattHour {
		return m.PulseWh
	}
	return m.PulseML
}

func checkURL(what, text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err == nil {
		for _, s := range schemes {
			if u.Scheme == s && (u.Host != "" || u.Path != "") {
				return nil
			}
		}
	}
	return fmt.Errorf("%s %q: want a URL that begins with one of %v", what, text, schemes)
}
