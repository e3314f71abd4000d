package firmwareconfig

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/config"
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
	ProfilesDir string `yaml:"profiles_dir,omitempty"`
	Buses       []Bus  `yaml:"buses,omitempty"`
	// Imported lists meters that hang on no bus: their readings come from files.
	Imported []Meter `yaml:"imported,omitempty"`
	// ConfigKeyFile holds the public key, base64, that vouches for what comes
	// from afar; see [Document]. Without it nothing from afar counts.
	ConfigKeyFile string `yaml:"config_key_file,omitempty"`
}

// Broker is where the gateway publishes.
type Broker struct {
	URL          string `yaml:"url"` // tcp://host:1883 or ssl://host:8883
	Username     string `yaml:"username,omitempty"`
	PasswordFile string `yaml:"password_file,omitempty"`
	// CAFile holds the certificates (PEM) that may vouch for an ssl:// broker;
	// the system's where empty. CertificateFile and KeyFile are the gateway's
	// own, both or none.
	CAFile          string `yaml:"ca_file,omitempty"`
	CertificateFile string `yaml:"certificate_file,omitempty"`
	KeyFile         string `yaml:"key_file,omitempty"`
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
	Name string `yaml:"name,omitempty"`
	// URL is tcp://host:port (Modbus TCP), rtutcp://host:port (RTU frames over
	// TCP) or rtu:///dev/ttyUSB0.
	URL      string `yaml:"url"`
	Baud     int    `yaml:"baud,omitempty"`      // rtu only
	Parity   string `yaml:"parity,omitempty"`    // rtu only: none, even or odd
	StopBits int    `yaml:"stop_bits,omitempty"` // rtu only
	RS485    RS485  `yaml:"rs485,omitempty"`     // rtu only
	// Timeout is how long a meter may think before its answer begins; what the
	// bytes take on a serial line is added.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Interval is the time between two polls; polls fall on its multiples.
	Interval time.Duration `yaml:"interval,omitempty"`
	Devices  []Device      `yaml:"devices,omitempty"`
}

// RS485 is how the kernel's serial driver turns the transceiver round (Linux,
// serial-rs485). Adapters that do it themselves, as most USB ones, need none.
type RS485 struct {
	Enabled bool `yaml:"enabled"`
	// RTSOnSend is the level of RTS while sending; after sending it is the
	// other one.
	RTSOnSend bool `yaml:"rts_on_send,omitempty"`
	// DelayBefore and DelayAfter are pauses between turning RTS and the first
	// byte, and the last byte and turning it back, in whole milliseconds.
	DelayBefore time.Duration `yaml:"delay_before,omitempty"`
	DelayAfter  time.Duration `yaml:"delay_after,omitempty"`
}

// A Device is one slave on a bus.
type Device struct {
	Slave   byte   `yaml:"slave"`
	Profile string `yaml:"profile"`
	// Interval, where positive, replaces the bus's for this device.
	Interval time.Duration `yaml:"interval,omitempty"`
	Meters   []Meter       `yaml:"meters,omitempty"`
	// DoubtfulRegisters also reads registers of confidence D.
	DoubtfulRegisters bool `yaml:"doubtful_registers,omitempty"`
	// Resolved is the profile that [Gateway.Validate] found in the site's
	// library; see [Device.Map].
	Resolved *Profile `yaml:"-"`
}

