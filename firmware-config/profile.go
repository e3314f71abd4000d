// Package firmwareconfig is everything that a gateway is configured by: the
// register maps of meters (profiles) and the gateway's own configuration.
package firmwareconfig

import (
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

//go:embed profiles/*.yaml
var profiles embed.FS

// A Profile is the register map of a type of meter, as data. Adding a meter is
// adding one file to the folder profiles.
type Profile struct {
	Name  string        `yaml:"-"` // the file's name without ending
	Maker string        `yaml:"maker"`
	Model string        `yaml:"model"`
	Kind  metering.Kind `yaml:"kind"` // empty where the site says what is counted
	// Source names the manual and page that the map comes from.
	Source string `yaml:"source"`
	// Confidence is A (the maker's text was read), B (a maintained public
	// profile), C (one public configuration), D (conflicting), or "site" for
	// maps that the site makes.
	Confidence string `yaml:"confidence"`
	// Function is the Modbus function that reads the registers: 3 or 4.
	Function byte `yaml:"function"`
	// Limit is how many registers one request may ask for, at most 125.
	Limit uint16 `yaml:"limit"`
	// Pause is the silence the meter wants between two requests.
	Pause     time.Duration `yaml:"pause"`
	Registers []Register    `yaml:"registers"`
}

// A Register is one quantity of a meter in consecutive 16-bit registers.
type Register struct {
	// Channel tells apart the meters behind one device, from 1; 0 where the
	// device is the meter.
	Channel  int               `yaml:"channel"`
	Quantity metering.Quantity `yaml:"quantity"`
	Address  uint16            `yaml:"address"` // counted from 0, as on the wire
	Type     Type              `yaml:"type"`
	Order    Order             `yaml:"order"` // ABCD where empty
	Unit     string            `yaml:"unit"`  // one of [Units]
	Scale    string            `yaml:"scale"` // decimal factor, 1 where empty
	// None lists raw contents, in hexadecimal as on the wire, that mean "no
	// value". Floats that are not numbers mean it always.
	None []string `yaml:"none"`
}

// A Type is how a number is laid into registers.
type Type string

// Words is the type's length in registers of 16 bits, 0 for an unknown type.
func (t Type) Words() uint16 {
	switch t {
	case "u16", "i16":
		return 1
	case "u32", "i32", "f32":
		return 2
	case "u64", "i64", "f64":
		return 4
	default:
		return 0
	}
}

// An Order is the order of the bytes of a 32-bit number, A being the most
// significant. 64-bit numbers follow the same rule: words turned round for
// CDAB, bytes within words for BADC, both for DCBA.
type Order string

// Units turn a register's unit into base units: how many of them one is.
// A pulse is worth what the site's configuration says.
var units = map[string]int64{
	"Wh": 1, "kWh": 1_000, "MWh": 1_000_000,
	"mL": 1, "L": 1_000, "m3": 1_000_000,
	"W": 1, "kW": 1_000,
	"mL/h": 1, "L/h": 1_000, "m3/h": 1_000_000,
	"Cel": 1_000, "pulse": 1, "bits": 1,
}

// Factor returns the exact number of base units that one count of the register
// stands for; for pulses, the number of pulses.
func (r Register) Factor() (*big.Rat, error) {
	factor, ok := units[r.Unit]
	if !ok {
		return nil, fmt.Errorf("unit %q is not known", r.Unit)
	}
	scale := r.Scale
	if scale == "" {
		scale = "1"
	}
	exact, ok := new(big.Rat).SetString(scale)
	if !ok || exact.Sign() <= 0 {
		return nil, fmt.Errorf("scale %q is not a positive decimal number", scale)
	}
	return exact.Mul(exact, new(big.Rat).SetInt64(factor)), nil
}

// Profiles returns the names of all profiles, sorted.
func Profiles() []string {
	entries, err := fs.ReadDir(profiles, "profiles")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// LoadProfile returns the profile of that name, or an error that lists the
// names there are.
func LoadProfile(name string) (Profile, error) {
	text, err := profiles.ReadFile(path.Join("profiles", name+".yaml"))
	if err != nil {
		return Profile{}, fmt.Errorf("profile %q is not known, known are %s", name, strings.Join(Profiles(), ", "))
	}
	return ParseProfile(name, text)
}

// ParseProfile reads a profile's YAML and validates it.
func ParseProfile(name string, text []byte) (Profile, error) {
	p := Profile{Name: name}
	if err := config.Decode(text, &p); err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", name, err)
	}
	if err := p.Validate(); err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", name, err)
	}
	return p, nil
}

// Validate joins every fault of the profile.
func (p Profile) Validate() error {
	var errs []error
	if p.Function != 3 && p.Function != 4 {
		errs = append(errs, fmt.Errorf("function %d: want 3 or 4", p.Function))
	}
	if p.Limit < 1 || p.Limit > 125 {
		errs = append(errs, fmt.Errorf("limit %d: want 1 to 125 registers", p.Limit))
	}
	if p.Source == "" || p.Confidence == "" {
		errs = append(errs, errors.New("source and confidence must be named"))
	}
	if len(p.Registers) == 0 {
		errs = append(errs, errors.New("no registers"))
	}
	for _, r := range p.Registers {
		if err := r.validate(p.Limit); err != nil {
			errs = append(errs, fmt.Errorf("register at %#04x: %w", r.Address, err))
		}
	}
	return errors.Join(errs...)
}

func (r Register) validate(limit uint16) error {
	var errs []error
	words := r.Type.Words()
	switch {
	case words == 0:
		errs = append(errs, fmt.Errorf("type %q is not known", r.Type))
	case words > limit:
		errs = append(errs, fmt.Errorf("type %q exceeds the limit of %d registers", r.Type, limit))
	case int(r.Address)+int(words) > 1<<16:
		errs = append(errs, errors.New("reaches beyond the last address"))
	}
	switch r.Order {
	case "", "ABCD", "CDAB", "BADC", "DCBA":
	default:
		errs = append(errs, fmt.Errorf("order %q: want ABCD, CDAB, BADC or DCBA", r.Order))
	}
	for _, none := range r.None {
		if raw, err := hex.DecodeString(none); err != nil || len(raw) != 2*int(words) {
			errs = append(errs, fmt.Errorf("none %q: want %d hexadecimal digits", none, 4*words))
		}
	}
	if _, err := r.Factor(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
