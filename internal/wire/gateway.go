package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Meters is what a gateway says of the meters it reads, retained.
type Meters struct {
	AtMs   int64         `json:"at_ms"`
	Meters []MeterReport `json:"meters"`
}

// A MeterReport is how one meter fares on its bus.
type MeterReport struct {
	Meter        metering.MeterID    `json:"meter"`
	Serial       string              `json:"serial,omitempty"`
	Kind         metering.Kind       `json:"kind"`
	Unit         metering.Unit       `json:"unit"`
	IndexModulus metering.Amount     `json:"index_modulus"`
	Resolution   metering.Resolution `json:"resolution"`
	// LastGoodMs is when the meter was last read well, in milliseconds since
	// 1970; 0 means never since the gateway started.
	LastGoodMs int64 `json:"last_good_ms"`
	// Errors counts failed reads by kind since the gateway started.
	Errors map[string]uint64 `json:"errors,omitempty"`
}

// Encode returns the payload. It fails where [DecodeMeters] would.
func (m Meters) Encode() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("encode meters: %w", err)
	}
	return encode("meters", m)
}

// DecodeMeters reads a payload of the meters topic. A meter without a valid id,
// kind and resolution is an error.
func DecodeMeters(payload []byte) (Meters, error) {
	m, err := decode[Meters]("meters", payload)
	if err != nil {
		return Meters{}, err
	}
	if err := m.validate(); err != nil {
		return Meters{}, fmt.Errorf("decode meters: %w", err)
	}
	return m, nil
}

func (m Meters) validate() error {
	var errs []error
	for _, r := range m.Meters {
		_, kind := metering.ParseKind(string(r.Kind))
		_, resolution := metering.ParseResolution(string(r.Resolution))
		if err := errors.Join(metering.CheckID("meter", r.Meter), kind, resolution); err != nil {
			errs = append(errs, fmt.Errorf("meter %s: %w", r.Meter, err))
		}
	}
	return errors.Join(errs...)
}

// A ClockState says whether a gateway's clock may be believed.
type ClockState string

// The clock states.
const (
	ClockTrusted   ClockState = "trusted"
	ClockUntrusted ClockState = "untrusted"
)

// State is what a gateway says of itself, retained; its last will is the same
// with Online false.
type State struct {
	Online  bool       `json:"online"`
	Version string     `json:"version"`
	Boot    string     `json:"boot"` // random, new at each start
	Clock   ClockState `json:"clock"`
	AtMs    int64      `json:"at_ms"`
	// SpoolPacks and SpoolOldestMs say what waits to be stored: how many packs
	// and the instant of the oldest, 0 where none waits.
	SpoolPacks    int64 `json:"spool_packs"`
	SpoolOldestMs int64 `json:"spool_oldest_ms"`
	// SpoolAlarm says that the spool is filled to 80 % of its limit, or was and
	// is not empty enough yet.
	SpoolAlarm bool   `json:"spool_alarm,omitempty"`
	Config     string `json:"config"` // version of the configuration applied
	// ConfigFault says why the last configuration from afar does not count, or that
	// no meter answers under it; empty where all is well.
	ConfigFault string `json:"config_fault,omitempty"`
}

// Encode returns the payload.
func (s State) Encode() ([]byte, error) { return encode("state", s) }

// DecodeState reads a payload of the state topic.
func DecodeState(payload []byte) (State, error) { return decode[State]("state", payload) }

// SignedConfig is the configuration that a gateway is to apply, retained. The
// signature covers Version, a line feed, and Document.
type SignedConfig struct {
	Version   string `json:"version"`
	Document  []byte `json:"document"`  // YAML, base64 in JSON
	Signature []byte `json:"signature"` // ed25519, base64 in JSON
}

// Encode returns the payload.
func (c SignedConfig) Encode() ([]byte, error) { return encode("config", c) }

// DecodeSignedConfig reads a payload of the config topic. It does not check the
// signature.
func DecodeSignedConfig(payload []byte) (SignedConfig, error) {
	return decode[SignedConfig]("config", payload)
}

// Millis is t in milliseconds since 1970, 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Instant is the inverse of [Millis].
func Instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