// A Meter is what a device, or one channel of it, counts.
type Meter struct {
	ID     metering.MeterID `yaml:"id"`
	Kind   metering.Kind    `yaml:"kind,omitempty"` // where the profile does not say
	Serial string           `yaml:"serial,omitempty"`
	// Channel is the profile's channel; 0 where the device is the meter.
	Channel int `yaml:"channel,omitempty"`
	// PulseML and PulseWh are what a pulse is worth, for registers in pulses.
	PulseML int64 `yaml:"pulse_ml,omitempty"`
	PulseWh int64 `yaml:"pulse_wh,omitempty"`
	// StartIndex is added to what the register shows, in the kind's base unit.
	StartIndex metering.Amount `yaml:"start_index,omitempty"`
	// IndexModulus is where the index rolls over, in the base unit; 0: never.
	IndexModulus metering.Amount `yaml:"index_modulus,omitempty"`
	// Resolution counts until the site's registry says otherwise; where it is
	// empty, the kind's default without consent.
	Resolution metering.Resolution `yaml:"resolution,omitempty"`
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

// Validate fills what a file may leave out, and joins every fault with its place
// and remedy; see config.At.
func (g *Gateway) Validate() error {
	errs := []error{
		config.At("site", "", metering.CheckID("site", g.Site)),
		config.At("gateway", "", metering.CheckID("gateway", g.Gateway)),
		config.At("broker", "", g.Broker.validate()),
	}
	fault := func(path string, err error) { errs = append(errs, config.At(path, "", err)) }
	if _, err := g.Location(); err != nil {
		fault("zone", err)
	}
	if g.Spool.Dir == "" || g.Spool.MaxMB < 8 {
		fault("spool", errors.New("spool: name a dir, and at least 8 for max_mb"))
	}
	switch g.Clock.Trust {
	case "kernel", "rtc", "always":
	default:
		fault("clock.trust", fmt.Errorf("clock.trust %q: want kernel, rtc or always", g.Clock.Trust))
	}
	return errors.Join(append(errs, g.validateMeters())...)
}

// validateMeters checks what is read.
func (g *Gateway) validateMeters() error {
	library, err := OpenLibrary(g.ProfilesDir)
	if err != nil {
		return config.At("profiles_dir", "", err) // every device would fail for it
	}
	var errs []error
	for i := range g.Buses {
		b := &g.Buses[i]
		if b.Name == "" {
			b.Name = fmt.Sprintf("bus-%d", i+1)
		}
		errs = append(errs, config.At(fmt.Sprintf("buses[%d]", i), "bus "+b.Name, b.validate(library)))
	}
	for i := range g.Imported {
		m := &g.Imported[i]
		errs = append(errs, config.At(fmt.Sprintf("imported[%d]", i), "", m.validate("", m.Kind)))
	}
	return errors.Join(append(errs, g.checkTwice())...)
}

func (b Broker) validate() error {
	errs := []error{config.At("url", "", checkURL("broker.url", b.URL, "tcp", "ssl", "ws", "wss"))}
	if b.ResendAfter < time.Second {
		errs = append(errs, config.At("resend_after", "", fmt.Errorf("broker.resend_after %s: want at least 1s", b.ResendAfter)))
	}
	if (b.CertificateFile == "") != (b.KeyFile == "") {
		errs = append(errs, errors.New("broker: name certificate_file and key_file, or none of the two"))
	}
	plain := strings.HasPrefix(b.URL, "tcp:") || strings.HasPrefix(b.URL, "ws:")
	if plain && b.CAFile+b.CertificateFile != "" {
		errs = append(errs, config.At("url", "", fmt.Errorf("broker.url %s is not encrypted, though certificates are named: "+
			"write ssl:// (port 8883) or wss://", b.URL)))
	}
	return errors.Join(errs...)
}

// checkTwice demands that a line and a meter stand in one place each.
func (g *Gateway) checkTwice() error {
	var errs []error
	buses, meters := map[string]bool{}, map[metering.MeterID]bool{}
	meter := func(path string, m Meter) {
		if meters[m.ID] {
			errs = append(errs, config.At(path+".id", "", fmt.Errorf("meter %s stands twice: a meter has one place, take one of the two out", m.ID)))
		}
		meters[m.ID] = true
	}
	for i, b := range g.Buses {
		path := fmt.Sprintf("buses[%d]", i)
		if buses[b.URL] {
			errs = append(errs, config.At(path+".url", "bus "+b.Name,
				fmt.Errorf("%s belongs to another bus: a line has one owner, put its devices together", b.URL)))
		}
		buses[b.URL] = true
		for j, d := range b.Devices {
			for k, m := range d.Meters {
				meter(fmt.Sprintf("%s.devices[%d].meters[%d]", path, j, k), m)
			}
		}
	}
	for i, m := range g.Imported {
		meter(fmt.Sprintf("imported[%d]", i), m)
	}
	return errors.Join(errs...)
}

// validate checks a bus that has a name.
func (b *Bus) validate(library *Library) error {
	b.fill()
	var errs []error
	fault := func(key, format string, args ...any) {
		errs = append(errs, config.At(key, "", fmt.Errorf(format, args...)))
	}
	if err := checkURL("url", b.URL, "tcp", "rtutcp", "rtu"); err != nil {
		fault("url", "%w", err)
	}
	switch b.Parity {
	case "none", "even", "odd":
	default:
		fault("parity", "parity %q: want none, even or odd", b.Parity)
	}
	if b.Interval < time.Second {
		fault("interval", "interval %s: want at least 1s", b.Interval)
	}
	if b.Timeout <= 0 {
		fault("timeout", "timeout %s: want a positive one such as 1s", b.Timeout)
	}
	if b.StopBits < 1 || b.StopBits > 2 {
		fault("stop_bits", "stop_bits %d: want 1 or 2", b.StopBits)
	}
	if b.Baud < 300 {
		fault("baud", "baud %d: want at least 300, as in 9600", b.Baud)
	}
	if b.RS485.DelayBefore < 0 || b.RS485.DelayAfter < 0 || max(b.RS485.DelayBefore, b.RS485.DelayAfter) > 100*time.Millisecond {
		fault("rs485", "rs485: want delays from 0 to 100ms")
	}
	return errors.Join(append(errs, b.validateDevices(library))...)
}

func (b *Bus) validateDevices(library *Library) error {
	var errs []error
	slaves := map[byte]bool{}
	for i := range b.Devices {
		d := &b.Devices[i]
		path, what := fmt.Sprintf("devices[%d]", i), fmt.Sprintf("slave %d", d.Slave)
		if slaves[d.Slave] {
			errs = append(errs, config.At(path+".slave", "", fmt.Errorf("%s stands twice: put its meters into one device", what)))
		}
		slaves[d.Slave] = true
		errs = append(errs, config.At(path, what, d.validate(library)))
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
