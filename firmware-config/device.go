package firmwareconfig

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Map returns the device's profile: the one that [Gateway.Validate] found, or
// for a configuration that was not validated the shipped one of that name.
func (d *Device) Map() (Profile, error) {
	if d.Resolved != nil {
		return *d.Resolved, nil
	}
	return LoadProfile(d.Profile)
}

// validate returns faults that are placed below the device and do not name it.
func (d *Device) validate(library *Library) error {
	if d.Slave < 1 || d.Slave > 247 {
		return config.At("slave", "", errors.New("want a slave from 1 to 247"))
	}
	var errs []error
	if d.Interval != 0 && d.Interval < time.Second {
		errs = append(errs, config.At("interval", "", fmt.Errorf("interval %s: want at least 1s, or none for the bus's", d.Interval)))
	}
	profile, err := library.ByName(d.Profile)
	if err != nil {
		return errors.Join(append(errs, config.At("profile", "", err))...)
	}
	d.Resolved = &profile
	if len(d.Meters) == 0 {
		errs = append(errs, config.At("meters", "", errors.New("no meters: name at least one")))
	}
	channels := map[int]metering.MeterID{}
	for i := range d.Meters {
		m := &d.Meters[i]
		path := fmt.Sprintf("meters[%d]", i)
		if err := m.validate(d.Profile, profile.KindOf(m.Channel)); err != nil {
			errs = append(errs, config.At(path, "", err))
			continue
		}
		what := "meter " + string(m.ID)
		if other, taken := channels[m.Channel]; taken {
			errs = append(errs, config.At(path, what, overlap(*m, other)))
		}
		channels[m.Channel] = m.ID
		errs = append(errs, config.At(path, what, m.checkRegisters(profile, d.DoubtfulRegisters)))
	}
	return errors.Join(errs...)
}

// overlap is the fault of a meter that reads the registers of another one.
func overlap(m Meter, other metering.MeterID) error {
	if m.Channel == 0 {
		return config.At("id", "", fmt.Errorf("reads the same registers as meter %s: the device is one meter, name its channel or leave one out", other))
	}
	return config.At("channel", "", fmt.Errorf("channel %d is read as meter %s: a channel counts for one meter", m.Channel, other))
}

// validate returns faults that are placed below the meter and name it.
func (m *Meter) validate(profile string, kind metering.Kind) error {
	if err := metering.CheckID("meter", m.ID); err != nil {
		return config.At("id", "", err)
	}
	fault := func(key, format string, args ...any) error {
		return config.At(key, "meter "+string(m.ID), fmt.Errorf(format, args...))
	}
	if m.Kind == "" {
		m.Kind = kind
	}
	if m.Kind == "" {
		return fault("id", "nothing says what it counts: say it with kind")
	}
	if kind != "" && m.Kind != kind {
		return fault("kind", "kind %q: profile %s counts %q", m.Kind, profile, kind)
	}
	if m.Resolution == "" {
		m.Resolution = metering.DefaultResolution(m.Kind)
	}
	if m.IndexModulus < 0 || m.PulseML < 0 || m.PulseWh < 0 {
		return fault("id", "index_modulus and pulse weights must not be negative")
	}
	return nil
}

// checkRegisters demands that the profile has registers for the meter's channel
// in units of its kind, and that counts have a weight. It fills the modulus of
// the index where the profile knows it.
func (m *Meter) checkRegisters(p Profile, doubtful bool) error {
	registers := p.Of(m.Channel, doubtful)
	if len(registers) == 0 {
		return config.At("channel", "", fmt.Errorf("profile %s has no channel %d", p.Name, m.Channel))
	}
	for _, r := range registers {
		if !r.fits(m.Kind) {
			return config.At("kind", "", fmt.Errorf("profile %s shows %s in %s, which is no unit of kind %s", p.Name, r.Quantity, r.Unit, m.Kind))
		}
		if r.Weighed() && m.Pulse() <= 0 {
			return config.At("pulse_ml", "", fmt.Errorf("profile %s counts pulses: say what one is worth, pulse_ml or pulse_wh", p.Name))
		}
		if r.Quantity == metering.Index && m.IndexModulus == 0 {
			modulus, err := r.amounts(*m, r.Modulus)
			if err != nil {
				return err
			}
			m.IndexModulus = modulus
		}
	}
	return nil
}

// Pulse is what one pulse or count is worth in the base unit of the meter's
// kind, 0 where the configuration does not say.
func (m *Meter) Pulse() int64 {
	if m.Kind.IndexUnit() == metering.WattHour {
		return m.PulseWh
	}
	return m.PulseML
}
