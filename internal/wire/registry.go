package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Registry says which meters of a site exist, how they count, and how finely
// they may be read. The collector needs nothing else to validate, to roll up
// and to enforce consent. The api publishes it whole at each change.
type Registry struct {
	Site metering.SiteID `json:"site"`
	// Zone is the IANA name of the residence's zone, in which days begin.
	Zone string `json:"zone"`
	// EarliestMs is the earliest plausible instant of a reading, in
	// milliseconds since 1970.
	EarliestMs int64           `json:"earliest_ms"`
	Meters     []RegistryMeter `json:"meters"`
}

// A RegistryMeter is one meter of a registry.
type RegistryMeter struct {
	Meter   metering.MeterID   `json:"meter"`
	Gateway metering.GatewayID `json:"gateway"`
	Kind    metering.Kind      `json:"kind"`
	// IndexModulus is where the index rolls over to zero, in the kind's base
	// unit; 0 means never.
	IndexModulus metering.Amount `json:"index_modulus"`
	// MaxPerHour is the largest plausible consumption in an hour, in the
	// kind's base unit; 0 means not known.
	MaxPerHour metering.Amount `json:"max_per_hour"`
	// IntervalS is the time between two polls, in seconds. A boundary is
	// measured when readings stand within 1.5 of it on both sides.
	IntervalS  int64               `json:"interval_s"`
	Resolution metering.Resolution `json:"resolution"`
	// FromMs and ToMs bound the time in which the meter hung there; ToMs 0
	// means that it still does.
	FromMs int64 `json:"from_ms"`
	ToMs   int64 `json:"to_ms,omitempty"`
	// ErasedUntilMs, where positive, says that what the meter showed at instants
	// before it was erased: the collector stores and keeps none of it, whoever
	// brings it back.
	ErasedUntilMs int64 `json:"erased_until_ms,omitempty"`
}

// Erased reports whether what the meter showed at that instant was erased.
func (m RegistryMeter) Erased(at time.Time) bool {
	return m.ErasedUntilMs > 0 && at.Before(time.UnixMilli(m.ErasedUntilMs))
}

// Interval is the time between two polls.
func (m RegistryMeter) Interval() time.Duration { return time.Duration(m.IntervalS) * time.Second }

// Location loads the zone.
func (r Registry) Location() (*time.Location, error) {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil, fmt.Errorf("registry of site %s: zone %q: %w", r.Site, r.Zone, err)
	}
	return zone, nil
}

// Encode returns the payload.
func (r Registry) Encode() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return encode("registry", r)
}

// DecodeRegistry reads and validates a payload of a registry topic.
func DecodeRegistry(payload []byte) (Registry, error) {
	r, err := decode[Registry]("registry", payload)
	if err != nil {
		return Registry{}, err
	}
	if err := r.Validate(); err != nil {
		return Registry{}, err
	}
	return r, nil
}

// Validate joins every fault of the registry.
func (r Registry) Validate() error {
	errs := []error{metering.CheckID("registry: site", r.Site)}
	if _, err := r.Location(); err != nil || r.Zone == "" || r.Zone == "Local" {
		errs = append(errs, fmt.Errorf("registry of site %s: zone %q: want an IANA name such as Europe/Paris", r.Site, r.Zone))
	}
	seen := map[metering.MeterID]bool{}
	for _, m := range r.Meters {
		if seen[m.Meter] {
			errs = append(errs, fmt.Errorf("registry of site %s: meter %s stands twice", r.Site, m.Meter))
		}
		seen[m.Meter] = true
		errs = append(errs, m.validate())
	}
	return errors.Join(errs...)
}

func (m RegistryMeter) validate() error {
	fault := func(what string) error { return fmt.Errorf("registry: meter %s: %s", m.Meter, what) }
	_, kindErr := metering.ParseKind(string(m.Kind))
	_, resolutionErr := metering.ParseResolution(string(m.Resolution))
	switch {
	case !metering.ValidID(m.Meter):
		return metering.CheckID("registry: meter", m.Meter)
	case kindErr != nil:
		return fault(kindErr.Error())
	case resolutionErr != nil:
		return fault(resolutionErr.Error())
	case m.IndexModulus < 0 || m.MaxPerHour < 0:
		return fault("index_modulus and max_per_hour must not be negative")
	case m.IntervalS <= 0:
		return fault("interval_s must be positive")
	case m.ToMs != 0 && m.ToMs <= m.FromMs:
		return fault("to_ms must be after from_ms")
	case m.ErasedUntilMs < 0:
		return fault("erased_until_ms must not be negative")
	}
	return nil
}
