package firmwareconfig

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
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
	// ProfilesDir is a folder of the site's own profiles, beside those that ship.
	ProfilesDir string `yaml:"profiles_dir"`
	Buses       []Bus  `yaml:"buses"`
	// Imported lists meters that hang on no bus: their readings come from files.
	Imported []Meter `yaml:"imported"`
}

// Broker is where the gateway publishes.
type Broker struct {
	URL          string `yaml:"url"` // tcp://host:1883 or ssl://host:8883
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	// CAFile holds the certificates (PEM) that may vouch for an ssl:// broker;
	// the system's where empty. CertificateFile and KeyFile are the gateway's
	// own, both or none.
	CAFile          string `yaml:"ca_file"`
	CertificateFile string `yaml:"certificate_file"`
	KeyFile         string `yaml:"key_file"`
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
	// Trust is kernel (a time daemon has synchronised it), rtc (a hardware
	// clock with a battery, at the boot) or always.
	Trust string `yaml:"trust"`
}

// A Bus is one line of meters, or one Modbus TCP server.
type Bus struct {
	Name string `yaml:"name"`
	// URL is tcp://host:port (Modbus TCP), rtutcp://host:port (RTU frames over
	// TCP) or rtu:///dev/ttyUSB0.
	URL      string `yaml:"url"`
	Baud     int    `yaml:"baud"`      // rtu only
	Parity   string `yaml:"parity"`    // rtu only: none, even or odd
	StopBits int    `yaml:"stop_bits"` // rtu only
	RS485    RS485  `yaml:"rs485"`     // rtu only
	// Timeout is how long a meter may think before its answer begins; what the
	// bytes take on a serial line is added.
	Timeout time.Duration `yaml:"timeout"`
	// Interval is the time between two polls; polls fall on its multiples.
	Interval time.Duration `yaml:"interval"`
	Devices  []Device      `yaml:"devices"`
}

// RS485 is how the kernel's serial driver turns the transceiver round (Linux,
// serial-rs485). Adapters that do it themselves, as most USB ones, need none.
type RS485 struct {
	Enabled bool `yaml:"enabled"`
	// RTSOnSend is the level of RTS while sending; after sending it is the
	// other one.
	RTSOnSend bool `yaml:"rts_on_send"`
	// DelayBefore and DelayAfter are pauses between turning RTS and the first
	// byte, and the last byte and turning it back, in whole milliseconds.
	DelayBefore time.Duration `yaml:"delay_before"`
	DelayAfter  time.Duration `yaml:"delay_after"`
}

// A Device is one slave on a bus.
type Device struct {
	Slave   byte   `yaml:"slave"`
	Profile string `yaml:"profile"`
	// Interval, where positive, replaces the bus's for this device.
	Interval time.Duration `yaml:"interval"`
	Meters   []Meter       `yaml:"meters"`
	// DoubtfulRegisters also reads registers of confidence D.
	DoubtfulRegisters bool `yaml:"doubtful_registers"`
	// Resolved is the profile that [Gateway.Validate] found in the site's
	// library; see [Device.Map].
	Resolved *Profile `yaml:"-"`
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
	errs = append(errs, g.Broker.validate())
	if g.Spool.Dir == "" || g.Spool.MaxMB < 8 {
		errs = append(errs, errors.New("spool: name a dir, and at least 8 for max_mb"))
	}
	switch g.Clock.Trust {
	case "kernel", "rtc", "always":
	default:
		errs = append(errs, fmt.Errorf("clock.trust %q: want kernel, rtc or always", g.Clock.Trust))
	}
	library, err := OpenLibrary(g.ProfilesDir)
	if err != nil {
		return errors.Join(append(errs, err)...) // every device would fail for it
	}
	for i := range g.Buses {
		errs = append(errs, g.Buses[i].validate(i, library))
	}
	for i := range g.Imported {
		errs = append(errs, g.Imported[i].validate("", g.Imported[i].Kind))
	}
	return errors.Join(append(errs, g.checkTwice())...)
}

func (b Broker) validate() error {
	var errs []error
	if b.ResendAfter < time.Second {
		errs = append(errs, fmt.Errorf("broker.resend_after %s: want at least 1s", b.ResendAfter))
	}
	if (b.CertificateFile == "") != (b.KeyFile == "") {
		errs = append(errs, errors.New("broker: name certificate_file and key_file, or none of the two"))
	}
	plain := strings.HasPrefix(b.URL, "tcp:") || strings.HasPrefix(b.URL, "ws:")
	if plain && b.CAFile+b.CertificateFile != "" {
		errs = append(errs, fmt.Errorf("broker.url %s is not encrypted, though certificates are named: write ssl:// (port 8883) or wss://", b.URL))
	}
	return errors.Join(errs...)
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

func (b *Bus) validate(i int, library *Library) error {
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
	if b.RS485.DelayBefore < 0 || b.RS485.DelayAfter < 0 || max(b.RS485.DelayBefore, b.RS485.DelayAfter) > 100*time.Millisecond {
		fault("rs485: want delays from 0 to 100ms")
	}
	slaves := map[byte]bool{}
	for j := range b.Devices {
		d := &b.Devices[j]
		if d.Interval != 0 && d.Interval < time.Second {
			fault("slave %d: interval %s: want at least 1s, or none for the bus's", d.Slave, d.Interval)
		}
		if slaves[d.Slave] {
			fault("slave %d stands twice: put its meters into one device", d.Slave)
		}
		slaves[d.Slave] = true
		if err := d.validate(library); err != nil {
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
