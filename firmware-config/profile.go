// Package firmwareconfig is everything that a gateway is configured by: the
// register maps of meters (profiles) and the gateway's own configuration.
package firmwareconfig

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Profile is the register map of a type of meter, as data. Adding a meter is
// adding one file to the folder profiles, and its fixture to testdata.
type Profile struct {
	Name  string `yaml:"-"` // the file's name without ending
	Maker string `yaml:"maker"`
	Model string `yaml:"model"`
	// Kind is what the device itself (channel 0) counts; empty where the site
	// says it. What hangs on the device's channels the site says always.
	Kind metering.Kind `yaml:"kind,omitempty"`
	// Source names the manual or profile that the map comes from, Page the page
	// or table in it.
	Source string `yaml:"source"`
	Page   string `yaml:"page,omitempty"`
	// Confidence says how sure the map is; see [Confidence].
	Confidence Confidence `yaml:"confidence"`
	// Note is what the installer must know, in a sentence or two.
	Note string `yaml:"note,omitempty"`
	// Function is the Modbus function that reads the registers: 3 or 4.
	Function byte `yaml:"function"`
	// Limit is how many registers one request may ask for, at most 125.
	Limit uint16 `yaml:"limit"`
	// Pause is the silence the meter wants between two requests.
	Pause time.Duration `yaml:"pause,omitempty"`
	// Timeout is the patience that this meter needs, where it is more than the
	// bus's; 0: any.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Refresh is how often the meter renews its registers: reading more often
	// shows the same again. 0: at once, or unknown.
	Refresh time.Duration `yaml:"refresh,omitempty"`
	// Serial is how the meter's serial port is set when it leaves the factory.
	Serial Serial `yaml:"serial,omitempty"`
	// Probe lists what a slave must show for this profile to fit it, the most
	// telling first. A profile without probe is never proposed by a scan.
	Probe     []Check    `yaml:"probe,omitempty"`
	Registers []Register `yaml:"registers"`
}

// Serial is the setting of a serial port; zero values are unknown.
type Serial struct {
	Baud     int    `yaml:"baud,omitempty"`
	Parity   string `yaml:"parity,omitempty"` // none, even or odd
	StopBits int    `yaml:"stop_bits,omitempty"`
}

// String is as people write it, as in "9600 8E1", "" where it is unknown.
func (s Serial) String() string {
	if s.Baud == 0 {
		return ""
	}
	parity := map[string]string{"even": "E", "odd": "O"}[s.Parity]
	if parity == "" {
		parity = "N"
	}
	return fmt.Sprintf("%d 8%s%d", s.Baud, parity, max(s.StopBits, 1))
}

// A Confidence says how sure a register map is.
type Confidence string

// The confidences, the surest first.
const (
	MakersText    Confidence = "A"    // the maker's own document was read
	PublicProfile Confidence = "B"    // a maintained public profile was read line by line
	OneSource     Confidence = "C"    // one public configuration, or parts of the map are inferred
	Doubtful      Confidence = "D"    // sources contradict one another
	SiteMade      Confidence = "site" // the site makes the map itself, as a converter's
)

// Meaning explains the confidence in a few words.
func (c Confidence) Meaning() string {
	switch c {
	case MakersText:
		return "from the maker's document"
	case PublicProfile:
		return "from a maintained public profile"
	case OneSource:
		return "from one public configuration: check it against the dial"
	case Doubtful:
		return "sources contradict one another: not read unless asked for"
	case SiteMade:
		return "made by the site"
	default:
		return "unknown"
	}
}

func (c Confidence) validate() error {
	switch c {
	case MakersText, PublicProfile, OneSource, Doubtful, SiteMade:
		return nil
	default:
		return fmt.Errorf("confidence %q: want A, B, C, D or site", c)
	}
}

// KindOf returns what the channel counts, "" where the site says it.
func (p Profile) KindOf(channel int) metering.Kind {
	if channel == 0 {
		return p.Kind
	}
	return ""
}

// Of returns the registers of a channel. Those of confidence [Doubtful] are
// among them only where doubtful is true.
func (p Profile) Of(channel int, doubtful bool) []Register {
	var found []Register
	for _, r := range p.Registers {
		if r.Channel == channel && (doubtful || p.ConfidenceOf(r) != Doubtful) {
			found = append(found, r)
		}
	}
	return found
}

// ConfidenceOf returns the register's own confidence, or the profile's.
func (p Profile) ConfidenceOf(r Register) Confidence {
	if r.Confidence != "" {
		return r.Confidence
	}
	return p.Confidence
}

// ParseProfile reads a profile's YAML and validates it. Errors name the
// profile, the line and column of the text where there is one, and the remedy.
func ParseProfile(name string, text []byte) (Profile, error) {
	p := Profile{Name: name}
	if err := config.Decode(text, &p); err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", name, err)
	}
	if err := p.Validate(); err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", name, config.Place(err, text))
	}
	return p, nil
}

// Validate joins every fault of the profile, each with its place; see config.At.
func (p Profile) Validate() error {
	errs := []error{config.At("confidence", "", p.Confidence.validate()), config.At("serial", "", p.Serial.validate())}
	fault := func(path string, err error) { errs = append(errs, config.At(path, "", err)) }
	if p.Function != 3 && p.Function != 4 {
		fault("function", fmt.Errorf("function %d: want 3 or 4", p.Function))
	}
	if p.Limit < 1 || p.Limit > 125 {
		fault("limit", fmt.Errorf("limit %d: want 1 to 125 registers", p.Limit))
	}
	if p.Source == "" {
		fault("source", errors.New("source: name the manual, or who made the map"))
	}
	if p.Pause < 0 || p.Timeout < 0 || p.Refresh < 0 {
		errs = append(errs, errors.New("pause, timeout and refresh must not be negative"))
	}
	if len(p.Registers) == 0 {
		fault("registers", errors.New("no registers: name at least one"))
	}
	return errors.Join(append(errs, p.validateParts())...)
}

func (p Profile) validateParts() error {
	var errs []error
	for i, r := range p.Registers {
		fault := func(err error) {
			errs = append(errs, config.At(fmt.Sprintf("registers[%d].address", i), fmt.Sprintf("register at %#04x", r.Address), err))
		}
		fault(r.validate(p))
		for _, other := range p.Registers[:i] {
			fault(r.clash(other))
		}
	}
	for i, c := range p.Probe {
		errs = append(errs, config.At(fmt.Sprintf("probe[%d].what", i), fmt.Sprintf("probe %d (%s)", i+1, c.What), c.validate()))
	}
	return errors.Join(errs...)
}

func (s Serial) validate() error {
	switch s.Parity {
	case "", "none", "even", "odd":
	default:
		return fmt.Errorf("serial.parity %q: want none, even or odd", s.Parity)
	}
	if s.Baud < 0 || s.StopBits < 0 || s.StopBits > 2 {
		return fmt.Errorf("serial: baud %d with %d stop_bits: want a rate such as 9600, and 1 or 2", s.Baud, s.StopBits)
	}
	return nil
}
